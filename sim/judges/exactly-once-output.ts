/**
 * Judge 1, exactly-once output: what readers of the sinks can see equals the reference.
 *
 * Visible are committed transactions and output appended without one, in the order of the history.
 * Owns the counts of what was seen. Folds each visible record once: O(1), no object per record.
 *
 * I1: the n-th sight of a lineage is a duplicate exactly if the reference makes it less than n times.
 * I2: `isComplete` holds exactly if every expected record was seen as often as expected.
 * I3: a duplicate is not order-broken as well, and an invented record is neither.
 */
import type { StateKey } from '../../engine/job/functions.ts';
import {
  isOfFinish,
  type Lineage,
  LINEAGE_PATH_UNIT,
  type RecordValue,
  sourceIndexOf,
} from '../../engine/protocol/stream-elements.ts';
import type { EventOf, HistoryEvent } from '../history/history-event.ts';
import { type ExpectedOutput, type ExpectedSink, LineageCounts } from './expected-output.ts';
import { Findings } from './findings.ts';
import type { JobAudit } from './job-audit.ts';
import type { EndOfLife, Judge } from './judge.ts';
import type { RecordTrail } from './record-trail.ts';
import type { Cut, InputIndex } from './reference-run.ts';
import { secondsText } from './seconds-text.ts';
import { canonicalText, HashSum, TermHash } from './value-hash.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'exactly-once-output';
/** The offset at which the end of input stands, for the order per key. */
const BEHIND_ALL = 2_147_483_647;

/** What became visible at one moment. */
interface Batch {
  readonly at: number;
  readonly atUs: number;
  /** Transaction or producer, for people. */
  readonly by: string;
  /** Partition of the output; empty where there is one order. */
  readonly partition: string;
  readonly values: readonly RecordValue[];
  readonly lineages: readonly Lineage[];
}

/** What was seen at one sink. */
interface SeenSink {
  readonly expected: ExpectedSink;
  readonly counts: LineageCounts;
  readonly sum: HashSum;
  readonly batches: Batch[];
  /** Highest offset seen, by key and partition of the input; where readers see partitions of output, for each of these. */
  readonly lastOffsets: Map<string, Map<StateKey, Int32Array>>;
  /** Expected records seen, repetitions left out. */
  distinct: number;
}

export interface ExactlyOnceOutputOptions {
  readonly expected: ExpectedOutput;
  readonly audit: JobAudit;
  readonly index: InputIndex;
  readonly trail: RecordTrail;
  /** What a durable checkpoint covers when asked, and whether a transaction is open: decides what may be missing. */
  readonly settled: () => {
    readonly cut: Cut;
    /** Source indices of records that were under way: before the cut, but their output is still to come. */
    readonly inFlight: ReadonlySet<number>;
    readonly openTransactions: number;
    readonly hasFinished: boolean;
  };
}

export class ExactlyOnceOutput implements Judge {
  readonly name = NAME;
  readonly kinds = ['transaction-committed', 'output-appended', 'output-vanished'] as const;
  readonly anomalies =
    'Where the job is drained, the reference finishes at the cut of its savepoint. output-lost: a record the reference makes is not visible though all should be, or though a completed checkpoint covers it ' +
    'and no transaction is open, or it was visible and is gone. output-duplicated: a record is visible more often than the reference makes it. ' +
    'output-invented: a visible record comes from no input record, or from one that makes none. output-value-wrong: the ' +
    'right records are visible with other values. order-broken: two records of one key and one partition are visible ' +
    'against their order in the input.';
  readonly #options: ExactlyOnceOutputOptions;
  readonly #findings = new Findings(NAME);
  #expected: ExpectedOutput;
  #sinks: readonly SeenSink[];
  readonly #sinkByProducer = new Map<string, SeenSink>();
  readonly #term = new TermHash();
  #missing = 0;
  #visible = 0;

  constructor(options: ExactlyOnceOutputOptions) {
    this.#options = options;
    this.#expected = options.expected;
    this.#sinks = this.#unseen(options.expected);
  }

