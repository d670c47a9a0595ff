/**
 * Discovers the splits of a topic and hands them to readers that ask (rows K1, K3; Flink: SplitEnumerator; the order of ranges: the
 * parent-child order of shards in the Kinesis source).
 *
 * A partition is one split without an end, or is cut into ranges of so many records, one after the other: the next range is made when
 * the reader of the one before says that it is finished. That note is state, too, and must not be lost between the two: the reader
 * keeps a finished split in its state until it is told `release-split`. As that is an event like any other, it is handled before the
 * barrier of a checkpoint exactly if the enumerator's snapshot holds what follows from it (operator-coordinator.ts, I1).
 *
 * Owns: what is not assigned. Does not own: what was assigned to whom since when (split-assignment-tracker.ts).
 * Invariants:
 *   I1 every split is in exactly one place of a checkpoint: here, or in one reader's state;
 *   I2 of a partition at most one split is open: its ranges are read in order, though perhaps by different readers;
 *   I3 nothing is assigned before every reader said what it holds, for I2 (Flink, FLIP-537, waits alike).
 */
import type { Out } from '../protocol/actor.ts';
import type { SourceSpec } from '../job/job-graph.ts';
import { isFinished, type LogSplit, UNBOUNDED } from '../protocol/operator-events.ts';

/** What an enumerator asks of its coordinator (Flink: SplitEnumeratorContext). */
export interface EnumeratorContext {
  /** Subtasks whose readers are there. */
  readonly registered: ReadonlySet<number>;
  readonly parallelism: number;
  assignSplit(subtask: number, split: LogSplit, out: Out): void;
  signalNoMoreSplits(subtask: number, out: Out): void;
  releaseSplit(subtask: number, splitId: string, out: Out): void;
}

export interface EnumeratorState {
  /** Where the next range of each partition begins; UNBOUNDED: there is none. */
  readonly discovered: readonly { readonly partition: number; readonly next: number }[];
  readonly unassigned: readonly LogSplit[];
}

export class SplitEnumerator {
  readonly #source: SourceSpec;
  readonly #context: EnumeratorContext;
  /** Where the next range of each partition begins. */
  readonly #next = new Map<number, number>();
  #unassigned: LogSplit[];
  /** Splits that readers hold and have not finished: by partition, the subtask. */
  readonly #open = new Map<number, number>();
  /** Who asked and got nothing yet, in the order of asking. */
  readonly #waiting = new Set<number>();

  constructor(source: SourceSpec, context: EnumeratorContext, state: EnumeratorState | undefined) {
    this.#source = source;
    this.#context = context;
    for (const { partition, next } of state?.discovered ?? []) this.#next.set(partition, next);
    this.#unassigned = [...(state?.unassigned ?? [])];
  }

  /** Partitions that were not known yet begin at their start. */
  start(): void {
    for (const partition of this.#source.partitions) if (!this.#next.has(partition)) this.#makeSplit(partition, 0);
  }

  snapshotState(): EnumeratorState {
    const discovered = [...this.#next].map(([partition, next]) => ({ partition, next }));
    return { discovered, unassigned: [...this.#unassigned] };
  }

  /** A reader is there, with these splits in its restored state. */
  addReader(subtask: number, splits: readonly LogSplit[], out: Out): void {
    for (const split of splits) {
      if (isFinished(split)) this.handleFinished(subtask, split, out);
      else this.#open.set(split.partition, subtask);
    }
    this.#serve(out);
  }

  handleSplitRequest(subtask: number, out: Out): void {
    this.#waiting.add(subtask);
    this.#serve(out);
  }

  /** Known already when a reader of a restarted region says it again. */
  handleFinished(subtask: number, split: LogSplit, out: Out): void {
    if (this.#open.get(split.partition) === subtask) this.#open.delete(split.partition);
    if (this.#next.get(split.partition) === split.end) this.#makeSplit(split.partition, split.end);
    else out.report({ kind: 'probe', probe: 'split-finished-again' });
    this.#context.releaseSplit(subtask, split.splitId, out);
    this.#serve(out);
  }

  /** The reader is gone; what else it holds it will say when it is there again. */
  addSplitsBack(splits: readonly LogSplit[], subtask: number, out: Out): void {
    if (splits.length > 0) out.report({ kind: 'probe', probe: 'splits-given-back' });
    this.#waiting.delete(subtask);
    for (const [partition, reader] of [...this.#open]) if (reader === subtask) this.#open.delete(partition);
    this.#unassigned = [...splits, ...this.#unassigned].sort(
      (a, b) => a.partition - b.partition || a.offset - b.offset,
    );
    this.#serve(out);
  }

  #serve(out: Out): void {
    const { registered, parallelism } = this.#context;
    if (registered.size < parallelism) return;
    for (let split = this.#takeAssignable(); split !== undefined; split = this.#takeAssignable()) {
      const [subtask] = this.#waiting;
      if (subtask === undefined) return void this.#unassigned.unshift(split);
      this.#waiting.delete(subtask);
      this.#open.set(split.partition, subtask);
      this.#context.assignSplit(subtask, split, out);
    }
    if (!this.#isExhausted) return;
    for (const subtask of this.#waiting) this.#context.signalNoMoreSplits(subtask, out);
    this.#waiting.clear();
  }

  /** I2: the first split whose partition nobody reads. */
  #takeAssignable(): LogSplit | undefined {
    const at = this.#unassigned.findIndex(({ partition }) => !this.#open.has(partition));
    return at < 0 ? undefined : this.#unassigned.splice(at, 1)[0];
  }

  /** Every partition is one split, and all are assigned. Ranges go on for ever. */
  get #isExhausted(): boolean {
    return this.#unassigned.length === 0 && this.#rangeRecords === 0;
  }

  get #rangeRecords(): number {
    return this.#source.recordsPerSplit ?? 0;
  }

  #makeSplit(partition: number, offset: number): void {
    const records = this.#rangeRecords;
    const end = records === 0 ? UNBOUNDED : offset + records;
    this.#next.set(partition, end);
    this.#unassigned.push({ splitId: `${partition}@${offset}`, partition, offset, end });
  }
}
