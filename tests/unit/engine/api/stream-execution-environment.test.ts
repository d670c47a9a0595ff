import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type DataStream,
  type FunctionSpec,
  InvalidJob,
  type JobGraph,
  type KeyedCoProcessFunction,
  type KeyedProcessFunction,
  listState,
  type StateDescriptor,
  StreamExecutionEnvironment,
  Types,
  type TypeSerializer,
  type ValueState,
  valueState,
} from '../../../../engine/index.ts';
import { withTimeToLive } from '../../../../engine/state/time-to-live.ts';
import { operatorListState } from '../../../../engine/state/operator-state-descriptor.ts';

interface Order {
  readonly customer: string;
  readonly amount: number;
}
interface Total {
  readonly customer: string;
  readonly total: number;
}

const totals: FunctionSpec<KeyedProcessFunction<Order, Total>> = {
  states: [valueState('total', Types.int)],
  create() {
    let total: ValueState<number>;
    return {
      open(runtime) {
        total = runtime.value<number>('total');
      },
      processElement(order, _context, out) {
        total.update((total.value() ?? 0) + order.amount);
        out.collect({ customer: order.customer, total: total.value() ?? 0 });
      },
    };
  },
};
const forget: FunctionSpec<KeyedCoProcessFunction<Order, { id: string }, string>> = {
  states: [],
  create: () => ({ processElement1() {}, processElement2() {} }),
};

function environment(parallelism = 4): StreamExecutionEnvironment {
  return new StreamExecutionEnvironment({ jobId: 'test', name: 'Test', parallelism });
}
function orders(env: StreamExecutionEnvironment, topic = 'orders'): DataStream<Order> {
  return env.fromLog<Order>({ topic, partitions: [0, 1], uid: `source-${topic}` });
}
const shape = (graph: JobGraph): string[] => [
  ...graph.vertices.map((vertex) => `${vertex.index} ${vertex.name} x${vertex.parallelism}`),
  ...graph.edges.map((edge) => `${edge.from}>${edge.to} ${edge.partitioning} ${edge.input}`),
];
const SINK = { guarantee: 'exactly-once' } as const;

