/**
 * User functions that throw, or do not return for a while: what the faults `throw` and `hang` do.
 *
 * Owns: the faults armed per node, and the wrapping of a job's user functions that lets them strike. The engine sees an ordinary job whose
 * functions behave so; it knows nothing of this. Only jobs of plans with such faults are wrapped.
 *
 * I1: an armed fault strikes the next call of its kind of a user function on its node, of its vertex if it names one, once; `afterCalls` such
 *     calls pass before. Of several armed faults that wait for the call the first strikes, and the others count it.
 * I2: of calls for records those of the first user function of a vertex count: one per record that enters it; of the others those of every
 *     function that has them. What a function does not have is not called.
 * I3: nobody tells a function that a checkpoint is complete: there is no such call in this API, so none that could throw.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import { SuppressRestarts } from '../../engine/job/functions.ts';
import type { FunctionOperatorSpec, JobGraph, JobVertex, OperatorSpec } from '../../engine/job/job-graph.ts';
import type { Fault, UserCall } from './fault.ts';

export type UserCodeFault = Extract<Fault, { kind: 'throw' | 'hang' }>;

/** What an injected error says; functions of real jobs throw what they like. */
const MESSAGE = 'injected by the fault plan';

/** Told of each call of a user function before it is made. */
type Before = (call: UserCall) => void;

interface ArmedFault {
  readonly fault: UserCodeFault;
  callsLeft: number;
}

export class UserCodeFaults {
  readonly #onEffective: (faultId: string) => void;
  readonly #armed = new Map<NodeId, ArmedFault[]>();
  #hangUs = 0;

  constructor(onEffective: (faultId: string) => void) {
    this.#onEffective = onEffective;
  }

  apply(fault: UserCodeFault): void {
    const armed = { fault, callsLeft: fault.kind === 'throw' ? (fault.afterCalls ?? 0) : 0 };
    const others = this.#armed.get(fault.node);
    if (others === undefined) this.#armed.set(fault.node, [armed]);
    else others.push(armed);
  }

  lift(fault: UserCodeFault): void {
    const armed = this.#armed.get(fault.node) ?? [];
    this.#armed.set(
      fault.node,
      armed.filter((other) => other.fault.id !== fault.id),
    );
  }

  /** The same job, on this node. */
  wrapped(graph: JobGraph, node: NodeId): JobGraph {
    return { ...graph, vertices: graph.vertices.map((vertex) => this.#wrappedVertex(vertex, node)) };
  }

  /** How long user code kept its thread beyond what it worked, since this was last asked. */
  takeHangUs(): number {
    const hangUs = this.#hangUs;
    this.#hangUs = 0;
    return hangUs;
  }

  #wrappedVertex(vertex: JobVertex, node: NodeId): JobVertex {
    const first = vertex.operators.findIndex(({ kind }) => kind !== 'sink');
    const operators = vertex.operators.map((spec, index) => {
      const before: Before = (call) => {
        if (index === first || call !== 'element') this.#beforeCall(node, vertex.index, call);
      };
      return index === first || 'function' in spec || spec.kind === 'window' ? wrappedOperator(spec, before) : spec;
    });
    return { ...vertex, operators };
  }

  #beforeCall(node: NodeId, vertex: number, call: UserCall): void {
    const armed = this.#armed.get(node);
    if (armed === undefined || armed.length === 0) return;
    const fault = dueAt(armed, vertex, call);
    if (fault === undefined) return;
    this.#onEffective(fault.id);
    if (fault.kind === 'hang') this.#hangUs += fault.hangUs;
    else if (fault.recoverable) throw new Error(MESSAGE);
    else throw new SuppressRestarts(MESSAGE);
  }
}

/** Counts the call, and takes out the fault whose turn it is. */
function dueAt(armed: ArmedFault[], vertex: number, call: UserCall): UserCodeFault | undefined {
  let due = -1;
  for (const [index, one] of armed.entries()) {
    if ((one.fault.call ?? 'element') !== call) continue;
    if (one.fault.vertex !== undefined && one.fault.vertex !== vertex) continue;
    if (one.callsLeft > 0) one.callsLeft -= 1;
    else if (due < 0) due = index;
  }
  return due < 0 ? undefined : armed.splice(due, 1)[0]?.fault;
}

