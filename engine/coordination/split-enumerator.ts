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
 *   I2 a range of a partition is assigned when no earlier one is open or waits: they are read in order, though perhaps by different
 *      readers. Only where a reader restarts alone may an earlier one be open again beside a later one, with another reader;
 *   I3 nothing is assigned before every reader said what it holds, for I2 (Flink, FLIP-537, waits alike).
 */
import type { Out } from '../protocol/actor.ts';
import type { SourceSpec } from '../job/job-graph.ts';
import { isFinished, type LogSplit, UNBOUNDED } from '../protocol/operator-events.ts';
import { probe } from '../protocol/probes.ts';

/** What an enumerator asks of its coordinator (Flink: SplitEnumeratorContext). */
export interface EnumeratorContext {
  /** Subtasks whose readers are there. */
  readonly registered: ReadonlySet<number>;
  /** How many readers there will be. */
  parallelism(): number;
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
  /** Splits that readers hold and have not finished, by id. */
  readonly #open = new Map<string, { readonly split: LogSplit; readonly subtask: number }>();
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
      else this.#open.set(split.splitId, { split, subtask });
    }
    this.#serve(out);
  }

  handleSplitRequest(subtask: number, out: Out): void {
    this.#waiting.add(subtask);
    this.#serve(out);
  }

  /** Known already when a reader of a restarted region says it again. */
  handleFinished(subtask: number, split: LogSplit, out: Out): void {
    if (this.#open.get(split.splitId)?.subtask === subtask) this.#open.delete(split.splitId);
    if (this.#next.get(split.partition) === split.end) this.#makeSplit(split.partition, split.end);
    else probe(out, 'split-finished-again');
    this.#context.releaseSplit(subtask, split.splitId, out);
    this.#serve(out);
  }

  /** The reader is gone; what else it holds it will say when it is there again. */
  addSplitsBack(splits: readonly LogSplit[], subtask: number, out: Out): void {
    if (splits.length > 0) probe(out, 'splits-given-back');
    this.#waiting.delete(subtask);
    for (const [id, open] of [...this.#open]) if (open.subtask === subtask) this.#open.delete(id);
    this.#unassigned = [...splits, ...this.#unassigned].sort(
      (a, b) => a.partition - b.partition || a.offset - b.offset,
    );
    this.#serve(out);
  }

  #serve(out: Out): void {
    const { registered, parallelism } = this.#context;
    if (registered.size < parallelism()) return;
    for (const split of [...this.#unassigned]) {
      const subtask = this.#isNext(split) ? this.#readerFor(split) : undefined;
      if (subtask === undefined) continue;
      this.#unassigned = this.#unassigned.filter((other) => other !== split);
      this.#waiting.delete(subtask);
      this.#open.set(split.splitId, { split, subtask });
      this.#context.assignSplit(subtask, split, out);
    }
    if (!this.#isExhausted) return;
    for (const subtask of this.#waiting) this.#context.signalNoMoreSplits(subtask, out);
    this.#waiting.clear();
  }

  /** I2. */
  #isNext({ partition, offset }: LogSplit): boolean {
    const isEarlier = (other: LogSplit): boolean => other.partition === partition && other.offset < offset;
    for (const { split } of this.#open.values()) if (isEarlier(split)) return false;
    return !this.#unassigned.some(isEarlier);
  }

  /** Who asked first, and for a split that was given back anyone: the readers' room is meant for one range of each partition. */
  #readerFor(split: LogSplit): number | undefined {
    const load = new Map<number, number>();
    const reading = new Set<number>();
    for (const { split: open, subtask } of this.#open.values()) {
      load.set(subtask, (load.get(subtask) ?? 0) + 1);
      if (open.partition === split.partition) reading.add(subtask);
    }
    for (const subtask of this.#waiting) if (!reading.has(subtask)) return subtask;
    if (this.#next.get(split.partition) === split.end) return undefined;
    const others = [...this.#context.registered].filter((subtask) => !reading.has(subtask));
    return others.sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0) || a - b)[0];
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
