/**
 * Scenario + seed -> SimulationPlan. Every draw of a scenario is made here; the simulator learns nothing of ranges and chance.
 *
 * I1: the plan is a function of scenario and seed.
 * I2: a fault rule draws from streams named by what it says, not by its place in the list: adding, removing or moving a rule shifts
 *     no other rule's draws. Of rules that say the same, the n-th has the n-th streams.
 * I3: faults are numbered `f1`, `f2` ... by rule, then by time, then by node.
 */
import { Choices } from '../sim/kernel/choice.ts';
import { combineDigests } from '../sim/kernel/digest.ts';
import type { Fault } from '../sim/faults/fault.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { canonicalJson } from './canonical-json.ts';
import { faultsOfRule } from './fault-draws.ts';
import type { FaultRule, Scenario } from './scenario.ts';

export function compile(scenario: Scenario, seed: string): SimulationPlan {
  const { job, connectors } = scenario;
  return {
    version: 1,
    scenario: scenario.name,
    seed,
    job: {
      use: job.use,
      parallelism: job.parallelism,
      // A plan has one place for what concerns the job: its own parameters and those that every job has.
      parameters: { ...job.parameters, guarantee: job.guarantee, ...connectors },
    },
    topics: scenario.topics,
    cluster: scenario.cluster,
    engine: scenario.engine,
    transactionTimeoutUs: scenario.transactionTimeoutUs,
    faults: drawFaults(scenario, seed),
    liveness: scenario.liveness,
    limits: scenario.limits,
    variant: 'standard',
    expect: scenario.expect,
  };
}

function drawFaults(scenario: Scenario, seed: string): Fault[] {
  const choices = new Choices({ rootSeed: seed });
  const names = streamNamesOf(scenario.faults);
  const faults: Fault[] = [];
  for (const [index, rule] of scenario.faults.entries()) {
    const drawn = faultsOfRule(rule, {
      site: (purpose) => choices.site(`faults/${names[index]}/${purpose}`),
      cluster: scenario.cluster,
      stormUs: scenario.liveness.stormUs,
    });
    for (const fault of drawn) faults.push({ ...fault, id: `f${faults.length + 1}` });
  }
  return faults;
}

/** Names are a function of the rules alone; a sweep compiles one scenario a million times. */
const knownNames = new WeakMap<readonly FaultRule[], readonly string[]>();

/** What each rule's streams are named by (I2): a digest of what it says, and its number among rules that say the same. */
function streamNamesOf(rules: readonly FaultRule[]): readonly string[] {
  const known = knownNames.get(rules);
  if (known !== undefined) return known;
  const seen = new Map<string, number>();
  const names = rules.map((rule) => {
    const digest = combineDigests([canonicalJson(rule)]);
    const number = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, number);
    return `${digest}#${number}`;
  });
  knownNames.set(rules, names);
  return names;
}
