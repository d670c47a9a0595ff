/**
 * Judge 6, fencing: one leader acts per epoch, and only while the service says so; each transaction is committed once, by the living.
 *
 * Who leads is read from the services' own records, as they became durable: the lease, ZooKeeper's latch nodes and sessions, the leader
 * annotation of the ConfigMap. What JobManagers say of themselves is what is judged. Transactions of a Kafka-like cluster are followed by what
 * its coordinators say (kafka-commits.ts); a RocketMQ-like broker tells of none, and upserts have none: what is visible twice there is the
 * judge of output's.
 *
 * I1: an epoch is over when the service records a higher one, or when its latch node is gone. From then on its leader must not act: it
 *     has counted its lease from an earlier moment than the service did. Only when the service ended a session that it heard of
 *     (a fault) may the leader go on for as long as it takes to notice, at most a session time-out;
 * I2: without high availability there are no records, and only transactions are judged.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { MailboxId, NodeId } from '../../engine/foundation/ids.ts';
import { decodeLease, decodePointer, leaderKey, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import {
  decodeLeaderRecord,
  LEADER_ANNOTATION,
  latchPath,
  latchSequence,
} from '../../engine/protocol/leader-records.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { SimulationPlan } from '../plan.ts';
import { Findings } from './findings.ts';
import { KafkaCommits } from './kafka-commits.ts';
import type { Judge } from './judge.ts';
import { Margins } from './margins.ts';
import { secondsText } from './seconds-text.ts';
import { TransactionTimeouts } from './transaction-timeouts.ts';
import type { Verdict } from './verdict.ts';
import { EPISODES_KEPT, forgetOldest, PARTS_KEPT } from './forget-oldest.ts';

const NAME = 'fencing';
const KINDS = [
  'leadership-acquired',
  'coordination-updated',
  'session-ended',
  'job-status',
  'restart-scheduled',
  'restore-chosen',
  'task-deployed',
  'checkpoint-triggered',
  'checkpoint-completed',
  'notify-complete-sent',
  'transaction-opened',
  'transaction-committed',
  'transaction-aborted',
  'kafka-transaction',
] as const;

type Seen = Extract<HistoryEvent['event'], { readonly kind: (typeof KINDS)[number] }>;
type Of<K extends Seen['kind']> = Extract<Seen, { readonly kind: K }>;

/** One epoch, as the service's records have it. */
interface Grant {
  readonly holder: string;
  /** When its leader must have stopped; undefined while it may act. */
  mustEndByUs: number | undefined;
  /** Index of the record that ended it. */
  endedAt: number;
  /** When its leader last acted; -1: never. */
  lastActUs: number;
}

export interface FencingOptions {
  readonly jobId: string;
  readonly plan: SimulationPlan;
  readonly margins?: Margins;
}

