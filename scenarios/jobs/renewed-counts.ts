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
import { withTimeToLive } from '../../engine/state/time-to-live.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
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
  /** `type`: of a number in it. */
  describe(type: TypeSerializer<number>): StateDescriptor;
  open(runtime: RuntimeContext): Counter;
}

const NAME = 'count';
const ENTRY = 'records';
/** An entry of 0 that expires before the one it lies beside. */
const BESIDE = 'began';
/** By version: numbers become doubles. */
const NUMBERS: readonly TypeSerializer<number>[] = [Types.int, Types.double];

const KINDS: Readonly<Record<string, Kind>> = {
  value: {
    describe: (type) => valueState(NAME, type),
    open(runtime) {
      const state = runtime.value<number>(NAME);
      const read = (): number => state.value() ?? 0;
      return { read, add: () => state.update(read() + 1), clear: () => state.clear() };
    },
  },
  /** One element for each record. */
  list: {
    describe: (type) => listState(NAME, type),
    open(runtime) {
      const state = runtime.list<number>(NAME);
      return { read: () => state.get().length, add: () => state.add(1), clear: () => state.clear() };
    },
  },
  'replaced-list': {
    describe: (type) => listState(NAME, type),
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
    describe: (type) => mapState(NAME, Types.string, type),
    open(runtime) {
      const state = runtime.map<string, number>(NAME);
      return {
        read: () => state.entries().reduce((sum, [, count]) => sum + count, 0),
        add: () => state.put(ENTRY, (state.get(ENTRY) ?? 0) + 1),
        clear: () => state.remove(ENTRY),
      };
    },
  },
  /** Entries of one map expire one by one: here the other one is put when it is not there, and is not looked at. */
  'map-of-two': {
    describe: (type) => mapState(NAME, Types.string, type),
    open(runtime) {
      const state = runtime.map<string, number>(NAME);
      return {
        read: () => state.get(ENTRY) ?? 0,
        add: () => {
          state.put(ENTRY, (state.get(ENTRY) ?? 0) + 1);
          if (!state.contains(BESIDE)) state.put(BESIDE, 0);
        },
        clear: () => state.remove(ENTRY),
      };
    },
  },
  reducing: {
    describe: (type) => reducingState<number>(NAME, type, (sum, one) => sum + one),
    open(runtime) {
      const state = runtime.reducing<number>(NAME);
      return { read: () => state.get() ?? 0, add: () => state.add(1), clear: () => state.clear() };
    },
  },
  aggregating: {
    describe: (type) =>
      aggregatingState<number, number, number>(NAME, type, {
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
    { name: 'version', description: '1; 2 migrates its state, with the times in it.', default: 1 },
    { name: 'read', description: 'Whether reading renews, too.', default: true },
  ],
  build(input) {
    const { parameters } = input;
    const key = textParameter(parameters, 'key');
    const ttlMs = numberParameter(parameters, 'ttl');
    const name = textParameter(parameters, 'kind');
    const renewsOnRead = parameters['read'] === true;
    const version = numberParameter(parameters, 'version');
    const numbers = NUMBERS[version - 1];
    const kind = KINDS[name];
    if (numbers === undefined) throw new InvalidJob(`The parameter version is ${version}; it must be 1 or 2.`);
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
      count: count(key, kind, withTimeToLive(kind.describe(numbers), timeToLive)),
      expires: { ttlMs, renewsOnRead },
      versions: { upgraded: ({ content }) => migrated(content), readsStateOf: version === 2 ? [1] : [] },
    });
  },
};

function count(
  key: string,
  kind: Kind,
  state: StateDescriptor,
): FunctionSpec<KeyedProcessFunction<Row, CounterAccess>> {
  return {
    states: [state],
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

/** A whole number is the same as a double. */
function migrated(content: unknown): unknown {
  if (content instanceof Map) return new Map(content);
  return Array.isArray(content) ? [...content] : content;
}

/** A quarter of the records reads, a sixteenth clears. */
function deedOf(row: Row): CounterAccess['does'] & string {
  const place = Number(row['distance']) % 16;
  if (place === 0) return 'clear';
  return place < 9 && place % 2 === 1 ? 'read' : 'add';
}
