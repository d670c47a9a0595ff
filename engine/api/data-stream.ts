/**
 * The typed face of a job: streams and what can be done to them (Flink: DataStream, KeyedStream, ConnectedStreams).
 *
 * Owns: types and names. Every method adds at most one node to the stream graph and returns a new stream; nothing runs.
 * Does not own: chaining, uids that nobody gave, validation of the whole (job-graph-generator.ts).
 *
 * User functions are plain and synchronous, must be deterministic and must not change the values they are handed.
 */
import type {
  BroadcastProcessFunction,
  Collector,
  FunctionSpec,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  OutputTag,
  ProcessFunction,
  StateKey,
} from '../job/functions.ts';
import type { AggregateFunction } from '../state/state-descriptor.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import { Types } from '../state/type-information.ts';
import { type CommittableMessage, writerSubtask } from '../connectors/sink/sink-contract.ts';
import { checkedParallelism, DataStreamSink } from './data-stream-sink.ts';
import { InvalidJob } from './invalid-job.ts';
import { type SinkPlace, sinkSpecOf } from './sink-place.ts';
import type { OperatorBody, StreamGraph, StreamInput, StreamNode } from './stream-graph.ts';
import type { PatternSpec } from '../job/patterns.ts';
import type { TriggerSpec, WindowAssignerSpec, WindowSpec } from '../job/windows.ts';
import type { WatermarkStrategy } from './watermark-strategy.ts';
import { type WindowFunction, WindowSettings } from './windows.ts';
import type { BroadcastStateDescriptor } from '../state/operator-state-descriptor.ts';
import { eraseFilter, eraseFlatMap, eraseKeySelector, eraseMap, erasePartitioner } from './type-erasure.ts';

/** Where the records of a stream come from: several after a union. */
type Origin = Omit<StreamInput, 'input'>;

/** A sink, and what its user puts around its committer. */
export interface SinkOptions extends SinkPlace {
  /**
   * Operators between writer and committer (row K8; Flink: SupportsPreCommitTopology). They may look at committables, keep state and replace
   * them; for each summary that comes in, one goes out, ahead of as many committables as it announces.
   */
  readonly preCommit?: (written: DataStream<CommittableMessage>) => DataStream<CommittableMessage>;
  /**
   * Operators behind the committer (row K8; Flink: SupportsPostCommitTopology). Each committable comes at least once, when it is committed: again
   * after a failure before the next checkpoint. Of those that are committed behind the end of input none is told.
   */
  readonly postCommit?: (committed: DataStream<CommittableMessage>) => void;
}

const TWO_ENVIRONMENTS =
  'Streams of two environments cannot be joined: build both on the same StreamExecutionEnvironment.';
const NANOSECONDS_PER_MICROSECOND = 1_000;

/** What all streams know; made by the environment only. */
interface StreamPlace {
  readonly graph: StreamGraph;
  /** Parallelism of operators that set none. */
  readonly parallelism: number;
}

export class DataStream<T> {
  readonly #place: StreamPlace;
  readonly #origins: readonly Origin[];

  constructor(place: StreamPlace, origins: readonly Origin[]) {
    this.#place = place;
    this.#origins = origins;
  }

  /** One record for each. */
  map<U>(map: (value: T) => U): DataStream<U> {
    return this.#then<U>('Map', { kind: 'map', map: eraseMap(map) });
  }

  /** The records for which the test holds. */
  filter(filter: (value: T) => boolean): DataStream<T> {
    return this.#then<T>('Filter', { kind: 'filter', filter: eraseFilter(filter) });
  }

  /** Any number of records for each, in the order they are collected. */
  flatMap<U>(flatMap: (value: T, out: Collector<U>) => void): DataStream<U> {
    return this.#then<U>('Flat Map', { kind: 'flat-map', flatMap: eraseFlatMap(flatMap) });
  }

