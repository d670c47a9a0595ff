/** Single edits of shrinking, asked about made-up failures. */
import { describe, expect, it } from 'vitest';
import { certificateOf } from '../../../../scenarios/shrink/certificate.ts';
import { fewerFixed, fewerSites, fixedDraws } from '../../../../scenarios/shrink/chance-edits.ts';
import { weakerFaults } from '../../../../scenarios/shrink/fault-edits.ts';
import type { Search } from '../../../../scenarios/shrink/search.ts';
import { fewerRecords, fewerRows, SIZE_EDITS } from '../../../../scenarios/shrink/size-edits.ts';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { pointTriggers } from '../../../../scenarios/shrink/trigger-edits.ts';
import { liveIt, planOf } from '../../../support/lives.ts';

const plan = planOf('standard', '3');

/** Runs a pass until it finds nothing more; a plan fails if `holds`. */
function repeated(
  start: SimulationPlan,
  pass: (plan: SimulationPlan) => Search<SimulationPlan | undefined>,
  holds: (plan: SimulationPlan) => boolean,
): SimulationPlan {
  let current = start;
  for (let round = 0; round < 100; round += 1) {
    const search = pass(current);
    let step = search.next();
    while (step.done !== true) {
      const found = step.value.findIndex(holds);
      step = search.next(found < 0 ? undefined : found);
    }
    if (step.value === undefined) return current;
    current = step.value;
  }
  throw new Error('it does not end');
}

describe('rows', () => {
  const [topic] = plan.topics;
  if (topic === undefined) throw new Error('no topic');
  const hundred: SimulationPlan = { ...plan, topics: [{ ...topic, records: 100 }] };
  const has = (one: SimulationPlan, row: number): boolean =>
    one.topics[0]?.rows?.includes(row) ?? row < (one.topics[0]?.records ?? 0);

  it('the records that matter are left, wherever they are in the data set', () => {
    const small = repeated(hundred, fewerRows, (one) => has(one, 17) && has(one, 83));
    expect(small.topics).toEqual([{ ...topic, records: 2, rows: [17, 83] }]);
  });

  it('the first ones are said without rows, and cut like others', () => {
    const small = repeated(hundred, fewerRows, (one) => has(one, 0) && has(one, 1));
    expect(small.topics).toEqual([{ ...topic, records: 2 }]);
    const two: SimulationPlan = { ...plan, topics: [{ ...topic, records: 2, rows: [17, 83] }] };
    expect(repeated(two, fewerRecords, (one) => has(one, 17)).topics).toEqual([{ ...topic, records: 1, rows: [17] }]);
  });

  it('of each topic as few are left as must be, of the others none', () => {
    const topics = ['a', 'b', 'c'].map((name) => ({ ...topic, name, records: 100 }));
    const small = repeated({ ...plan, topics }, fewerRecords, (one) => (one.topics[1]?.records ?? 0) > 70);
    expect(small.topics.map(({ records }) => records)).toEqual([0, 71, 0]);
  });
});

describe('chance', () => {
  const draws = [3, 1, 4, 1, 5].map((option, index) => ({ site: `site-${index % 2}`, nth: index + 1, option }));
  const fixed = (one: SimulationPlan) => one.fixedChoices ?? [];

  it('sites that need not draw do not, and only asked ones are named', () => {
    const small = repeated(
      plan,
      (one) => fewerSites(one, ['a', 'b', 'c']),
      (one) => one.drawnSites?.includes('b') ?? true,
    );
    expect(small.drawnSites).toEqual(['b']);
  });

  it('what is left of draws is fixed one by one, as near to the boring option as it can be', () => {
    const drawing = { ...plan, drawnSites: ['site-0', 'site-1'] };
    const fails = (one: SimulationPlan): boolean => fixed(one).some(({ nth, option }) => nth === 3 && option >= 2);
    const search = fixedDraws(drawing, draws);
    let step = search.next();
    while (step.done !== true) {
      const found = step.value.findIndex(fails);
      step = search.next(found < 0 ? undefined : found);
    }
    const first = step.value;
    expect(first?.fixedChoices).toEqual([{ site: 'site-0', nth: 3, option: 4 }]);
    expect(first?.drawnSites).toEqual([]);
    if (first === undefined) return;
    expect(repeated(first, fewerFixed, fails).fixedChoices).toEqual([{ site: 'site-0', nth: 3, option: 2 }]);
    expect('fixedChoices' in repeated(first, fewerFixed, () => true)).toBe(false);
  });

  it('draws that do not give the same failure when they are fixed are left to their sites', () => {
    const search = fixedDraws({ ...plan, drawnSites: ['site-0'] }, draws);
    expect(search.next().done).toBe(false);
    expect(search.next(undefined)).toEqual({ done: true, value: undefined });
  });

  it('the certificate asks for each site and each fixed choice', () => {
    const [choice, other] = draws;
    if (choice === undefined || other === undefined) throw new Error('no draws');
    const questions = certificateOf({ ...plan, drawnSites: ['a'], fixedChoices: [choice, other] });
    const ofChance = questions.slice(-3);
    expect(ofChance.map(({ without }) => without)).toEqual([
      'chance of a',
      'choice 1 of site-0: 3',
      'choice 2 of site-1: 1',
    ]);
    expect(ofChance.map((one) => [one.plan.drawnSites, one.plan.fixedChoices])).toEqual([
      [[], [choice, other]],
      [['a'], [other]],
      [['a'], [choice]],
    ]);
  });
});

