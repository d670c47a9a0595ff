/**
 * Time in a subtask: watermarks run through its operators head first, timers fire in slices, watermarks leave behind what they are about
 * (rows B21, B22, S11; Flink: MailboxWatermarkProcessor, ProcessingTimeService, OperatorChain).
 *
 * Owns: how far a watermark has come in the chain, the one timer armed for processing time, the one for watermarks that are due.
 * Does not own: the timers (internal-timer-service.ts), what channels say (input-watermarks.ts), what makes watermarks
 * (timestamps-and-watermarks.ts).
 * Invariants:
 *   I1 while a watermark is in the chain nothing else is processed there; a barrier that overtakes is taken in between (FLINK-20217);
 *   I2 a watermark leaves when every timer it fires has fired, so it follows what they emitted;
 *   I3 one timer is armed for processing time, for the earliest one of all operators, restored ones included (G6 in bugs.md);
 *   I4 a chain without any of this costs one comparison in a mailbox action;
 *   I5 a change of status leaves behind the watermark that came before it: who hears that a channel is idle hears no watermark of it any more.
 */
import type { SourceReader } from '../connectors/source-reader.ts';
import type { ProcessingTime } from '../event-time/internal-timer-service.ts';
import type { TimeStage } from '../event-time/time-stage.ts';
import type { TimestampsAndWatermarks, WatermarkNews } from '../event-time/timestamps-and-watermarks.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { END_OF_TIME_US, type StreamBuffer } from '../protocol/stream-elements.ts';
import type { OperatorChain } from './operator-chain.ts';
import { probe, sometimes } from '../protocol/probes.ts';

const PROCESSING_TIMER = 'processing-time';
const WATERMARK_TIMER = 'watermark';
/** Timers that fire in one mailbox action at most. */
const TIMERS_PER_ACTION = 256;

export interface TaskTimeOptions {
  readonly clock: ProcessingTime;
  /** Sends to all that read this subtask. */
  readonly broadcast: (event: StreamBuffer, out: Out) => void;
  /** False: no record may be emitted now. */
  readonly mayEmit: () => boolean;
  /** Whether timers that were restored are armed before a new one is (G6). */
  readonly armsRestored: boolean;
}

/** A watermark on its way through the chain. */
interface UnderWay {
  readonly timestampUs: number;
  stage: number;
}

type ChainTime = Pick<OperatorChain, 'stages' | 'assigners' | 'sourceTime'>;
type SourceSplits = Pick<SourceReader, 'openSplits' | 'nextSplit'>;

export class TaskTime {
  readonly #options: TaskTimeOptions;
  #stages: readonly TimeStage[] = [];
  #assigners: readonly { readonly assigner: TimestampsAndWatermarks; readonly behind: number }[] = [];
  #splits: { readonly sourceTime: TimestampsAndWatermarks; readonly source: SourceSplits } | undefined;
  #underWay: UnderWay | undefined;
  /** I5: to be said when the watermark under way has left. */
  #statusBehind: boolean | undefined;
  #whenAtEnd: ((out: Out) => void) | undefined;
  #isProcessingTimeDue = false;
  #armedUs = Number.POSITIVE_INFINITY;
  #pollUs = Number.POSITIVE_INFINITY;
  #firedInAction = 0;
  readonly #mayFire = (): boolean => {
    if (this.#firedInAction >= TIMERS_PER_ACTION || !this.#options.mayEmit()) return false;
    this.#firedInAction += 1;
    return true;
  };
  #hasEnded = false;

  constructor(options: TaskTimeOptions) {
    this.#options = options;
  }