  /** Gives records their event time and makes watermarks here; those of before end here. At a source, `watermarks` does so per split. */
  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<T>): DataStream<T> {
    const watermarks = strategy.spec(this.#place.graph.watermarkIntervalMs);
    return this.#then<T>('Timestamps/Watermarks', { kind: 'watermarks', watermarks });
  }

  /** What the operator emits into this side output; call it right behind the operator. */
  getSideOutput<U>(tag: OutputTag<U>): DataStream<U> {
    const { id } = this.#operator('getSideOutput');
    return new DataStream<U>(this.#place, [{ from: id, exchange: 'default', sideOutput: tag.id }]);
  }

  /** Sends records of one key to one subtask. `keyType` serializes the key; the default fits keys that are strings. */
  keyBy(selector: (value: T) => string): KeyedStream<T>;
  keyBy<K extends StateKey>(selector: (value: T) => K, keyType: TypeSerializer<K>): KeyedStream<T>;
  keyBy(selector: (value: T) => StateKey, keyType: TypeSerializer<StateKey> = Types.string): KeyedStream<T> {
    const key = eraseKeySelector(selector);
    const origins = this.#origins.map((origin) => ({ ...origin, exchange: 'hash' as const, key }));
    return new KeyedStream<T>(this.#place, { origins, key, keyType });
  }

  /** The records of all these streams as one; nothing is said about the order between them. */
  union(...others: readonly DataStream<T>[]): DataStream<T> {
    return new DataStream<T>(this.#place, [...this.#origins, ...others.flatMap((other) => this.originsOf(other))]);
  }

  /** Runs a function without a key; what it remembers is operator state. */
  process<Out>(spec: FunctionSpec<ProcessFunction<T, Out>>): DataStream<Out> {
    if (spec.states.length > 0)
      throw new InvalidJob('A function over a stream without a key cannot have keyed state: call keyBy() first.');
    return this.#then<Out>('Process', {
      kind: 'plain-process',
      function: spec as FunctionSpec<ProcessFunction<unknown, unknown>>,
    });
  }

  /** Windows over all records, whatever their key: in one subtask (Flink: AllWindowedStream). */
  windowAll(assigner: WindowAssignerSpec): WindowedStream<T> {
    return this.keyBy(() => '').window(assigner, 1);
  }

  /**
   * Pairs two streams of different types, so that one function sees both and keeps common state. With a broadcast stream: every subtask
   * sees all of it.
   */
  connect<U>(other: BroadcastStream<U>): BroadcastConnectedStream<T, U>;
  connect<U>(other: DataStream<U>): ConnectedStreams<T, U>;
  connect<U>(other: DataStream<U> | BroadcastStream<U>): ConnectedStreams<T, U> | BroadcastConnectedStream<T, U> {
    if (other instanceof BroadcastStream)
      return new BroadcastConnectedStream<T, U>(this.#place, { origins: this.#origins, broadcast: other });
    return new ConnectedStreams<T, U>(this.#place, this.#origins, this.originsOf(other));
  }

  /** Deals records evenly over the subtasks of the next operator. */
  rebalance(): DataStream<T> {
    return this.#exchanged({ exchange: 'rebalance' });
  }

  /** Deals records out among those subtasks of the next operator that are this subtask's share: most stay on their machine. */
  rescale(): DataStream<T> {
    return this.#exchanged({ exchange: 'rescale' });
  }

  /**
   * Sends every record to every subtask of the next operator. With descriptors of broadcast state the result can be connected to another
   * stream, whose function keeps that state.
   */
  broadcast(): DataStream<T>;
  broadcast(...states: readonly [BroadcastDescriptor, ...BroadcastDescriptor[]]): BroadcastStream<T>;
  broadcast(...states: readonly BroadcastDescriptor[]): DataStream<T> | BroadcastStream<T> {
    if (states.length > 0) return new BroadcastStream<T>(this.#place.graph, this.#origins, states);
    return this.#exchanged({ exchange: 'broadcast' });
  }

  /** Sends every record to the first subtask of the next operator. */
  global(): DataStream<T> {
    return this.#exchanged({ exchange: 'global' });
  }

  /** Sends each record to the subtask that the partitioner names for its key, of so many. */
  partitionCustom<K extends StateKey>(
    partitioner: (key: K, subtasks: number) => number,
    selector: (value: T) => K,
  ): DataStream<T> {
    return this.#exchanged({
      exchange: 'custom',
      key: eraseKeySelector(selector),
      partitioner: erasePartitioner(partitioner),
    });
  }

  /** Names the operator for its state. Set it on everything that keeps state: a changed job finds its state again by it. */
  uid(uid: string): this {
    this.#place.graph.setUid(this.#operator('uid'), uid);
    return this;
  }

  /** Names the operator for people. */
  name(name: string): this {
    this.#operator('name').name = name;
    return this;
  }

  /** Number of subtasks of the operator, where it differs from the environment's. */
  setParallelism(parallelism: number): this {
    this.#operator('setParallelism').parallelism = checkedParallelism(parallelism);
    return this;
  }

  /** The operator begins a chain: records reach it over a channel, also where a direct call would do. */
  startNewChain(): this {
    this.#operator('startNewChain').chaining = 'head';
    return this;
  }

  /** The operator is a vertex of its own. */
  disableChaining(): this {
    this.#operator('disableChaining').chaining = 'never';
    return this;
  }

  /** Says how long the operator's function takes for each record, in microseconds of virtual time: slow work, modelled. */
  workPerRecord(microseconds: number): this {
    if (!Number.isInteger(microseconds) || microseconds < 0)
      throw new InvalidJob(`Work of ${microseconds} microseconds per record is not a whole number of at least 0.`);
    const node = this.#operator('workPerRecord');
    if (node.body.kind === 'source')
      throw new InvalidJob('A source does no work per record: give it to the operator behind.');
    node.workNanoseconds = microseconds * NANOSECONDS_PER_MICROSECOND;
    return this;
  }

  /** Ends the stream at a sink. */
  sinkTo(options: SinkOptions): DataStreamSink {
    const sink = this.#add('Sink', { kind: 'sink', sink: sinkSpecOf(options) });
    return new DataStreamSink(this.#place.graph, [sink, ...this.#committerBehind(sink, options)]);
  }

  /** Row K8: summary and committables of a writer subtask take the same way, to one committer. */
  #committerBehind(sink: StreamNode, { preCommit, postCommit }: SinkOptions): StreamNode[] {
    if (sink.body.kind !== 'sink' || sink.body.sink.kafka?.committer === undefined) {
      if (preCommit === undefined && postCommit === undefined) return [];
      throw new InvalidJob('Operators before or after the commit need a committer behind its writer: kafka.committer.');
    }
    const { graph } = this.#place;
    const { kafka } = sink.body.sink;
    if (kafka.naming === 'pooling')
      throw new InvalidJob('A writer of pooled transactional ids must hear of commits: leave its committer beside it.');
    const byWriter = { exchange: 'hash', key: writerSubtask } as const;
    const written = new DataStream<CommittableMessage>(this.#place, [{ from: sink.id, ...byWriter }]);
    const prepared = preCommit === undefined ? written : preCommit(written);
    const node = graph.add({
      body: { kind: 'committer', sink: sink.body.sink },
      inputs: prepared.#origins.map(({ from }) => ({ from, input: 0, ...byWriter })),
      name: kafka.committer === 'global' ? 'Global committer' : 'Committer',
      parallelism: kafka.committer === 'global' ? 1 : this.#place.parallelism,
    });
    postCommit?.(new DataStream<CommittableMessage>(this.#place, [{ from: node.id, ...byWriter }]));
    graph.enclose(sink);
    return [node];
  }

  /** The origins of another stream of the same environment. */
  private originsOf<U>(other: DataStream<U>): readonly Origin[] {
    if (other.#place.graph !== this.#place.graph) throw new InvalidJob(TWO_ENVIRONMENTS);
    return other.#origins;
  }

  #exchanged(by: Omit<Origin, 'from'>): DataStream<T> {
    return new DataStream<T>(
      this.#place,
      this.#origins.map(({ from, sideOutput }) => ({
        from,
        ...(sideOutput === undefined ? {} : { sideOutput }),
        ...by,
      })),
    );
  }

  #then<U>(name: string, body: OperatorBody): DataStream<U> {
    return new DataStream<U>(this.#place, [{ from: this.#add(name, body).id, exchange: 'default' }]);
  }

  #add(name: string, body: OperatorBody): StreamNode {
    const inputs = this.#origins.map((origin) => ({ ...origin, input: 0 as const }));
    return this.#place.graph.add({ body, inputs, name, parallelism: this.#place.parallelism });
  }

  /** The one operator that made this stream; a union, rebalance or broadcast is none. */
  #operator(method: string): StreamNode {
    const [origin, ...more] = this.#origins;
    const node = origin === undefined ? undefined : this.#place.graph.nodes[origin.from];
    const isOperator = origin?.exchange === 'default' && origin.sideOutput === undefined;
    if (node === undefined || !isOperator || more.length > 0) {
      throw new InvalidJob(
        `${method}() names an operator, and a union, rebalance, broadcast or side output is none: call it right behind the operator.`,
      );
    }
    return node;
  }
}

