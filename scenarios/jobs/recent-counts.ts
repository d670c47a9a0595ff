/**
 * Counts records per key; the count expires when its key has been silent for a time of the wall clock (row S12).
 *
 * What it shows depends on when records are processed, and after a failure they are processed again, later: it is a job whose answer no
 * reference can know. So each value says when it was made, and the audit asks for the rule: the count goes on exactly if the one before is
 * younger than the time to live.
 */
import type { FunctionSpec, KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { ValueState } from '../../engine/state/keyed-state.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { withTimeToLive } from '../../engine/state/time-to-live.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { CounterAccess } from '../../sim/judges/job-audit.ts';
import { expiringCounts } from './expiring-counts.ts';
import { type JobDefinition, keyField, numberParameter, type Row, textParameter } from './job-definition.ts';

export const recentCounts: JobDefinition = {
  name: 'recent-counts',
  description: 'Counts records per key, and forgets a key that was silent for a while.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'ttl', description: 'Milliseconds of the wall clock after which a count expires.', default: 1500 },
    { name: 'filter', description: 'Whether full snapshots leave out what has expired.', default: false },
  ],
  build(input) {
    const { parameters } = input;
    const key = textParameter(parameters, 'key');
    const ttlMs = numberParameter(parameters, 'ttl');
    return expiringCounts(input, {
      jobId: 'recent-counts',
      name: 'Recent counts',
      key,
      count: countRecent(key, ttlMs, parameters['filter'] === true),
      expires: { ttlMs },
    });
  },
};

function countRecent(
  key: string,
  ttlMs: number,
  filterFullSnapshots: boolean,
): FunctionSpec<KeyedProcessFunction<Row, CounterAccess>> {
  const descriptor = withTimeToLive(valueState('count', Types.int), { ttlMs, filterFullSnapshots });
  return {
    states: [descriptor],
    create() {
      let count: ValueState<number>;
      return {
        open(runtime) {
          count = runtime.value(descriptor.name);
        },
        processElement(row, context, out) {
          const now = (count.value() ?? 0) + 1;
          count.update(now);
          const atMs = context.timerService().currentProcessingTime();
          out.collect({ key: keyField(row, key), count: now, atMs });
        },
        /** It registers none: a function that asks for the time has timers. */
        onTimer: () => undefined,
      };
    },
  };
}
