/** Real failures, shrunk: mutants found by their scenarios. */
import { describe, expect, it } from 'vitest';
import { choicesOf, withOnly } from '../../../../scenarios/shrink/choices-of-plan.ts';
import { milderFaults, weakerFaults } from '../../../../scenarios/shrink/fault-edits.ts';
import { type LifeAnswer, type LifeCase, NOTHING_SEEN } from '../../../../scenarios/inquiry.ts';
import { shrink, type ShrinkResult } from '../../../../scenarios/shrink/shrinker.ts';
import { SIZE_EDITS } from '../../../../scenarios/shrink/size-edits.ts';
import { strangerOf } from '../../../../sim/faults/fault-nodes.ts';
import { allNodes } from '../../../../sim/node-names.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { liveIt, planOf } from '../../../support/lives.ts';
import { shrunkHere, signatureOf } from '../../../support/shrinking.ts';

const CASES = [
  ['unknown-write-is-failure', 'lost-write-reply'],
  ['zombie-jm-can-subsume', 'zombie-jobmanager-writes'],
] as const;
const results = new Map<string, ShrinkResult>();

function shrunk(slug: string, scenario: string): ShrinkResult {
  const known = results.get(slug);
  if (known !== undefined) return known;
  const plan = { ...planOf(scenario, '1'), variant: slug };
  const result = shrunkHere(plan, signatureOf(plan));
  results.set(slug, result);
  return result;
}

/** Shrinks `a/b` among failures that are made up; what is looked at is lived, and asks two sites of chance. */
function shrunkMadeUp(plan: SimulationPlan, signatureAt: (plan: SimulationPlan) => string): ShrinkResult {
  const search = shrink(plan, 'a/b', { maxEvents: 1_000_000 });
  let step = search.next();
  while (step.done !== true) {
    const inquiry = step.value;
    const isLook = inquiry.kind === 'look';
    const answer = ({ plan: one }: LifeCase): LifeAnswer => ({
      ...NOTHING_SEEN,
      ...(isLook ? { history: liveIt(one, { keepHistory: true }).history, sites: ['one', 'two'] } : {}),
      signature: signatureAt(one),
      events: 1,
    });
    step = search.next((isLook ? [inquiry.life] : inquiry.cases).map(answer));
  }
  return step.value;
}

describe('shrink', () => {
  it.each(CASES)('%s: at most three faults are left, each necessary (I3)', (slug, scenario) => {
    const { plan, certificate, signature, isMinimal } = shrunk(slug, scenario);
    expect(isMinimal).toBe(true);
    expect(plan.faults.length).toBeGreaterThan(0);
    expect(plan.faults.length).toBeLessThanOrEqual(3);
    expect(certificate.length).toBeGreaterThanOrEqual(plan.faults.length);
    for (const entry of certificate) expect(entry.signature, entry.without).not.toBe(signature);
    expect(signatureOf(plan)).toBe(signature);
  });

  it.each(CASES)('%s: the standard engine passes the smallest plan: it fails for its bug (I2)', (slug, scenario) => {
    const { plan } = shrunk(slug, scenario);
    expect(signatureOf({ ...plan, variant: 'standard' })).toBe('');
  });

  it('the same failure gives the same plan, whatever was shrunk before (I4)', () => {
    const [slug, scenario] = CASES[1];
    const plan = { ...planOf(scenario, '1'), variant: slug };
    expect(shrunkHere(plan, signatureOf(plan))).toEqual(shrunk(slug, scenario));
  });

  it('triggers have become points: a time says nothing to another version', () => {
    for (const [slug, scenario] of CASES) {
      for (const { trigger } of shrunk(slug, scenario).plan.faults) expect('point' in trigger).toBe(true);
    }
  });

  it('a smaller world that fails without faults, too, is refused, and the certificate says so (I2, I3)', () => {
    const plan = planOf('quickstart', '1');
    const needed = { ...plan, engine: { ...plan.engine, checkpoint: { ...plan.engine.checkpoint, unaligned: true } } };
    // Made up: the bug is always there, and only an unaligned world passes without it.
    const signature = ({ variant, engine }: SimulationPlan): string =>
      variant === 'standard' && engine.checkpoint.unaligned ? '' : 'a/b';
    const {
      plan: small,
      certificate,
      isMinimal,
    } = shrunkMadeUp({ ...needed, variant: 'no-flush-on-snapshot' }, signature);
    expect(small.engine.checkpoint.unaligned).toBe(true);
    expect(small.faults).toEqual([]);
    expect(isMinimal).toBe(true);
    expect(certificate).toContainEqual({
      without: 'engine.checkpoint.unaligned: true',
      signature: 'a/b',
      isImpossible: true,
    });
  });

  it('a point is named before chance is fixed draw by draw: one that serves at any chance saves all of that', () => {
    const plan = { ...planOf('quickstart', '1'), variant: 'no-flush-on-snapshot' };
    // Made up: at a time it takes the chance it had, drawn or fixed; at a point none.
    const signature = ({ variant, faults, ...chance }: SimulationPlan): string => {
      const [fault] = faults;
      if (variant === 'standard' || fault === undefined) return '';
      const { drawnSites, fixedChoices = [] } = chance;
      const isAsBefore = drawnSites === undefined || drawnSites.length > 0 || fixedChoices.length > 9;
      return 'point' in fault.trigger || isAsBefore ? 'a/b' : '';
    };
    const asked: SimulationPlan[] = [];
    const { plan: small, isMinimal } = shrunkMadeUp(plan, (one) => {
      asked.push(one);
      return signature(one);
    });
    expect(isMinimal).toBe(true);
    expect(small.faults.map(({ trigger }) => 'point' in trigger)).toEqual([true]);
    expect(small.drawnSites).toEqual([]);
    expect(asked.filter(({ fixedChoices = [] }) => fixedChoices.length > 0)).toEqual([]);
  });

  it('a life much longer than the failure is given up, and the smallest plan has the limits of before (I5)', () => {
    const plan = { ...planOf('quickstart', '1'), variant: 'no-flush-on-snapshot' };
    const asked: SimulationPlan[] = [];
    const { plan: small } = shrunkMadeUp(plan, (one) => {
      asked.push(one);
      return one.variant === 'standard' ? '' : 'a/b';
    });
    expect(asked[0]?.limits).toEqual(plan.limits);
    const others = new Set(asked.slice(1).map(({ limits }) => limits.maxEvents));
    // A look is at what failed already.
    expect([...others].sort()).toEqual([160_000, plan.limits.maxEvents]);
    expect(small.limits).toEqual(plan.limits);
  });

  it('a budget that is used up ends it with what it has', () => {
    const [slug, scenario] = CASES[0];
    const plan = { ...planOf(scenario, '1'), variant: slug };
    const { isMinimal, plan: left } = shrunkHere(plan, signatureOf(plan), 1);
    expect(isMinimal).toBe(false);
    expect(left).toEqual(plan);
  });
});

