/**
 * How the author of a job says which time its records have, and how far time has come (Flink: WatermarkStrategy).
 *
 *     WatermarkStrategy.forBoundedOutOfOrderness<Row>(5_000).withTimestampAssigner((row) => row.time).withIdleness(60_000)
 */
import type { WatermarkGenerator, WatermarkSpec } from '../job/watermarks.ts';
import { InvalidJob } from './invalid-job.ts';

type Settings<T> = Omit<WatermarkSpec, 'timestampOf' | 'intervalUs' | 'createGenerator'> & {
  readonly timestampOf?: (value: T, logTimestampMs: number) => number;
  readonly createGenerator?: () => WatermarkGenerator<T>;
};

export class WatermarkStrategy<T> {
  readonly #settings: Settings<T>;

  private constructor(settings: Settings<T>) {
    this.#settings = settings;
  }

  /** A record is at most so much older than the newest one before it in its split. */
  static forBoundedOutOfOrderness<T>(milliseconds: number): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>({ outOfOrdernessUs: microsOf('The bound of out-of-orderness', milliseconds) });
  }

  /** Event times never fall within a split. */
  static forMonotonousTimestamps<T>(): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>({ outOfOrdernessUs: 0 });
  }

  static forGenerator<T>(createGenerator: () => WatermarkGenerator<T>): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>({ createGenerator });
  }

  withTimestampAssigner(timestampOf: (value: T, logTimestampMs: number) => number): WatermarkStrategy<T> {
    return new WatermarkStrategy<T>({ ...this.#settings, timestampOf });
  }

  withIdleness(milliseconds: number): WatermarkStrategy<T> {
    const idlenessUs = microsOf('The idleness time-out', milliseconds);
    if (idlenessUs === 0) throw new InvalidJob('The idleness time-out is 0: every split would be idle at once.');
    return new WatermarkStrategy<T>({ ...this.#settings, idlenessUs });
  }

  /** For the graph, which carries no types: a stream only runs strategies of its own type. */
  spec(intervalMs: number): WatermarkSpec {
    const erased = this.#settings as Settings<unknown>;
    return { ...erased, intervalUs: microsOf('The watermark interval', intervalMs) };
  }
}

function microsOf(what: string, milliseconds: number): number {
  const us = milliseconds * 1_000;
  if (Number.isSafeInteger(us) && us >= 0) return us;
  throw new InvalidJob(`${what} of ${milliseconds} ms is not a whole number of microseconds of at least 0.`);
}
