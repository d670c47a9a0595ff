/** What a strategy finds is an ordinary plan: it survives a file, fails again in the same way, and shrinks to what matters. */
import { describe, expect, it } from 'vitest';
import { decodePlan, encodePlan, judgement } from '../../scenarios/index.ts';
import { shrink } from '../../scenarios/shrink/shrinker.ts';
import { ProposalFeed } from '../../scenarios/strategies/proposal-feed.ts';
import { sightOf } from '../../scenarios/strategies/sight.ts';
import { type StrategyName, STRATEGY_NAMES } from '../../scenarios/strategies/strategy-names.ts';
import { strategyNamed } from '../../scenarios/strategies/strategy-catalog.ts';
import { untold } from '../../scenarios/strategies/untold.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { liveIt, shippedScenario } from '../support/lives.ts';
import { answeredHere } from '../support/shrinking.ts';

const LIVES_MAX = 60;
/** A new leader takes ids again that were taken: it needs a crash of the leader between two steps. */
const MUTANT = 'ids-from-newest-checkpoint';
const scenario = untold(shippedScenario('jobmanager-crash-before-metadata'), shippedScenario('standard'));

function firstKill(name: StrategyName): SimulationPlan | undefined {
  const feed = new ProposalFeed(strategyNamed(name)({ scenario, seedAt: (index) => String(index + 1) }));
  for (let number = 0; number < LIVES_MAX; number += 1) {
    const proposal = feed.at(number);
    if (proposal === undefined) return undefined;
    const plan = { ...proposal.plan, variant: MUTANT };
    const record = liveIt(plan, { keepHistory: proposal.gaze !== undefined });
    if (record.verdict === 'violated' && liveIt(proposal.plan).verdict === 'passed') return plan;
    const sight = proposal.gaze === undefined ? {} : { sight: sightOf(proposal.gaze, record) };
    feed.answer(number, { signature: record.signature, events: record.events, ...sight });
  }
  return undefined;
}

describe('a scenario without its story', () => {
  it('has the faults of the storm, scaled to its length, and what people ask for', () => {
    const told = shippedScenario('savepoints-under-faults');
    const storm = shippedScenario('standard');
    const { faults, liveness } = untold(told, storm);
    const operations = told.faults.filter(({ action }) => action.kind === 'operation');
    expect(faults).toHaveLength(operations.length + storm.faults.length);
    expect(faults.slice(0, operations.length)).toEqual(operations);
    const [first] = faults.slice(operations.length);
    const [original] = storm.faults;
    if (first?.time.kind !== 'every' || original?.time.kind !== 'every')
      throw new Error('rules strike again and again');
    expect(first.time.gapUs.low / original.time.gapUs.low).toBeCloseTo(liveness.stormUs / storm.liveness.stormUs, 3);
  });

  it('what people do in the storm is none of its business', () => {
    const storm = shippedScenario('storm');
    expect(storm.faults.some(({ action }) => action.kind === 'operation')).toBe(true);
    const { faults } = untold(shippedScenario('quickstart'), storm);
    expect(faults.some(({ action }) => action.kind === 'operation')).toBe(false);
    expect(faults.some(({ action }) => action.kind === 'power-loss')).toBe(true);
  });
});

describe('kills', () => {
  it.each(STRATEGY_NAMES)('%s: replays from a file and shrinks', { timeout: 180_000 }, (name) => {
    const plan = firstKill(name);
    expect(plan, `no kill in ${LIVES_MAX} lives`).toBeDefined();
    if (plan === undefined) return;
    const decoded = decodePlan(encodePlan(plan), 'plan.json');
    if (!decoded.ok) throw new Error(decoded.problems.map(({ message }) => message).join('\n'));
    const [once, again] = [liveIt(plan), liveIt(decoded.plan)];
    expect(again.digest).toBe(once.digest);
    const { signature } = judgement(plan.expect, once);
    const small = answeredHere(shrink(decoded.plan, signature, { maxEvents: 300_000 }));
    expect(small.signature).toBe(signature);
    expect(small.plan.faults.length).toBeLessThanOrEqual(3);
    expect(judgement(plan.expect, liveIt(small.plan)).signature).toBe(signature);
  });
});