function wrappedOperator(spec: OperatorSpec, before: Before): OperatorSpec {
  switch (spec.kind) {
    case 'map':
      return { ...spec, map: calledBehind(spec.map, () => before('element')) };
    case 'filter':
      return { ...spec, filter: calledBehind(spec.filter, () => before('element')) };
    case 'flat-map':
      return { ...spec, flatMap: calledBehind(spec.flatMap, () => before('element')) };
    case 'watermarks': {
      const { timestampOf } = spec.watermarks;
      const stamp = (value: unknown, logTimestampMs: number): number => {
        before('element');
        return timestampOf?.(value, logTimestampMs) ?? logTimestampMs;
      };
      return { ...spec, watermarks: { ...spec.watermarks, timestampOf: stamp } };
    }
    case 'window': {
      const { aggregate, evaluate } = spec.window;
      const wrapped: typeof aggregate = {
        createAccumulator: () => aggregate.createAccumulator(),
        add: (accumulator, value) => {
          before('element');
          return aggregate.add(accumulator, value);
        },
        getResult: (accumulator) => aggregate.getResult(accumulator),
        merge: (a, b) => aggregate.merge(a, b),
      };
      const fired = calledBehind(evaluate, () => before('timer'));
      return { ...spec, window: { ...spec.window, aggregate: wrapped, evaluate: fired } };
    }
    case 'pattern': {
      const [first, ...others] = spec.pattern.stages;
      if (first === undefined) return spec;
      const condition = calledBehind(first.condition, () => before('element'));
      return { ...spec, pattern: { ...spec.pattern, stages: [{ ...first, condition }, ...others] } };
    }
    case 'process':
    case 'co-process':
    case 'plain-process':
    case 'broadcast-process':
      return wrappedFunction(spec, before);
    case 'sink':
    case 'committer':
      return spec;
    default:
      throw new RangeError(`unknown operator ${String(spec satisfies never)}`);
  }
}

function wrappedFunction(spec: FunctionOperatorSpec, before: Before): OperatorSpec {
  switch (spec.kind) {
    case 'process':
      return { ...spec, function: { ...spec.function, create: () => wrappedCalls(spec.function.create(), before) } };
    case 'co-process':
      return { ...spec, function: { ...spec.function, create: () => wrappedCalls(spec.function.create(), before) } };
    case 'plain-process':
      return { ...spec, function: { ...spec.function, create: () => wrappedCalls(spec.function.create(), before) } };
    case 'broadcast-process':
      return { ...spec, function: { ...spec.function, create: () => wrappedCalls(spec.function.create(), before) } };
    default:
      throw new RangeError(`unknown operator ${String(spec satisfies never)}`);
  }
}

/** The calls that a function may have, by the kind that a fault names. */
const CALLS = {
  processElement: 'element',
  processElement1: 'element',
  processElement2: 'element',
  processBroadcastElement: 'element',
  onTimer: 'timer',
  initializeState: 'initialize',
  open: 'open',
  snapshotState: 'snapshot',
  finish: 'finish',
} as const satisfies Readonly<Record<string, UserCall>>;

/** Only what is there: a function with `finish` has every key visited at the end, one with `onTimer` has timers. */
function wrappedCalls<F extends object>(made: F, before: Before): F {
  const calls = Object.entries(CALLS).flatMap(([name, call]) => {
    const own: unknown = Reflect.get(made, name);
    if (typeof own !== 'function') return [];
    const wrapped = (...values: readonly unknown[]): unknown => {
      before(call);
      return Reflect.apply(own, made, values);
    };
    return [[name, wrapped] as const];
  });
  return { ...made, ...Object.fromEntries(calls) };
}

function calledBehind<Values extends readonly unknown[], Result>(
  call: (...values: Values) => Result,
  before: () => void,
): (...values: Values) => Result {
  return (...values) => {
    before();
    return call(...values);
  };
}
