/**
 * Model-based properties of keyed state: random operations on the copy-on-write map and on every backend against a plain
 * Map with deep copies, with snapshots that are written late, twice, released in any order, and restored.
 *
 * `size: 'max'` matters: by default fast-check keeps arrays so short that two snapshots hardly ever overlap.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CorruptData } from '../../engine/foundation/byte-reader.ts';
import { keyGroupRangeOf } from '../../engine/job/key-groups.ts';
import { CopyOnWriteMap, type CopyOnWriteSnapshot } from '../../engine/state/copy-on-write-map.ts';
import type { KeyedStateBackend, KeyedStateSnapshot } from '../../engine/state/keyed-state-backend.ts';
import { decodeKeyedStateFile } from '../../engine/state/keyed-state-file.ts';
import {
  aggregatingState,
  listState,
  mapState,
  reducingState,
  valueState,
} from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { BACKENDS, type TestedBackend } from '../support/state-backends.ts';

const GROUPS = 3;
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;

interface Box {
  n: number;
}
type Model = Map<string, Box>[];
type MapOperation =
  | { readonly kind: 'put' | 'mutate' | 'remove' | 'read'; readonly key: number; readonly n: number }
  | { readonly kind: 'clear' | 'snapshot' }
  | { readonly kind: 'check' | 'release'; readonly which: number };

const keyed = (kind: 'put' | 'mutate' | 'remove' | 'read'): fc.Arbitrary<MapOperation> =>
  fc.record({ kind: fc.constant(kind), key: fc.nat(KEYS.length - 1), n: fc.nat(99) });
const mapOperation: fc.Arbitrary<MapOperation> = fc.oneof(
  { weight: 6, arbitrary: keyed('put') },
  { weight: 5, arbitrary: keyed('mutate') },
  { weight: 4, arbitrary: keyed('remove') },
  { weight: 2, arbitrary: keyed('read') },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('check' as const, 'release' as const), which: fc.nat(9) }),
  },
);

function modelCopy(model: Model): Model {
  return model.map((group) => new Map(Array.from(group, ([key, box]) => [key, { n: box.n }])));
}

function expectContents(snapshot: CopyOnWriteSnapshot<string, Box>, model: Model): void {
  let count = 0;
  model.forEach((expected, group) => {
    const found: [string, Box][] = [];
    snapshot.forEach(group, (key, box) => found.push([key, box]));
    expect(found).toEqual([...expected]);
    count += expected.size;
  });
  expect(snapshot.entryCount).toBe(count);
}

/** Runs the operations on the map and the model side by side. */
class MapRun {
  readonly map = new CopyOnWriteMap<string, Box>(GROUPS, { immutable: false, copy: (box) => ({ n: box.n }) });
  readonly model: Model = Array.from({ length: GROUPS }, () => new Map<string, Box>());
  readonly live: { readonly snapshot: CopyOnWriteSnapshot<string, Box>; readonly model: Model }[] = [];

  apply(operation: MapOperation): void {
    switch (operation.kind) {
      case 'clear':
        this.map.clear();
        for (const group of this.model) group.clear();
        return;
      case 'snapshot':
        this.live.push({ snapshot: this.map.snapshot(), model: modelCopy(this.model) });
        return;
      case 'check':
      case 'release':
        this.#onSnapshot(operation.kind, operation.which);
        return;
      default:
        this.#onKey(operation.kind, operation.key, operation.n);
    }
  }

  #onSnapshot(kind: 'check' | 'release', which: number): void {
    const index = which % Math.max(this.live.length, 1);
    const chosen = this.live[index];
    if (chosen === undefined) return;
    expectContents(chosen.snapshot, chosen.model);
    if (kind === 'check') return;
    chosen.snapshot.release();
    this.live.splice(index, 1);
  }

  #onKey(kind: 'put' | 'mutate' | 'remove' | 'read', index: number, n: number): void {
    const key = KEYS[index] ?? 'a';
    const group = index % GROUPS;
    const expected = this.model[group];
    if (kind === 'put') {
      this.map.put(group, key, { n });
      expected?.set(key, { n });
    } else if (kind === 'remove') {
      expect(this.map.remove(group, key)).toBe(expected?.delete(key));
    } else {
      const box = this.map.get(group, key);
      expect(box).toEqual(expected?.get(key));
      if (kind === 'mutate' && box !== undefined) {
        box.n = n;
        expected?.set(key, { n });
      }
    }
  }
}

test('copy-on-write map: any operations, every live snapshot yields its moment in order (I1 to I5)', () => {
  fc.assert(
    fc.property(fc.array(mapOperation, { maxLength: 120, size: 'max' }), (operations) => {
      const run = new MapRun();
      for (const operation of operations) run.apply(operation);
      for (const { snapshot, model } of run.live) expectContents(snapshot, model);
      expectContents(run.map.snapshot(), run.model);
      for (const { snapshot } of run.live.reverse()) snapshot.release();
      expect(run.map.liveSnapshotCount).toBe(1);
      expect(run.map.retainedCount).toBe(0);
    }),
    { seed: 6, numRuns: 600 },
  );
});

