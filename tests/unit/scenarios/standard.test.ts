/** What the seeds of `standard` draw: each option of the engine that it is to vary comes often enough for a sweep of some hundred lives. */
import { describe, expect, it } from 'vitest';
import { compile } from '../../../scenarios/index.ts';
import type { SimulationPlan } from '../../../sim/plan.ts';
import { shippedScenario } from '../../support/lives.ts';

const SEEDS = 400;

type Matches = (plan: SimulationPlan) => boolean;
const checkpointing =
  (matches: (checkpoint: SimulationPlan['engine']['checkpoint']) => boolean): Matches =>
  ({ engine }) =>
    matches(engine.checkpoint);

/** Option, and the least percentage of the seeds that has it. */
const OPTIONS: readonly (readonly [option: string, least: number, matches: Matches])[] = [
  ['aligned', 40, checkpointing(({ unaligned }) => !unaligned)],
  ['aligned, several at a time', 20, checkpointing(({ maxConcurrent }) => maxConcurrent > 1)],
  ['unaligned', 10, checkpointing(({ unaligned, alignedTimeoutUs }) => unaligned && alignedTimeoutUs === 0)],
  ['aligned with time-out', 10, checkpointing(({ unaligned, alignedTimeoutUs }) => unaligned && alignedTimeoutUs > 0)],
  ['lease store', 30, ({ engine }) => engine.highAvailability.kind === 'lease-store'],
  ['ZooKeeper', 15, ({ engine }) => engine.highAvailability.kind === 'zookeeper'],
  ['Kubernetes', 15, ({ engine }) => engine.highAvailability.kind === 'kubernetes'],
  ['exponential-delay', 30, ({ engine }) => engine.restart.strategy === 'exponential-delay'],
  ['fixed-delay', 15, ({ engine }) => engine.restart.strategy === 'fixed-delay'],
  ['failure-rate', 15, ({ engine }) => engine.restart.strategy === 'failure-rate'],
  ['failover of regions', 60, ({ engine }) => engine.runtime.failoverStrategy === 'region'],
  ['failover of the job', 15, ({ engine }) => engine.runtime.failoverStrategy === 'full'],
  ['several regions', 10, ({ job }) => job.use === 'parallel-pipelines'],
  ['rescale by the slots there are', 15, ({ engine }) => engine.scheduler.mode === 'adaptive'],
];

describe('standard', () => {
  const scenario = shippedScenario('standard');
  const plans = Array.from({ length: SEEDS }, (_, index) => compile(scenario, String(index + 1)));

  it.each(OPTIONS)('%s: in at least %i of 100 lives', (_, least, matches) => {
    expect((plans.filter(matches).length * 100) / SEEDS).toBeGreaterThanOrEqual(least);
  });

  it('options meet: several regions adapt, too, and fail alone with each way of checkpointing', () => {
    const pipelines = plans.filter(({ job }) => job.use === 'parallel-pipelines');
    expect(pipelines.some(({ engine }) => engine.scheduler.mode === 'adaptive')).toBe(true);
    const alone = pipelines.filter(({ engine }) => engine.runtime.failoverStrategy === 'region');
    const ways = alone.map(({ engine }) => {
      const { unaligned, alignedTimeoutUs, maxConcurrent } = engine.checkpoint;
      return `${unaligned}/${alignedTimeoutUs > 0}/${maxConcurrent}`;
    });
    expect(new Set(ways).size).toBe(5);
  });
});
