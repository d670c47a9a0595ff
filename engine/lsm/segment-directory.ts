/**
 * The directory on the disk of the node in which a store keeps its segments (Flink: instanceRocksDBPath below the working directory).
 *
 * Owns: the names of the files, and how long each is there. Does not own: the disk, what is in a segment, what becomes of the directory when
 * the subtask or its process ends (working-directory.ts of the TaskManager).
 * Invariants:
 *   I1 a file is written once, under a name that is never used again;
 *   I2 it is there for as long as the store or a snapshot that was not released has it (RocksDB: hard links of a checkpoint).
 */
import { assert } from '../foundation/assert.ts';
import type { NodeDisk } from '../protocol/node-disk.ts';
import { Segment } from './segment-file.ts';

/** Where a store may keep files. */
export interface WorkingDirectory {
  readonly disk: Pick<NodeDisk, 'read' | 'write' | 'delete'>;
  /** Ends with a slash, or is empty. */
  readonly path: string;
}

/** A directory of nobody else's, which no disk has: for who looks at state and runs no job. */
export function directoryInMemory(): WorkingDirectory {
  const files = new Map<string, Uint8Array>();
  const write = (path: string, bytes: Uint8Array): void => void files.set(path, bytes);
  return { path: '', disk: { read: (path) => files.get(path), write, delete: (path) => files.delete(path) } };
}

export class SegmentDirectory {
  readonly #directory: WorkingDirectory;
  /** Of each file: the store, if it has it still, and snapshots. */
  readonly #users = new Map<string, number>();
  #nextId = 1;

  constructor(directory: WorkingDirectory) {
    this.#directory = directory;
  }

  /** I1. `id`: of this store, never used again. */
  create(bytes: Uint8Array): { readonly id: number; readonly segment: Segment } {
    const { disk, path } = this.#directory;
    const id = this.#nextId;
    this.#nextId += 1;
    const name = `${path}${id}.segment`;
    disk.write(name, bytes);
    this.#users.set(name, 1);
    const read = (): Uint8Array => {
      const found = disk.read(name);
      assert(found !== undefined, 'I2: a segment that somebody has is on the disk', { name });
      return found;
    };
    return { id, segment: new Segment(bytes, { name, read }) };
  }

  retain({ name }: Segment): void {
    const users = this.#users.get(name);
    assert(users !== undefined, 'I2: only a segment that is there is retained', { name });
    this.#users.set(name, users + 1);
  }

  /** I2. */
  release({ name }: Segment): void {
    const users = this.#users.get(name);
    assert(users !== undefined, 'I2: nobody gives back more than he has', { name });
    if (users > 1) return void this.#users.set(name, users - 1);
    this.#users.delete(name);
    this.#directory.disk.delete(name);
  }
}
