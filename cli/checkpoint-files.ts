/**
 * The storage contract outside of the simulation: whole files under paths, wherever checkpoints really lie.
 *
 * Owns the contract. Kept by LocalDirectory and S3Bucket; which of them stands behind a place says checkpoint-place.ts. The simulated storages keep the same contract with
 * latencies and failures; tests/unit/cli/checkpoint-files.test.ts asks all of them the same questions.
 *
 * I1: a put takes effect as a whole or not at all, and never replaces a file: `already-exists` means that nothing changed;
 * I2: what was put is seen at once by read, size and list;
 * I3: a path has no part that is empty, `.` or `..`: nobody reaches outside of the place.
 */
import { UsageError } from './usage-error.ts';

export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
}

export interface CheckpointFiles {
  /** As a person named it, for messages. */
  readonly place: string;
  /** Whether the place is there at all: a folder, a bucket. */
  exists(): Promise<boolean>;
  /** Files whose path begins with the prefix, by path. */
  list(prefix: string): Promise<readonly StoredFile[]>;
  /** Undefined: there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Undefined: there is none. */
  size(path: string): Promise<number | undefined>;
  put(path: string, bytes: Uint8Array): Promise<'stored' | 'already-exists'>;
  /** Of what is not there, too. */
  delete(path: string): Promise<void>;
}

/** I3. */
export function checkedPath(path: string): string {
  const isOutside = path.split('/').some((part) => part === '' || part === '.' || part === '..' || part.includes('\\'));
  if (isOutside) throw new UsageError(`'${path}' is no path of a checkpoint file: expected names joined by '/'.`);
  return path;
}
