/**
 * The counts per span of event time (hourly-counts.ts) in versions: what an upgrade has to carry over are timers that wait, not only values
 * (rows S11, S13, S24).
 *
 * 1 is what the others are compared with. 2 reads what 1 left after a migration, counts become doubles, and it says of each result that it
 * closed the span. 3 cannot read either: counts have another type. A span that is open at the upgrade is begun by one version and
 * closed by the other, by the timer that the first one set.
 */
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import { eventTimeParameters, MS_PER_MINUTE, readWithEventTime } from './event-time.ts';
import { countPerSpan, type HourlyCount } from './hourly-counts.ts';
import { type JobDefinition, keyField, numberParameter, textParameter } from './job-definition.ts';
import { sinkOptions } from './log-topics.ts';

interface VersionedCount extends HourlyCount {
  /** Which version closed the span; absent: the first. */
  readonly closedBy?: number;
}

const COUNT_TYPES: readonly TypeSerializer<number>[] = [
  Types.int,
  Types.double,
  Types.string as unknown as TypeSerializer<number>,
];

export const evolvingCounts: JobDefinition = {
  name: 'evolving-counts',
  description: 'Counts records per key and span of event time by timers, in versions whose state differs.',
  parameters: [
    { name: 'key', description: 'Field of a record that is the key.', default: 'origin' },
    { name: 'minutes', description: 'Length of a span in minutes.', default: 360 },
    { name: 'version', description: '1; 2 migrates its state; 3 cannot read it.', default: 1 },
    ...eventTimeParameters,
  ],
  build(input) {
    const { parameters, parallelism } = input;
    const key = textParameter(parameters, 'key');
    const version = numberParameter(parameters, 'version');
    const countType = COUNT_TYPES[version - 1];
    if (countType === undefined) throw new InvalidJob(`The parameter version is ${version}; it must be 1, 2 or 3.`);
    const result = (count: HourlyCount): VersionedCount => (version === 1 ? count : { ...count, closedBy: version });
    const env = new StreamExecutionEnvironment({ jobId: 'evolving-counts', name: 'Evolving counts', parallelism });
    readWithEventTime(env, input)
      .keyBy((row) => keyField(row, key))
      .process(countPerSpan(numberParameter(parameters, 'minutes') * MS_PER_MINUTE, { countType, result }))
      .uid('count')
      .name('Count')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    const upgraded = ({ content }: { readonly content: unknown }): unknown => new Map(content as Map<number, number>);
    const readsStateOf = version === 2 ? [1] : [];
    return {
      graph: env.jobGraph(),
      audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', upgraded, readsStateOf },
    };
  },
};
