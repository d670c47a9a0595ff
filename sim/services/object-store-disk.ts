/**
 * An object store: whole objects under paths, as in S3 (row T7).
 *
 * Owns: the objects, uploads in parts, how often a prefix may be asked. Does not own: who may write what (the engine's layout).
 *
 * I1: an object is there all at once, when its put or its upload is complete; nobody sees a part of it, and reads see it at once;
 * I2: it keeps its own copy of what it was handed (the service copies); what it hands out is never to be changed;
 * I3: only lists may be behind, by `listDelayUs` at most: they show an object late and forget a deleted one at once;
 * I4: a loss of power loses nothing: what was answered lies on many disks.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import type { UploadRequest } from '../../engine/protocol/storage-messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { sampleUs } from '../kernel/distribution.ts';
import { sortedPaths, type StorageAnswer, type StorageDisk, type Tell } from './storage-disk.ts';
import { type ObjectStoreLatency, transferUs } from './storage-latencies.ts';
import { TokenBucket } from './token-bucket.ts';
import { Uploads } from './uploads.ts';

export interface ObjectStoreOptions {
  readonly latency: ObjectStoreLatency;
  readonly putsPerSecond: number;
  readonly getsPerSecond: number;
  readonly listDelayUs: number;
  /** Draws how late lists are. */
  readonly delaySite: ChoiceSite;
}

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly checksum: number;
  readonly listedFromUs: number;
}

const DONE: StorageAnswer = { outcome: 'done' };

export class ObjectStoreDisk implements StorageDisk {
  readonly hasNamenode = false;
  readonly #options: ObjectStoreOptions;
  readonly #objects = new Map<string, StoredObject>();
  readonly #uploads = new Uploads();
  readonly #puts = new Map<string, TokenBucket>();
  readonly #gets = new Map<string, TokenBucket>();

  constructor(options: ObjectStoreOptions) {
    this.#options = options;
  }

  object(path: string): Uint8Array | undefined {
    return this.#objects.get(path)?.bytes;
  }

  objects(): readonly string[] {
    return sortedPaths(this.#objects.keys());
  }

  leftovers(): readonly string[] {
    return this.#uploads.under('').map(({ path, upload }) => nameOf(path, upload));
  }

  latencyUs(request: StorageRequest, site: ChoiceSite): number {
    const { putBase, putUsPerMiB, get, deleteUs, listUs } = this.#options.latency;
    switch (request.kind) {
      case 'storage-put':
        return sampleUs(putBase, site) + transferUs(request.bytes.length, putUsPerMiB);
      case 'storage-get':
        return sampleUs(get, site);
      case 'storage-delete':
        return deleteUs;
      case 'storage-list':
        return listUs;
      case 'storage-upload':
        if (request.operation.kind === 'list') return listUs;
        if (request.operation.kind !== 'part') return sampleUs(putBase, site);
        return sampleUs(putBase, site) + transferUs(request.operation.bytes.length, putUsPerMiB);
      case 'storage-file':
        return deleteUs;
      default:
        return unreachable(request);
    }
  }

  refuses(request: StorageRequest, nowUs: Micros): 'slow-down' | undefined {
    const isRead = request.kind === 'storage-get';
    const perSecond = isRead ? this.#options.getsPerSecond : this.#options.putsPerSecond;
    const buckets = isRead ? this.#gets : this.#puts;
    const prefix = prefixOf(request);
    let bucket = buckets.get(prefix);
    if (bucket === undefined) {
      bucket = new TokenBucket(perSecond);
      buckets.set(prefix, bucket);
    }
    return bucket.take(nowUs) ? undefined : 'slow-down';
  }

  perform(request: StorageRequest, nowUs: Micros, tell: Tell): StorageAnswer {
    switch (request.kind) {
      case 'storage-put':
        return this.#put(request.path, request, nowUs, tell);
      case 'storage-get': {
        const found = this.#objects.get(request.path);
        if (found === undefined) return { outcome: 'not-found' };
        return { outcome: 'done', bytes: found.bytes, checksum: found.checksum };
      }
      case 'storage-delete':
        for (const path of request.paths) if (this.#objects.delete(path)) tell({ kind: 'object-deleted', path });
        return DONE;
      case 'storage-list':
        return { outcome: 'done', paths: this.#listed(request.prefix, nowUs) };
      case 'storage-upload':
        return this.#upload(request, nowUs, tell);
      case 'storage-file':
        return { outcome: 'failed' };
      default:
        return unreachable(request);
    }
  }

  restarted(): void {
    // Stateless servers in front of the same objects.
  }

  /** I4. */
  losePower(): boolean {
    return false;
  }

  #put(
    path: string,
    { bytes, overwrite }: { readonly bytes: Uint8Array; readonly overwrite: boolean },
    nowUs: number,
    tell: Tell,
  ): StorageAnswer {
    const taken = overwrite ? undefined : this.#objects.get(path);
    if (taken !== undefined) return { outcome: 'already-exists', checksum: taken.checksum };
    const checksum = crc32c(bytes);
    const { listDelayUs, delaySite } = this.#options;
    const listedFromUs = listDelayUs === 0 ? nowUs : nowUs + delaySite.choose(listDelayUs + 1);
    this.#objects.set(path, { bytes, checksum, listedFromUs });
    tell({ kind: 'object-stored', path, bytes: bytes.length });
    return { outcome: 'done', checksum };
  }

  #upload({ path, operation }: UploadRequest, nowUs: number, tell: Tell): StorageAnswer {
    switch (operation.kind) {
      case 'begin':
        return { outcome: 'done', upload: this.#uploads.begin(path) };
      case 'part':
        if (!this.#uploads.part(operation.upload, operation.part, operation.bytes)) return { outcome: 'not-found' };
        return { outcome: 'done', checksum: crc32c(operation.bytes) };
      case 'complete': {
        const bytes = this.#uploads.assembled(operation.upload, operation.parts);
        if (bytes === undefined) return { outcome: 'not-found' };
        const answer = this.#put(path, { bytes, overwrite: operation.overwrite }, nowUs, tell);
        if (answer.outcome === 'done') this.#uploads.end(operation.upload);
        return answer;
      }
      case 'abort':
        if (this.#uploads.end(operation.upload)) tell({ kind: 'object-deleted', path: nameOf(path, operation.upload) });
        return DONE;
      case 'list':
        return { outcome: 'done', uploads: this.#uploads.under(path) };
      default:
        return unreachable(operation);
    }
  }

  #listed(prefix: string, nowUs: number): string[] {
    const paths: string[] = [];
    for (const [path, { listedFromUs }] of this.#objects)
      if (listedFromUs <= nowUs && path.startsWith(prefix)) paths.push(path);
    return sortedPaths(paths);
  }
}

/** What an upload is called where files are listed. */
const nameOf = (path: string, upload: string): string => `${path}?uploadId=${upload}`;

/** The part of a key by which S3 divides its work: here its first directory, which is where entropy goes (row T7). */
function prefixOf(request: StorageRequest): string {
  const path =
    request.kind === 'storage-list' ? request.prefix : 'path' in request ? request.path : (request.paths[0] ?? '');
  return path.slice(0, Math.max(0, path.indexOf('/')));
}
