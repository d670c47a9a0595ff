/** A life in somebody's own test: the plan, what came of it, and on demand the smallest plan that fails in the same way. */
import { judgement } from '../../scenarios/expectation.ts';
import { type Inquiring, type LifeAnswer, type LifeCase, NOTHING_SEEN } from '../../scenarios/inquiry.ts';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import { type DatasetLoader, live } from '../../scenarios/live.ts';
import { shrink } from '../../scenarios/shrink/shrinker.ts';
import type { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { decodeReplayable } from '../capsule.ts';
import { readText } from '../files.ts';

export interface TestWorld {
  readonly loadDataset: DatasetLoader;
  /** The jobs that plans may name. */
  readonly jobs: readonly JobDefinition[];
}

export interface TestLife {
  readonly plan: SimulationPlan;
  readonly record: RunRecord;
  /** `judge/anomaly`; empty when it passed. */
  readonly signature: string;
  readonly world: TestWorld;
}

/** Events lived for a smaller plan: a few seconds, so that a failing test does not time out. */
const SHRINK_EVENTS = 2_000_000;

/** Lives a plan; it is the caller's to judge it, for example with the matchers. */
export function liveTest(plan: SimulationPlan, world: TestWorld): TestLife {
  const record = live(plan, world);
  return { plan, record, signature: judgement(plan.expect, record).signature, world };
}

/** The smallest plan that fails in the same way, lived. */
export const shrunkLife = (life: TestLife): TestLife => smallestLife(life).life;

/** The same, and whether the search came to its end. */
export function smallestLife({ plan, signature, world }: TestLife): {
  readonly life: TestLife;
  readonly isMinimal: boolean;
} {
  const result = answered(shrink(plan, signature, { maxEvents: SHRINK_EVENTS, jobs: world.jobs }), world);
  return { life: liveTest(result.plan, world), isMinimal: result.isMinimal };
}

/** The plan of a capsule, or of a plan file. */
export const readPlan = (file: string): SimulationPlan => decodeReplayable(file, readText(file)).plan;

function answered<Result>(search: Inquiring<Result>, world: TestWorld): Result {
  let step = search.next();
  while (step.done !== true) {
    const inquiry = step.value;
    step = search.next(
      inquiry.kind === 'look'
        ? [answer(inquiry.life, world, true)]
        : inquiry.cases.map((one) => answer(one, world, false)),
    );
  }
  return step.value;
}

function answer({ plan, branch, wantsChoices }: LifeCase, world: TestWorld, keepHistory: boolean): LifeAnswer {
  let choices: Choices | undefined;
  const watchChoices = (made: Choices): void => {
    choices = made;
  };
  const record = live(plan, { ...world, keepHistory, branch, watchChoices, recordChoices: wantsChoices });
  const { signature } = judgement(plan.expect, record);
  const { events, history, verdicts } = record;
  const seen = { history, verdicts, sites: choices?.askedSites() ?? [], choices: choices?.takenChoices() ?? [] };
  return { ...NOTHING_SEEN, ...seen, signature, events };
}
