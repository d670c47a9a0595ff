/**
 * A disk that stands in front of another one: every question goes through to that, and its successors change what a request does.
 *
 * Owns: nothing. Does not own: what is different (input-files.ts, output-disk.ts).
 */
import type { Micros } from '../../engine/foundation/time.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import type { StorageRefusal } from '../../engine/protocol/storage-messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import type { StorageAnswer, StorageDisk, Tell } from './storage-disk.ts';

export abstract class DiskInFront implements StorageDisk {
  protected readonly disk: StorageDisk;

  constructor(disk: StorageDisk) {
    this.disk = disk;
  }

  abstract perform(request: StorageRequest, nowUs: Micros, tell: Tell): StorageAnswer;

  get hasNamenode(): boolean {
    return this.disk.hasNamenode;
  }

  object(path: string): Uint8Array | undefined {
    return this.disk.object(path);
  }

  objects(): readonly string[] {
    return this.disk.objects();
  }

  leftovers(): readonly string[] {
    return this.disk.leftovers();
  }

  latencyUs(request: StorageRequest, site: ChoiceSite): number {
    return this.disk.latencyUs(request, site);
  }

  refuses(request: StorageRequest, nowUs: Micros): StorageRefusal | undefined {
    return this.disk.refuses(request, nowUs);
  }

  restarted(nowUs: Micros): void {
    this.disk.restarted(nowUs);
  }

  losePower(nowUs: Micros, site: ChoiceSite, tell: Tell): boolean {
    return this.disk.losePower(nowUs, site, tell);
  }
}
