/**
 * How large buffers should be so that what is in flight to a gate is consumed in the target time (row B16; Flink: BufferDebloater,
 * BufferSizeEMA, ThroughputCalculator). Integer arithmetic only.
 *
 * Owns: the measured throughput and the moving average. Does not own: telling the producers (the gate does).
 * Invariants:
 *   I1 a size lies between the smallest and the configured buffer, and at most doubles from one calculation to the next;
 *   I2 throughput counts the time in which the subtask had input and room for output; without such time nothing is learned.
 */
import type { BufferDebloatConfiguration } from '../protocol/configuration.ts';

const US_PER_SECOND = 1_000_000;
const PERCENT = 100;

export class BufferDebloater {
  readonly #configuration: BufferDebloatConfiguration;
  readonly #maxBytes: number;
  /** Of the moving average. */
  #lastBytes: number;
  /** What producers were told. */
  #announcedBytes: number;
  #consumedBytes = 0;
  #activeUs = 0;
  #activeSinceUs: number | undefined;

  constructor(configuration: BufferDebloatConfiguration, maxBytes: number) {
    this.#configuration = configuration;
    this.#maxBytes = maxBytes;
    this.#lastBytes = maxBytes;
    this.#announcedBytes = maxBytes;
  }

  /** An action of the subtask consumes `bytes`. */
  consume(bytes: number, nowUs: number): void {
    this.#consumedBytes += bytes;
    this.#countUntil(nowUs);
    this.#activeSinceUs = nowUs;
  }

  /** There is nothing to read, or no room for what reading gives. */
  pause(): void {
    this.#activeSinceUs = undefined;
  }

  /** The size to announce; undefined when the one announced will do. `buffersInUse`: queued at the gate and announced to it. */
  recalculate(buffersInUse: number, nowUs: number): number | undefined {
    if (this.#activeSinceUs !== undefined) {
      this.#countUntil(nowUs);
      this.#activeSinceUs = nowUs;
    }
    if (this.#activeUs === 0 || this.#consumedBytes === 0) return undefined;
    const { targetUs, samples, minBufferBytes } = this.#configuration;
    const bytesPerSecond = Math.floor((this.#consumedBytes * US_PER_SECOND) / this.#activeUs);
    this.#consumedBytes = 0;
    this.#activeUs = 0;
    const wanted = Math.floor((bytesPerSecond * targetUs) / US_PER_SECOND);
    const perBuffer = Math.min(Math.floor(wanted / Math.max(1, buffersInUse)), 2 * this.#lastBytes);
    const average = this.#lastBytes + Math.trunc((2 * (perBuffer - this.#lastBytes)) / (samples + 1));
    this.#lastBytes = Math.max(minBufferBytes, Math.min(average, this.#maxBytes));
    return this.#worthTelling(this.#lastBytes);
  }

  #worthTelling(bytes: number): number | undefined {
    const { thresholdPercent, minBufferBytes } = this.#configuration;
    const change = Math.abs(bytes - this.#announcedBytes);
    if (change === 0) return undefined;
    const isAtBound = bytes === minBufferBytes || bytes === this.#maxBytes;
    if (!isAtBound && change * PERCENT < this.#announcedBytes * thresholdPercent) return undefined;
    this.#announcedBytes = bytes;
    return bytes;
  }

  #countUntil(nowUs: number): void {
    if (this.#activeSinceUs !== undefined) this.#activeUs += nowUs - this.#activeSinceUs;
  }
}