export class Fencing implements Judge {
  readonly name = NAME;
  readonly kinds = KINDS;
  readonly anomalies =
    'leadership-not-granted: a JobManager leads an epoch that the service did not give it. two-leaders-act: a leader restarts, deploys, ' +
    'restores, triggers, completes or notifies after its epoch is over. deposed-leader-wrote: the pointer is moved by an epoch that ' +
    'is over, although the service can tell. committed-twice: a transaction is committed again. commit-by-dead-attempt: a ' +
    'transaction is committed by an attempt of a sink that a newer attempt has replaced, or under an epoch of its producer that a higher one has. ' +
    'commit-of-aborted: a transaction is committed after it was aborted. commit-not-asked-for: one is committed, and nobody asked it of its epoch.';
  readonly #findings = new Findings(NAME);
  readonly #leaseUs: number;
  readonly #hasRecords: boolean;
  /** The service itself refuses what a deposed leader writes; the lease store knows no leaders. */
  readonly #isFencedByService: boolean;
  readonly #keys: {
    readonly lease: string;
    readonly latch: string;
    readonly annotation: string;
    readonly pointer: string;
  };
  readonly #grants = new Map<number, Grant>();
  /** Latch nodes that are there. */
  readonly #latches = new Set<number>();
  /** Node whose session was just ended by a fault: the records that follow at the same time are its latch nodes. */
  #revoked: { readonly owner: NodeId; readonly atUs: number } | undefined;
  readonly #committed = new Map<string, number>();
  readonly #newestOpener = new Map<string, number>();
  readonly #margins: Margins;
  readonly #timeouts: TransactionTimeouts;
  readonly #kafka = new KafkaCommits(this.#findings);
  #leaders = 0;

  constructor({ jobId, plan, margins = new Margins() }: FencingOptions) {
    this.#margins = margins;
    this.#timeouts = new TransactionTimeouts(plan, margins);
    const { kind } = plan.engine.highAvailability;
    this.#hasRecords = kind !== 'none';
    this.#isFencedByService = kind === 'zookeeper' || kind === 'kubernetes';
    this.#leaseUs = plan.engine.runtime.leaseUs;
    this.#keys = {
      lease: leaderKey(jobId),
      latch: `${latchPath(jobId).slice(1)}/`,
      annotation: `${jobId}/${LEADER_ANNOTATION}`,
      pointer: pointerKey(jobId),
    };
  }

  observe(entry: HistoryEvent): void {
    const event = entry.event as Seen;
    switch (event.kind) {
      case 'leadership-acquired':
        this.#onLeader(event.epoch, entry);
        return;
      case 'session-ended':
        this.#revoked = event.why === 'revoked' ? { owner: event.owner, atUs: entry.atUs } : undefined;
        return;
      case 'coordination-updated':
        this.#onRecord(event, entry);
        return;
      case 'job-status':
      case 'restart-scheduled':
      case 'restore-chosen':
      case 'task-deployed':
      case 'checkpoint-triggered':
      case 'checkpoint-completed':
      case 'notify-complete-sent':
        this.#onAct(event, entry);
        return;
      case 'transaction-opened':
        this.#newestOpener.set(
          event.producer,
          Math.max(event.producerEpoch, this.#newestOpener.get(event.producer) ?? 0),
        );
        this.#timeouts.opened(event, entry);
        return;
      case 'transaction-committed':
        this.#onCommitted(event, entry.index);
        this.#timeouts.committed(event, entry);
        return;
      case 'transaction-aborted':
        this.#timeouts.aborted(event.transaction);
        return;
      case 'kafka-transaction':
        this.#kafka.observe(event, entry.index);
        this.#timeouts.kafka(event, entry);
        return;
      default:
        unreachable(event);
    }
  }

  /** Is shown what goes over connections. */
  sent(_to: MailboxId, message: EngineMessage): void {
    this.#kafka.sent(message);
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return (
      this.#grants.size + this.#latches.size + this.#committed.size + this.#newestOpener.size + this.#kafka.remembered
    );
  }

  finish(): Verdict[] {
    const committed = this.#committed.size + this.#kafka.committed;
    return this.#findings.verdicts(
      `${String(this.#leaders)} leaders, one at a time; ${String(committed)} transactions committed once`,
    );
  }

  /* ---- what the service says ---- */

  #onRecord({ key, value, version }: Of<'coordination-updated'>, entry: HistoryEvent): void {
    if (key === this.#keys.pointer) return this.#onPointer(value, entry);
    if (key.startsWith(this.#keys.latch)) return this.#onLatch(key, version === 0 ? undefined : value, entry);
    if (value === '') return;
    if (key === this.#keys.lease) {
      const { epoch, holder } = decodeLease(value);
      this.#grantOnly(epoch, holder, entry);
    } else if (key === this.#keys.annotation) {
      const { leaderTransitions, holderIdentity } = decodeLeaderRecord(value);
      this.#grantOnly(leaderTransitions, holderIdentity.slice(0, holderIdentity.indexOf('/')), entry);
    }
  }

  /** One record for all: a higher epoch ends the lower ones. */
  #grantOnly(epoch: number, holder: string, { atUs, index }: HistoryEvent): void {
    if (this.#grants.has(epoch)) return;
    for (const grant of this.#grants.values()) this.#end(grant, atUs, index);
    this.#grants.set(epoch, { holder, mustEndByUs: undefined, endedAt: -1, lastActUs: -1 });
    forgetOldest(this.#grants, EPISODES_KEPT);
  }

  /** `value` names the process; undefined: the node is gone. */
  #onLatch(key: string, value: string | undefined, { atUs, index }: HistoryEvent): void {
    const sequence = latchSequence(key);
    if (sequence === undefined) return;
    const epoch = sequence + 1;
    if (value !== undefined) {
      this.#latches.add(epoch);
      this.#grants.set(epoch, {
        holder: value.slice(0, value.lastIndexOf('/')),
        mustEndByUs: undefined,
        endedAt: -1,
        lastActUs: -1,
      });
      this.#forgetEnded();
      return;
    }
    this.#latches.delete(epoch);
    const grant = this.#grants.get(epoch);
    if (grant === undefined) return;
    const isRevoked = this.#revoked?.atUs === atUs && this.#revoked.owner === grant.holder;
    this.#end(grant, isRevoked ? atUs + this.#leaseUs : atUs, index);
  }

  /** A latch node that is there is not old, whenever it came: its leader may act for as long as it stays, and is judged as long. */
  #forgetEnded(): void {
    for (const epoch of this.#latches) {
      const grant = this.#grants.get(epoch);
      if (grant === undefined || !this.#grants.delete(epoch)) continue;
      this.#grants.set(epoch, grant);
    }
    forgetOldest(this.#grants, EPISODES_KEPT);
  }

  #end(grant: Grant, byUs: number, index: number): void {
    if (grant.mustEndByUs !== undefined) return;
    grant.mustEndByUs = byUs;
    grant.endedAt = index;
    if (grant.lastActUs >= 0) this.#margins.near('fencing/last-act-before-end', byUs - grant.lastActUs, index);
  }

  #onPointer(value: string, { index, atUs }: HistoryEvent): void {
    if (value === '' || !this.#isFencedByService) return;
    const { epoch } = decodePointer(value);
    const grant = this.#grants.get(epoch);
    if (grant === undefined || grant.endedAt < 0) return;
    this.#findings.violated('deposed-leader-wrote', [grant.endedAt, index], () => {
      return `Epoch ${String(epoch)} moves the pointer at ${secondsText(atUs)}, after it was over`;
    });
  }

  /* ---- what leaders do ---- */

  #onLeader(epoch: number, { node, index }: HistoryEvent): void {
    this.#leaders += 1;
    if (!this.#hasRecords) return;
    const grant = this.#grants.get(epoch);
    const ahead = [...this.#latches].find((other) => other < epoch);
    if (grant?.holder === node && ahead === undefined) return;
    this.#findings.violated('leadership-not-granted', [index], () => {
      if (ahead !== undefined) return `${node} leads epoch ${String(epoch)} while ${String(ahead)} is before it`;
      return `${node} leads epoch ${String(epoch)}, which was given to ${grant?.holder ?? 'nobody'}`;
    });
  }

  #onAct(event: { readonly kind: string; readonly epoch: number }, { atUs, index, node }: HistoryEvent): void {
    const grant = this.#grants.get(event.epoch);
    if (grant === undefined) return;
    grant.lastActUs = atUs;
    if (grant.mustEndByUs === undefined) return;
    this.#margins.near('fencing/last-act-before-end', grant.mustEndByUs - atUs, index);
    if (atUs <= grant.mustEndByUs) return;
    const lateUs = atUs - grant.mustEndByUs;
    this.#findings.violated('two-leaders-act', [grant.endedAt, index], () => {
      return `${node} still acts as epoch ${String(event.epoch)} (${event.kind}), ${secondsText(lateUs)} after it had to stop`;
    });
  }

  #onCommitted({ transaction, producer, committedBy }: Of<'transaction-committed'>, at: number): void {
    const before = this.#committed.get(transaction);
    if (before !== undefined)
      this.#findings.violated('committed-twice', [before, at], () => `Transaction ${transaction} is committed twice`);
    this.#committed.set(transaction, at);
    forgetOldest(this.#committed, PARTS_KEPT);
    const newest = this.#newestOpener.get(producer) ?? 0;
    if (committedBy >= newest) return;
    this.#findings.violated('commit-by-dead-attempt', [at], () => {
      return `Transaction ${transaction} is committed by epoch ${String(committedBy)} of ${producer}, after epoch ${String(newest)} began to write`;
    });
  }
}
