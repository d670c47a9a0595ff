/**
 * The strategy `swarm`: each seed leaves out half of the scenario's fault rules and turns half of a list of workload traits, engine options
 * and machine sizes away from what the scenario says (Groce et al. 2012). It needs no `swarm` section, so it works on any scenario; where
 * there is one, its draws come first.
 *
 * Owns: the features and their draw. Does not own: what people list in a scenario (swarm.ts).
 *
 * I1: each feature is on in half of the seeds and has a stream of its own: any two are independent (a test counts all pairs).
 * I2: a feature changes nothing that would make the scenario's promise impossible: it leaves alone what does not go together, and a scenario
 *     names those that it cannot have (`notFor`).
 */
import type { CheckpointConfiguration, RuntimeConfiguration } from '../../engine/protocol/configuration.ts';
import { Choices } from '../../sim/kernel/choice.ts';
import type { SimulationPlan, TopicPlan } from '../../sim/plan.ts';
import { compile } from '../compile.ts';
import { streamNamesOf } from '../rule-streams.ts';
import type { FaultRule, Range, Scenario } from '../scenario.ts';
import { withFaults } from '../swarm.ts';
import { eachSeed, type Strategy } from './strategy.ts';
import { SWARM_FEATURE_NAMES, type SwarmFeatureName } from './strategy-names.ts';

/** Something that a life may have or not. */
type Feature = (plan: SimulationPlan) => SimulationPlan;

/** The half of the rules that is left strikes so much more often, in tenths. */
const CROWDING_TENTHS = 6;
const MILLISECOND_US = 1_000;
/** Services answer within it when nothing is wrong with them: who waits for less waits in vain. */
const PATIENCE_LEAST_US = 100 * MILLISECOND_US;

const checkpointing =
  (change: (checkpoint: CheckpointConfiguration) => Partial<CheckpointConfiguration>): Feature =>
  (plan) => {
    const { checkpoint } = plan.engine;
    return { ...plan, engine: { ...plan.engine, checkpoint: { ...checkpoint, ...change(checkpoint) } } };
  };
const runtime =
  (change: (runtime: RuntimeConfiguration) => Partial<RuntimeConfiguration>): Feature =>
  (plan) => {
    const { runtime: old } = plan.engine;
    return { ...plan, engine: { ...plan.engine, runtime: { ...old, ...change(old) } } };
  };
const topics =
  (change: (topic: TopicPlan, index: number) => Partial<TopicPlan>): Feature =>
  (plan) => ({ ...plan, topics: plan.topics.map((topic, index) => ({ ...topic, ...change(topic, index) })) });

const mayOverlap = ({ unaligned, intervalUs }: CheckpointConfiguration): boolean => !unaligned && intervalUs > 0;

/** Somebody begins anew from a savepoint, and what a checkpoint behind it has committed comes again: there must be none. */
const goesBack = ({ faults }: SimulationPlan): boolean =>
  faults.some(
    (fault) =>
      fault.kind === 'operation' &&
      'thenResume' in fault.command &&
      fault.command.thenResume?.from === 'newest-savepoint',
  );

const often = checkpointing(({ intervalUs }) => ({ intervalUs: Math.ceil(intervalUs / 3) }));

