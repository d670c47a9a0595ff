/**
 * The local disk of a virtual machine: whole files under paths.
 *
 * Owns: the bytes, and which of them are rotten. Does not own: when they are written (actors do, by direct calls), what a write costs, when
 * the disk goes bad (sim/faults).
 * It survives a crash of its node and is handed to the next incarnation's actor.
 *
 * I1: a file is what was written last under its path; writes are atomic.
 * I2: bytes are shared, not copied: neither writer nor reader may change them afterwards.
 * I3: there is no other copy here: a file that has rotted stays so until it is written anew or deleted, whether or not the disk is bad still.
 */
import { type DiskDamage, rottenBytes } from './disk-damage.ts';

interface Rotten {
  readonly bytes: Uint8Array;
  readonly faultId: string;
}

export class LocalDisk {
  readonly #files = new Map<string, Uint8Array>();
  readonly #damages = new Map<string, DiskDamage>();
  readonly #rotten = new Map<string, Rotten>();
  #tellEffective: (faultId: string) => void = () => {};

  /** The file of a path, or undefined. */
  read(path: string): Uint8Array | undefined {
    const rotten = this.#rotten.size === 0 ? undefined : this.#rotten.get(path);
    if (rotten === undefined) return this.#files.get(path);
    this.#tellEffective(rotten.faultId);
    return rotten.bytes;
  }

  /** Creates or replaces the file of a path. */
  write(path: string, bytes: Uint8Array): void {
    this.#files.set(path, bytes);
    this.#rotten.delete(path);
    for (const [faultId, damage] of this.#damages) this.#rot(path, bytes, faultId, damage);
  }

  /** False when there was no such file. */
  delete(path: string): boolean {
    this.#rotten.delete(path);
    return this.#files.delete(path);
  }

  /** Paths that start with the prefix, in order of code units. */
  paths(prefix: string): readonly string[] {
    const found: string[] = [];
    for (const path of this.#files.keys()) if (path.startsWith(prefix)) found.push(path);
    // Paths are unique, so the comparison never ties.
    return found.sort((a, b) => (a < b ? -1 : 1));
  }

  /** The listener hears of each fault whose damage was read. */
  onEffective(listener: (faultId: string) => void): void {
    this.#tellEffective = listener;
  }

  /** Files that are there, and those that are written from now on, may rot. */
  damage(faultId: string, damage: DiskDamage): void {
    this.#damages.set(faultId, damage);
    for (const [path, bytes] of this.#files) this.#rot(path, bytes, faultId, damage);
  }

  /** What is written from now on is good (I3). */
  endDamage(faultId: string): void {
    this.#damages.delete(faultId);
  }

  /** The first fault that strikes a file has it. */
  #rot(path: string, bytes: Uint8Array, faultId: string, damage: DiskDamage): void {
    if (this.#rotten.has(path)) return;
    const rotten = rottenBytes(path, bytes, damage);
    if (rotten !== undefined) this.#rotten.set(path, { bytes: rotten, faultId });
  }
}
