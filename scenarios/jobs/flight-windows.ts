/**
 * Flights per airport in windows of time: how many, the sum of their delays, the largest one.
 *
 * With windows of event time in which nothing is late the answer does not depend on the schedule: output and state are compared with the
 * reference. Where it does (windows of processing time, records that come behind the bound of their partition), each window also lists
 * its flights, and the audit asks that every flight is accounted for exactly once: in one window, or as a late one. A window that takes in
 * late flights shows itself again with each of them.
 */
import type { DataStream } from '../../engine/api/data-stream.ts';
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import {
  ContinuousEventTimeTrigger,
  CountTrigger,
  EventTimeSessionWindows,
  ProcessingTimeSessionWindows,
  PurgingTrigger,
  SlidingEventTimeWindows,
  SlidingProcessingTimeWindows,
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
} from '../../engine/api/windows.ts';
import { OutputTag } from '../../engine/job/functions.ts';
import type { TriggerSpec, WindowAssignerSpec, WindowContext } from '../../engine/job/windows.ts';
import type { AggregateFunction } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { JobAudit } from '../../sim/judges/job-audit.ts';
import { delayMinutes, eventTimeParameters, MS_PER_MINUTE, readWithEventTime } from './event-time.ts';
import {
  type JobDefinition,
  type JobInput,
  keyField,
  numberParameter,
  type Parameters,
  type Row,
  textParameter,
} from './job-definition.ts';
import { sinkOptions } from './log-topics.ts';

/** What comes out of a window. */
export interface FlightWindow {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly flights: number;
  readonly delaySum: number;
  readonly delayMax: number;
  /** Only where the audit asks for them. */
  readonly ids: readonly string[];
}

interface Delays {
  readonly flights: number;
  readonly delaySum: number;
  readonly delayMax: number;
  readonly ids: readonly string[];
}

const LATE = new OutputTag<Row>('late-flights');

export const flightWindows: JobDefinition = {
  name: 'flight-windows',
  description: 'Delays of flights per airport in tumbling, sliding or session windows.',
  parameters: [
    { name: 'key', description: 'Field of a flight that is the key.', default: 'origin' },
    {
      name: 'letters',
      description: 'How many letters of that field are the key, 0: all; the fewer, the more flights in a window.',
      default: 0,
    },
    { name: 'windows', description: '`tumbling`, `sliding` or `session`.', default: 'tumbling' },
    { name: 'domain', description: '`event-time` or `processing-time`.', default: 'event-time' },
    {
      name: 'size',
      description: 'Length of a window, or gap of a session: minutes of event time, milliseconds of processing time.',
      default: 720,
    },
    { name: 'slide', description: 'Distance between two sliding windows, in the unit of `size`.', default: 240 },
    { name: 'offset', description: 'By how much windows are shifted, in the unit of `size`.', default: 0 },
    { name: 'all', description: 'Whether there is one window for all keys.', default: false },
    {
      name: 'late',
      description: '`none`: the input has no late flights; `side`: they are an output of their own.',
      default: 'none',
    },
    { name: 'lateness', description: 'Minutes for which a window takes in late flights.', default: 0 },
    {
      name: 'trigger',
      description:
        '`end`: a window is shown at its end; `count`: whenever `every` more flights are in it, and only how many; `continuous`: every `every` and at its end, what came since.',
      default: 'end',
    },
    { name: 'every', description: 'Flights, or as long as `size` is, between two looks at a window.', default: 3 },
    { name: 'purging', description: 'Whether a window that is shown for its count is empty again.', default: false },
    {
      name: 'again',
      description:
        'Length of tumbling windows in which those that come out are added up, in the unit of `size`; 0: none.',
      default: 0,
    },
    {
      name: 'work',
      description: 'Microseconds of virtual time that each window takes behind an exchange, 0: no exchange.',
      default: 0,
    },
    {
      name: 'prepare',
      description:
        'Microseconds of virtual time that each flight takes behind an exchange, before its windows; 0: no exchange.',
      default: 0,
    },
    ...eventTimeParameters,
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const env = new StreamExecutionEnvironment({ jobId: 'flight-windows', name: 'Flight windows', parallelism });
    const trigger = triggerOf(parameters);
    const hasLate = lateOf(parameters) === 'side';
    const isConserving =
      textParameter(parameters, 'domain') === 'processing-time' || hasLate || trigger?.kind === 'continuous';
    const delays = trigger?.kind === 'count' ? FLIGHTS : delaysOf(isConserving);
    const rows = prepared(readWithEventTime(env, input), numberParameter(parameters, 'prepare'));
    const assigner = assignerOf(parameters);
    const isTold = showsLate(input, assigner);
    const windowed =
      parameters['all'] === true ? rows.windowAll(assigner) : rows.keyBy(keyOf(parameters)).window(assigner);
    const lateness = numberParameter(parameters, 'lateness') * MS_PER_MINUTE;
    const timed = assigner.domain === 'event-time' ? windowed.allowedLateness(lateness) : windowed;
    const triggered = trigger === undefined ? timed : timed.trigger(trigger);
    const windows = triggered
      .sideOutputLateData(LATE)
      .aggregate<Delays, Delays, FlightWindow>(delays, DELAYS, (window, result, out) =>
        out.collect(asFlightWindow(window, result)),
      )
      .uid('windows')
      .name('Windows');
    const added = addedUp(windows, parameters);
    const work = numberParameter(parameters, 'work');
    const shown =
      work === 0
        ? added
        : added
            .rebalance()
            .map((window) => window)
            .uid('work')
            .workPerRecord(work);
    shown.sinkTo(sinkOptions(input)).uid('sink');
    if (hasLate) sinkLate(windows, input);
    if (!isConserving) return { graph: env.jobGraph(), audit: COMPARED };
    return { graph: env.jobGraph(), audit: isTold ? WITH_LATE : CONSERVING };
  },
};

