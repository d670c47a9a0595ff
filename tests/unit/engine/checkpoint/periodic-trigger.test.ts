/** Rows C3, C5: fixed rate, and another interval while sources lag. */
import { describe, expect, it } from 'vitest';
import { PeriodicTrigger } from '../../../../engine/checkpoint/periodic-trigger.ts';
import { standardParts } from '../../../../engine/parts.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

class Bench {
  readonly firedUs: number[] = [];
  readonly out: RecordingOut;
  readonly trigger: PeriodicTrigger;
  isBacklog = false;

  constructor(backlogUs: number, minPauseUs = 0) {
    this.trigger = new PeriodicTrigger({
      configuration: { intervalUs: 100, intervalDuringBacklogUs: backlogUs, minPauseUs, timeoutUs: 10_000 },
      parts: standardParts,
      isProcessingBacklog: () => this.isBacklog,
      fire: (nowUs) => this.firedUs.push(nowUs),
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.trigger.handleTimer(timer, nowUs, out), 0);
    this.trigger.start(this.out.nowUs, this.out);
  }

  backlog(is: boolean): this {
    this.isBacklog = is;
    this.trigger.intervalChanged(this.out.nowUs, this.out);
    return this;
  }
  until(atUs: number): this {
    this.out.advance(atUs - this.out.nowUs);
    return this;
  }
}

describe('periodic trigger', () => {
  it('C5: in backlog what was planned still comes, and from then on the longer interval holds', () => {
    const bench = new Bench(400).until(150).backlog(true).until(1_100);
    expect(bench.firedUs).toEqual([100, 200, 600, 1_000]);
  });

  it('C5: out of backlog the trigger moves earlier if now plus the interval lies before what was planned', () => {
    const bench = new Bench(400).until(150).backlog(true).until(250).backlog(false).until(500);
    expect(bench.firedUs).toEqual([100, 200, 350, 450]);
  });

  it('C5: and stays where it was if not', () => {
    const bench = new Bench(400).until(150).backlog(true).until(550).backlog(false).until(750);
    expect(bench.firedUs).toEqual([100, 200, 600, 700]);
  });

  it('C5: 0 means none: it rests in backlog, over any number of intervals, and comes one interval after it is over', () => {
    const bench = new Bench(0).until(150).backlog(true).until(5_000);
    expect(bench.firedUs).toEqual([100]);
    expect(bench.backlog(false).until(5_250).firedUs).toEqual([100, 5_100, 5_200]);
  });

  it('C5: a job that starts in backlog rests, too, and a stop ends the rest', () => {
    const bench = new Bench(0).backlog(true).until(500);
    bench.trigger.stop(bench.out);
    expect(bench.backlog(false).until(2_000).firedUs).toEqual([]);
  });

  it('I3: no interval is below the minimum pause', () => {
    expect(new Bench(200, 300).until(1_000).firedUs).toEqual([100, 400, 700, 1_000]);
    expect(new Bench(200, 300).backlog(true).until(1_000).firedUs).toEqual([100, 400, 700, 1_000]);
  });
});
