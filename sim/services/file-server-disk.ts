/**
 * A shared file server (NFS 4.1): names are durable when it answers, bytes when they were synced, or when it wrote them out by itself.
 *
 * Owns: the rules of writing. Does not own: latency figures, conditions (storage-service).
 *
 * I1: readers see what was written at once, whoever has the file open;
 * I2: only who opened a file writes it; a closed file is not written any more;
 * I3: a rename gives a file a name that nobody has, or does nothing.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import type { FileRequest } from '../../engine/protocol/storage-messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { DONE, performOn } from './file-requests.ts';
import { FileTree, type StoredFile, spliced } from './file-tree.ts';
import { afterPowerLoss, leaveOnly } from './power-loss.ts';
import type { StorageAnswer, StorageDisk, Tell } from './storage-disk.ts';
import { type FileLatency, fileLatencyUs } from './storage-latencies.ts';

export interface FileServerOptions {
  readonly latency: FileLatency;
  readonly writeBackUs: number;
}

export class FileServerDisk implements StorageDisk {
  readonly hasNamenode = false;
  readonly #options: FileServerOptions;
  readonly #tree = new FileTree();

  constructor(options: FileServerOptions) {
    this.#options = options;
  }

  object(path: string): Uint8Array | undefined {
    return this.#tree.file(path)?.seen;
  }

  objects(): readonly string[] {
    return this.#tree.paths('');
  }

  leftovers(): readonly string[] {
    return this.#tree.emptyDirectories('');
  }

  latencyUs(request: StorageRequest, site: ChoiceSite): number {
    return fileLatencyUs(request, this.#options.latency, site);
  }

  refuses(): undefined {
    return undefined;
  }

  perform(request: StorageRequest, nowUs: Micros, tell: Tell): StorageAnswer {
    return performOn(this.#tree, request, tell, (change) => this.#change(change, nowUs, tell));
  }

  restarted(): void {
    // Clients reclaim what they had open within the grace period: nothing changes for them.
  }

  losePower(nowUs: Micros, site: ChoiceSite, tell: Tell): boolean {
    let isAtStake = false;
    for (const path of this.#tree.paths('')) {
      const file = this.#tree.file(path);
      if (file === undefined) continue;
      isAtStake ||= file.writer !== '';
      file.writer = '';
      if (file.durable === file.bytes) continue;
      const isWrittenBack = nowUs - file.touchedUs >= this.#options.writeBackUs;
      isAtStake ||= !isWrittenBack;
      const left = isWrittenBack ? file.bytes : afterPowerLoss(file, site);
      leaveOnly(left, file, path, tell);
    }
    return isAtStake;
  }

  #change({ path, writer, operation }: FileRequest, nowUs: Micros, tell: Tell): StorageAnswer {
    const file = this.#tree.file(path);
    switch (operation.kind) {
      case 'create':
        // Its own file that it has open is begun again.
        if (file !== undefined && !operation.overwrite && file.writer !== writer) return { outcome: 'already-exists' };
        this.#tree.create(path, writer, nowUs);
        tell({ kind: 'file-opened', path });
        return DONE;
      case 'rename':
        if (file === undefined) return { outcome: 'not-found' };
        if (this.#tree.file(operation.to) !== undefined) return { outcome: 'already-exists' };
        this.#tree.rename(path, operation.to);
        tell({ kind: 'object-stored', path: operation.to, bytes: file.bytes.length });
        return DONE;
      case 'remove-directory':
        return this.#tree.removeDirectory(path, operation.recursive, tell) ? DONE : { outcome: 'not-empty' };
      case 'append':
      case 'truncate':
        if (file === undefined) return { outcome: 'not-found' };
        if (file.writer !== '' && file.writer !== writer) return { outcome: 'being-created' };
        if (operation.kind === 'append') file.writer = writer;
        else written(file, file.bytes.slice(0, operation.length), nowUs);
        return { outcome: 'done', length: file.bytes.length };
      case 'write':
      case 'flush':
      case 'sync':
      case 'close':
        if (file === undefined || file.writer !== writer) return { outcome: 'lease-expired' };
        if (operation.kind === 'write') written(file, spliced(file.bytes, operation.offset, operation.bytes), nowUs);
        if (operation.kind === 'sync') file.durable = file.bytes;
        if (operation.kind === 'close') {
          file.writer = '';
          tell({ kind: 'object-stored', path, bytes: file.bytes.length });
        }
        return DONE;
      default:
        return unreachable(operation);
    }
  }
}

function written(file: StoredFile, bytes: Uint8Array, nowUs: number): void {
  file.bytes = bytes;
  file.seen = bytes;
  file.touchedUs = nowUs;
}
