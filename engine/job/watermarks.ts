/**
 * What a job says about event time: which time a record has, and how far time has come when it was seen (Flink: TimestampAssigner,
 * WatermarkGenerator).
 *
 * Owns: the plain spec the graph carries. Does not own: how it is written (api/watermark-strategy.ts), when a generator is asked, how
 * watermarks of splits are merged (engine/event-time).
 */
/** Takes what a generator knows. Times in milliseconds. */
export interface WatermarkOutput {
  /** No record of this or an earlier time will follow. One that does not rise is ignored. */
  emitWatermark(timestampMs: number): void;
}

/** Made afresh for every split, subtask and attempt; it keeps nothing over a restart. */
export interface WatermarkGenerator<T> {
  onEvent(value: T, timestampMs: number, output: WatermarkOutput): void;
  /** Called once an interval, when records have come. */
  onPeriodicEmit(output: WatermarkOutput): void;
}

/** What the graph carries; types are erased. */
export interface WatermarkSpec {
  /** The event time of a record, milliseconds; absent: what the log says. */
  readonly timestampOf?: (value: unknown, logTimestampMs: number) => number;
  /** How late a record may be behind the newest of its split; absent: `createGenerator` knows. */
  readonly outOfOrdernessUs?: number;
  readonly createGenerator?: () => WatermarkGenerator<unknown>;
  /** After so long without a record a split holds nobody back; absent: never. */
  readonly idlenessUs?: number;
  /** Watermarks are sent so far apart at least. */
  readonly intervalUs: number;
}

/** Milliseconds of a user function as event time of the engine. */
export const eventTimeUs = (milliseconds: number): number => Math.round(milliseconds * 1_000);
