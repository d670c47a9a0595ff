/**
 * Incremental checkpoints without a cluster: backends of the lsm kind, what their subtasks remember of uploads, and the JobManager's shared
 * state, against plain Maps (rows C7, C9, C16, C27, S16 to S18). Checkpoints overlap, acknowledgements and notices are lost, leaders and
 * subtasks crash, the parallelism changes; one checkpoint is retained, so that a file that goes too early is missed at once.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompletedCheckpointStore } from '../../engine/checkpoint/completed-checkpoint-store.ts';
import { SharedState } from '../../engine/checkpoint/shared-state.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import { leaderEpoch } from '../../engine/foundation/ids.ts';
import { keyGroupOf, keyGroupRangeOf } from '../../engine/job/key-groups.ts';
import { LsmStateBackend } from '../../engine/lsm/lsm-state-backend.ts';
import { standardParts } from '../../engine/parts.ts';
import { creatorOf, isShared, segmentFile } from '../../engine/protocol/checkpoint-paths.ts';
import type { CheckpointMetadata } from '../../engine/protocol/metadata-file.ts';
import type { SegmentHandle, StateHandle } from '../../engine/protocol/state-handle.ts';
import { mapState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { segmentKey, UploadedSegments } from '../../engine/taskmanager/uploaded-segments.ts';
import { id } from '../support/engine-values.ts';
import { RecordingOut } from '../support/recording-out.ts';

const MAX_PARALLELISM = 8;
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;
const SHARED = 'dir/job/shared';
const COUNTS = mapState('counts', Types.int, Types.int);
type Model = Map<string, Map<number, number>>;

const copyOf = (model: Model): Model => new Map(Array.from(model, ([key, counts]) => [key, new Map(counts)]));

interface Subtask {
  readonly attempt: number;
  readonly index: number;
  readonly backend: LsmStateBackend;
  readonly uploaded: UploadedSegments;
}

interface Pending {
  readonly checkpoint: number;
  readonly model: Model;
  readonly handles: readonly StateHandle[];
  /** Subtasks as they were when it was taken. */
  readonly subtasks: readonly Subtask[];
}

class Cluster {
  readonly files = new Map<string, Uint8Array>();
  readonly out = new RecordingOut();
  model: Model = new Map(KEYS.map((key) => [key, new Map<number, number>()]));
  store = new CompletedCheckpointStore(1, { epoch: leaderEpoch(1), completed: [] }, 1);
  shared = this.#newShared();
  subtasks: Subtask[] = [];
  readonly pending: Pending[] = [];
  readonly completed = new Map<number, Model>();
  refused = 0;
  reused = 0;
  #lastId = 0;
  #nextAttempt = 1;

  constructor() {
    this.#deploy(2, undefined);
  }

  put(key: string, userKey: number, value: number): void {
    this.#stateOf(key).put(userKey, value);
    this.model.get(key)?.set(userKey, value);
  }

  remove(key: string, userKey: number): void {
    this.#stateOf(key).remove(userKey);
    this.model.get(key)?.delete(userKey);
  }

  /** Snapshots, uploads and acknowledgements; `lost`: the acknowledgement of this subtask never comes. */
  begin(isFull: boolean, lost: number | undefined): void {
    this.#lastId += 1;
    const checkpoint = this.#lastId;
    const handles: StateHandle[] = [];
    let isDead = false;
    this.subtasks.forEach((subtask, index) => {
      const handle = this.#snapshot(subtask, checkpoint, isFull);
      if (index === lost) {
        isDead = true;
        return;
      }
      const epoch = leaderEpoch(1);
      const message = {
        kind: 'acknowledge-checkpoint',
        epoch,
        checkpointId: id(checkpoint),
        handles: [handle],
      } as const;
      const registered = this.shared.register({ ...message, attempt: subtask.attempt } as never, this.out);
      if (registered === undefined) {
        this.refused += 1;
        isDead = true;
      } else handles.push(...registered);
    });
    if (isDead) this.#abort(checkpoint, this.subtasks);
    else this.pending.push({ checkpoint, model: copyOf(this.model), handles, subtasks: this.subtasks });
  }

