/** Row S12: entries that expire, on every backend: when, in which form they are stored, what becomes of them at a restore. */
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../../../engine/foundation/byte-reader.ts';
import { bindStates, type RuntimeStates } from '../../../../engine/state/runtime-states.ts';
import type { KeyedStateBackend } from '../../../../engine/state/keyed-state-backend.ts';
import { readKeyedStateEntries } from '../../../../engine/state/keyed-state-file.ts';
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  type StateDescriptor,
  valueState,
} from '../../../../engine/state/state-descriptor.ts';
import { type ExpiryClock, type TimeToLiveOptions, withTimeToLive } from '../../../../engine/state/time-to-live.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { BACKENDS, type TestedBackend } from '../../../support/state-backends.ts';

const VALUE = valueState('value', Types.int);
const LIST = listState('list', Types.string);
const MAP = mapState('map', Types.string, Types.int);
const SUM = reducingState<number>('sum', Types.int, (a, b) => a + b);
const LONGEST = aggregatingState<string, string, number>('longest', Types.string, {
  createAccumulator: () => '',
  add: (longest, text) => (text.length > longest.length ? text : longest),
  getResult: (longest) => longest.length,
  merge: (a, b) => (a.length > b.length ? a : b),
});
const ALL: readonly StateDescriptor[] = [VALUE, LIST, MAP, SUM, LONGEST];

interface Bench {
  readonly backend: KeyedStateBackend;
  readonly states: RuntimeStates;
  /** The wall clock, milliseconds. */
  at(ms: number): void;
}

function bench(
  tested: TestedBackend,
  options: TimeToLiveOptions | undefined,
  restored?: Uint8Array,
  startMs = 0,
): Bench {
  const keyGroups = { start: 0, end: 7 };
  const backend = tested.create({ keySerializer: Types.key, keyGroups, maxParallelism: 8, operator: 'op' });
  if (restored !== undefined) backend.restore(restored);
  let nowMs = startMs;
  const clock: ExpiryClock = { nowUs: () => nowMs * 1_000, restoredUs: (writtenUs) => writtenUs };
  const declared = options === undefined ? ALL : ALL.map((state) => withTimeToLive(state, options));
  const states = bindStates({ states: declared }, backend, clock);
  backend.setCurrentKey('k');
  const at = (ms: number): void => {
    nowMs = ms;
  };
  return { backend, states, at };
}

function fill({ states }: Bench): void {
  states.value<number>('value').update(1);
  states.list<string>('list').add('a');
  states.map<string, number>('map').put('x', 1);
  states.reducing<number>('sum').add(2);
  states.aggregating<string, number>('longest').add('abc');
}

function seen({ states }: Bench): unknown[] {
  return [
    states.value('value').value(),
    states.list('list').get(),
    states.map('map').entries(),
    states.reducing('sum').get(),
    states.aggregating('longest').get(),
  ];
}

const FULL = [1, ['a'], [['x', 1]], 2, 3];
const EMPTY = [undefined, [], [], undefined, undefined];

function written(backend: KeyedStateBackend): Uint8Array {
  const snapshot = backend.snapshot();
  const bytes = snapshot.write();
  snapshot.release();
  return bytes;
}

function entriesOf(bytes: Uint8Array): string[] {
  const found: string[] = [];
  readKeyedStateEntries(bytes, (state, _group, key) => {
    found.push(`${state}/${String(Types.key.deserialize(new ByteReader(key)))}`);
  });
  return found;
}