const MAX = 8;
const value = valueState('value', Types.json);
const list = listState('list', Types.row<Box>({ n: Types.int }));
const map = mapState('map', Types.int, Types.nullable(Types.list(Types.int)));
const reducing = reducingState<Box>('reducing', Types.row<Box>({ n: Types.int }), (box, added) => {
  box.n += added.n;
  return box;
});
const aggregating = aggregatingState<number, number[], number>('aggregating', Types.list(Types.int), {
  createAccumulator: () => [],
  add(values, n) {
    values.push(n);
    return values;
  },
  getResult: (values) => values.reduce((sum, n) => sum + n, 0),
  merge: (a, b) => [...a, ...b],
});

/** What the states of one key hold. */
interface KeyModel {
  value?: number[];
  list?: Box[];
  map?: Record<number, number[] | null>;
  reducing?: Box;
  /** The result of the aggregate. */
  sum?: number;
}

const backendOperation = fc.record({
  kind: fc.constantFrom(
    ...(['value-update', 'value-mutate', 'value-clear', 'list-add', 'list-mutate', 'list-update', 'map-put'] as const),
    ...([
      'map-put-null',
      'map-mutate',
      'map-remove',
      'map-clear',
      'reducing-add',
      'reducing-clear',
      'aggregating-add',
      'aggregating-clear',
      'snapshot',
      'check',
      'release',
    ] as const),
  ),
  key: fc.nat(KEYS.length - 1),
  n: fc.nat(3),
});
type BackendOperation = typeof backendOperation extends fc.Arbitrary<infer O> ? O : never;

function backendOf(tested: TestedBackend, subtask: number, parallelism: number): KeyedStateBackend {
  const keyGroups = keyGroupRangeOf(subtask, parallelism, MAX);
  return tested.create({ keySerializer: Types.string, keyGroups, maxParallelism: MAX });
}

/** What a backend holds, read as a user would. */
function contentsOf(backend: KeyedStateBackend): Map<string, KeyModel> {
  const found = new Map<string, KeyModel>();
  for (const key of KEYS) {
    backend.setCurrentKey(key);
    const model: KeyModel = {};
    const stored = backend.getState(value).value();
    const elements = backend.getState(list).get();
    const entries = backend.getState(map).entries();
    const reduced = backend.getState(reducing).get();
    const aggregated = backend.getState(aggregating).get();
    if (stored !== undefined) model.value = stored as number[];
    if (elements.length > 0) model.list = elements.map((box) => ({ ...box }));
    expect(entries.map(([user]) => user)).toEqual(entries.map(([user]) => user).sort((a, b) => a - b));
    if (entries.length > 0) model.map = Object.fromEntries(entries);
    if (reduced !== undefined) model.reducing = reduced;
    if (aggregated !== undefined) model.sum = aggregated;
    found.set(key, structuredClone(model));
  }
  return found;
}

class BackendRun {
  readonly tested: TestedBackend;
  readonly backend: KeyedStateBackend;
  readonly model = new Map<string, KeyModel>(KEYS.map((key) => [key, {}]));
  readonly live: { readonly snapshot: KeyedStateSnapshot; readonly model: Map<string, KeyModel> }[] = [];

  /** All states are registered, so that a file of this run lists them all. */
  constructor(tested: TestedBackend) {
    this.tested = tested;
    this.backend = backendOf(tested, 0, 1);
    expect(contentsOf(this.backend)).toEqual(this.model);
  }

  apply({ kind, key, n }: BackendOperation): void {
    if (kind === 'snapshot') {
      this.live.push({ snapshot: this.backend.snapshot(), model: structuredClone(this.model) });
    } else if (kind === 'check' || kind === 'release') {
      const index = n % Math.max(this.live.length, 1);
      const chosen = this.live[index];
      if (chosen !== undefined) expectRestored(this.tested, chosen.snapshot.write(), chosen.model);
      if (kind === 'check' || chosen === undefined) return;
      chosen.snapshot.release();
      this.live.splice(index, 1);
    } else {
      const name = KEYS[key] ?? 'a';
      this.backend.setCurrentKey(name);
      const model = this.model.get(name) ?? {};
      if (kind.startsWith('value')) this.#onValue(kind, n, model);
      else if (kind.startsWith('list')) this.#onList(kind, n, model);
      else if (kind.startsWith('map')) this.#onMap(kind, n, model);
      else if (kind.startsWith('reducing')) this.#onReducing(kind, n, model);
      else this.#onAggregating(kind, n, model);
    }
  }

