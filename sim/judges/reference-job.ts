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
 * I4: the order among partitions is the caller's. Jobs whose result depends on it say so in their audit;
 * I5: a record that was given up on an edge (row X26) gets as far as the edge and no further.
 */
import { assert, unreachable } from '../../engine/foundation/assert.ts';
import type {
  CheckpointedFunction,
  Collector,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  RuntimeContext,
  StateKey,
} from '../../engine/job/functions.ts';
import {
  type FunctionOperatorSpec,
  type JobEdge,
  type JobGraph,
  type JobVertex,
  type OperatorSpec,
  operatorStatesOf,
} from '../../engine/job/job-graph.ts';
import type { WatermarkSpec } from '../../engine/job/watermarks.ts';
import { type Lineage, type RecordValue, START_OF_TIME_US } from '../../engine/protocol/stream-elements.ts';
import {
  both,
  Children,
  type Clock,
  Context,
  NO_SIDES,
  type Push,
  type Sides,
  type Stage,
  timersAndLastWork,
  USER_TIMERS,
} from './reference-functions.ts';
import { ReferenceEventTime } from './reference-event-time.ts';
import { type LostRecords, withoutLost } from './lost-records.ts';
import { type OperatorStateContents, ReferenceFunctionState } from './reference-operator-state.ts';
import type { TypeSerializer } from './state-decoders.ts';
import { ReferenceOperatorState } from './reference-state.ts';
import { ReferencePatterns } from './reference-patterns.ts';
import { ReferenceWindows } from './reference-windows.ts';
import type { ReferenceTimer } from './reference-timers.ts';
import { verticesOfSinks } from './sink-topology.ts';

/** Takes what reaches a sink. */
export type OnOutput = (sinkUid: string, value: RecordValue, lineage: Lineage) => void;

type KeyedSpec = Extract<OperatorSpec, { readonly kind: 'process' | 'co-process' }>;
/** What operators do when their input ends: they do their last work once in their life (decision 0015), their timers fire each time. */
export type LastWork = 'timers' | 'timers-and-last-work';
/** Operator state that functions begin with, by operator uid. */
export type RestoredOperatorState = ReadonlyMap<string, OperatorStateContents>;

const NOTHING_RESTORED: RestoredOperatorState = new Map();
const NOTHING_LOST: LostRecords = new Map();
const ignoreOutput: OnOutput = () => undefined;
/** What a sink shows, it shows as soon as it is handed it. */
const NOTHING_MORE: readonly [Push, Push] = [() => undefined, () => undefined];

export class ReferenceJob {
  readonly #graph: JobGraph;
  readonly #onOutput: OnOutput;
  readonly #sources = new Map<number, Push>();
  readonly #keyed = new Map<string, ReferenceOperatorState>();
  readonly #clock: Clock = { timestampMs: 0 };
  #time: ReferenceEventTime;
  readonly #functions = new Map<string, ReferenceFunctionState>();
  readonly #restored: RestoredOperatorState;
  readonly #lost: LostRecords;
  /** Entries of each vertex, by logical input. */
  readonly #inputs: readonly (readonly [Push, Push])[];
  /** Of each vertex, by its index, from the end of its chain to its head. */
  readonly #stages = new Map<number, Stage[]>();

  constructor(
    graph: JobGraph,
    onOutput: OnOutput = ignoreOutput,
    restored: RestoredOperatorState = NOTHING_RESTORED,
    lost: LostRecords = NOTHING_LOST,
  ) {
    this.#lost = lost;
    this.#graph = graph;
    this.#restored = restored;
    this.#onOutput = onOutput;
    this.#time = new ReferenceEventTime(graph);
    const inputs: (readonly [Push, Push])[] = new Array(graph.vertices.length);
    const ofSinks = verticesOfSinks(graph);
    for (let index = graph.vertices.length - 1; index >= 0; index -= 1) {
      const vertex = graph.vertices[index];
      assert(vertex !== undefined && vertex.index === index, 'vertices lie at their index', { index });
      inputs[index] = ofSinks.has(index) ? NOTHING_MORE : this.#compileVertex(vertex, inputs);
    }
    this.#inputs = inputs;
  }

  /** State by operator uid, in the order of the graph from its end. */
  get keyedStates(): ReadonlyMap<string, ReferenceOperatorState> {
    return this.#keyed;
  }

