/**
 * Transactions of a Kafka-like cluster, as their coordinators say it: each epoch of a producer commits at most once, not what was aborted, not
 * behind a higher epoch, and not unasked.
 *
 * The coordinator says under which epoch it commits, and not who asked. So requests are seen on their way (`asked`), as they are sent: one of
 * an earlier epoch that ends the transaction of a later one is a commit that nobody asked for (KAFKA-9600).
 *
 * Owns: what was asked for, and how the newest epoch of each transactional id ended. Called by the judge of fencing, which owns the findings.
 * Invariants:
 *   I1 an epoch has one transaction (KIP-890), so id and epoch name it;
 *   I2 where no traffic is shown (histories that are made by hand), nobody can tell what was asked for, and it is not judged;
 *   I3 memory is bounded: of ids and of requests the newest are kept.
 */
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { EventOf } from '../history/history-event.ts';
import type { Findings } from './findings.ts';
import { forgetOldest, PARTS_KEPT } from './forget-oldest.ts';

type Fact = EventOf<'kafka-transaction'>;

interface Producer {
  readonly epoch: number;
  readonly end: 'none' | 'committing' | 'committed' | 'aborted';
  /** History index of what says so. */
  readonly at: number;
}

export class KafkaCommits {
  readonly #findings: Findings;
  readonly #producers = new Map<string, Producer>();
  /** Of requests to commit. */
  readonly #asked = new Set<string>();
  #isShownTraffic = false;
  #committed = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Transactions that were committed. */
  get committed(): number {
    return this.#committed;
  }

  get remembered(): number {
    return this.#producers.size + this.#asked.size;
  }

  sent(message: EngineMessage): void {
    this.#isShownTraffic = true;
    if (message.kind !== 'kafka-end-transaction' || !message.commit) return;
    this.#asked.add(nameOf(message));
    forgetOldest(this.#asked, PARTS_KEPT);
  }

  observe(fact: Fact, at: number): void {
    const { transactionalId, producerEpoch: epoch, state } = fact;
    const known = this.#producers.get(transactionalId);
    if (known !== undefined && epoch < known.epoch) return this.#judgeFenced(known, fact, at);
    const before: Producer = known?.epoch === epoch ? known : { epoch, end: 'none', at };
    if (state === 'prepare-commit') this.#judgePrepared(before, fact, at);
    else if (state === 'complete-commit') this.#judgeComplete(before, fact, at);
    const end = ENDS[state] ?? before.end;
    this.#producers.set(transactionalId, { epoch, end, at });
    forgetOldest(this.#producers, PARTS_KEPT);
  }

  #judgeFenced({ epoch, at: since }: Producer, fact: Fact, at: number): void {
    if (!IS_COMMIT.has(fact.state)) return;
    this.#findings.violated('commit-by-dead-attempt', [since, at], () => {
      return `${textOf(fact)} is committed, and epoch ${String(epoch)} has taken its place`;
    });
  }

  #judgePrepared(before: Producer, fact: Fact, at: number): void {
    if (before.end !== 'none') return this.#judgeEnded(before, fact, at);
    if (!this.#isShownTraffic || this.#asked.has(nameOf(fact))) return;
    this.#findings.violated('commit-not-asked-for', [at], () => {
      return `${textOf(fact)} is committed, and no request to commit names that epoch`;
    });
  }

  #judgeComplete(before: Producer, fact: Fact, at: number): void {
    if (before.end === 'committed' || before.end === 'aborted') return this.#judgeEnded(before, fact, at);
    this.#committed += 1;
  }

  #judgeEnded({ end, at: endedAt }: Producer, fact: Fact, at: number): void {
    const [anomaly, how] =
      end === 'aborted' ? ['commit-of-aborted', 'committed after its abort'] : ['committed-twice', 'committed twice'];
    this.#findings.violated(anomaly, [endedAt, at], () => `${textOf(fact)} is ${how}`);
  }
}

const ENDS: Partial<Record<Fact['state'], Producer['end']>> = {
  'prepare-commit': 'committing',
  'complete-commit': 'committed',
  'prepare-abort': 'aborted',
  'complete-abort': 'aborted',
};
const IS_COMMIT: ReadonlySet<Fact['state']> = new Set(['prepare-commit', 'complete-commit']);

type Named = Pick<Fact, 'transactionalId' | 'producerId' | 'producerEpoch'>;

const nameOf = ({ transactionalId, producerId, producerEpoch }: Named): string =>
  `${transactionalId}/${producerId}/${producerEpoch}`;

const textOf = ({ transactionalId, producerEpoch }: Named): string =>
  `Transaction ${transactionalId} of producer epoch ${String(producerEpoch)}`;
