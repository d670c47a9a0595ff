/** Shrinking in this thread, for tests: answers each inquiry with real lives. */
import { judgement } from '../../scenarios/expectation.ts';
import type { Inquiry, LifeAnswer, ShrinkResult } from '../../scenarios/shrink/shrinker.ts';
import { shrink } from '../../scenarios/shrink/shrinker.ts';
import type { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { liveIt } from './lives.ts';

export function signatureOf(plan: SimulationPlan): string {
  return judgement(plan.expect, liveIt(plan)).signature;
}

export function shrunkHere(plan: SimulationPlan, signature: string, maxEvents = 5_000_000): ShrinkResult {
  const search = shrink(plan, signature, { maxEvents });
  let step = search.next();
  while (step.done !== true) step = search.next(answersTo(step.value));
  return step.value;
}

function answersTo(inquiry: Inquiry): LifeAnswer[] {
  return inquiry.kind === 'look'
    ? [answer(inquiry.plan, true)]
    : inquiry.plans.map((plan): LifeAnswer => answer(plan, false));
}

function answer(plan: SimulationPlan, keepHistory: boolean): LifeAnswer {
  let choices: Choices | undefined;
  const record = liveIt(plan, {
    keepHistory,
    watchChoices: (made) => {
      choices = made;
    },
  });
  return {
    signature: judgement(plan.expect, record).signature,
    events: record.events,
    history: record.history,
    at: record.verdicts.filter(({ outcome }) => outcome !== 'passed').flatMap(({ at }) => at),
    sites: choices?.askedSites() ?? [],
  };
}