  /** The job was drained, or goes on after it: this is now what must be visible in the end, of what was seen before, too (row C28). */
  expect(expected: ExpectedOutput): void {
    const before = this.#sinks.map(({ batches }) => batches);
    this.#expected = expected;
    this.#sinkByProducer.clear();
    this.#visible = 0;
    this.#sinks = this.#unseen(expected);
    this.#sinks.forEach((sink, index) => {
      for (const batch of before[index] ?? []) this.#seeAll(sink, batch);
    });
  }

  #unseen(expected: ExpectedOutput): readonly SeenSink[] {
    this.#missing = expected.sinks.reduce((sum, { total }) => sum + total, 0);
    return expected.sinks.map((sink) => ({
      expected: sink,
      counts: new LineageCounts(this.#options.index.sourceCount),
      sum: new HashSum(),
      batches: [],
      lastOffsets: new Map(),
      distinct: 0,
    }));
  }

  /** Records visible so far, duplicates included. */
  get visible(): number {
    return this.#visible;
  }

  /** Entries of memory; grows with what was seen, which the end may be asked for. */
  get remembered(): number {
    return this.#sinks.reduce((sum, { batches }) => sum + batches.length, this.#sinkByProducer.size);
  }

  /** I2, O(1). */
  isComplete(): boolean {
    return this.#missing === 0;
  }

  observe(entry: HistoryEvent): void {
    const { event, index: at, atUs } = entry;
    if (event.kind === 'output-vanished') return this.#vanished(event, at);
    if (event.kind !== 'transaction-committed' && event.kind !== 'output-appended') return;
    const { producer, values, lineages } = event;
    const by = event.kind === 'transaction-committed' ? `transaction ${event.transaction}` : writerOf(event);
    const sink = this.#sinkOf(producer);
    if (sink === undefined) {
      this.#visible += lineages.length;
      this.#findings.violated('output-invented', [at], () => `${by} writes to no sink of the job`);
      return;
    }
    this.#seeAll(sink, { at, atUs, by, partition: event.partition ?? '', values, lineages });
  }

  #seeAll(sink: SeenSink, batch: Batch): void {
    sink.batches.push(batch);
    this.#visible += batch.lineages.length;
    for (let i = 0; i < batch.lineages.length; i += 1) this.#see(sink, batch, i);
  }

  /** Nobody makes it visible again: what it came from is behind a checkpoint. */
  #vanished({ transaction, lineages }: EventOf<'output-vanished'>, at: number): void {
    this.#findings.violated('output-lost', [at], () => {
      const record = this.#options.index.describe(lineages[0] ?? -1);
      return `${record} was visible in transaction ${transaction} and is gone, one of ${lineages.length}`;
    });
  }

  /** Nothing more will become visible: what is missing is covered by a completed checkpoint, and no transaction is open. */
  isDecided(): boolean {
    if (this.isComplete()) return true;
    const { cut, inFlight, openTransactions } = this.#options.settled();
    if (openTransactions > 0) return false;
    for (const { lineage } of this.#missingRecords()) {
      const source = sourceIndexOf(lineage);
      if (inFlight.has(source) || !this.#isBefore(cut, source)) return false;
    }
    return true;
  }

  finish(end: EndOfLife): Verdict[] {
    if (!this.isComplete()) this.#judgeMissing(end);
    else if (this.#options.audit.outputValues === 'multiset') for (const sink of this.#sinks) this.#judgeValues(sink);
    return this.#findings.verdicts(`All ${String(this.#visible)} visible records are as the reference says`);
  }

  /** The first expected record that is not visible, as a sentence part; empty when complete. */
  firstMissing(): string {
    const first = this.#missingRecords().next();
    return first.done === true ? '' : this.#options.index.describe(first.value.lineage);
  }

  #see(sink: SeenSink, batch: Batch, position: number): void {
    const lineage = batch.lineages[position] ?? -1;
    const expected = sink.expected.counts.of(lineage);
    if (this.#options.audit.outputValues === 'multiset') sink.sum.add(this.#term.ofValue(batch.values[position]));
    if (expected === 0) {
      this.#invented(sink, batch, position);
      return;
    }
    if (sink.counts.add(lineage) > expected) {
      this.#duplicated(sink, batch, position);
      return;
    }
    sink.distinct += 1;
    this.#missing -= 1;
    if (this.#options.audit.outputKey !== undefined) this.#judgeOrder(sink, batch, position);
  }

  #judgeOrder(sink: SeenSink, batch: Batch, position: number): void {
    const key = this.#options.audit.outputKey?.(batch.values[position]) ?? '';
    const { slots, offsets, input } = this.#options.index;
    let lastOffsets = sink.lastOffsets.get(batch.partition);
    if (lastOffsets === undefined) {
      lastOffsets = new Map();
      sink.lastOffsets.set(batch.partition, lastOffsets);
    }
    let last = lastOffsets.get(key);
    if (last === undefined) {
      last = new Int32Array(input.length).fill(-1);
      lastOffsets.set(key, last);
    }
    if (isOfFinish(batch.lineages[position] ?? 0)) {
      // Nothing of this key may follow (the Finishing rule of row X40).
      if (!this.#expected.goesOnAfterFinish) last.fill(BEHIND_ALL);
      return;
    }
    const source = sourceIndexOf(batch.lineages[position] ?? 0);
    const slot = slots[source] ?? -1;
    const offset = offsets[source] ?? -1;
    const before = last[slot] ?? -1;
    if (offset >= before) {
      last[slot] = offset;
      return;
    }
    this.#findings.violated(
      'order-broken',
      [batch.at],
      sayOrderBroken(this.#options.index, batch, position, { key, before }),
    );
  }

  #isBefore(cut: Cut, source: number): boolean {
    const { slots, offsets } = this.#options.index;
    return source >= 0 && (offsets[source] ?? 0) < (cut[slots[source] ?? -1] ?? 0);
  }

  #judgeMissing(end: EndOfLife): void {
    const { cut, inFlight, openTransactions, hasFinished } = this.#options.settled();
    const all = hasFinished || end.cause === 'liveness-reached' || end.cause === 'quiescent';
    for (const { sink, lineage } of this.#missingRecords()) {
      const source = sourceIndexOf(lineage);
      const covered = openTransactions === 0 && this.#isBefore(cut, source) && !inFlight.has(source);
      if (!all && !covered) continue;
      this.#lost(
        sink,
        lineage,
        covered ? 'a completed checkpoint covers it and no transaction is open' : 'nothing more will happen',
      );
    }
    if (this.#findings.isEmpty) {
      this.#findings.inconclusive(
        'output-incomplete',
        () => `The life ended (${end.cause}) before all output was visible`,
      );
    }
  }

  *#missingRecords(): Generator<{ readonly sink: SeenSink; readonly lineage: Lineage }> {
    for (const sink of this.#sinks) {
      for (const [lineage, count] of sink.expected.counts) {
        if (sink.counts.of(lineage) < count) yield { sink, lineage };
      }
    }
  }

  /** Only where the right records were seen, each once: then the bags must be equal. */
  #judgeValues(sink: SeenSink): void {
    if (sink.sum.equals(sink.expected.sum) || this.#findings.has('output-duplicated')) return;
    if (this.#findings.has('output-invented')) return;
    const wrong = firstForeignValue(sink.batches, this.#expected.valuesOf(sink.expected.uid));
    this.#findings.violated('output-value-wrong', [wrong.at], () => {
      const record = this.#options.index.describe(wrong.lineage);
      return `${record} is visible in ${wrong.by} as ${wrong.found}; the reference never makes it so often, and makes ${wrong.lacking} instead`;
    });
  }

  #sinkOf(producer: string): SeenSink | undefined {
    const known = this.#sinkByProducer.get(producer);
    if (known !== undefined) return known;
    let found: SeenSink | undefined;
    for (const sink of this.#sinks) {
      const { uid } = sink.expected;
      if (producer !== uid && !producer.startsWith(`${uid}-`)) continue;
      if (found === undefined || uid.length > found.expected.uid.length) found = sink;
    }
    if (found !== undefined) this.#sinkByProducer.set(producer, found);
    return found;
  }

  /** Apart from `#see`, which then makes no closure for a record that is as it should be. */
  #invented(sink: SeenSink, batch: Batch, position: number): void {
    this.#findings.violated('output-invented', [batch.at], () => {
      const lineage = batch.lineages[position] ?? -1;
      const record = this.#options.index.describe(lineage);
      return `${record} is visible in ${batch.by} as ${canonicalText(batch.values[position])}, but sink ${sink.expected.uid} is due none of it`;
    });
  }

  /** Shown by what decided it; else by the last that was seen. */
  #lost(sink: SeenSink, lineage: Lineage, why: string): void {
    if (this.#findings.again('output-lost')) return;
    const { index, trail } = this.#options;
    const { says, at } = trail.lost(lineage);
    const last = sink.batches.at(-1);
    const shown = at.length > 0 || last === undefined ? at : [last.at];
    this.#findings.violated(
      'output-lost',
      shown,
      () => `${index.describe(lineage)} is not visible at sink ${sink.expected.uid}, though ${why}${says}`,
    );
  }

  #duplicated(sink: SeenSink, batch: Batch, position: number): void {
    if (this.#findings.again('output-duplicated')) return;
    const lineage = batch.lineages[position] ?? -1;
    const first = firstSight(sink.batches, lineage);
    const since = first === undefined || first === batch ? [] : [first.at];
    const { says, at } = this.#options.trail.repeated(lineage, first?.at ?? batch.at, batch.at);
    this.#findings.violated(
      'output-duplicated',
      [...since, ...at, batch.at],
      () => `${this.#sayDuplicated(batch, position, first)}${says}`,
    );
  }

  #sayDuplicated(batch: Batch, position: number, first: Batch | undefined): string {
    const lineage = batch.lineages[position] ?? -1;
    const { outputKey } = this.#options.audit;
    const key = outputKey === undefined ? '' : ` of key ${String(outputKey(batch.values[position]))}`;
    const record = this.#options.index.describe(lineage);
    const before = first === undefined ? 'an earlier one' : `${first.by} at ${secondsText(first.atUs)}`;
    return `${record}${key} is visible again in ${batch.by} at ${secondsText(batch.atUs)}; it was in ${before}`;
  }
}

