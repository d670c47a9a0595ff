/**
 * Delay statistics per airport: flights, sum, mean and maximum of their delays, the delays summed by group, the most delayed group.
 *
 * The flight data names no carrier, so the group is the destination and `worstGroup` stands in for the most delayed carrier. The
 * data set of 200,000 flights names no airports either: key it by `distance` and group it by `hour`.
 *
 * With a topic `airports` the job has two inputs, connected and keyed by the airport's code, and remembers each airport's name.
 * What comes out per flight are running values: they depend on the order in which partitions are read, so only the lineage of
 * outputs is compared. State does not depend on it: counts, sums and maxima of integers, and a name that is given once.
 */
import type { DataStream } from '../../engine/api/data-stream.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { Collector, RuntimeContext } from '../../engine/job/functions.ts';
import type { MapState, ValueState } from '../../engine/state/keyed-state.ts';
import { mapState, type StateDescriptor, valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { type JobDefinition, type JobInput, keyField, outputKey, type Row, textParameter } from './job-definition.ts';
import { readTopic, readUnion, sinkOptions } from './log-topics.ts';

/** The topic of the second input. */
export const AIRPORTS_TOPIC = 'airports';
/** A group that is no field: the whole hours of the field `time`. */
const HOUR_GROUP = 'hour';

/** What comes out for every flight; all but `key` and `delay` are values so far. */
export interface FlightDelaysOutput {
  readonly key: string;
  /** Name of the airport, empty when it is not known (yet). */
  readonly airport: string;
  /** Delay of this flight. */
  readonly delay: number;
  readonly flights: number;
  readonly delaySum: number;
  readonly delayMean: number;
  readonly delayMax: number;
  /** The most delayed group: the one with the largest sum of delays, the first by name among equals. */
  readonly worstGroup: string;
  readonly worstGroupDelaySum: number;
  /** The group of this flight and the sum of its delays. */
  readonly group: string;
  readonly groupDelaySum: number;
}

/** Delays of one key so far, in the unit of the data (minutes). */
interface DelayStatistics {
  readonly flights: number;
  readonly delaySum: number;
  readonly delayMax: number;
  readonly worstGroup: string;
  readonly worstGroupDelaySum: number;
}

interface Fields {
  readonly key: string;
  readonly group: string;
  readonly delay: string;
}

const STATISTICS = 'statistics';
const GROUPS = 'delay-sum-by-group';
const AIRPORT = 'airport-name';

export const flightDelays: JobDefinition = {
  name: 'flight-delays',
  description:
    'Delay statistics per airport, by destination; joins the topic `airports` for their names when there is one.',
  parameters: [
    { name: 'key', description: 'Field of a flight that is the key.', default: 'origin' },
    {
      name: 'group',
      description: 'Field by which the delays of a key are summed; `hour` takes the whole hours of the field `time`.',
      default: 'destination',
    },
    {
      name: 'delay',
      description: 'Field that is the delay; rounded to whole numbers, 0 where it is missing.',
      default: 'delay',
    },
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const fields: Fields = {
      key: textParameter(parameters, 'key'),
      group: textParameter(parameters, 'group'),
      delay: textParameter(parameters, 'delay'),
    };
    const env = new StreamExecutionEnvironment({ jobId: 'flight-delays', name: 'Flight delays', parallelism });
    statisticsOf(env, input, fields).uid('statistics').name('Statistics').sinkTo(sinkOptions(input)).uid('sink');
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'lineage', outputKey } };
  },
};

function statisticsOf(
  env: StreamExecutionEnvironment,
  input: JobInput,
  fields: Fields,
): DataStream<FlightDelaysOutput> {
  const airports = input.topics.find((topic) => topic.name === AIRPORTS_TOPIC);
  const flights = readUnion(
    env,
    input,
    input.topics.filter((topic) => topic !== airports),
  );
  const states: StateDescriptor[] = [
    valueState(
      STATISTICS,
      Types.row<DelayStatistics>({
        flights: Types.int,
        delaySum: Types.int,
        delayMax: Types.int,
        worstGroup: Types.string,
        worstGroupDelaySum: Types.int,
      }),
    ),
    mapState(GROUPS, Types.string, Types.int),
    valueState(AIRPORT, Types.string),
  ];
  if (airports === undefined) {
    return flights
      .keyBy((flight) => keyField(flight, fields.key))
      .process({
        states,
        create() {
          const account = new DelayAccount(fields);
          return {
            open: (runtime) => account.open(runtime),
            processElement: (flight, _context, out) => account.addFlight(flight, out),
          };
        },
      });
  }
  return flights
    .connect(readTopic(env, input, airports))
    .keyBy(
      (flight) => keyField(flight, fields.key),
      (airport) => keyField(airport, 'iata'),
    )
    .process({
      states,
      create() {
        const account = new DelayAccount(fields);
        return {
          open: (runtime) => account.open(runtime),
          processElement1: (flight, _context, out) => account.addFlight(flight, out),
          processElement2: (airport) => account.nameAirport(airport),
        };
      },
    });
}

