/** What a plan leaves to chance, and what it says about the order of messages, in sentences. */
import type { BranchPlan, PrioritiesPlan, SimulationPlan } from '../sim/plan.ts';

export function chanceSentences({ drawnSites, fixedChoices, priorities, branches = [] }: SimulationPlan): string[] {
  return [
    ...(priorities === undefined ? [] : [prioritiesSentence(priorities)]),
    ...branches.map(branchSentence),
    sitesSentence(drawnSites, fixedChoices),
  ];
}

function sitesSentence(
  drawnSites: SimulationPlan['drawnSites'],
  fixedChoices: SimulationPlan['fixedChoices'] = [],
): string {
  if (drawnSites === undefined) return 'Chance: all latencies as drawn.';
  const fixed = fixedChoices.map(({ site, nth, option }) => `choice ${nth} of ${site} is option ${option}`);
  const drawn = drawnSites.length === 0 ? [] : [`${drawnSites.join(', ')} draw`];
  if (fixed.length + drawn.length === 0) return 'Chance: none is needed, every message takes its least latency.';
  return `Chance: ${[...fixed, ...drawn].join(', ')}; all other choices are the boring ones.`;
}

function prioritiesSentence({ ranks, windowUs, changeSteps, dropUs }: PrioritiesPlan): string {
  const falls =
    changeSteps.length === 0
      ? ''
      : `; whoever moves at step ${changeSteps.join(', ')} falls below all others, by ${milliseconds(dropUs)} a message`;
  return `Chains of messages have priorities: the lowest of ${ranks} waits ${milliseconds(windowUs)} longer${falls}.`;
}

function branchSentence({ afterEvent, rootSeed, sites }: BranchPlan): string {
  const where = afterEvent < 0 ? 'From the start' : `Behind event ${afterEvent}`;
  const of = sites === undefined ? '' : ` at ${sites.join(', ')}`;
  return `${where} chance takes the course of seed '${rootSeed}'${of}.`;
}

const milliseconds = (us: number): string => `${us / 1_000} ms`;
