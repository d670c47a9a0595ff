/** In-flight data that was given up (row X26): which records, from when on, and of which jobs it can be said. */
import { describe, expect, it } from 'vitest';
import { checkpointId, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { JobVertex } from '../../../../engine/job/job-graph.ts';
import { jobNamed } from '../../../../scenarios/index.ts';
import { withDefaults } from '../../../../scenarios/jobs/job-definition.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import type { InFlightRecord } from '../../../../sim/judges/checkpoint-reader.ts';
import { GivenUpData } from '../../../../sim/judges/given-up-data.ts';
import { whyNotGivenUp } from '../../../../sim/judges/lossy-jobs.ts';
import { type LostRecords, withoutLost } from '../../../../sim/judges/lost-records.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';

/** Two pipelines of one job: 0 -> 2 and 1 -> 3. */
const TWO_PARTS = jobGraph(
  [sourceVertex(0, 1, [0]), sourceVertex(1, 1, [1]), vertex(2, 2), vertex(3, 2)],
  [edge(0, 0, 2, 'hash'), edge(1, 1, 3, 'hash')],
);
const record = (on: number, lineage: number): InFlightRecord => {
  const channel = { edge: on, producer: 0, consumer: 0, side: 'input' as const };
  return { edge: on, channel, value: '', timestampUs: 0, lineage };
};

class Watched {
  readonly changes: LostRecords[] = [];
  readonly data: GivenUpData;

  constructor(inFlight: readonly InFlightRecord[]) {
    const contents = { inFlight } as never;
    this.data = new GivenUpData({
      graph: TWO_PARTS,
      checkpointId: 3,
      reader: {
        retained: () => [{ id: checkpointId(3), metadata: 'chk-3/_metadata' }],
        contents: () => ({ kind: 'read', value: contents }),
      },
      changed: (lost) => this.changes.push(lost),
    });
  }

  triggered(...ids: readonly number[]): this {
    for (const id of ids) this.#happens({ kind: 'checkpoint-triggered', checkpointId: checkpointId(id) });
    return this;
  }

  restored(ofVertex: number, id: number): this {
    return this.#happens({ kind: 'task-restored', vertex: ofVertex, checkpointId: checkpointId(id) });
  }

  #happens(event: object): this {
    this.data.observe({ index: 0, atUs: micros(0), node: nodeId('n'), event } as unknown as HistoryEvent);
    return this;
  }
}

const listed = (lost: LostRecords | undefined): unknown =>
  lost && Array.from(lost, ([on, lineages]) => [on, ...lineages]);

describe('in-flight data that is given up', () => {
  it('I1: counts from the restore of just that checkpoint on, once', () => {
    const life = new Watched([record(0, 17), record(0, 18)]).triggered(1, 2, 3, 4).restored(0, 2).restored(2, 4);
    expect(life.changes).toEqual([]);
    life.restored(2, 3).restored(0, 3).restored(2, 3);
    expect(life.changes.map(listed)).toEqual([[[0, [17, 1], [18, 1]]]]);
  });

  it('I2: a savepoint that was triggered before the restore has it all; what comes later lacks it', () => {
    const { data } = new Watched([record(0, 17)]).triggered(1, 2, 3, 4).restored(2, 3).triggered(5);
    expect([3, 4].map((id) => data.before(id))).toEqual([undefined, undefined]);
    expect(listed(data.before(5))).toEqual([[0, [17, 1]]]);
    expect(data.before(6)).toBe(data.before(5));
  });

  it('I1: of a job of two parts, what lay in the part that was restored', () => {
    const life = new Watched([record(0, 17), record(1, 99)]).triggered(3, 4).restored(3, 3);
    expect(listed(life.data.before(5))).toEqual([[1, [99, 1]]]);
    life.triggered(5, 6).restored(0, 3);
    expect(listed(life.data.before(6))).toEqual([[1, [99, 1]]]);
    expect(life.changes.map(listed)).toEqual([
      [[1, [99, 1]]],
      [
        [1, [99, 1]],
        [0, [17, 1]],
      ],
    ]);
  });

  it('nothing was under way: nothing changes', () => {
    expect(new Watched([]).triggered(3).restored(2, 3).changes).toEqual([]);
  });

  it('copies that share a lineage are counted', () => {
    const passed: number[] = [];
    const push = withoutLost((_value, lineage) => passed.push(lineage), new Map([[7, 2]]));
    for (const lineage of [6, 7, 7, 7, 8]) push('', lineage);
    expect(passed).toEqual([6, 7, 8]);
  });
});

describe('whether it can be said what a job comes to without in-flight data', () => {
  const whyNot = (name: string, parameters = {}, guarantee: 'exactly-once' | 'at-least-once' = 'exactly-once') => {
    const job = jobNamed(name);
    if (job === undefined) throw new Error(`no job ${name}`);
    const topics = [{ name: 'flights', partitions: [0, 1] }];
    const built = job.build({ parallelism: 2, parameters: withDefaults(job, parameters), topics, guarantee });
    return whyNotGivenUp(built.graph, built.audit);
  };

  it('state behind the only exchange, or state that sends on what came: yes', () => {
    for (const name of ['keyed-count', 'split-count', 'keyed-states', 'checked-exchanges', 'buffering-map'])
      expect(whyNot(name), name).toBeUndefined();
  });

  it('state in front of an exchange, event time, output that shows at once: no, and why', () => {
    expect(whyNot('keyed-cascade')).toContain('what Count sends over an exchange');
    expect(whyNot('staged-count')).toContain('sends over an exchange');
    expect(whyNot('flight-windows')).toMatch(/event time/);
    expect(whyNot('renewed-counts')).toContain('when and in what order');
    expect(whyNot('keyed-count', {}, 'at-least-once')).toContain('shows output before a checkpoint covers it');
  });

  it('what is forwarded to a further vertex is behind no exchange that may carry in-flight data', () => {
    const process = { uid: 'count', name: 'Count', kind: 'plain-process' } as unknown as JobVertex['operators'][number];
    const audit = { stateIsOrderInsensitive: true };
    const graph = (last: 'forward' | 'rebalance') =>
      jobGraph(
        [sourceVertex(0, 2), vertex(1, 2, { operators: [process] }), vertex(2, 2), vertex(3, 2)],
        [edge(0, 0, 1, 'hash'), edge(1, 1, 2, 'forward'), edge(2, 2, 3, last)],
      );
    expect(whyNotGivenUp(graph('forward'), audit)).toBeUndefined();
    expect(whyNotGivenUp(graph('rebalance'), audit)).toContain('vertex-1');
  });
});
