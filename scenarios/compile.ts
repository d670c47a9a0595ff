/**
 * Scenario + seed -> SimulationPlan. Every draw of a scenario is made here; the simulator learns nothing of ranges and chance.
 *
 * I1: the plan is a function of scenario and seed.
 * I2: a fault rule draws from streams named by what it says, not by its place in the list (rule-streams.ts): adding, removing or
 *     moving a rule shifts no other rule's draws. Of rules that say the same, the n-th has the n-th streams.
 * I3: faults are numbered `f1`, `f2` ... by rule, then by time, then by node.
 */
import { Choices } from '../sim/kernel/choice.ts';
import { profileNamed } from '../sim/node/hardware-profile.ts';
import { jobManagerNodes, taskManagerNodes } from '../sim/node-names.ts';
import type { ClusterPlan, SimulationPlan } from '../sim/plan.ts';
import { FILE_SERVER, HDFS, OBJECT_STORES } from '../sim/services/storage-latencies.ts';
import { isAtHome } from './high-availability-problems.ts';
import { type Strike, strikesOfRule } from './fault-draws.ts';
import type { WriteLatencies } from './nemeses/steps.ts';
import { streamNamesOf } from './rule-streams.ts';
import type { ClusterSettings, Scenario } from './scenario.ts';
import { drawScenario, isInSubset } from './swarm.ts';

export function compile(written: Scenario, seed: string): SimulationPlan {
  const choices = new Choices({ rootSeed: seed });
  const scenario = drawScenario(written, choices);
  return {
    version: 1,
    scenario: scenario.name,
    seed,
    ...plannedJob(scenario),
    cluster: drawCluster(scenario.cluster, choices),
    engine: scenario.engine,
    storage: scenario.storage,
    transactionTimeoutUs: scenario.transactionTimeoutUs,
    faults: drawStrikes(scenario, choices).flatMap(({ faults }) => faults),
    liveness: scenario.liveness,
    limits: scenario.limits,
    variant: 'standard',
    expect: scenario.expect,
  };
}

/** The faults of the plan by strike: the plan itself knows of no nemesis. */
export function strikesOf(written: Scenario, seed: string): readonly Strike[] {
  const choices = new Choices({ rootSeed: seed });
  return drawStrikes(drawScenario(written, choices), choices);
}

/** What a plan says of its job. */
export type PlannedJob = Pick<SimulationPlan, 'job' | 'topics' | 'sink'>;

export function plannedJob({ job, connectors, topics, sink }: Scenario): PlannedJob {
  // A plan has one place for what concerns the job: its own parameters and those that every job has.
  const parameters = { ...job.parameters, guarantee: job.guarantee, ...connectors };
  const { use, parallelism } = job;
  return { job: { use, parallelism, parameters }, topics, ...(sink === undefined ? {} : { sink }) };
}

/** The clock of each machine draws from streams of its own. */
function drawCluster({ clocks, ...cluster }: ClusterSettings, choices: Choices): ClusterPlan {
  if (clocks === undefined) return cluster;
  const either = (name: string, most: number): number => signed(choices.site(`clocks/${name}`).choose(2 * most + 1));
  const nodes = [...jobManagerNodes(cluster), ...taskManagerNodes(cluster)];
  const drawn = nodes.map((node) => ({
    node,
    offsetUs: either(`${node}/offset`, clocks.offsetUs),
    driftPpm: either(`${node}/drift`, clocks.driftPpm),
  }));
  return { ...cluster, clocks: drawn };
}

/** 0, -1, 1, -2, 2 ...: the boring choice is a clock that is right. */
const signed = (choice: number): number => (choice % 2 === 0 ? choice / 2 : -(choice + 1) / 2);

function drawStrikes(scenario: Scenario, choices: Choices): Strike[] {
  const names = streamNamesOf(scenario.faults);
  const strikes: Strike[] = [];
  let nextId = 1;
  for (const [index, rule] of scenario.faults.entries()) {
    const name = names[index] ?? '';
    if (!isInSubset(scenario.swarm, name, choices)) continue;
    if (!isAtHome(rule.action, scenario.engine.highAvailability.kind, scenario.sink?.kind)) continue;
    const context = {
      site: (purpose: string) => choices.site(`faults/${name}/${purpose}`),
      cluster: scenario.cluster,
      stormUs: scenario.liveness.stormUs,
      runtime: scenario.engine.runtime,
      writes: writeLatencies(scenario),
    };
    const struck = strikesOfRule(rule, context, nextId);
    nextId += struck.reduce((sum, { faults }) => sum + faults.length, 0);
    strikes.push(...struck);
  }
  return strikes;
}

function writeLatencies({ cluster, engine, storage }: Scenario): WriteLatencies {
  const { objectStore, coordinationStore: pointer } = profileNamed(cluster.profile);
  switch (engine.checkpoint.storage.kind) {
    case 'filesystem':
      return { file: FILE_SERVER.sync, pointer };
    case 'hdfs':
      return { file: HDFS.sync, pointer };
    default: {
      const latency = storage.flavour === 'profile' ? objectStore : OBJECT_STORES[storage.flavour];
      return { file: latency.putBase, pointer };
    }
  }
}
