/** The strategy `swarm`: features are drawn independently of each other, and what is drawn can be lived. */
import { describe, expect, it } from 'vitest';
import { compile, decodePlan, encodePlan } from '../../../../scenarios/index.ts';
import { allSwarmFeatures, swarmFeatures, swarmPlan } from '../../../../scenarios/strategies/swarm-features.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { findings, liveIt, shippedScenario } from '../../../support/lives.ts';

const SEEDS = Array.from({ length: 1_000 }, (_, index) => String(index + 1));
const standard = shippedScenario('standard');
const features = allSwarmFeatures(standard);
const drawn = SEEDS.map((seed) => swarmFeatures(standard, seed));
const countOf = (isIn: (on: ReadonlySet<string>) => boolean): number => drawn.filter(isIn).length;

/** Of a fair coin, 1 in 10,000 is further away; the seeds are fixed, so it is so or not. */
const DEVIATION_MAX = 4 * Math.sqrt(SEEDS.length / 4);
/** Chi-square of one degree of freedom, 1 in 50,000: there are some 800 pairs. */
const CHI_SQUARE_MAX = 18.2;

describe('swarm features', () => {
  it('are those of options, workload, machines, and one per fault rule', () => {
    expect(features.filter((name) => name.startsWith('faults/'))).toHaveLength(standard.faults.length);
    for (const kind of ['checkpointing/', 'runtime/', 'input/', 'cluster/'])
      expect(
        features.some((name) => name.startsWith(kind)),
        kind,
      ).toBe(true);
    expect(new Set(features).size).toBe(features.length);
  });

  it.each(features)('%s: on in half of the seeds (I1)', (feature) => {
    const on = countOf((one) => one.has(feature));
    expect(Math.abs(on - SEEDS.length / 2)).toBeLessThan(DEVIATION_MAX);
  });

  it('are independent in pairs: no two of them are on together more or less often than chance has it (I1)', () => {
    let pairs = 0;
    for (const [index, a] of features.entries()) {
      for (const b of features.slice(index + 1)) {
        pairs += 1;
        const [onA, onB] = [countOf((on) => on.has(a)), countOf((on) => on.has(b))];
        const both = countOf((on) => on.has(a) && on.has(b));
        let chiSquare = 0;
        for (const [isA, isB, seen] of [
          [true, true, both],
          [true, false, onA - both],
          [false, true, onB - both],
          [false, false, SEEDS.length - onA - onB + both],
        ] as const) {
          const expected = ((isA ? onA : SEEDS.length - onA) * (isB ? onB : SEEDS.length - onB)) / SEEDS.length;
          chiSquare += (seen - expected) ** 2 / expected;
        }
        expect(chiSquare, `${a} and ${b}`).toBeLessThan(CHI_SQUARE_MAX);
      }
    }
    expect(pairs).toBe((features.length * (features.length - 1)) / 2);
  });

  it('shift no draw of the scenario: a rule that is left strikes whom it would have struck', () => {
    const scenario = shippedScenario('quickstart');
    const strikes = (plan: ReturnType<typeof compile>) =>
      plan.faults.map(({ id, trigger, ...rest }) => JSON.stringify(rest));
    const seeds = SEEDS.slice(0, 40).filter((seed) => {
      const left = strikes(swarmPlan(scenario, seed));
      const all = strikes(compile(scenario, seed));
      return left.length > 0 && all.length > 0 && left.some((one) => all.includes(one));
    });
    expect(seeds.length).toBeGreaterThan(5);
  });

  it('every plan survives a file, and says the same again', () => {
    for (const seed of SEEDS.slice(0, 50)) {
      const plan = swarmPlan(standard, seed);
      const decoded = decodePlan(encodePlan(plan), 'plan.json');
      expect(decoded.ok && decoded.plan, seed).toEqual(plan);
      expect(swarmPlan(standard, seed)).toEqual(plan);
    }
  });

  it('leave alone what they do not go with (I2)', () => {
    const plans = (name: string): readonly (readonly [ReadonlySet<string>, SimulationPlan, SimulationPlan])[] => {
      const scenario = shippedScenario(name);
      return SEEDS.slice(0, 30).map((seed) => [
        swarmFeatures(scenario, seed),
        swarmPlan(scenario, seed),
        compile(scenario, seed),
      ]);
    };
    const written = (name: string): SimulationPlan => compile(shippedScenario(name), '1');
    // No checkpoint before the savepoint that the next run begins from.
    const restored = plans('restore-savepoint').filter(([on]) => on.has('checkpointing/often'));
    expect(restored.length).toBeGreaterThan(5);
    const { intervalUs } = written('restore-savepoint').engine.checkpoint;
    for (const [, plan] of restored) expect(plan.engine.checkpoint.intervalUs).toBe(intervalUs);
    // The splits of files are those of the files, which have to be there; what grows has to grow.
    for (const name of ['file-source', 'hybrid-source'])
      for (const [, plan, said] of plans(name))
        for (const [index, topic] of plan.topics.entries())
          if (topic.files !== undefined) expect(topic).toEqual(said.topics[index]);
    for (const [, plan] of plans('new-partitions'))
      for (const { partitions, grows } of plan.topics)
        expect(grows?.partitions ?? Number.POSITIVE_INFINITY).toBeGreaterThan(partitions);
    // No machine too many where its loss could be the end.
    for (const name of ['calm', 'declined-by-all'])
      for (const [, plan] of plans(name)) expect(plan.cluster.taskManagers).toBe(written(name).cluster.taskManagers);
    expect(plans('standard').some(([on]) => on.has('cluster/spare-taskmanager'))).toBe(true);
    // Nobody gives up before an answer can be there.
    for (const name of ['snapshots-side-by-side', 'standard']) {
      const { requestTimeoutUs } = written(name).engine.runtime;
      const impatient = plans(name).filter(([on]) => on.has('runtime/impatient'));
      const waits = new Set(impatient.map(([, plan]) => plan.engine.runtime.requestTimeoutUs));
      expect([...waits]).toEqual([Math.max(100_000, Math.ceil(requestTimeoutUs / 3))]);
    }
  });

  it.each(['standard', 'bounded-input', 'kafka-sink', 'event-time-windows', 'rescale-storm'])(
    '%s: the engine passes what is drawn',
    (name) => {
      const scenario = shippedScenario(name);
      for (const seed of ['1', '2', '3', '4', '5', '6']) {
        const record = liveIt(swarmPlan(scenario, seed));
        expect(record.verdict, findings(record)).toBe('passed');
      }
    },
  );
});
