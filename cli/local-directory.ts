/**
 * Checkpoint files in a folder of the real disk.
 *
 * Owns the mapping of paths to files. The disk itself is files.ts, which also makes a put atomic. Contract: checkpoint-files.ts.
 */
import { type CheckpointFiles, checkedPath, type StoredFile } from './checkpoint-files.ts';
import { filesBelow, isDirectory, joinPath, readBytes, removeFile, sizeOf, writeNew } from './files.ts';

export class LocalDirectory implements CheckpointFiles {
  readonly place: string;

  constructor(folder: string) {
    this.place = folder;
  }

  async exists(): Promise<boolean> {
    return isDirectory(this.place);
  }

  async list(prefix: string): Promise<readonly StoredFile[]> {
    const found = filesBelow(this.place).filter(({ path }) => path.startsWith(prefix));
    /* Paths are unique: it never ties. */
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return readBytes(this.#file(path));
  }

  async size(path: string): Promise<number | undefined> {
    return sizeOf(this.#file(path));
  }

  async put(path: string, bytes: Uint8Array): Promise<'stored' | 'already-exists'> {
    return writeNew(this.#file(path), bytes) ? 'stored' : 'already-exists';
  }

  async delete(path: string): Promise<void> {
    removeFile(this.#file(path));
  }

  #file(path: string): string {
    return joinPath(this.place, checkedPath(path));
  }
}
