/**
 * The checkpoint storage as an actor: takes requests in, lets their time pass, has the disk perform them and answers.
 *
 * Owns: the latency and the fate of requests. Does not own: what they do (the disk), who may write what (the engine's layout), the network.
 * Asked by JobManagers and TaskManagers over datagrams, answers over datagrams; judges read the disk through its view.
 *
 * I1: a request takes effect all at once, when its latency has passed, and is answered at the same instant: requests in progress when the
 *     node crashes have done nothing;
 * I2: `failed`, `unavailable` and `slow-down` mean that nothing changed;
 * I3: the disk gets copies of bytes: the sender may use its buffer again.
 */
import type { Micros } from '../../engine/foundation/time.ts';
import type { Input } from '../../engine/protocol/actor.ts';
import type { ByteRange, StorageReply, StorageRequest } from '../../engine/protocol/messages.ts';
import type { StorageRefusal } from '../../engine/protocol/storage-messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { PendingRequests } from './pending-requests.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import { REQUEST_EFFECTS, type RequestEffect, type ServiceConditions } from './service-conditions.ts';
import { asDamaged } from './storage-damage.ts';
import type { StorageAnswer, StorageDisk } from './storage-disk.ts';
import { isOfNamenode } from './hdfs-disk.ts';

export interface StorageServiceOptions {
  readonly disk: StorageDisk;
  readonly conditions: ServiceConditions;
  /** Draws latencies. */
  readonly latencySite: ChoiceSite;
  /** Draws which requests a condition affects. */
  readonly conditionSite: ChoiceSite;
  /** False: the node starts for the first time. */
  readonly isRestart: boolean;
}

export class StorageService implements ServiceActor {
  readonly #options: StorageServiceOptions;
  readonly #pending: PendingRequests<StorageRequest>;
  readonly #targets = new ReplyTargets('datagram');

  constructor(options: StorageServiceOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options.conditions, options.conditionSite);
  }

  handle(input: Input, nowUs: Micros, out: ServiceOut): void {
    if (input.kind === 'started' && this.#options.isRestart) this.#options.disk.restarted(nowUs);
    if (input.kind === 'timer') this.#finish(input.timer, nowUs, out);
    if (input.kind !== 'message') return;
    const { message, from, fromMailbox } = input;
    switch (message.kind) {
      case 'storage-put':
      case 'storage-get':
      case 'storage-delete':
      case 'storage-list':
      case 'storage-file':
      case 'storage-upload': {
        const target = this.#targets.of(from, fromMailbox);
        const { disk, latencySite } = this.#options;
        const latencyUs = disk.latencyUs(message, latencySite);
        const arrival = {
          request: own(message),
          from,
          target,
          latencyUs,
          susceptible: susceptibilityOf(message, disk.hasNamenode),
        };
        const refused = disk.refuses(message, nowUs) ?? REFUSALS[this.#pending.refuses(arrival, out) ?? 'none'];
        if (refused !== undefined) out.send(target, replyTo(message, { outcome: refused }));
        break;
      }
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a checkpoint storage' });
    }
  }

  #finish(timer: string, nowUs: Micros, out: ServiceOut): void {
    const pending = this.#pending.take(timer);
    if (pending === undefined) return;
    const { request, target, effect } = pending;
    const answer = this.#answer(request, effect, nowUs, out);
    if (effect !== 'unknown-outcome') out.send(target, replyTo(request, answer));
  }

  #answer(request: StorageRequest, effect: RequestEffect | 'none', nowUs: Micros, out: ServiceOut): StorageAnswer {
    const { disk, conditions, conditionSite } = this.#options;
    if (effect === 'fail' || effect === 'write-fails') return { outcome: 'failed' };
    if (effect === 'disk-full') return { outcome: 'disk-full' };
    const whole = disk.perform(request, nowUs, (event) => {
      if (event.kind === 'object-stored') conditions.stored(event.path, conditionSite);
      out.report(event);
    });
    if (whole.paths !== undefined) return { ...whole, paths: conditions.listed(whole.paths) };
    if (request.kind !== 'storage-get' || whole.bytes === undefined) return whole;
    const answer = request.range === undefined ? whole : partOf(whole.bytes, request.range);
    const damage = conditions.damageOf(request.path, conditionSite, answer.bytes?.length ?? 0);
    return damage === undefined ? answer : asDamaged(answer, damage);
  }
}

/** A ranged read: as much of it as there is, and no checksum, which would be that of the whole. */
const partOf = (bytes: Uint8Array, { offset, bytes: length }: ByteRange): StorageAnswer => ({
  outcome: 'done',
  bytes: bytes.subarray(offset, offset + length),
});

/** What is said at once to a request that such a condition affects. */
const REFUSALS: Readonly<Record<string, StorageRefusal>> = {
  unavailable: 'unavailable',
  'namenode-outage': 'unavailable',
  throttled: 'slow-down',
};

const OF_OTHERS: readonly RequestEffect[] = [...REQUEST_EFFECTS, 'throttled'];
const OF_CHANGES: readonly RequestEffect[] = [...OF_OTHERS, 'write-fails'];
const OF_WRITES: readonly RequestEffect[] = [...OF_CHANGES, 'disk-full'];

/** Which conditions can change what becomes of a request. */
function susceptibilityOf(request: StorageRequest, hasNamenode: boolean): readonly RequestEffect[] {
  switch (request.kind) {
    case 'storage-put':
      return OF_WRITES;
    case 'storage-upload':
      return request.operation.kind === 'part' || request.operation.kind === 'complete' ? OF_WRITES : OF_OTHERS;
    case 'storage-file':
      if (!isOfNamenode(request.operation)) return OF_WRITES;
      return hasNamenode ? CHANGES_AT_NAMENODE : OF_CHANGES;
    default:
      return hasNamenode ? OTHERS_AT_NAMENODE : OF_OTHERS;
  }
}
const CHANGES_AT_NAMENODE: readonly RequestEffect[] = [...OF_CHANGES, 'namenode-outage'];
const OTHERS_AT_NAMENODE: readonly RequestEffect[] = [...OF_OTHERS, 'namenode-outage'];

const replyTo = (request: StorageRequest, answer: StorageAnswer): StorageReply => ({
  kind: 'storage-reply',
  requestId: request.requestId,
  ...answer,
});

/** The request with bytes of our own (I3). */
function own(request: StorageRequest): StorageRequest {
  switch (request.kind) {
    case 'storage-put':
      return { ...request, bytes: request.bytes.slice() };
    case 'storage-file':
      if (request.operation.kind !== 'write') return request;
      return { ...request, operation: { ...request.operation, bytes: request.operation.bytes.slice() } };
    case 'storage-upload':
      if (request.operation.kind !== 'part') return request;
      return { ...request, operation: { ...request.operation, bytes: request.operation.bytes.slice() } };
    default:
      return request;
  }
}
