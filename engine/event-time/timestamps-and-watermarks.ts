/**
 * Gives records their event time and says how far it has come: per split at a source, as one at an operator within the graph (Flink:
 * SourceOutputWithWatermarks and WatermarkOutputMultiplexer, TimestampsAndWatermarksOperator).
 *
 * Owns: a generator and the idleness of each split. Does not own: the sending, which is the subtask's: once an interval, behind the
 * records of a mailbox action. So no record makes an effect, and a generator that emits with every event is heard once an action.
 * Invariants:
 *   I1 the watermark is the minimum over the open splits that are not idle; a split without a record holds it back;
 *   I2 it never falls, and is handed out at most once an interval;
 *   I3 a split is idle when nothing came from it for the time-out; its next record wakes it.
 */
import { assert } from '../foundation/assert.ts';
import { eventTimeUs, type WatermarkGenerator, type WatermarkSpec } from '../job/watermarks.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { UserCode } from '../operators/user-code.ts';
import { END_OF_TIME_US, START_OF_TIME_US } from '../protocol/stream-elements.ts';
import { CombinedWatermark, type PartialWatermark } from './combined-watermark.ts';
import type { TimeStage, WatermarkProgress } from './time-stage.ts';

/** What is to be sent on; in this order. */
export interface WatermarkNews {
  readonly watermarkUs?: number;
  readonly idle?: boolean;
}

/** One split, or all of an operator's input. */
class SplitTime {
  readonly part: PartialWatermark;
  readonly generator: WatermarkGenerator<unknown> | undefined;
  newestUs = START_OF_TIME_US;
  /** A record came since the last look. */
  seen = false;
  /** The generator has heard of a record since it was last asked. */
  asksGenerator = false;
  activeUs: number | undefined;

  constructor(part: PartialWatermark, generator: WatermarkGenerator<unknown> | undefined) {
    this.part = part;
    this.generator = generator;
  }

  readonly output = {
    emitWatermark: (timestampMs: number): void => {
      const us = eventTimeUs(timestampMs);
      if (us > this.part.watermarkUs) this.part.watermarkUs = us;
    },
  };
}

export interface TimestampsAndWatermarksOptions {
  readonly uid: string;
  readonly spec: WatermarkSpec;
  readonly next: ElementConsumer;
  readonly userCode: UserCode;
  /** A source that will never get a split holds nobody back. */
  readonly isIdleWithoutSplits?: boolean;
}

export class TimestampsAndWatermarks implements ElementConsumer, TimeStage {
  readonly uid: string;
  readonly nextProcessingTimeUs = Number.POSITIVE_INFINITY;
  readonly firing = undefined;
  readonly #options: TimestampsAndWatermarksOptions;
  readonly #combined = new CombinedWatermark<string>();
  readonly #splits = new Map<string, SplitTime>();
  #split: SplitTime | undefined;
  #sentUs = START_OF_TIME_US;
  #sentAtUs = Number.NEGATIVE_INFINITY;
  #sentIdle = false;

  constructor(options: TimestampsAndWatermarksOptions) {
    this.uid = options.uid;
    this.#options = options;
  }

  get currentWatermarkUs(): number {
    return this.#sentUs;
  }

  get settledWatermarkUs(): number {
    return this.#sentUs;
  }

  /** These are open: others are forgotten. */
  openSplits(ids: readonly string[]): void {
    for (const id of this.#splits.keys()) if (!ids.includes(id)) this.#splits.delete(id);
    this.#combined.retain(ids);
    for (const id of ids) this.#of(id);
  }

  /** What follows is of this split. */
  startSplit(id: string): void {
    this.#split = this.#of(id);
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    const { spec, userCode, next } = this.#options;
    const split = this.#split ?? this.#of('');
    this.#split = split;
    let atUs = timestampUs;
    if (spec.timestampOf !== undefined) {
      const { timestampOf } = spec;
      userCode.isRunning = true;
      atUs = eventTimeUs(timestampOf(value, timestampUs / 1_000));
      userCode.isRunning = false;
    }
    split.seen = true;
    if (atUs > split.newestUs) split.newestUs = atUs;
    next.process(value, atUs, lineage);
    if (split.generator === undefined) return;
    userCode.isRunning = true;
    split.generator.onEvent(value, atUs / 1_000, split.output);
    userCode.isRunning = false;
  }

  /** Other watermarks than its own end here, but for the end of all input. */
  advanceWatermark(timestampUs: number): WatermarkProgress {
    if (timestampUs < END_OF_TIME_US) return 'absorbed';
    this.#sentUs = END_OF_TIME_US;
    return 'passed';
  }

  onProcessingTime(): boolean {
    return true;
  }

  takeFired(): number {
    return 0;
  }

  /** What is due to be sent, at the end of a mailbox action. */
  poll(nowUs: number): WatermarkNews {
    const { spec } = this.#options;
    const isDue = nowUs - this.#sentAtUs >= spec.intervalUs;
    for (const split of this.#splits.values()) this.#look(split, isDue, nowUs);
    this.#combined.update();
    const idle = this.#combined.isIdle || (this.#options.isIdleWithoutSplits === true && this.#splits.size === 0);
    const news: { watermarkUs?: number; idle?: boolean } = {};
    if (isDue && this.#combined.watermarkUs > this.#sentUs) {
      this.#sentUs = this.#combined.watermarkUs;
      this.#sentAtUs = nowUs;
      news.watermarkUs = this.#sentUs;
    }
    if (idle !== this.#sentIdle) {
      this.#sentIdle = idle;
      news.idle = idle;
    }
    return news;
  }

  /** When `poll` has to be asked again though nothing happens; Infinity: never. After a poll. */
  get nextPollUs(): number {
    const { intervalUs, idlenessUs } = this.#options.spec;
    const hasNews = this.#combined.watermarkUs > this.#sentUs || this.#asksGenerators;
    let nextUs = hasNews ? this.#sentAtUs + intervalUs : Number.POSITIVE_INFINITY;
    if (idlenessUs === undefined) return nextUs;
    for (const { part, activeUs } of this.#splits.values()) {
      if (!part.idle && activeUs !== undefined) nextUs = Math.min(nextUs, activeUs + idlenessUs);
    }
    return nextUs;
  }

  get #asksGenerators(): boolean {
    for (const { asksGenerator } of this.#splits.values()) if (asksGenerator) return true;
    return false;
  }

  #look(split: SplitTime, isDue: boolean, nowUs: number): void {
    const { idlenessUs, outOfOrdernessUs } = this.#options.spec;
    const { part } = split;
    if (split.seen || split.activeUs === undefined) {
      split.activeUs = nowUs;
      part.idle = false;
    } else if (idlenessUs !== undefined && nowUs - split.activeUs >= idlenessUs) part.idle = true;
    split.asksGenerator ||= split.seen && split.generator !== undefined;
    split.seen = false;
    if (split.generator !== undefined) {
      if (!isDue || !split.asksGenerator) return;
      split.asksGenerator = false;
      const { userCode } = this.#options;
      userCode.isRunning = true;
      split.generator.onPeriodicEmit(split.output);
      userCode.isRunning = false;
      return;
    }
    assert(outOfOrdernessUs !== undefined, 'a strategy has a bound or a generator');
    if (split.newestUs > START_OF_TIME_US) part.watermarkUs = split.newestUs - outOfOrdernessUs - 1;
  }

  #of(id: string): SplitTime {
    let split = this.#splits.get(id);
    if (split === undefined) {
      split = new SplitTime(this.#combined.part(id), this.#options.spec.createGenerator?.());
      this.#splits.set(id, split);
    }
    return split;
  }
}