describe.each(BACKENDS)('entries that expire, $name (S12)', (tested) => {
  it('every kind: an entry lives until its time to live has passed, and is gone then', () => {
    const made = bench(tested, { ttlMs: 10 });
    fill(made);
    made.at(9);
    expect(seen(made)).toEqual(FULL);
    made.at(10);
    expect(seen(made)).toEqual(EMPTY);
    // Time that goes back does not bring it back: what was come upon is cleared (I1).
    made.at(0);
    expect(seen(made)).toEqual(EMPTY);
    expect(made.backend.keyCount).toBe(0);
  });

  it('reading renews where the state says so, and only there', () => {
    for (const updateType of ['on-create-and-write', 'on-read-and-write'] as const) {
      const made = bench(tested, { ttlMs: 10, updateType });
      fill(made);
      made.at(6);
      seen(made);
      made.at(12);
      expect(seen(made), updateType).toEqual(updateType === 'on-read-and-write' ? FULL : EMPTY);
    }
  });

  it('an expired entry that is still there is given out once where the state says so', () => {
    const made = bench(tested, { ttlMs: 10, visibility: 'return-expired-if-not-cleaned-up', cleanupEntries: 0 });
    fill(made);
    made.at(20);
    expect(seen(made)).toEqual(FULL);
    expect(seen(made)).toEqual(EMPTY);
  });

  it('elements and map entries expire one by one, accumulators begin anew', () => {
    const made = bench(tested, { ttlMs: 10 });
    fill(made);
    made.at(5);
    made.states.list<string>('list').add('b');
    made.states.map<string, number>('map').put('y', 2);
    made.at(10);
    made.states.reducing<number>('sum').add(7);
    made.states.aggregating<string, number>('longest').add('z');
    expect(seen(made)).toEqual([undefined, ['b'], [['y', 2]], 7, 1]);
  });

  it('times go through a snapshot: what was restored expires when it would have', () => {
    const made = bench(tested, { ttlMs: 10 });
    fill(made);
    const bytes = written(made.backend);
    const restored = bench(tested, { ttlMs: 10 }, bytes, 9);
    expect(seen(restored)).toEqual(FULL);
    restored.at(10);
    expect(seen(restored)).toEqual(EMPTY);
    // The setting is the job's, not the snapshot's.
    expect(seen(bench(tested, { ttlMs: 1_000 }, bytes, 500))).toEqual(FULL);
  });

  it('turned on at a restore, entries count as accessed then; turned off, they live for ever', () => {
    const plain = bench(tested, undefined);
    fill(plain);
    const on = bench(tested, { ttlMs: 10 }, written(plain.backend), 100);
    on.at(109);
    expect(seen(on)).toEqual(FULL);
    const off = bench(tested, undefined, written(on.backend), 1_000);
    expect(seen(off)).toEqual(FULL);
    on.at(110);
    expect(seen(on)).toEqual(EMPTY);
  });

  it('what nobody asks for again does not stay for ever', () => {
    const made = bench(tested, { ttlMs: 10 });
    const value = made.states.value<number>('value');
    for (let key = 0; key < 100; key += 1) {
      made.backend.setCurrentKey(key);
      value.update(key);
    }
    made.at(50);
    // Objects are swept with each access, five at a time; rows when segments are merged.
    for (let access = 0; access < 40; access += 1) {
      made.backend.setCurrentKey(`new ${access}`);
      value.update(access);
    }
    if (tested.name.endsWith('hashmap')) expect(made.backend.keyCount).toBe(40);
    else if (tested.name.endsWith('small memtable')) expect(made.backend.keyCount).toBeLessThan(140);
  });
});

describe('entries that expire, of the hashmap backend (S12)', () => {
  const [hashmap] = BACKENDS;
  if (hashmap === undefined) throw new RangeError('there is a hashmap backend');

  it('a full snapshot leaves out what has expired when it is taken, not when it is written', () => {
    for (const filterFullSnapshots of [true, false]) {
      const made = bench(hashmap, { ttlMs: 10, cleanupEntries: 0, filterFullSnapshots });
      made.states.value<number>('value').update(1);
      made.at(5);
      made.backend.setCurrentKey('younger');
      made.states.value<number>('value').update(2);
      made.at(10);
      const snapshot = made.backend.snapshot();
      made.at(1_000);
      const left = filterFullSnapshots ? ['value/younger'] : ['value/k', 'value/younger'];
      expect(entriesOf(snapshot.write()).sort()).toEqual(left);
      snapshot.release();
    }
  });

  it('a sweep changes no snapshot that is being written', () => {
    const made = bench(hashmap, { ttlMs: 10 });
    fill(made);
    const snapshot = made.backend.snapshot();
    made.at(10);
    made.backend.setCurrentKey('other');
    fill(made);
    expect(made.backend.keyCount).toBe(5);
    expect(entriesOf(snapshot.write())).toHaveLength(5);
    expect(seen(bench(hashmap, { ttlMs: 10 }, snapshot.write(), 3))).toEqual(FULL);
    snapshot.release();
  });
});
