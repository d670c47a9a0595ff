/**
 * The state log against a plain Map: random changes, checkpoints, materialisations that end late, fail or never end, and restores of any
 * checkpoint by subtasks of any number, over both backends.
 *
 * Files are written when a checkpoint or a materialisation says that it needs them, and kept; which are deleted when is for the property
 * of shared files (incremental-checkpoints.test.ts) and the sweeps.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChangelogStateBackend } from '../../engine/changelog/changelog-state-backend.ts';
import { restoreKeyedState } from '../../engine/changelog/replay.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import { keyGroupOf, type KeyGroupRange, keyGroupRangeOf } from '../../engine/job/key-groups.ts';
import { standardParts, type StateBackendOptions } from '../../engine/parts.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';
import type { LoggedSnapshot, LogPiece, Materialization } from '../../engine/state/logged-state.ts';
import { listState, mapState, reducingState, valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';

const MAX_PARALLELISM = 8;
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
const VALUE = valueState('value', Types.json);
const LIST = listState('list', Types.list(Types.int));
const MAP = mapState('map', Types.key, Types.nullable(Types.list(Types.int)));
const SUM = reducingState('sum', Types.int, (a, b) => a + b);

interface KeyModel {
  value?: number[];
  list?: number[][];
  map?: Record<string, number[] | null>;
  sum?: number;
  timers?: number[];
}
type Model = Map<string, KeyModel>;

const OPERATIONS = [
  ...(['value-update', 'value-mutate', 'value-clear', 'list-add', 'list-mutate', 'list-update', 'sum-add'] as const),
  ...(['map-put', 'map-null', 'map-mutate', 'map-remove', 'map-clear', 'timer-add', 'timer-remove'] as const),
] as const;

interface Subtask {
  readonly keyGroups: KeyGroupRange;
  readonly backend: KeyedStateBackend;
  running: Materialization | undefined;
}

interface Taken {
  readonly model: Model;
  readonly handles: readonly {
    readonly keyGroups: KeyGroupRange;
    readonly snapshot: LoggedSnapshot;
    readonly files: readonly string[];
  }[];
}

class Job {
  readonly files = new Map<string, Uint8Array>();
  readonly taken: Taken[] = [];
  model: Model = new Map(KEYS.map((key) => [key, {}]));
  subtasks: Subtask[] = [];
  reused = 0;
  readonly #options: Pick<StateBackendOptions, 'backend'> & { readonly incremental: boolean };
  #attempt = 0;

  constructor(options: Pick<StateBackendOptions, 'backend'> & { readonly incremental: boolean }) {
    this.#options = options;
    this.#deploy(2, undefined);
  }

  /** Each needed file under its path. */
  #store(subtask: number, pieces: readonly LogPiece[]): readonly string[] {
    return pieces.map((piece) => {
      if (piece.origin !== undefined) {
        this.reused += 1;
        return piece.origin.path;
      }
      const path = `dir/job/shared/${this.#attempt}-${subtask}-${piece.id}-1.segment`;
      const known = this.files.get(path);
      if (known === undefined) this.files.set(path, piece.bytes());
      else expect(piece.bytes()).toEqual(known);
      return path;
    });
  }

  apply(kind: string, key: string, n: number): void {
    const group = keyGroupOf(key, MAX_PARALLELISM);
    const subtask = this.subtasks.find(({ keyGroups }) => group >= keyGroups.start && group <= keyGroups.end);
    const backend = subtask?.backend ?? expect.fail('every key has a subtask');
    const model = this.model.get(key) ?? {};
    backend.setCurrentKey(key);
    change(backend, kind, n);
    changeModel(model, kind, n);
  }

  checkpoint(isFull: boolean): void {
    const handles = this.subtasks.map(({ backend, keyGroups }, index) => {
      const changelog = backend.changelog ?? expect.fail('changes are logged');
      const snapshot = changelog.checkpoint(isFull);
      const files = this.#store(index, snapshot.pieces);
      if (snapshot.materialization !== undefined) changelog.materialized(snapshot.materialization);
      return { keyGroups, snapshot, files };
    });
    this.taken.push({ model: structuredClone(this.model), handles });
  }

  /** A snapshot begins, or the one under way ends well or in vain. */
  materialize(index: number, ends: 'well' | 'in vain'): void {
    const subtask = this.subtasks[index % this.subtasks.length];
    const changelog = subtask?.backend.changelog;
    if (subtask === undefined || changelog === undefined) return;
    const { running } = subtask;
    if (running === undefined) {
      subtask.running = changelog.materialize();
      return;
    }
    if (ends === 'well') {
      this.#store(index % this.subtasks.length, running.pieces);
      changelog.materialized(running);
    }
    running.release();
    subtask.running = undefined;
  }

  restore(which: number, parallelism: number): void {
    const taken = this.taken[which % Math.max(1, this.taken.length)];
    this.model = taken === undefined ? new Map(KEYS.map((key) => [key, {}])) : structuredClone(taken.model);
    this.#deploy(parallelism, taken);
  }

  check(): void {
    for (const { backend, keyGroups } of this.subtasks)
      for (const key of KEYS) {
        const group = keyGroupOf(key, MAX_PARALLELISM);
        if (group < keyGroups.start || group > keyGroups.end) continue;
        expect(contentsOf(backend, key), key).toEqual(this.model.get(key));
      }
  }

  #deploy(parallelism: number, from: Taken | undefined): void {
    this.#attempt += 1;
    this.subtasks = Array.from({ length: parallelism }, (_, index) => {
      const keyGroups = keyGroupRangeOf(index, parallelism, MAX_PARALLELISM);
      const backend = this.#backend(keyGroups);
      for (const { keyGroups: range, snapshot, files } of from?.handles ?? []) {
        if (range.start > keyGroups.end || range.end < keyGroups.start) continue;
        const segments = files.map((path) => {
          const bytes = this.files.get(path) ?? expect.fail(`${path} was written`);
          return { handle: { path, bytes: bytes.length, checksum: crc32c(bytes) }, bytes };
        });
        restoreKeyedState(backend, snapshot.manifest, segments);
      }
      // The first change may come before a state is asked for.
      if (index % 2 === 0) contentsOf(backend, firstKeyOf(keyGroups));
      return { keyGroups, backend, running: undefined };
    });
  }

  #backend(keyGroups: KeyGroupRange): KeyedStateBackend {
    const { backend, incremental } = this.#options;
    return standardParts.createStateBackend({
      keySerializer: Types.string,
      keyGroups,
      maxParallelism: MAX_PARALLELISM,
      backend,
      work: { blockReads: 0, diskBytes: 0 },
      changelog: { fullBytes: 96, incremental, compression: 'none', materializedTo: (next) => next },
    });
  }
}

