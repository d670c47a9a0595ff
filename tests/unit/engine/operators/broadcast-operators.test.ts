/** Functions with state that belongs to no key: broadcast state on both sides, checkpointing hooks (rows S5 to S7, S10, S23). */
import { describe, expect, it } from 'vitest';
import { StreamExecutionEnvironment } from '../../../../engine/api/stream-execution-environment.ts';
import { InvariantViolation } from '../../../../engine/foundation/assert.ts';
import type {
  BroadcastContext,
  BroadcastProcessFunction,
  RuntimeContext,
  StateKey,
} from '../../../../engine/job/functions.ts';
import type { OperatorSpec } from '../../../../engine/job/job-graph.ts';
import { BroadcastProcessOperator, ProcessOperator } from '../../../../engine/operators/broadcast-operators.ts';
import { FunctionState } from '../../../../engine/operators/function-state.ts';
import { UserCode } from '../../../../engine/operators/user-code.ts';
import { WorkMeter } from '../../../../engine/operators/work-meter.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import type { MapState } from '../../../../engine/state/keyed-state.ts';
import { OperatorStateStore } from '../../../../engine/state/operator-state.ts';
import {
  broadcastState,
  type OperatorListState,
  type OperatorStateDescriptor,
  operatorListState,
} from '../../../../engine/state/operator-state-descriptor.ts';
import { mapState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';

const RULES = broadcastState('rules', Types.string, Types.int);
const SEEN = mapState('seen', Types.string, Types.int);

function place(descriptors: readonly OperatorStateDescriptor[], store = new OperatorStateStore(), isRestored = false) {
  const userCode = new UserCode();
  const functionState = new FunctionState({ store, descriptors, isRestored, subtask: 1, parallelism: 3, userCode });
  const emitted: unknown[] = [];
  const next = { process: (value: unknown) => void emitted.push(value) };
  return { functionState, emitted, store, subtask: 1, parallelism: 3, next, userCode, work: new WorkMeter() };
}

/** A keyed operator whose function is `made`, with a backend for all keys. */
function keyedOperator(
  made: BroadcastProcessFunction<string, string, string>,
  store?: OperatorStateStore,
  registration: 'before-open' | 'when-asked' = 'before-open',
) {
  const at = place([RULES], store);
  const backend = new HashMapStateBackend({
    keySerializer: Types.string as never,
    keyGroups: { start: 0, end: 127 },
    maxParallelism: 128,
  });
  const spec: Extract<OperatorSpec, { kind: 'broadcast-process' }> = {
    kind: 'broadcast-process',
    uid: 'op',
    name: 'Op',
    keyed: { key: (value) => String(value), keySerializer: Types.string as never },
    broadcastStates: [RULES],
    function: {
      states: [SEEN],
      registration,
      create: () => made as BroadcastProcessFunction<unknown, unknown, unknown>,
    },
  };
  return { ...at, backend, operator: new BroadcastProcessOperator(spec, { ...at, backend }) };
}

function ruleFunction(): BroadcastProcessFunction<string, string, string> & { visited: StateKey[] } {
  let seen: MapState<string, number>;
  const visited: StateKey[] = [];
  return {
    visited,
    open: (runtime) => {
      seen = runtime.map('seen');
    },
    processElement: (value, context, out) => {
      seen.put('self', 1);
      out.collect(`${value}:${String(context.broadcastState<string, number>('rules').get('r') ?? 0)}`);
    },
    processBroadcastElement: (rule, context) => {
      const rules = context.broadcastState<string, number>('rules');
      rules.put(rule, (rules.get(rule) ?? 0) + 1);
      context.applyToKeyedState((key) => {
        visited.push(key);
        seen.put(rule, rules.get(rule) ?? 0);
      });
    },
  };
}

describe('broadcast process function', () => {
  it('the keyed side sees what was broadcast before, and every known key is visited in order', () => {
    const made = ruleFunction();
    const { operator, emitted, backend, work } = keyedOperator(made);
    const [elements, rules] = operator.inputs;
    elements.process('b', 1, 1);
    elements.process('a', 2, 2);
    rules.process('r', 3, 3);
    elements.process('a', 4, 4);
    expect(emitted).toEqual(['b:0', 'a:0', 'a:1']);
    expect(made.visited).toEqual(['a', 'b']);
    expect(work.takeKeys()).toBe(2);
    backend.setCurrentKey('b');
    expect(backend.getState(SEEN).entries()).toEqual([
      ['r', 1],
      ['self', 1],
    ]);
  });

  it('keys are visited whose state was restored and not asked for yet', () => {
    const before = keyedOperator(ruleFunction());
    before.operator.inputs[0].process('a', 1, 1);
    let runtime: RuntimeContext | undefined;
    const found: unknown[] = [];
    const made: BroadcastProcessFunction<string, string, string> = {
      open: (opened) => {
        runtime = opened;
      },
      processElement: () => {},
      processBroadcastElement: (_rule, context) =>
        context.applyToKeyedState((key) => found.push([key, runtime?.map('seen').entries()])),
    };
    const at = keyedOperator(made, undefined, 'when-asked');
    expect(at.backend.registered).toEqual([]);
    at.backend.restore(before.backend.snapshot().write());
    at.operator.inputs[1].process('r', 1, 1);
    expect(found).toEqual([['a', [['self', 1]]]]);
  });

  it('the keyed side cannot change broadcast state, whatever it takes it for', () => {
    const made: BroadcastProcessFunction<string, string, string> = {
      processElement: (_value, context) => {
        const state = (context as unknown as BroadcastContext).broadcastState<string, number>('rules');
        expect('put' in state).toBe(false);
      },
      processBroadcastElement: () => {},
    };
    keyedOperator(made).operator.inputs[0].process('a', 1, 1);
  });

  it('S7, S23: a snapshot holds its moment, and the next subtask begins with all of it', () => {
    const { operator, functionState } = keyedOperator(ruleFunction());
    operator.inputs[1].process('r', 1, 1);
    functionState.prepareSnapshot();
    const snapshot = functionState.store.snapshot();
    operator.inputs[1].process('r', 2, 2);
    const store = new OperatorStateStore();
    store.restore(snapshot.write());
    const again = keyedOperator(ruleFunction(), store);
    again.operator.inputs[0].process('a', 3, 3);
    expect(again.emitted).toEqual(['a:1']);
    expect(() => store.restore(snapshot.write())).toThrow(InvariantViolation);
  });
});

describe('checkpointed function', () => {
  const LIST = operatorListState('list', Types.string);
  const buffering = () => {
    let state: OperatorListState<string>;
    const buffer: string[] = [];
    const contexts: unknown[] = [];
    return {
      contexts,
      initializeState: (context: { isRestored: boolean; operatorList<T>(name: string): OperatorListState<T> }) => {
        contexts.push(context.isRestored);
        state = context.operatorList<string>('list');
        buffer.push(...state.get());
      },
      snapshotState: () => state.update(buffer),
      processElement: (value: unknown) => {
        buffer.push(String(value));
      },
    };
  };
  const operatorOf = (made: ReturnType<typeof buffering>, at: ReturnType<typeof place>): ProcessOperator => {
    const spec = {
      kind: 'plain-process',
      uid: 'op',
      name: 'Op',
      function: { states: [], create: () => made },
    } as const;
    return new ProcessOperator(spec, at);
  };

  it('S5: is asked for its state before each snapshot and given it before it begins', () => {
    const at = place([LIST]);
    const operator = operatorOf(buffering(), at);
    operator.process('a', 1, 1);
    operator.process('b', 2, 2);
    at.functionState.prepareSnapshot();
    const bytes = at.store.snapshot().write();
    const store = new OperatorStateStore();
    store.restore(bytes);
    const made = buffering();
    const again = place([LIST], store, true);
    operatorOf(made, again).process('c', 3, 3);
    again.functionState.prepareSnapshot();
    expect(made.contexts).toEqual([true]);
    expect(store.getListState('list', Types.string).get()).toEqual(['a', 'b', 'c']);
  });
});

describe('the API of broadcast streams', () => {
  it('a stream without a key has no keyed state', () => {
    const env = new StreamExecutionEnvironment({ jobId: 'j', name: 'J', parallelism: 2 });
    const stream = env.fromLog<string>({ topic: 't', partitions: [0], uid: 't' });
    const spec = { states: [SEEN], create: () => ({ processElement: () => {}, processBroadcastElement: () => {} }) };
    expect(() => stream.process(spec)).toThrow(/keyBy/);
    expect(() => stream.connect(stream.broadcast(RULES)).process(spec)).toThrow(/keyBy/);
  });

  it('B11: the broadcast input and the keyed one reach one operator, over a broadcast and a hash edge', () => {
    const env = new StreamExecutionEnvironment({ jobId: 'j', name: 'J', parallelism: 2 });
    const stream = env.fromLog<string>({ topic: 't', partitions: [0], uid: 't' });
    stream
      .keyBy((value) => value)
      .connect(stream.broadcast(RULES))
      .process({ states: [SEEN], create: ruleFunction })
      .sinkTo({ guarantee: 'exactly-once' });
    const edges = env.jobGraph().edges.map(({ input, partitioning }) => [input, partitioning]);
    expect(edges).toEqual([
      [0, 'hash'],
      [1, 'broadcast'],
    ]);
  });
});
