/**
 * Copies of a subtask's keyed state on the disk of its node, so that it can be restored without the network when it comes back to its slot
 * (row S22, FLIP-201; Flink: TaskLocalStateStoreImpl, LocalRecoveryDirectoryProvider).
 *
 * Owns: the copies, and which of them may still be asked for. Does not own: the state, whose truth is the file in the checkpoint storage; a
 * copy that is missing or damaged costs a fetch and nothing else.
 * Invariants:
 *   I1 a copy is found under the name of the file it is a copy of, and used only if it has its length and checksum;
 *   I2 kept is what belongs to the newest confirmed checkpoint or to one that is newer; what an aborted one alone has goes at once;
 *   I3 copies lie under slot and subtask: whoever gets the slot next throws out those of others.
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { NodeDisk } from '../protocol/node-disk.ts';
import { probe } from '../protocol/probes.ts';
import { logicalFileKey, type StateHandle } from '../protocol/state-handle.ts';
import type { TaskDeployment } from '../protocol/task.ts';
import { type AcknowledgedFile, damageOf } from '../state/file-damage.ts';
import type { TaskEnvironment } from './task-environment.ts';

const ROOT = 'local-state/';

type LogicalFile = Pick<StateHandle, 'path' | 'offset'>;

/** The process has begun. Without a working directory of its own nobody finds again what one before it left. */
export function beginLocalState({ configuration, disk }: TaskEnvironment): void {
  if (configuration.checkpoint.localRecovery === 'working-directory') return;
  for (const path of disk?.paths(ROOT) ?? []) disk?.delete(path);
}

/** I3. */
export function clearSlot({ disk }: TaskEnvironment, { slot, subtask }: SlotOfSubtask): void {
  for (const path of disk?.paths(`${ROOT}${slot}/`) ?? []) if (!isOfIndex(path, subtask)) disk?.delete(path);
}

export type SlotOfSubtask = Pick<TaskDeployment, 'slot' | 'vertex' | 'subtask'>;

const directoryOf = ({ slot, vertex, subtask }: SlotOfSubtask): string => `${ROOT}${slot}/${vertex}-${subtask}/`;

/** Subtasks of one index share a slot. */
const isOfIndex = (path: string, subtask: number): boolean => path.split('/')[2]?.endsWith(`-${subtask}`) === true;

/** Undefined: the job does without. */
export function openLocalState(environment: TaskEnvironment, place: SlotOfSubtask): LocalStateStore | undefined {
  const { configuration, disk, parts } = environment;
  if (configuration.checkpoint.localRecovery === undefined || disk === undefined) return undefined;
  return new LocalStateStore(disk, directoryOf(place), parts);
}

export class LocalStateStore {
  readonly #disk: NodeDisk;
  readonly #directory: string;
  readonly #parts: Pick<EngineParts, 'localCopyName' | 'localCopies'>;
  /** Files of acknowledged checkpoints. */
  readonly #acknowledged = new Map<CheckpointId, readonly string[]>();
  /** For which checkpoint a file was written. */
  readonly #writtenFor = new Map<string, CheckpointId>();

  constructor(disk: NodeDisk, directory: string, parts: Pick<EngineParts, 'localCopyName' | 'localCopies'>) {
    this.#disk = disk;
    this.#directory = directory;
    this.#parts = parts;
  }

  /** `of`: the file, or the piece of a merged one, that it is a copy of. */
  write(of: LogicalFile, bytes: Uint8Array, checkpointId: CheckpointId, out: Out): void {
    const key = logicalFileKey(of);
    this.#writtenFor.set(key, checkpointId);
    this.#disk.write(this.#nameOf(key), bytes);
    out.busy('disk-byte', bytes.length);
  }

  /** I1. Undefined: it has to be fetched. */
  read(file: AcknowledgedFile & LogicalFile, out: Out): Uint8Array | undefined {
    const name = this.#nameOf(logicalFileKey(file));
    const bytes = this.#disk.read(name);
    if (bytes === undefined) {
      probe(out, 'local-state-missing');
      return undefined;
    }
    out.busy('disk-byte', bytes.length);
    if (this.#parts.localCopies === 'verified' && damageOf(file, bytes) !== undefined) {
      probe(out, 'local-state-damaged');
      this.#disk.delete(name);
      return undefined;
    }
    probe(out, 'local-state-used');
    return bytes;
  }

  /** Of what was restored, these files are what the next restore may ask for. */
  restored(checkpointId: CheckpointId, handles: readonly StateHandle[]): void {
    this.#acknowledged.set(checkpointId, pathsOf(handles));
    this.confirmed(checkpointId);
  }

  /** `reserved`: files of later checkpoints. */
  acknowledged(checkpointId: CheckpointId, handles: readonly StateHandle[], reserved: readonly string[]): void {
    this.#acknowledged.set(checkpointId, [...pathsOf(handles), ...reserved]);
  }

  /** I2. */
  confirmed(checkpointId: CheckpointId): void {
    if (!this.#acknowledged.has(checkpointId)) return;
    for (const id of this.#acknowledged.keys()) if (id < checkpointId) this.#acknowledged.delete(id);
    for (const [path, id] of this.#writtenFor) if (id < checkpointId) this.#writtenFor.delete(path);
    this.#keep([...[...this.#acknowledged.values()].flat(), ...this.#writtenFor.keys()]);
  }

  /** I2. */
  aborted(checkpointId: CheckpointId): void {
    this.#acknowledged.delete(checkpointId);
    const used = new Set([...this.#acknowledged.values()].flat());
    for (const [path, id] of this.#writtenFor) {
      if (id !== checkpointId || used.has(path)) continue;
      this.#writtenFor.delete(path);
      this.#disk.delete(this.#nameOf(path));
    }
  }

  #keep(paths: readonly string[]): void {
    const kept = new Set(paths.map((path) => this.#nameOf(path)));
    for (const path of this.#disk.paths(this.#directory)) if (!kept.has(path)) this.#disk.delete(path);
  }

  #nameOf(path: string): string {
    return `${this.#directory}${this.#parts.localCopyName(path)}`;
  }
}

/** Files of keyed state: other state is small, or belongs to whoever the channels lead to. */
const pathsOf = (handles: readonly StateHandle[]): readonly string[] =>
  handles
    .filter(({ state }) => state === 'keyed')
    .flatMap((handle) => [...(handle.path === '' ? [] : [handle]), ...(handle.segments ?? [])])
    .map(logicalFileKey);
