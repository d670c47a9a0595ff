/**
 * One partition of a topic: its batches and control records, what is replicated, what is decided, and what readers of committed records have
 * seen (Kafka: UnifiedLog, ProducerStateManager, the consumer's isolation.level).
 *
 * Owns: offsets, the state of producers in this partition, high watermark and last stable offset, retention. Does not own: who leads it
 * (kafka-cluster.ts), transactions as a whole (transaction-log.ts), time.
 * Invariants:
 *   I1 a batch of a producer epoch is appended once, in the order of its sequence numbers; an older epoch appends nothing;
 *   I2 nothing at or above the high watermark is read; a leader that is replaced loses it;
 *   I3 the last stable offset is the first record of a transaction whose marker is not replicated yet, or the high watermark;
 *   I4 readers of committed records see what is below the last stable offset and not aborted, once, in the order of the log;
 *   I5 retention deletes whole segments that readers are done with, and forgets nothing about producers.
 */
import { assert } from '../../../engine/foundation/assert.ts';
import type { Lineage, RecordValue } from '../../../engine/protocol/stream-elements.ts';
import type { AbortedRecord } from '../../judges/judge.ts';
import type { BrokerRules } from './broker-rules.ts';

export interface AppendedBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1: not counted, so not transactional either. */
  readonly sequence: number;
  readonly values: readonly RecordValue[];
  readonly lineages: readonly Lineage[];
}

interface Batch extends AppendedBatch {
  readonly offset: number;
  /** Records, or 1 for a marker. */
  readonly count: number;
  readonly marker: 'none' | 'commit' | 'abort';
}

/** A producer in this partition. */
interface ProducerState {
  readonly epoch: number;
  /** The next one it may append. */
  readonly nextSequence: number;
  /** First record of its open transaction; -1: none. */
  readonly openedAt: number;
  /** The transaction of this epoch has its marker: an epoch has one (KIP-890). */
  readonly hasEnded: boolean;
}

export interface VisibleRecords {
  readonly values: readonly RecordValue[];
  readonly lineages: readonly Lineage[];
}

type AbortedPlace = Omit<AbortedRecord, 'partition'>;

export type AppendOutcome = 'appended' | 'duplicate' | 'fenced' | 'out-of-order-sequence' | 'invalid-transaction-state';

/** Batches of a segment: what retention deletes at once. */
const SEGMENT_BATCHES = 64;
const NEVER: ProducerState = { epoch: -1, nextSequence: 0, openedAt: -1, hasEnded: false };

export class PartitionLog {
  readonly #readersStopAt: BrokerRules['readersStopAt'];
  #batches: Batch[] = [];
  #producers = new Map<number, ProducerState>();
  /** The same when the batches that were deleted had been appended (I5). */
  readonly #deletedProducers = new Map<number, ProducerState>();
  /** Transactions whose marker is written and not replicated: their first record, by the offset of the marker. */
  readonly #undecided = new Map<number, number>();
  readonly #aborted: { readonly producerId: number; readonly from: number; readonly to: number }[] = [];
  /** Records that readers passed over, where they lay last. */
  readonly #passedOver = new Map<Lineage, AbortedPlace>();
  #logStart = 0;
  #highWatermark = 0;
  #logEnd = 0;
  #readTo = 0;

  constructor(readersStopAt: BrokerRules['readersStopAt']) {
    this.#readersStopAt = readersStopAt;
  }

  get logStart(): number {
    return this.#logStart;
  }
  get highWatermark(): number {
    return this.#highWatermark;
  }
  get logEnd(): number {
    return this.#logEnd;
  }