  /** The oldest pending checkpoint becomes durable; `deaf` subtasks do not hear of it. */
  complete(deaf: number): void {
    const done = this.pending.shift();
    if (done === undefined) return;
    const { checkpoint, handles, model, subtasks } = done;
    const states = handles.map((handle, subtask) => ({ vertex: 0, subtask, handles: [handle] }));
    const metadata: CheckpointMetadata = {
      checkpointId: id(checkpoint),
      jobId: 'job',
      triggeredAtUs: 0,
      states,
      operators: [],
      highestParallelism: 0,
    };
    this.store.remember(metadata);
    const retained = { id: id(checkpoint), metadata: `dir/job/chk-${checkpoint}/_metadata` };
    const pointer = this.store.pointerWith(retained, leaderEpoch(1));
    this.store.stored(pointer, this.store.version + 1);
    this.completed.set(checkpoint, model);
    subtasks.forEach((subtask, index) => {
      if ((deaf & (1 << index)) === 0) subtask.uploaded.confirmed(id(checkpoint));
    });
    this.shared.sweep(pointer, new Set(), this.out);
  }

  /** Everything restarts from the newest checkpoint; perhaps under a new leader. */
  restart(parallelism: number, isNewLeader: boolean): void {
    this.pending.length = 0;
    if (isNewLeader) this.shared = this.#newShared();
    const newest = this.store.newest;
    const metadata = newest === undefined ? undefined : this.store.metadataOf(newest.id);
    this.model = newest === undefined ? this.model : copyOf(this.completed.get(newest.id) ?? new Map());
    if (newest === undefined) for (const counts of this.model.values()) counts.clear();
    this.#deploy(parallelism, metadata);
  }

  check(): void {
    for (const key of KEYS) {
      const entries = [...this.#stateOf(key).entries()];
      const expected = [...(this.model.get(key) ?? [])].sort(([a], [b]) => a - b);
      expect(entries).toEqual(expected);
    }
    const metadata = this.store.newest && this.store.metadataOf(this.store.newest.id);
    for (const { handles } of metadata?.states ?? [])
      for (const { segments = [] } of handles)
        for (const { path, isPlaceholder } of segments) {
          expect(this.files.has(path), `${path} of the retained checkpoint`).toBe(true);
          expect(isPlaceholder).toBeUndefined();
        }
  }

  /** Of all that lies there, what no retained checkpoint uses and no later one can. */
  garbage(): readonly string[] {
    const newest = this.store.newest;
    const metadata = newest && this.store.metadataOf(newest.id);
    const used = new Set(
      metadata?.states.flatMap(({ handles }) =>
        handles.flatMap(({ segments = [] }) => segments.map(({ path }) => path)),
      ),
    );
    return [...this.files.keys()].filter(
      (path) => isShared(path) && !used.has(path) && creatorOf(path) < (newest?.id ?? 0),
    );
  }

  #newShared(): SharedState {
    return new SharedState({
      parts: standardParts,
      store: this.store,
      root: 'checkpoints/job/',
      storage: { read: () => expect.unreachable('no run before this one') },
      isIncremental: () => true,
      merges: false,
      cleaner: {
        deleteFiles: (paths) => {
          for (const path of paths) this.files.delete(path);
        },
        sweepShared: (_directory, isGarbage) => {
          for (const path of [...this.files.keys()]) if (isShared(path) && isGarbage(path)) this.files.delete(path);
        },
      },
    });
  }