/** Whose output is visible without the name of a transaction. */
function writerOf({ producer, partition = producer }: EventOf<'output-appended'>): string {
  return partition === producer
    ? `what was written to ${producer}`
    : `what ${producer} wrote to partition ${partition}`;
}

function sayOrderBroken(
  index: InputIndex,
  batch: Batch,
  position: number,
  { key, before }: { readonly key: StateKey; readonly before: number },
): () => string {
  return () => {
    const record = index.describe(batch.lineages[position] ?? -1);
    const what = before === BEHIND_ALL ? 'the end of all input' : `offset ${String(before)} of its partition`;
    return `${record} of key ${String(key)} becomes visible in ${batch.by} after ${what}`;
  };
}

function firstSight(batches: readonly Batch[], lineage: Lineage): Batch | undefined {
  return batches.find((batch) => batch.lineages.includes(lineage));
}

/** The first visible value beyond what the reference makes, and one the reference makes that is not visible. */
function firstForeignValue(
  batches: readonly Batch[],
  expected: readonly { readonly value: RecordValue }[],
): {
  readonly at: number;
  readonly by: string;
  readonly lineage: Lineage;
  readonly found: string;
  readonly lacking: string;
} {
  const due = new Map<string, number>();
  for (const { value } of expected) {
    const text = canonicalText(value);
    due.set(text, (due.get(text) ?? 0) + 1);
  }
  let wrong: { at: number; by: string; lineage: Lineage; found: string } | undefined;
  for (const { at, by, values, lineages } of batches) {
    for (let i = 0; i < values.length; i += 1) {
      const found = canonicalText(values[i]);
      const left = (due.get(found) ?? 0) - 1;
      if (left >= 0) due.set(found, left);
      else wrong ??= { at, by, lineage: lineages[i] ?? -1, found };
    }
  }
  let lacking = 'nothing';
  for (const [text, left] of due) {
    if (left > 0) {
      lacking = text;
      break;
    }
  }
  return { ...(wrong ?? { at: 0, by: 'no transaction', lineage: LINEAGE_PATH_UNIT, found: 'nothing' }), lacking };
}
