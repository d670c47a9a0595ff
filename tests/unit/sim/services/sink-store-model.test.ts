/**
 * The sink store against a small specification, one request at a time; and against what must hold of any history when requests
 * overlap, outcomes are unknown and the node restarts.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SinkRequest } from '../../../../engine/protocol/messages.ts';
import { constant, uniform } from '../../../../sim/kernel/distribution.ts';
import type { ServiceEffect } from '../../../../sim/services/service-conditions.ts';
import { outcomeOf, producerOf, sinkBench, TRANSACTION_TIMEOUT_US, type SinkBench } from './sink-harness.ts';

interface Step {
  readonly action: 'initialize' | 'write' | 'pre-commit' | 'commit' | 'abort' | 'wait' | 'restart';
  readonly producer: string;
  readonly epoch: number;
  readonly transaction: string;
  /** Added to the number of records that would be right. */
  readonly miscount: number;
  readonly keep: readonly string[];
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const step: fc.Arbitrary<Step> = fc.record({
  action: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('write' as const, 'pre-commit' as const, 'commit' as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('initialize' as const, 'abort' as const, 'wait' as const, 'restart' as const),
    },
  ),
  producer: fc.constantFrom('p', 'p', 'q'),
  epoch: fc.constantFrom(1, 1, 1, 2, 3),
  transaction: fc.constantFrom(...NAMES),
  miscount: fc.constantFrom(0, 0, 0, 0, 1),
  keep: fc.subarray(NAMES),
});

/** A producer that does what it should, now and then among the random steps: else hardly anything would ever commit. */
const chain: fc.Arbitrary<Step[]> = step.map((one) => [
  ...(['initialize', 'write', 'write', 'pre-commit', 'commit'] as const).map((action) => ({
    ...one,
    action,
    miscount: 0,
  })),
]);
const stepsOf = (runs: { readonly minLength: number; readonly maxLength: number }): fc.Arbitrary<Step[]> =>
  fc
    .array(fc.oneof({ weight: 5, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: chain }), {
      ...runs,
      size: 'max',
    })
    .map((parts) => parts.flat());

interface SpecifiedTransaction {
  readonly producer: string;
  readonly epoch: number;
  readonly openedAtUs: number;
  state: 'open' | 'pre-committed' | 'committed' | 'aborted';
  readonly lineages: number[];
}

/** The specification: what each request answers and what readers see afterwards. */
class SinkSpecification {
  readonly epochs: Record<string, number> = { p: 0, q: 0 };
  readonly transactions = new Map<string, SpecifiedTransaction>();
  readonly visible: number[] = [];

  recordsOf(name: string): number {
    return this.transactions.get(name)?.lineages.length ?? 0;
  }

  wait(nowUs: number): void {
    for (const transaction of this.transactions.values()) {
      if (transaction.state !== 'open' || transaction.openedAtUs + TRANSACTION_TIMEOUT_US > nowUs) continue;
      transaction.state = 'aborted';
      this.epochs[transaction.producer] = Math.max(this.epochs[transaction.producer] ?? 0, transaction.epoch + 1);
    }
  }

