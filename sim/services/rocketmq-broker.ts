/**
 * A RocketMQ-like broker: half messages, their end, and the check-back.
 *
 * Owns: the durable part (what is half, what consumers see), latency, replies, whom to ask. Does not own: what becomes of a transaction: its
 * producer group says.
 *
 * I1: a half message that is sent twice is stored twice; consumers that go by keys see it once, others twice;
 * I2: nobody sees a half message before its transaction is committed; what is rolled back nobody ever sees;
 * I3: whatever stays half for `checkAfterUs` its group is asked about, again and again, until it is ended; a broker that was restarted asks
 *     whoever of the group has spoken since;
 * I4: a message that ends a transaction has no reply: a broker that is unavailable or fails loses it, a slow one ends the transaction late, and
 *     one whose replies are lost is as good as any.
 */
import { micros, type Micros } from '../../engine/foundation/time.ts';
import type { Input, Target } from '../../engine/protocol/actor.ts';
import type { RocketMqHalf, RocketMqRequest } from '../../engine/protocol/rocketmq-messages.ts';
import type { DurableState } from '../judges/judge.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, sampleUs } from '../kernel/distribution.ts';
import { PendingRequests } from './pending-requests.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import { REFUSED_OR_FAILED_AT_ONCE, type RequestEffect, type ServiceConditions } from './service-conditions.ts';

type Answered = Extract<RocketMqRequest, { readonly requestId: number }>;
type End = Extract<RocketMqRequest, { readonly kind: 'rocketmq-end' }>;

interface Prepared {
  readonly group: string;
  readonly messages: RocketMqHalf[];
  askedUs: number;
}

/** What outlives the node. */
export class RocketMqDisk {
  readonly #isKeyed: boolean;
  readonly #prepared = new Map<string, Prepared>();
  /** Keys that consumers have seen. */
  readonly #seen = new Set<string>();

  constructor(consumers: 'keyed' | 'plain') {
    this.#isKeyed = consumers === 'keyed';
  }

  /** By the name of their transaction, in the order they began. */
  get prepared(): ReadonlyMap<string, Prepared> {
    return this.#prepared;
  }

  openTransactions(): ReturnType<DurableState['openTransactions']> {
    return [...this.#prepared].map(([transaction, { group, messages }]) => ({
      transaction,
      producer: group,
      producerEpoch: 0,
      preCommitted: true,
      records: messages.reduce((sum, { values }) => sum + values.length, 0),
    }));
  }

  store(message: RocketMqHalf, nowUs: number): void {
    const known = this.#prepared.get(message.transaction);
    if (known !== undefined) known.messages.push(message);
    else this.#prepared.set(message.transaction, { group: message.group, messages: [message], askedUs: nowUs });
  }

  /** Messages that consumers see now. */
  end({ transaction, state }: Pick<End, 'transaction' | 'state'>): readonly RocketMqHalf[] {
    const prepared = this.#prepared.get(transaction);
    if (prepared === undefined || state === 'unknown') return [];
    this.#prepared.delete(transaction);
    if (state === 'rollback') return [];
    return prepared.messages.filter(({ key }) => {
      const isNew = !this.#seen.has(key);
      this.#seen.add(key);
      return isNew || !this.#isKeyed;
    });
  }
}

export interface RocketMqBrokerOptions {
  readonly disk: RocketMqDisk;
  readonly latency: Distribution;
  /** A transaction is asked about when nothing was heard of it for so long; also the time between two questions. */
  readonly checkAfterUs: number;
  readonly conditions: ServiceConditions;
  readonly latencySite: ChoiceSite;
  readonly conditionSite: ChoiceSite;
}

const CHECK_TIMER = 'check';
/** There is no reply that could be lost. */
const STRIKES_AN_END: readonly RequestEffect[] = ['slow', 'unavailable', 'fail'];

export class RocketMqBroker implements ServiceActor {
  readonly #options: RocketMqBrokerOptions;
  readonly #pending: PendingRequests<Answered>;
  readonly #targets = new ReplyTargets('datagram');
  /** By group: who spoke last (I3). */
  readonly #producers = new Map<string, Target>();
  /** By timer: ends that a slow broker has not worked off. */
  readonly #lateEnds = new Map<string, End>();
  #ends = 0;
  #isChecking = false;

