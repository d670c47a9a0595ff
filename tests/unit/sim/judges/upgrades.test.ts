/** Rows S13, S24: what became of each version that began from another's state, told to the judge alone. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { encodePointer, type JobEnd, pointerKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import type { JobAudit } from '../../../../sim/judges/job-audit.ts';
import { type JobVersions, RunHistory } from '../../../../sim/judges/run-history.ts';
import { Upgrades } from '../../../../sim/judges/upgrades.ts';
import { countGraph } from './small-life.ts';

const WHY = 'it was an int';

type Event = HistoryEvent['event'];

const graph = countGraph([0]);
const { jobId } = graph;
const AUDIT: JobAudit = { stateIsOrderInsensitive: true, outputValues: 'multiset' };
/** 2 reads what 1 left, 3 reads nothing, 4 does not say. */
const VERSIONS: JobVersions = new Map([
  [1, { graph, audit: { ...AUDIT, readsStateOf: [] } }],
  [2, { graph, audit: { ...AUDIT, readsStateOf: [1] } }],
  [3, { graph, audit: { ...AUDIT, readsStateOf: [] } }],
  [4, { graph, audit: AUDIT }],
]);

interface Record {
  readonly run: number;
  readonly version: number;
  readonly epoch?: number;
  readonly completed: readonly number[];
  readonly ended?: JobEnd['status'];
  readonly reason?: string;
}

/** Run 1 has taken checkpoints up to 5, each later run those of the next ten. */
function record({ run, version, epoch = 1, completed, ended, reason }: Record): Event {
  const job = { run, version, by: '', floor: (run - 1) * 10, fullFirst: false };
  const value = encodePointer({
    epoch: leaderEpoch(epoch),
    completed: completed.map((id) => ({ id: checkpointId(id), metadata: `${id}/_metadata` })),
    job:
      ended === undefined
        ? job
        : { ...job, ended: { status: ended, by: '', ...(reason === undefined ? {} : { reason }) } },
  });
  return { kind: 'coordination-updated', key: pointerKey(jobId), version: 1, value, by: nodeId('jobmanager-1') };
}

const task = (attempt: number) => ({ attempt: executionAttemptId(attempt), vertex: 0, subtask: 0 });
const deployed = (attempt: number, epoch = 1): Event => ({
  kind: 'task-deployed',
  ...{ epoch: leaderEpoch(epoch), jobAttempt: 1, node: nodeId('taskmanager-1'), parallelism: 1 },
  ...task(attempt),
});
const refused = (attempt: number): Event => ({ kind: 'state-incompatible', why: WHY, ...task(attempt) });

function anomalies(...events: readonly Event[]): string[] {
  const history = new RunHistory({ jobId, versions: VERSIONS, snapshotOf: () => undefined, changed: () => undefined });
  const judge = new Upgrades({ jobId, history, restartsWithoutEnd: true });
  events.forEach((event, index) => {
    const entry = { index, atUs: index, node: nodeId('jobmanager-1'), event };
    history.observe(entry);
    judge.observe(entry);
  });
  return judge.finish().map(({ anomaly }) => anomaly);
}

const FIRST = record({ run: 1, version: 1, completed: [5] });

describe('upgrades', () => {
  it('a version that cannot read the state and fails: passed, and so is the one before that goes on', () => {
    const third = record({ run: 2, version: 3, completed: [5] });
    const failed = record({ run: 2, version: 3, completed: [5], ended: 'failed', reason: WHY });
    const back = record({ run: 3, version: 1, completed: [5] });
    const goesOn = record({ run: 3, version: 1, completed: [5, 21] });
    expect(anomalies(FIRST, third, deployed(1), refused(1), failed, back, deployed(2), goesOn)).toEqual(['']);
  });

  it('one that completes a checkpoint, or stops as it was asked to: incompatible-version-ran', () => {
    const third = record({ run: 2, version: 3, completed: [5] });
    const completed = record({ run: 2, version: 3, completed: [5, 11] });
    const stopped = record({ run: 2, version: 3, completed: [5], ended: 'finished' });
    expect(anomalies(FIRST, third, completed)).toEqual(['incompatible-version-ran']);
    expect(anomalies(FIRST, third, stopped)).toEqual(['incompatible-version-ran']);
  });

  it('one that can read it and fails because it cannot: compatible-version-refused', () => {
    const second = record({ run: 2, version: 2, completed: [5] });
    expect(anomalies(FIRST, second, deployed(1), refused(1))).toEqual(['compatible-version-refused']);
  });

  it('one that fails as it must, and its user is told nothing or something else: refused-without-cause', () => {
    const third = record({ run: 2, version: 3, completed: [5] });
    const failed = { run: 2, version: 3, completed: [5], ended: 'failed' } as const;
    const other = record({ ...failed, reason: 'a segment was damaged' });
    for (const end of [record(failed), other])
      expect(anomalies(FIRST, third, deployed(1), refused(1), end)).toEqual(['refused-without-cause']);
    expect(anomalies(FIRST, third, deployed(1), refused(1), record({ ...failed, reason: WHY }))).toEqual(['']);
  });

  it('the same version is never refused', () => {
    const again = record({ run: 2, version: 1, completed: [5] });
    expect(anomalies(FIRST, deployed(1), refused(1))).toEqual(['compatible-version-refused']);
    expect(anomalies(FIRST, again, deployed(1), refused(1))).toEqual(['compatible-version-refused']);
  });

  it('I1: a task that a leader deployed that was replaced belongs to the run of that leader', () => {
    const third = record({ run: 2, version: 3, completed: [5] });
    const failed = record({ run: 2, version: 3, epoch: 2, completed: [5], ended: 'failed', reason: WHY });
    const back = record({ run: 3, version: 1, epoch: 2, completed: [5] });
    const refusedSo = [FIRST, third, deployed(1), refused(1)];
    expect(anomalies(...refusedSo, failed, back, deployed(7, 1), refused(7))).toEqual(['']);
    expect(anomalies(...refusedSo, failed, back, deployed(7, 2), refused(7))).toEqual(['compatible-version-refused']);
  });

  it('what begins from nothing, or does not say what it reads, is not judged', () => {
    expect(
      anomalies(FIRST, record({ run: 2, version: 3, completed: [] }), record({ run: 2, version: 3, completed: [11] })),
    ).toEqual(['']);
    const fourth = record({ run: 2, version: 4, completed: [5] });
    expect(anomalies(FIRST, fourth, deployed(1), refused(1), record({ run: 2, version: 4, completed: [11] }))).toEqual([
      '',
    ]);
  });
});
