/**
 * Deletes a complete snapshot and its directory, in one pass (rows C16, C27; Flink: CheckpointMetadata.dispose, CompletedCheckpoint.discard).
 *
 * What `_metadata` names goes first, then `_metadata`, then whatever else lies there: lists of an object store may be behind, and then show nothing of
 * what was stored a moment ago. Whoever dies in between still finds the names. Files that the snapshot shares with others lie elsewhere and stay.
 */
import type { ReplyHandler } from '../clients/request-client.ts';
import type { Out } from '../protocol/actor.ts';
import type { StorageReply } from '../protocol/messages.ts';
import { decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { metadataIn, pathsIn, resolvedIn } from '../protocol/savepoint-paths.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

type Storage = Pick<CheckpointStorage, 'read' | 'delete' | 'discard'>;

/** Any outcome but `done`: to be tried again later. Of a snapshot whose `_metadata` cannot be understood, what a list shows is deleted. */
export function disposeOfSnapshot(
  directory: string,
  storage: Storage,
  out: Out,
  then: ReplyHandler<StorageReply>,
): void {
  const metadata = metadataIn(directory);
  const deleted = (paths: readonly string[], pathsOut: Out, next: (out: Out) => void): void => {
    if (paths.length === 0) return next(pathsOut);
    storage.delete(paths, pathsOut, (reply, nowUs, deletedOut) => {
      if (reply?.outcome === 'done') next(deletedOut);
      else then(reply, nowUs, deletedOut);
    });
  };
  storage.read(metadata, out, (reply, nowUs, readOut) => {
    if (reply?.outcome === 'not-found') return storage.discard(directory, readOut, then);
    if (reply?.outcome !== 'done' || reply.bytes === undefined) return then(reply, nowUs, readOut);
    deleted(ownFiles(directory, reply.bytes), readOut, (namedOut) =>
      deleted([metadata], namedOut, (lastOut) => storage.discard(directory, lastOut, then)),
    );
  });
}

/** What `_metadata` names in its own directory, each once; nothing where it is damaged. */
export function ownFiles(directory: string, metadata: Uint8Array): readonly string[] {
  if (!isIntactMetadata(metadata)) return [];
  const named = pathsIn(resolvedIn(directory, decodeMetadata(metadata)));
  return [...new Set(named.filter((file) => file.startsWith(`${directory}/`)))];
}
