/**
 * User functions that throw, or do not return for a while: what the faults `throw` and `hang` do.
 *
 * Owns: the faults armed per node, and the wrapping of a job's user functions that lets them strike. The engine sees an ordinary job whose
 * functions behave so; it knows nothing of this. Only jobs of plans with such faults are wrapped.
 *
 * I1: an armed fault strikes the next call of a user function on its node, of its vertex if it names one, once; `afterCalls` such calls
 *     pass before. Of several armed faults that wait for the call the first strikes, and the others count it.
 * I2: only the first user function of a vertex is wrapped: one call per record that enters it.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import { type CheckpointedFunction, type KeyedProcessFunction, SuppressRestarts } from '../../engine/job/functions.ts';
import type { FunctionOperatorSpec, JobGraph, JobVertex, OperatorSpec } from '../../engine/job/job-graph.ts';
import type { Fault } from './fault.ts';

export type UserCodeFault = Extract<Fault, { kind: 'throw' | 'hang' }>;

/** What an injected error says; functions of real jobs throw what they like. */
const MESSAGE = 'injected by the fault plan';

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
    const at = vertex.operators.findIndex(({ kind }) => kind !== 'sink');
    const before = (): void => this.#beforeCall(node, vertex.index);
    const operators = vertex.operators.map((spec, index) => (index === at ? wrappedOperator(spec, before) : spec));
    return { ...vertex, operators };
  }

  #beforeCall(node: NodeId, vertex: number): void {
    const armed = this.#armed.get(node);
    if (armed === undefined || armed.length === 0) return;
    const fault = dueAt(armed, vertex);
    if (fault === undefined) return;
    this.#onEffective(fault.id);
    if (fault.kind === 'hang') this.#hangUs += fault.hangUs;
    else if (fault.recoverable) throw new Error(MESSAGE);
    else throw new SuppressRestarts(MESSAGE);
  }
}

/** Counts the call, and takes out the fault whose turn it is. */
function dueAt(armed: ArmedFault[], vertex: number): UserCodeFault | undefined {
  let due = -1;
  for (const [index, one] of armed.entries()) {
    if (one.fault.vertex !== undefined && one.fault.vertex !== vertex) continue;
    if (one.callsLeft > 0) one.callsLeft -= 1;
    else if (due < 0) due = index;
  }
  return due < 0 ? undefined : armed.splice(due, 1)[0]?.fault;
}

function wrappedOperator(spec: OperatorSpec, before: () => void): OperatorSpec {
  switch (spec.kind) {
    case 'map': {
      const { map } = spec;
      return {
        ...spec,
        map: (value) => {
          before();
          return map(value);
        },
      };
    }
    case 'filter': {
      const { filter } = spec;
      return {
        ...spec,
        filter: (value) => {
          before();
          return filter(value);
        },
      };
    }
    case 'flat-map': {
      const { flatMap } = spec;
      return {
        ...spec,
        flatMap: (value, out) => {
          before();
          flatMap(value, out);
        },
      };
    }
    case 'watermarks': {
      const { timestampOf } = spec.watermarks;
      const stamp = (value: unknown, logTimestampMs: number): number => {
        before();
        return timestampOf?.(value, logTimestampMs) ?? logTimestampMs;
      };
      return { ...spec, watermarks: { ...spec.watermarks, timestampOf: stamp } };
    }
    case 'window': {
      const { aggregate } = spec.window;
      const wrapped: typeof aggregate = {
        createAccumulator: () => aggregate.createAccumulator(),
        add: (accumulator, value) => {
          before();
          return aggregate.add(accumulator, value);
        },
        getResult: (accumulator) => aggregate.getResult(accumulator),
        merge: (a, b) => aggregate.merge(a, b),
      };
      return { ...spec, window: { ...spec.window, aggregate: wrapped } };
    }
    case 'pattern': {
      const [first, ...others] = spec.pattern.stages;
      if (first === undefined) return spec;
      const condition: typeof first.condition = (event, matched) => {
        before();
        return first.condition(event, matched);
      };
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

function wrappedFunction(spec: FunctionOperatorSpec, before: () => void): OperatorSpec {
  switch (spec.kind) {
    case 'process': {
      const create = (): ReturnType<typeof spec.function.create> => {
        const made = spec.function.create();
        return {
          ...hooksOf(made),
          ...lastWorkOf(made, made),
          open: (runtime) => made.open?.(runtime),
          processElement: (value, context, out) => {
            before();
            made.processElement(value, context, out);
          },
        };
      };
      return { ...spec, function: { ...spec.function, create } };
    }
    case 'co-process': {
      const create = (): ReturnType<typeof spec.function.create> => {
        const made = spec.function.create();
        return {
          ...hooksOf(made),
          ...lastWorkOf(made, made),
          open: (runtime) => made.open?.(runtime),
          processElement1: (value, context, out) => {
            before();
            made.processElement1(value, context, out);
          },
          processElement2: (value, context, out) => {
            before();
            made.processElement2(value, context, out);
          },
        };
      };
      return { ...spec, function: { ...spec.function, create } };
    }
    case 'plain-process': {
      const create = (): ReturnType<typeof spec.function.create> => {
        const made = spec.function.create();
        return {
          ...hooksOf(made),
          open: (runtime) => made.open?.(runtime),
          processElement: (value, context, out) => {
            before();
            made.processElement(value, context, out);
          },
        };
      };
      return { ...spec, function: { ...spec.function, create } };
    }
    case 'broadcast-process': {
      const create = (): ReturnType<typeof spec.function.create> => {
        const made = spec.function.create();
        return {
          ...hooksOf(made),
          open: (runtime) => made.open?.(runtime),
          processElement: (value, context, out) => {
            before();
            made.processElement(value, context, out);
          },
          processBroadcastElement: (value, context, out) => {
            before();
            made.processBroadcastElement(value, context, out);
          },
        };
      };
      return { ...spec, function: { ...spec.function, create } };
    }
    default:
      throw new RangeError(`unknown operator ${String(spec satisfies never)}`);
  }
}

/** What the engine calls beside elements, where the function has it. */
function hooksOf(made: CheckpointedFunction): CheckpointedFunction {
  return {
    initializeState: (context) => made.initializeState?.(context),
    snapshotState: () => made.snapshotState?.(),
  };
}

interface LastWork {
  onTimer?: NonNullable<KeyedProcessFunction<unknown, unknown>['onTimer']>;
  finish?: NonNullable<KeyedProcessFunction<unknown, unknown>['finish']>;
}

/** Only where it is there: a function with `finish` has every key visited at the end, one with `onTimer` has timers. */
function lastWorkOf({ onTimer, finish }: LastWork, made: object): LastWork {
  return {
    ...(onTimer === undefined ? {} : { onTimer: onTimer.bind(made) }),
    ...(finish === undefined ? {} : { finish: finish.bind(made) }),
  };
}