const FEATURES: Readonly<Record<SwarmFeatureName, Feature>> = {
  'checkpointing/unaligned': checkpointing(({ mode, maxConcurrent, unaligned }) => ({
    unaligned: unaligned || (mode === 'exactly-once' && maxConcurrent === 1),
  })),
  'checkpointing/aligned-timeout': checkpointing(({ unaligned, alignedTimeoutUs }) => ({
    alignedTimeoutUs: unaligned && alignedTimeoutUs === 0 ? 20 * MILLISECOND_US : alignedTimeoutUs,
  })),
  'checkpointing/often': (plan) => (goesBack(plan) ? plan : often(plan)),
  'checkpointing/concurrent': checkpointing((own) => ({
    maxConcurrent: mayOverlap(own) ? Math.max(own.maxConcurrent, 3) : own.maxConcurrent,
  })),
  'checkpointing/pause': checkpointing(({ minPauseUs, intervalUs }) => ({
    minPauseUs: Math.max(minPauseUs, Math.min(500 * MILLISECOND_US, Math.floor(intervalUs / 2))),
  })),
  'checkpointing/retain-more': checkpointing(({ retained }) => ({ retained: retained + 2 })),
  'checkpointing/nothing-inline': checkpointing(() => ({ inlineThresholdBytes: 0 })),
  'checkpointing/compressed': checkpointing(() => ({ compression: 'lz4' })),
  'runtime/small-buffers': runtime(({ bufferBytes }) => ({ bufferBytes: Math.min(bufferBytes, 512) })),
  'runtime/few-buffers': runtime(() => ({ exclusiveBuffersPerChannel: 1, floatingBuffersPerGate: 0 })),
  'runtime/flush-always': runtime(() => ({ bufferTimeoutUs: 0 })),
  'runtime/impatient': runtime(({ requestTimeoutUs }) => ({
    requestTimeoutUs: Math.min(requestTimeoutUs, Math.max(PATIENCE_LEAST_US, Math.ceil(requestTimeoutUs / 3))),
  })),
  'runtime/restart-all': runtime(() => ({ failoverStrategy: 'full' })),
  'input/burst': topics(({ ratePerSecond, socket }) => (socket === true ? {} : { ratePerSecond: ratePerSecond * 4 })),
  // The splits of files are those of the files; a topic that grows has to grow.
  'input/more-partitions': topics(({ partitions, socket, files, grows }) => {
    const more = partitions * 2 + 1;
    return socket === true || files !== undefined || (grows !== undefined && grows.partitions <= more)
      ? {}
      : { partitions: more };
  }),
  // Files that are looked for once have to be there.
  'input/late-start': topics(({ startUs, socket, files, discoveryUs }, index) =>
    index === 0 || socket === true || (files !== undefined && discoveryUs === undefined)
      ? {}
      : { startUs: startUs + 3_000 * MILLISECOND_US },
  ),
  // A machine more than is needed is lost for good when the storm is over: a failure more than the scenario has, where failures are counted.
  'cluster/spare-taskmanager': (plan) =>
    plan.engine.restart.strategy === 'exponential-delay'
      ? { ...plan, cluster: { ...plan.cluster, taskManagers: plan.cluster.taskManagers + 1 } }
      : plan,
};

/** The features that a seed has on: those of plans, and for each rule that it leaves in `faults/<digest>#<number>`. */
export function swarmFeatures(scenario: Scenario, seed: string): ReadonlySet<string> {
  const choices = new Choices({ rootSeed: seed });
  const isOn = (name: string): boolean => choices.site(`strategy/swarm/${name}`).chance(1, 2);
  return new Set(allSwarmFeatures(scenario).filter(isOn));
}

/** All features that seeds of a scenario may have: those that it leaves out (`notFor`) are in no seed. */
export const allSwarmFeatures = (scenario: Scenario): readonly string[] => [
  ...SWARM_FEATURE_NAMES.filter((name) => scenario.notFor?.[`swarm/${name}`] === undefined),
  ...ruleNames(scenario),
];

export function swarmPlan(scenario: Scenario, seed: string): SimulationPlan {
  const on = swarmFeatures(scenario, seed);
  const names = streamNamesOf(scenario.faults);
  const faults = scenario.faults
    .filter((rule, index) => !isDroppable(rule) || on.has(ruleFeature(names[index])))
    .map(moreOften);
  const plan = compile(withFaults(scenario, faults), seed);
  return SWARM_FEATURE_NAMES.filter((name) => on.has(name)).reduce((made, name) => FEATURES[name](made), plan);
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