function keyOf(parameters: Parameters): (row: Row) => string {
  const key = textParameter(parameters, 'key');
  const letters = numberParameter(parameters, 'letters');
  if (letters === 0) return (row) => keyField(row, key);
  return (row) => keyField(row, key).slice(0, letters);
}

/** In a subtask of its own: flights wait in front of it and behind it, and their times with them. */
function prepared(rows: DataStream<Row>, work: number): DataStream<Row> {
  if (work === 0) return rows;
  return rows
    .rebalance()
    .map((row) => row)
    .uid('prepare')
    .workPerRecord(work);
}

/** Windows of windows: each is of its last instant, whatever made it come out. */
function addedUp(windows: DataStream<FlightWindow>, parameters: Parameters): DataStream<FlightWindow> {
  const again = numberParameter(parameters, 'again') * unitOf(parameters);
  if (again === 0) return windows;
  return windows
    .keyBy(({ key }) => key)
    .window(TumblingEventTimeWindows.of(again))
    .aggregate<Delays, Delays, FlightWindow>(UNITED, DELAYS, (window, result, out) =>
      out.collect(asFlightWindow(window, result)),
    )
    .uid('again')
    .name('Again');
}

const COMPARED: JobAudit = { stateIsOrderInsensitive: true, outputValues: 'multiset' };

const CONSERVES: NonNullable<JobAudit['conserves']> = {
  input: (row) => idOf(row as Row),
  output: (value) => (value as { readonly ids: readonly string[] }).ids,
};

const CONSERVING: JobAudit = { stateIsOrderInsensitive: false, outputValues: 'lineage', conserves: CONSERVES };

/** Windows fire again for flights that come behind them. */
const WITH_LATE: JobAudit = {
  ...CONSERVING,
  conserves: {
    ...CONSERVES,
    windows: {
      operator: 'windows',
      of(value) {
        const { key, start, end, late } = value as FlightWindow & { readonly late?: true };
        return late === true ? undefined : { key, startMs: start, endMs: end };
      },
    },
  },
};

function sinkLate(windows: DataStream<FlightWindow>, input: JobInput): void {
  windows
    .getSideOutput(LATE)
    .map((row) => ({ late: true, ids: [idOf(row)] }))
    .uid('late')
    .sinkTo(sinkOptions(input))
    .uid('late-sink');
}

/** Whether results of windows take each other's place, as those do that fire again for late flights, and can be told apart by their flights. */
function showsLate(input: JobInput, { kind, domain }: WindowAssignerSpec): boolean {
  const { parameters, topics } = input;
  if (lateOf(parameters) === 'none') return false;
  if (kind === 'sliding')
    throw new InvalidJob('Where late is side, windows must be tumbling or session: each flight is in one of them.');
  const isShownAtEnd = triggerOf(parameters) === undefined && numberParameter(parameters, 'again') === 0;
  if (domain !== 'event-time' || !isShownAtEnd) return false;
  if (topics.length === 1 && numberParameter(parameters, 'work') === 0) return true;
  if (numberParameter(parameters, 'lateness') === 0) return false;
  throw new InvalidJob(
    'Where late is side and lateness more than 0, the job must have one input, whose flights differ, and work must be 0: a result takes the place of the one before it.',
  );
}

function lateOf(parameters: Parameters): 'none' | 'side' {
  const late = textParameter(parameters, 'late');
  if (late === 'none' || late === 'side') return late;
  throw new InvalidJob(`The parameter late is '${late}'; it must be none or side.`);
}

