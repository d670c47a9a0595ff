/** The strategy `novelty`: what a life shows, what is kept, and what becomes of a plan that is changed. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { compile, decodePlan, encodePlan, planHash } from '../../../../scenarios/index.ts';
import { Corpus } from '../../../../scenarios/strategies/corpus.ts';
import { type Coverage, coverageOf, LANES, likeness } from '../../../../scenarios/strategies/coverage.ts';
import { noveltySearch } from '../../../../scenarios/strategies/novelty.ts';
import { mutated } from '../../../../scenarios/strategies/plan-mutations.ts';
import { sightOf } from '../../../../scenarios/strategies/sight.ts';
import type { Observation, Proposal } from '../../../../scenarios/strategies/strategy.ts';
import type { Fault } from '../../../../sim/faults/fault.ts';
import { nodesOfFault, strangerOf } from '../../../../sim/faults/fault-nodes.ts';
import { Choices } from '../../../../sim/kernel/choice.ts';
import { allNodes } from '../../../../sim/node-names.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { findings, liveIt, planOf, shippedScenario } from '../../../support/lives.ts';

const scenario = shippedScenario('quickstart');
const coverageIn = (plan: SimulationPlan): Coverage => coverageOf(liveIt(plan, { keepHistory: true }).history);
const calm = { ...planOf('quickstart', '1'), faults: [] };

describe('coverage', () => {
  const of = coverageIn(planOf('quickstart', '1'));

  it('is a function of the life: the same for the same plan, and whole numbers of 32 bits', () => {
    expect(coverageIn(planOf('quickstart', '1'))).toEqual(of);
    for (const hash of [...of.cells, ...of.timeline]) expect(hash >>> 0).toBe(hash);
    expect(new Set(of.cells).size).toBe(of.cells.length);
    expect(of.timeline).toHaveLength(LANES);
    expect(JSON.parse(JSON.stringify(of))).toEqual(of);
  });

  it('each life is like itself; one with a crash is like the calm one up to there, and shows cells that this one has not', () => {
    const crash = {
      id: 'f1',
      kind: 'crash',
      node: nodeId('taskmanager-1'),
      restartAfterUs: 500_000,
      trigger: { atUs: 5_000_000 },
    };
    const one = coverageIn(calm);
    const crashed = coverageIn({ ...calm, faults: [crash as SimulationPlan['faults'][number]] });
    expect(likeness(one, one)).toBe(1);
    expect(likeness(one, crashed)).toBeGreaterThan(0.3);
    expect(likeness(one, crashed)).toBeLessThan(1);
    expect(crashed.cells.filter((cell) => !one.cells.includes(cell)).length).toBeGreaterThan(20);
  });
});

describe('corpus', () => {
  const coverage = (cells: readonly number[], lane: number): Coverage => ({
    cells,
    timeline: new Array<number>(LANES).fill(lane),
    points: [],
    historyLength: 10,
  });
  const parent = (cells: readonly number[], lane: number) => ({ plan: calm, coverage: coverage(cells, lane) });

  it('keeps what is new in cells or in order, and nothing else', () => {
    const corpus = new Corpus();
    expect(corpus.consider(parent([1, 2], 7))).toBe(true);
    expect(corpus.consider(parent([1, 2], 7))).toBe(false);
    expect(corpus.consider(parent([2, 3], 7))).toBe(true);
    expect(corpus.consider(parent([1, 2], 8))).toBe(true);
    expect([corpus.size, corpus.cells]).toEqual([3, 3]);
  });

  it('the newest life has children first, and each only so many', () => {
    const corpus = new Corpus();
    corpus.consider(parent([1], 7));
    corpus.consider(parent([1, 2, 3, 4], 9));
    const taken: number[] = [];
    for (let next = corpus.take(); next !== undefined; next = corpus.take()) taken.push(next.coverage.cells.length);
    expect(taken[0]).toBe(1);
    expect(taken).toContain(4);
    expect(taken.length).toBeLessThan(20);
  });
});

describe('mutations', () => {
  const parent = compile(scenario, '3');
  const coverage = coverageIn(parent);
  const others = compile(scenario, '4').faults;
  const children = Array.from({ length: 120 }, (_, index) =>
    mutated(parent, { choices: new Choices({ rootSeed: String(index) }), name: 'm', coverage, others }),
  );

  it('a child is a valid plan of the same job and cluster that differs, and the same child again', () => {
    for (const [index, child] of children.entries()) {
      const decoded = decodePlan(encodePlan(child), 'plan.json');
      expect(decoded.ok && decoded.plan).toEqual(child);
      const { faults: _, branches: __, ...rest } = child;
      const { faults: ___, ...same } = parent;
      expect(rest).toEqual(same);
      expect(new Set(child.faults.map(({ id }) => id)).size).toBe(child.faults.length);
      for (const { trigger } of child.faults)
        if ('atUs' in trigger) expect(trigger.atUs).toBeLessThan(parent.liveness.stormUs);
      const again = mutated(parent, { choices: new Choices({ rootSeed: String(index) }), name: 'm', coverage, others });
      expect(again).toEqual(child);
    }
    expect(new Set(children.map(planHash)).size).toBeGreaterThan(80);
  });

  it('strikes move to points, chance takes other courses, faults come and go', () => {
    expect(children.some(({ faults }) => faults.some(({ trigger }) => 'point' in trigger))).toBe(true);
    expect(children.some(({ branches }) => branches !== undefined)).toBe(true);
    expect(children.some(({ faults }) => faults.length > parent.faults.length)).toBe(true);
    expect(children.some(({ faults }) => faults.length < parent.faults.length)).toBe(true);
  });

  it('what people ask for stays', () => {
    const operated = planOf('savepoints-under-faults', '1');
    const asked = operated.faults.filter(({ kind }) => kind === 'operation');
    expect(asked.length).toBeGreaterThan(0);
    for (let seed = 0; seed < 60; seed += 1) {
      const child = mutated(operated, {
        choices: new Choices({ rootSeed: String(seed) }),
        name: 'm',
        coverage,
        others: operated.faults,
      });
      expect(child.faults.filter(({ kind }) => kind === 'operation')).toEqual(asked);
    }
  });

  describe('what is taken over from a plan of other options', () => {
    const plans = (name: string): SimulationPlan[] => {
      const drawing = shippedScenario(name);
      return Array.from({ length: 30 }, (_, index) => compile(drawing, String(index + 1)));
    };
    const ofBrokers = (wanted: number): SimulationPlan[] =>
      plans('kafka-fenced').filter(({ cluster: { brokers } }) => brokers === wanted);
    /** Faults that children have and their parent has not, with the parent. */
    const takenOver = (parents: readonly SimulationPlan[], from: readonly SimulationPlan[]) =>
      parents.slice(0, 8).flatMap((into, number) =>
        Array.from({ length: 20 }, (_, index) => {
          const { faults } = mutated(into, {
            choices: new Choices({ rootSeed: String(index) }),
            name: 'm',
            coverage,
            others: from[number % from.length]?.faults ?? [],
          });
          return faults.filter(({ id }) => !into.faults.some((fault) => fault.id === id));
        }).flatMap((faults) => faults.map((fault) => ({ fault, into }))),
      );

    it('names nodes that the cluster has: a broker that is missing is one that there is', () => {
      const taken = takenOver(ofBrokers(1), ofBrokers(3));
      for (const { fault, into } of taken) expect(strangerOf([fault], allNodes(into.cluster))).toBeUndefined();
      expect(taken.some(({ fault }) => nodesOfFault(fault).includes(nodeId('kafka-1')))).toBe(true);
    });

    it('leaves brokers out where there are none', () => {
      const outside = plans('swarm-outside');
      const taken = takenOver(
        outside.filter(({ sink }) => sink?.kind !== 'kafka'),
        outside.filter(({ sink }) => sink?.kind === 'kafka'),
      );
      expect(taken.length).toBeGreaterThan(0);
      for (const { fault, into } of taken) expect(strangerOf([fault], allNodes(into.cluster))).toBeUndefined();
    });

    it('is of the services that the plan has', () => {
      const flapping = plans('leader-flapping');
      const electedBy = (wanted: string): SimulationPlan[] =>
        flapping.filter(({ engine }) => engine.highAvailability.kind === wanted);
      const effects = (parents: readonly SimulationPlan[]): Set<string> =>
        new Set(
          takenOver(parents, electedBy('zookeeper')).map(({ fault }) => (fault.kind === 'service' ? fault.effect : '')),
        );
      expect(effects(electedBy('zookeeper'))).toContain('session-expiry');
      expect(effects(electedBy('kubernetes'))).not.toContain('session-expiry');
    });

    it('counts from no fault, since that would be another one here, and strikes within the storm', () => {
      const nemeses = plans('nemeses');
      const isLinked = ({ trigger }: Fault): boolean => 'point' in trigger && trigger.since !== undefined;
      const linked = nemeses.filter(({ faults }) => faults.some(isLinked));
      const short = nemeses.map((plan) => ({
        ...plan,
        faults: [],
        liveness: { ...plan.liveness, stormUs: 10_000_000 },
      }));
      const taken = takenOver(short, linked);
      expect(taken.some(({ fault: { trigger } }) => 'point' in trigger)).toBe(true);
      for (const { fault } of taken) {
        expect(isLinked(fault)).toBe(false);
        if ('atUs' in fault.trigger) expect(fault.trigger.atUs).toBeLessThan(10_000_000);
      }
    });
  });

  it('the standard engine passes children', () => {
    for (const child of children.slice(0, 12)) {
      const record = liveIt(child);
      expect(record.verdict, findings(record)).toBe('passed');
    }
  });
});

