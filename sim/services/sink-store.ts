/**
 * Transactional sink store: Kafka-like producer transactions in front of readers that see committed output only.
 *
 * Owns: latency, replies, lost requests, and the clock of transaction timeouts. Does not own: what a request does
 * (sink-store-disk.ts). Producers write and pre-commit over connections; all else, and its reply, travels by datagram.
 *
 * I1: writes take effect on arrival, all else when its latency has passed, at the same instant as the reply;
 * I2: a write that is lost is lost silently: the pre-commit after it finds records missing;
 * I3: whenever a transaction may expire, the one timer for that is armed, also after a restart; it may fire for nothing.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import { micros, type Micros } from '../../engine/foundation/time.ts';
import type { Input } from '../../engine/protocol/actor.ts';
import type { SinkReply, SinkRequest, SinkWrite } from '../../engine/protocol/messages.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, sampleUs } from '../kernel/distribution.ts';
import { type Arrival, PendingRequests } from './pending-requests.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import type { ServiceConditions, ServiceEffect } from './service-conditions.ts';
import type { SinkOutcome, SinkStoreDisk } from './sink-store-disk.ts';

export interface SinkStoreOptions {
  readonly disk: SinkStoreDisk;
  /** From arrival to effect and reply, of all but writes. */
  readonly latency: Distribution;
  /** Open transactions older than this are aborted (Kafka: transaction.timeout.ms). */
  readonly transactionTimeoutUs: number;
  readonly conditions: ServiceConditions;
  /** Draws latencies. */
  readonly latencySite: ChoiceSite;
  /** Draws which requests a condition affects. */
  readonly conditionSite: ChoiceSite;
}

type AnsweredRequest = Exclude<SinkRequest, SinkWrite>;

/** A write takes effect at once and has no reply: it can be neither slow nor of unknown outcome, only lost. */
const LOSES_A_WRITE: readonly ServiceEffect[] = ['unavailable', 'fail'];
const EXPIRE_TIMER = 'expire';

export class SinkStore implements ServiceActor {
  readonly #disk: SinkStoreDisk;
  readonly #options: SinkStoreOptions;
  readonly #pending: PendingRequests<AnsweredRequest>;
  readonly #datagrams = new ReplyTargets('datagram');
  readonly #connections = new ReplyTargets('connection');
  /** What a flush of direct output found on arrival; what is written while it is being answered is not its business. */
  readonly #flushes = new Map<AnsweredRequest, SinkOutcome>();
  #isExpireArmed = false;

  constructor(options: SinkStoreOptions) {
    this.#disk = options.disk;
    this.#options = options;
    this.#pending = new PendingRequests(options.conditions, options.conditionSite);
  }

  handle(input: Input, nowUs: Micros, out: ServiceOut): void {
    switch (input.kind) {
      case 'started':
        this.#armExpire(nowUs, out);
        break;
      case 'timer':
        if (input.timer === EXPIRE_TIMER) this.#expire(nowUs, out);
        else this.#finish(input.timer, out);
        break;
      case 'message':
        this.#receive(input, nowUs, out);
        break;
      default:
        unreachable(input);
    }
  }

  #receive({ message, from, fromMailbox }: Extract<Input, { kind: 'message' }>, nowUs: Micros, out: ServiceOut): void {
    switch (message.kind) {
      case 'sink-write':
        this.#write(message, nowUs, out);
        break;
      case 'sink-pre-commit':
      case 'sink-initialize':
      case 'sink-commit':
      case 'sink-abort': {
        if (message.kind === 'sink-pre-commit' && message.transaction === '') {
          this.#flushes.set(message, this.#disk.preCommit(message, out));
        }
        const targets = message.kind === 'sink-pre-commit' ? this.#connections : this.#datagrams;
        const latencyUs = sampleUs(this.#options.latency, this.#options.latencySite);
        this.#admit({ request: message, from, target: targets.of(from, fromMailbox), latencyUs }, out);
        break;
      }
      case 'connection-lost':
        /* What is half written stays open until its producer or the timeout ends it. */
        break;
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for the sink store' });
    }
  }

  #write(message: SinkWrite, nowUs: Micros, out: ServiceOut): void {
    const { conditions, conditionSite } = this.#options;
    if (conditions.decide(conditionSite, LOSES_A_WRITE).effect !== 'none') {
      out.report({ kind: 'message-discarded', message: 'sink-write', why: 'the sink store is unavailable' });
      return;
    }
    this.#disk.write(message, nowUs, out);
    this.#armExpire(nowUs, out);
  }

  #admit(arrival: Arrival<AnsweredRequest>, out: ServiceOut): void {
    if (this.#pending.admit(arrival, out)) return;
    this.#flushes.delete(arrival.request);
    out.send(arrival.target, replyTo(arrival.request, 'unavailable'));
  }

  #finish(timer: string, out: ServiceOut): void {
    const pending = this.#pending.take(timer);
    if (pending === undefined) return;
    const { request, target, effect } = pending;
    const flushed = this.#flushes.get(request);
    this.#flushes.delete(request);
    const outcome = effect === 'fail' ? 'unavailable' : (flushed ?? this.#perform(request, out));
    if (effect !== 'unknown-outcome') out.send(target, replyTo(request, outcome));
  }

  #perform(request: AnsweredRequest, out: ServiceOut): SinkOutcome {
    switch (request.kind) {
      case 'sink-initialize':
        return this.#disk.initialize(request, out);
      case 'sink-pre-commit':
        return this.#disk.preCommit(request, out);
      case 'sink-commit':
        return this.#disk.commit(request, out);
      case 'sink-abort':
        return this.#disk.abort(request, out);
      default:
        return unreachable(request);
    }
  }

  #expire(nowUs: Micros, out: ServiceOut): void {
    this.#isExpireArmed = false;
    this.#disk.expire(nowUs - this.#options.transactionTimeoutUs, out);
    this.#armExpire(nowUs, out);
  }

  /** Arms the timer for the oldest transaction; while it is armed, younger ones can wait (I3). */
  #armExpire(nowUs: Micros, out: ServiceOut): void {
    if (this.#isExpireArmed) return;
    const oldestUs = this.#disk.oldestOpenedAtUs();
    if (oldestUs === undefined) return;
    this.#isExpireArmed = true;
    const dueUs = oldestUs + this.#options.transactionTimeoutUs;
    out.setTimer(EXPIRE_TIMER, micros(Math.max(0, dueUs - nowUs)));
  }
}

const replyTo = ({ requestId }: AnsweredRequest, outcome: SinkOutcome): SinkReply => ({
  kind: 'sink-reply',
  requestId,
  outcome,
});
