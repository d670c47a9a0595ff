/**
 * The reference: the same job folded over its input with no cluster. No subtasks, channels, barriers or failures; a record
 * goes through the whole graph by direct calls before the next one is fed.
 *
 * Owns an interpretation of the operator specs that shares no code with the engine's operators, and the lineage that each
 * record would have. Called by the expectation of the output judge and by the judges of state.
 *
 * I1: a record made of another keeps its event time; the n-th record an operator makes of one record gets child lineage n.
 * I2: a partition is fed to exactly one source.
 * I3: a broadcast makes a copy for each consumer, and copies share their lineage: they are counted. How many there are is the width the
 *     job was written with, so a job that shows its copies must not be rescaled; one that only uses them up may.
 * I4: the order among partitions is the caller's. Jobs whose result depends on it say so in their audit.
 */
import { assert, unreachable } from '../../engine/foundation/assert.ts';
import type { Collector, ElementContext, StateKey } from '../../engine/job/functions.ts';
import type { JobEdge, JobGraph, JobVertex, OperatorSpec } from '../../engine/job/job-graph.ts';
import {
  childLineage,
  END_OF_TIME_US,
  finishLineage,
  type Lineage,
  type RecordValue,
} from '../../engine/protocol/stream-elements.ts';
import { ReferenceOperatorState } from './reference-state.ts';

/** Takes what reaches a sink. */
export type OnOutput = (sinkUid: string, value: RecordValue, lineage: Lineage) => void;

type Push = (value: RecordValue, lineage: Lineage) => void;
type KeyedSpec = Extract<OperatorSpec, { readonly kind: 'process' | 'co-process' }>;

const ignoreOutput: OnOutput = () => undefined;

export class ReferenceJob {
  readonly #graph: JobGraph;
  readonly #onOutput: OnOutput;
  readonly #sources = new Map<number, Push>();
  readonly #keyed = new Map<string, ReferenceOperatorState>();
  readonly #clock = { timestampMs: 0 };
  /** Entries of each vertex, by logical input. */
  readonly #inputs: readonly (readonly [Push, Push])[];
  /** What operators do at the end; from the end of the graph to its start. */
  readonly #finishing: { readonly vertex: number; readonly finish: () => void }[] = [];

  constructor(graph: JobGraph, onOutput: OnOutput = ignoreOutput) {
    this.#graph = graph;
    this.#onOutput = onOutput;
    const inputs: (readonly [Push, Push])[] = new Array(graph.vertices.length);
    for (let index = graph.vertices.length - 1; index >= 0; index -= 1) {
      const vertex = graph.vertices[index];
      assert(vertex !== undefined && vertex.index === index, 'vertices lie at their index', { index });
      inputs[index] = this.#compileVertex(vertex, inputs);
    }
    this.#inputs = inputs;
  }

  /** State by operator uid, in the order of the graph from its end. */
  get keyedStates(): ReadonlyMap<string, ReferenceOperatorState> {
    return this.#keyed;
  }

  /** One record of a partition; records of one partition come in offset order. */
  feed(
    partition: number,
    record: { readonly value: RecordValue; readonly timestampUs: number; readonly lineage: Lineage },
  ): void {
    this.source(partition)(record.value, record.timestampUs, record.lineage);
  }

