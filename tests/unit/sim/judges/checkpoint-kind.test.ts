/** Each anomaly of the kind of a checkpoint fires on the least that is wrong; what is right beside it is silent. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, leaderEpoch } from '../../../../engine/foundation/ids.ts';
import type { JobEdge } from '../../../../engine/job/job-graph.ts';
import type { CheckpointMetrics } from '../../../../engine/protocol/checkpoint-metrics.ts';
import type { CheckpointOptions } from '../../../../engine/protocol/checkpoint-options.ts';
import { FIRST_RUN, type JobRun } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { CheckpointKinds, type CheckpointKindsOptions } from '../../../../sim/judges/checkpoint-kind.ts';
import { Findings } from '../../../../sim/judges/findings.ts';
import { ALIGNED, METRICS } from '../../../support/engine-values.ts';
import { countGraph, metadataPath } from './small-life.ts';

const UNALIGNED: CheckpointOptions = { ...ALIGNED, alignment: 'unaligned' };
const TIMED: CheckpointOptions = { ...ALIGNED, alignedTimeoutUs: 50 };
const SAVEPOINT: CheckpointOptions = {
  ...ALIGNED,
  snapshot: 'savepoint',
  sharing: 'no-sharing',
  format: 'native',
  location: 's/1',
};
type Configuration = CheckpointKindsOptions['configuration'];
const ofAligned: Configuration = { mode: 'exactly-once', unaligned: false, alignedTimeoutUs: 0 };
const ofUnaligned: Configuration = { ...ofAligned, unaligned: true };
const ofTimed: Configuration = { ...ofUnaligned, alignedTimeoutUs: 50 };
const ofAtLeastOnce: Configuration = { ...ofAligned, mode: 'at-least-once' };

/** Source 0 -> counter 1 over these edges. */
class Told {
  readonly #findings = new Findings('judge');
  readonly #kinds: CheckpointKinds;
  #at = 0;

  constructor(configuration: Configuration, edges: readonly Partial<JobEdge>[] = [{}]) {
    const graph = countGraph([0, 1]);
    const [edge] = graph.edges;
    if (edge === undefined) throw new Error('the graph has an edge');
    const all = edges.map((change, index) => ({ ...edge, index, ...change }));
    this.#kinds = new CheckpointKinds({ configuration, graphOf: () => ({ ...graph, edges: all }) }, this.#findings);
  }

  triggered(options: CheckpointOptions, isReigning = true): this {
    const of = { epoch: leaderEpoch(1), jobAttempt: 1, tasks: [executionAttemptId(1)], checkpointId: checkpointId(7) };
    this.#kinds.onTriggered({ kind: 'checkpoint-triggered', ...of, options }, this.#next(), isReigning);
    return this;
  }

  acknowledged(vertex: number, changes: Partial<CheckpointMetrics> = {}): this {
    const of = { attempt: executionAttemptId(1), vertex, subtask: 0, checkpointId: checkpointId(7) };
    const metrics = { ...METRICS, ...changes };
    this.#kinds.onAcknowledged({ kind: 'acknowledge-sent', ...of, metrics }, this.#next());
    return this;
  }

  pointer(job: JobRun, ids: readonly number[] = []): this {
    const completed = ids.map((id) => ({ id: checkpointId(id), metadata: metadataPath(id) }));
    this.#kinds.onPointer({ epoch: leaderEpoch(1), completed, job });
    return this;
  }

  get anomalies(): string[] {
    return this.#findings.verdicts('').flatMap(({ anomaly }) => (anomaly === '' ? [] : [anomaly]));
  }

  #next(): number {
    this.#at += 1;
    return this.#at;
  }
}

const OVERTOOK = { unaligned: true } as const;
const PERSISTED = { unaligned: true, bytesPersistedDuringAlignment: 1 } as const;

describe('the options of a checkpoint', () => {
  it.each([
    ['an aligned job', ofAligned, ALIGNED],
    ['a full one', ofAligned, { ...ALIGNED, sharing: 'forward' }],
    ['an unaligned job', ofUnaligned, UNALIGNED],
    ['one with a time-out', ofTimed, TIMED],
    ['at least once', ofAtLeastOnce, { ...ALIGNED, alignment: 'at-least-once' }],
    ['a savepoint of an unaligned job', ofTimed, SAVEPOINT],
    ['a savepoint, at least once', ofAtLeastOnce, { ...SAVEPOINT, alignment: 'at-least-once' }],
  ] as const)('%s: silent', (_, configuration, options) => {
    expect(new Told(configuration).triggered(options).anomalies).toEqual([]);
  });

  it.each([
    ['an aligned job overtakes', ofAligned, UNALIGNED],
    ['an aligned job has a time-out', ofAligned, TIMED],
    ['an unaligned job aligns', ofUnaligned, ALIGNED],
    ['a time-out is forgotten', ofTimed, ALIGNED],
    ['a time-out is not waited for', ofTimed, { ...TIMED, alignment: 'unaligned' }],
    ['a checkpoint of at least once aligns', ofAtLeastOnce, ALIGNED],
    ['a savepoint overtakes', ofUnaligned, { ...SAVEPOINT, alignment: 'unaligned' }],
    ['a savepoint has a time-out', ofTimed, { ...SAVEPOINT, alignedTimeoutUs: 50 }],
    ['a savepoint has no format', ofAligned, { ...ALIGNED, snapshot: 'savepoint', sharing: 'no-sharing' }],
    ['a savepoint shares files', ofAligned, { ...SAVEPOINT, sharing: 'forward' }],
    ['a checkpoint has a format', ofAligned, { ...ALIGNED, format: 'canonical' }],
    ['a checkpoint stands alone', ofAligned, { ...ALIGNED, sharing: 'no-sharing' }],
  ] as const)('%s: kind-not-as-configured', (_, configuration, options) => {
    expect(new Told(configuration).triggered(options).anomalies).toEqual(['kind-not-as-configured']);
  });
});

