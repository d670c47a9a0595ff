/** Shrinking and explaining in this thread, for tests: answers each inquiry with real lives. */
import { recoveryHash } from '../../scenarios/crashpoints/recovery.ts';
import { judgement } from '../../scenarios/expectation.ts';
import { type Inquiring, type Inquiry, type LifeAnswer, type LifeCase, NOTHING_SEEN } from '../../scenarios/inquiry.ts';
import { type ShrinkResult, shrink } from '../../scenarios/shrink/shrinker.ts';
import type { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { liveIt } from './lives.ts';

export function signatureOf(plan: SimulationPlan): string {
  return judgement(plan.expect, liveIt(plan)).signature;
}

export function shrunkHere(plan: SimulationPlan, signature: string, maxEvents = 5_000_000): ShrinkResult {
  return answeredHere(shrink(plan, signature, { maxEvents }));
}

/** `every`: of so many cases that are asked for side by side one is lived, the others are said to pass. */
export function answeredHere<Result>(search: Inquiring<Result>, every = 1): Result {
  let step = search.next();
  while (step.done !== true) step = search.next(answersTo(step.value, every));
  return step.value;
}

function answersTo(inquiry: Inquiry, every: number): LifeAnswer[] {
  if (inquiry.kind === 'look') return [answer(inquiry.life, true)];
  const passed: LifeAnswer = { ...NOTHING_SEEN, signature: '', events: 1 };
  return inquiry.cases.map((one, index) => (index % every === 0 ? answer(one, false) : passed));
}

function answer({ plan, branch, wantsRecovery, wantsChoices }: LifeCase, isLook: boolean): LifeAnswer {
  let choices: Choices | undefined;
  const record = liveIt(plan, {
    keepHistory: isLook || wantsRecovery === true,
    branch,
    recordChoices: wantsChoices,
    watchChoices: (made) => {
      choices = made;
    },
  });
  const { signature, verdict } = judgement(plan.expect, record);
  return {
    signature,
    hasFailed: verdict === 'violated' || verdict === 'not-live',
    events: record.events,
    history: record.history,
    verdicts: record.verdicts,
    sites: choices?.askedSites() ?? [],
    choices: choices?.takenChoices() ?? [],
    recovery: wantsRecovery === true ? recoveryHash(record.history) : '',
  };
}
