/**
 * Discovers the splits of a topic and hands them to readers that ask (rows K1, K3; Flink: SplitEnumerator; the order of ranges: the
 * parent-child order of shards in the Kinesis source).
 *
 * A partition is one split without an end, or is cut into ranges of so many records, one after the other: the next range is made when
 * the reader of the one before says that it is finished. That note is state, too, and must not be lost between the two: the reader
 * keeps a finished split in its state until it is told `release-split`. As that is an event like any other, it is handled before the
 * barrier of a checkpoint exactly if the enumerator's snapshot holds what follows from it (operator-coordinator.ts, I1).
 *
 * Where a partition is bounded, its last reader says that it has ended, and no further range is made. Where partitions may come while the job runs,
 * they are told of by whoever asks the log (partition-discovery.ts); those of the first answer begin where the source is to begin, those that
 * come later at their start, as all that was ever in them came while the job ran (FLIP-288).
 *
 * Owns: what is not assigned. Does not own: what was assigned to whom since when (split-assignment-tracker.ts), who is told that there is
 * nothing more (hybrid-enumerator.ts).
 * Invariants:
 *   I1 every split is in exactly one place of a checkpoint: here, or in one reader's state;
 *   I2 a range of a partition is assigned when no earlier one is open or waits: they are read in order, though perhaps by different
 *      readers. Only where a reader restarts alone may an earlier one be open again beside a later one, with another reader;
 *   I3 nothing is assigned before every reader said what it holds, for I2 (Flink, FLIP-537, waits alike);
 *   I4 a split begins at a number, which is in the checkpoint from the discovery on (H5 in bugs.md);
 *   I5 a reader that is done is assigned nothing.
 */
import type { Out } from '../protocol/actor.ts';
import type { SourceSpec } from '../job/job-graph.ts';
import { ENDED, isFinished, type LogSplit, UNBOUNDED } from '../protocol/operator-events.ts';
import { probe, sometimes } from '../protocol/probes.ts';

/** What an enumerator asks of its coordinator (Flink: SplitEnumeratorContext). */
export interface EnumeratorContext {
  /** Its source is one of a chain: which one (row B24). */
  readonly source?: number;
  /** Subtasks whose readers are there. */
  readonly registered: ReadonlySet<number>;
  /** How many readers there will be. */
  parallelism(): number;
  /** The reader of this subtask was told that there is nothing more. */
  isDone(subtask: number): boolean;
  assignSplit(subtask: number, split: LogSplit, out: Out): void;
  releaseSplit(subtask: number, splitId: string, out: Out): void;
}

export interface FinishedSplit {
  readonly split: LogSplit;
  /** No record will ever lie behind it. */
  readonly partitionEnded: boolean;
}

export interface EnumeratorState {
  /** Where the next range of each partition begins; UNBOUNDED, ENDED: there is none. */
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
  /** Somebody has looked for partitions, if only to find that there are none. */
  #isLookedFor = false;
  /** Who asked and got nothing yet, in the order of asking. */
  readonly #waiting = new Set<number>();

  constructor(source: SourceSpec, context: EnumeratorContext, state: EnumeratorState | undefined) {
    this.#source = source;
    this.#context = context;
    for (const { partition, next } of state?.discovered ?? []) this.#next.set(partition, next);
    this.#unassigned = [...(state?.unassigned ?? [])];
  }

