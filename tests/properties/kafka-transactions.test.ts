/**
 * The transactions of the Kafka-like cluster against a small specification, written from the side of those who use it (rows K10, K11; group J
 * of bugs.md): random producers, epochs, late requests, timeouts, crashes and changes of leaders.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KafkaOutcome, KafkaReply } from '../../engine/protocol/kafka-messages.ts';
import { type BrokerRules, standardBrokerRules } from '../../sim/services/kafka/broker-rules.ts';
import { KafkaBench, SESSION_US } from '../support/kafka-bench.ts';

const IDS = ['sink-0-1', 'sink-1-1'];
const PARTITIONS = ['sink-0', 'sink-1'];
const TIMEOUT_US = 20_000;

type Command =
  | { readonly do: 'init'; readonly id: number; readonly aborts: boolean; readonly delayUs: number }
  | { readonly do: 'write'; readonly session: number; readonly partition: number; readonly delayUs: number }
  | { readonly do: 'end'; readonly session: number; readonly commit: boolean; readonly delayUs: number }
  | { readonly do: 'crash'; readonly broker: number; readonly downUs: number }
  | { readonly do: 'wait'; readonly us: number };

/** One initialization: a producer epoch, and so at most one transaction. */
interface Session {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Records sent, and those of them that were acknowledged, by partition in their order. */
  readonly sent: number[][];
  readonly acknowledged: number[][];
  /** A batch is repeated until it is acknowledged; undefined: none is under way. */
  readonly underWay: (number | undefined)[];
  readonly added: boolean[];
  /** When its transaction was begun, or earlier; undefined: nobody asked. */
  begunUs: number | undefined;
  commit: 'not-asked' | 'asked' | 'done';
  /** Requests to commit or to abort. */
  ends: number;
  /** Who said that it is fenced: its coordinator, or the leader of a partition, who hears of it later. */
  readonly fencedBy: Set<string>;
}

class Users {
  readonly bench: KafkaBench;
  readonly sessions: Session[] = [];
  /** Successes of an epoch that had been told it is fenced. */
  readonly revived: string[] = [];
  /** Epochs that lost an open transaction although it was young and nobody asked to abort what is open. */
  readonly robbed: string[] = [];
  readonly #aborted = new Set<string>();
  #records = 0;

  constructor(rules: BrokerRules) {
    this.bench = new KafkaBench(2, rules);
  }

  do(command: Command): void {
    // Counted from the newest, so that most commands concern one that still means something.
    const session = 'session' in command ? this.sessions.at(-1 - command.session) : undefined;
    switch (command.do) {
      case 'init':
        return this.#init(IDS[command.id] ?? '', command.aborts, command.delayUs);
      case 'write':
        return session === undefined ? undefined : this.#write(session, command.partition, command.delayUs);
      case 'end':
        return session === undefined ? undefined : this.#end(session, command.commit, command.delayUs);
      case 'crash': {
        const broker = this.bench.brokers[command.broker];
        if (broker === undefined || !this.bench.isUp(broker)) return;
        this.bench.crash(broker);
        this.bench.advance(command.downUs);
        return this.bench.start(broker);
      }
      case 'wait':
        return this.bench.advance(command.us);
      default:
        throw new RangeError(`unknown command ${String(command satisfies never)}`);
    }
  }

  /** All brokers are there, everything late arrives, everything open times out. */
  settle(): void {
    this.bench.advance(4 * (TIMEOUT_US + SESSION_US));
  }