describe('points for times', () => {
  const node = nodeId('taskmanager-1');
  const crash = { id: 'f1', trigger: { atUs: 7_000_000 }, kind: 'crash', node, restartAfterUs: 500_000 } as const;
  const crashed = { ...planOf('quickstart', '1'), faults: [crash] };
  const { history } = liveIt(crashed, { keepHistory: true });
  const triggers = pointTriggers(crashed, crash, history).map(({ faults }) => faults[0]?.trigger);

  it('are near ones first, then farther ones of every kind, those of a recovery among them; each once', () => {
    const points = triggers.map((trigger) => (trigger !== undefined && 'point' in trigger ? trigger.point : ''));
    expect(new Set(triggers.map((trigger) => JSON.stringify(trigger))).size).toBe(triggers.length);
    expect(triggers.length).toBeLessThanOrEqual(34);
    for (const point of ['triggered', 'metadata-write.sent', 'completed', 'snapshot.taken'])
      expect(points.slice(10), point).toContain(point);
    // What follows from the fault itself is named, too; nobody knows that it does.
    expect(triggers).toContainEqual({ point: 'restarting', occurrence: 1 });
  });

  it('before the fault are points that the life reaches without it', () => {
    for (const trigger of triggers.slice(0, 8)) {
      if (trigger === undefined) continue;
      const [record] = liveIt({ ...crashed, faults: [{ ...crash, trigger }] }).faultRecords;
      expect(record?.startedAtUs, JSON.stringify(trigger)).toBeGreaterThanOrEqual(0);
    }
  });
});

describe('worlds and faults', () => {
  it('brokers are needed by a Kafka-like sink only; wrong clocks are those of nodes that there are', () => {
    const brokers = SIZE_EDITS.find(({ name }) => name === 'brokers');
    const kafka = planOf('kafka-sink', '1');
    expect(brokers?.candidates(kafka).map(({ cluster }) => cluster.brokers)).toEqual([1, 2]);
    const { sink: _, ...without } = kafka;
    expect(brokers?.candidates(without).map(({ cluster }) => cluster.brokers)).toContain(undefined);
    const last = nodeId(`taskmanager-${plan.cluster.taskManagers}`);
    const wrong: SimulationPlan = {
      ...plan,
      cluster: { ...plan.cluster, clocks: [{ node: last, offsetUs: 5, driftPpm: 0 }] },
    };
    const fewer = SIZE_EDITS.find(({ name }) => name === 'taskManagers')?.candidates(wrong) ?? [];
    expect(fewer.length).toBeGreaterThan(0);
    for (const { cluster } of fewer) expect('clocks' in cluster).toBe(false);
  });

  it('a cluster keeps the slots without which the job cannot begin (I2)', () => {
    const counts = (edit: string, of: SimulationPlan): readonly (number | undefined)[] =>
      (SIZE_EDITS.find(({ name }) => name === edit)?.candidates(of) ?? []).map(
        ({ cluster: { taskManagers, slots } }) => taskManagers * slots,
      );
    const wide = (parallelism: number, cluster: Partial<SimulationPlan['cluster']>): SimulationPlan => ({
      ...plan,
      job: { ...plan.job, parallelism },
      engine: { ...plan.engine, scheduler: { mode: 'default' } },
      cluster: { ...plan.cluster, ...cluster },
    });
    const four = wide(4, { taskManagers: 4, slots: 2 });
    expect(Math.min(...counts('taskManagers', four).map(Number))).toBe(4);
    expect(counts('slots', four)).toEqual([4]);
    expect(counts('slots', wide(5, { taskManagers: 4, slots: 2 }))).toEqual([]);
    // What has too few already may have fewer.
    expect(counts('slots', wide(9, { taskManagers: 4, slots: 2 }))).toEqual([4]);
    const { engine } = four;
    const least = { mode: 'adaptive', minParallelism: 1 } as const;
    const adaptive = { ...engine.scheduler, ...least } as SimulationPlan['engine']['scheduler'];
    expect(
      Math.min(...counts('taskManagers', { ...four, engine: { ...engine, scheduler: adaptive } }).map(Number)),
    ).toBe(2);
  });

  it('points at a machine that is gone wait for the last of its kind', () => {
    const last = nodeId(`taskmanager-${plan.cluster.taskManagers}`);
    const trigger = { point: 'state-write.sent', node: last, occurrence: 1 } as const;
    const crash = { id: 'f1', kind: 'crash', node: last, restartAfterUs: 1, trigger } as const;
    const fewer =
      SIZE_EDITS.find(({ name }) => name === 'taskManagers')?.candidates({ ...plan, faults: [crash] }) ?? [];
    expect(fewer.length).toBeGreaterThan(0);
    for (const { cluster, faults } of fewer) {
      const node = nodeId(`taskmanager-${cluster.taskManagers}`);
      expect(faults).toEqual([{ ...crash, node, trigger: { ...trigger, node } }]);
    }
  });

  it('chance of a fault becomes certain, its strength less, its point an earlier one', () => {
    const trigger = { point: 'completed', checkpoint: 3, occurrence: 6 } as const;
    const node = nodeId('object-store');
    const slow = { id: 'f1', trigger, kind: 'service', node, effect: 'slow', factor: 9, forUs: 5 } as const;
    const weaker = weakerFaults({ ...slow, chance: { numerator: 1, denominator: 3 } });
    const changed = weaker.map((one) => JSON.stringify({ ...one, kind: undefined, node: undefined, id: undefined }));
    expect(changed.some((text) => text.includes('"numerator":1,"denominator":1'))).toBe(true);
    expect(changed.some((text) => text.includes('"factor":2'))).toBe(true);
    expect(changed.some((text) => text.includes('"checkpoint":1'))).toBe(true);
    expect(changed.some((text) => text.includes('"occurrence":1'))).toBe(true);
  });
});
