/**
 * Requests that a file server and HDFS answer alike: reads, lists, deletions, and numbered changes, each done once (file-tree: I1).
 *
 * Owns: nothing. Does not own: what a change does to a file (the disks).
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import type { FileRequest } from '../../engine/protocol/storage-messages.ts';
import type { FileTree } from './file-tree.ts';
import type { StorageAnswer, Tell } from './storage-disk.ts';

export const DONE: StorageAnswer = { outcome: 'done' };

/** Requests of an object store, which these are not, fail. */
export function performOn(
  tree: FileTree,
  request: StorageRequest,
  tell: Tell,
  change: (request: FileRequest) => StorageAnswer,
): StorageAnswer {
  switch (request.kind) {
    case 'storage-get': {
      const file = tree.file(request.path);
      return file === undefined ? { outcome: 'not-found' } : { outcome: 'done', bytes: file.seen };
    }
    case 'storage-list':
      return { outcome: 'done', paths: tree.list(request.prefix) };
    case 'storage-delete':
      for (const path of request.paths) tree.delete(path, tell);
      return DONE;
    case 'storage-file': {
      const known = tree.answerOf(request);
      if (known !== undefined) return known;
      const answer = change(request);
      tree.remember(request, answer);
      return answer;
    }
    case 'storage-put':
    case 'storage-upload':
      return { outcome: 'failed' };
    default:
      return unreachable(request);
  }
}