  /** Without anybody who asks the log: partitions that were not known yet begin at their start. */
  start(): void {
    for (const partition of this.#source.partitions) if (!this.#next.has(partition)) this.#makeSplit(partition, 0);
  }

  /** Whether partitions were discovered before, in this life of the job or the one it is restored from. */
  get hasDiscovered(): boolean {
    return this.#next.size > 0;
  }

  /** The log has these partitions now. `startOf`: where one begins that was not known. */
  discovered(partitions: readonly number[], startOf: (index: number) => number, out: Out): void {
    this.#isLookedFor = true;
    for (const [index, partition] of partitions.entries()) {
      if (this.#next.has(partition)) continue;
      sometimes(this.hasDiscovered && this.#open.size > 0, out, 'partition-discovered-later');
      this.#makeSplit(partition, startOf(index));
    }
    this.#serve(out);
  }

  /** Every partition was read to its end, and no reader holds a split; readers that are not there might. */
  get hasEnded(): boolean {
    const isIdle = this.#open.size === 0 && this.#unassigned.length === 0;
    const isEveryoneThere = this.#context.registered.size >= this.#context.parallelism();
    return isIdle && isEveryoneThere && this.#isKnown && [...this.#next.values()].every((next) => next === ENDED);
  }

  snapshotState(): EnumeratorState {
    const discovered = [...this.#next].map(([partition, next]) => ({ partition, next }));
    return { discovered, unassigned: [...this.#unassigned] };
  }

  /** Every partition is one split, or has ended, and all are assigned; and no partition will come. */
  get isExhausted(): boolean {
    if (this.hasUnassigned || !this.#isKnown || this.#source.discoveryUs !== undefined) return false;
    return this.#rangeRecords === 0 || [...this.#next.values()].every((next) => next === ENDED);
  }

  /** Which partitions there are; a directory without files has none, and is read when that is known. */
  get #isKnown(): boolean {
    return this.hasDiscovered || this.#isLookedFor;
  }

  get hasUnassigned(): boolean {
    return this.#unassigned.length > 0;
  }

  /** Who asked and got nothing; they wait no longer. */
  takeWaiting(): readonly number[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }

  /** A reader is there, with these splits in its restored state. All that it holds is known before any of it is followed by another split (I3). */
  addReader(subtask: number, splits: readonly LogSplit[], out: Out): void {
    for (const split of splits) if (!isFinished(split)) this.#open.set(split.splitId, { split, subtask });
    for (const split of splits) if (isFinished(split)) this.#finish(subtask, { split, partitionEnded: false }, out);
    this.#serve(out);
  }

  handleSplitRequest(subtask: number, out: Out): void {
    this.#waiting.add(subtask);
    this.#serve(out);
  }

  handleFinished(subtask: number, finished: FinishedSplit, out: Out): void {
    this.#finish(subtask, finished, out);
    this.#serve(out);
  }

  /** Known already when a reader of a restarted region says it again. */
  #finish(subtask: number, { split, partitionEnded }: FinishedSplit, out: Out): void {
    if (this.#open.get(split.splitId)?.subtask === subtask) this.#open.delete(split.splitId);
    const isNewest = this.#next.get(split.partition) === split.end;
    if (isNewest && partitionEnded) this.#next.set(split.partition, ENDED);
    else if (isNewest) this.#makeSplit(split.partition, split.end);
    else probe(out, 'split-finished-again');
    this.#context.releaseSplit(subtask, split.splitId, out);
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
  }

  /** I2. */
  #isNext({ partition, offset }: LogSplit): boolean {
    const isEarlier = (other: LogSplit): boolean => other.partition === partition && other.offset < offset;
    for (const { split } of this.#open.values()) if (isEarlier(split)) return false;
    return !this.#unassigned.some(isEarlier);
  }

  /** Who asked first, and for a split that was given back anyone: the readers' room is meant for one range of each partition. I5. */
  #readerFor(split: LogSplit): number | undefined {
    const load = new Map<number, number>();
    const reading = new Set<number>();
    for (const { split: open, subtask } of this.#open.values()) {
      load.set(subtask, (load.get(subtask) ?? 0) + 1);
      if (open.partition === split.partition) reading.add(subtask);
    }
    const { registered, isDone } = this.#context;
    const mayRead = (subtask: number): boolean => !reading.has(subtask) && !isDone(subtask);
    for (const subtask of this.#waiting) if (mayRead(subtask)) return subtask;
    if (this.#next.get(split.partition) === split.end) return undefined;
    const others = [...registered].filter(mayRead);
    return others.sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0) || a - b)[0];
  }

  get #rangeRecords(): number {
    return this.#source.recordsPerSplit ?? 0;
  }

  #makeSplit(partition: number, offset: number): void {
    const records = this.#rangeRecords;
    const end = records === 0 ? UNBOUNDED : offset + records;
    this.#next.set(partition, end);
    const { source } = this.#context;
    const ofChain = source === undefined ? {} : { source };
    this.#unassigned.push({ splitId: `${partition}@${offset}`, partition, offset, sub: 0, end, ...ofChain });
  }
}