  /** Operator state by operator uid, of every operator that runs a function. */
  get operatorStates(): ReadonlyMap<string, ReferenceFunctionState> {
    return this.#functions;
  }

  /** One record of a partition; records of one partition come in offset order. */
  feed(
    partition: number,
    record: { readonly value: RecordValue; readonly timestampUs: number; readonly lineage: Lineage },
  ): void {
    this.source(partition)(record.value, record.timestampUs, record.lineage);
  }

  /**
   * All input has come. Event time goes as far as the input allows, to its end where no partition of `endless` feeds an operator; those
   * finish, too, in the order of the graph, so that one finishes when all before it have. A second call would emit again.
   */
  finish(endless: ReadonlySet<number>, lastWork: LastWork = 'timers-and-last-work'): void {
    const goesOn = new Set<number>();
    for (const { index, source } of this.#graph.vertices) {
      const isFed = this.#graph.edges.some((edge) => edge.to === index && goesOn.has(edge.from));
      if (isFed || source?.partitions.some((partition) => endless.has(partition)) === true) goesOn.add(index);
    }
    const watermarks = this.#time.watermarks((partition) => !endless.has(partition), START_OF_TIME_US);
    for (const { index } of this.#graph.vertices) {
      const stages = this.#stagesOf(index);
      const watermarkUs = watermarks[index] ?? START_OF_TIME_US;
      for (const { fire } of stages) fire?.(({ timestampUs }) => timestampUs <= watermarkUs, watermarkUs);
      if (goesOn.has(index) || lastWork === 'timers') continue;
      for (const { finish } of stages) finish?.();
    }
  }

  /** Event time is in no snapshot (row B22): what was fed before a restore says nothing of it any more. */
  beginEventTimeAnew(): void {
    this.#time = new ReferenceEventTime(this.#graph);
    for (const { timers } of this.#keyed.values()) if (timers !== undefined) timers.watermarkUs = START_OF_TIME_US;
  }

  /** Fires the timers that a checkpoint says have fired, operator by operator along the graph. */
  fireTimers(hasFired: (operator: string, timer: ReferenceTimer) => boolean): void {
    for (const { index } of this.#graph.vertices) {
      for (const { uid, fire } of this.#stagesOf(index)) {
        fire?.((timer) => hasFired(uid, timer), START_OF_TIME_US);
      }
    }
  }

  /** The furthest event time an operator can have seen, given what was fed; `hasEnded`: nothing more comes of the partition. */
  furthestWatermark(operator: string, hasEnded: (partition: number) => boolean): number {
    const vertex = this.#graph.vertices.findIndex(({ operators }) => operators.some(({ uid }) => uid === operator));
    return this.#time.watermarks(hasEnded, Number.POSITIVE_INFINITY)[vertex] ?? Number.POSITIVE_INFINITY;
  }

  /** The way into the graph for one partition. */
  source(partition: number): (value: RecordValue, timestampUs: number, lineage: Lineage) => void {
    const push = this.#sources.get(partition);
    assert(push !== undefined, 'I2: a source reads the partition', { partition });
    const clock = this.#clock;
    const spec = this.#graph.vertices.find(({ source }) => source?.partitions.includes(partition))?.source?.watermarks;
    if (spec !== undefined) return this.#stamping(spec, partition, push);
    return (value, timestampUs, lineage) => {
      clock.timestampMs = timestampUs / 1_000;
      push(value, lineage);
    };
  }

  /** A source, or an operator, that gives records their event time. */
  #stamping(
    { timestampOf }: WatermarkSpec,
    where: number | string,
    push: Push,
  ): (value: RecordValue, timestampUs: number, lineage: Lineage) => void {
    const clock = this.#clock;
    return (value, timestampUs, lineage) => {
      const before = clock.timestampMs;
      const us = timestampOf === undefined ? timestampUs : Math.round(timestampOf(value, timestampUs / 1_000) * 1_000);
      this.#time.saw(where, us);
      clock.timestampMs = us / 1_000;
      push(value, lineage);
      // What else reads the same record has its own event time.
      clock.timestampMs = before;
    };
  }

