/**
 * Coordination store: versioned values with compare-and-set, as ZooKeeper's setData with a version.
 *
 * Owns: the values and their versions. Does not own: what they mean (leases and checkpoint pointers are the engine's), sessions
 * or watches: there are none, clients poll. Asked and answered over datagrams.
 *
 * I1: every request takes effect at one instant between its arrival and its reply: the store is linearizable;
 * I2: a key's version starts at 1 and rises by exactly 1 with each change of its value, and never otherwise;
 * I3: outcome `failed` means that nothing changed; it tells nothing about the key (version 0, empty value).
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { Input } from '../../engine/protocol/actor.ts';
import type { CoordinationReply, CoordinationRequest } from '../../engine/protocol/messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, sampleUs } from '../kernel/distribution.ts';
import { PendingRequests } from './pending-requests.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import type { ServiceConditions } from './service-conditions.ts';

export interface CoordinationStoreOptions {
  readonly disk: CoordinationDisk;
  /** From arrival to effect and reply. */
  readonly latency: Distribution;
  readonly conditions: ServiceConditions;
  /** Draws latencies. */
  readonly latencySite: ChoiceSite;
  /** Draws which requests a condition affects. */
  readonly conditionSite: ChoiceSite;
}

export interface VersionedValue {
  /** 0 when the key does not exist. */
  readonly version: number;
  readonly value: string;
}

const ANY_VERSION = -1;
const ABSENT: VersionedValue = { version: 0, value: '' };

/** The values; survives the store's node. */
export class CoordinationDisk {
  readonly #values = new Map<string, VersionedValue>();

  read(key: string): VersionedValue {
    return this.#values.get(key) ?? ABSENT;
  }

  /** For judges: the value of a key, undefined when absent. */
  coordination(key: string): string | undefined {
    return this.#values.get(key)?.value;
  }

  /** Replaces the value and returns it with its new version (I2). */
  replace(key: string, value: string): VersionedValue {
    const next = { version: this.read(key).version + 1, value };
    this.#values.set(key, next);
    return next;
  }
}

export class CoordinationStore implements ServiceActor {
  readonly #disk: CoordinationDisk;
  readonly #latency: Distribution;
  readonly #latencySite: ChoiceSite;
  readonly #pending: PendingRequests<CoordinationRequest>;
  readonly #targets = new ReplyTargets('datagram');

  constructor(options: CoordinationStoreOptions) {
    this.#disk = options.disk;
    this.#latency = options.latency;
    this.#latencySite = options.latencySite;
    this.#pending = new PendingRequests(options.conditions, options.conditionSite);
  }

  handle(input: Input, _nowUs: Micros, out: ServiceOut): void {
    if (input.kind === 'timer') this.#finish(input.timer, out);
    if (input.kind !== 'message') return;
    const { message, from, fromMailbox } = input;
    switch (message.kind) {
      case 'coordination-get':
      case 'coordination-compare-and-set': {
        const target = this.#targets.of(from, fromMailbox);
        const latencyUs = sampleUs(this.#latency, this.#latencySite);
        if (!this.#pending.admit({ request: message, from, target, latencyUs }, out))
          out.send(target, failure(message));
        break;
      }
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for the coordination store' });
    }
  }

  #finish(timer: string, out: ServiceOut): void {
    const pending = this.#pending.take(timer);
    if (pending === undefined) return;
    const { request, from, target, effect } = pending;
    const reply = effect === 'fail' ? failure(request) : this.#perform(request, from, out);
    if (effect !== 'unknown-outcome') out.send(target, reply);
  }

  #perform(request: CoordinationRequest, from: NodeId, out: ServiceOut): CoordinationReply {
    const { key, requestId } = request;
    const current = this.#disk.read(key);
    const kind = 'coordination-reply';
    if (request.kind === 'coordination-get') return { kind, requestId, outcome: 'done', key, ...current };
    const isExpected = request.expectedVersion === ANY_VERSION || request.expectedVersion === current.version;
    if (!isExpected) return { kind, requestId, outcome: 'conflict', key, ...current };
    const next = this.#disk.replace(key, request.value);
    out.report({ kind: 'coordination-updated', key, version: next.version, value: next.value, by: from });
    return { kind, requestId, outcome: 'done', key, ...next };
  }
}

const failure = ({ requestId, key }: CoordinationRequest): CoordinationReply => ({
  kind: 'coordination-reply',
  requestId,
  outcome: 'failed',
  key,
  version: 0,
  value: '',
});