describe('a branch in a plan', () => {
  it('is the branch that an explanation takes: the same life up to the event, another one behind it', () => {
    const plan = planOf('quickstart', '2');
    const whole = liveIt(plan, { keepHistory: true });
    const half = Math.floor(whole.history.length / 2);
    const branch = { afterEvent: half, rootSeed: 'other' };
    const planned = liveIt({ ...plan, branches: [branch] }, { keepHistory: true });
    expect(planned.digest).toBe(liveIt(plan, { branch }).digest);
    expect(planned.digest).not.toBe(whole.digest);
    expect(planned.history.slice(0, half + 1)).toEqual(whole.history.slice(0, half + 1));
  });

  it('whoever branches off before it never meets it', () => {
    const plan = planOf('quickstart', '2');
    const early = { afterEvent: 100, rootSeed: 'early' };
    const late = { afterEvent: 400, rootSeed: 'late' };
    expect(liveIt({ ...plan, branches: [late] }, { branch: early }).digest).toBe(
      liveIt(plan, { branch: early }).digest,
    );
  });
});

describe('the search', () => {
  it('half of the lives are fresh, the others children of what was new; the same again', { timeout: 60_000 }, () => {
    const live = ({ plan, gaze }: Proposal): Observation => {
      const record = liveIt(plan, { keepHistory: true });
      return {
        signature: record.signature,
        events: record.events,
        ...(gaze === undefined ? {} : { sight: sightOf(gaze, record) }),
      };
    };
    const searchOnce = (): SimulationPlan[] => {
      const corpus = new Corpus();
      const search = noveltySearch({ scenario, seedAt: (index) => String(index + 1) }, corpus);
      const plans: SimulationPlan[] = [];
      let step = search.next();
      for (let batch = 0; batch < 4 && step.done !== true; batch += 1) {
        plans.push(...step.value.map(({ plan }) => plan));
        step = search.next(step.value.map(live));
      }
      expect(corpus.cells).toBeGreaterThan(100);
      return plans;
    };
    const plans = searchOnce();
    const fresh = plans.filter((plan, index) => planHash(plan) === planHash(compile(scenario, String(index + 1))));
    expect(plans).toHaveLength(32);
    expect(new Set(plans.map(planHash)).size).toBe(32);
    expect(fresh).toHaveLength(8 + 3 * 4);
    expect(searchOnce()).toEqual(plans);
  });
});