describe('job graph', () => {
  it('chains forward operators and breaks at a key', () => {
    const env = environment();
    orders(env)
      .filter((order) => order.amount > 0)
      .keyBy((order) => order.customer)
      .process(totals)
      .map((total) => total.total)
      .sinkTo(SINK);
    expect(shape(env.jobGraph())).toEqual([
      '0 Source: orders -> Filter x4',
      '1 KeyedProcess -> Map -> Sink x4',
      '0>1 hash 0',
    ]);
  });

  it('F1: cuts a chain where its author says: forward edges over channels', () => {
    const env = environment(2);
    orders(env)
      .map((order) => order.amount)
      .startNewChain()
      .map((amount) => amount + 1)
      .sinkTo(SINK)
      .disableChaining();
    expect(shape(env.jobGraph())).toEqual([
      '0 Source: orders x2',
      '1 Map -> Map x2',
      '2 Sink x2',
      '0>1 forward 0',
      '1>2 forward 0',
    ]);
    const alone = environment(2);
    orders(alone)
      .map((order) => order.amount)
      .disableChaining()
      .sinkTo(SINK)
      .setParallelism(1);
    expect(shape(alone.jobGraph())).toEqual([
      '0 Source: orders x2',
      '1 Map x2',
      '2 Sink x1',
      '0>1 forward 0',
      '1>2 rebalance 0',
    ]);
  });

  it('keeps a union apart from both its sources', () => {
    const env = environment();
    orders(env, 'a')
      .union(orders(env, 'b'))
      .map((order) => order.amount)
      .sinkTo(SINK);
    expect(shape(env.jobGraph())).toEqual([
      '0 Source: a x4',
      '1 Source: b x4',
      '2 Map -> Sink x4',
      '0>2 forward 0',
      '1>2 forward 0',
    ]);
  });

  it('connects two keyed streams on two inputs', () => {
    const env = environment();
    const first = orders(env);
    const customers = env.fromLog<{ id: string }>({ topic: 'customers', partitions: [2], uid: 'customers' });
    first
      .connect(customers)
      .keyBy(
        (order) => order.customer,
        (customer) => customer.id,
      )
      .process(forget)
      .sinkTo(SINK);
    const graph = env.jobGraph();
    expect(shape(graph)).toEqual([
      '0 Source: orders x4',
      '1 Source: customers x4',
      '2 KeyedCoProcess -> Sink x4',
      '0>2 hash 0',
      '1>2 hash 1',
    ]);
    expect(graph.edges.map((edge) => edge.key?.({ customer: 'c', id: 'i' }))).toEqual(['c', 'i']);
  });

  it('breaks at rebalance, broadcast and a change of parallelism', () => {
    const env = environment(2);
    orders(env)
      .rebalance()
      .map((order) => order)
      .broadcast()
      .map((order) => order)
      .setParallelism(3)
      .sinkTo(SINK);
    expect(shape(env.jobGraph())).toEqual([
      '0 Source: orders x2',
      '1 Map x2',
      '2 Map x3',
      '3 Sink x2',
      '0>1 rebalance 0',
      '1>2 broadcast 0',
      '2>3 rebalance 0',
    ]);
  });

  it('breaks at rescale, global and a custom partitioner, which keeps its question and its answer', () => {
    const env = environment(2);
    orders(env)
      .rescale()
      .map((order) => order)
      .global()
      .map((order) => order)
      .partitionCustom(
        (customer: string, subtasks) => customer.length % subtasks,
        (order) => order.customer,
      )
      .map((order) => order)
      .sinkTo(SINK);
    const graph = env.jobGraph();
    expect(graph.edges.map(({ partitioning }) => partitioning)).toEqual(['rescale', 'global', 'custom']);
    const custom = graph.edges[2];
    expect(custom?.partitioner?.(custom.key?.({ customer: 'abc', id: 'i' }) ?? '', 2)).toBe(1);
  });

  it('ends a chain at an operator with two consumers', () => {
    const env = environment();
    const amounts = orders(env).map((order) => order.amount);
    amounts.filter((amount) => amount > 0).sinkTo(SINK);
    amounts.filter((amount) => amount < 0).sinkTo(SINK);
    expect(shape(env.jobGraph())).toEqual([
      '0 Source: orders -> Map x4',
      '1 Filter -> Sink x4',
      '2 Filter -> Sink x4',
      '0>1 forward 0',
      '0>2 forward 0',
    ]);
  });

  it('gives every operator a uid, the same each time', () => {
    const uids = (): (string | undefined)[] => {
      const env = environment();
      const stream = orders(env)
        .map((order) => order.amount)
        .map((amount) => amount);
      stream.uid('map-1').sinkTo(SINK);
      return env
        .jobGraph()
        .vertices.flatMap((vertex) => [vertex.source?.uid, ...vertex.operators.map((operator) => operator.uid)]);
    };
    expect(uids()).toEqual(['source-orders', 'map-2', 'map-1', 'sink-1']);
    expect(uids()).toEqual(uids());
  });

  it("takes Flink's maximum parallelism unless told otherwise", () => {
    const env = environment(4);
    orders(env).sinkTo(SINK);
    expect(env.jobGraph().vertices[0]?.maxParallelism).toBe(128);
    const small = new StreamExecutionEnvironment({ jobId: 'small', name: 'Small', parallelism: 2, maxParallelism: 8 });
    orders(small).sinkTo(SINK);
    expect(small.jobGraph().vertices[0]?.maxParallelism).toBe(8);
  });
});

function withStates(...states: readonly StateDescriptor[]): JobGraph {
  const env = environment();
  const spec = { states, create: () => ({ processElement: () => undefined }) };
  orders(env)
    .keyBy((order) => order.customer)
    .process(spec)
    .sinkTo(SINK);
  return env.jobGraph();
}

/** A number within as many lists. */
const nestedLists = (depth: number): TypeSerializer<unknown> =>
  depth === 0 ? Types.int : (Types.list(nestedLists(depth - 1)) as TypeSerializer<unknown>);