describe('a run restored without claim', () => {
  const run: JobRun = { ...FIRST_RUN, run: 2, floor: 5, fullFirst: true };

  it('takes a checkpoint that is not full: reuse-without-claim, whatever else its leader believes', () => {
    expect(new Told(ofAligned).pointer(run, [5]).triggered(ALIGNED).anomalies).toEqual(['reuse-without-claim']);
    const forgot = new Told(ofAligned).pointer(run, [5]).pointer({ ...run, fullFirst: false }, [5]);
    expect(forgot.triggered(ALIGNED).anomalies).toEqual(['reuse-without-claim']);
  });

  it('takes a full one, a savepoint, or any once it has an own one: silent; so is a replaced leader', () => {
    const told = new Told(ofAligned).pointer(run, [5]);
    expect(told.triggered({ ...ALIGNED, sharing: 'forward' }).triggered(SAVEPOINT).anomalies).toEqual([]);
    expect(told.triggered(ALIGNED, false).anomalies).toEqual([]);
    expect(told.pointer({ ...run, fullFirst: false }, [6]).triggered(ALIGNED).anomalies).toEqual([]);
    expect(new Told(ofAligned).pointer({ ...run, fullFirst: false }, [5]).triggered(ALIGNED).anomalies).toEqual([]);
  });
});

describe('what subtasks report', () => {
  const told = (
    configuration: Configuration,
    options: CheckpointOptions,
    [vertex, metrics]: readonly [number, Partial<CheckpointMetrics>],
    edges?: readonly Partial<JobEdge>[],
  ): string[] => new Told(configuration, edges).triggered(options).acknowledged(vertex, metrics).anomalies;

  it('overtakes in an aligned job, in a savepoint or at least once: overtook-though-aligned', () => {
    const atLeastOnce: CheckpointOptions = { ...ALIGNED, alignment: 'at-least-once' };
    for (const metrics of [OVERTOOK, PERSISTED, { bytesPersistedDuringAlignment: 1 }]) {
      expect(told(ofAligned, ALIGNED, [1, metrics])).toEqual(['overtook-though-aligned']);
      expect(told(ofUnaligned, SAVEPOINT, [1, metrics])).toEqual(['overtook-though-aligned']);
      expect(told(ofAtLeastOnce, atLeastOnce, [1, metrics])).toEqual(['overtook-though-aligned']);
    }
    expect(told(ofAligned, ALIGNED, [1, {}])).toEqual([]);
  });

  it('a barrier with a time-out overtakes on an edge that forces it: overtook-though-aligned', () => {
    expect(told(ofTimed, TIMED, [1, OVERTOOK])).toEqual([]);
    expect(told(ofTimed, TIMED, [1, {}])).toEqual([]);
    expect(told(ofTimed, TIMED, [0, PERSISTED])).toEqual([]);
    expect(told(ofTimed, TIMED, [0, OVERTOOK])).toEqual(['overtook-though-aligned']);
    for (const forced of [{ partitioning: 'broadcast' }, { sinkInternal: true }] as const) {
      expect(told(ofTimed, TIMED, [1, OVERTOOK], [{}, forced])).toEqual(['overtook-though-aligned']);
      expect(told(ofTimed, TIMED, [0, PERSISTED], [{}, forced])).toEqual(['overtook-though-aligned']);
    }
  });

  it('a checkpoint that overtakes is aligned where no edge forces it: kept-its-place', () => {
    expect(told(ofUnaligned, UNALIGNED, [1, {}])).toEqual(['kept-its-place']);
    expect(told(ofUnaligned, UNALIGNED, [0, {}])).toEqual(['kept-its-place']);
    expect(told(ofUnaligned, UNALIGNED, [1, OVERTOOK])).toEqual([]);
    expect(told(ofUnaligned, UNALIGNED, [1, {}], [{}, { partitioning: 'forward' }])).toEqual([]);
  });
});
