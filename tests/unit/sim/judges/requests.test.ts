/** What clients asked for and were told, told to the judge alone. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { withParallelism } from '../../../../engine/job/scaled-graph.ts';
import { encodePointer, type JobEnd, pointerKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { ClaimMode } from '../../../../engine/protocol/client-operations.ts';
import { encodeRequirements, requirementsKey } from '../../../../engine/protocol/job-scale.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import type { EndOfLife } from '../../../../sim/judges/judge.ts';
import { Margins } from '../../../../sim/judges/margins.ts';
import { Requests } from '../../../../sim/judges/requests.ts';
import { countGraph } from './small-life.ts';

type Event = HistoryEvent['event'];

const CLAIMS = new Map<string, ClaimMode>([
  ['f1', 'claim'],
  ['f2', 'no-claim'],
  ['f3', 'legacy'],
]);

const graph = countGraph([0]);
const { jobId } = graph;
const by = nodeId('jobmanager-1');

function requirements(request: number, upper: number, highestParallelism = upper): Event {
  const value = encodeRequirements({ epoch: leaderEpoch(1), request, lower: upper, upper, highestParallelism });
  return { kind: 'coordination-updated', key: requirementsKey(jobId), version: 1, value, by };
}

function run(trigger: string, ended?: Pick<JobEnd, 'status' | 'by'>): Event {
  const job = { run: 2, by: trigger, floor: 0, fullFirst: false, ...(ended === undefined ? {} : { ended }) };
  const value = encodePointer({ epoch: leaderEpoch(1), completed: [], job });
  return { kind: 'coordination-updated', key: pointerKey(jobId), version: 1, value, by };
}

const answered = (operation: string, triggerId: string, outcome: 'done' | 'failed'): Event => ({
  kind: 'operation-answered',
  ...{ operation, triggerId, outcome, reason: '', location: '' },
});

const deployed = (parallelism: number): Event[] =>
  withParallelism(graph, parallelism).vertices.map((vertex) => ({
    kind: 'task-deployed',
    ...{ epoch: leaderEpoch(1), jobAttempt: parallelism, node: by, parallelism: vertex.parallelism },
    ...{ attempt: executionAttemptId(1), vertex: vertex.index, subtask: 0 },
  }));

function anomalies(events: readonly Event[], cause: EndOfLife['cause'] = 'liveness-reached'): string[] {
  const judge = new Requests({ jobId, isAdaptive: false, graph: () => graph, claims: CLAIMS });
  for (const [index, event] of events.entries()) judge.observe({ index, atUs: index, node: by, event });
  return judge.finish({ atUs: events.length, cause, historyLength: events.length }).map(({ anomaly }) => anomaly);
}

describe('requests', () => {
  it('rescales in their order, the job as wide as the last one says: passed', () => {
    const asked = [requirements(0, 1), requirements(1, 2), requirements(2, 1, 2)];
    expect(anomalies([...asked, ...deployed(1)])).toEqual(['']);
  });

  it('an older request behind a newer one, the same one with another answer, a width that is forgotten: rescale-went-back', () => {
    for (const late of [requirements(1, 2), requirements(2, 2), requirements(3, 1, 1)])
      expect(anomalies([requirements(2, 1, 2), late], 'quiescent')).toEqual(['rescale-went-back']);
  });

  it('a job that has ended forgets all of it', () => {
    const gone: Event = { kind: 'coordination-updated', key: requirementsKey(jobId), version: 0, value: '', by };
    expect(anomalies([requirements(2, 2), gone, requirements(0, 1)], 'quiescent')).toEqual(['']);
  });

  it('the job runs as wide as before: rescale-not-carried-out, but not where a subtask has finished, or the life was cut off', () => {
    const asked = [...deployed(1), requirements(1, 2)];
    const task = { attempt: executionAttemptId(1), vertex: 0, subtask: 0 };
    expect(anomalies(asked)).toEqual(['rescale-not-carried-out']);
    expect(anomalies([...asked, { kind: 'task-state', state: 'finished', ...task }])).toEqual(['']);
    expect(anomalies(asked, 'limit')).toEqual(['']);
  });

  it('told that it failed, and it is what runs: told-failed-though-begun, unless the run failed', () => {
    expect(anomalies([run('a'), answered('resume', 'a', 'failed')])).toEqual(['told-failed-though-begun']);
    expect(anomalies([run('a'), answered('resume', 'b', 'failed')])).toEqual(['']);
    const failed = run('a', { status: 'failed', by: '' });
    expect(anomalies([run('a'), failed, answered('resume', 'a', 'failed')])).toEqual(['']);
  });

  it('told that it is done, and no record shows it: told-done-though-not', () => {
    expect(anomalies([answered('resume', 'a', 'done')])).toEqual(['told-done-though-not']);
    expect(anomalies([run('a'), answered('resume', 'a', 'done')])).toEqual(['']);
    const stopped = run('a', { status: 'finished', by: 'b' });
    expect(anomalies([run('a'), answered('stop-with-savepoint', 'b', 'done')])).toEqual(['told-done-though-not']);
    expect(anomalies([stopped, answered('stop-with-savepoint', 'b', 'done')])).toEqual(['']);
  });

  it('margin: from the first record of a start to when its client is told', () => {
    const margins = new Margins();
    const judge = new Requests({ jobId, isAdaptive: false, graph: () => graph, claims: CLAIMS, margins });
    const told: readonly [number, Event][] = [
      [10, run('a')],
      [20, run('a')],
      [50, answered('resume', 'a', 'done')],
    ];
    for (const [atUs, event] of told) judge.observe({ index: atUs, atUs, node: by, event });
    expect(margins.all()).toEqual({ 'requests/told-after-recorded': { value: 40, at: 50 } });
  });

  const choices = [...CLAIMS].flatMap(([id, claim]) =>
    (['claimed', 'user'] as const).flatMap((owner) =>
      [false, true].map((fullFirst) => ({ id, claim, owner, fullFirst })),
    ),
  );

  it.each(choices)('asked for with $claim, $owner, full first: $fullFirst', ({ id, claim, owner, fullFirst }) => {
    const completed = [{ id: checkpointId(3), metadata: 'checkpoints/job/chk-3/_metadata', owner }];
    const job = { run: 3, by: `${id}/resume`, floor: 3, fullFirst };
    const value = encodePointer({ epoch: leaderEpoch(1), completed, job });
    const begun: Event = { kind: 'coordination-updated', key: pointerKey(jobId), version: 2, value, by };
    const isAsAsked = (owner === 'claimed') === (claim === 'claim') && fullFirst === (claim === 'no-claim');
    const found = anomalies([run('f0/resume', { status: 'canceled', by: id }), begun], 'quiescent');
    expect(found).toEqual([isAsAsked ? '' : 'claimed-otherwise']);
  });
});
