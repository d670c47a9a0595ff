/** The part of the running digest that comes from the checkpoint storage: what it is asked and what it answers. The kind is folded already. */
import { unreachable } from '../../engine/foundation/assert.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { StorageReply, StorageRequest } from '../../engine/protocol/messages.ts';
import type { FileOperation, UploadOperation } from '../../engine/protocol/storage-messages.ts';
import type { Digest } from '../kernel/digest.ts';

export function foldStorage(digest: Digest, message: StorageRequest | StorageReply): void {
  digest.fold(message.requestId);
  switch (message.kind) {
    case 'storage-put':
      digest.foldString(message.path);
      foldBytes(digest, message.bytes);
      digest.fold(message.overwrite ? 1 : 0);
      return;
    case 'storage-get':
      digest.foldString(message.path);
      if (message.range !== undefined) digest.fold(message.range.offset);
      return;
    case 'storage-delete':
      for (const path of message.paths) digest.foldString(path);
      return;
    case 'storage-list':
      digest.foldString(message.prefix);
      return;
    case 'storage-file':
      digest.foldString(message.path);
      digest.foldString(message.writer);
      digest.fold(message.sequence);
      foldFileOperation(digest, message.operation);
      return;
    case 'storage-upload':
      digest.foldString(message.path);
      foldUploadOperation(digest, message.operation);
      return;
    case 'storage-reply':
      foldReply(digest, message);
      return;
    default:
      unreachable(message);
  }
}

function foldReply(digest: Digest, reply: StorageReply): void {
  digest.foldString(reply.outcome);
  digest.fold(reply.checksum ?? -1);
  digest.fold(reply.bytes?.length ?? -1);
  if (reply.paths !== undefined) for (const path of reply.paths) digest.foldString(path);
  if (reply.length !== undefined) digest.fold(reply.length);
  if (reply.upload !== undefined) digest.foldString(reply.upload);
  if (reply.uploads !== undefined) for (const { upload } of reply.uploads) digest.foldString(upload);
}

function foldFileOperation(digest: Digest, operation: FileOperation): void {
  digest.foldString(operation.kind);
  switch (operation.kind) {
    case 'create':
      digest.fold(operation.overwrite ? 1 : 0);
      return;
    case 'write':
      digest.fold(operation.offset);
      foldBytes(digest, operation.bytes);
      return;
    case 'truncate':
      digest.fold(operation.length);
      return;
    case 'rename':
      digest.foldString(operation.to);
      return;
    case 'remove-directory':
      digest.fold(operation.recursive ? 1 : 0);
      return;
    case 'flush':
    case 'sync':
    case 'close':
    case 'append':
      return;
    default:
      unreachable(operation);
  }
}

function foldUploadOperation(digest: Digest, operation: UploadOperation): void {
  digest.foldString(operation.kind);
  switch (operation.kind) {
    case 'begin':
    case 'list':
      return;
    case 'part':
      digest.foldString(operation.upload);
      digest.fold(operation.part);
      foldBytes(digest, operation.bytes);
      return;
    case 'complete':
      digest.foldString(operation.upload);
      digest.fold(operation.parts);
      digest.fold(operation.overwrite ? 1 : 0);
      return;
    case 'abort':
      digest.foldString(operation.upload);
      return;
    default:
      unreachable(operation);
  }
}

function foldBytes(digest: Digest, bytes: Uint8Array): void {
  digest.fold(bytes.length);
  digest.fold(crc32c(bytes));
}
