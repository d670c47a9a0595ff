/**
 * The strategy `swarm`: each seed leaves out half of the scenario's fault rules and turns half of a list of workload traits, engine options
 * and machine sizes away from what the scenario says (Groce et al. 2012). It needs no `swarm` section, so it works on any scenario; where
 * there is one, its draws come first.
 *
 * Owns: the features and their draw. Does not own: what people list in a scenario (swarm.ts).
 *
 * I1: each feature is on in half of the seeds and has a stream of its own: any two are independent (a test counts all pairs).
 * I2: a feature changes nothing that would make the scenario's promise impossible: it leaves alone what does not go together.
 */
import type { CheckpointConfiguration, RuntimeConfiguration } from '../../engine/protocol/configuration.ts';
import { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan, TopicPlan } from '../../sim/plan.ts';
import { compile } from '../compile.ts';
import { streamNamesOf } from '../rule-streams.ts';
import type { FaultRule, Range, Scenario } from '../scenario.ts';
import { withFaults } from '../swarm.ts';
import { eachSeed, type Strategy } from './strategy.ts';

/** Something that a life may have or not. */
interface PlanFeature {
  readonly name: string;
  readonly apply: (plan: SimulationPlan) => SimulationPlan;
}

/** The half of the rules that is left strikes so much more often, in tenths. */
const CROWDING_TENTHS = 6;
const MILLISECOND_US = 1_000;

const checkpointing = (
  name: string,
  change: (checkpoint: CheckpointConfiguration) => Partial<CheckpointConfiguration>,
): PlanFeature => ({
  name: `checkpointing/${name}`,
  apply: (plan) => {
    const { checkpoint } = plan.engine;
    return { ...plan, engine: { ...plan.engine, checkpoint: { ...checkpoint, ...change(checkpoint) } } };
  },
});
const runtime = (
  name: string,
  change: (runtime: RuntimeConfiguration) => Partial<RuntimeConfiguration>,
): PlanFeature => ({
  name: `runtime/${name}`,
  apply: (plan) => {
    const { runtime: old } = plan.engine;
    return { ...plan, engine: { ...plan.engine, runtime: { ...old, ...change(old) } } };
  },
});
const topics = (name: string, change: (topic: TopicPlan, index: number) => Partial<TopicPlan>): PlanFeature => ({
  name: `input/${name}`,
  apply: (plan) => ({ ...plan, topics: plan.topics.map((topic, index) => ({ ...topic, ...change(topic, index) })) }),
});

const mayOverlap = ({ unaligned, intervalUs }: CheckpointConfiguration): boolean => !unaligned && intervalUs > 0;

/** Those that change what others look at come first. */
const PLAN_FEATURES: readonly PlanFeature[] = [
  checkpointing('unaligned', ({ mode, maxConcurrent, unaligned }) => ({
    unaligned: unaligned || (mode === 'exactly-once' && maxConcurrent === 1),
  })),
  checkpointing('aligned-timeout', ({ unaligned, alignedTimeoutUs }) => ({
    alignedTimeoutUs: unaligned && alignedTimeoutUs === 0 ? 20 * MILLISECOND_US : alignedTimeoutUs,
  })),
  checkpointing('often', ({ intervalUs }) => ({ intervalUs: Math.ceil(intervalUs / 3) })),
  checkpointing('concurrent', (own) => ({
    maxConcurrent: mayOverlap(own) ? Math.max(own.maxConcurrent, 3) : own.maxConcurrent,
  })),
  checkpointing('pause', ({ minPauseUs, intervalUs }) => ({
    minPauseUs: Math.max(minPauseUs, Math.min(500 * MILLISECOND_US, Math.floor(intervalUs / 2))),
  })),
  checkpointing('retain-more', ({ retained }) => ({ retained: retained + 2 })),
  checkpointing('nothing-inline', () => ({ inlineThresholdBytes: 0 })),
  checkpointing('compressed', () => ({ compression: 'lz4' })),
  runtime('small-buffers', ({ bufferBytes }) => ({ bufferBytes: Math.min(bufferBytes, 512) })),
  runtime('few-buffers', () => ({ exclusiveBuffersPerChannel: 1, floatingBuffersPerGate: 0 })),
  runtime('flush-always', () => ({ bufferTimeoutUs: 0 })),
  runtime('impatient', ({ requestTimeoutUs }) => ({ requestTimeoutUs: Math.ceil(requestTimeoutUs / 3) })),
  runtime('restart-all', () => ({ failoverStrategy: 'full' })),
  topics('burst', ({ ratePerSecond, socket }) => (socket === true ? {} : { ratePerSecond: ratePerSecond * 4 })),
  topics('more-partitions', ({ partitions, socket }) => (socket === true ? {} : { partitions: partitions * 2 + 1 })),
  topics('late-start', ({ startUs, socket }, index) =>
    index === 0 || socket === true ? {} : { startUs: startUs + 3_000 * MILLISECOND_US },
  ),
  {
    name: 'cluster/spare-taskmanager',
    apply: (plan) => ({ ...plan, cluster: { ...plan.cluster, taskManagers: plan.cluster.taskManagers + 1 } }),
  },
];

/** The features that a seed has on: those of plans, and for each rule that it leaves in `faults/<digest>#<number>`. */
export function swarmFeatures(scenario: Scenario, seed: string): ReadonlySet<string> {
  const choices = new Choices({ rootSeed: seed });
  const isOn = (name: string): boolean => choices.site(`strategy/swarm/${name}`).chance(1, 2);
  return new Set([...PLAN_FEATURES.map(({ name }) => name), ...ruleNames(scenario)].filter(isOn));
}

/** All features that seeds of a scenario may have. */
export const allSwarmFeatures = (scenario: Scenario): readonly string[] => [
  ...PLAN_FEATURES.map(({ name }) => name),
  ...ruleNames(scenario),
];

export function swarmPlan(scenario: Scenario, seed: string): SimulationPlan {
  const on = swarmFeatures(scenario, seed);
  const names = streamNamesOf(scenario.faults);
  const faults = scenario.faults
    .filter((rule, index) => !isDroppable(rule) || on.has(ruleFeature(names[index])))
    .map(moreOften);
  const plan = compile(withFaults(scenario, faults), seed);
  return PLAN_FEATURES.filter(({ name }) => on.has(name)).reduce((made, { apply }) => apply(made), plan);
}

export const swarm: Strategy = eachSeed(swarmPlan);

/** What people ask for is no fault. */
const isDroppable = ({ action }: FaultRule): boolean => action.kind !== 'operation';

function ruleNames({ faults }: Scenario): string[] {
  const names = streamNamesOf(faults);
  return faults.flatMap((rule, index) => (isDroppable(rule) ? [ruleFeature(names[index])] : []));
}

const ruleFeature = (name = ''): string => `faults/${name}`;

function moreOften(rule: FaultRule): FaultRule {
  if (rule.time.kind !== 'every') return rule;
  const { low, high } = rule.time.gapUs;
  const gapUs: Range = { low: tenths(low), high: tenths(high) };
  return { ...rule, time: { ...rule.time, gapUs } };
}

const tenths = (us: number): number => Math.floor((us * CROWDING_TENTHS) / 10);
