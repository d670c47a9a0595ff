/**
 * From the watermarks of channels to the event time of a subtask: channels of a logical input by a valve, two inputs by their minimum
 * (Flink: StatusWatermarkValve per input, IndexedCombinedWatermarkStatus in AbstractStreamOperatorV2).
 *
 * Owns: which channel belongs to which input. I1: what is answered is news: a watermark that rose, a status that changed.
 */
import { CombinedWatermark } from './combined-watermark.ts';
import { type EngineParts, standardParts } from '../parts.ts';
import { START_OF_TIME_US, type Watermark, type WatermarkStatus } from '../protocol/stream-elements.ts';
import { StatusWatermarkValve } from './status-watermark-valve.ts';
import type { WatermarkNews } from './timestamps-and-watermarks.ts';

type InputRules = Pick<EngineParts, 'idleChannels' | 'unheardInputs'>;

const NOTHING: WatermarkNews = {};

export class InputWatermarks {
  readonly #valves: readonly StatusWatermarkValve[];
  /** Of each channel: its input, and its number there. */
  readonly #places: readonly { readonly input: number; readonly index: number }[];
  readonly #combined = new CombinedWatermark<number>();
  readonly #hasTwoInputs: boolean;
  #watermarkUs = START_OF_TIME_US;
  #idle = false;

  readonly #rules: InputRules;

  /** The logical input of each channel of the gate. */
  constructor(inputOf: readonly (0 | 1)[], rules: InputRules = standardParts) {
    this.#rules = rules;
    const counts = [0, 0];
    this.#places = inputOf.map((input) => {
      const index = counts[input] ?? 0;
      counts[input] = index + 1;
      return { input, index };
    });
    const givesUp = rules.idleChannels === 'passed-over' ? 'when-one-is-idle' : 'when-all-are-idle';
    this.#valves = counts.map((count) => new StatusWatermarkValve(count, givesUp));
    counts.forEach((count, input) => {
      if (count > 0 && rules.unheardInputs === 'waited-for') this.#combined.part(input);
    });
    this.#hasTwoInputs = inputOf.includes(1);
  }

  event(channel: number, event: Watermark | WatermarkStatus): WatermarkNews {
    if (event.kind === 'watermark') return this.watermark(channel, event.timestampUs);
    if (this.#rules.idleChannels === 'waited-for') return {};
    return this.status(channel, event.idle);
  }

  watermark(channel: number, timestampUs: number): WatermarkNews {
    const { input, index } = this.#places[channel] ?? { input: 0, index: 0 };
    this.#valves[input]?.watermark(index, timestampUs);
    return this.#news(input);
  }

  status(channel: number, idle: boolean): WatermarkNews {
    const { input, index } = this.#places[channel] ?? { input: 0, index: 0 };
    this.#valves[input]?.status(index, idle);
    return this.#news(input);
  }

  /** I1. Two idle inputs leave event time where it is, as in Flink; a single one gives up what it held back (the valve's I3). */
  #news(input: number): WatermarkNews {
    const valve = this.#valves[input];
    if (valve === undefined) return NOTHING;
    const part = this.#combined.part(input);
    part.watermarkUs = valve.watermarkUs;
    part.idle = valve.isIdle;
    this.#combined.update();
    const { watermarkUs, isIdle } = this.#hasTwoInputs ? this.#combined : valve;
    const news: { watermarkUs?: number; idle?: boolean } = {};
    if (watermarkUs > this.#watermarkUs) {
      this.#watermarkUs = watermarkUs;
      news.watermarkUs = watermarkUs;
    }
    if (isIdle !== this.#idle) {
      this.#idle = isIdle;
      news.idle = isIdle;
    }
    return news;
  }
}
