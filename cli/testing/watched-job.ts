/**
 * A job whose own code is watched: what it throws, keys that are none, values that nothing can write down.
 *
 * Owns: where in a graph user code stands. Engine and judges see the same job, whose functions answer what they did. Why: without it the
 * engine would be blamed for what its user has done wrong, since it can only say which of its assumptions does not hold.
 * Does not own: what is complained of (watched-calls.ts).
 */
import type { Collector, FunctionInitializationContext, RuntimeContext, StateKey } from '../../engine/job/functions.ts';
import {
  type FunctionOperatorSpec,
  type JobEdge,
  type JobGraph,
  type JobVertex,
  keySerializerOf,
  type OperatorSpec,
} from '../../engine/job/job-graph.ts';
import type { WatermarkSpec } from '../../engine/job/watermarks.ts';
import type { OperatorStateDescriptor } from '../../engine/state/operator-state-descriptor.ts';
import type { StateDescriptor } from '../../engine/state/state-descriptor.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import { shown } from './job-error.ts';
import { type JobNotes, WatchedCalls } from './watched-calls.ts';
import { watchedInitialization, watchedRuntime } from './watched-state.ts';

export function watchedJob(job: JobDefinition, notes: JobNotes): JobDefinition {
  return {
    name: job.name,
    description: job.description,
    parameters: job.parameters,
    build: (input) => {
      const built = job.build(input);
      return { ...built, graph: watchedGraph(built.graph, notes) };
    },
  };
}

function watchedGraph(graph: JobGraph, notes: JobNotes): JobGraph {
  const callsOf = (uid: string): WatchedCalls => new WatchedCalls(uid, notes);
  return {
    ...graph,
    vertices: graph.vertices.map((vertex) => ({
      ...vertex,
      ...watchedSource(vertex, callsOf),
      operators: vertex.operators.map((spec) => watchedOperator(spec, callsOf(spec.uid))),
    })),
    edges: graph.edges.map((edge) => watchedEdge(edge, graph.vertices[edge.to], callsOf)),
  };
}

type CallsOf = (uid: string) => WatchedCalls;

function watchedSource({ source }: JobVertex, callsOf: CallsOf): Pick<JobVertex, 'source'> {
  if (source?.watermarks === undefined) return {};
  return { source: { ...source, watermarks: watchedWatermarks(source.watermarks, callsOf(source.uid)) } };
}

/** `keyBy` stands before the operator that it leads to. */
function watchedEdge(edge: JobEdge, consumer: JobVertex | undefined, callsOf: CallsOf): JobEdge {
  const { key, partitioning } = edge;
  const [head] = consumer?.operators ?? [];
  if (key === undefined || head === undefined) return edge;
  const calls = callsOf(head.uid);
  // What a partitioner is asked about is its own affair.
  if (partitioning !== 'hash')
    return { ...edge, key: (value) => calls.ofRecord('its partitioner', value, () => key(value)) };
  return { ...edge, key: watchedKey(key, keySerializerOf(head), calls) };
}

type KeySelector = (value: unknown) => StateKey;

function watchedKey(key: KeySelector, type: TypeSerializer<StateKey> | undefined, calls: WatchedCalls): KeySelector {
  return (value) => calls.ofRecord('the key selector', value, () => calls.checkKey(key(value), type));
}

function watchedWatermarks(watermarks: WatermarkSpec, calls: WatchedCalls): WatermarkSpec {
  const { timestampOf } = watermarks;
  if (timestampOf === undefined) return watermarks;
  return {
    ...watermarks,
    timestampOf: (value, logTimestampMs) =>
      calls.ofRecord('the timestamp assigner', value, () => {
        const timestampMs = timestampOf(value, logTimestampMs);
        if (!Number.isFinite(timestampMs)) calls.complainHere(`answers ${shown(timestampMs)}; expected milliseconds.`);
        return timestampMs;
      }),
  };
}

function watchedOperator(spec: OperatorSpec, calls: WatchedCalls): OperatorSpec {
  switch (spec.kind) {
    case 'map': {
      const { map } = spec;
      return {
        ...spec,
        map: (value) =>
          calls.ofRecord('map', value, () => {
            const mapped = map(value);
            calls.checkEmitted(mapped);
            return mapped;
          }),
      };
    }
    case 'filter': {
      const { filter } = spec;
      return { ...spec, filter: (value) => calls.ofRecord('filter', value, () => filter(value)) };
    }
    case 'flat-map': {
      const { flatMap } = spec;
      return {
        ...spec,
        flatMap: (value, out) =>
          calls.ofRecord('flatMap', value, (frame) => flatMap(value, calls.collector(out, frame))),
      };
    }
    case 'watermarks':
      return { ...spec, watermarks: watchedWatermarks(spec.watermarks, calls) };
    case 'window':
      return {
        ...spec,
        key: watchedKey(spec.key, spec.keySerializer, calls),
        window: watchedWindow(spec.window, calls),
      };
    case 'pattern':
      return {
        ...spec,
        key: watchedKey(spec.key, spec.keySerializer, calls),
        pattern: watchedPattern(spec.pattern, calls),
      };
    case 'process':
      return { ...watchedFunction(spec, calls), key: watchedKey(spec.key, spec.keySerializer, calls) };
    case 'co-process': {
      const [first, second] = spec.keys;
      const keys = [
        watchedKey(first, spec.keySerializer, calls),
        watchedKey(second, spec.keySerializer, calls),
      ] as const;
      return { ...watchedFunction(spec, calls), keys };
    }
    case 'plain-process':
      return watchedFunction(spec, calls);
    case 'broadcast-process': {
      const { keyed } = spec;
      const watched = {
        ...watchedFunction(spec, calls),
        broadcastStates: spec.broadcastStates.map((state) => ({
          ...state,
          valueType: calls.watchedType(state.valueType, state.name),
        })),
      };
      if (keyed === undefined) return watched;
      return { ...watched, keyed: { ...keyed, key: watchedKey(keyed.key, keyed.keySerializer, calls) } };
    }
    case 'sink':
    case 'committer':
      return spec;
    default:
      throw new RangeError(`unknown operator ${String(spec satisfies never)}`);
  }
}

