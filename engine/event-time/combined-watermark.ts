/**
 * The event time of several parts that are read as one: the two inputs of an operator, the splits of a source (Flink:
 * CombinedWatermarkStatus, WatermarkOutputMultiplexer).
 *
 * Owns: each part's watermark and status. I1: the combined watermark never falls; it is the minimum over the parts that are not idle.
 * I2: parts come and go; none at all, or only idle ones, leave it where it is.
 */
import { START_OF_TIME_US } from '../protocol/stream-elements.ts';

export interface PartialWatermark {
  watermarkUs: number;
  idle: boolean;
}

export class CombinedWatermark<Id> {
  readonly #parts = new Map<Id, PartialWatermark>();
  #watermarkUs = START_OF_TIME_US;
  #idle = false;

  /** The part of this name, made when it is new. Its holder changes it and calls `update`. */
  part(id: Id): PartialWatermark {
    let part = this.#parts.get(id);
    if (part === undefined) {
      part = { watermarkUs: START_OF_TIME_US, idle: false };
      this.#parts.set(id, part);
    }
    return part;
  }

  /** Only these are left. */
  retain(ids: readonly Id[]): void {
    for (const id of this.#parts.keys()) if (!ids.includes(id)) this.#parts.delete(id);
  }

  /** As of the last update. */
  get watermarkUs(): number {
    return this.#watermarkUs;
  }

  /** There are parts, and all are idle. */
  get isIdle(): boolean {
    return this.#idle;
  }

  update(): void {
    let minimum = Number.POSITIVE_INFINITY;
    for (const { idle, watermarkUs } of this.#parts.values()) {
      if (!idle && watermarkUs < minimum) minimum = watermarkUs;
    }
    this.#idle = minimum === Number.POSITIVE_INFINITY && this.#parts.size > 0;
    if (minimum !== Number.POSITIVE_INFINITY && minimum > this.#watermarkUs) this.#watermarkUs = minimum;
  }
}
