/**
 * Which files checkpoints are made of, as their `_metadata` says (rows S17, S19). Pure but for the reads.
 *
 * Shared files have their whole path there (row T4). A savepoint that its user has disposed of, and a checkpoint of another job, are made of none of this one's.
 * What cannot be read leaves everything open, and the answer is undefined. So does a checkpoint of this job that is not found: while anybody names it,
 * its files are there, and it is the storage that does not see them yet.
 */
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { checkpointIdOf } from '../protocol/checkpoint-paths.ts';
import { decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { pathsIn } from '../protocol/savepoint-paths.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

type Then = (named: ReadonlySet<string> | undefined, out: Out) => void;

export interface NamedFilesOptions {
  /** `<dir>/<job>/`. */
  readonly root: string;
  readonly storage: Pick<CheckpointStorage, 'read'>;
  readonly parts: Pick<EngineParts, 'unfoundMetadata'>;
}

/** `metadata`: their paths. */
export function readNamedFiles(
  metadata: readonly string[],
  { root, storage, parts }: NamedFilesOptions,
  out: Out,
  then: Then,
): void {
  const named = new Set<string>();
  const readFrom = (index: number, indexOut: Out): void => {
    const path = metadata[index];
    if (path === undefined) return then(named, indexOut);
    storage.read(path, indexOut, (reply, _nowUs, readOut) => {
      const bytes = reply?.outcome === 'done' ? reply.bytes : undefined;
      const mayBeGone = parts.unfoundMetadata === 'gone' || Number.isNaN(checkpointIdOf(path, root));
      const isGone = reply?.outcome === 'not-found' && mayBeGone;
      if (!isGone && (bytes === undefined || !isIntactMetadata(bytes))) return then(undefined, readOut);
      if (bytes !== undefined) for (const file of pathsIn(decodeMetadata(bytes))) named.add(file);
      readFrom(index + 1, readOut);
    });
  };
  readFrom(0, out);
}
