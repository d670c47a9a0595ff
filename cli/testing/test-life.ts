/**
 * A life in somebody's own test: the plan, what came of it, and on demand the smallest plan that fails in the same way.
 *
 * I1: what a failure message says can be lived again: it names the capsule that was written.
 */
import { faultSentence } from '../../reports/index.ts';
import { judgement } from '../../scenarios/expectation.ts';
import { type Inquiring, type LifeAnswer, type LifeCase, NOTHING_SEEN } from '../../scenarios/inquiry.ts';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import { type DatasetLoader, live } from '../../scenarios/live.ts';
import { planHash } from '../../scenarios/plan-hash.ts';
import { shrink } from '../../scenarios/shrink/shrinker.ts';
import type { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { capsuleOf } from '../capsule.ts';
import { joinPath, packageVersion } from '../files.ts';
import { liveOnce } from '../life.ts';
import { writeCapsule } from '../result-store.ts';

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

export function shrunkLife({ plan, signature, world }: TestLife): TestLife {
  const result = answered(shrink(plan, signature, { maxEvents: SHRINK_EVENTS, jobs: world.jobs }), world);
  return liveTest(result.plan, world);
}

/** What a person needs: findings, the smallest plan in words, the capsule, how to live it again. */
export function failureMessage(life: TestLife, folder: string): string {
  const small = shrunkLife(life);
  const { plan, record, world } = small;
  const { loadDataset, jobs } = world;
  const lived = liveOnce(plan, { loadDataset, keepHistory: false, relive: true }, (one, options) =>
    live(one, { ...options, jobs }),
  );
  const capsule = joinPath(folder, writeCapsule(folder, capsuleOf(plan, lived, packageVersion())));
  const wrong = record.verdicts.filter(({ outcome }) => outcome !== 'passed');
  return [
    `${life.plan.job.use} is not exactly-once: ${life.signature} with seed ${life.plan.seed} (plan ${planHash(life.plan)}).`,
    ...wrong.map(({ judge, anomaly, message }) => `  ${judge}/${anomaly}: ${message}`),
    `Smallest plan with the same failure: ${plan.faults.length} of ${life.plan.faults.length} faults, parallelism ${plan.job.parallelism}, ` +
      `${plan.topics.map(({ records }) => records).join(' and ')} records.`,
    ...plan.faults.map((fault) => `  ${fault.id}: ${faultSentence(fault)}`),
    `Live it again: expectExactlyOnce(job, { ..., replay: '${capsule}' })`,
  ].join('\n');
}

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
