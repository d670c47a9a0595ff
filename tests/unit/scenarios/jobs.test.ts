import { PipelinedRegions } from '../../../engine/jobmanager/pipelined-regions.ts';
import { assert, describe, expect, it } from 'vitest';
import type { KeyedProcessFunction, RuntimeContext } from '../../../engine/index.ts';
import { type BuiltJob, JOB_CATALOG, jobNamed } from '../../../scenarios/index.ts';

const TOPICS = [{ name: 'flights', partitions: [0, 1] }];

function build(name: string, parameters: Readonly<Record<string, string>>, topics = TOPICS): BuiltJob {
  const job = jobNamed(name);
  if (job === undefined) throw new Error(`no job ${name}`);
  const defaults = Object.fromEntries(job.parameters.map((parameter) => [parameter.name, parameter.default]));
  return job.build({
    parallelism: 2,
    parameters: { ...defaults, ...parameters },
    topics,
    guarantee: 'exactly-once',
    fetchWaitMs: 250,
  });
}

/** Runs a process operator by hand over the rows of one key. */
function outputsOf(job: BuiltJob, rows: readonly unknown[]): unknown[] {
  const operator = job.graph.vertices.flatMap((vertex) => vertex.operators).find((one) => one.kind === 'process');
  if (operator?.kind !== 'process') throw new Error('no process operator');
  const cells = new Map<string, unknown>();
  const maps = new Map<string, Map<unknown, unknown>>();
  const runtime = {
    value: (name: string) => ({ value: () => cells.get(name), update: (value: unknown) => cells.set(name, value) }),
    map: (name: string) => {
      const map = maps.get(name) ?? new Map<unknown, unknown>();
      maps.set(name, map);
      return { get: (key: unknown) => map.get(key), put: (key: unknown, value: unknown) => map.set(key, value) };
    },
  } as unknown as RuntimeContext;
  const process: KeyedProcessFunction<unknown, unknown> = operator.function.create();
  process.open?.(runtime);
  const outputs: unknown[] = [];
  const nothing = { timerService: () => assert.fail('no timers'), output: () => undefined };
  for (const row of rows)
    process.processElement(
      row,
      { ...nothing, currentKey: operator.key(row), timestampMs: 0 },
      { collect: (value) => outputs.push(value) },
    );
  return outputs;
}

describe('job catalog', () => {
  it('has jobs that describe themselves and build with their defaults', () => {
    const vertices = Object.fromEntries(
      JOB_CATALOG.map((job) => [job.name, build(job.name, {}).graph.vertices.length] as const),
    );
    expect(vertices).toEqual({
      'hourly-counts': 2,
      'ledgered-counts': 2,
      'flight-windows': 2,
      'trade-monitoring': 4,
      'log-analytics': 5,
      'batch-cleaning': 4,
      'keyed-count': 2,
      'audited-commits': 2,
      'keyed-cascade': 4,
      'flight-delays': 2,
      'parallel-pipelines': 3,
      'split-count': 2,
      'staged-count': 4,
      'checked-exchanges': 4,
      'broadcast-rules': 2,
      'buffering-map': 3,
      'union-offsets': 2,
      'keyed-states': 2,
      'states-when-asked': 2,
      'recent-counts': 2,
      'renewed-counts': 2,
      'evolving-profile': 3,
      'evolving-counts': 2,
      'versioned-tallies': 2,
      nexmark: 3,
    });
    for (const job of JOB_CATALOG) {
      for (const parameter of job.parameters) expect(parameter.description).toMatch(/\.$/);
    }
  });
});

describe('parallel-pipelines', () => {
  it('F1: a region per pipeline, and one for the keyed count beside them', () => {
    const { graph } = build('parallel-pipelines', {}, [...TOPICS, { name: 'counted', partitions: [7] }]);
    expect(graph.vertices.map(({ parallelism }) => parallelism)).toEqual([2, 2, 2, 1, 1]);
    expect(graph.edges.map(({ partitioning }) => partitioning)).toEqual(['forward', 'forward', 'hash']);
    expect(new PipelinedRegions(graph).count).toBe(3);
  });

  it('needs a partition for each pipeline', () => {
    expect(() => build('parallel-pipelines', {}, [{ name: 'narrow', partitions: [0] }])).toThrow(
      /a partition for each/,
    );
  });
});