  constructor(options: RocketMqBrokerOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options.conditions, options.conditionSite);
  }

  handle(input: Input, nowUs: Micros, out: ServiceOut): void {
    if (input.kind === 'started') this.#armCheck(out);
    else if (input.kind === 'timer' && input.timer === CHECK_TIMER) this.#check(nowUs, out);
    else if (input.kind === 'timer') this.#due(input.timer, nowUs, out);
    else this.#receive(input, out);
  }

  #receive({ message, from, fromMailbox }: Extract<Input, { kind: 'message' }>, out: ServiceOut): void {
    switch (message.kind) {
      case 'rocketmq-register':
      case 'rocketmq-half': {
        const target = this.#targets.of(from, fromMailbox);
        const latencyUs = sampleUs(this.#options.latency, this.#options.latencySite);
        if (this.#pending.admit({ request: message, from, target, latencyUs }, out)) return;
        out.send(target, { kind: 'sink-reply', requestId: message.requestId, outcome: 'unavailable' });
        return;
      }
      case 'rocketmq-end':
        return this.#end(message, out);
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a RocketMQ broker' });
    }
  }

  /** I4. */
  #end(message: End, out: ServiceOut): void {
    const { conditions, conditionSite, latency, latencySite } = this.#options;
    const { effect, factor } = conditions.decide(conditionSite, STRIKES_AN_END, REFUSED_OR_FAILED_AT_ONCE);
    if (effect === 'none') return this.#endNow(message, out);
    if (effect !== 'slow')
      return out.report({ kind: 'message-discarded', message: message.kind, why: 'the broker is unavailable' });
    const timer = `end/${this.#ends}`;
    this.#ends += 1;
    this.#lateEnds.set(timer, message);
    out.setTimer(timer, micros(Math.floor(sampleUs(latency, latencySite) * factor)));
  }

  #due(timer: string, nowUs: Micros, out: ServiceOut): void {
    const end = this.#lateEnds.get(timer);
    if (end === undefined) return this.#finish(timer, nowUs, out);
    this.#lateEnds.delete(timer);
    this.#endNow(end, out);
  }

  #endNow(message: End, out: ServiceOut): void {
    const { disk } = this.#options;
    const prepared = disk.prepared.get(message.transaction);
    const { transaction, group: producer } = message;
    // Readers may rely on no order between messages: they are stored as they come, and the end of a transaction may come after a later one's.
    for (const { key: partition, values, lineages } of disk.end(message))
      out.report({ kind: 'output-appended', producer, partition, values, lineages });
    if (prepared === undefined || message.state !== 'rollback') return;
    const lineages = prepared.messages.flatMap((half) => half.lineages);
    out.report({ kind: 'transaction-aborted', transaction, producer, why: 'requested', preCommitted: true, lineages });
  }

  #finish(timer: string, nowUs: Micros, out: ServiceOut): void {
    const pending = this.#pending.take(timer);
    if (pending === undefined) return;
    const { request, target, effect } = pending;
    const { requestId } = request;
    if (effect === 'fail') return out.send(target, { kind: 'sink-reply', requestId, outcome: 'unavailable' });
    this.#producers.set(request.group, target);
    if (request.kind === 'rocketmq-half') this.#options.disk.store(request, nowUs);
    this.#armCheck(out);
    if (effect !== 'unknown-outcome') out.send(target, { kind: 'sink-reply', requestId, outcome: 'done' });
  }

  /** I3. */
  #check(nowUs: Micros, out: ServiceOut): void {
    const { disk, checkAfterUs } = this.#options;
    this.#isChecking = false;
    for (const [transaction, prepared] of disk.prepared) {
      if (nowUs - prepared.askedUs < checkAfterUs) continue;
      const target = this.#producers.get(prepared.group);
      if (target === undefined) continue;
      prepared.askedUs = nowUs;
      out.send(target, { kind: 'rocketmq-check', group: prepared.group, transaction });
    }
    this.#armCheck(out);
  }

  #armCheck(out: ServiceOut): void {
    if (this.#isChecking || this.#options.disk.prepared.size === 0) return;
    this.#isChecking = true;
    out.setTimer(CHECK_TIMER, micros(Math.max(1, Math.floor(this.#options.checkAfterUs / 2))));
  }
}
