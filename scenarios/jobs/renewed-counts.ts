/**
 * Counts records per key in keyed state of any kind; the count expires when its key has been silent for a time of the wall clock (row S12).
 *
 * Beside `recent-counts`, which counts in a value and writes with each record: here a record may also read and write nothing, so that a time
 * to live that reads renew is seen to be renewed by them alone, and one that they do not is seen to run out; or clear the count. What a
 * record does is a matter of its content, so that a replay does the same.
 */
import { InvalidJob } from '../../engine/api/invalid-job.ts';
import type { FunctionSpec, KeyedProcessFunction, RuntimeContext } from '../../engine/job/functions.ts';
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  type StateDescriptor,
  valueState,
} from '../../engine/state/state-descriptor.ts';
import { type TimeToLiveOptions, withTimeToLive } from '../../engine/state/time-to-live.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { CounterAccess } from '../../sim/judges/job-audit.ts';
import { expiringCounts } from './expiring-counts.ts';
import { type JobDefinition, keyField, numberParameter, type Row, textParameter } from './job-definition.ts';

/** A count in one state, whatever its kind. */
interface Counter {
  /** Looks at all of it. */
  read(): number;
  add(): void;
  clear(): void;
}

interface Kind {
  readonly descriptor: StateDescriptor;
  open(runtime: RuntimeContext): Counter;
}

const NAME = 'count';
const ENTRY = 'records';

const KINDS: Readonly<Record<string, Kind>> = {
  value: {
    descriptor: valueState(NAME, Types.int),
    open(runtime) {
      const state = runtime.value<number>(NAME);
      const read = (): number => state.value() ?? 0;
      return { read, add: () => state.update(read() + 1), clear: () => state.clear() };
    },
  },
  /** One element for each record. */
  list: {
    descriptor: listState(NAME, Types.int),
    open(runtime) {
      const state = runtime.list<number>(NAME);
      return { read: () => state.get().length, add: () => state.add(1), clear: () => state.clear() };
    },
  },
  'replaced-list': {
    descriptor: listState(NAME, Types.int),
    open(runtime) {
      const state = runtime.list<number>(NAME);
      return {
        read: () => state.get().length,
        add: () => state.update([...state.get(), 1]),
        clear: () => state.update([]),
      };
    },
  },
  map: {
    descriptor: mapState(NAME, Types.string, Types.int),
    open(runtime) {
      const state = runtime.map<string, number>(NAME);
      return {
        read: () => state.entries().reduce((sum, [, count]) => sum + count, 0),
        add: () => state.put(ENTRY, (state.get(ENTRY) ?? 0) + 1),
        clear: () => state.remove(ENTRY),
      };
    },
  },
  reducing: {
    descriptor: reducingState<number>(NAME, Types.int, (sum, one) => sum + one),
    open(runtime) {
      const state = runtime.reducing<number>(NAME);
      return { read: () => state.get() ?? 0, add: () => state.add(1), clear: () => state.clear() };
    },
  },
  aggregating: {
    descriptor: aggregatingState<number, number, number>(NAME, Types.int, {
      createAccumulator: () => 0,
      add: (sum, one) => sum + one,
      getResult: (sum) => sum,
      merge: (a, b) => a + b,
    }),
    open(runtime) {
      const state = runtime.aggregating<number, number>(NAME);
      return { read: () => state.get() ?? 0, add: () => state.add(1), clear: () => state.clear() };
    },
  },
};

export const renewedCounts: JobDefinition = {
  name: 'renewed-counts',
  description:
    'Counts records per key in any kind of state, which is also only read or cleared, and forgets a key that was silent for a while.',
  parameters: [
    { name: 'key', description: 'Field of the row that is the key.', default: 'origin' },
    { name: 'kind', description: `Kind of state: ${Object.keys(KINDS).join(', ')}.`, default: 'value' },
    { name: 'ttl', description: 'Milliseconds of the wall clock after which a count expires.', default: 1500 },
    { name: 'read', description: 'Whether reading renews, too.', default: true },
  ],
  build(input) {
    const { parameters } = input;
    const key = textParameter(parameters, 'key');
    const ttlMs = numberParameter(parameters, 'ttl');
    const name = textParameter(parameters, 'kind');
    const renewsOnRead = parameters['read'] === true;
    const kind = KINDS[name];
    if (kind === undefined)
      throw new InvalidJob(`the kinds of state are ${Object.keys(KINDS).join(', ')}, not '${name}'`);
    if (name === 'list' && !renewsOnRead)
      throw new InvalidJob(
        'elements of a list expire one by one unless reading renews them: kind list needs read: true',
      );
    const timeToLive = { ttlMs, updateType: renewsOnRead ? 'on-read-and-write' : 'on-create-and-write' } as const;
    return expiringCounts(input, {
      jobId: 'renewed-counts',
      name: 'Renewed counts',
      key,
      count: count(key, kind, timeToLive),
      expires: { ttlMs, renewsOnRead },
    });
  },
};

function count(
  key: string,
  kind: Kind,
  timeToLive: TimeToLiveOptions,
): FunctionSpec<KeyedProcessFunction<Row, CounterAccess>> {
  return {
    states: [withTimeToLive(kind.descriptor, timeToLive)],
    create() {
      let counter: Counter;
      return {
        open(runtime) {
          counter = kind.open(runtime);
        },
        processElement(row, context, out) {
          const does = deedOf(row);
          if (does === 'add') counter.add();
          if (does === 'clear') counter.clear();
          const atMs = context.timerService().currentProcessingTime();
          out.collect({ key: keyField(row, key), count: counter.read(), atMs, does });
        },
        /** It registers none: a function that asks for the time has timers. */
        onTimer: () => undefined,
      };
    },
  };
}

/** A quarter of the records reads, a sixteenth clears. */
function deedOf(row: Row): CounterAccess['does'] & string {
  const place = Number(row['distance']) % 16;
  if (place === 0) return 'clear';
  return place < 9 && place % 2 === 1 ? 'read' : 'add';
}