  /** I3. */
  get lastStableOffset(): number {
    let stable = this.#highWatermark;
    for (const { openedAt } of this.#producers.values()) if (openedAt >= 0) stable = Math.min(stable, openedAt);
    for (const from of this.#undecided.values()) stable = Math.min(stable, from);
    return stable;
  }

  /** Whether this producer epoch has a transaction open here already. */
  isOpen(producerId: number, producerEpoch: number): boolean {
    const state = this.#producers.get(producerId);
    return state !== undefined && state.epoch === producerEpoch && state.openedAt >= 0;
  }

  /** Producers with an open transaction here. */
  openProducers(): readonly number[] {
    return [...this.#producers].filter(([, { openedAt }]) => openedAt >= 0).map(([producerId]) => producerId);
  }

  /** I1. `mayOpen`: whether a transaction that is not open here yet may be. */
  append(batch: AppendedBatch, mayOpen: boolean): AppendOutcome {
    const { producerId, producerEpoch, sequence, values } = batch;
    if (sequence >= 0) {
      const state = this.#producers.get(producerId) ?? NEVER;
      if (producerEpoch < state.epoch) return 'fenced';
      const expected = producerEpoch > state.epoch ? 0 : state.nextSequence;
      if (sequence < expected) return 'duplicate';
      if (sequence > expected) return 'out-of-order-sequence';
      if (!mayOpen && !this.isOpen(producerId, producerEpoch)) return 'invalid-transaction-state';
    }
    this.#add({ ...batch, offset: this.#logEnd, count: values.length, marker: 'none' });
    return 'appended';
  }

  /**
   * Ends a producer's transaction here; what comes again changes nothing. A marker of an older epoch than the producer's is refused: its
   * coordinator was replaced.
   */
  endTransaction(producerId: number, producerEpoch: number, commit: boolean): 'appended' | 'duplicate' | 'fenced' {
    const state = this.#producers.get(producerId) ?? NEVER;
    if (producerEpoch < state.epoch) return 'fenced';
    if (producerEpoch === state.epoch && state.hasEnded && state.openedAt < 0) return 'duplicate';
    const marker = commit ? 'commit' : 'abort';
    const nothing = { sequence: -1, values: [], lineages: [] };
    this.#add({ producerId, producerEpoch, ...nothing, offset: this.#logEnd, count: 1, marker });
    return 'appended';
  }

  /** All in-sync replicas have everything below `offset`. Returns what readers of committed records see now that they did not before. */
  replicatedTo(offset: number): VisibleRecords | undefined {
    this.#highWatermark = Math.max(this.#highWatermark, Math.min(offset, this.#logEnd));
    for (const marker of this.#undecided.keys()) if (marker < this.#highWatermark) this.#undecided.delete(marker);
    return this.#read();
  }

  /** I2: another broker leads from now on. */
  truncateToHighWatermark(): void {
    if (this.#logEnd === this.#highWatermark) return;
    const kept = this.#batches.filter(({ offset }) => offset < this.#highWatermark);
    this.#batches = [];
    this.#producers = new Map(this.#deletedProducers);
    this.#undecided.clear();
    const aborted = this.#aborted.filter(({ to }) => to < this.#logStart);
    this.#aborted.length = 0;
    this.#aborted.push(...aborted);
    this.#logEnd = this.#logStart;
    for (const batch of kept) this.#add(batch);
    this.#undecided.clear();
    assert(this.#logEnd === this.#highWatermark, 'I2: what is replicated stays', { logEnd: this.#logEnd });
  }

  /** Judges: where an aborted record lies; undefined: none of it does. */
  aborted(lineage: Lineage): AbortedPlace | undefined {
    return this.#passedOver.get(lineage);
  }

  /** Every record below the high watermark and above what is deleted, decided or not (isolation.level=read_uncommitted). */
  uncommitted(): readonly Lineage[] {
    return this.#batches.filter(({ offset }) => offset < this.#highWatermark).flatMap(({ lineages }) => lineages);
  }

  #add(batch: Batch): void {
    const { producerId, producerEpoch, sequence, offset, count, marker } = batch;
    this.#batches.push(batch);
    this.#logEnd = offset + count;
    if (marker === 'none' && sequence < 0) return;
    this.#fold(this.#producers, batch, (from) => {
      this.#undecided.set(offset, from);
      if (marker === 'abort') this.#aborted.push({ producerId, from, to: offset });
    });
    assert((this.#producers.get(producerId)?.epoch ?? -1) === producerEpoch, 'a batch carries its producer on');
  }

  #fold(producers: Map<number, ProducerState>, batch: Batch, ended: (from: number) => void): void {
    const { producerId, producerEpoch: epoch, sequence, offset, count, marker } = batch;
    if (marker === 'none' && sequence < 0) return;
    const before = producers.get(producerId) ?? NEVER;
    if (marker === 'none') {
      const openedAt = before.openedAt >= 0 ? before.openedAt : offset;
      const hasEnded = epoch === before.epoch && before.hasEnded;
      producers.set(producerId, { epoch, nextSequence: sequence + count, openedAt, hasEnded });
      return;
    }
    const nextSequence = epoch > before.epoch ? 0 : before.nextSequence;
    producers.set(producerId, { epoch, nextSequence, openedAt: -1, hasEnded: true });
    if (before.openedAt >= 0) ended(before.openedAt);
  }

  /** I4. */
  #read(): VisibleRecords | undefined {
    const limit = this.#readersStopAt === 'high-watermark' ? this.#highWatermark : this.lastStableOffset;
    if (limit <= this.#readTo) return undefined;
    const seen = this.#batches.filter((batch) => batch.offset >= this.#readTo && batch.offset < limit);
    const records = seen.filter(({ marker }) => marker === 'none');
    const visible = records.filter((batch) => !this.#isAborted(batch));
    if (visible.length < records.length)
      for (const batch of records) if (!visible.includes(batch)) this.#passOver(batch);
    this.#readTo = limit;
    this.#retain();
    if (visible.length === 0) return undefined;
    return {
      values: visible.flatMap(({ values }) => values),
      lineages: visible.flatMap(({ lineages }) => lineages),
    };
  }

  #passOver({ lineages, offset, producerId, producerEpoch }: Batch): void {
    lineages.forEach((lineage, at) => {
      this.#passedOver.set(lineage, { offset: offset + at, producerId, producerEpoch });
    });
  }

  #isAborted({ producerId, offset }: Batch): boolean {
    return this.#aborted.some((range) => range.producerId === producerId && range.from <= offset && offset < range.to);
  }

  /** I5. The newest segment stays, whoever has read it. */
  #retain(): void {
    while (this.#batches.length > 2 * SEGMENT_BATCHES) {
      const next = this.#batches[SEGMENT_BATCHES];
      if (next === undefined || next.offset > this.#readTo) return;
      for (const batch of this.#batches.splice(0, SEGMENT_BATCHES)) {
        this.#fold(this.#deletedProducers, batch, () => undefined);
      }
      this.#logStart = next.offset;
    }
  }
}
