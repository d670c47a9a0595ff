/** Stories of the copy-on-write map; the random ones are in tests/properties/state.test.ts. */
import { expect, test } from 'vitest';
import { CopyOnWriteMap, type CopyOnWriteSnapshot } from '../../../../engine/state/copy-on-write-map.ts';

interface Box {
  n: number;
}
const boxes = { immutable: false, copy: (box: Box): Box => ({ n: box.n }) };
const plain = { immutable: true, copy: (value: number): number => value };

function contents<V>(snapshot: CopyOnWriteSnapshot<string, V>, group = 0): [string, V][] {
  const found: [string, V][] = [];
  snapshot.forEach(group, (key, value) => found.push([key, value]));
  return found;
}

test('copy-on-write map: a removed and re-inserted key, seen at its old place by the snapshot (I1)', () => {
  const map = new CopyOnWriteMap<string, number>(1, plain);
  for (const [key, n] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ] as const)
    map.put(0, key, n);
  const snapshot = map.snapshot();
  map.remove(0, 'b');
  map.put(0, 'b', 20);
  map.put(0, 'a', 10);
  map.put(0, 'd', 4);
  expect(contents(snapshot)).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]);
  expect(contents(map.snapshot())).toEqual([
    ['a', 10],
    ['c', 3],
    ['b', 20],
    ['d', 4],
  ]);
});

test('copy-on-write map: a read hands out a copy only while a snapshot needs the original (I2, I3)', () => {
  const map = new CopyOnWriteMap<string, Box>(1, boxes);
  const original = { n: 1 };
  map.put(0, 'a', original);
  expect(map.get(0, 'a')).toBe(original);
  const snapshot = map.snapshot();
  const copy = map.get(0, 'a');
  expect(copy).not.toBe(original);
  expect(map.get(0, 'a')).toBe(copy);
  if (copy !== undefined) copy.n = 2;
  expect(contents(snapshot)).toEqual([['a', { n: 1 }]]);
  expect(map.retainedCount).toBe(1);
  snapshot.release();
  expect(map.retainedCount).toBe(0);
  expect(map.get(0, 'a')).toBe(copy);
});

test('copy-on-write map: releasing the newer of two snapshots, the older keeps what it needs (I4)', () => {
  const map = new CopyOnWriteMap<string, number>(1, plain);
  map.put(0, 'a', 1);
  const first = map.snapshot();
  map.put(0, 'b', 1);
  const second = map.snapshot();
  map.put(0, 'a', 2);
  map.put(0, 'b', 2);
  map.remove(0, 'a');
  second.release();
  expect(contents(first)).toEqual([['a', 1]]);
  expect(map.retainedCount).toBe(2);
  first.release();
  expect(map.retainedCount).toBe(0);
});

test('copy-on-write map: releasing the older snapshot leaves the newer alone', () => {
  const map = new CopyOnWriteMap<string, number>(1, plain);
  map.put(0, 'a', 1);
  const first = map.snapshot();
  map.put(0, 'a', 2);
  const second = map.snapshot();
  map.clear();
  first.release();
  first.release();
  expect(contents(second)).toEqual([['a', 2]]);
  expect(map.size).toBe(0);
  expect(() => contents(first)).toThrow('a snapshot is iterated only before its release');
});