  /** The operators are there. `source`: who has the splits that the chain makes watermarks for. */
  operators({ stages, assigners, sourceTime }: ChainTime, source: SourceSplits | undefined): void {
    this.#stages = stages;
    if (sourceTime !== undefined && source !== undefined) this.#splits = { sourceTime, source };
    this.#assigners = assigners.map((assigner) => ({ assigner, behind: stages.indexOf(assigner) + 1 }));
    if (this.#options.armsRestored) return;
    for (const { nextProcessingTimeUs } of stages) this.#armedUs = Math.min(this.#armedUs, nextProcessingTimeUs);
  }

  /** What the source emits next is of its next split. */
  startSplit(): void {
    const split = this.#splits?.source.nextSplit;
    if (split !== undefined) this.#splits?.sourceTime.startSplit(split);
  }

  /** There is work that goes before reading on (I1). */
  get isBusy(): boolean {
    return this.#underWay !== undefined || this.#isProcessingTimeDue;
  }

  /** Of the chain's input. */
  news({ watermarkUs, idle }: WatermarkNews, out: Out): void {
    if (watermarkUs !== undefined) this.#advance(watermarkUs, 0, out);
    if (idle !== undefined && this.#assigners.length === 0) this.#status(idle, out);
  }

  /** All input has come: event time goes to its end, and when all timers have fired, `then` follows. */
  end(then: (out: Out) => void, out: Out): void {
    this.#whenAtEnd = then;
    if (this.#underWay?.timestampUs === END_OF_TIME_US) return;
    if (this.#hasEnded) return this.#atEnd(out);
    this.#advance(END_OF_TIME_US, 0, out);
  }

  /** One slice of what `isBusy` says. */
  proceed(out: Out): void {
    if (this.#isProcessingTimeDue) {
      this.#isProcessingTimeDue = !this.#stages.every((stage) => stage.onProcessingTime(this.#mayFire));
      sometimes(this.#isProcessingTimeDue, out, 'processing-timers-sliced');
    }
    if (this.#underWay !== undefined) this.#proceed(this.#underWay, out);
    this.#charge(out);
  }

  handleTimer(timer: string): boolean {
    if (timer === WATERMARK_TIMER) {
      this.#pollUs = Number.POSITIVE_INFINITY;
      return true;
    }
    if (timer !== PROCESSING_TIMER) return false;
    this.#armedUs = Number.POSITIVE_INFINITY;
    this.#isProcessingTimeDue = true;
    return true;
  }

  /** What an action left to do; nothing when the chain has neither timers nor assigners (I4). */
  afterAction(nowUs: Micros, out: Out): void {
    this.#firedInAction = 0;
    if (this.#stages.length === 0 || this.#hasEnded) return;
    this.#splits?.sourceTime.openSplits(this.#splits.source.openSplits());
    if (this.#underWay === undefined) this.#poll(nowUs, out);
    this.#armProcessingTime(nowUs, out);
  }

  #advance(timestampUs: number, stage: number, out: Out): void {
    this.#underWay = { timestampUs, stage };
    this.#proceed(this.#underWay, out);
    this.#charge(out);
  }

  #proceed(underWay: UnderWay, out: Out): void {
    const { timestampUs } = underWay;
    for (; underWay.stage < this.#stages.length; underWay.stage += 1) {
      const progress = this.#stages[underWay.stage]?.advanceWatermark(timestampUs, this.#mayFire);
      if (progress === 'interrupted') return probe(out, 'watermark-interrupted');
      if (progress === 'absorbed') return this.#passed(out);
    }
    this.#options.broadcast({ kind: 'watermark', timestampUs }, out);
    this.#passed(out);
    if (timestampUs < END_OF_TIME_US) return;
    this.#hasEnded = true;
    this.#atEnd(out);
  }

  /** I5. */
  #passed(out: Out): void {
    this.#underWay = undefined;
    const idle = this.#statusBehind;
    this.#statusBehind = undefined;
    if (idle !== undefined) this.#status(idle, out);
  }

  #atEnd(out: Out): void {
    const then = this.#whenAtEnd;
    this.#whenAtEnd = undefined;
    then?.(out);
  }

  #poll(nowUs: Micros, out: Out): void {
    let nextUs = Number.POSITIVE_INFINITY;
    for (const { assigner, behind } of this.#assigners) {
      if (this.#underWay !== undefined) return;
      const { watermarkUs, idle } = assigner.poll(nowUs);
      if (watermarkUs !== undefined) this.#advance(watermarkUs, behind, out);
      if (idle !== undefined) this.#status(idle, out);
      nextUs = Math.min(nextUs, assigner.nextPollUs);
    }
    if (nextUs >= this.#pollUs) return;
    this.#pollUs = nextUs;
    out.setTimer(WATERMARK_TIMER, micros(Math.max(1, nextUs - nowUs)));
  }

  #status(idle: boolean, out: Out): void {
    if (this.#underWay !== undefined) {
      this.#statusBehind = idle;
      return;
    }
    sometimes(idle, out, 'input-idle');
    this.#options.broadcast({ kind: 'watermark-status', idle }, out);
  }

  /** I3. */
  #armProcessingTime(nowUs: Micros, out: Out): void {
    if (this.#isProcessingTimeDue) return;
    let nextUs = Number.POSITIVE_INFINITY;
    for (const { nextProcessingTimeUs } of this.#stages) nextUs = Math.min(nextUs, nextProcessingTimeUs);
    if (nextUs >= this.#armedUs) return;
    this.#armedUs = nextUs;
    sometimes(nextUs < nowUs, out, 'processing-timer-overdue');
    out.setTimer(PROCESSING_TIMER, micros(Math.max(0, nextUs - nowUs)));
  }

  #charge(out: Out): void {
    let fired = 0;
    for (const stage of this.#stages) fired += stage.takeFired();
    if (fired > 0) out.busy('record', fired);
  }
}
