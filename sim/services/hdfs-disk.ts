/**
 * HDFS: a namenode that knows names and leases, and datanodes that hold the bytes (rows T8, K14).
 *
 * Owns: leases, what readers see, safe mode. Does not own: latency figures, conditions (storage-service).
 *
 * I1: a file that is open belongs to its writer's lease: nobody else opens, appends to or truncates it before the soft limit, and who
 *     does so after it waits until the lease was recovered; the file is then closed as readers saw it;
 * I2: readers see what was flushed or synced, and all of a closed file; a loss of power takes what was not synced, closed or not
 *     (dfs.datanode.synconclose is off);
 * I3: files only grow at their end, but for truncate;
 * I4: in safe mode no name and no lease changes. Deleting an open file takes the lease with it;
 * I5: whoever was writing when power was lost cannot go on: the pipeline is broken, and the file is begun again or recovered.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import type { FileOperation, FileRequest } from '../../engine/protocol/storage-messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { DONE, performOn } from './file-requests.ts';
import { FileTree, type StoredFile, spliced } from './file-tree.ts';
import { afterPowerLoss, leaveOnly } from './power-loss.ts';
import type { StorageAnswer, StorageDisk, Tell } from './storage-disk.ts';
import { type FileLatency, fileLatencyUs } from './storage-latencies.ts';

export interface HdfsOptions {
  readonly latency: FileLatency;
  readonly leaseSoftLimitUs: number;
  readonly leaseHardLimitUs: number;
  readonly safeModeUs: number;
}

/** Datanodes agree on the length of the last block. */
const RECOVERY_US = 1_000_000;

export class HdfsDisk implements StorageDisk {
  readonly hasNamenode = true;
  readonly #options: HdfsOptions;
  readonly #tree = new FileTree();
  #safeUntilUs = 0;

  constructor(options: HdfsOptions) {
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
    // Refused at the door: nothing to remember, the same request may come again.
    if (nowUs < this.#safeUntilUs && changesNames(request)) return { outcome: 'safe-mode' };
    return performOn(this.#tree, request, tell, (change) => this.#change(change, nowUs, tell));
  }

  restarted(nowUs: Micros): void {
    this.#safeUntilUs = nowUs + this.#options.safeModeUs;
  }

  losePower(_nowUs: Micros, site: ChoiceSite, tell: Tell): boolean {
    let isAtStake = false;
    for (const path of this.#tree.paths('')) {
      const file = this.#tree.file(path);
      if (file === undefined) continue;
      file.isBroken = file.writer !== '';
      isAtStake ||= file.isBroken || file.durable !== file.bytes;
      if (file.durable === file.bytes) continue;
      const left = afterPowerLoss(file, site);
      leaveOnly(left, file, path, tell);
    }
    return isAtStake;
  }

  #change({ path, writer, operation }: FileRequest, nowUs: Micros, tell: Tell): StorageAnswer {
    const file = this.#tree.file(path);
    if (file !== undefined) this.#release(file, path, nowUs, tell);
    switch (operation.kind) {
      case 'create': {
        const held = file === undefined ? undefined : this.#heldBy(file, writer, nowUs);
        if (held !== undefined) return held;
        if (file !== undefined && file.writer === '' && !operation.overwrite) return { outcome: 'already-exists' };
        this.#tree.create(path, writer, nowUs);
        tell({ kind: 'file-opened', path });
        return DONE;
      }
      case 'append':
      case 'truncate': {
        if (file === undefined) return { outcome: 'not-found' };
        // Also who has it open must close it first.
        const held = this.#heldBy(file, '', nowUs);
        if (held !== undefined) return held;
        file.touchedUs = nowUs;
        if (operation.kind === 'append') file.writer = writer;
        else {
          file.bytes = file.bytes.slice(0, operation.length);
          file.seen = file.bytes;
          file.durable = file.durable.length >= operation.length ? file.bytes : file.durable;
          file.recoveringUntilUs = nowUs + RECOVERY_US;
        }
        return { outcome: 'done', length: file.bytes.length };
      }
      case 'rename':
        if (file === undefined) return { outcome: 'not-found' };
        if (this.#tree.file(operation.to) !== undefined) return { outcome: 'already-exists' };
        this.#tree.rename(path, operation.to);
        tell({ kind: 'object-stored', path: operation.to, bytes: file.bytes.length });
        return DONE;
      case 'remove-directory':
        return this.#tree.removeDirectory(path, operation.recursive, tell) ? DONE : { outcome: 'not-empty' };
      case 'write':
      case 'flush':
      case 'sync':
      case 'close':
        if (file === undefined || file.writer !== writer || file.recoveringUntilUs > 0)
          return { outcome: 'lease-expired' };
        return this.#pipeline(file, path, { operation, nowUs, tell });
      default:
        return unreachable(operation);
    }
  }

  /** By the writer that has the file open. */
  #pipeline(
    file: StoredFile,
    path: string,
    { operation, nowUs, tell }: { operation: FileOperation; nowUs: number; tell: Tell },
  ): StorageAnswer {
    file.touchedUs = nowUs;
    // Else a sync would make durable what is left, and say that it was all (I5).
    if (file.isBroken) return { outcome: 'failed' };
    if (operation.kind === 'write') {
      if (operation.offset !== file.bytes.length) return { outcome: 'failed' };
      file.bytes = spliced(file.bytes, operation.offset, operation.bytes);
      return DONE;
    }
    file.seen = file.bytes;
    if (operation.kind === 'sync') file.durable = file.bytes;
    if (operation.kind === 'close') {
      file.writer = '';
      tell({ kind: 'object-stored', path, bytes: file.bytes.length });
    }
    return DONE;
  }

  /** Why somebody who is not `writer` cannot open the file now; after the soft limit the asking itself begins the recovery (I1). */
  #heldBy(file: StoredFile, writer: string, nowUs: number): StorageAnswer | undefined {
    if (file.recoveringUntilUs > nowUs) return { outcome: 'recovering' };
    if (file.writer === '' || file.writer === writer) return undefined;
    if (nowUs - file.touchedUs < this.#options.leaseSoftLimitUs) return { outcome: 'being-created' };
    file.recoveringUntilUs = nowUs + RECOVERY_US;
    return { outcome: 'recovering' };
  }

  /** What time has done to the file: its recovery is over, or its lease is so old that the namenode recovers it unasked. */
  #release(file: StoredFile, path: string, nowUs: number, tell: Tell): void {
    const isForgotten = file.writer !== '' && nowUs - file.touchedUs >= this.#options.leaseHardLimitUs;
    const isRecovered = file.recoveringUntilUs > 0 && file.recoveringUntilUs <= nowUs;
    if (!isForgotten && !isRecovered) return;
    file.recoveringUntilUs = 0;
    file.isBroken = false;
    if (file.writer === '') return;
    file.writer = '';
    file.durable = file.durable === file.bytes ? file.seen : file.durable;
    file.bytes = file.seen;
    tell({ kind: 'object-stored', path, bytes: file.bytes.length });
  }
}

/** Whether the namenode has to change something for it; the rest is between writer and datanodes. */
export function isOfNamenode({ kind }: FileOperation): boolean {
  return kind !== 'write' && kind !== 'flush' && kind !== 'sync';
}

/** What safe mode refuses (I4). */
function changesNames(request: StorageRequest): boolean {
  return request.kind === 'storage-delete' || (request.kind === 'storage-file' && isOfNamenode(request.operation));
}