  #init(transactionalId: string, abortsOngoing: boolean, delayUs: number): void {
    if (abortsOngoing) this.#aborted.add(transactionalId);
    this.bench.ask(
      { coordinator: this.bench.cluster.coordinatorOf(transactionalId) },
      (requestId) => ({
        kind: 'kafka-init-producer',
        requestId,
        transactionalId,
        timeoutUs: TIMEOUT_US,
        abortsOngoing,
      }),
      {
        delayUs,
        answered: ({ outcome, producerId, producerEpoch }) => {
          if (outcome !== 'done') return;
          const none = { sent: [[], []], acknowledged: [[], []], underWay: [undefined, undefined] };
          this.sessions.push({
            ...{ transactionalId, producerId, producerEpoch, ...none, added: [false, false], begunUs: undefined },
            commit: 'not-asked',
            ends: 0,
            fencedBy: new Set(),
          });
        },
      },
    );
    this.bench.advance(400);
  }

  /** The partition is added before its first record, and one batch is under way at a time. */
  #write(session: Session, partition: number, delayUs: number): void {
    if (session.ends > 0) return;
    const name = PARTITIONS[partition] ?? '';
    if (session.added[partition] !== true) {
      const { transactionalId, producerId, producerEpoch } = session;
      session.begunUs ??= this.bench.nowUs;
      this.bench.ask(
        { coordinator: this.bench.cluster.coordinatorOf(transactionalId) },
        (requestId) => ({
          kind: 'kafka-add-partition',
          requestId,
          transactionalId,
          producerId,
          producerEpoch,
          partition: name,
        }),
        {
          delayUs,
          answered: ({ outcome }) => {
            if (outcome === 'done') session.added[partition] = true;
            this.#heard(session, 'coordinator', outcome);
          },
        },
      );
      return this.bench.advance(400);
    }
    let record = session.underWay[partition];
    if (record === undefined) {
      this.#records += 1;
      record = this.#records;
      session.underWay[partition] = record;
      session.sent[partition]?.push(record);
    }
    this.#produce(session, partition, record, delayUs);
  }

  #produce(session: Session, partition: number, record: number, delayUs: number): void {
    const { transactionalId, producerId, producerEpoch } = session;
    const name = PARTITIONS[partition] ?? '';
    const sequence = session.acknowledged[partition]?.length ?? 0;
    this.bench.ask(
      { partition: name },
      (requestId) => ({
        kind: 'kafka-produce',
        requestId,
        ...{ transactionalId, producerId, producerEpoch, partition: name, sequence, bytes: 1 },
        values: [record],
        lineages: [record],
      }),
      {
        delayUs,
        answered: ({ outcome }) => {
          this.#heard(session, name, outcome);
          if (outcome !== 'done' || session.underWay[partition] !== record) return;
          session.underWay[partition] = undefined;
          session.acknowledged[partition]?.push(record);
        },
      },
    );
    this.bench.advance(50);
  }

  /** A client that has a batch under way waits for it before it commits. */
  #end(session: Session, commit: boolean, delayUs: number): void {
    if (commit && session.underWay.some((record) => record !== undefined)) return;
    if (session.ends > 0 && session.commit === 'not-asked') return;
    const { transactionalId, producerId, producerEpoch } = session;
    session.ends += 1;
    if (commit && session.commit === 'not-asked') session.commit = 'asked';
    const asks = session.commit !== 'not-asked';
    this.bench.ask(
      { coordinator: this.bench.cluster.coordinatorOf(transactionalId) },
      (requestId) => ({
        kind: 'kafka-end-transaction',
        requestId,
        ...{ transactionalId, producerId, producerEpoch },
        commit: asks,
      }),
      {
        delayUs,
        answered: ({ outcome }: KafkaReply) => {
          if (outcome === 'done' && asks) session.commit = 'done';
          this.#heard(session, 'coordinator', outcome, session.ends - 1);
        },
      },
    );
    this.bench.advance(50);
  }

  /** `ends`: how many requests to end its transaction may have come before this one. */
  #heard(session: Session, by: string, outcome: KafkaOutcome, ends = session.ends): void {
    const { transactionalId, added, begunUs = Number.NEGATIVE_INFINITY } = session;
    const isOpen = added.includes(true) && ends === 0 && this.bench.nowUs - begunUs < TIMEOUT_US;
    if (outcome === 'fenced' && isOpen && !this.#aborted.has(transactionalId)) this.robbed.push(transactionalId);
    if (outcome === 'fenced') session.fencedBy.add(by);
    else if (outcome === 'done' && session.fencedBy.has(by)) this.revived.push(transactionalId);
  }
}