describe('checked-exchanges', () => {
  const topology = (name: string, topics: readonly { name: string; partitions: number[] }[]) =>
    build('checked-exchanges', { topology: name }, [...topics]).graph.edges.map(({ partitioning }) => partitioning);
  const three = ['a', 'b', 'c'].map((name, index) => ({ name, partitions: [2 * index, 2 * index + 1] }));

  it('X20-X22: its topologies use every exchange there is', () => {
    expect(topology('pipeline', three)).toEqual(['hash', 'hash', 'hash', 'forward', 'forward']);
    expect(topology('multi-input', three)).toEqual(['hash', 'hash', 'hash', 'hash']);
    expect(topology('union', three)).toEqual(['hash', 'hash', 'hash']);
    expect(topology('custom', three)).toEqual(['custom', 'custom', 'custom', 'custom', 'hash']);
    expect(topology('broadcast', three)).toEqual(['rebalance', 'rebalance', 'broadcast', 'hash']);
    expect(topology('mixed', TOPICS)).toEqual(['rescale', 'forward', 'hash', 'rebalance', 'rescale', 'global']);
  });

  it('X20: a record that was changed on its way is told apart from one that was not', () => {
    const { graph } = build('checked-exchanges', {});
    const maps = graph.vertices.flatMap(({ operators }) => operators).filter((one) => one.kind === 'map');
    const [stamp, verify] = [maps.at(0), maps.at(-1)];
    const stamped = stamp?.map({ key: 'key-7', value: 5 }) as Record<string, unknown>;
    expect(verify?.map(stamped)).toEqual({ key: 'key-7', value: 5, intact: true });
    expect(verify?.map({ ...stamped, value: 6 })).toMatchObject({ intact: false });
  });

  it('says which topologies there are, and what they read', () => {
    expect(() => build('checked-exchanges', { topology: 'ring' })).toThrow(/topologies pipeline, multi-input/);
    expect(() => build('checked-exchanges', { topology: 'multi-input' })).toThrow('reads three topics');
  });
});

describe('flight-windows', () => {
  const late = { late: 'side', lateness: '60' };
  const twoTopics = [...TOPICS, { name: 'more', partitions: [2] }];

  it('tells windows that fire again apart where its flights are: of one input, in one window each', () => {
    const { audit } = build('flight-windows', late);
    expect(audit.conserves?.windows?.of({ key: 'A', start: 5, end: 9, ids: [] })).toEqual({
      ...{ key: 'A', startMs: 5, endMs: 9 },
    });
    expect(audit.conserves?.windows?.of({ late: true, ids: ['x'] })).toBeUndefined();
    expect(build('flight-windows', { late: 'side' }, twoTopics).audit.conserves?.windows).toBeUndefined();
    expect(() => build('flight-windows', late, twoTopics)).toThrow('must have one input');
    expect(() => build('flight-windows', { ...late, windows: 'sliding' })).toThrow('must be tumbling or session');
  });

  it('shows windows by count only where windows behind them add up what comes out', () => {
    const counted = { trigger: 'count', again: '720' };
    const uids = (parameters: Readonly<Record<string, string>>): string[] =>
      build('flight-windows', parameters).graph.vertices.flatMap(({ operators }) => operators.map(({ uid }) => uid));
    expect(uids({ trigger: 'continuous' })).not.toContain('again');
    expect(uids(counted)).toContain('again');
    expect(() => build('flight-windows', { ...counted, again: '0' })).toThrow('again must not be 0');
    expect(() => build('flight-windows', { ...counted, windows: 'session' })).toThrow('must not be session');
    expect(() => build('flight-windows', { trigger: 'seldom' })).toThrow("trigger is 'seldom'");
  });

  it('lets one input be idle and ahead of the others, and refuses one that there is not', () => {
    const { graph } = build('flight-windows', { idleness: '300', idleInput: 'more', idleAhead: '10' }, twoTopics);
    const specs = graph.vertices.flatMap(({ source }) => (source?.watermarks === undefined ? [] : [source.watermarks]));
    expect(specs.map(({ idlenessUs }) => idlenessUs)).toEqual([undefined, 300_000]);
    expect(specs.map(({ timestampOf }) => timestampOf?.({}, 1_000))).toEqual([undefined, 601_000]);
    expect(() => build('flight-windows', { idleInput: 'mor' })).toThrow("idleInput is 'mor'");
    expect(() => build('flight-windows', { idleAhead: '10' })).toThrow("idleInput is ''");
  });
});

