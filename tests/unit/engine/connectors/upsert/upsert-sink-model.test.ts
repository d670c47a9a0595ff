/**
 * An upsert sink and its table, whatever is lost, repeated, late or written again after a crash (row K13): no row ever goes back, and what a
 * completed checkpoint holds is in the table.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UpsertWriter } from '../../../../../engine/connectors/upsert/upsert-writer.ts';
import type { MailboxId } from '../../../../../engine/foundation/ids.ts';
import { type EngineParts, standardParts } from '../../../../../engine/parts.ts';
import { constant } from '../../../../../sim/kernel/distribution.ts';
import { TableDisk, TableStore } from '../../../../../sim/services/table-store.ts';
import { id, SINK } from '../../../../support/engine-values.ts';
import { RecordingOut } from '../../../../support/recording-out.ts';
import { CLIENT, ServiceHarness } from '../../../sim/services/service-harness.ts';

type Step = 'write' | 'checkpoint' | 'crash' | 'silence' | 'slowness' | 'health' | 'wait' | 'restart-table';
interface Row {
  readonly key: string;
  readonly count: number;
}
interface Attempt {
  readonly writer: UpsertWriter;
  readonly out: RecordingOut;
  readonly counts: Map<string, number>;
}

const TICK_US = 1_000;
const KEYS = ['a', 'b', 'c'];

class Bench {
  readonly harness = new ServiceHarness();
  readonly #disk = new TableDisk();
  readonly #parts: EngineParts;
  readonly #attempts: Attempt[] = [];
  /** What each checkpoint that was taken holds; and the newest one that is complete. */
  readonly #taken = new Map<number, ReadonlyMap<string, number>>();
  completed: ReadonlyMap<string, number> = new Map();
  #checkpoints = 0;
  #written = 0;
  #delivered = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#startTable();
    this.#deploy();
  }

  step(step: Step): void {
    const one = this.#attempts.at(-1);
    if (one === undefined) return;
    switch (step) {
      case 'write':
        this.#written += 1;
        this.#write(one, KEYS[this.#written % KEYS.length] ?? 'a');
        return this.#run(1);
      case 'checkpoint':
        this.#checkpoints += 1;
        this.#taken.set(this.#checkpoints, new Map(one.counts));
        one.writer.prepareCommit(id(this.#checkpoints), false, one.out);
        if (one.writer.isFlushed) this.#flushed(this.#checkpoints);
        return this.#run(10);
      case 'crash':
        // What it has sent is under way, and arrives; it never hears of it.
        return this.#deploy();
      case 'silence':
        return this.harness.affect('silence', 'unknown-outcome');
      case 'slowness':
        return this.harness.affect('slowness', 'slow', 20);
      case 'health':
        this.harness.conditions.lift('silence');
        return this.harness.conditions.lift('slowness');
      case 'wait':
        return this.#run(40);
      case 'restart-table':
        return this.#startTable();
    }
  }

  settle(): void {
    for (const step of ['health', 'write', 'wait', 'checkpoint', 'wait', 'wait'] as const) this.step(step);
  }

  /** Rows as readers saw them change. */
  get changes(): readonly Row[] {
    return this.harness.eventsOf('output-appended').flatMap(({ values }) => values as Row[]);
  }

  get table(): ReadonlyMap<string, number> {
    return new Map(this.#disk.rowsOf('out').map(({ key, version }) => [key, version]));
  }

  #write(one: Attempt, key: string): void {
    const count = (one.counts.get(key) ?? 0) + 1;
    one.counts.set(key, count);
    one.writer.process({ key, count }, 0, 0);
    one.writer.sendBatches(one.out);
  }

  #flushed(checkpoint: number): void {
    const held = this.#taken.get(checkpoint);
    if (held !== undefined) this.completed = held;
  }

  #startTable(): void {
    this.harness.start(
      new TableStore({
        disk: this.#disk,
        latency: constant(1_000),
        conditions: this.harness.conditions,
        latencySite: this.harness.choices.site('latency'),
        conditionSite: this.harness.choices.site('condition'),
      }),
    );
  }

  #deploy(): void {
    this.#taken.clear();
    const writer = new UpsertWriter({
      uid: 'out',
      upsert: { keyOf: (value) => (value as Row).key, versionOf: (value) => (value as Row).count },
      batchRecords: 2,
      recordBytes: 1,
      client: { node: SINK, via: 'datagram', name: 'table', timeoutUs: 8_000, firstRequestId: 1 },
      lingerUs: 3_000,
      parts: this.#parts,
      host: {
        ready: () => undefined,
        flushed: (checkpoint) => this.#flushed(checkpoint),
        allFlushed: () => undefined,
        fail: () => undefined,
      },
    });
    const out = new RecordingOut((timer, nowUs, timerOut) => writer.handleTimer(timer, nowUs, timerOut));
    this.#attempts.push({ writer, out, counts: new Map(this.completed) });
    writer.initialize({ checkpointId: 0, states: [], committables: [] }, out);
  }

  #run(ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      this.#attempts.forEach(({ out }, index) => {
        for (const { message } of out.fresh()) this.harness.receive(message, CLIENT, (index + 1) as MailboxId);
      });
      this.harness.runFor(TICK_US);
      const live = this.#attempts.at(-1);
      for (; this.#delivered < this.harness.sent.length; this.#delivered += 1) {
        const sent = this.harness.sent[this.#delivered];
        if (live === undefined || Number(sent?.to.mailbox) !== this.#attempts.length) continue;
        if (sent?.message.kind === 'sink-reply') live.writer.handleReply(sent.message, live.out.nowUs, live.out);
      }
      live?.out.advance(TICK_US);
    }
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Step>('write', 'write', 'checkpoint') },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Step>('crash', 'silence', 'slowness', 'health', 'wait', 'restart-table'),
    },
  ),
  { minLength: 4, maxLength: 40, size: 'max' },
);

function settled(all: readonly Step[], parts: EngineParts = standardParts): Bench {
  const bench = new Bench(parts);
  for (const step of all) bench.step(step);
  bench.settle();
  return bench;
}

/** The first change that takes a row back; undefined: none does. */
function firstBack(changes: readonly Row[]): Row | undefined {
  const seen = new Map<string, number>();
  return changes.find(({ key, count }) => {
    const isBack = count <= (seen.get(key) ?? 0);
    seen.set(key, count);
    return isBack;
  });
}

test('an upsert sink never takes a row back, and the table has what completed checkpoints hold', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const bench = settled(all);
      expect(firstBack(bench.changes)).toBeUndefined();
      for (const [key, count] of bench.completed) expect(bench.table.get(key) ?? 0).toBeGreaterThanOrEqual(count);
      expect(bench.completed.size).toBeGreaterThan(0);
    }),
    { numRuns: 150, seed: 13 },
  );
});

test('without versions, what is written again after a crash takes rows back', () => {
  const all: Step[] = [
    'checkpoint',
    'write',
    'write',
    'write',
    'write',
    'write',
    'write',
    'wait',
    'crash',
    'write',
    'write',
    'wait',
  ];
  expect(firstBack(settled(all, { ...standardParts, upsertReplaces: 'any' }).changes)).toBeDefined();
  expect(firstBack(settled(all).changes)).toBeUndefined();
});
