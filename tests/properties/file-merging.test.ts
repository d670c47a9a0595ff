/**
 * Who deletes merged files, without a cluster: what TaskManagers know of theirs, and the JobManager's shared state (row S19, decision 0096).
 * Checkpoints overlap and fail, notices are lost, subtasks end, TaskManagers and leaders die, and every deletion may come late. Whatever a
 * retained checkpoint names must lie there; what nobody names must go.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompletedCheckpointStore } from '../../engine/checkpoint/completed-checkpoint-store.ts';
import { SharedState } from '../../engine/checkpoint/shared-state.ts';
import { type ExecutionAttemptId, leaderEpoch } from '../../engine/foundation/ids.ts';
import { type EngineParts, standardParts } from '../../engine/parts.ts';
import { creatorOf, mergedFile } from '../../engine/protocol/checkpoint-paths.ts';
import type { AcknowledgeCheckpoint } from '../../engine/protocol/messages.ts';
import type { StateHandle } from '../../engine/protocol/state-handle.ts';
import { PhysicalFiles } from '../../engine/taskmanager/file-merging/physical-files.ts';
import { attempt, id } from '../support/engine-values.ts';
import { RecordingOut } from '../support/recording-out.ts';

const TASK_MANAGERS = 2;
const SUBTASKS = 2;
const PART_BYTES = 10;
/** A file takes so many parts. */
const PARTS_MAX = 6;

interface TaskManager {
  readonly name: string;
  known: PhysicalFiles;
  readonly running: ExecutionAttemptId[];
  open: { readonly path: string; readonly opener: ExecutionAttemptId; parts: number } | undefined;
}

interface Pending {
  readonly checkpoint: number;
  readonly required: readonly ExecutionAttemptId[];
  readonly handles: readonly StateHandle[];
}

class World {
  /** By path: how many parts are in it. */
  readonly files = new Map<string, number>();
  readonly out = new RecordingOut();
  readonly parts: EngineParts;
  readonly store = new CompletedCheckpointStore(2, { epoch: leaderEpoch(1), completed: [] }, 1);
  shared: SharedState;
  readonly taskManagers: readonly TaskManager[];
  pending: Pending[] = [];
  /** Deletions under way. */
  late: string[] = [];
  appended = 0;
  #lastId = 0;
  #lastAttempt = 100;
  #lastFile = 0;

