/**
 * One broker of the Kafka-like cluster: leads partitions of topics and of the transaction log (Kafka: ReplicaManager, TransactionCoordinator,
 * TransactionMarkerChannelManager).
 *
 * Owns: latency, replies, what waits for replication, the sending of markers, the clock of transaction timeouts. Does not own: what is
 * durable (partition-log.ts, transaction-log.ts) and who leads what (kafka-cluster.ts).
 * Invariants:
 *   I1 a broker acts on a partition only while it leads it, and says else who does;
 *   I2 a produce is appended on arrival and answered when it is replicated; all else takes effect when its latency has passed, at the same
 *      instant as the reply;
 *   I3 a transaction that is being ended gets its markers until all are acknowledged, whoever leads its coordinator and its partitions;
 *   I4 requests of one client to coordinators take effect in the order they came, however slow one of them is: what was repeated is not
 *      overtaken by its repetition;
 *   I5 what waits lives in memory: a broker that restarts has forgotten it, and clients come again.
 */
import type { NodeId } from '../../../engine/foundation/ids.ts';
import { MAIN_MAILBOX } from '../../../engine/foundation/ids.ts';
import { micros, type Micros } from '../../../engine/foundation/time.ts';
import type { Input, Target } from '../../../engine/protocol/actor.ts';
import type {
  KafkaOutcome,
  KafkaProduce,
  KafkaReply,
  KafkaRequest,
  KafkaTransactionId,
  KafkaWriteMarker,
} from '../../../engine/protocol/kafka-messages.ts';
import type { ChoiceSite } from '../../kernel/choice.ts';
import { type Distribution, sampleUs } from '../../kernel/distribution.ts';
import { type PendingRequest, PendingRequests } from '../pending-requests.ts';
import { ReplyTargets } from '../reply-targets.ts';
import type { ServiceActor, ServiceOut } from '../service-actor.ts';
import { REFUSED_OR_FAILED_AT_ONCE, REQUEST_EFFECTS, type ServiceConditions } from '../service-conditions.ts';
import { serviceProbe } from '../../probes.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { DueMarker } from './transaction-log.ts';

export interface KafkaBrokerOptions {
  readonly self: NodeId;
  readonly cluster: KafkaCluster;
  /** From arrival to effect, and from an append to its replication. */
  readonly latency: Distribution;
  /** Longest timeout a producer may ask for (transaction.max.timeout.ms). */
  readonly maxTransactionTimeoutUs: number;
  readonly conditions: ServiceConditions;
  readonly latencySite: ChoiceSite;
  readonly conditionSite: ChoiceSite;
}

type LogRequest = KafkaProduce | KafkaWriteMarker;
type CoordinatorRequest = Exclude<KafkaRequest, LogRequest>;

/** A request whose turn is after those of the same client that came before (Kafka: one request of a connection at a time). */
interface QueuedRequest {
  readonly request: CoordinatorRequest;
  due: PendingRequest<CoordinatorRequest> | undefined;
}

/** An append that is answered when it is replicated. */
interface Unreplicated {
  readonly partition: string;
  readonly end: number;
  /** Undefined: the reply is lost. */
  readonly answer: ((out: ServiceOut) => void) | undefined;
}

const TICK = 'tick';
/** Session renewals, elections, timeouts and repeated markers happen so often in a session timeout. */
const TICKS_PER_SESSION = 4;
const NO_REPLY_FIELDS = { leader: '', producerId: 0, producerEpoch: 0, transactions: [] };

export class KafkaBroker implements ServiceActor {
  readonly #options: KafkaBrokerOptions;
  readonly #pending: PendingRequests<CoordinatorRequest>;
  readonly #targets = new ReplyTargets('connection');
  /** Requests to coordinators of each client, in the order they came; those whose time has come are `due`. */
  readonly #queues = new Map<Target, QueuedRequest[]>();
  readonly #unreplicated = new Map<string, Unreplicated>();
  /** Markers sent to other brokers, by request. */
  readonly #sent = new Map<number, DueMarker>();
  #sequence = 0;

