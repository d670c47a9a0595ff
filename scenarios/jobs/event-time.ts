/**
 * Event time of the flights: when a flight left, or when it arrived as many minutes later as it was delayed, which puts the rows of a
 * partition out of order by days.
 *
 * Owns the parameters that jobs of event time have in common, and the sources they read.
 */
import { WatermarkStrategy } from '../../engine/api/watermark-strategy.ts';
import type { DataStream } from '../../engine/api/data-stream.ts';
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import type { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { WatermarkGenerator } from '../../engine/job/watermarks.ts';
import { type JobInput, type JobParameter, numberParameter, type Row, textParameter } from './job-definition.ts';
import { readTopic, sourceParallelism, unionOf } from './log-topics.ts';

export const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 24 * 60 * MS_PER_MINUTE;

export const eventTimeParameters: readonly JobParameter[] = [
  {
    name: 'time',
    description:
      'Event time of a row: `log` takes what the log says, `arrival` adds the field `delay` as minutes, `day` takes the day.',
    default: 'log',
  },
  {
    name: 'stamped',
    description:
      'Where rows get their event time: at the `source`, for each partition, or in the `graph` behind it, for all that a subtask reads; `generator`: as `source`, by a generator of the job.',
    default: 'source',
  },
  {
    name: 'outOfOrderness',
    description: 'How many minutes a row may lie behind the newest one of its partition.',
    default: 0,
  },
  {
    name: 'idleness',
    description: 'After so many milliseconds without a row a partition holds nobody back; 0: never.',
    default: 0,
  },
  {
    name: 'idleInput',
    description: 'The input whose partitions may be idle, as `idleness` says; empty: any.',
    default: '',
  },
  {
    name: 'idleAhead',
    description:
      'Minutes by which rows of `idleInput` are later than they say: far ahead of the others, it never holds them back.',
    default: 0,
  },
  {
    name: 'watermarkInterval',
    description: 'Milliseconds between two watermarks of a subtask at least.',
    default: 200,
  },
];

/** All topics as one stream, with event time and watermarks per partition. */
export function readWithEventTime(env: StreamExecutionEnvironment, input: JobInput): DataStream<Row> {
  return unionOf(readEachWithEventTime(env, input));
}

/** Each topic as a stream of its own. */
export function readEachWithEventTime(env: StreamExecutionEnvironment, input: JobInput): readonly DataStream<Row>[] {
  env.setAutoWatermarkInterval(numberParameter(input.parameters, 'watermarkInterval'));
  const stamped = textParameter(input.parameters, 'stamped');
  if (stamped !== 'source' && stamped !== 'graph' && stamped !== 'generator')
    throw new InvalidJob(`The parameter stamped is '${stamped}'; it must be source, graph or generator.`);
  return input.topics.map((topic) => {
    const strategy = strategyOf(input, topic.name);
    if (stamped !== 'graph') return readTopic(env, input, topic, strategy);
    // Beside its source: the bound holds of a partition, and of rows that come from several ones only if each subtask reads one.
    return readTopic(env, input, topic)
      .assignTimestampsAndWatermarks(strategy)
      .setParallelism(sourceParallelism(input, topic))
      .uid(`stamp-${topic.name}`);
  });
}

function strategyOf({ parameters, topics }: JobInput, topic: string): WatermarkStrategy<Row> {
  const bound = numberParameter(parameters, 'outOfOrderness') * MS_PER_MINUTE;
  const bounded =
    textParameter(parameters, 'stamped') === 'generator'
      ? WatermarkStrategy.forGenerator<Row>(() => boundedGenerator(bound))
      : WatermarkStrategy.forBoundedOutOfOrderness<Row>(bound);
  const idleInput = textParameter(parameters, 'idleInput');
  const ahead = numberParameter(parameters, 'idleAhead');
  if ((idleInput !== '' || ahead > 0) && !topics.some(({ name }) => name === idleInput))
    throw new InvalidJob(`The parameter idleInput is '${idleInput}'; it must be an input of the job.`);
  const isIdle = idleInput === '' || idleInput === topic;
  const idleness = isIdle ? numberParameter(parameters, 'idleness') : 0;
  const strategy = idleness === 0 ? bounded : bounded.withIdleness(idleness);
  const time = textParameter(parameters, 'time');
  const aheadMs = idleInput === topic ? ahead * MS_PER_MINUTE : 0;
  if (time === 'log' && aheadMs === 0) return strategy;
  const timeMs = eventTimeOf(time);
  return strategy.withTimestampAssigner((row, logTimestampMs) => timeMs(row, logTimestampMs) + aheadMs);
}

/** What a bound of out-of-orderness is, written by hand. */
function boundedGenerator(boundMs: number): WatermarkGenerator<Row> {
  let newestMs = Number.NEGATIVE_INFINITY;
  return {
    onEvent(_row, timestampMs) {
      newestMs = Math.max(newestMs, timestampMs);
    },
    onPeriodicEmit: (output) => output.emitWatermark(newestMs - boundMs - 1),
  };
}

function eventTimeOf(time: string): (row: Row, logTimestampMs: number) => number {
  if (time === 'log') return (_row, logTimestampMs) => logTimestampMs;
  if (time === 'day') return (_row, logTimestampMs) => Math.floor(logTimestampMs / MS_PER_DAY) * MS_PER_DAY;
  if (time !== 'arrival') throw new InvalidJob(`The parameter time is '${time}'; it must be log, arrival or day.`);
  return (row, logTimestampMs) => logTimestampMs + delayMinutes(row) * MS_PER_MINUTE;
}

/** Whole minutes; 0 where it is missing. */
export function delayMinutes(row: Row): number {
  const { delay } = row;
  return typeof delay === 'number' && Number.isFinite(delay) ? Math.round(delay) : 0;
}