const firstKeyOf = ({ start, end }: KeyGroupRange): string =>
  KEYS.find((key) => {
    const group = keyGroupOf(key, MAX_PARALLELISM);
    return group >= start && group <= end;
  }) ?? expect.fail('every range has a key');

function change(backend: KeyedStateBackend, kind: string, n: number): void {
  switch (kind) {
    case 'value-update':
      return backend.getState(VALUE).update([n]);
    case 'value-mutate':
      (backend.getState(VALUE).value() as number[] | undefined)?.push(n);
      return;
    case 'value-clear':
      return backend.getState(VALUE).clear();
    case 'list-add':
      return backend.getState(LIST).add([n]);
    case 'list-mutate':
      for (const element of backend.getState(LIST).get()) element.push(n);
      return;
    case 'list-update':
      return backend.getState(LIST).update(n === 0 ? [] : [[n]]);
    case 'sum-add':
      return backend.getState(SUM).add(n);
    case 'map-put':
      return backend.getState(MAP).put(n, [n]);
    case 'map-null':
      return backend.getState(MAP).put(n, null);
    case 'map-mutate':
      backend.getState(MAP).get(n)?.push(n);
      return;
    case 'map-remove':
      return backend.getState(MAP).remove(n);
    case 'map-clear':
      return backend.getState(MAP).clear();
    case 'timer-add':
      return void backend.getTimers('timers').add('', n);
    default:
      return void backend.getTimers('timers').remove('', n);
  }
}