describe('edits', () => {
  const plan = planOf('standard', '3');

  it('smaller worlds name only nodes that they have (size-edits I1)', () => {
    const smaller = SIZE_EDITS.flatMap(({ candidates }) => candidates(plan));
    expect(smaller.length).toBeGreaterThan(5);
    for (const one of smaller) expect(strangerOf(one.faults, allNodes(one.cluster))).toBeUndefined();
  });

  it('milder faults keep their id, and repeating ends (fault-edits I1)', () => {
    for (const fault of plan.faults) {
      let current = fault;
      for (let step = 0; step < 100; step += 1) {
        const mild = [...milderFaults(current), ...weakerFaults(current)];
        for (const { id } of mild) expect(id).toBe(fault.id);
        const last = mild.at(-1);
        if (last === undefined) break;
        expect(step).toBeLessThan(99);
        current = last;
      }
    }
  });

  it('a world that is not the usual one is a choice, too: storage, sink, hardware', () => {
    const paths = choicesOf(planOf('kafka-sink', '1')).map(({ path }) => path);
    expect(paths).toContain('sink');
    const bare = withOnly(planOf('kafka-sink', '1'), choicesOf(planOf('kafka-sink', '1')), []);
    expect('sink' in bare).toBe(false);
    expect(bare.cluster.taskManagers).toBe(planOf('kafka-sink', '1').cluster.taskManagers);
    const slow = {
      ...plan,
      storage: { ...plan.storage, listDelayUs: 5 },
      cluster: { ...plan.cluster, profile: 'other' },
    };
    const added = choicesOf(slow).filter(({ path }) => !choicesOf(plan).some((other) => other.path === path));
    expect(added.map(({ path }) => path)).toEqual(['storage.listDelayUs', 'cluster.profile']);
  });

  it('choices are what a plain scenario would not say; without them the plan is plain', () => {
    const unaligned = planOf('unaligned-backpressure', '1');
    const choices = choicesOf(unaligned);
    expect(choices.map(({ path }) => path)).toContain('engine.checkpoint.unaligned');
    const bare = withOnly(unaligned, choices, []);
    expect(bare.engine.checkpoint.unaligned).toBe(false);
    expect(choicesOf(bare)).toEqual([]);
    expect(withOnly(unaligned, choices, choices)).toEqual(unaligned);
  });
});
