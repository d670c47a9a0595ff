/**
 * What a web shop wants to know of its access log: visits (sessions of a host) and how many requests of each section fail (sliding windows).
 *
 * The rows are lines of text in the Common Log Format; event time is in the line, seconds behind the order in which lines were written. Lines
 * that are none come out as they are.
 */
import type { DataStream } from '../../engine/api/data-stream.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { WatermarkStrategy } from '../../engine/api/watermark-strategy.ts';
import { EventTimeSessionWindows, SlidingEventTimeWindows } from '../../engine/api/windows.ts';
import type { Collector } from '../../engine/job/functions.ts';
import type { AggregateFunction } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { REQUEST_SECONDS_MAX } from '../datasets/access-log.ts';
import { daysFromCivil, MONTHS } from '../datasets/calendar.ts';
import { type JobDefinition, type JobInput, numberParameter, type Row } from './job-definition.ts';
import { readTopic, sinkOptions, unionOf } from './log-topics.ts';

/** A line of the log. */
export interface Request {
  readonly host: string;
  /** First part of the path. */
  readonly section: string;
  readonly status: number;
  /** 0 where the log says `-`. */
  readonly bytes: number;
  /** When it began. */
  readonly atMs: number;
}

/** What a window has seen. */
interface Traffic {
  readonly requests: number;
  readonly failed: number;
  readonly bytes: number;
}

const CLF =
  /^(\S+) \S+ \S+ \[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) \+0000\] "[A-Z]+ \/([^/ ]*)\S* HTTP\/1\.1" (\d{3}) (\d+|-)$/;
const MS_PER_SECOND = 1_000;

export const logAnalytics: JobDefinition = {
  name: 'log-analytics',
  description: 'Visits and error rates of an access log, by session and sliding windows.',
  parameters: [
    { name: 'gap', description: 'Seconds of silence that end a visit.', default: 120 },
    { name: 'size', description: 'Seconds over which errors are counted.', default: 300 },
    { name: 'slide', description: 'Seconds between two such counts.', default: 60 },
    { name: 'watermarkInterval', description: 'Milliseconds between two watermarks at least.', default: 200 },
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const env = new StreamExecutionEnvironment({ jobId: 'log-analytics', name: 'Log analytics', parallelism });
    env.setAutoWatermarkInterval(numberParameter(parameters, 'watermarkInterval'));
    const lines = unionOf(input.topics.map((topic) => readTopic(env, input, topic, watermarks())));
    const requests = lines.flatMap(collectRequest).uid('requests');
    sink(visits(requests, numberParameter(parameters, 'gap') * MS_PER_SECOND), input, 'visits');
    const every = { size: numberParameter(parameters, 'size'), slide: numberParameter(parameters, 'slide') };
    sink(errorRates(requests, every), input, 'error-rates');
    const unreadable = lines.filter((row) => parseLine(row) === undefined).uid('unreadable');
    sink(unreadable.map((row) => ({ kind: 'unreadable', line: row['line'] })).uid('unreadable-lines'), input, 'lines');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'multiset' } };
  },
};

const sink = (stream: DataStream<unknown>, input: JobInput, name: string): void =>
  void stream.sinkTo(sinkOptions(input)).uid(`${name}-sink`);

function collectRequest(row: Row, out: Collector<Request>): void {
  const request = parseLine(row);
  if (request !== undefined) out.collect(request);
}

function watermarks(): WatermarkStrategy<Row> {
  return WatermarkStrategy.forBoundedOutOfOrderness<Row>(REQUEST_SECONDS_MAX * MS_PER_SECOND).withTimestampAssigner(
    (row, logTimestampMs) => parseLine(row)?.atMs ?? logTimestampMs,
  );
}

function visits(requests: DataStream<Request>, gapMs: number): DataStream<unknown> {
  return requests
    .keyBy(({ host }) => host)
    .window(EventTimeSessionWindows.withGap(gapMs))
    .aggregate<Traffic, Traffic, unknown>(
      traffic,
      TRAFFIC,
      ({ key, start, end }, { requests: count, failed, bytes }, out) =>
        out.collect({ kind: 'visit', key, start, end, requests: count, failed, bytes }),
    )
    .uid('visits')
    .name('Visits');
}

/** In whole thousandths. */
function errorRates(
  requests: DataStream<Request>,
  { size, slide }: { readonly size: number; readonly slide: number },
): DataStream<unknown> {
  return requests
    .keyBy(({ section }) => section)
    .window(SlidingEventTimeWindows.of(size * MS_PER_SECOND, slide * MS_PER_SECOND))
    .aggregate<Traffic, Traffic, unknown>(traffic, TRAFFIC, ({ key, end }, { requests: count, failed }, out) =>
      out.collect({ kind: 'error-rate', key, end, requests: count, perMille: Math.floor((failed * 1_000) / count) }),
    )
    .uid('error-rates')
    .name('Error rates');
}

const TRAFFIC = Types.row<Traffic>({ requests: Types.int, failed: Types.int, bytes: Types.int });

const traffic: AggregateFunction<Request, Traffic, Traffic> = {
  createAccumulator: () => ({ requests: 0, failed: 0, bytes: 0 }),
  add: ({ requests, failed, bytes }, request) => ({
    requests: requests + 1,
    failed: failed + (request.status >= 500 ? 1 : 0),
    bytes: bytes + request.bytes,
  }),
  getResult: (seen) => seen,
  merge: (a, b) => ({ requests: a.requests + b.requests, failed: a.failed + b.failed, bytes: a.bytes + b.bytes }),
};

/** Undefined: the line is cut off or no such line at all. */
function parseLine({ line }: Row): Request | undefined {
  const parts = typeof line === 'string' ? CLF.exec(line) : null;
  if (parts === null) return undefined;
  const [, host = '', day, month = '', year, hours, minutes, seconds, section = '', status, bytes] = parts;
  const number = MONTHS.indexOf(month) + 1;
  if (number === 0) return undefined;
  const days = daysFromCivil(Number(year), number, Number(day));
  const second = ((days * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return {
    host,
    section,
    status: Number(status),
    bytes: bytes === '-' ? 0 : Number(bytes),
    atMs: second * MS_PER_SECOND,
  };
}