function changeModel(model: KeyModel, kind: string, n: number): void {
  const { list = [], map = {}, timers = [] } = model;
  switch (kind) {
    case 'value-update':
      model.value = [n];
      break;
    case 'value-mutate':
      model.value?.push(n);
      break;
    case 'value-clear':
      delete model.value;
      break;
    case 'list-add':
      model.list = [...list, [n]];
      break;
    case 'list-mutate':
      for (const element of list) element.push(n);
      break;
    case 'list-update':
      model.list = n === 0 ? [] : [[n]];
      break;
    case 'sum-add':
      model.sum = (model.sum ?? 0) + n;
      break;
    case 'map-put':
      model.map = { ...map, [n]: [n] };
      break;
    case 'map-null':
      model.map = { ...map, [n]: null };
      break;
    case 'map-mutate':
      map[n]?.push(n);
      break;
    case 'map-remove':
      delete map[n];
      break;
    case 'map-clear':
      model.map = {};
      break;
    case 'timer-add':
      model.timers = [...new Set([...timers, n])].sort((a, b) => a - b);
      break;
    default:
      model.timers = timers.filter((timer) => timer !== n);
  }
  if (model.list?.length === 0) delete model.list;
  if (model.map !== undefined && Object.keys(model.map).length === 0) delete model.map;
  if (model.timers?.length === 0) delete model.timers;
}

function contentsOf(backend: KeyedStateBackend, key: string): KeyModel {
  backend.setCurrentKey(key);
  const model: KeyModel = {};
  const value = backend.getState(VALUE).value();
  const list = backend.getState(LIST).get();
  const entries = backend.getState(MAP).entries();
  const sum = backend.getState(SUM).get();
  backend.getTimers('timers');
  const timers: number[] = [];
  backend.visitEntries((state, _group, of, content) => {
    if (state === 'timers' && of === key)
      for (const { timestampUs } of content as readonly { readonly timestampUs: number }[]) timers.push(timestampUs);
  });
  if (value !== undefined) model.value = value as number[];
  if (list.length > 0) model.list = list.map((element) => [...element]);
  if (entries.length > 0) model.map = Object.fromEntries(entries);
  if (sum !== undefined) model.sum = sum;
  if (timers.length > 0) model.timers = timers;
  return structuredClone(model);
}

const step = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('change' as const),
      operation: fc.constantFrom(...OPERATIONS),
      key: fc.nat(KEYS.length - 1),
      n: fc.nat(3),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const), isFull: fc.nat(7) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('materialize' as const),
      subtask: fc.nat(2),
      ends: fc.constantFrom('well' as const, 'in vain' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restore' as const),
      // Mostly what is newest, at the same parallelism: then its files are built on.
      age: fc.oneof(fc.constant(0), fc.nat(20)),
      parallelism: fc.oneof(fc.constant(2), fc.integer({ min: 1, max: 3 })),
    }),
  },
);

describe.each([
  { name: 'hashmap', backend: 'hashmap', incremental: false },
  { name: 'lsm', backend: 'lsm', incremental: false },
  { name: 'incremental lsm', backend: 'lsm', incremental: true },
] as const)('changelog over $name', (options) => {
  test('S20: any changes, checkpoints, materialisations and restores: every checkpoint is its moment', () => {
    let reused = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const job = new Job(options);
        for (const what of steps) {
          if (what.kind === 'change') job.apply(what.operation, KEYS[what.key] ?? 'a', what.n);
          else if (what.kind === 'checkpoint') job.checkpoint(what.isFull === 0);
          else if (what.kind === 'materialize') job.materialize(what.subtask, what.ends);
          else job.restore(Math.max(0, job.taken.length - 1 - what.age), what.parallelism);
        }
        job.check();
        for (let which = 0; which < job.taken.length; which += 1) {
          job.restore(which, 1 + (which % 3));
          job.check();
        }
        reused += job.reused;
      }),
      { seed: 20, numRuns: 60 },
    );
    expect(reused).toBeGreaterThan(100);
  });
});

test('S20: the changelog backend is what is made when changes are logged', () => {
  const backend = new Job({ backend: 'hashmap', incremental: false }).subtasks[0]?.backend;
  expect(backend).toBeInstanceOf(ChangelogStateBackend);
});