  /**
   * All input has come: operators that no partition of `endless` feeds finish, in the order of the graph, so that one finishes when all
   * before it have. A second call would emit again.
   */
  finish(endless: ReadonlySet<number>): void {
    const goesOn = new Set<number>();
    for (const { index, source } of this.#graph.vertices) {
      const isFed = this.#graph.edges.some((edge) => edge.to === index && goesOn.has(edge.from));
      if (isFed || source?.partitions.some((partition) => endless.has(partition)) === true) goesOn.add(index);
    }
    for (const { vertex, finish } of [...this.#finishing].reverse()) if (!goesOn.has(vertex)) finish();
  }

  /** The way into the graph for one partition. */
  source(partition: number): (value: RecordValue, timestampUs: number, lineage: Lineage) => void {
    const push = this.#sources.get(partition);
    assert(push !== undefined, 'I2: a source reads the partition', { partition });
    const clock = this.#clock;
    return (value, timestampUs, lineage) => {
      clock.timestampMs = timestampUs / 1_000;
      push(value, lineage);
    };
  }

  /** What lies behind an edge, for records that were under way on it. */
  behind(edge: number): (value: RecordValue, timestampUs: number, lineage: Lineage) => void {
    const { to, input } = this.#graph.edges[edge] ?? { to: -1, input: 0 as const };
    const push = this.#inputs[to]?.[input];
    assert(push !== undefined, 'records are under way on an edge of the job', { edge });
    const clock = this.#clock;
    return (value, timestampUs, lineage) => {
      clock.timestampMs = timestampUs / 1_000;
      push(value, lineage);
    };
  }

  #compileVertex(vertex: JobVertex, inputs: readonly (readonly [Push, Push])[]): readonly [Push, Push] {
    let next: Push = this.#fanOut(vertex, inputs);
    for (let i = vertex.operators.length - 1; i > 0; i -= 1) {
      const spec = vertex.operators[i];
      assert(spec !== undefined && spec.kind !== 'co-process', 'only the head of a chain has two inputs', {
        vertex: vertex.name,
      });
      next = this.#compileOperator(spec, vertex, next)[0];
    }
    const head = vertex.operators[0];
    const entry: readonly [Push, Push] = head === undefined ? [next, next] : this.#compileOperator(head, vertex, next);
    for (const partition of vertex.source?.partitions ?? []) {
      assert(!this.#sources.has(partition), 'I2: a partition is read by one source', { partition });
      this.#sources.set(partition, entry[0]);
    }
    return entry;
  }

  #fanOut(vertex: JobVertex, inputs: readonly (readonly [Push, Push])[]): Push {
    const targets = this.#graph.edges
      .filter((edge) => edge.from === vertex.index)
      .map((edge) => this.#target(edge, inputs));
    const [first, second] = targets;
    if (first === undefined) return () => undefined;
    if (second === undefined) return first;
    return (value, lineage) => {
      for (const target of targets) target(value, lineage);
    };
  }

  #target(edge: JobEdge, inputs: readonly (readonly [Push, Push])[]): Push {
    const consumer = this.#graph.vertices[edge.to];
    const target = inputs[edge.to]?.[edge.input];
    assert(target !== undefined && consumer !== undefined, 'an edge leads to a later vertex', { edge: edge.index });
    const copies = consumer.parallelism;
    if (edge.partitioning !== 'broadcast' || copies === 1) return target;
    return (value, lineage) => {
      for (let copy = 0; copy < copies; copy += 1) target(value, lineage);
    };
  }

  #compileOperator(spec: OperatorSpec, vertex: JobVertex, next: Push): readonly [Push, Push] {
    switch (spec.kind) {
      case 'map': {
        const { map } = spec;
        return both((value, lineage) => next(map(value), lineage));
      }
      case 'filter': {
        const { filter } = spec;
        return both((value, lineage) => {
          if (filter(value)) next(value, lineage);
        });
      }
      case 'flat-map': {
        const { flatMap } = spec;
        const children = new Children(next);
        return both((value, lineage) => flatMap(value, children.of(lineage)));
      }
      case 'process':
      case 'co-process':
        return this.#compileKeyed(spec, vertex, next);
      case 'sink': {
        const { uid } = spec;
        const onOutput = this.#onOutput;
        return both((value, lineage) => {
          onOutput(uid, value, lineage);
          next(value, lineage);
        });
      }
      default:
        return unreachable(spec);
    }
  }

  #compileKeyed(spec: KeyedSpec, vertex: JobVertex, next: Push): readonly [Push, Push] {
    assert(!this.#keyed.has(spec.uid), 'operators have different uids', { uid: spec.uid });
    const { uid, keySerializer } = spec;
    const states = spec.function.states;
    const state = new ReferenceOperatorState({ uid, keySerializer, states, maxParallelism: vertex.maxParallelism });
    this.#keyed.set(uid, state);
    const context = new Context(state, this.#clock);
    const children = new Children(next);
    if (spec.kind === 'process') {
      const { key } = spec;
      const process = spec.function.create();
      process.open?.(state);
      this.#addFinish(vertex.index, { uid, state, children, finish: process.finish?.bind(process) }, context);
      return both((value, lineage) => {
        state.setKey(key(value));
        process.processElement(value, context, children.of(lineage));
      });
    }
    const process = spec.function.create();
    process.open?.(state);
    this.#addFinish(vertex.index, { uid, state, children, finish: process.finish?.bind(process) }, context);
    const [key1, key2] = spec.keys;
    const first: Push = (value, lineage) => {
      state.setKey(key1(value));
      process.processElement1(value, context, children.of(lineage));
    };
    const second: Push = (value, lineage) => {
      state.setKey(key2(value));
      process.processElement2(value, context, children.of(lineage));
    };
    return [first, second];
  }

  #addFinish(vertex: number, { uid, state, children, finish }: Finishing, context: Context): void {
    if (finish === undefined) return;
    const clock = this.#clock;
    this.#finishing.push({
      vertex,
      finish: () => {
        clock.timestampMs = END_OF_TIME_US / 1_000;
        for (const key of state.keys()) {
          state.setKey(key);
          finish(context, children.of(finishLineage(uid, key)));
        }
      },
    });
  }
}

interface Finishing {
  readonly uid: string;
  readonly state: ReferenceOperatorState;
  readonly children: Children;
  readonly finish: ((context: ElementContext, out: Collector<RecordValue>) => void) | undefined;
}

const both = (push: Push): readonly [Push, Push] => [push, push];

/** What a function is told about the record it processes. */
class Context implements ElementContext {
  readonly #state: ReferenceOperatorState;
  readonly #clock: { readonly timestampMs: number };

  constructor(state: ReferenceOperatorState, clock: { readonly timestampMs: number }) {
    this.#state = state;
    this.#clock = clock;
  }

  get currentKey(): StateKey {
    return this.#state.currentKey;
  }

  get timestampMs(): number {
    return this.#clock.timestampMs;
  }
}

/** Numbers what one operator makes of one record (I1). */
class Children implements Collector<RecordValue> {
  readonly #next: Push;
  #parent: Lineage = 0;
  #count = 0;

  constructor(next: Push) {
    this.#next = next;
  }

  of(parent: Lineage): this {
    this.#parent = parent;
    this.#count = 0;
    return this;
  }

  collect(value: RecordValue): void {
    const lineage = childLineage(this.#parent, this.#count);
    this.#count += 1;
    this.#next(value, lineage);
  }
}
