/**
 * Files and directories under paths: what a file server and the namenode of HDFS have in common.
 *
 * Owns: names, directories, who has a file open, the answers to numbered changes. Does not own: what becomes of bytes that were written
 * (the disks on it).
 *
 * I1: of a writer and a path only changes of rising numbers are done; the last one, repeated, gets the same answer (NFS 4.1: sessions);
 * I2: a directory is there from the first file in it until it is removed; it goes only when it is empty, or with all in it.
 */
import type { StorageAnswer, Tell } from './storage-disk.ts';
import { sortedPaths } from './storage-disk.ts';

export interface StoredFile {
  /** All that was written. */
  bytes: Uint8Array;
  /** What readers find. */
  seen: Uint8Array;
  /** What survives a loss of power; the same object as `bytes` when all of it does. */
  durable: Uint8Array;
  /** Who has it open; empty: nobody. */
  writer: string;
  /** When its writer did something last. */
  touchedUs: number;
  /** HDFS: the datanodes it was being written through have been away; its writer has to begin again. */
  isBroken: boolean;
  /** Its lease is being recovered until then; 0: it is not. */
  recoveringUntilUs: number;
}

export const NO_BYTES = new Uint8Array(0);
/** Answers that are remembered; more writers than that at a time there are not. */
const ANSWERS_MAX = 4_096;

interface Answered {
  readonly sequence: number;
  readonly answer: StorageAnswer;
}

export class FileTree {
  readonly #files = new Map<string, StoredFile>();
  readonly #directories = new Set<string>();
  readonly #answered = new Map<string, Answered>();

  file(path: string): StoredFile | undefined {
    return this.#files.get(path);
  }

  /** A new and empty one, open for its writer, in place of what was there. */
  create(path: string, writer: string, nowUs: number): StoredFile {
    const nothing = { bytes: NO_BYTES, seen: NO_BYTES, durable: NO_BYTES };
    const file = { ...nothing, writer, touchedUs: nowUs, isBroken: false, recoveringUntilUs: 0 };
    this.#files.set(path, file);
    this.#enter(path);
    return file;
  }

  /** The file gets another name, which nobody has. */
  rename(path: string, to: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.delete(path);
    this.#files.set(to, file);
    this.#enter(to);
  }

  delete(path: string, tell: Tell): void {
    if (this.#files.delete(path)) tell({ kind: 'object-deleted', path });
  }

  /** False when something is in it and it is not to be removed with all that. */
  removeDirectory(directory: string, recursive: boolean, tell: Tell): boolean {
    const prefix = `${directory}/`;
    const inside = this.paths(prefix);
    const below = [...this.#directories].filter((other) => other.startsWith(prefix));
    if (!recursive && (inside.length > 0 || below.length > 0)) return false;
    for (const path of inside) this.delete(path, tell);
    for (const other of below) this.#directories.delete(other);
    if (this.#directories.delete(directory)) tell({ kind: 'object-deleted', path: prefix });
    return true;
  }

  paths(prefix: string): string[] {
    const found: string[] = [];
    for (const path of this.#files.keys()) if (path.startsWith(prefix)) found.push(path);
    return sortedPaths(found);
  }

  /** With a slash behind each. */
  emptyDirectories(prefix: string): string[] {
    const used = new Set<string>();
    for (const path of [...this.#files.keys(), ...this.#directories]) {
      const slash = path.lastIndexOf('/');
      if (slash > 0) used.add(path.slice(0, slash));
    }
    const empty = [...this.#directories].filter((path) => !used.has(path)).map((path) => `${path}/`);
    return sortedPaths(empty.filter((path) => path.startsWith(prefix)));
  }

  /** Everything that begins so, as a list request asks for it. */
  list(prefix: string): string[] {
    return sortedPaths([...this.paths(prefix), ...this.emptyDirectories(prefix)]);
  }

  /** What a numbered change was answered before, or that it is too late for it; undefined: it is to be done (I1). */
  answerOf({ writer, path, sequence }: { writer: string; path: string; sequence: number }): StorageAnswer | undefined {
    const last = this.#answered.get(keyOf(writer, path));
    if (last === undefined || last.sequence < sequence) return undefined;
    return last.sequence === sequence ? last.answer : { outcome: 'stale' };
  }

  remember(change: { writer: string; path: string; sequence: number }, answer: StorageAnswer): void {
    const key = keyOf(change.writer, change.path);
    this.#answered.delete(key);
    this.#answered.set(key, { sequence: change.sequence, answer });
    if (this.#answered.size <= ANSWERS_MAX) return;
    const [oldest] = this.#answered.keys();
    if (oldest !== undefined) this.#answered.delete(oldest);
  }

  #enter(path: string): void {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
      this.#directories.add(path.slice(0, slash));
  }
}

const keyOf = (writer: string, path: string): string => `${writer} ${path}`;

/** The bytes with others in them from an offset on; what lies between is zero. */
export function spliced(bytes: Uint8Array, offset: number, more: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.max(bytes.length, offset + more.length));
  whole.set(bytes);
  whole.set(more, offset);
  return whole;
}
