/**
 * Watermarks of the channels of one logical input, merged by minimum (row S11; Flink: StatusWatermarkValve).
 *
 * Owns: each channel's watermark and status. Does not own: what an operator does with the result, the minimum over two inputs
 * (combined-watermark.ts).
 * Invariants:
 *   I1 the watermark of the input never falls;
 *   I2 it is the minimum over the channels that are active and aligned; a channel that was idle is aligned again when it has caught up;
 *   I3 when the last active channel falls idle, what it held back is given up: the maximum counts, and the input is idle.
 */
import { assert } from '../foundation/assert.ts';
import { START_OF_TIME_US } from '../protocol/stream-elements.ts';

/** When what channels held back is given up (I3). */
export type GivesUp = 'when-all-are-idle' | 'when-one-is-idle';

class ChannelTime {
  watermarkUs = START_OF_TIME_US;
  idle = false;
  /** Idle channels, and those that lie behind after they were idle, are not. */
  aligned = true;
}

export class StatusWatermarkValve {
  readonly #channels: readonly ChannelTime[];
  #watermarkUs = START_OF_TIME_US;
  readonly #givesUp: GivesUp;
  #idle = false;

  constructor(channelCount: number, givesUp: GivesUp = 'when-all-are-idle') {
    this.#givesUp = givesUp;
    this.#channels = Array.from({ length: channelCount }, () => new ChannelTime());
  }

  /** Of the whole input. */
  get watermarkUs(): number {
    return this.#watermarkUs;
  }

  /** No channel is active. */
  get isIdle(): boolean {
    return this.#idle;
  }

  watermark(index: number, timestampUs: number): void {
    const channel = this.#at(index);
    if (this.#idle || channel.idle || timestampUs <= channel.watermarkUs) return;
    channel.watermarkUs = timestampUs;
    if (timestampUs >= this.#watermarkUs) channel.aligned = true;
    this.#raise(this.#minimum());
  }

  status(index: number, idle: boolean): void {
    const channel = this.#at(index);
    if (channel.idle === idle) return;
    channel.idle = idle;
    if (!idle) {
      channel.aligned = channel.watermarkUs >= this.#watermarkUs;
      this.#idle = false;
      return;
    }
    channel.aligned = false;
    this.#idle = this.#channels.every((other) => other.idle);
    if (!this.#idle && this.#givesUp === 'when-all-are-idle') return this.#raise(this.#minimum());
    for (const { watermarkUs } of this.#channels) this.#raise(watermarkUs);
  }

  /** I2; the start of time when no channel is aligned. */
  #minimum(): number {
    let minimum = Number.POSITIVE_INFINITY;
    for (const { aligned, watermarkUs } of this.#channels) {
      if (aligned && watermarkUs < minimum) minimum = watermarkUs;
    }
    return minimum === Number.POSITIVE_INFINITY ? START_OF_TIME_US : minimum;
  }

  /** I1. */
  #raise(watermarkUs: number): void {
    if (watermarkUs > this.#watermarkUs) this.#watermarkUs = watermarkUs;
  }

  #at(index: number): ChannelTime {
    const channel = this.#channels[index];
    assert(channel !== undefined, 'a watermark comes on a channel of the input', { index });
    return channel;
  }
}
