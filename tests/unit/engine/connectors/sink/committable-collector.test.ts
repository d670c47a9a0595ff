/** Groups of committables (rows K5, K6, K7, K8; Flink: CommittableCollectorTest, SubtaskCommittableManagerTest). */
import { describe, expect, it } from 'vitest';
import {
  CommittableCollector,
  type CommittableRow,
} from '../../../../../engine/connectors/sink/committable-collector.ts';
import { decodeSinkState, encodeSinkState } from '../../../../../engine/connectors/sink/committable-rows.ts';
import { standardParts } from '../../../../../engine/parts.ts';

const collectorOf = (isGlobal = false): CommittableCollector =>
  new CommittableCollector({ isGlobal, isComplete: standardParts.isGroupComplete });

/** A group of checkpoint and subtask: `expected` announced, then these. */
function group(
  collector: CommittableCollector,
  { at, subtask = 0, expected }: { at: number; subtask?: number; expected?: number },
  ...committables: string[]
): void {
  const place = { checkpointId: at, subtask };
  collector.add({ kind: 'committable-summary', ...place, subtasks: 2, count: expected ?? committables.length });
  for (const committable of committables) collector.add({ kind: 'committable', ...place, committable });
}

/** Commits everything up to a checkpoint and says in which order. */
function drained(collector: CommittableCollector, upTo: number): string[] {
  const committed: string[] = [];
  for (let next = collector.next(upTo); next !== undefined; next = collector.next(upTo)) {
    committed.push(next.committable);
    collector.settle(next, 'committed');
  }
  return committed;
}

describe('committable collector', () => {
  it('K6: offers groups up to a checkpoint, a group fully before the next, whatever the order they came in', () => {
    const collector = collectorOf();
    group(collector, { at: 2, subtask: 1 }, 'd');
    group(collector, { at: 1, subtask: 1 }, 'b');
    group(collector, { at: 1 }, 'a1', 'a2');
    group(collector, { at: 2 }, 'c');
    group(collector, { at: 3 }, 'e');
    expect(drained(collector, 2)).toEqual(['a1', 'a2', 'b', 'c', 'd']);
    expect(drained(collector, 9)).toEqual(['e']);
    expect(collector.rows()).toEqual([]);
  });

  it('K6: a group whose summary announces more than is there is not committed, and holds back its own subtask only', () => {
    const collector = collectorOf();
    group(collector, { at: 1, expected: 2 }, 'a1');
    group(collector, { at: 2 }, 'later');
    group(collector, { at: 1, subtask: 1 }, 'other');
    expect(drained(collector, 2)).toEqual(['other']);
    collector.add({ kind: 'committable', checkpointId: 1, subtask: 0, committable: 'a2' });
    expect(drained(collector, 2)).toEqual(['a1', 'a2', 'later']);
  });

  it('FLINK-25920: a second summary for one group is a broken assumption', () => {
    const collector = collectorOf();
    group(collector, { at: 1 }, 'a');
    expect(() => group(collector, { at: 1 }, 'a')).toThrow(/one summary/);
  });

  it('K6: what is to be tried again stays the next one, and is counted', () => {
    const collector = collectorOf();
    group(collector, { at: 1 }, 'a', 'b');
    const first = collector.next(1);
    expect(first).toMatchObject({ committable: 'a', state: 'received', tries: 0 });
    if (first !== undefined) collector.settle(first, 'retry');
    expect(collector.next(1)).toMatchObject({ committable: 'a', state: 'retry', tries: 1 });
  });

  it('K6: what failed for a known reason is over; what is left of its group goes on', () => {
    const collector = collectorOf();
    group(collector, { at: 1 }, 'a', 'b');
    const first = collector.next(1);
    if (first !== undefined) collector.settle(first, 'failed');
    expect(drained(collector, 1)).toEqual(['b']);
  });

  it('K7: everything not at an end comes back from a snapshot, an incomplete group as incomplete', () => {
    const collector = collectorOf();
    group(collector, { at: 1 }, 'a', 'b');
    group(collector, { at: 2, expected: 3 }, 'c');
    group(collector, { at: 3, expected: 1 });
    const first = collector.next(1);
    if (first !== undefined) collector.settle(first, 'committed');
    const restored = collectorOf();
    restored.restore(throughBytes(collector.rows()));
    expect(restored.rows()).toEqual(collector.rows());
    expect(drained(restored, 9)).toEqual(['b']);
    restored.add({ kind: 'committable', checkpointId: 2, subtask: 0, committable: 'd' });
    restored.add({ kind: 'committable', checkpointId: 2, subtask: 0, committable: 'e' });
    expect(drained(restored, 9)).toEqual(['c', 'd', 'e']);
  });

  it('FLINK-37747: groups of several subtasks of one checkpoint are legal after a rescale', () => {
    const restored = collectorOf();
    const row = { checkpointId: 4, subtasks: 3, expected: 1, received: 1 };
    restored.restore([
      { ...row, subtask: 2, committable: 'c' },
      { ...row, subtask: 0, committable: 'a' },
    ]);
    group(restored, { at: 5 }, 'new');
    expect(drained(restored, 5)).toEqual(['a', 'c', 'new']);
  });

  it('K8, FLINK-36788: a global committer commits a checkpoint when the groups of all writers are complete', () => {
    const collector = collectorOf(true);
    group(collector, { at: 1 }, 'a');
    group(collector, { at: 1, subtask: 1, expected: 2 }, 'b');
    expect(drained(collector, 1)).toEqual([]);
    collector.add({ kind: 'committable', checkpointId: 1, subtask: 1, committable: 'c' });
    expect(drained(collector, 1)).toEqual(['a', 'b', 'c']);
    expect(collector.rows()).toEqual([]);
  });

  it('K8: for a global committer an empty group is news, too: it says that this writer has nothing', () => {
    const collector = collectorOf(true);
    group(collector, { at: 1 });
    group(collector, { at: 1, subtask: 1 }, 'b');
    expect(drained(collector, 1)).toEqual(['b']);
    group(collector, { at: 2 });
    group(collector, { at: 2, subtask: 1 });
    expect(collector.rows()).toEqual([]);
  });
});

function throughBytes(committables: readonly CommittableRow[]): readonly CommittableRow[] {
  return decodeSinkState(encodeSinkState({ committables, writers: [] })).committables;
}

describe('state of a sink', () => {
  const ROW = { checkpointId: 1, subtask: 0, subtasks: 1, expected: 1, received: 1, committable: 'out-0-7-1' };

  it('K5: committables and what writers keep come back as written, in order', () => {
    const state = { committables: [ROW, { ...ROW, checkpointId: 2 }], writers: ['x', 'y'] };
    expect(decodeSinkState(encodeSinkState(state))).toEqual(state);
    expect(decodeSinkState(encodeSinkState({ ...state, writers: [] }))).toEqual({ ...state, writers: [] });
  });

  it('T9: a flipped byte anywhere is refused', () => {
    const bytes = encodeSinkState({ committables: [ROW], writers: ['x'] });
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = bytes.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      expect(() => decodeSinkState(flipped), `byte ${at}`).toThrow();
    }
  });
});
