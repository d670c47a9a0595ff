/**
 * Counts the rows of each key per span of event time by hand: a count per span in map state, a timer at its end that emits and forgets it.
 *
 * Timers, and nothing else, empty the state: one that is lost leaves a span behind, one that fires twice or too early emits a count twice
 * or too small. The answer does not depend on the schedule as long as no row is behind its partition's watermark.
 */
import type { ConnectedStreams, DataStream } from '../../engine/api/data-stream.ts';
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import {
  type FunctionSpec,
  type KeyedCoProcessFunction,
  type KeyedProcessFunction,
  OutputTag,
} from '../../engine/job/functions.ts';
import type { MapState } from '../../engine/state/keyed-state.ts';
import { mapState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import { eventTimeParameters, MS_PER_MINUTE, readEachWithEventTime, readWithEventTime } from './event-time.ts';
import {
  type JobDefinition,
  keyField,
  numberParameter,
  type Parameters,
  type Row,
  textParameter,
} from './job-definition.ts';
import { sinkOptions, unionOf } from './log-topics.ts';

/** What a timer yields. */
export interface HourlyCount {
  readonly key: string;
  /** End of the span, milliseconds. */
  readonly end: number;
  readonly count: number;
}

const COUNTS = 'counts-by-span-end';
const LATEST = 'latest-by-span-end';
const ODD = new OutputTag<HourlyCount>('odd-counts');
const LATEST_BY_SPAN = mapState(LATEST, Types.int, Types.int);

export const hourlyCounts: JobDefinition = {
  name: 'hourly-counts',
  description: 'Counts records per key and span of event time, by timers.',
  parameters: [
    { name: 'key', description: 'Field of a record that is the key.', default: 'origin' },
    { name: 'minutes', description: 'Length of a span in minutes.', default: 360 },
    { name: 'maxParallelism', description: 'Key groups of every operator; 0: as many as Flink takes.', default: 0 },
    {
      name: 'closes',
      description:
        'When a count is shown: at the `end` of its span, or a span behind its `latest` record, for which a timer is moved on.',
      default: 'end',
    },
    { name: 'odd', description: 'Where odd counts come out: in the `main` or in a `side` output.', default: 'main' },
    {
      name: 'apart',
      description:
        'Whether the first topic and the others are two inputs of the count: its event time is the lesser of theirs.',
      default: false,
    },
    ...eventTimeParameters,
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const key = textParameter(parameters, 'key');
    const maxParallelism = numberParameter(parameters, 'maxParallelism');
    const env = new StreamExecutionEnvironment({
      jobId: 'hourly-counts',
      name: 'Hourly counts',
      parallelism,
      ...(maxParallelism === 0 ? {} : { maxParallelism }),
    });
    const keyOf = (row: Row): string => keyField(row, key);
    const oddAside = isSecond(parameters, 'odd', ['main', 'side']);
    const counting = countPerSpan(numberParameter(parameters, 'minutes') * MS_PER_MINUTE, {
      countType: Types.int,
      result: (count) => count,
      closesBehindLatest: isSecond(parameters, 'closes', ['end', 'latest']),
      oddCounts: oddAside ? ODD : undefined,
    });
    const counted =
      parameters['apart'] === true
        ? apart(readEachWithEventTime(env, input)).keyBy(keyOf, keyOf).process(ofBoth(counting))
        : readWithEventTime(env, input).keyBy(keyOf).process(counting);
    const counts = counted.uid('count').name('Count');
    counts.sinkTo(sinkOptions(input)).uid('sink');
    if (oddAside) counts.getSideOutput(ODD).sinkTo(sinkOptions(input)).uid('odd-sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'multiset' } };
  },
};

function apart([first, ...others]: readonly DataStream<Row>[]): ConnectedStreams<Row, Row> {
  if (first === undefined) throw new InvalidJob('The job has no input.');
  return first.connect(unionOf(others));
}

/** What is done with a row, whichever input it comes by. */
function ofBoth<Out>({
  create,
  ...declared
}: FunctionSpec<KeyedProcessFunction<Row, Out>>): FunctionSpec<KeyedCoProcessFunction<Row, Row, Out>> {
  return {
    ...declared,
    create() {
      const { processElement, ...rest } = create();
      return { ...rest, processElement1: processElement, processElement2: processElement };
    },
  };
}

/** What versions of the count differ in. */
export interface SpanCounting<Result extends HourlyCount> {
  readonly countType: TypeSerializer<number>;
  /** What is said of a span that was closed. */
  readonly result: (count: HourlyCount) => Result;
  /** A span is closed as long behind its latest record as it is long, not at its end. */
  readonly closesBehindLatest?: boolean;
  /** Takes results of odd counts. */
  readonly oddCounts?: OutputTag<HourlyCount> | undefined;
}

export function countPerSpan<Result extends HourlyCount>(
  spanMs: number,
  { countType, result, closesBehindLatest = false, oddCounts }: SpanCounting<Result>,
): FunctionSpec<KeyedProcessFunction<Row, Result>> {
  return {
    states: [mapState(COUNTS, Types.int, countType), ...(closesBehindLatest ? [LATEST_BY_SPAN] : [])],
    create() {
      let counts: MapState<number, number>;
      let latest: MapState<number, number> | undefined;
      return {
        open(runtime) {
          counts = runtime.map<number, number>(COUNTS);
          if (closesBehindLatest) latest = runtime.map<number, number>(LATEST);
        },
        processElement(_row, context) {
          const { timestampMs } = context;
          const end = (Math.floor(timestampMs / spanMs) + 1) * spanMs;
          counts.put(end, (counts.get(end) ?? 0) + 1);
          const timers = context.timerService();
          if (latest === undefined) return timers.registerEventTimeTimer(end);
          const before = latest.get(end);
          if (before !== undefined && before >= timestampMs) return;
          if (before !== undefined) timers.deleteEventTimeTimer(before + spanMs);
          latest.put(end, timestampMs);
          timers.registerEventTimeTimer(timestampMs + spanMs);
        },
        onTimer(timeMs, context, out) {
          // Of one span: its latest record is of this time less its length.
          const end = latest === undefined ? timeMs : Math.floor(timeMs / spanMs) * spanMs;
          const count = counts.get(end);
          if (count === undefined) return;
          counts.remove(end);
          latest?.remove(end);
          const closed = result({ key: String(context.currentKey), end, count });
          if (oddCounts !== undefined && count % 2 === 1) context.output(oddCounts, closed);
          else out.collect(closed);
        },
      };
    },
  };
}

/** Of a parameter that is one of two words. */
function isSecond(parameters: Parameters, name: string, [first, second]: readonly [string, string]): boolean {
  const value = textParameter(parameters, name);
  if (value === first || value === second) return value === second;
  throw new InvalidJob(`The parameter ${name} is '${value}'; it must be ${first} or ${second}.`);
}
