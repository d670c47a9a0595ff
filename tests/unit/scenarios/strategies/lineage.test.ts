/** The strategy `lineage`: what a good outcome rests on, sets that defeat all supports, and that taking them away is effective. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../../../scenarios/index.ts';
import { calmPlan } from '../../../../scenarios/crashpoints/crash-case.ts';
import { hittingSets } from '../../../../scenarios/strategies/hitting-sets.ts';
import { lineage } from '../../../../scenarios/strategies/lineage.ts';
import { sightOf } from '../../../../scenarios/strategies/sight.ts';
import { faultAgainst, supportOf, TARGET_CHECKPOINT } from '../../../../scenarios/strategies/support.ts';
import type { Observation, Proposal } from '../../../../scenarios/strategies/strategy.ts';
import type { RunRecord } from '../../../../sim/run-record.ts';
import { findings, liveIt, shippedScenario } from '../../../support/lives.ts';

const scenario = shippedScenario('quickstart');
const calm = calmPlan(compile(scenario, '1'));
const everything = (): boolean => true;

describe('hitting sets', () => {
  it('small ones first; each hits every clause and none of its members is idle', () => {
    const clauses = [
      ['a', 'b'],
      ['b', 'c'],
      ['d', 'b', 'a'],
    ];
    expect(hittingSets(clauses, { sizeMax: 2, count: 9, isWanted: everything })).toEqual([['b'], ['a', 'c']]);
    expect(hittingSets(clauses, { sizeMax: 1, count: 9, isWanted: everything })).toEqual([['b']]);
    expect(hittingSets(clauses, { sizeMax: 2, count: 1, isWanted: (set) => set.length === 2 })).toEqual([['a', 'c']]);
    expect(hittingSets([['a'], []], { sizeMax: 3, count: 9, isWanted: everything })).toEqual([]);
  });

  it('are those that trying all sets finds (I1)', () => {
    const member = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const clause = fc.uniqueArray(member, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(clause, { minLength: 1, maxLength: 5 }), (clauses) => {
        const found = hittingSets(clauses, { sizeMax: 3, count: 1_000, isWanted: everything });
        const all = ['a', 'b', 'c', 'd', 'e', 'f'];
        const subsets = Array.from({ length: 64 }, (_, bits) => all.filter((__, index) => (bits >> index) % 2 === 1));
        const hits = (set: readonly string[]): boolean =>
          clauses.every((one) => one.some((name) => set.includes(name)));
        const wanted = subsets.filter(
          (set) => set.length <= 3 && hits(set) && set.every((name) => !hits(set.filter((other) => other !== name))),
        );
        expect(found.map((set) => set.join()).sort()).toEqual(wanted.map((set) => set.join()).sort());
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});

describe('support', () => {
  const { checkpoint, elements } = supportOf(liveIt(calm, { keepHistory: true }).history, TARGET_CHECKPOINT);

  it('of a calm life: the target, from its trigger to its commit', () => {
    expect(checkpoint).toBe(TARGET_CHECKPOINT);
    const points = new Set(elements.map(({ trigger }) => trigger.point));
    for (const point of [
      'triggered',
      'barrier.sent',
      'acknowledge.sent',
      'all-acknowledged',
      'metadata-write.sent',
      'pointer-write.done',
      'notify.sent',
      'commit.sent',
    ] as const)
      expect(points).toContain(point);
    expect(new Set(elements.map(({ kind }) => kind))).toEqual(new Set(['life', 'message', 'write']));
  });

  it('what is taken away is gone: each fault strikes, and the outcome rests on something else', {
    timeout: 60_000,
  }, () => {
    let others = 0;
    for (const element of elements) {
      const fault = faultAgainst(calm, element);
      if (fault === undefined) continue;
      const record = liveIt({ ...calm, faults: [{ ...fault, id: 'f1' }] }, { keepHistory: true });
      expect(record.verdict, findings(record)).toBe('passed');
      expect(record.faultRecords[0]?.startedAtUs, JSON.stringify(element)).toBeGreaterThan(0);
      if (supportOf(record.history, TARGET_CHECKPOINT).checkpoint !== TARGET_CHECKPOINT) others += 1;
    }
    expect(others).toBeGreaterThan(5);
  });
});

describe('the search', () => {
  function searched(lives: number): { proposals: Proposal[]; records: RunRecord[] } {
    const search = lineage({ scenario, seedAt: (index) => String(index + 1) });
    const [proposals, records]: [Proposal[], RunRecord[]] = [[], []];
    let step = search.next();
    while (step.done !== true && proposals.length < lives) {
      const batch = step.value.map((proposal): Observation => {
        const record = liveIt(proposal.plan, { keepHistory: true });
        records.push(record);
        const sight = proposal.gaze === undefined ? {} : { sight: sightOf(proposal.gaze, record) };
        return { signature: record.signature, events: record.events, ...sight };
      });
      proposals.push(...step.value);
      step = search.next(batch);
    }
    return { proposals, records };
  }

  it('takes away nothing, then each element, then sets that no life so far could have survived', {
    timeout: 120_000,
  }, () => {
    const { proposals } = searched(60);
    const sizes = proposals.map(({ plan }) => plan.faults.length);
    expect(sizes[0]).toBe(0);
    const singles = sizes.filter((size) => size === 1).length;
    expect(sizes.slice(1, 1 + singles)).toEqual(new Array(singles).fill(1));
    expect(Math.max(...sizes)).toBeGreaterThan(1);
    const texts = proposals.map(({ plan }) => JSON.stringify(plan));
    expect(new Set(texts).size).toBe(texts.length);
    expect(searched(60).proposals.map(({ plan }) => JSON.stringify(plan))).toEqual(texts);
  });
});
