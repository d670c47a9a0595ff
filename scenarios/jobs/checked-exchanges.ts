/**
 * The topologies of Flink's UnalignedCheckpoint*ITCase: records with a checksum travel over several exchanges to a slow verifier.
 *
 * Every record is stamped at its source with a checksum of its content. The last stage says of each whether it came through intact, and a
 * keyed stage counts it on its way, so that lost, doubled and changed records show in output and state. Where all exchanges keep a
 * key on one path, the order per key and partition is judged as well, as Flink's StrictOrderVerifyingSink does.
 *
 * Differences: Flink's ShiftingPartitioner and ChunkDistributingPartitioner route by numbers that only its test source knows; here a
 * custom partitioner shifts by key. Flink's verifier keeps the order itself; here a judge does. A shuffle at random is dealt out evenly.
 */
import type { DataStream } from '../../engine/api/data-stream.ts';
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { keyHashCode, mix32 } from '../../engine/foundation/stable-hash.ts';
import type {
  Collector,
  FunctionSpec,
  KeyedCoProcessFunction,
  KeyedProcessFunction,
  StateKey,
} from '../../engine/job/functions.ts';
import type { ValueState } from '../../engine/state/keyed-state.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import {
  type JobDefinition,
  type JobInput,
  type JobTopic,
  keyField,
  numberParameter,
  outputKey,
  textParameter,
} from './job-definition.ts';
import { readTopic, sinkOptions, sourceParallelism, unionOf } from './log-topics.ts';

/** A record under way. */
interface Stamped {
  readonly key: string;
  readonly value: number;
  /** Of key and value, made at the source. */
  readonly check: number;
}

/** The same, where some were sent to every subtask. */
type Controlled = Stamped & { readonly control?: boolean };

/** What comes out for each. */
interface Verified {
  readonly key: string;
  readonly value: number;
  /** Its checksum is still that of its content. */
  readonly intact: boolean;
}

interface Topology {
  readonly description: string;
  /** A key stays on one path, so that order per key and partition can be judged. */
  readonly keepsOrder: boolean;
  build(env: StreamExecutionEnvironment, input: JobInput): DataStream<Stamped>;
}

/** Fields of generated rows. */
const KEY = 'key';
const VALUE = 'value';
const COUNT = 'count';

const TOPOLOGIES: Readonly<Record<string, Topology>> = {
  pipeline: {
    description: 'forward and keyBy',
    keepsOrder: true,
    build: (env, input) =>
      counted(stamped(env, input, input.topics))
        .map((record) => record)
        .uid('failing-map')
        .name('Failing map')
        .disableChaining(),
  },
  'multi-input': {
    description: 'three topics, connected pair by pair',
    keepsOrder: true,
    build(env, input) {
      const [a, b, c] = input.topics;
      if (a === undefined || b === undefined || c === undefined || input.topics.length > 3)
        throw new InvalidJob('The topology multi-input reads three topics.');
      const [first, second, third] = [a, b, c].map((topic) => stamped(env, input, [topic]));
      if (first === undefined || second === undefined || third === undefined) throw new InvalidJob('Three streams.');
      const pair = first.connect(second).keyBy(keyOf, keyOf).process(countBoth()).uid('first-pair').name('First pair');
      return pair.connect(third).keyBy(keyOf, keyOf).process(countBoth()).uid('second-pair').name('Second pair');
    },
  },
  union: {
    description: 'all topics as one stream, keyed',
    keepsOrder: true,
    build: (env, input) => counted(stamped(env, input, input.topics)),
  },
  custom: {
    description: 'a custom partitioner on each exchange',
    keepsOrder: true,
    build: (env, input) =>
      counted(
        stamped(env, input, input.topics)
          .partitionCustom(shiftedBy(1), keyOf)
          .map((record) => record)
          .uid('failing-map')
          .name('Failing map')
          .partitionCustom(shiftedBy(2), keyOf)
          .map((record) => record)
          .uid('chunk-map')
          .name('Chunk map'),
      ),
  },
  broadcast: {
    description: 'the last topic goes to every subtask, the others are dealt out',
    keepsOrder: false,
    build(env, input) {
      const dealt = input.topics.slice(0, -1);
      const toAll = input.topics.slice(-1);
      if (dealt.length === 0) throw new InvalidJob('The topology broadcast reads two topics at least.');
      const control = stamped(env, input, toAll);
      const merged = stamped(env, input, dealt)
        .rebalance()
        .union(
          control
            .map((record): Controlled => ({ ...record, control: true }))
            .uid('control')
            .name('Control')
            .broadcast(),
        )
        .flatMap(withoutCopies(input.parameters['copies'] === true))
        .uid('broadcast-function')
        .name('Broadcast function');
      return counted(merged);
    },
  },
  mixed: {
    description: 'rescale, forward, keyBy, rebalance, rescale and global, one behind the other',
    keepsOrder: false,
    build(env, input) {
      const rescaled = stamped(env, input, input.topics)
        .rescale()
        .map((record) => record)
        .uid('rescaled')
        .name('Rescaled');
      const forwarded = rescaled
        .map((record) => record)
        .uid('forwarded')
        .name('Forwarded')
        .disableChaining();
      const dealt = counted(forwarded)
        .rebalance()
        .map((record) => record)
        .uid('dealt')
        .name('Dealt');
      return dealt
        .rescale()
        .map((record) => record)
        .uid('shared-out')
        .name('Shared out')
        .global();
    },
  },
};