/** What readers of committed records may rely on; the first sentence that does not hold. */
function brokenPromise(users: Users): string | undefined {
  const { bench, sessions, revived, robbed } = users;
  for (const [partition, name] of PARTITIONS.entries()) {
    const seen = bench.visibleOf(name);
    if (new Set(seen).size !== seen.length) return `a record of ${name} is visible twice`;
    for (const { transactionalId, producerEpoch, sent, acknowledged, commit } of sessions) {
      const who = `${transactionalId} epoch ${producerEpoch}`;
      const written = sent[partition] ?? [];
      const mine = seen.filter((record) => written.includes(record));
      if (mine.length > 0 && commit === 'not-asked') return `${who} is visible and nobody asked to commit it`;
      if (mine.some((record, index) => record !== written[index])) return `${who} is visible in another order`;
      const isWhole = (acknowledged[partition] ?? []).every((record) => mine.includes(record));
      if (commit === 'done' && !isWhole) return `${who} is committed and not visible as a whole`;
      const others = PARTITIONS.some((other) =>
        bench.visibleOf(other).some((one) => sent.some((all) => all.includes(one))),
      );
      if (others && !isWhole) return `${who} is visible in part`;
    }
  }
  if (revived.length > 0) return `${revived[0]} was fenced and is not any more`;
  if (robbed.length > 0) return `${robbed[0]} was open, and lost what nobody asked to abort`;
  const [open] = bench.cluster.openTransactions();
  if (open !== undefined) return `${open.transaction} is still open`;
  return undefined;
}

const delayUs = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 500, max: 30_000 }) },
);
const session = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('init' as const), id: fc.nat(1), aborts: fc.boolean(), delayUs }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), session, partition: fc.nat(1), delayUs }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('end' as const), session, commit: fc.boolean(), delayUs }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      broker: fc.nat(1),
      downUs: fc.integer({ min: 10, max: 2 * SESSION_US }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), us: fc.integer({ min: 100, max: 15_000 }) }) },
);
const commands = fc.array(command, { minLength: 10, maxLength: 60 });

function outcomeOf(all: readonly Command[], rules: BrokerRules): { broken: string | undefined; users: Users } {
  const users = new Users(rules);
  for (const id of IDS.keys()) users.do({ do: 'init', id, aborts: false, delayUs: 1 });
  for (const one of all) users.do(one);
  users.settle();
  return { broken: brokenPromise(users), users };
}

describe('transactions of the Kafka-like cluster', () => {
  it('J4, K10: a transaction is visible as a whole, once, in its order, or not at all, and none stays open', () => {
    const reached = new Set<string>();
    let committed = 0;
    fc.assert(
      fc.property(commands, (all) => {
        const { broken, users } = outcomeOf(all, standardBrokerRules);
        for (const probe of users.bench.probes) reached.add(probe);
        committed += users.sessions.filter(({ commit }) => commit === 'done').length;
        expect(broken).toBeUndefined();
      }),
      { numRuns: 400, seed: 20_111_119 },
    );
    expect([...reached].sort()).toEqual([
      'kafka-leader-elected',
      'kafka-transaction-timed-out',
      'produce-fenced',
      'produce-invalid-transaction-state',
    ]);
    expect(committed).toBeGreaterThan(80);
  });

  it.each([
    ['timeout-abort-without-fence', { timeoutFences: false, verifiesAppends: false }],
    ['epoch-check-not-strict', { epochMatches: () => true }],
    ['lso-ignored', { readersStopAt: 'high-watermark' }],
    ['appends-not-verified', { verifiesAppends: false }],
  ] as const)('the specification refuses brokers with %s', (_, wrong) => {
    const rules: BrokerRules = { ...standardBrokerRules, ...wrong };
    const found = fc.check(
      fc.property(commands, (all) => outcomeOf(all, rules).broken === undefined),
      { numRuns: 600, seed: 20_111_119, endOnFailure: true },
    );
    expect(found.failed).toBe(true);
  });
});