/** The keyed state of one subtask and what flights and airports do to it. */
class DelayAccount {
  readonly #fields: Fields;
  #states:
    | { statistics: ValueState<DelayStatistics>; groups: MapState<string, number>; airport: ValueState<string> }
    | undefined;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  open(runtime: RuntimeContext): void {
    this.#states = {
      statistics: runtime.value<DelayStatistics>(STATISTICS),
      groups: runtime.map<string, number>(GROUPS),
      airport: runtime.value<string>(AIRPORT),
    };
  }

  addFlight(flight: Row, out: Collector<FlightDelaysOutput>): void {
    const states = this.#states;
    if (states === undefined) return;
    const delay = delayOf(flight, this.#fields.delay);
    const group = groupOf(flight, this.#fields.group);
    const groupDelaySum = (states.groups.get(group) ?? 0) + delay;
    states.groups.put(group, groupDelaySum);
    const before = states.statistics.value();
    const statistics: DelayStatistics = {
      flights: (before?.flights ?? 0) + 1,
      delaySum: (before?.delaySum ?? 0) + delay,
      delayMax: Math.max(before?.delayMax ?? delay, delay),
      ...worstGroup(before, { group, sum: groupDelaySum }, states.groups),
    };
    states.statistics.update(statistics);
    const key = keyField(flight, this.#fields.key);
    const delayMean = statistics.delaySum / statistics.flights;
    out.collect({ key, airport: states.airport.value() ?? '', delay, ...statistics, delayMean, group, groupDelaySum });
  }

  nameAirport(airport: Row): void {
    this.#states?.airport.update(keyField(airport, 'name'));
  }
}

/**
 * The group with the largest sum after one group's sum changed. All groups are looked at only when the worst one improved, so a
 * flight costs O(1) as a rule; the answer is that of looking at all of them, whatever the order of flights.
 */
function worstGroup(
  before: DelayStatistics | undefined,
  changed: { readonly group: string; readonly sum: number },
  groups: MapState<string, number>,
): Pick<DelayStatistics, 'worstGroup' | 'worstGroupDelaySum'> {
  let worst = { worstGroup: changed.group, worstGroupDelaySum: changed.sum };
  if (before === undefined) return worst;
  if (changed.group !== before.worstGroup) return isWorse(worst, before) ? worst : pick(before);
  if (changed.sum >= before.worstGroupDelaySum) return worst;
  for (const [group, sum] of groups.entries()) {
    const candidate = { worstGroup: group, worstGroupDelaySum: sum };
    if (isWorse(candidate, worst)) worst = candidate;
  }
  return worst;
}

type WorstGroup = Pick<DelayStatistics, 'worstGroup' | 'worstGroupDelaySum'>;
const pick = ({ worstGroup: group, worstGroupDelaySum }: WorstGroup): WorstGroup => ({
  worstGroup: group,
  worstGroupDelaySum,
});

function isWorse(a: WorstGroup, b: WorstGroup): boolean {
  if (a.worstGroupDelaySum !== b.worstGroupDelaySum) return a.worstGroupDelaySum > b.worstGroupDelaySum;
  return a.worstGroup < b.worstGroup;
}

/** Whole numbers only: their sums do not depend on the order of addition. */
function delayOf(flight: Row, field: string): number {
  const delay = flight[field];
  return typeof delay === 'number' && Number.isFinite(delay) ? Math.round(delay) : 0;
}

function groupOf(flight: Row, field: string): string {
  if (field !== HOUR_GROUP) return keyField(flight, field);
  const time = flight['time'];
  return typeof time === 'number' ? String(Math.floor(time)) : '';
}
