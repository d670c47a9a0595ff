/** A checkpoint storage that answers when the test says so: whole objects under names, NO_OVERWRITE, sorted listing. */
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { EngineMessage, StorageReply } from '../../engine/protocol/messages.ts';

export class FakeStorage {
  readonly objects = new Map<string, Uint8Array>();
  /** Lists show nothing yet. */
  areListsBehind = false;

  /** Performs a request and returns the reply, which the test may deliver, delay or drop. */
  perform(message: EngineMessage): StorageReply {
    switch (message.kind) {
      case 'storage-put': {
        const { requestId, path, overwrite } = message;
        const there = this.objects.get(path);
        if (there !== undefined && !overwrite) {
          return { kind: 'storage-reply', requestId, outcome: 'already-exists', checksum: crc32c(there) };
        }
        this.objects.set(path, message.bytes);
        return { kind: 'storage-reply', requestId, outcome: 'done', checksum: crc32c(message.bytes) };
      }
      case 'storage-get': {
        const bytes = this.objects.get(message.path);
        if (bytes === undefined) return { kind: 'storage-reply', requestId: message.requestId, outcome: 'not-found' };
        const { requestId, range } = message;
        if (range === undefined)
          return { kind: 'storage-reply', requestId, outcome: 'done', checksum: crc32c(bytes), bytes };
        const part = bytes.subarray(range.offset, range.offset + range.bytes);
        return { kind: 'storage-reply', requestId, outcome: 'done', bytes: part };
      }
      case 'storage-delete':
        for (const path of message.paths) this.objects.delete(path);
        return { kind: 'storage-reply', requestId: message.requestId, outcome: 'done' };
      case 'storage-list': {
        const paths = this.areListsBehind ? [] : this.paths().filter((path) => path.startsWith(message.prefix));
        return { kind: 'storage-reply', requestId: message.requestId, outcome: 'done', paths };
      }
      default:
        throw new Error(`not for a checkpoint storage: ${message.kind}`);
    }
  }

  paths(): string[] {
    return [...this.objects.keys()].sort((a, b) => (a < b ? -1 : 1));
  }
}
