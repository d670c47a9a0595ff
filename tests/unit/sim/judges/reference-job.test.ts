/** The reference: all four kinds of state give the engine's bytes; lineages, two inputs and fan-out are as the graph says. */
import { describe, expect, it } from 'vitest';
import type {
  Collector,
  ElementContext,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  RuntimeContext,
  StateKey,
} from '../../../../engine/job/functions.ts';
import type { JobGraph, OperatorSpec } from '../../../../engine/job/job-graph.ts';
import { childLineage, type Lineage } from '../../../../engine/protocol/stream-elements.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import type { KeyedStateBackend } from '../../../../engine/state/keyed-state-backend.ts';
import { readKeyedStateEntries } from '../../../../engine/state/keyed-state-file.ts';
import { listState, mapState, reducingState, valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { ReferenceJob } from '../../../../sim/judges/reference-job.ts';
import type { ReferenceOperatorState } from '../../../../sim/judges/reference-state.ts';
import { HashSum, TermHash } from '../../../../sim/judges/value-hash.ts';
import { entrySalt } from '../../../../sim/judges/reference-state.ts';
import { javaStringHash } from '../../../../engine/foundation/stable-hash.ts';
import { countGraph } from './small-life.ts';

interface Step {
  readonly key: string;
  readonly n: number;
}

const VALUE = valueState('value', Types.json);
const LIST = listState('list', Types.int);
const MAP = mapState<string, number>('map', Types.string, Types.int);
const SUM = reducingState('sum', Types.row({ total: Types.int }), (current, { total }) => {
  current.total += total;
  return current;
});
const STATES = [VALUE, LIST, MAP, SUM] as unknown as RuntimeStates;
type RuntimeStates = Extract<OperatorSpec, { kind: 'process' }>['function']['states'];

/** One step on every kind of state, the same for both backends. */
function apply(states: Pick<RuntimeContext, 'value' | 'list' | 'map' | 'reducing'>, { n }: Step): void {
  const value = states.value<{ seen: number }>('value');
  const seen = value.value();
  if (seen === undefined) value.update({ seen: n });
  else if (n % 7 === 0) value.clear();
  else seen.seen += 1;
  const list = states.list<number>('list');
  if (n % 5 === 0) list.clear();
  else if (n % 5 === 1) list.addAll([n, ...list.get().slice(0, 2)]);
  else if (n % 5 === 2) list.update(list.get().slice(1));
  else list.add(n);
  const map = states.map<string, number>('map');
  const user = `u${String((n * 7) % 11)}`;
  if (map.contains(user)) map.remove(user);
  else map.put(user, (map.get('u1') ?? 0) + map.keys().length + n);
  states.reducing<{ total: number }>('sum').add({ total: n });
}

class Applier implements KeyedProcessFunction<unknown, unknown> {
  #states: RuntimeContext | undefined;

  open(runtime: RuntimeContext): void {
    this.#states = runtime;
  }

  processElement(value: unknown): void {
    if (this.#states !== undefined) apply(this.#states, value as Step);
  }
}

function processGraph(spec: Partial<OperatorSpec>): JobGraph {
  const base = countGraph([0]);
  const [source, keyed] = base.vertices;
  if (source === undefined || keyed === undefined) throw new RangeError('the graph of counts has two vertices');
  const [, sink] = keyed.operators;
  const operator = { ...keyed.operators[0], ...spec } as OperatorSpec;
  return {
    ...base,
    vertices: [
      { ...source, operators: [] },
      { ...keyed, operators: sink === undefined ? [] : [operator, sink] },
    ],
  };
}

function engineEntries(backend: KeyedStateBackend): string[] {
  const found: string[] = [];
  readKeyedStateEntries(backend.snapshot().write(), (name, keyGroup, key, value) => {
    found.push(`${name}/${keyGroup}/${key.join()}=${value.join()}`);
  });
  return found.sort((a, b) => (a < b ? -1 : 1));
}

const referenceEntries = (state: ReferenceOperatorState): string[] =>
  state
    .entries()
    .map(({ state: name, keyGroup, key, value }) => `${name}/${keyGroup}/${key.join()}=${value.join()}`)
    .sort((a, b) => (a < b ? -1 : 1));

function sumOf(state: ReferenceOperatorState): HashSum {
  const sum = new HashSum();
  const term = new TermHash();
  for (const { state: name, keyGroup, key, value } of state.entries()) {
    sum.add(term.ofEntry(entrySalt(javaStringHash(name), keyGroup), key, value));
  }
  return sum;
}

describe('the state of the reference', () => {
  it('every kind, after each of 200 steps: the bytes of the engine and a sum that was kept right', () => {
    const graph = processGraph({
      key: (value) => (value as Step).key,
      function: { states: STATES, create: () => new Applier() },
    } as Partial<OperatorSpec>);
    const job = new ReferenceJob(graph);
    const state = job.keyedStates.get('count');
    const backend = new HashMapStateBackend({
      keySerializer: Types.key,
      keyGroups: { start: 0, end: 7 },
      maxParallelism: 8,
    });
    const handles = new Map<string, unknown>([
      ['value', backend.getState(VALUE)],
      ['list', backend.getState(LIST)],
      ['map', backend.getState(MAP)],
      ['sum', backend.getState(SUM)],
    ]);
    const runtime = { value: pick, list: pick, map: pick, reducing: pick } as unknown as RuntimeContext;
    function pick(name: string): unknown {
      return handles.get(name);
    }
    expect(state).toBeDefined();
    if (state === undefined) return;
    for (let n = 0; n < 200; n += 1) {
      const step = { key: `k${String((n * n) % 13)}`, n };
      job.feed(0, { value: step, timestampUs: n, lineage: n });
      backend.setCurrentKey(step.key);
      apply(runtime, step);
      if (n % 20 === 0 || n === 199) expect(referenceEntries(state)).toEqual(engineEntries(backend));
      expect(state.sum().equals(sumOf(state))).toBe(true);
    }
  });
});

class Pair implements KeyedProcessFunction<unknown, unknown> {
  processElement(value: unknown, context: ElementContext, out: Collector<unknown>): void {
    out.collect({ value, key: context.currentKey, ms: context.timestampMs });
    out.collect('second');
  }
}

class Sides implements KeyedCoProcessFunction<unknown, unknown, unknown> {
  processElement1(value: unknown, context: ElementContext, out: Collector<unknown>): void {
    out.collect(['left', context.currentKey, value]);
  }

  processElement2(value: unknown, context: ElementContext, out: Collector<unknown>): void {
    out.collect(['right', context.currentKey, value]);
  }
}

describe('the reference job', () => {
  const outputs = (
    graph: JobGraph,
  ): { readonly job: ReferenceJob; readonly out: (readonly [string, unknown, Lineage])[] } => {
    const out: (readonly [string, unknown, Lineage])[] = [];
    return { job: new ReferenceJob(graph, (uid, value, lineage) => out.push([uid, value, lineage])), out };
  };

  it('children of one record: numbered per record, with its key and time', () => {
    const create = (): Pair => new Pair();
    const { job, out } = outputs(
      processGraph({ key: () => 'k', function: { states: [], create } } as Partial<OperatorSpec>),
    );
    job.feed(0, { value: 1, timestampUs: 2_500, lineage: 7 });
    job.feed(0, { value: 2, timestampUs: 3_000, lineage: 8 });
    expect(out).toEqual([
      ['out', { value: 1, key: 'k', ms: 2.5 }, 7],
      ['out', 'second', childLineage(7, 1)],
      ['out', { value: 2, key: 'k', ms: 3 }, 8],
      ['out', 'second', childLineage(8, 1)],
    ]);
  });

  it('map, filter and flatMap in a chain: lineage follows the children', () => {
    const base = countGraph([0]);
    const chain: OperatorSpec[] = [
      { uid: 'm', name: 'm', kind: 'map', map: (value) => Number(value) + 1 },
      { uid: 'f', name: 'f', kind: 'filter', filter: (value) => Number(value) % 2 === 0 },
      {
        uid: 'x',
        name: 'x',
        kind: 'flat-map',
        flatMap: (value, out) => {
          for (const n of [1, 2]) out.collect(Number(value) * n);
        },
      },
      { uid: 's', name: 's', kind: 'sink', sink: { guarantee: 'exactly-once', batchRecords: 1 } },
    ];
    const { job, out } = outputs({
      ...base,
      vertices: base.vertices.slice(0, 1).map((vertex) => ({ ...vertex, operators: chain })),
      edges: [],
    });
    for (const value of [1, 2, 3]) job.feed(0, { value, timestampUs: 0, lineage: value });
    expect(out).toEqual([
      ['s', 2, 1],
      ['s', 4, childLineage(1, 1)],
      ['s', 4, 3],
      ['s', 8, childLineage(3, 1)],
    ]);
  });

  it('I3: a broadcast makes a copy for each consumer, with the lineage of what it copies', () => {
    const base = countGraph([0]);
    const [source, keyed] = base.vertices;
    if (source === undefined || keyed === undefined) throw new RangeError('two vertices');
    const sink: OperatorSpec = {
      uid: 's',
      name: 's',
      kind: 'sink',
      sink: { guarantee: 'exactly-once', batchRecords: 1 },
    };
    const vertices = [
      { ...source, operators: [] },
      { ...keyed, index: 1, parallelism: 3, operators: [sink] },
    ];
    const edges = [{ index: 0, from: 0, to: 1, input: 0 as const, partitioning: 'broadcast' as const }];
    const { job, out } = outputs({ ...base, vertices, edges });
    job.feed(0, { value: 'a', timestampUs: 0, lineage: 7 });
    expect(out).toEqual([
      ['s', 'a', 7],
      ['s', 'a', 7],
      ['s', 'a', 7],
    ]);
  });

  it('two inputs and two consumers: each record goes where the edges say', () => {
    const base = countGraph([0]);
    const [source, keyed] = base.vertices;
    if (source === undefined || keyed === undefined || source.source === undefined)
      throw new RangeError('two vertices');
    const sink: OperatorSpec = {
      uid: 'out',
      name: 'out',
      kind: 'sink',
      sink: { guarantee: 'exactly-once', batchRecords: 1 },
    };
    const keys: readonly [(value: unknown) => StateKey, (value: unknown) => StateKey] = [() => 'l', () => 'r'];
    const sides = { states: [], create: (): Sides => new Sides() };
    const join: OperatorSpec = {
      uid: 'j',
      name: 'j',
      kind: 'co-process',
      keys,
      keySerializer: Types.key,
      function: sides,
    };
    const graph: JobGraph = {
      ...base,
      vertices: [
        { ...source, operators: [] },
        { ...source, index: 1, source: { ...source.source, uid: 'src2', partitions: [1] }, operators: [] },
        { ...keyed, index: 2, operators: [join, sink] },
        { ...keyed, index: 3, operators: [{ ...sink, uid: 'copy' }] },
      ],
      edges: [
        { index: 0, from: 0, to: 2, input: 0, partitioning: 'hash' },
        { index: 1, from: 1, to: 2, input: 1, partitioning: 'hash' },
        { index: 2, from: 1, to: 3, input: 0, partitioning: 'rebalance' },
      ],
    };
    const { job, out } = outputs(graph);
    job.feed(0, { value: 'a', timestampUs: 0, lineage: 0 });
    job.feed(1, { value: 'b', timestampUs: 0, lineage: 1 });
    expect(out).toEqual([
      ['out', ['left', 'l', 'a'], 0],
      ['out', ['right', 'r', 'b'], 1],
      ['copy', 'b', 1],
    ]);
  });
});