  #abort(checkpoint: number, subtasks: readonly Subtask[]): void {
    for (const { uploaded } of subtasks) {
      uploaded.aborted(id(checkpoint));
      if (this.store.newest !== undefined) uploaded.confirmed(this.store.newest.id);
    }
  }

  #snapshot({ attempt, index, backend, uploaded }: Subtask, checkpoint: number, isFull: boolean): StateHandle {
    if (isFull) uploaded.full(id(checkpoint));
    const { files } = backend.snapshot();
    const manifest = files?.manifest() ?? new Uint8Array(0);
    const known = new Map<string, SegmentHandle>();
    const segments = (files?.segments ?? []).map((segment): SegmentHandle => {
      const found = uploaded.find('op', segment, id(checkpoint), this.out);
      if (found !== undefined) {
        this.reused += 1;
        known.set(segmentKey('op', segment.id), found);
        return { path: found.path, bytes: 0, checksum: 0, isPlaceholder: true };
      }
      const question = { operator: 'op', subtask: index, attempt, segment: segment.id, checkpointId: checkpoint };
      const path = segmentFile({ directory: SHARED, ...question });
      expect(this.files.has(path)).toBe(false);
      const bytes = segment.read();
      this.files.set(path, bytes);
      const handle = { path, bytes: bytes.length, checksum: crc32c(bytes) };
      known.set(segmentKey('op', segment.id), handle);
      return handle;
    });
    uploaded.acknowledged(id(checkpoint), known);
    const keyGroups = keyGroupRangeOf(index, this.subtasks.length, MAX_PARALLELISM);
    const checksum = crc32c(manifest);
    return {
      operator: 'op',
      state: 'keyed',
      path: '',
      inline: manifest,
      bytes: manifest.length,
      checksum,
      keyGroups,
      segments,
    };
  }

  #deploy(parallelism: number, restored: CheckpointMetadata | undefined): void {
    const handles = restored?.states.flatMap((state) => state.handles) ?? [];
    this.subtasks = Array.from({ length: parallelism }, (_, index) => {
      const keyGroups = keyGroupRangeOf(index, parallelism, MAX_PARALLELISM);
      const options = { keySerializer: Types.key, keyGroups, maxParallelism: MAX_PARALLELISM, memtableBytes: 48 };
      const backend = new LsmStateBackend(options);
      for (const { inline, keyGroups: range, segments = [] } of handles) {
        if (range === undefined || range.start > keyGroups.end || range.end < keyGroups.start) continue;
        const files = segments.map((handle) => ({ handle, bytes: this.files.get(handle.path) ?? new Uint8Array(0) }));
        backend.restore(inline ?? new Uint8Array(0), files);
      }
      this.#nextAttempt += 1;
      return { attempt: this.#nextAttempt, index, backend, uploaded: new UploadedSegments(standardParts) };
    });
  }

  #stateOf(key: string) {
    const group = keyGroupOf(key, MAX_PARALLELISM);
    const owner = this.subtasks.findIndex((_, index) => {
      const { start, end } = keyGroupRangeOf(index, this.subtasks.length, MAX_PARALLELISM);
      return group >= start && group <= end;
    });
    const backend = this.subtasks[owner]?.backend ?? expect.fail('every key has a subtask');
    backend.setCurrentKey(key);
    return backend.getState(COUNTS);
  }
}

const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('put' as const), key: fc.nat(7), userKey: fc.nat(3), value: fc.nat(99) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), key: fc.nat(7), userKey: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      isFull: fc.nat(7),
      lost: fc.option(fc.nat(4), { freq: 4, nil: undefined }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('complete' as const), deaf: fc.nat(15) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      parallelism: fc.integer({ min: 1, max: 4 }),
      leader: fc.boolean(),
    }),
  },
);

test('S16, S17, S18, C9: whatever is lost, every retained checkpoint has its files, restores to its moment, and no garbage stays', () => {
  let reused = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 90, size: 'max' }), (steps) => {
      const cluster = new Cluster();
      for (const what of steps) {
        if (what.kind === 'put') cluster.put(KEYS[what.key] ?? 'a', what.userKey, what.value);
        else if (what.kind === 'remove') cluster.remove(KEYS[what.key] ?? 'a', what.userKey);
        else if (what.kind === 'begin') cluster.begin(what.isFull === 0, what.lost);
        else if (what.kind === 'complete') cluster.complete(what.deaf);
        else cluster.restart(what.parallelism, what.leader);
        cluster.check();
      }
      cluster.restart(3, true);
      cluster.check();
      // Two quiet checkpoints: the second one's sweep finds what the storm left.
      for (let quiet = 0; quiet < 2; quiet += 1) {
        cluster.begin(false, undefined);
        while (cluster.pending.length > 0) cluster.complete(0);
      }
      expect(cluster.garbage()).toEqual([]);
      reused += cluster.reused;
      refused += cluster.refused;
    }),
    { seed: 17, numRuns: 150 },
  );
  expect(reused).toBeGreaterThan(500);
  // A placeholder of a file that was deleted is met, too.
  expect(refused).toBeGreaterThan(0);
});