  write({ producer, epoch, transaction: name }: Step, lineage: number, nowUs: number): void {
    if (this.#isFenced(producer, epoch)) return;
    const known = this.transactions.get(name);
    if (known === undefined) {
      this.transactions.set(name, { producer, epoch, openedAtUs: nowUs, state: 'open', lineages: [lineage] });
    } else if (known.state === 'open' && known.producer === producer) known.lineages.push(lineage);
  }

  answer({ action, producer, epoch, transaction: name, miscount, keep }: Step): string {
    const known = this.transactions.get(name);
    if (action === 'commit' && known?.state === 'committed') return 'done';
    if (action === 'abort' && known?.state === 'aborted') return 'done';
    if (action === 'abort' && known?.state === 'committed') return 'fenced';
    if (this.#isFenced(producer, epoch)) return 'fenced';
    if (action === 'initialize') return this.#initialize(producer, epoch, keep);
    const own = known?.producer === producer ? known : undefined;
    if (action === 'pre-commit')
      return this.#preCommit(known?.state === 'committed' ? known : own, this.recordsOf(name) + miscount);
    if (action === 'commit') {
      if (own?.state !== 'pre-committed') return 'aborted';
      own.state = 'committed';
      this.visible.push(...own.lineages);
      return 'done';
    }
    if (known === undefined)
      this.transactions.set(name, { producer, epoch, openedAtUs: 0, state: 'aborted', lineages: [] });
    else if (own === undefined) return 'aborted';
    else own.state = 'aborted';
    return 'done';
  }

  #initialize(producer: string, epoch: number, keep: readonly string[]): string {
    this.epochs[producer] = epoch;
    for (const [name, transaction] of this.transactions) {
      const isUnfinished = transaction.state === 'open' || transaction.state === 'pre-committed';
      if (!isUnfinished || transaction.producer !== producer || transaction.epoch >= epoch) continue;
      if (!keep.includes(name)) transaction.state = 'aborted';
    }
    return 'done';
  }

  #preCommit(own: SpecifiedTransaction | undefined, records: number): string {
    if (own === undefined || own.state === 'aborted') return records === 0 ? 'done' : 'aborted';
    if (own.state !== 'open') return 'done';
    if (own.lineages.length !== records) return 'incomplete';
    own.state = 'pre-committed';
    return 'done';
  }

  #isFenced(producer: string, epoch: number): boolean {
    return epoch < (this.epochs[producer] ?? 0);
  }
}

function requestOf(
  { action, producer, epoch, transaction, miscount, keep }: Step,
  records: number,
): SinkRequest | undefined {
  const client = producerOf(producer, epoch);
  if (action === 'initialize') return client.initialize(...keep);
  if (action === 'pre-commit') return client.preCommit(transaction, records + miscount);
  if (action === 'commit') return client.commit(transaction);
  return action === 'abort' ? client.abort(transaction) : undefined;
}

test('sink store: every answer and every visible record is as specified', () => {
  const reached = new Map<string, number>();
  fc.assert(
    fc.property(stepsOf({ minLength: 1, maxLength: 40 }), (steps) => {
      const { harness, disk, restart } = sinkBench(constant(1));
      const specification = new SinkSpecification();
      steps.forEach((current, lineage) => {
        specification.wait(harness.nowUs);
        const request = requestOf(current, specification.recordsOf(current.transaction));
        if (request !== undefined) {
          const specified = specification.answer(current);
          expect({ current, outcome: outcomeOf(harness, request) }).toEqual({ current, outcome: specified });
          const branch = `${current.action} ${specified}`;
          reached.set(branch, (reached.get(branch) ?? 0) + 1);
        } else if (current.action === 'write') {
          specification.write(current, lineage, harness.nowUs);
          harness.receive(producerOf(current.producer, current.epoch).write(current.transaction, lineage));
        } else if (current.action === 'wait') harness.runFor(TRANSACTION_TIMEOUT_US / 2);
        else restart();
        expect(disk.visible().lineages).toEqual(specification.visible);
      });
      specification.wait(harness.nowUs);
      expect(
        disk.openTransactions().map(({ transaction, preCommitted, records }) => [transaction, preCommitted, records]),
      ).toEqual(
        [...specification.transactions]
          .filter(([, { state }]) => state === 'open' || state === 'pre-committed')
          .map(([name, { state, lineages }]) => [name, state === 'pre-committed', lineages.length]),
      );
    }),
    { numRuns: 400, seed: 22 },
  );
  for (const branch of [
    'initialize fenced',
    'pre-commit incomplete',
    'pre-commit aborted',
    'commit done',
    'commit aborted',
    'commit fenced',
    'abort done',
  ]) {
    expect(reached.get(branch) ?? 0, branch).toBeGreaterThan(10);
  }
});

const EFFECTS: readonly ServiceEffect[] = ['slow', 'unavailable', 'fail', 'unknown-outcome'];

