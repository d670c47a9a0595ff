/**
 * Checkpoint storage: whole objects under paths, as in S3.
 *
 * Owns: the objects and the latency of requests. Does not own: who may write what (the engine's layout), the network.
 * Asked by JobManagers and TaskManagers over datagrams, answers over datagrams; judges read the disk through its view.
 *
 * I1: a put takes effect all at once, when its latency has passed; nobody sees a part of it;
 * I2: `already-exists`, `failed` and `unavailable` mean that nothing changed;
 * I3: the store keeps its own copy of what it was handed; what it hands out is never to be changed;
 * I4: effects and replies happen at the same instant: requests in progress when the node crashes have done nothing.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { Input } from '../../engine/protocol/actor.ts';
import type { StorageReply, StorageRequest } from '../../engine/protocol/messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, sampleUs } from '../kernel/distribution.ts';
import { type Arrival, PendingRequests } from './pending-requests.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import type { ServiceConditions } from './service-conditions.ts';

export interface ObjectStoreProfile {
  /** Latency of a put, without its bytes. */
  readonly putBase: Distribution;
  /** Added per MiB of a put. */
  readonly putUsPerMiB: number;
  readonly get: Distribution;
  readonly deleteUs: number;
  readonly listUs: number;
}

export interface ObjectStoreOptions {
  readonly disk: ObjectStoreDisk;
  readonly profile: ObjectStoreProfile;
  readonly conditions: ServiceConditions;
  /** Draws latencies. */
  readonly latencySite: ChoiceSite;
  /** Draws which requests a condition affects. */
  readonly conditionSite: ChoiceSite;
}

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly checksum: number;
}

/** What judges may see of the disk. */
export interface ObjectStoreView {
  object(path: string): Uint8Array | undefined;
  /** All paths, by code units. */
  objects(): readonly string[];
}

/** The objects; survives the store's node. */
export class ObjectStoreDisk implements ObjectStoreView {
  readonly #objects = new Map<string, StoredObject>();

  object(path: string): Uint8Array | undefined {
    return this.#objects.get(path)?.bytes;
  }

  objects(): readonly string[] {
    return this.pathsUnder('');
  }

  pathsUnder(prefix: string): string[] {
    const paths: string[] = [];
    for (const path of this.#objects.keys()) if (path.startsWith(prefix)) paths.push(path);
    /* Paths are unique: the comparator never ties. */
    return paths.sort((a, b) => (a < b ? -1 : 1));
  }

  stored(path: string): StoredObject | undefined {
    return this.#objects.get(path);
  }

  /** Keeps `bytes` itself and returns its checksum. */
  store(path: string, bytes: Uint8Array): number {
    const checksum = crc32c(bytes);
    this.#objects.set(path, { bytes, checksum });
    return checksum;
  }

  /** True when there was something to delete. */
  delete(path: string): boolean {
    return this.#objects.delete(path);
  }
}

const BYTES_PER_MIB = 1_048_576;

export class ObjectStore implements ServiceActor {
  readonly #disk: ObjectStoreDisk;
  readonly #profile: ObjectStoreProfile;
  readonly #latencySite: ChoiceSite;
  readonly #pending: PendingRequests<StorageRequest>;
  readonly #targets = new ReplyTargets('datagram');

  constructor(options: ObjectStoreOptions) {
    this.#disk = options.disk;
    this.#profile = options.profile;
    this.#latencySite = options.latencySite;
    this.#pending = new PendingRequests(options.conditions, options.conditionSite);
  }

  handle(input: Input, _nowUs: Micros, out: ServiceOut): void {
    if (input.kind === 'timer') this.#finish(input.timer, out);
    if (input.kind !== 'message') return;
    const { message, from, fromMailbox } = input;
    switch (message.kind) {
      case 'storage-put':
      case 'storage-get':
      case 'storage-delete':
      case 'storage-list': {
        const target = this.#targets.of(from, fromMailbox);
        this.#admit({ request: own(message), from, target, latencyUs: this.#latencyUs(message) }, out);
        break;
      }
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for the object store' });
    }
  }

  #admit(arrival: Arrival<StorageRequest>, out: ServiceOut): void {
    if (this.#pending.admit(arrival, out)) return;
    out.send(arrival.target, replyTo(arrival.request, { outcome: 'unavailable' }));
  }

  #finish(timer: string, out: ServiceOut): void {
    const pending = this.#pending.take(timer);
    if (pending === undefined) return;
    const { request, target, effect } = pending;
    const reply = replyTo(request, effect === 'fail' ? { outcome: 'failed' } : this.#perform(request, out));
    if (effect !== 'unknown-outcome') out.send(target, reply);
  }

  #latencyUs(request: StorageRequest): number {
    const profile = this.#profile;
    switch (request.kind) {
      case 'storage-put': {
        const transferUs = Math.floor((request.bytes.length * profile.putUsPerMiB) / BYTES_PER_MIB);
        return sampleUs(profile.putBase, this.#latencySite) + transferUs;
      }
      case 'storage-get':
        return sampleUs(profile.get, this.#latencySite);
      case 'storage-delete':
        return profile.deleteUs;
      case 'storage-list':
        return profile.listUs;
      default:
        return unreachable(request);
    }
  }

  #perform(request: StorageRequest, out: ServiceOut): Answer {
    switch (request.kind) {
      case 'storage-put':
        return this.#put(request.path, request, out);
      case 'storage-get': {
        const found = this.#disk.stored(request.path);
        return found === undefined ? { outcome: 'not-found' } : { outcome: 'done', ...found };
      }
      case 'storage-delete':
        for (const path of request.paths) {
          if (this.#disk.delete(path)) out.report({ kind: 'object-deleted', path });
        }
        return { outcome: 'done' };
      case 'storage-list':
        return { outcome: 'done', paths: this.#disk.pathsUnder(request.prefix) };
      default:
        return unreachable(request);
    }
  }

  #put(path: string, put: { readonly bytes: Uint8Array; readonly overwrite: boolean }, out: ServiceOut): Answer {
    const taken = put.overwrite ? undefined : this.#disk.stored(path);
    if (taken !== undefined) return { outcome: 'already-exists', checksum: taken.checksum };
    const checksum = this.#disk.store(path, put.bytes);
    out.report({ kind: 'object-stored', path, bytes: put.bytes.length });
    return { outcome: 'done', checksum };
  }
}

type Answer = Omit<StorageReply, 'kind' | 'requestId'>;

const replyTo = (request: StorageRequest, answer: Answer): StorageReply => ({
  kind: 'storage-reply',
  requestId: request.requestId,
  ...answer,
});

/** The request with bytes of our own: the sender may reuse its buffer (I3). */
const own = (request: StorageRequest): StorageRequest =>
  request.kind === 'storage-put' ? { ...request, bytes: request.bytes.slice() } : request;
