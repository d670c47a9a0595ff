/**
 * The local disk of a virtual machine: whole files under paths.
 *
 * Owns: the bytes. Does not own: when they are written (actors do, by direct calls) or what a write costs.
 * It survives a crash of its node and is handed to the next incarnation's actor.
 *
 * I1: a file is what was written last under its path; writes are atomic.
 * I2: bytes are shared, not copied: neither writer nor reader may change them afterwards.
 */

export class LocalDisk {
  readonly #files = new Map<string, Uint8Array>();

  /** The file of a path, or undefined. */
  read(path: string): Uint8Array | undefined {
    return this.#files.get(path);
  }

  /** Creates or replaces the file of a path. */
  write(path: string, bytes: Uint8Array): void {
    this.#files.set(path, bytes);
  }

  /** False when there was no such file. */
  delete(path: string): boolean {
    return this.#files.delete(path);
  }

  /** Paths that start with the prefix, in order of code units. */
  paths(prefix: string): readonly string[] {
    const found: string[] = [];
    for (const path of this.#files.keys()) if (path.startsWith(prefix)) found.push(path);
    // Paths are unique, so the comparison never ties.
    return found.sort((a, b) => (a < b ? -1 : 1));
  }
}