  #stagesOf(vertex: number): Stage[] {
    return [...(this.#stages.get(vertex) ?? [])].reverse();
  }

  #addStage(vertex: number, stage: Stage): void {
    const stages = this.#stages.get(vertex);
    if (stages === undefined) this.#stages.set(vertex, [stage]);
    else stages.push(stage);
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
    let sides: Sides = this.#sidesOf(vertex, inputs);
    for (let i = vertex.operators.length - 1; i > 0; i -= 1) {
      const spec = vertex.operators[i];
      const hasTwoInputs = spec?.kind === 'co-process' || spec?.kind === 'broadcast-process';
      assert(spec !== undefined && !hasTwoInputs, 'only the head of a chain has two inputs', {
        vertex: vertex.name,
      });
      next = this.#compileOperator(spec, vertex, next, sides)[0];
      sides = NO_SIDES;
    }
    const head = vertex.operators[0];
    const entry: readonly [Push, Push] =
      head === undefined ? [next, next] : this.#compileOperator(head, vertex, next, sides);
    for (const partition of vertex.source?.partitions ?? []) {
      assert(!this.#sources.has(partition), 'I2: a partition is read by one source', { partition });
      this.#sources.set(partition, entry[0]);
    }
    return entry;
  }

  #fanOut(vertex: JobVertex, inputs: readonly (readonly [Push, Push])[]): Push {
    const targets = this.#graph.edges
      .filter((edge) => edge.from === vertex.index && edge.sideOutput === undefined)
      .map((edge) => this.#target(edge, inputs));
    const [first, second] = targets;
    if (first === undefined) return () => undefined;
    if (second === undefined) return first;
    return (value, lineage) => {
      for (const target of targets) target(value, lineage);
    };
  }

  /** Of the last operator of the chain. */
  #sidesOf(vertex: JobVertex, inputs: readonly (readonly [Push, Push])[]): Sides {
    const sides = new Map<string, Push[]>();
    for (const edge of this.#graph.edges) {
      if (edge.from !== vertex.index || edge.sideOutput === undefined) continue;
      sides.set(edge.sideOutput, [...(sides.get(edge.sideOutput) ?? []), this.#target(edge, inputs)]);
    }
    return sides;
  }

  #target(edge: JobEdge, inputs: readonly (readonly [Push, Push])[]): Push {
    const consumer = this.#graph.vertices[edge.to];
    const entry = inputs[edge.to]?.[edge.input];
    assert(entry !== undefined && consumer !== undefined, 'an edge leads to a later vertex', { edge: edge.index });
    const target = withoutLost(entry, this.#lost.get(edge.index));
    // What is kept as broadcast state is the same in every subtask: one copy stands for all.
    const isKept = consumer.operators[0]?.kind === 'broadcast-process' && edge.input === 1;
    const copies = consumer.parallelism;
    if (edge.partitioning !== 'broadcast' || copies === 1 || isKept) return target;
    return (value, lineage) => {
      for (let copy = 0; copy < copies; copy += 1) target(value, lineage);
    };
  }

  #compileOperator(spec: OperatorSpec, vertex: JobVertex, next: Push, sides: Sides): readonly [Push, Push] {
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
        return this.#compileKeyed(spec, vertex, { next, sides });
      case 'window':
      case 'pattern':
        return this.#compileByTime(spec, vertex, new Children(next, sides));
      case 'plain-process':
        return this.#compilePlain(spec, next);
      case 'broadcast-process':
        return this.#compileBroadcast(spec, vertex, next);
      case 'committer':
        // What a sink shows, it shows as soon as it is handed it.
        return both(() => undefined);
      case 'watermarks': {
        const stamp = this.#stamping(spec.watermarks, spec.uid, next);
        const clock = this.#clock;
        return both((value, lineage) => stamp(value, Math.round(clock.timestampMs * 1_000), lineage));
      }
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

  #compileKeyed(
    spec: KeyedSpec,
    vertex: JobVertex,
    { next, sides }: { readonly next: Push; readonly sides: Sides },
  ): readonly [Push, Push] {
    const { uid } = spec;
    const process = spec.function.create();
    const timers = process.onTimer === undefined ? {} : { timers: USER_TIMERS };
    const state = this.#keyedState(spec, spec.keySerializer, { ...vertex, ...timers });
    this.#functionState(spec, process);
    const children = new Children(next, sides);
    const context = new Context(state, this.#clock, children);
    process.open?.(state);
    const clock = this.#clock;
    this.#addStage(vertex.index, timersAndLastWork(process, { uid, state, children, context, clock }));
    if (spec.kind === 'process') {
      const { key } = spec;
      const single = process as KeyedProcessFunction<unknown, unknown>;
      return both((value, lineage) => {
        state.setKey(key(value));
        single.processElement(value, context, children.of(lineage));
      });
    }
    const twofold = process as KeyedCoProcessFunction<unknown, unknown, unknown>;
    const [key1, key2] = spec.keys;
    const first: Push = (value, lineage) => {
      state.setKey(key1(value));
      twofold.processElement1(value, context, children.of(lineage));
    };
    const second: Push = (value, lineage) => {
      state.setKey(key2(value));
      twofold.processElement2(value, context, children.of(lineage));
    };
    return [first, second];
  }

  /** Of operators that do all their work when event time passes. */
  #compileByTime(
    spec: Extract<OperatorSpec, { readonly kind: 'window' | 'pattern' }>,
    { maxParallelism, index }: JobVertex,
    children: Children,
  ): readonly [Push, Push] {
    assert(!this.#keyed.has(spec.uid), 'operators have different uids', { uid: spec.uid });
    const place = { maxParallelism, children, clock: this.#clock };
    const operator =
      spec.kind === 'window' ? new ReferenceWindows({ spec, ...place }) : new ReferencePatterns({ spec, ...place });
    this.#keyed.set(spec.uid, operator.state);
    this.#addStage(index, operator.stage);
    return both(operator.push);
  }

  #compilePlain(spec: Extract<OperatorSpec, { readonly kind: 'plain-process' }>, next: Push): readonly [Push, Push] {
    const process = spec.function.create();
    this.#functionState(spec, process);
    process.open?.({ subtask: 0, parallelism: 1 });
    const children = new Children(next);
    const clock = this.#clock;
    return both((value, lineage) => process.processElement(value, clock, children.of(lineage)));
  }

  /** One subtask sees every broadcast element once; what the engine does in each subtask must come to the same. */
  #compileBroadcast(
    spec: Extract<OperatorSpec, { readonly kind: 'broadcast-process' }>,
    vertex: JobVertex,
    next: Push,
  ): readonly [Push, Push] {
    const { keyed } = spec;
    const state = keyed === undefined ? undefined : this.#keyedState(spec, keyed.keySerializer, vertex);
    const process = spec.function.create();
    const functionState = this.#functionState(spec, process);
    process.open?.(state ?? withoutKeyedState());
    const children = new Children(next);
    const clock = this.#clock;
    const context = {
      get currentKey(): StateKey {
        return state?.currentKey ?? '';
      },
      get timestampMs(): number {
        return clock.timestampMs;
      },
      broadcastState: <K extends StateKey, V>(name: string) => functionState.broadcastState<K, V>(name),
      applyToKeyedState(visit: (key: StateKey) => void): void {
        for (const key of state?.keys() ?? []) {
          state?.setKey(key);
          visit(key);
        }
      },
    };
    const silent: Collector<RecordValue> = {
      collect: () => {
        assert(false, 'what a broadcast element makes every subtask makes: such a job cannot be audited', {
          uid: spec.uid,
        });
      },
    };
    const element: Push = (value, lineage) => {
      if (keyed !== undefined) state?.setKey(keyed.key(value));
      process.processElement(value, context, children.of(lineage));
    };
    return [element, (value) => process.processBroadcastElement(value, context, silent)];
  }

  #keyedState(
    { uid, function: { states } }: FunctionOperatorSpec,
    keySerializer: TypeSerializer<StateKey>,
    { maxParallelism, timers }: Pick<JobVertex, 'maxParallelism'> & { readonly timers?: string },
  ): ReferenceOperatorState {
    assert(!this.#keyed.has(uid), 'operators have different uids', { uid });
    const state = new ReferenceOperatorState({
      uid,
      keySerializer,
      states,
      maxParallelism,
      ...(timers === undefined ? {} : { timers }),
    });
    this.#keyed.set(uid, state);
    return state;
  }

  #functionState(spec: FunctionOperatorSpec, userFunction: CheckpointedFunction): ReferenceFunctionState {
    const state = new ReferenceFunctionState(spec.uid, operatorStatesOf(spec), this.#restored.get(spec.uid));
    this.#functions.set(spec.uid, state);
    state.initialize(userFunction);
    return state;
  }
}

function withoutKeyedState(): RuntimeContext {
  const none = (name: string): never => {
    assert(false, 'a function over a stream without a key has no keyed state', { name });
  };
  return { subtask: 0, parallelism: 1, value: none, list: none, map: none, reducing: none, aggregating: none };
}
