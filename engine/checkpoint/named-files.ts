/**
 * Which files checkpoints are made of, as their `_metadata` says (rows S17, S19). Pure but for the reads.
 *
 * Shared files have their whole path there (row T4). A checkpoint that its user has disposed of is made of none; one that cannot be read leaves
 * everything open, and the answer is undefined.
 */
import type { Out } from '../protocol/actor.ts';
import { decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { pathsIn } from '../protocol/savepoint-paths.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

type Then = (named: ReadonlySet<string> | undefined, out: Out) => void;

/** `metadata`: their paths. */
export function readNamedFiles(
  metadata: readonly string[],
  storage: Pick<CheckpointStorage, 'read'>,
  out: Out,
  then: Then,
): void {
  const named = new Set<string>();
  const readFrom = (index: number, indexOut: Out): void => {
    const path = metadata[index];
    if (path === undefined) return then(named, indexOut);
    storage.read(path, indexOut, (reply, _nowUs, readOut) => {
      const bytes = reply?.outcome === 'done' ? reply.bytes : undefined;
      const isGone = reply?.outcome === 'not-found';
      if (!isGone && (bytes === undefined || !isIntactMetadata(bytes))) return then(undefined, readOut);
      if (bytes !== undefined) for (const file of pathsIn(decodeMetadata(bytes))) named.add(file);
      readFrom(index + 1, readOut);
    });
  };
  readFrom(0, out);
}