const NAMES = Object.keys(TOPOLOGIES);

export const checkedExchanges: JobDefinition = {
  name: 'checked-exchanges',
  description: 'Records with a checksum travel over several exchanges to a slow verifier.',
  parameters: [
    {
      name: 'topology',
      description: `One of ${NAMES.map((name) => `${name} (${TOPOLOGIES[name]?.description ?? ''})`).join(', ')}.`,
      default: 'pipeline',
    },
    { name: 'work', description: 'Virtual CPU time of the verifier for each record, microseconds.', default: 0 },
    { name: 'maxParallelism', description: 'Key groups of every operator; 0: as many as Flink takes.', default: 0 },
    {
      name: 'copies',
      description: 'With the topology broadcast: whether each copy comes out. Then the job must not be rescaled.',
      default: false,
    },
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const topology = TOPOLOGIES[textParameter(parameters, 'topology')];
    if (topology === undefined) throw new InvalidJob(`checked-exchanges has the topologies ${NAMES.join(', ')}.`);
    const maxParallelism = numberParameter(parameters, 'maxParallelism');
    const env = new StreamExecutionEnvironment({
      jobId: 'checked-exchanges',
      name: 'Checked exchanges',
      parallelism,
      ...(maxParallelism === 0 ? {} : { maxParallelism }),
    });
    topology
      .build(env, input)
      .map(({ key, value, check }): Verified => ({ key, value, intact: check === checksumOf(key, value) }))
      .uid('verify')
      .name('Verify')
      .workPerRecord(numberParameter(parameters, 'work'))
      .sinkTo(sinkOptions(input))
      .uid('sink');
    const order = topology.keepsOrder ? { outputKey } : {};
    const audit = { stateIsOrderInsensitive: true, outputValues: 'multiset', sendsOnWhatCame: true, ...order } as const;
    return { graph: env.jobGraph(), audit };
  },
};

function withoutCopies(keepsThem: boolean): (record: Controlled, out: Collector<Stamped>) => void {
  return ({ key, value, check, control }, out) => {
    if (keepsThem || control !== true) out.collect({ key, value, check });
  };
}

const keyOf = ({ key }: Stamped): string => key;
const checksumOf = (key: string, value: number): number => mix32(keyHashCode(key), value);

/** The next subtask but so many (Flink: ShiftingPartitioner). */
const shiftedBy =
  (subtasks: number) =>
  (key: StateKey, consumers: number): number =>
    (Math.abs(keyHashCode(key) % consumers) + subtasks) % consumers;

/** All these topics as one stream, each stamped in the chain of its source: with an exchange between, no order would be left to keep. */
function stamped(env: StreamExecutionEnvironment, input: JobInput, topics: readonly JobTopic[]): DataStream<Stamped> {
  return unionOf<Stamped>(
    topics.map((topic) =>
      readTopic(env, input, topic)
        .map((row): Stamped => {
          const key = keyField(row, KEY);
          const value = Number(row[VALUE] ?? 0);
          return { key, value, check: checksumOf(key, value) };
        })
        .uid(`stamp-${topic.name}`)
        .name(`Stamp ${topic.name}`)
        .setParallelism(sourceParallelism(input, topic)),
    ),
  );
}

/** Keyed, and counted per key on the way. */
function counted(records: DataStream<Stamped>): DataStream<Stamped> {
  return records.keyBy(keyOf).process(countPerKey()).uid('count').name('Count');
}

function countPerKey(): FunctionSpec<KeyedProcessFunction<Stamped, Stamped>> {
  return {
    states: [valueState(COUNT, Types.int)],
    create() {
      let count: ValueState<number>;
      return {
        open(runtime) {
          count = runtime.value<number>(COUNT);
        },
        processElement(record, _context, out) {
          count.update((count.value() ?? 0) + 1);
          out.collect(record);
        },
      };
    },
  };
}

function countBoth(): FunctionSpec<KeyedCoProcessFunction<Stamped, Stamped, Stamped>> {
  return {
    states: [valueState(COUNT, Types.int)],
    create() {
      let count: ValueState<number>;
      const pass = (record: Stamped, out: Collector<Stamped>): void => {
        count.update((count.value() ?? 0) + 1);
        out.collect(record);
      };
      return {
        open(runtime) {
          count = runtime.value<number>(COUNT);
        },
        processElement1: (record, _context, out) => pass(record, out),
        processElement2: (record, _context, out) => pass(record, out),
      };
    },
  };
}