/** Descriptors of maps with any types. */
type BroadcastDescriptor = BroadcastStateDescriptor<StateKey, unknown>;

/** A stream of which every subtask of an operator sees all, with the broadcast states it may be kept in. */
export class BroadcastStream<T> {
  readonly graph: StreamGraph;
  readonly origins: readonly Origin[];
  readonly states: readonly BroadcastDescriptor[];
  /** Ties the type of its records to the stream. */
  declare readonly record: T;

  constructor(graph: StreamGraph, origins: readonly Origin[], states: readonly BroadcastDescriptor[]) {
    this.graph = graph;
    this.origins = origins;
    this.states = states;
  }
}

/** A stream, keyed or not, beside a broadcast one. */
export class BroadcastConnectedStream<A, B> {
  readonly #place: StreamPlace;
  readonly #sides: BroadcastSides<B>;

  constructor(place: StreamPlace, sides: BroadcastSides<B>) {
    if (sides.broadcast.graph !== place.graph) throw new InvalidJob(TWO_ENVIRONMENTS);
    this.#place = place;
    this.#sides = sides;
  }

  /** Runs a function over both; keyed state only where the stream is keyed. */
  process<Out>(spec: FunctionSpec<BroadcastProcessFunction<A, B, Out>>): DataStream<Out> {
    const { origins, broadcast, keyed } = this.#sides;
    if (keyed === undefined && spec.states.length > 0)
      throw new InvalidJob('A function over a stream without a key cannot have keyed state: call keyBy() first.');
    const node = this.#place.graph.add({
      body: {
        kind: 'broadcast-process',
        ...(keyed === undefined ? {} : { keyed }),
        broadcastStates: broadcast.states,
        function: spec as FunctionSpec<BroadcastProcessFunction<unknown, unknown, unknown>>,
      },
      inputs: [
        ...origins.map((origin) => ({ ...origin, input: 0 as const })),
        ...broadcast.origins.map(({ from }) => ({ from, exchange: 'broadcast' as const, input: 1 as const })),
      ],
      name: 'BroadcastProcess',
      parallelism: this.#place.parallelism,
    });
    return new DataStream<Out>(this.#place, [{ from: node.id, exchange: 'default' }]);
  }
}

