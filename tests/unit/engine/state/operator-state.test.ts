/** Operator state: deep copy at the snapshot, appended restores, unclaimed lists, file damage. */
import { expect, test } from 'vitest';
import { CorruptData } from '../../../../engine/foundation/byte-reader.ts';
import { OperatorStateStore } from '../../../../engine/state/operator-state.ts';
import { maskedCrc32c } from '../../../../engine/foundation/crc32c.ts';
import {
  decodeOperatorStateFile,
  encodeOperatorStateFile,
  listsOf,
} from '../../../../engine/state/operator-state-file.ts';
import { Types } from '../../../../engine/state/type-information.ts';

function filled(): OperatorStateStore {
  const store = new OperatorStateStore();
  store.getListState('splits', Types.json).addAll([
    { split: 1, offset: 10 },
    { split: 2, offset: 20 },
  ]);
  store.getListState('names', Types.string).update(['a', 'ü', '']);
  return store;
}

test('operator state: elements changed in place after the snapshot do not reach it (I1)', () => {
  const store = new OperatorStateStore();
  const list = store.getListState('splits', Types.json);
  const element = { offset: 1 };
  list.add(element);
  const snapshot = store.snapshot();
  element.offset = 2;
  list.add({ offset: 3 });
  expect(snapshot.entryCount).toBe(1);
  const restored = new OperatorStateStore();
  restored.restore(snapshot.write());
  expect(restored.getListState('splits', Types.json).get()).toEqual([{ offset: 1 }]);
});

test('operator state: two restored files are appended, registered or not (I2, I3)', () => {
  const bytes = filled().snapshot().write();
  const store = new OperatorStateStore();
  store.restore(bytes);
  store.restore(bytes);
  expect(store.getListState('names', Types.string).get()).toEqual(['a', 'ü', '', 'a', 'ü', '']);
  expect(store.snapshot().entryCount).toBe(10);
  const again = new OperatorStateStore();
  again.restore(store.snapshot().write());
  expect(again.getListState('splits', Types.json).get()).toHaveLength(4);
});

test('operator state: what is restored is restored before any state is registered, and in one form (I7)', () => {
  const bytes = filled().snapshot().write();
  const late = new OperatorStateStore();
  late.getListState('splits', Types.json);
  expect(() => late.restore(bytes)).toThrow('I7: a store is restored before a state is registered');
  const otherType = new OperatorStateStore();
  otherType.getListState('splits', Types.string);
  const otherMode = new OperatorStateStore();
  otherMode.getUnionListState('splits', Types.json);
  for (const [other, why] of [
    [otherType, "operator state 'splits' has type string@1, which cannot be read as json@1"],
    [otherMode, "operator state 'splits' was stored as union, which cannot become split-distribute"],
  ] as const) {
    const store = new OperatorStateStore();
    store.restore(bytes);
    expect(() => store.restore(other.snapshot().write())).toThrow(why);
  }
});

test('operator state: a name is one state', () => {
  const store = filled();
  expect(() => store.getUnionListState('names', Types.string)).toThrow('a name is registered as one state');
  expect(() => store.getListState('names', Types.int)).toThrow('a name is registered as one state');
});

test('operator state: another element type is refused, and what was restored stays as it is', () => {
  const bytes = filled().snapshot().write();
  const store = new OperatorStateStore();
  store.restore(bytes);
  expect(() => store.getListState('splits', Types.string)).toThrow(
    "operator state 'splits' has type json@1, which cannot be read as string@1",
  );
  expect(store.snapshot().write()).toEqual(bytes);
});

test('operator state file: decoded and encoded again, the same bytes', () => {
  const bytes = filled().snapshot().write();
  expect(encodeOperatorStateFile(decodeOperatorStateFile(bytes))).toEqual(bytes);
});

test('operator state file: any flipped byte and any truncation is found', () => {
  const bytes = filled().snapshot().write();
  for (let i = 0; i < bytes.length; i++) {
    const damaged = bytes.slice();
    damaged[i] = (damaged[i] ?? 0) ^ 0x10;
    expect(() => decodeOperatorStateFile(damaged)).toThrow(CorruptData);
    expect(() => decodeOperatorStateFile(bytes.slice(0, i))).toThrow(CorruptData);
  }
});

test('S5: of a file that was dealt out only the named elements are restored', () => {
  const bytes = filled().snapshot().write();
  const lists = listsOf(bytes);
  expect(lists.map(({ name, mode, offsets }) => [name, mode, offsets.length])).toEqual([
    ['names', 'split-distribute', 3],
    ['splits', 'split-distribute', 2],
  ]);
  const store = new OperatorStateStore();
  store.restore(
    bytes,
    lists.flatMap((list) => (list.name === 'names' ? [{ ...list, offsets: list.offsets.slice(1, 2) }] : [])),
  );
  expect(store.getListState('names', Types.string).get()).toEqual(['ü']);
  expect(store.getListState('splits', Types.json).get()).toEqual([]);
});

test('S6, S7: a list keeps the mode it was stored with', () => {
  const store = new OperatorStateStore();
  store.getUnionListState('offsets', Types.int).add(1);
  store.getBroadcastState('rules', Types.string, Types.int).put('limit', 2);
  const bytes = store.snapshot().write();
  expect(listsOf(bytes).map(({ mode }) => mode)).toEqual(['union', 'broadcast']);
  const again = new OperatorStateStore();
  again.restore(bytes);
  expect(() => again.getListState('offsets', Types.int)).toThrow(/stored as union/);
  expect(() => again.getBroadcastState('offsets', Types.string, Types.int)).toThrow(/stored as union/);
  expect(again.getUnionListState('offsets', Types.int).get()).toEqual([1]);
});

test('a file of format version 1, which knew no modes, is read as list state', () => {
  const bytes = filled().snapshot().write();
  const [names] = decodeOperatorStateFile(bytes);
  const old = encodeOperatorStateFile(names === undefined ? [] : [names]);
  const modeAt = old.indexOf(0, 8 + 1 + 1 + 'names'.length);
  const body = [...old.slice(0, modeAt), ...old.slice(modeAt + 1, -4)];
  body[4] = 1;
  const version1 = new Uint8Array([...body, 0, 0, 0, 0]);
  new DataView(version1.buffer).setUint32(body.length, maskedCrc32c(new Uint8Array(body)), true);
  const store = new OperatorStateStore();
  store.restore(version1);
  expect(store.getListState('names', Types.string).get()).toEqual(['a', 'ü', '']);
});
