/**
 * What travels on a channel between two subtasks: buffers of records, and events that are buffers of their own
 * (Flink: BufferConsumer / AbstractEvent). The unit on the network is the buffer, never the record.
 *
 * A record is a value, its event time and its lineage, kept in three parallel arrays so that no object is made per record.
 * Values are immutable by contract: a user function must not change what it was handed (Flink: object reuse off).
 */
import { javaStringHash } from '../foundation/stable-hash.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { CheckpointOptions } from './checkpoint-options.ts';

/** Any plain JSON value. Records are immutable once emitted. */
export type RecordValue = unknown;

/**
 * Which source record a record comes from: `path * 2^30 + sourceIndex`, where `path` is 0 for the record itself and for what is
 * derived from it one to one, and a hash of the child numbers for the second, third ... record a flatMap made of it.
 * Negative: it comes from no record, a function emitted it at the end of all input (`finishLineage`).
 */
export type Lineage = number;

export interface DataBuffer {
  readonly kind: 'data';
  readonly values: readonly RecordValue[];
  /** Event time of each record in microseconds. */
  readonly timestampsUs: readonly number[];
  readonly lineages: readonly Lineage[];
  /** Size on the wire. */
  readonly bytes: number;
}

/** Flink: CheckpointBarrier. */
export interface CheckpointBarrier {
  readonly kind: 'barrier';
  readonly checkpointId: CheckpointId;
  /** Virtual time at which the coordinator triggered. */
  readonly triggeredAtUs: Micros;
  /** May be downgraded per edge (row B10). */
  readonly options: CheckpointOptions;
}

/** Flink: CancelCheckpointMarker (row B3). */
export interface CancelMarker {
  readonly kind: 'cancel-marker';
  readonly checkpointId: CheckpointId;
}

/** Flink: EndOfPartitionEvent (row B2). */
export interface EndOfPartition {
  readonly kind: 'end-of-partition';
}

/** Flink: StopMode. `drain`: all input is there, operators finish. `no-drain`: the job stops here and goes on elsewhere. */
export type StopMode = 'drain' | 'no-drain';

/** No record follows on this channel; barriers and other events may (row C23; Flink: EndOfData). */
export interface EndOfData {
  readonly kind: 'end-of-data';
  readonly mode: StopMode;
}

/** No record with this or an earlier event time follows on this channel (row B25). In order with records, never in channel state (B22). */
export interface Watermark {
  readonly kind: 'watermark';
  readonly timestampUs: number;
}

/** Whether the channel takes part in event time: an idle one holds back nobody (Flink: WatermarkStatus). */
export interface WatermarkStatus {
  readonly kind: 'watermark-status';
  readonly idle: boolean;
}

export type StreamBuffer =
  | DataBuffer
  | CheckpointBarrier
  | CancelMarker
  | Watermark
  | WatermarkStatus
  | EndOfData
  | EndOfPartition;

/** 2^30: the source index lives below, the derivation path above. */
export const LINEAGE_PATH_UNIT = 1_073_741_824;
/** 2^23 paths keep a lineage within a safe integer. */
const LINEAGE_PATHS = 8_388_608;

/** Whether it was emitted by a timer or at the end of all input: it has no source record. */
export const isOfFinish = (lineage: Lineage): boolean => lineage < 0;

/** Lineage of the first record an operator emits for a key at the end of all input: the same on any number of subtasks. */
export function finishLineage(operator: string, key: string | number | boolean): Lineage {
  const hash = Math.imul(javaStringHash(operator), 31) + javaStringHash(String(key));
  return -(((hash >>> 0) % (LINEAGE_PATH_UNIT - 1)) + 1);
}

/**
 * Lineage of the first record that a timer emits: the same on any number of subtasks, in every attempt. It has the source-index part of
 * no key and the path part of another hash, so that two timers of a job hardly ever share one.
 */
export function timerLineage(
  operator: string,
  key: string | number | boolean,
  {
    domain,
    namespace,
    timestampUs,
  }: { readonly domain: string; readonly namespace: string; readonly timestampUs: number },
): Lineage {
  const timer = `${domain}/${namespace}/${String(timestampUs)}`;
  const text = `${String(key)}/${timer}`;
  const low = Math.imul(javaStringHash(operator), 31) + javaStringHash(text);
  const high = Math.imul(javaStringHash(text) ^ 0x2545f491, 0x9e3779b1) ^ Math.imul(javaStringHash(timer), 0x85ebca6b);
  const path = (high >>> 0) % LINEAGE_PATHS;
  return -(path * LINEAGE_PATH_UNIT + ((low >>> 0) % (LINEAGE_PATH_UNIT - 1)) + 1);
}

/** Event time of what is emitted at the end of all input: behind every record (Flink: Watermark.MAX_WATERMARK). */
export const END_OF_TIME_US = 9_007_199_254_740_000;
/** What a subtask knows of event time before the first watermark, and after every restore (row B22; Flink: Watermark.UNINITIALIZED). */
export const START_OF_TIME_US = -END_OF_TIME_US;

/** Index of the source record in the input data set; not for lineages `isOfFinish`. */
export const sourceIndexOf = (lineage: Lineage): number =>
  lineage < LINEAGE_PATH_UNIT ? lineage : lineage % LINEAGE_PATH_UNIT;

/** Lineage of the `child`-th record (0-based) made of one record. Child 0 keeps the parent's lineage. */
export function childLineage(parent: Lineage, child: number): Lineage {
  if (child === 0) return parent;
  if (parent < 0) return -childLineage(-parent, child);
  const source = parent % LINEAGE_PATH_UNIT;
  const path = (parent - source) / LINEAGE_PATH_UNIT;
  const mixed = (Math.imul(path ^ 0x2545f491, 0x9e3779b1) + Math.imul(child, 0x85ebca6b)) >>> 0;
  return ((mixed % (LINEAGE_PATHS - 1)) + 1) * LINEAGE_PATH_UNIT + source;
}
