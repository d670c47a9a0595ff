/** Rows C18, C25: what ledgers, metadata and restores say together, told to the judge alone. */
import { describe, expect, it } from 'vitest';
import { checkpointId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { CheckpointMetadata } from '../../../../engine/protocol/metadata-file.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { decodeLedgerEntry, encodeLedgerEntry, encodeLedgerState } from '../../../../sim/judges/ledger-entry.ts';
import { Ledgers, type MetadataReader } from '../../../../sim/judges/ledgers.ts';
import { Margins } from '../../../../sim/judges/margins.ts';
import { unreadable } from '../../../../sim/judges/readable.ts';
import { ALIGNED } from '../../../support/engine-values.ts';

type Event = HistoryEvent['event'];

const FIRST = { identifier: 'first', key: 'job/first', refuses: (id: number) => id === 3 };
const SECOND = { identifier: 'second', key: 'job/second', refuses: () => false };

const leader = (epoch: number): Event => ({ kind: 'leadership-acquired', epoch: leaderEpoch(epoch) });
const triggered = (id: number, epoch = 1): Event => ({
  kind: 'checkpoint-triggered',
  epoch: leaderEpoch(epoch),
  jobAttempt: 1,
  tasks: [],
  options: ALIGNED,
  checkpointId: checkpointId(id),
});
const restored = (id: number, epoch = 1, subtasks?: readonly { vertex: number; subtask: number }[]): Event => ({
  kind: 'restore-chosen',
  epoch: leaderEpoch(epoch),
  jobAttempt: 1,
  checkpointId: checkpointId(id),
  ...(subtasks === undefined ? {} : { subtasks }),
});
const completed = (id: number): Event => ({
  kind: 'checkpoint-completed',
  epoch: leaderEpoch(1),
  checkpointId: checkpointId(id),
  triggeredAtUs: micros(0),
  stateBytes: 1,
  metadataBytes: 1,
  endToEndUs: 1,
});
function says(
  ledger: { readonly key: string },
  what: 'numbered' | 'set-back',
  [id, number]: readonly [number, number],
  epoch = 1,
): Event {
  const value = encodeLedgerEntry({ epoch, sequence: 1, what, checkpointId: id, number });
  return { kind: 'coordination-updated', key: ledger.key, version: 1, value, by: nodeId('jobmanager-1') };
}
const both = (what: 'numbered' | 'set-back', at: readonly [number, number]): Event[] => [
  says(FIRST, what, at),
  says(SECOND, what, at),
];

/** `kept`: the numbers that each checkpoint holds, of `first` and `second`. */
function anomalies(events: readonly Event[], kept: Readonly<Record<number, readonly [number, number]>> = {}): string[] {
  const ids = Object.keys(kept).map(Number);
  const reader: MetadataReader = {
    retained: () => ids.map((id) => ({ id: checkpointId(id), metadata: String(id) })),
    metadata: (path) => {
      const [first, second] = kept[Number(path)] ?? [0, 0];
      const masterStates = [
        { identifier: 'second', bytes: encodeLedgerState(second) },
        { identifier: 'first', bytes: encodeLedgerState(first) },
      ];
      return { kind: 'read', value: { masterStates } as unknown as CheckpointMetadata };
    },
  };
  const judge = new Ledgers([FIRST, SECOND], reader);
  for (const [index, event] of [leader(1), ...events].entries())
    judge.observe({ index, atUs: index, node: nodeId('jobmanager-1'), event });
  return judge.finish().flatMap(({ outcome, anomaly }) => (outcome === 'violated' ? [anomaly] : []));
}

const begun = [restored(0), ...both('set-back', [0, 0]), triggered(1), ...both('numbered', [1, 1])];

describe('ledgers', () => {
  it('content: numbered, kept, gone on with one that was aborted, set back with the job', () => {
    const events = [
      ...[...begun, completed(1), triggered(2), ...both('numbered', [2, 2]), restored(1)],
      ...[...both('set-back', [1, 1]), triggered(4), ...both('numbered', [4, 2]), completed(4)],
    ];
    expect(anomalies(events, { 1: [1, 1], 4: [2, 2] })).toEqual([]);
  });

  it('content: what was on its way when a region restarted, or from a leader that was replaced, arrives late', () => {
    const late = [triggered(2), restored(1), ...both('numbered', [2, 2]), ...both('set-back', [1, 1])];
    expect(anomalies([...begun, ...late])).toEqual([]);
    const zombie = [triggered(2), leader(2), restored(1, 2), ...both('numbered', [2, 2])];
    expect(anomalies([...begun, ...zombie])).toEqual([]);
  });

  it('content: a region that restarts before there is a checkpoint, a leader of the past that chooses', () => {
    expect(
      anomalies([...begun, restored(0, 1, [{ vertex: 0, subtask: 0 }]), triggered(2), ...both('numbered', [2, 2])]),
    ).toEqual([]);
    expect(anomalies([leader(2), restored(0, 1), triggered(5, 2), says(FIRST, 'numbered', [5, 1], 2)])).toEqual([]);
  });

  it('ledger-not-set-back: the next checkpoint is numbered as if nothing had been restored', () => {
    const events = [...begun, restored(1), triggered(2), says(SECOND, 'numbered', [2, 2])];
    expect(anomalies(events)).toEqual(['ledger-not-set-back']);
    const other = [
      ...begun,
      restored(1),
      says(SECOND, 'set-back', [0, 0]),
      triggered(2),
      says(SECOND, 'numbered', [2, 1]),
    ];
    expect(anomalies(other)).toEqual(['ledger-not-set-back']);
  });

  it('ledger-set-back-wrong: to another number than the checkpoint was given', () => {
    expect(anomalies([...begun, restored(1), says(FIRST, 'set-back', [1, 0])])).toEqual(['ledger-set-back-wrong']);
  });

  it('ledger-state-missing: a checkpoint completes with the number of another one', () => {
    expect(anomalies([...begun, completed(1)], { 1: [1, 2] })).toEqual(['ledger-state-missing']);
  });

  it('told-of-refused: the second hears of what the first has refused', () => {
    expect(anomalies([...begun, triggered(3), says(SECOND, 'numbered', [3, 2])])).toEqual(['told-of-refused']);
  });

  it('what is no entry says nothing', () => {
    expect(decodeLedgerEntry('')).toBeUndefined();
    expect(decodeLedgerEntry('1 2 lost 3 4')).toBeUndefined();
  });

  it('margin: from the setting back of a ledger to its next number', () => {
    const margins = new Margins();
    const judge = new Ledgers([FIRST], { retained: () => [], metadata: () => unreadable('there is none') }, margins);
    const told: readonly [number, Event][] = [
      [10, says(FIRST, 'set-back', [0, 0])],
      [70, says(FIRST, 'numbered', [1, 1])],
      [75, says(FIRST, 'numbered', [2, 2])],
    ];
    for (const [atUs, event] of told) judge.observe({ index: atUs, atUs, node: nodeId('jobmanager-1'), event });
    expect(margins.all()).toEqual({ 'ledgers/number-after-set-back': { value: 60, at: 70 } });
  });
});
