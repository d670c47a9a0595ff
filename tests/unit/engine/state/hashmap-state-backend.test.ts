/** Stories of the hash map backend: kinds, snapshots, restore, rescale, refusals, file damage. */
import { expect, test } from 'vitest';
import { CorruptData } from '../../../../engine/foundation/byte-reader.ts';
import type { StateKey } from '../../../../engine/foundation/stable-hash.ts';
import { keyGroupOf, keyGroupRangeOf } from '../../../../engine/job/key-groups.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import { decodeKeyedStateFile, readKeyedStateEntries } from '../../../../engine/state/keyed-state-file.ts';
import { listState, mapState, reducingState, valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { IncompatibleState } from '../../../../engine/state/type-serializer.ts';

const MAX = 16;
const count = valueState('count', Types.int);
const tags = listState('tags', Types.string);
const seen = mapState('seen', Types.string, Types.json);
const sum = reducingState<number>('sum', Types.int, (a, b) => a + b);

function backend(subtask = 0, parallelism = 1): HashMapStateBackend {
  return new HashMapStateBackend({
    keySerializer: Types.key,
    keyGroups: keyGroupRangeOf(subtask, parallelism, MAX),
    maxParallelism: MAX,
  });
}

function filled(keys: readonly StateKey[]): HashMapStateBackend {
  const made = backend();
  const states = {
    count: made.getState(count),
    tags: made.getState(tags),
    seen: made.getState(seen),
    sum: made.getState(sum),
  };
  keys.forEach((key, i) => {
    made.setCurrentKey(key);
    states.count.update(i);
    states.tags.addAll(['x', String(i)]);
    states.seen.put(`at-${String(i)}`, { i });
    states.sum.add(i);
    states.sum.add(1);
  });
  return made;
}

const KEYS: readonly StateKey[] = ['ada', 'bob', 'cy', 4, -5, 6.5, true, 'dé'];

test('backend: the four kinds keep their state by key', () => {
  const made = filled(KEYS);
  made.setCurrentKey('bob');
  expect(made.getState(count).value()).toBe(1);
  expect(made.getState(tags).get()).toEqual(['x', '1']);
  expect(made.getState(seen).entries()).toEqual([['at-1', { i: 1 }]]);
  expect(made.getState(sum).get()).toBe(2);
  made.getState(seen).remove('at-1');
  expect(made.getState(seen).isEmpty()).toBe(true);
  made.getState(tags).update([]);
  expect(made.getState(tags).get()).toEqual([]);
  expect(made.keyCount).toBe(KEYS.length * 4 - 2);
  expect(made.estimatedBytes).toBeGreaterThan(0);
});

test('backend: state without a current key is refused', () => {
  expect(() => backend().getState(count).value()).toThrow('keyed state is used with a current key');
});

test('backend: a key of another subtask is refused (I1)', () => {
  const made = backend(0, MAX);
  const foreign = KEYS.find((key) => keyGroupOf(key, MAX) !== 0);
  expect(() => made.setCurrentKey(foreign ?? '')).toThrow('I1: the current key belongs to the own key groups');
});

test('backend: a snapshot written late, same bytes as one written at once', () => {
  const made = filled(KEYS);
  const snapshot = made.snapshot();
  const early = snapshot.write();
  for (const key of KEYS) {
    made.setCurrentKey(key);
    made.getState(count).clear();
    made.getState(tags).add('late');
    made.getState(seen).put('late', [1]);
    made.getState(sum).add(100);
  }
  made.dispose();
  expect(snapshot.write()).toEqual(early);
  snapshot.release();
  expect(() => snapshot.write()).toThrow('a snapshot is written only before its release');
});

test('backend: restored state is the same before a function registers it, meanwhile and after', () => {
  const bytes = filled(KEYS).snapshot().write();
  const restored = backend();
  restored.restore(bytes);
  for (const descriptor of [undefined, sum, seen, count, tags]) {
    if (descriptor !== undefined) restored.getState(descriptor as typeof count);
    expect(restored.keyCount).toBe(KEYS.length * 4);
    expect(restored.snapshot().write()).toEqual(bytes);
  }
});

test.each([2, 3, 5, 16])('backend: rescale from one subtask to %i and back, nothing lost', (parallelism) => {
  const bytes = filled(KEYS).snapshot().write();
  const parts = Array.from({ length: parallelism }, (_, subtask) => {
    const part = backend(subtask, parallelism);
    part.restore(bytes);
    part.getState(count);
    return part.snapshot().write();
  });
  const whole = backend();
  for (const part of parts) whole.restore(part);
  expect(whole.snapshot().write()).toEqual(bytes);
});

test('backend: state of another type, kind, key type or maximum parallelism is refused (I2)', () => {
  const bytes = filled(KEYS).snapshot().write();
  const restored = backend();
  restored.restore(bytes);
  expect(() => restored.getState(valueState('count', Types.string))).toThrow(
    new IncompatibleState("state 'count' has type int@1, which cannot be read as string@1"),
  );
  expect(() => restored.getState(listState('count', Types.int))).toThrow(
    "state 'count' is a value state, not a list state",
  );
  const options = { keyGroups: { start: 0, end: MAX - 1 }, maxParallelism: MAX };
  const otherKeys = new HashMapStateBackend({ ...options, keySerializer: Types.string });
  expect(() => otherKeys.restore(bytes)).toThrow('the keys were written as key@1, the job has string@1');
  const otherMax = new HashMapStateBackend({ ...options, maxParallelism: 32, keySerializer: Types.key });
  expect(() => otherMax.restore(bytes)).toThrow('maximum parallelism 16, the job has 32');
});

test('backend: a name that is registered again is the same state', () => {
  const made = filled(KEYS);
  made.setCurrentKey('bob');
  expect(made.getState(valueState('count', Types.int)).value()).toBe(1);
});

test('backend: a key group restored twice is refused (I3)', () => {
  const bytes = filled(KEYS).snapshot().write();
  const made = backend();
  made.restore(bytes);
  expect(() => made.restore(bytes)).toThrow('I3: a key group is restored from one file');
});

test('backend: map state inserted in another order has the same value bytes', () => {
  const files = [
    ['a', 'b', 'cc'],
    ['cc', 'b', 'a'],
  ].map((userKeys) => {
    const made = backend();
    made.setCurrentKey('k');
    for (const userKey of userKeys) made.getState(seen).put(userKey, userKey);
    return made.snapshot().write();
  });
  expect(files[0]).toEqual(files[1]);
});

test('keyed state file: an auditor reads entries without serializers', () => {
  const bytes = filled(KEYS).snapshot().write();
  const names: string[] = [];
  readKeyedStateEntries(bytes, (name, keyGroup, keyBytes, valueBytes) => {
    names.push(name);
    expect(keyGroup).toBeLessThan(MAX);
    expect(keyBytes.length).toBeGreaterThan(0);
    expect(valueBytes.length).toBeGreaterThan(0);
  });
  expect(names.length).toBe(KEYS.length * 4);
  expect(decodeKeyedStateFile(bytes).states.map((state) => `${state.kind} ${state.name}`)).toEqual([
    'value count',
    'map seen',
    'reducing sum',
    'list tags',
  ]);
});

test('keyed state file: any flipped bit of any byte is found, at an offset not behind it', () => {
  const bytes = filled(KEYS.slice(0, 3)).snapshot().write();
  for (let i = 0; i < bytes.length; i++) {
    for (const bit of [0, 3, 7]) {
      const damaged = bytes.slice();
      damaged[i] = (damaged[i] ?? 0) ^ (1 << bit);
      const refusal = refusalOf(() => backend().restore(damaged));
      expect(refusal).toBeInstanceOf(CorruptData);
      if (refusal instanceof CorruptData) expect(refusal.offset).toBeLessThanOrEqual(Math.max(i, 0));
    }
  }
});

test('keyed state file: a truncated or extended file is found', () => {
  const bytes = filled(KEYS.slice(0, 3)).snapshot().write();
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeKeyedStateFile(bytes.slice(0, length))).toThrow(CorruptData);
  }
  expect(() => decodeKeyedStateFile(Uint8Array.of(...bytes, 0))).toThrow(CorruptData);
});

test('keyed state file: damage in a block names the key group', () => {
  const bytes = filled(KEYS).snapshot().write();
  const section = decodeKeyedStateFile(bytes).sections.at(-1);
  const damaged = bytes.slice();
  damaged[section?.start ?? 0] = 0xff;
  expect(() => decodeKeyedStateFile(damaged)).toThrow(
    `the block of key group ${String(section?.keyGroup)} does not match its checksum`,
  );
});

test('keyed state file: no state at all is a file, too', () => {
  const bytes = backend().snapshot().write();
  expect(decodeKeyedStateFile(bytes).sections).toEqual([]);
});

function refusalOf(action: () => void): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