describe('invalid job', () => {
  const cases: readonly (readonly [string, RegExp, () => unknown])[] = [
    ['without operators', /job is empty/, () => environment().jobGraph()],
    [
      'without a sink',
      /no sink/,
      () => {
        const env = environment();
        orders(env).map((order) => order);
        return env.jobGraph();
      },
    ],
    [
      'with a stream nobody reads',
      /Nobody reads 'Map'/,
      () => {
        const env = environment();
        const stream = orders(env);
        stream.map((order) => order);
        stream.sinkTo(SINK);
        return env.jobGraph();
      },
    ],
    [
      'with a uid twice',
      /uid 'x' is used twice, by 'Map' and by 'Filter'/,
      () =>
        orders(environment())
          .map((order) => order)
          .uid('x')
          .filter(() => true)
          .uid('x'),
    ],
    [
      'with a uid on a union',
      /uid\(\) names an operator/,
      () => {
        const env = environment();
        return orders(env, 'a').union(orders(env, 'b')).uid('u');
      },
    ],
    [
      'joined of two environments',
      /two environments/,
      () => orders(environment(), 'a').union(orders(environment(), 'b')),
    ],
    [
      'with too few key groups',
      /not enough key groups/,
      () => new StreamExecutionEnvironment({ jobId: 'j', name: 'J', parallelism: 4, maxParallelism: 2 }),
    ],
    [
      'with an id that is no path',
      /job id 'a\/b'/,
      () => new StreamExecutionEnvironment({ jobId: 'a/b', name: 'J', parallelism: 1 }),
    ],
    [
      'with operators before a commit that is beside its writer',
      /need a committer behind its writer/,
      () => orders(environment()).sinkTo({ ...SINK, preCommit: (written) => written }),
    ],
    [
      'with a sink behind a committer',
      /'Sink' cannot be part of a sink/,
      () =>
        orders(environment()).sinkTo({
          guarantee: 'exactly-once',
          kafka: { partitions: 1, naming: 'incrementing', transactionTimeoutUs: 1_000_000, committer: 'separate' },
          postCommit: (committed) => void committed.sinkTo(SINK),
        }),
    ],
    [
      'with a function that declares two states of one name',
      /declares two states of the name 'total'/,
      () => withStates(valueState('total', Types.int), listState('total', Types.int)),
    ],
    [
      'with a function whose state has the name of timers',
      /'_timer_state\/event_user-timers': timers lie under such names/,
      () => withStates(valueState('_timer_state/event_user-timers', Types.int)),
    ],
    [
      'with a function whose state cannot be described in a file',
      /'deep' of 'KeyedProcess' has a type nested 65 deep; 64 is the most/,
      () => withStates(listState('deep', nestedLists(64))),
    ],
    [
      'with a function whose state is too deep with its time of last access',
      /'deep' of 'KeyedProcess' has a type nested 65 deep; 64 is the most/,
      () => withStates(withTimeToLive(valueState('deep', nestedLists(64)), { ttlMs: 1 })),
    ],
    [
      'with a function whose lists share a name',
      /declares two states of the name 'offsets'/,
      () => {
        const env = environment();
        orders(env)
          .process({
            states: [],
            operatorStates: [operatorListState('offsets', Types.int), operatorListState('offsets', Types.string)],
            create: () => ({ processElement: () => undefined }),
          })
          .sinkTo(SINK);
        return env.jobGraph();
      },
    ],
    ['with a parallelism of nothing', /integer from 1/, () => environment(0)],
    [
      'with a source without partitions',
      /no partition/,
      () => environment().fromLog({ topic: 't', partitions: [], uid: 't' }),
    ],
  ];
  it('has a state whose type is nested as deep as one may be', () => {
    expect(() => withStates(valueState('deep', nestedLists(64)), listState('list', nestedLists(63)))).not.toThrow();
  });

  it.each(cases)('%s: is refused with a sentence', (_, message, build) => {
    expect(build).toThrow(InvalidJob);
    expect(build).toThrow(message);
  });
});

describe('environment', () => {
  it('keeps what the job says about checkpointing', () => {
    const env = environment()
      .enableCheckpointing(2_000, 'at-least-once')
      .setCheckpointDir('elsewhere')
      .enableCheckpointingTimelineLogging();
    expect(env.checkpointing).toEqual({
      intervalUs: 2_000_000,
      mode: 'at-least-once',
      directory: 'elsewhere',
      timelineLogging: true,
    });
  });

  it('types flow from operator to operator', () => {
    const env = environment();
    const stream = orders(env)
      .keyBy((order) => order.amount, Types.int)
      .process(totals);
    expectTypeOf(stream).toEqualTypeOf<DataStream<Total>>();
    expectTypeOf(stream.map((total) => total.total)).toEqualTypeOf<DataStream<number>>();
    // @ts-expect-error A number is no string key: it needs its type.
    orders(env, 'more').keyBy((order) => order.amount);
  });
});

describe('a hybrid source (B24)', () => {
  const files = { directory: 'input', parts: 1, partBytes: 100, blockBytes: 100 };
  const history = { topic: 'history', partitions: [0, 1], bounded: true, files };
  const log = { topic: 'log', partitions: [2, 3, 4] };
  const env = (): StreamExecutionEnvironment =>
    new StreamExecutionEnvironment({ jobId: 'job', name: 'Job', parallelism: 2 });

  it('is a chain with the partitions of all, and ends if the last one does', () => {
    const made = env();
    const options = { topic: 'both', uid: 'source' };
    made.fromHybridSource(options, [history, log]).sinkTo({ guarantee: 'at-least-once' }).uid('sink');
    const { source } = made.jobGraph().vertices[0] ?? {};
    expect(source).toMatchObject({ kind: 'split-log', topic: 'both', uid: 'source', partitions: [0, 1, 2, 3, 4] });
    expect(source?.chain?.map(({ topic }) => topic)).toEqual(['history', 'log']);
    expect(source?.bounded).toBeUndefined();
  });

  it('reads at least two, and nothing behind one that never ends', () => {
    const options = { topic: 'both', uid: 'source' };
    expect(() => env().fromHybridSource(options, [history])).toThrow(/less than two/);
    expect(() => env().fromHybridSource(options, [log, history])).toThrow(/'log' never ends/);
  });
});