  #onValue(kind: string, n: number, model: KeyModel): void {
    const state = this.backend.getState(value);
    if (kind === 'value-update') {
      state.update([n]);
      model.value = [n];
    } else if (kind === 'value-clear') {
      state.clear();
      delete model.value;
    } else {
      (state.value() as number[] | undefined)?.push(n);
      model.value?.push(n);
    }
  }

  #onList(kind: string, n: number, model: KeyModel): void {
    const state = this.backend.getState(list);
    if (kind === 'list-add') {
      state.add({ n });
      model.list = [...(model.list ?? []), { n }];
    } else if (kind === 'list-update') {
      state.update(n === 0 ? [] : [{ n }]);
      if (n === 0) delete model.list;
      else model.list = [{ n }];
    } else {
      for (const box of state.get()) box.n += n;
      for (const box of model.list ?? []) box.n += n;
    }
  }

  #onMap(kind: string, n: number, model: KeyModel): void {
    const state = this.backend.getState(map);
    if (kind === 'map-put') {
      state.put(n, [n]);
      model.map = { ...model.map, [n]: [n] };
    } else if (kind === 'map-put-null') {
      state.put(n, null);
      model.map = { ...model.map, [n]: null };
      expect(state.contains(n)).toBe(true);
    } else if (kind === 'map-mutate') {
      state.get(n)?.push(n);
      model.map?.[n]?.push(n);
    } else if (kind === 'map-clear') {
      state.clear();
      delete model.map;
    } else {
      expect(state.contains(n)).toBe(model.map?.[n] !== undefined);
      state.remove(n);
      delete model.map?.[n];
      if (Object.keys(model.map ?? {}).length === 0) delete model.map;
      expect(state.isEmpty()).toBe(model.map === undefined);
    }
  }

  #onAggregating(kind: string, n: number, model: KeyModel): void {
    const state = this.backend.getState(aggregating);
    if (kind === 'aggregating-clear') {
      state.clear();
      delete model.sum;
    } else {
      state.add(n);
      model.sum = (model.sum ?? 0) + n;
    }
  }

  #onReducing(kind: string, n: number, model: KeyModel): void {
    const state = this.backend.getState(reducing);
    if (kind === 'reducing-clear') {
      state.clear();
      delete model.reducing;
    } else {
      state.add({ n });
      model.reducing = { n: (model.reducing?.n ?? 0) + n };
    }
  }
}

function expectRestored(tested: TestedBackend, bytes: Uint8Array, model: Map<string, KeyModel>): void {
  const restored = backendOf(tested, 0, 1);
  restored.restore(bytes);
  expect(contentsOf(restored)).toEqual(model);
}

test.each(BACKENDS)('$name backend: any operations, a snapshot written late and restored is its moment', (tested) => {
  fc.assert(
    fc.property(fc.array(backendOperation, { maxLength: 80, size: 'max' }), (operations) => {
      const run = new BackendRun(tested);
      for (const operation of operations) run.apply(operation);
      for (const { snapshot, model } of run.live) expectRestored(tested, snapshot.write(), model);
      expect(contentsOf(run.backend)).toEqual(run.model);
    }),
    { seed: 7, numRuns: 150 },
  );
});

test.each(BACKENDS)('$name backend: any state, split over any parallelism and merged again, is the same', (tested) => {
  fc.assert(
    fc.property(
      fc.array(backendOperation, { maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: MAX }),
      (operations, parallelism) => {
        const run = new BackendRun(tested);
        for (const operation of operations) run.apply(operation);
        const bytes = run.backend.snapshot().write();
        const merged = backendOf(tested, 0, 1);
        for (let subtask = 0; subtask < parallelism; subtask++) {
          const part = backendOf(tested, subtask, parallelism);
          part.restore(bytes);
          if (subtask % 2 === 0) part.getState(list);
          merged.restore(part.snapshot().write());
        }
        expect(merged.snapshot().write()).toEqual(bytes);
      },
    ),
    { seed: 8, numRuns: 60 },
  );
});

test.each(BACKENDS.slice(0, 1))(
  'keyed state file ($name): any damage to any byte, or truncation, is found',
  (tested) => {
    const run = new BackendRun(tested);
    for (let key = 0; key < 4; key++) run.apply({ kind: 'list-add', key, n: key % 4 });
    run.apply({ kind: 'map-put', key: 1, n: 2 });
    const bytes = run.backend.snapshot().write();
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (index, flip) => {
        const damaged = bytes.slice();
        damaged[index] = (damaged[index] ?? 0) ^ flip;
        expect(() => decodeKeyedStateFile(damaged)).toThrow(CorruptData);
        expect(() => decodeKeyedStateFile(bytes.slice(0, index))).toThrow(CorruptData);
      }),
      { seed: 9, numRuns: 2000 },
    );
  },
);
