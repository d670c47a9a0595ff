/** What shrinking leaves out of a plan's schedule. */
import { describe, expect, it } from 'vitest';
import { decodePlan, encodePlan } from '../../../../scenarios/index.ts';
import { scheduleQuestions, simplerSchedules } from '../../../../scenarios/shrink/schedule-edits.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { planOf } from '../../../support/lives.ts';

const plain = planOf('quickstart', '1');
const plan: SimulationPlan = {
  ...plain,
  priorities: { ranks: 64, windowUs: 20_000, changeSteps: [17, 40], dropUs: 40_000 },
  branches: [
    { afterEvent: 12, rootSeed: 'x' },
    { afterEvent: 90, rootSeed: 'y', sites: ['network/a->b'] },
  ],
};

describe('schedules', () => {
  it('a plan with priorities and branches survives a file', () => {
    const decoded = decodePlan(encodePlan(plan), 'plan.json');
    expect(decoded.ok && decoded.plan).toEqual(plan);
  });

  it('each part is left out alone, and said in words', () => {
    expect(scheduleQuestions(plan).map(({ without }) => without)).toEqual([
      'priorities of messages',
      'change of priority at step 17',
      'change of priority at step 40',
      'other chance behind event 12',
      'other chance behind event 90',
    ]);
    expect(scheduleQuestions(plain)).toEqual([]);
  });

  it('leaving out again and again ends at the plain plan, whatever is taken', () => {
    let current = plan;
    for (let step = 0; step < 200; step += 1) {
      const simpler = simplerSchedules(current);
      const next = simpler.at(step % 3 === 0 ? 0 : -1);
      if (next === undefined) break;
      current = next;
    }
    expect(current).toEqual(plain);
  });
});