interface BroadcastSides<B> {
  readonly origins: readonly Origin[];
  readonly keyed?: {
    readonly key: (value: unknown) => StateKey;
    readonly keySerializer: TypeSerializer<StateKey>;
  };
  readonly broadcast: BroadcastStream<B>;
}

/** A stream whose records of one key meet in one subtask. */
export class KeyedStream<T> {
  readonly #place: StreamPlace;
  readonly #keyed: {
    readonly origins: readonly Origin[];
    readonly key: (value: unknown) => StateKey;
    readonly keyType: TypeSerializer<StateKey>;
  };

  constructor(
    place: StreamPlace,
    keyed: {
      readonly origins: readonly Origin[];
      readonly key: (value: unknown) => StateKey;
      readonly keyType: TypeSerializer<StateKey>;
    },
  ) {
    this.#place = place;
    this.#keyed = keyed;
  }

  /** Puts a broadcast stream beside it: one function sees the elements of each key, and all of the broadcast stream. */
  connect<U>(other: BroadcastStream<U>): BroadcastConnectedStream<T, U> {
    const { origins, key, keyType } = this.#keyed;
    return new BroadcastConnectedStream<T, U>(this.#place, {
      origins,
      keyed: { key, keySerializer: keyType },
      broadcast: other,
    });
  }

  /** Groups the records of each key by time. */
  window(assigner: WindowAssignerSpec, parallelism = this.#place.parallelism): WindowedStream<T> {
    const { key, keyType } = this.#keyed;
    const add: AddWindow = <Out>(window: WindowSpec) =>
      this.#add<Out>('Window', { kind: 'window', key, keySerializer: keyType, window }, parallelism);
    return new WindowedStream<T>(add, WindowSettings.of<T>(assigner));
  }

  /** Runs a function with state per key. */
  process<Out>(spec: FunctionSpec<KeyedProcessFunction<T, Out>>): DataStream<Out> {
    const { key, keyType } = this.#keyed;
    return this.#add<Out>('KeyedProcess', { kind: 'process', key, keySerializer: keyType, function: spec });
  }

  /** Looks for a pattern in the events of each key; written with `CEP.pattern` (cep.ts). */
  match<Out>(pattern: PatternSpec): DataStream<Out> {
    const { key, keyType } = this.#keyed;
    return this.#add<Out>('Pattern', { kind: 'pattern', key, keySerializer: keyType, pattern });
  }

  #add<Out>(name: string, body: OperatorBody, parallelism = this.#place.parallelism): DataStream<Out> {
    const inputs = this.#keyed.origins.map((origin) => ({ ...origin, input: 0 as const }));
    const node = this.#place.graph.add({ body, inputs, name, parallelism });
    return new DataStream<Out>(this.#place, [{ from: node.id, exchange: 'default' }]);
  }
}

