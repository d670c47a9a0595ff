/**
 * The input as the log broker holds it, and a reference job that is fed up to a cut: so many records of each partition.
 *
 * Owns positions. Called by the expectation (which feeds everything) and by the judges of cuts (which go from checkpoint to
 * checkpoint, so that the whole life costs one fold over the input).
 *
 * I1: positions only rise. Whoever needs an earlier cut makes a new run.
 * I2: a source index belongs to one record of one partition.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import {
  isOfFinish,
  LINEAGE_PATH_UNIT,
  type RecordValue,
  sourceIndexOf,
} from '../../engine/protocol/stream-elements.ts';
import type { HasFired } from './fired-timers.ts';
import type { LostRecords } from './lost-records.ts';
import { type LastWork, type OnOutput, ReferenceJob, type RestoredOperatorState } from './reference-job.ts';

/** The records of one partition that a source is to read, in their order: from offset 0, or from where it begins. */
export interface JudgedPartition {
  /** How many of these records lie before a position of the log; negative: it lies before where the source begins. Absent: its offset. */
  readonly recordsBefore?: (offset: number, sub: number) => number;
  /** Topic name, for people. */
  readonly topic: string;
  /** Partition number at the log broker; unique over all topics. */
  readonly partition: number;
  readonly values: readonly RecordValue[];
  readonly timestampsUs: readonly number[];
  /** Position of each record in the whole input: its lineage. */
  readonly sourceIndices: readonly number[];
  /** It ends behind the last record. */
  readonly bounded: boolean;
}

/** The whole input of a life. */
export type JudgedInput = readonly JudgedPartition[];

/** How many records of each partition lie before a cut, by position in the input. */
export type Cut = Int32Array;

/** Where each source index lies. Made once per input, shared by all judges. */
export class InputIndex {
  readonly input: JudgedInput;
  /** One more than the highest source index. */
  readonly sourceCount: number;
  /** Position in the input of a source index's partition; -1: no such record. */
  readonly slots: Int16Array;
  readonly offsets: Int32Array;
  readonly #slotByPartition = new Map<number, number>();

  constructor(input: JudgedInput) {
    this.input = input;
    let highest = -1;
    for (const { sourceIndices } of input)
      for (const index of sourceIndices) highest = index > highest ? index : highest;
    this.sourceCount = highest + 1;
    this.slots = new Int16Array(this.sourceCount).fill(-1);
    this.offsets = new Int32Array(this.sourceCount);
    for (let slot = 0; slot < input.length; slot += 1) this.#add(slot);
  }

  slotOf(partition: number): number | undefined {
    return this.#slotByPartition.get(partition);
  }

  /** How many records of a partition lie before a position of the log. */
  recordsBefore(slot: number, offset: number, sub = 0): number {
    return this.input[slot]?.recordsBefore?.(offset, sub) ?? offset;
  }

  /** The cut behind the last record. */
  end(): Cut {
    return Int32Array.from(this.input, ({ values }) => values.length);
  }

  /** `record 17 (topic flights, partition 1, offset 8)`. */
  describe(lineage: number): string {
    if (isOfFinish(lineage)) return `what a timer or the end of all input emits (lineage ${String(lineage)})`;
    const index = sourceIndexOf(lineage);
    const derived = lineage === index ? '' : `, derived record ${String((lineage - index) / LINEAGE_PATH_UNIT)}`;
    const partition = this.input[this.slots[index] ?? -1];
    if (partition === undefined) return `record ${String(index)} (not in the input${derived})`;
    const offset = String(this.offsets[index]);
    return `record ${String(index)} (topic ${partition.topic}, partition ${String(partition.partition)}, offset ${offset}${derived})`;
  }

  #add(slot: number): void {
    const partition = this.input[slot];
    assert(partition !== undefined, 'a slot is a position in the input', { slot });
    assert(!this.#slotByPartition.has(partition.partition), 'partition numbers differ', {
      partition: partition.partition,
    });
    this.#slotByPartition.set(partition.partition, slot);
    const { sourceIndices } = partition;
    for (let offset = 0; offset < sourceIndices.length; offset += 1) {
      const index = sourceIndices[offset] ?? -1;
      if (this.slots[index] !== -1) assert(false, 'I2: a source index belongs to one record', { index });
      this.slots[index] = slot;
      this.offsets[index] = offset;
    }
  }
}

export interface ReferenceRunOptions {
  readonly onOutput?: OnOutput | undefined;
  /** What lies before it was fed to another version of the job. */
  readonly from?: Cut;
  /** Operator state that functions begin with. */
  readonly restored?: RestoredOperatorState;
  /** What was given up on the way (row X26). */
  readonly lost?: LostRecords | undefined;
}

export class ReferenceRun {
  readonly job: ReferenceJob;
  readonly #index: InputIndex;
  readonly #position: Cut;

  constructor(graph: JobGraph, index: InputIndex, { onOutput, from, restored, lost }: ReferenceRunOptions = {}) {
    this.job = new ReferenceJob(graph, onOutput, restored, lost);
    this.#index = index;
    this.#position = from?.slice() ?? new Int32Array(index.input.length);
  }

  /** Whether the run can still reach this cut (I1). */
  canReach(cut: Cut): boolean {
    return this.#position.every((position, slot) => position <= (cut[slot] ?? 0));
  }

  /** Feeds each partition up to the cut. */
  advance(cut: Cut): void {
    for (let slot = 0; slot < this.#position.length; slot += 1) this.#feedUntil(slot, cut[slot] ?? 0);
  }

  /** Fires the timers that a checkpoint says have fired; undefined: there are none. */
  fireTimers(hasFired: HasFired | undefined): void {
    if (hasFired !== undefined) this.job.fireTimers(hasFired);
  }

  /** What was fed so far says nothing more of event time: the job is restored here (row B22). */
  beginEventTimeAnew(): void {
    this.job.beginEventTimeAnew();
  }

  /** All input is fed: operators behind bounded topics only come to their end; behind `all` where the job was drained. */
  finish(ended: 'bounded' | 'all' = 'bounded', lastWork?: LastWork): void {
    const goesOn = ended === 'all' ? [] : this.#index.input.filter(({ bounded }) => !bounded);
    this.job.finish(new Set(goesOn.map(({ partition }) => partition)), lastWork);
  }

  #feedUntil(slot: number, end: number): void {
    const partition = this.#index.input[slot];
    const start = this.#position[slot] ?? 0;
    if (partition === undefined || start === end) return;
    assert(start < end && end <= partition.values.length, 'I1: positions rise and stay inside the input', {
      start,
      end,
    });
    const push = this.job.source(partition.partition);
    const { values, timestampsUs, sourceIndices } = partition;
    for (let i = start; i < end; i += 1) push(values[i], timestampsUs[i] ?? 0, sourceIndices[i] ?? 0);
    this.#position[slot] = end;
  }
}