  constructor(wrong: Partial<EngineParts> = {}) {
    this.parts = { ...standardParts, ...wrong };
    this.shared = this.#newShared();
    this.taskManagers = Array.from({ length: TASK_MANAGERS }, (_, index) => ({
      name: `t${index}`,
      known: new PhysicalFiles(this.parts),
      running: Array.from({ length: SUBTASKS }, () => this.#newAttempt()),
      open: undefined,
    }));
  }

  /** Each subtask writes one part; `lost`: of so many acknowledgements none more comes. */
  begin(lost: number | undefined): void {
    this.#lastId += 1;
    const checkpoint = this.#lastId;
    const handles: StateHandle[] = [];
    let acknowledged = 0;
    for (const taskManager of this.taskManagers)
      for (const of of taskManager.running) {
        const handle = this.#write(taskManager, of, checkpoint);
        if (acknowledged === lost) continue;
        acknowledged += 1;
        const message = {
          kind: 'acknowledge-checkpoint',
          epoch: leaderEpoch(1),
          checkpointId: id(checkpoint),
        } as const;
        const whole = { ...message, attempt: of, handles: [handle] } as unknown as AcknowledgeCheckpoint;
        handles.push(...(this.shared.register(whole, this.out) ?? []));
      }
    const required = this.taskManagers.flatMap(({ running }) => [...running]);
    if (handles.length === required.length) this.pending.push({ checkpoint, required, handles });
  }

  /** The newest pending checkpoint becomes durable, which ends the older ones; `deaf` TaskManagers do not hear of it. */
  complete(deaf: number): void {
    const done = this.pending.pop();
    this.pending = [];
    if (done === undefined) return;
    const { checkpoint, handles, required } = done;
    const states = handles.map((handle, subtask) => ({ vertex: 0, subtask, handles: [handle] }));
    const metadata = { checkpointId: id(checkpoint), jobId: 'job', triggeredAtUs: 0, states };
    this.store.remember({ ...metadata, operators: [], highestParallelism: 0 });
    const retained = { id: id(checkpoint), metadata: `dir/job/chk-${checkpoint}/_metadata` };
    const pointer = this.store.pointerWith(retained, leaderEpoch(1));
    this.store.stored(pointer, this.store.version + 1);
    this.shared.sweep(pointer, new Set<number>(required), this.out);
    const oldest = pointer.completed[0]?.id ?? 0;
    this.taskManagers.forEach((taskManager, index) => {
      if ((deaf & (1 << index)) !== 0) return;
      const { known, running } = taskManager;
      const unused = known.release(oldest, (opener) => running.includes(opener));
      this.late.push(...unused.map(({ path }) => path));
      if (unused.some(({ path }) => path === taskManager.open?.path)) taskManager.open = undefined;
    });
  }

  /** A subtask ends and is deployed anew: pending checkpoints owe it something. */
  restart(taskManager: number, subtask: number): void {
    const of = this.taskManagers[taskManager];
    if (of === undefined) return;
    this.pending = [];
    of.running[subtask] = this.#newAttempt();
    of.known.forget((opener) => of.running.includes(opener));
  }

  /** A process dies, and another one takes its place. */
  crash(taskManager: number): void {
    const of = this.taskManagers[taskManager];
    if (of === undefined) return;
    this.pending = [];
    of.running.forEach((_, index) => {
      of.running[index] = this.#newAttempt();
    });
    of.known = new PhysicalFiles(this.parts);
    of.open = undefined;
  }

  /** Tasks of an older leader end. */
  newLeader(): void {
    this.shared = this.#newShared();
    for (let index = 0; index < TASK_MANAGERS; index += 1)
      for (let subtask = 0; subtask < SUBTASKS; subtask += 1) this.restart(index, subtask);
  }

  deletionsArrive(): void {
    for (const path of this.late) this.files.delete(path);
    this.late = [];
  }

  check(): void {
    for (const { path, offset = 0 } of this.#retained()) {
      const parts = this.files.get(path);
      if (parts === undefined || offset >= parts * PART_BYTES) throw new Error(`${path} lacks what lies at ${offset}`);
    }
  }

  /** What nobody names and no later checkpoint will. */
  garbage(): readonly string[] {
    const named = new Set(this.#retained().map(({ path }) => path));
    const oldest = this.store.pointer.completed[0]?.id ?? 0;
    return [...this.files.keys()].filter((path) => !named.has(path) && creatorOf(path) < oldest);
  }

  #retained(): readonly StateHandle[] {
    return this.store.pointer.completed.flatMap(
      (one) => this.store.metadataOf(one.id)?.states.flatMap(({ handles }) => handles) ?? [],
    );
  }

  #write(taskManager: TaskManager, of: ExecutionAttemptId, checkpoint: number): StateHandle {
    const { known, running, name } = taskManager;
    const { open } = taskManager;
    const takesMore = open !== undefined && running.includes(open.opener) && open.parts < PARTS_MAX;
    if (takesMore) this.appended += 1;
    this.#lastFile += takesMore ? 0 : 1;
    const question = { directory: `dir/job/taskowned/${name}`, attempt: of, number: this.#lastFile };
    const file = takesMore
      ? open
      : { path: mergedFile({ ...question, checkpointId: checkpoint }), opener: of, parts: 0 };
    taskManager.open = file;
    const offset = file.parts * PART_BYTES;
    known.writes(file.path, file.opener);
    known.written(file.path, offset, [PART_BYTES], checkpoint);
    file.parts += 1;
    this.files.set(file.path, file.parts);
    const where = { path: file.path, offset, bytes: PART_BYTES, checksum: checkpoint };
    return { operator: 'op', state: 'operator', ...where };
  }

  #newAttempt(): ExecutionAttemptId {
    this.#lastAttempt += 1;
    return attempt(this.#lastAttempt);
  }

  #newShared(): SharedState {
    return new SharedState({
      parts: this.parts,
      store: this.store,
      root: 'checkpoints/job/',
      storage: { read: () => expect.unreachable('no run before this one') },
      isIncremental: () => false,
      merges: true,
      cleaner: {
        deleteFiles: (paths) => this.late.push(...paths),
        sweepShared: (_directory, isGarbage) => this.late.push(...[...this.files.keys()].filter(isGarbage)),
      },
    });
  }
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      lost: fc.option(fc.nat(3), { nil: undefined, freq: 3 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('complete' as const), deaf: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('restart' as const), of: fc.nat(1), subtask: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), of: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('new-leader' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('deletions-arrive' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function lived(steps: readonly Step[], wrong: Partial<EngineParts> = {}): World {
  const world = new World(wrong);
  for (const what of steps) {
    if (what.kind === 'begin') world.begin(what.lost);
    else if (what.kind === 'complete') world.complete(what.deaf);
    else if (what.kind === 'restart') world.restart(what.of, what.subtask);
    else if (what.kind === 'crash') world.crash(what.of);
    else if (what.kind === 'new-leader') world.newLeader();
    else world.deletionsArrive();
    world.check();
  }
  for (let quiet = 0; quiet < 4; quiet += 1) {
    world.begin(undefined);
    world.complete(0);
    world.deletionsArrive();
    world.check();
  }
  return world;
}

const storms = fc.array(step, { maxLength: 60, size: 'max' });

test('S19: whatever is lost, what a retained checkpoint names lies there, and what nobody names goes', () => {
  let appended = 0;
  fc.assert(
    fc.property(storms, (steps) => {
      const world = lived(steps);
      appended += world.appended;
      expect(world.garbage()).toEqual([]);
    }),
    { numRuns: 400, seed: 96 },
  );
  expect(appended).toBeGreaterThan(1_000);
});

test.each([
  ['with the first part of a file', { mergedFileDeletion: 'with-first' }],
  ['by a registry that counts no parts', { mergedFileUse: 'every-part' }],
  ['by notices of one checkpoint', { mergedFileNotice: 'last-below' }],
  ['by their TaskManager alone', { mergedFilesOfTheDead: 'left' }],
] as const satisfies readonly (readonly [string, Partial<EngineParts>])[])(
  'the property notices when files are deleted %s',
  (_, wrong) => {
    const right = (steps: readonly Step[]): boolean => {
      try {
        return lived(steps, wrong).garbage().length === 0;
      } catch {
        return false;
      }
    };
    expect(fc.check(fc.property(storms, right), { numRuns: 400, seed: 96 }).failed).toBe(true);
  },
);
