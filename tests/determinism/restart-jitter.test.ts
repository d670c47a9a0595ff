/** Section 6.2, decision 0009: the delay of a restart varies by a stream of its own, and nothing else does. */
import { describe, expect, it } from 'vitest';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { liveIt } from '../support/lives.ts';
import { story } from '../stories/story.ts';

const RESTART: SimulationPlan['engine']['restart'] = {
  strategy: 'exponential-delay',
  initialUs: 500_000,
  maxUs: 5_000_000,
  multiplier: { numerator: 3, denominator: 2 },
  resetThresholdUs: 30_000_000,
  attemptsBeforeReset: 0,
};
const JITTERED: typeof RESTART = { ...RESTART, jitter: { numerator: 1, denominator: 2 } };

const lived = (seed: string, restart: typeof RESTART, changes: Partial<SimulationPlan> = {}): RunRecord => {
  const plan = story({ engine: (engine) => ({ ...engine, restart }) })
    .seed(seed)
    .crash('taskmanager-1', { point: 'completed', checkpoint: 2 })
    .plan();
  return liveIt({ ...plan, ...changes }, { keepHistory: true });
};
/** How many events came before it, and what it said. */
function firstRestart({ history }: RunRecord): { readonly before: number; readonly delayUs: number } {
  const before = history.findIndex(({ event }) => event.kind === 'restart-scheduled');
  const event = history[before]?.event;
  return { before, delayUs: event?.kind === 'restart-scheduled' ? event.delayUs : -1 };
}

describe('jitter of restarts', () => {
  it('varies by seed, in whole milliseconds, and is no less than the initial delay', () => {
    const delays = ['1', '2', '3', '4'].map((seed) => firstRestart(lived(seed, JITTERED)).delayUs);
    expect(new Set(delays).size).toBeGreaterThan(1);
    for (const delayUs of delays) {
      expect(delayUs).toBeGreaterThanOrEqual(500_000);
      expect(delayUs).toBeLessThanOrEqual(750_000);
      expect(delayUs % 1_000).toBe(0);
    }
  });

  it('shifts no other stream: up to the restart both lives are one', () => {
    const [with_, without] = [lived('2', JITTERED), lived('2', RESTART)];
    const { before } = firstRestart(without);
    expect(firstRestart(with_).before).toBe(before);
    expect(with_.history.slice(0, before)).toEqual(without.history.slice(0, before));
  });

  it('is none where no site draws, and what a plan fixes', () => {
    const fixed = (option: number) => ({ fixedChoices: [{ site: 'jitter/jobmanager-1', nth: 1, option }] });
    expect([0, 1, 2, 3].map((option) => firstRestart(lived('2', JITTERED, fixed(option))).delayUs)).toEqual([
      500_000, 501_000, 500_000, 502_000,
    ]);
  });
});