/** What must hold of any history of a sink store. */
function expectSound({ harness, disk }: SinkBench): void {
  const opened = new Set<string>();
  const preCommitted = new Set<string>();
  const ended = new Set<string>();
  const visible: number[] = [];
  for (const event of harness.events) {
    if (event.kind === 'transaction-opened') {
      expect(opened.has(event.transaction)).toBe(false);
      opened.add(event.transaction);
    } else if (event.kind === 'transaction-pre-committed') {
      expect([
        opened.has(event.transaction),
        preCommitted.has(event.transaction),
        ended.has(event.transaction),
      ]).toEqual([true, false, false]);
      preCommitted.add(event.transaction);
    } else if (event.kind === 'transaction-committed') {
      expect([preCommitted.has(event.transaction), ended.has(event.transaction)]).toEqual([true, false]);
      ended.add(event.transaction);
      visible.push(...event.lineages);
    } else if (event.kind === 'transaction-aborted') {
      expect(ended.has(event.transaction)).toBe(false);
      expect(event.preCommitted).toBe(preCommitted.has(event.transaction));
      ended.add(event.transaction);
    }
  }
  /* Readers see the committed transactions, in order, and nothing else; each record was written once, so none is seen twice. */
  expect(disk.visible().lineages).toEqual(visible);
  expect(disk.visible().values).toEqual(visible.map((lineage) => `r${lineage}`));
  expect(new Set(visible).size).toBe(visible.length);
  expect(disk.openTransactions().map(({ transaction }) => transaction)).toEqual(
    [...opened].filter((name) => !ended.has(name)),
  );
}

test('sink store: overlapping requests, faults and restarts show no record twice and none of an aborted transaction', () => {
  let committed = 0;
  fc.assert(
    fc.property(
      stepsOf({ minLength: 1, maxLength: 40 }),
      /* Between two steps, in turn. */
      fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 10 }),
      fc.subarray([...EFFECTS]),
      fc.string({ maxLength: 4 }),
      (steps, waitsUs, effects, seed) => {
        const bench = sinkBench(uniform(1, 100), seed);
        const { harness, restart } = bench;
        for (const effect of effects) {
          harness.conditions.apply(effect, { effect, factor: 3, chance: { numerator: 1, denominator: 8 } });
        }
        const fences = new Map<string, number>();
        const initializations = new Map<number, Step>();
        const written = new Map<string, number>();
        steps.forEach((current, index) => {
          const waitUs = waitsUs[index % waitsUs.length] ?? 0;
          const { action, producer, epoch, transaction } = current;
          const seenEvents = harness.events.length;
          const seenReplies = harness.sent.length;
          const request = requestOf(current, written.get(transaction) ?? 0);
          if (request !== undefined && request.kind !== 'sink-write') {
            harness.receive({ ...request, requestId: index });
            if (action === 'initialize') initializations.set(index, current);
          } else if (action === 'write') {
            harness.receive(producerOf(producer, epoch).write(transaction, index));
            written.set(transaction, (written.get(transaction) ?? 0) + 1);
          } else if (action === 'restart') restart();
          harness.runFor(action === 'wait' ? TRANSACTION_TIMEOUT_US / 2 : waitUs);
          /* Whoever was told that lower epochs are fenced never sees one of them open a transaction again. */
          for (const event of harness.events.slice(seenEvents)) {
            if (event.kind !== 'transaction-opened') continue;
            expect(event.producerEpoch).toBeGreaterThanOrEqual(fences.get(event.producer) ?? 0);
          }
          for (const { message } of harness.sent.slice(seenReplies)) {
            if (message.kind !== 'sink-reply' || message.outcome !== 'done') continue;
            const initialization = initializations.get(message.requestId);
            if (initialization === undefined) continue;
            fences.set(
              initialization.producer,
              Math.max(fences.get(initialization.producer) ?? 0, initialization.epoch),
            );
          }
        });
        harness.runFor(TRANSACTION_TIMEOUT_US * 2);
        expectSound(bench);
        committed += harness.eventsOf('transaction-committed').length;
      },
    ),
    { numRuns: 300, seed: 23 },
  );
  expect(committed).toBeGreaterThan(50);
});