type WindowSpec = Extract<OperatorSpec, { kind: 'window' }>['window'];
type PatternSpec = Extract<OperatorSpec, { kind: 'pattern' }>['pattern'];

function watchedWindow(window: WindowSpec, calls: WatchedCalls): WindowSpec {
  const { aggregate, evaluate } = window;
  return {
    ...window,
    contents: calls.watchedType(window.contents, 'contents of a window'),
    aggregate: {
      createAccumulator: () => aggregate.createAccumulator(),
      add: (accumulator, value) => calls.ofRecord('the aggregate', value, () => aggregate.add(accumulator, value)),
      getResult: (accumulator) => calls.ofMoment('the result of the aggregate', () => aggregate.getResult(accumulator)),
      merge: (a, b) => calls.ofMoment('a merge of the aggregate', () => aggregate.merge(a, b)),
    },
    evaluate: (context, result, out) =>
      calls.ofMoment(
        `the window function for key ${shown(context.key)}, window ${context.start} to ${context.end} ms`,
        (frame) => evaluate(context, result, calls.collector(out, frame)),
      ),
  };
}

function watchedPattern(pattern: PatternSpec, calls: WatchedCalls): PatternSpec {
  const { select } = pattern;
  return {
    ...pattern,
    stages: pattern.stages.map(({ condition, ...stage }) => ({
      ...stage,
      condition: (event, matched) =>
        calls.ofRecord(`the condition of stage '${stage.name}'`, event, () => condition(event, matched)),
    })),
    select: (matched) =>
      calls.ofMoment('select of a match', () => {
        const made = select(matched);
        calls.checkEmitted(made);
        return made;
      }),
  };
}

type Method = (...given: readonly unknown[]) => unknown;

/** Which argument is the record, and which the collector. */
const METHODS: Readonly<Record<string, { readonly record?: number; readonly out?: number }>> = {
  open: {},
  initializeState: {},
  snapshotState: {},
  processElement: { record: 0, out: 2 },
  processElement1: { record: 0, out: 2 },
  processElement2: { record: 0, out: 2 },
  processBroadcastElement: { record: 0, out: 2 },
  onTimer: { out: 2 },
  finish: { out: 1 },
};

/** Only the methods that a function has: one with `finish` has every key visited at the end, one with `onTimer` has timers. */
function watchedFunction<Spec extends FunctionOperatorSpec>(spec: Spec, calls: WatchedCalls): Spec {
  const { states, operatorStates = [] } = spec.function;
  const create = (): object => {
    const made = calls.ofMoment('create', () => spec.function.create());
    const watched: Record<string, Method> = {};
    for (const [name, places] of Object.entries(METHODS)) {
      const method: unknown = Reflect.get(made, name);
      if (typeof method === 'function') watched[name] = watchedMethod({ name, made, method, ...places });
    }
    return watched;
  };
  const watchedMethod = ({ name, made, method, record, out }: MethodCall): Method => {
    const isKeyed = spec.kind !== 'plain-process';
    return (...given) => {
      const call = (frame: Parameters<WatchedCalls['collector']>[1]): unknown => {
        const handed = given.map((one, place) => {
          if (place === out) return calls.collector(one as Collector<unknown>, frame);
          if (place !== 0) return one;
          if (name === 'open' && isKeyed) return watchedRuntime(one as RuntimeContext, states, calls);
          if (name === 'initializeState')
            return watchedInitialization(one as FunctionInitializationContext, operatorStates, calls);
          return one;
        });
        return Reflect.apply(method, made, handed);
      };
      return record === undefined ? calls.ofMoment(name, call) : calls.ofRecord(name, given[record], call);
    };
  };
  return {
    ...spec,
    function: {
      ...spec.function,
      states: states.map((state) => watchedDescriptor(state, calls)),
      ...(spec.function.operatorStates === undefined
        ? {}
        : { operatorStates: operatorStates.map((state) => watchedOperatorState(state, calls)) }),
      create,
    },
  };
}

interface MethodCall {
  readonly name: string;
  readonly made: object;
  // biome-ignore lint/complexity/noBannedTypes: it is called with what the engine hands over, whatever it is.
  readonly method: Function;
  readonly record?: number;
  readonly out?: number;
}

function watchedDescriptor(state: StateDescriptor, calls: WatchedCalls): StateDescriptor {
  if (state.kind === 'map') return { ...state, valueType: calls.watchedType(state.valueType, state.name) };
  return { ...state, type: calls.watchedType(state.type, state.name) };
}

function watchedOperatorState(state: OperatorStateDescriptor, calls: WatchedCalls): OperatorStateDescriptor {
  if (state.kind === 'broadcast') return { ...state, valueType: calls.watchedType(state.valueType, state.name) };
  return { ...state, type: calls.watchedType(state.type, state.name) };
}