/** Makes the operator of windows on a keyed stream. */
type AddWindow = <Out>(window: WindowSpec) => DataStream<Out>;

/** The records of each key, grouped by time; see windows.ts. */
export class WindowedStream<T> {
  readonly #add: AddWindow;
  readonly #settings: WindowSettings<T>;

  constructor(add: AddWindow, settings: WindowSettings<T>) {
    this.#add = add;
    this.#settings = settings;
  }

  /** When a window is evaluated. Default: at its end. */
  trigger(trigger: TriggerSpec): WindowedStream<T> {
    return new WindowedStream<T>(this.#add, this.#settings.trigger(trigger));
  }

  /** How long after its end a window still takes records in; it is then evaluated again with each. Default: not at all. */
  allowedLateness(milliseconds: number): WindowedStream<T> {
    return new WindowedStream<T>(this.#add, this.#settings.allowedLateness(milliseconds));
  }

  /** Where records go that come too late. Default: they are dropped. */
  sideOutputLateData(tag: OutputTag<T>): WindowedStream<T> {
    return new WindowedStream<T>(this.#add, this.#settings.sideOutputLateData(tag));
  }

  /** One value per window, into which every record is folded. */
  reduce(reduce: (current: T, added: T) => T, type: TypeSerializer<T>): DataStream<T> {
    return this.#add<T>(this.#settings.reduce(reduce, type));
  }

  /** The result of each window by its aggregate, or what the function makes of it. */
  aggregate<Acc, R, Out = R>(
    aggregate: AggregateFunction<T, Acc, R>,
    type: TypeSerializer<Acc>,
    evaluate?: WindowFunction<R, Out>,
  ): DataStream<Out> {
    return this.#add<Out>(this.#settings.aggregate(aggregate, type, evaluate));
  }

  /** All records of a window at once, in the order in which they came; they are kept until then. */
  process<Out>(evaluate: WindowFunction<readonly T[], Out>, type: TypeSerializer<T>): DataStream<Out> {
    return this.#add<Out>(this.#settings.process(evaluate, type));
  }
}

/** Two streams, not yet keyed. */
export class ConnectedStreams<A, B> {
  readonly #place: StreamPlace;
  readonly #first: readonly Origin[];
  readonly #second: readonly Origin[];

  constructor(place: StreamPlace, first: readonly Origin[], second: readonly Origin[]) {
    this.#place = place;
    this.#first = first;
    this.#second = second;
  }

  /** Keys both streams by the same kind of key. */
  keyBy(first: (value: A) => string, second: (value: B) => string): KeyedConnectedStreams<A, B>;
  keyBy<K extends StateKey>(
    first: (value: A) => K,
    second: (value: B) => K,
    keyType: TypeSerializer<K>,
  ): KeyedConnectedStreams<A, B>;
  keyBy(
    first: (value: A) => StateKey,
    second: (value: B) => StateKey,
    keyType: TypeSerializer<StateKey> = Types.string,
  ): KeyedConnectedStreams<A, B> {
    const keys = [eraseKeySelector(first), eraseKeySelector(second)] as const;
    const inputs: StreamInput[] = [
      ...this.#first.map((origin) => ({
        ...origin,
        exchange: 'hash' as const,
        key: keys[0],
        input: 0 as const,
      })),
      ...this.#second.map((origin) => ({
        ...origin,
        exchange: 'hash' as const,
        key: keys[1],
        input: 1 as const,
      })),
    ];
    return new KeyedConnectedStreams<A, B>(this.#place, { keys, keyType, inputs });
  }
}

interface KeyedPair {
  readonly keys: readonly [(value: unknown) => StateKey, (value: unknown) => StateKey];
  readonly keyType: TypeSerializer<StateKey>;
  readonly inputs: readonly StreamInput[];
}

/** Two keyed streams that share keyed state. */
export class KeyedConnectedStreams<A, B> {
  readonly #place: StreamPlace;
  readonly #pair: KeyedPair;

  constructor(place: StreamPlace, pair: KeyedPair) {
    this.#place = place;
    this.#pair = pair;
  }

  /** Runs a function over both streams with state per key. */
  process<Out>(spec: FunctionSpec<KeyedCoProcessFunction<A, B, Out>>): DataStream<Out> {
    const { keys, keyType, inputs } = this.#pair;
    const node = this.#place.graph.add({
      body: { kind: 'co-process', keys, keySerializer: keyType, function: spec },
      inputs,
      name: 'KeyedCoProcess',
      parallelism: this.#place.parallelism,
    });
    return new DataStream<Out>(this.#place, [{ from: node.id, exchange: 'default' }]);
  }
}