describe('staged-count', () => {
  it('X2: a filter, a shuffle, a counting map and a reduce, with a count in each', () => {
    const { graph } = build('staged-count', {});
    expect(graph.edges.map(({ partitioning }) => partitioning)).toEqual(['rebalance', 'hash', 'hash']);
    const states = graph.vertices.flatMap(({ operators }) =>
      operators.flatMap((one) => (one.kind === 'process' ? one.function.states.map(({ name }) => name) : [])),
    );
    expect(states).toEqual(['count', 'reduced']);
  });
});

describe('keyed-count', () => {
  it('counts per key, whatever type the field has', () => {
    const job = build('keyed-count', { key: 'distance' });
    expect(outputsOf(job, [{ distance: 7 }, { distance: 7 }])).toEqual([
      { key: '7', count: 1 },
      { key: '7', count: 2 },
    ]);
    expect(job.audit).toMatchObject({ stateIsOrderInsensitive: true, outputValues: 'multiset' });
    expect(job.audit.outputKey?.({ key: '7', count: 2 })).toBe('7');
  });

  it('unites its topics', () => {
    const job = build('keyed-count', {}, [...TOPICS, { name: 'more', partitions: [2, 3] }]);
    expect(job.graph.vertices.map((vertex) => vertex.source?.partitions)).toEqual([[0, 1], [2, 3], undefined]);
    expect(job.graph.vertices[0]?.source).toMatchObject({ fetchWaitUs: 250_000, uid: 'source-flights' });
  });
});

describe('flight-delays', () => {
  it('sums delays per key and group', () => {
    const rows = [
      { origin: 'A', destination: 'X', delay: 10 },
      { origin: 'A', destination: 'Y', delay: -4 },
      { origin: 'A', destination: 'X', delay: null },
    ];
    expect(outputsOf(build('flight-delays', {}), rows)).toMatchObject([
      { key: 'A', airport: '', delay: 10, flights: 1, delaySum: 10, delayMax: 10, group: 'X', groupDelaySum: 10 },
      { flights: 2, delaySum: 6, delayMax: 10, group: 'Y', groupDelaySum: -4 },
      { flights: 3, delaySum: 6, delayMax: 10, group: 'X', groupDelaySum: 10 },
    ]);
  });

  it('groups by the hour where there are no destinations', () => {
    const job = build('flight-delays', { key: 'distance', group: 'hour' });
    expect(outputsOf(job, [{ distance: 9, delay: 1, time: 7.9 }])).toMatchObject([{ key: '9', group: '7' }]);
  });

  it('joins the airports where there is a topic of them', () => {
    const { graph, audit } = build('flight-delays', {}, [
      { name: 'airports', partitions: [0] },
      { name: 'flights', partitions: [1, 2] },
    ]);
    expect(graph.edges.map((edge) => edge.input)).toEqual([0, 1]);
    expect(graph.edges.map((edge) => edge.key?.({ origin: 'SFO', iata: 'LAX' }))).toEqual(['SFO', 'LAX']);
    expect(audit).toMatchObject({ stateIsOrderInsensitive: true, outputValues: 'lineage' });
  });
});