  constructor(options: KafkaBrokerOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options.conditions, options.conditionSite);
  }

  handle(input: Input, nowUs: Micros, out: ServiceOut): void {
    if (input.kind === 'started') this.#tick(nowUs, out);
    else if (input.kind === 'timer') this.#timer(input.timer, nowUs, out);
    else this.#receive(input, nowUs, out);
    this.#report(out);
  }

  #receive({ message, from, fromMailbox }: Extract<Input, { kind: 'message' }>, nowUs: Micros, out: ServiceOut): void {
    const target = this.#targets.of(from, fromMailbox);
    switch (message.kind) {
      case 'kafka-produce':
        return this.#produce(message, target, out);
      case 'kafka-write-marker':
        return this.#writeMarker(message, (outcome, lateOut) => lateOut.send(target, replyTo(message, outcome)), out);
      case 'kafka-reply':
        return this.#markerAnswered(message, nowUs, out);
      case 'kafka-init-producer':
      case 'kafka-add-partition':
      case 'kafka-end-transaction':
      case 'kafka-list-transactions': {
        const latencyUs = sampleUs(this.#options.latency, this.#options.latencySite);
        if (!this.#pending.admit({ request: message, from, target, latencyUs }, out)) {
          return out.send(target, replyTo(message, 'unavailable'));
        }
        const queue = this.#queues.get(target) ?? [];
        queue.push({ request: message, due: undefined });
        this.#queues.set(target, queue);
        return;
      }
      case 'connection-lost':
        return;
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a Kafka broker' });
    }
  }

  #timer(timer: string, nowUs: Micros, out: ServiceOut): void {
    if (timer === TICK) return this.#tick(nowUs, out);
    const appended = this.#unreplicated.get(timer);
    if (appended !== undefined) {
      this.#unreplicated.delete(timer);
      return this.#replicated(appended, out);
    }
    const pending = this.#pending.take(timer);
    if (pending === undefined) return;
    const queue = this.#queues.get(pending.target) ?? [];
    const queued = queue.find(({ request }) => request === pending.request);
    if (queued !== undefined) queued.due = pending;
    this.#work(queue, nowUs, out);
  }

  /** I4. */
  #work(queue: QueuedRequest[], nowUs: Micros, out: ServiceOut): void {
    for (let due = queue[0]?.due; due !== undefined; due = queue[0]?.due) {
      queue.shift();
      const { request, target, effect } = due;
      const reply = effect === 'fail' ? replyTo(request, 'unavailable') : this.#perform(request, nowUs, out);
      if (effect !== 'unknown-outcome') out.send(target, reply);
    }
  }

  /* ---- partitions of topics ---- */

  #produce(message: KafkaProduce, target: Target, out: ServiceOut): void {
    const { conditions, conditionSite, cluster } = this.#options;
    const { effect, factor } = conditions.decide(conditionSite, REQUEST_EFFECTS, REFUSED_OR_FAILED_AT_ONCE);
    if (effect === 'unavailable' || effect === 'fail') return out.send(target, replyTo(message, 'unavailable'));
    const { partition, producerId, producerEpoch, transactionalId } = message;
    if (!this.#leads(partition)) return out.send(target, this.#notLeader(message, cluster.leaderOf(partition)));
    const log = cluster.log(partition);
    const isTransactional = transactionalId !== '';
    const mayOpen =
      !isTransactional ||
      !cluster.rules.verifiesAppends ||
      cluster.transactions(cluster.coordinatorOf(transactionalId)).isOngoing(message, partition);
    const sequence = isTransactional ? message.sequence : -1;
    const { values, lineages } = message;
    const outcome = log.append({ producerId, producerEpoch, sequence, values, lineages }, mayOpen);
    if (outcome !== 'appended' && outcome !== 'duplicate') {
      if (outcome !== 'out-of-order-sequence') serviceProbe(out, `produce-${outcome}`);
      return out.send(target, replyTo(message, outcome));
    }
    if (outcome === 'appended' && isTransactional && this.#isFenced(message, out))
      return out.send(target, replyTo(message, 'fenced'));
    const answer =
      effect === 'unknown-outcome'
        ? undefined
        : (lateOut: ServiceOut) => lateOut.send(target, replyTo(message, 'done'));
    this.#await({ partition, end: log.logEnd, answer }, factor, out);
  }

  /**
   * Fault `fence`: somebody else initializes the id of a producer that writes; its transaction is aborted. One that hands over something new
   * is not pre-committed, so nothing is lost that a checkpoint counts on. The marker is behind the record at once: a copy of the request whose
   * answer nobody waits for any more must not leave one for the next copy that says "done".
   */
  #isFenced(message: KafkaProduce, out: ServiceOut): boolean {
    const { transactionalId, partition, producerId } = message;
    const { cluster, conditions, conditionSite } = this.#options;
    const transactions = cluster.transactions(cluster.coordinatorOf(transactionalId));
    if (!transactions.isOngoing(message, partition)) return false;
    if (conditions.decide(conditionSite, ['fence']).effect !== 'fence') return false;
    const raisedEpoch = transactions.fence(transactionalId);
    const log = cluster.log(partition);
    log.endTransaction(producerId, raisedEpoch, false);
    this.#replicated({ partition, end: log.logEnd, answer: undefined }, out);
    return true;
  }

  #writeMarker(
    message: KafkaWriteMarker,
    answer: (outcome: KafkaOutcome, out: ServiceOut) => void,
    out: ServiceOut,
  ): void {
    const { partition, producerId, producerEpoch, commit } = message;
    if (!this.#leads(partition)) return answer('not-leader', out);
    const log = this.#options.cluster.log(partition);
    if (log.endTransaction(producerId, producerEpoch, commit) === 'fenced') return answer('fenced', out);
    this.#await({ partition, end: log.logEnd, answer: (lateOut) => answer('done', lateOut) }, 1, out);
  }

  #await(appended: Unreplicated, factor: number, out: ServiceOut): void {
    const timer = `a${this.#sequence}`;
    this.#sequence += 1;
    this.#unreplicated.set(timer, appended);
    const latencyUs = sampleUs(this.#options.latency, this.#options.latencySite);
    out.setTimer(timer, micros(Math.floor(latencyUs * factor)));
  }

  /** In the order of the log: what is behind it is replicated, too. */
  #replicated({ partition, end, answer }: Unreplicated, out: ServiceOut): void {
    if (!this.#leads(partition)) return;
    const seen = this.#options.cluster.log(partition).replicatedTo(end);
    if (seen !== undefined) out.report({ kind: 'output-appended', producer: partition, partition, ...seen });
    answer?.(out);
  }

  /* ---- the transaction log ---- */

  #perform(request: CoordinatorRequest, nowUs: Micros, out: ServiceOut): KafkaReply {
    const { cluster, maxTransactionTimeoutUs } = this.#options;
    const isList = request.kind === 'kafka-list-transactions';
    const coordinator = isList ? request.coordinator : cluster.coordinatorOf(request.transactionalId);
    const leader = cluster.coordinatorLeader(coordinator);
    if (leader !== this.#options.self) return this.#notLeader(request, leader);
    const transactions = cluster.transactions(coordinator);
    switch (request.kind) {
      case 'kafka-init-producer': {
        if (request.timeoutUs > maxTransactionTimeoutUs) return replyTo(request, 'invalid-timeout');
        const { transactionalId, timeoutUs, abortsOngoing } = request;
        const { outcome, ...producer } = transactions.initialize(transactionalId, timeoutUs, abortsOngoing);
        if (outcome === 'concurrent-transactions') this.#sendMarkers(nowUs, out);
        return { ...replyTo(request, outcome), ...producer };
      }
      case 'kafka-add-partition':
        return replyTo(request, transactions.addPartition(request, request.partition, nowUs));
      case 'kafka-end-transaction': {
        const outcome = transactions.end(request, request.commit);
        if (outcome === 'done') this.#sendMarkers(nowUs, out);
        return replyTo(request, outcome);
      }
      case 'kafka-list-transactions':
        return { ...replyTo(request, 'done'), transactions: transactions.unfinished(request.prefix).map(identityOf) };
      default:
        throw new RangeError(`unknown request ${String(request satisfies never)}`);
    }
  }

  /** I3. One that is under way is not sent again before the next tick. */
  #sendMarkers(nowUs: Micros, out: ServiceOut): void {
    const { cluster, self } = this.#options;
    for (let coordinator = 0; coordinator < cluster.coordinators; coordinator += 1) {
      if (cluster.coordinatorLeader(coordinator) !== self) continue;
      for (const marker of cluster.transactions(coordinator).dueMarkers()) {
        if ([...this.#sent.values()].some((sent) => isSame(sent, marker))) continue;
        this.#sendMarker(marker, nowUs, out);
      }
    }
  }

  #sendMarker(marker: DueMarker, nowUs: Micros, out: ServiceOut): void {
    const { cluster, self } = this.#options;
    const requestId = this.#sequence;
    this.#sequence += 1;
    this.#sent.set(requestId, marker);
    const message: KafkaWriteMarker = { kind: 'kafka-write-marker', requestId, ...marker };
    const leader = cluster.leaderOf(marker.partition);
    if (leader !== self) return out.send({ node: leader, mailbox: MAIN_MAILBOX, via: 'connection' }, message);
    this.#writeMarker(
      message,
      (outcome, lateOut) => this.#markerAnswered(replyTo(message, outcome), nowUs, lateOut),
      out,
    );
  }

  /** A marker that is refused because the producer's epoch is higher there was written by a later coordinator: it is done. */
  #markerAnswered({ requestId, outcome }: KafkaReply, _nowUs: Micros, out: ServiceOut): void {
    const marker = this.#sent.get(requestId);
    if (marker === undefined) return;
    this.#sent.delete(requestId);
    if (outcome !== 'done' && outcome !== 'fenced') return;
    const { cluster } = this.#options;
    cluster.transactions(cluster.coordinatorOf(marker.transactionalId)).markerWritten(marker);
    this.#report(out);
  }

  #tick(nowUs: Micros, out: ServiceOut): void {
    const { cluster, self } = this.#options;
    const elected = cluster.renew(self, nowUs);
    if (elected.length > 0) serviceProbe(out, 'kafka-leader-elected');
    this.#sent.clear();
    for (let coordinator = 0; coordinator < cluster.coordinators; coordinator += 1) {
      if (cluster.coordinatorLeader(coordinator) !== self) continue;
      const expired = cluster.transactions(coordinator).expire(nowUs);
      if (expired.length > 0) serviceProbe(out, 'kafka-transaction-timed-out');
    }
    this.#sendMarkers(nowUs, out);
    out.setTimer(TICK, micros(Math.floor(cluster.sessionTimeoutUs / TICKS_PER_SESSION)));
  }

  #leads(partition: string): boolean {
    return this.#options.cluster.leaderOf(partition) === this.#options.self;
  }

  #notLeader(request: { readonly requestId: number }, leader: NodeId): KafkaReply {
    return { ...replyTo(request, 'not-leader'), leader };
  }

  #report(out: ServiceOut): void {
    for (const fact of this.#options.cluster.takeFacts()) out.report({ kind: 'kafka-transaction', ...fact });
  }
}

const identityOf = ({ transactionalId, producerId, producerEpoch }: KafkaTransactionId): KafkaTransactionId => ({
  transactionalId,
  producerId,
  producerEpoch,
});

const isSame = (a: DueMarker, b: DueMarker): boolean =>
  a.transactionalId === b.transactionalId && a.partition === b.partition && a.producerEpoch === b.producerEpoch;

const replyTo = ({ requestId }: { readonly requestId: number }, outcome: KafkaOutcome): KafkaReply => ({
  kind: 'kafka-reply',
  requestId,
  outcome,
  ...NO_REPLY_FIELDS,
});