const isOfEventTime = (parameters: Parameters): boolean => textParameter(parameters, 'domain') === 'event-time';

/** In milliseconds. */
const unitOf = (parameters: Parameters): number => (isOfEventTime(parameters) ? MS_PER_MINUTE : 1);

/** Undefined: the one that the windows have anyway. What is shown again and again must purge, or a flight would be shown twice. */
function triggerOf(parameters: Parameters): TriggerSpec | undefined {
  const kind = textParameter(parameters, 'trigger');
  const every = numberParameter(parameters, 'every');
  if (kind === 'end') return undefined;
  if (kind === 'continuous') return PurgingTrigger.of(ContinuousEventTimeTrigger.of(every * unitOf(parameters)));
  if (kind !== 'count')
    throw new InvalidJob(`The parameter trigger is '${kind}'; it must be end, count or continuous.`);
  if (textParameter(parameters, 'windows') === 'session')
    throw new InvalidJob(
      'Where trigger is count, windows must not be session: what those count depends on when they merge.',
    );
  if (numberParameter(parameters, 'again') === 0)
    throw new InvalidJob(
      'Where trigger is count, again must not be 0: which flight makes a window come out depends on their order.',
    );
  return parameters['purging'] === true ? PurgingTrigger.of(CountTrigger.of(every)) : CountTrigger.of(every);
}

function assignerOf(parameters: Parameters): WindowAssignerSpec {
  const isEventTime = isOfEventTime(parameters);
  const unit = unitOf(parameters);
  const size = numberParameter(parameters, 'size') * unit;
  const slide = numberParameter(parameters, 'slide') * unit;
  const offset = numberParameter(parameters, 'offset') * unit;
  switch (textParameter(parameters, 'windows')) {
    case 'tumbling':
      return (isEventTime ? TumblingEventTimeWindows : TumblingProcessingTimeWindows).of(size, offset);
    case 'sliding':
      return (isEventTime ? SlidingEventTimeWindows : SlidingProcessingTimeWindows).of(size, slide, offset);
    case 'session':
      return (isEventTime ? EventTimeSessionWindows : ProcessingTimeSessionWindows).withGap(size);
    default:
      throw new InvalidJob(
        `The parameter windows is '${textParameter(parameters, 'windows')}'; it must be tumbling, sliding or session.`,
      );
  }
}

const DELAYS = Types.row<Delays>({
  flights: Types.int,
  delaySum: Types.int,
  delayMax: Types.int,
  ids: Types.list(Types.string),
});

const noDelays = (): Delays => ({ flights: 0, delaySum: 0, delayMax: Number.MIN_SAFE_INTEGER, ids: [] });

/** How many: which of them are in it when it is shown depends on the order in which they came. */
const FLIGHTS: AggregateFunction<Row, Delays, Delays> = {
  createAccumulator: () => ({ flights: 0, delaySum: 0, delayMax: 0, ids: [] }),
  add: (counted) => ({ ...counted, flights: counted.flights + 1 }),
  getResult: (counted) => counted,
  merge: united,
};

/** Counts, sums and maxima of integers: the order of flights does not matter, but for that of `ids`. */
function delaysOf(withIds: boolean): AggregateFunction<Row, Delays, Delays> {
  return {
    createAccumulator: noDelays,
    add: (delays, row) => {
      const delay = delayMinutes(row);
      return {
        flights: delays.flights + 1,
        delaySum: delays.delaySum + delay,
        delayMax: Math.max(delays.delayMax, delay),
        ids: withIds ? [...delays.ids, idOf(row)] : [],
      };
    },
    getResult: (delays) => delays,
    merge: united,
  };
}

function united(a: Delays, b: Delays): Delays {
  return {
    flights: a.flights + b.flights,
    delaySum: a.delaySum + b.delaySum,
    delayMax: Math.max(a.delayMax, b.delayMax),
    ids: [...a.ids, ...b.ids],
  };
}

const UNITED: AggregateFunction<FlightWindow, Delays, Delays> = {
  createAccumulator: noDelays,
  add: (delays, { flights, delaySum, delayMax, ids }) => united(delays, { flights, delaySum, delayMax, ids }),
  getResult: (delays) => delays,
  merge: united,
};

const asFlightWindow = ({ key, start, end }: WindowContext, delays: Delays): FlightWindow => ({
  key: String(key),
  start,
  end,
  ...delays,
});

/** What tells flights apart; two that are the same in all of it count as two. */
const idOf = (row: Row): string =>
  `${keyField(row, 'date')} ${keyField(row, 'origin')}-${keyField(row, 'destination')} ${keyField(row, 'distance')} ${keyField(row, 'delay')}`;
