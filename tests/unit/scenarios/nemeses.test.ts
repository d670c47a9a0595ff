/** Named nemeses: what they become in a plan, and that the documents name everything that may go wrong. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile, parseScenario, type Scenario } from '../../../scenarios/index.ts';
import { FAULT_CATALOG } from '../../../scenarios/fault-catalog.ts';
import { longestNemesisUs, NEMESES } from '../../../scenarios/nemeses/nemesis.ts';
import { NEMESIS_NAMES, type NemesisName } from '../../../scenarios/nemeses/nemesis-name.ts';
import { FAULT_KINDS } from '../../../scenarios/schema/fault-schema.ts';
import { FAULT_POINTS } from '../../../sim/faults/checkpoint-point.ts';
import type { Fault, FaultKind } from '../../../sim/faults/fault.ts';
import { durationUs } from '../../../sim/faults/fault-state.ts';

const SEEDS = Array.from({ length: 60 }, (_, index) => `${index}`);

function scenarioWith(entry: string, more = ''): Scenario {
  const text = `name: n
job: { use: keyed-count, parallelism: 2 }
input: { dataset: flights, records: 100 }
cluster: { taskManagers: 3, slots: 2, jobManagers: 2 }
runtime: { lease: 4s, heartbeatTimeout: 6s }
duration: 60s
faults: [{ ${entry} }]
${more}`;
  const parsed = parseScenario({ text, file: 'n.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.scenario;
}

const strike = (name: NemesisName | 'any', seed: string, when = 'at: 10s'): readonly Fault[] =>
  compile(scenarioWith(`nemesis: ${name}, ${when}`), seed).faults;
const ofKind = <K extends FaultKind>(faults: readonly Fault[], kind: K): Extract<Fault, { kind: K }>[] =>
  faults.filter((fault): fault is Extract<Fault, { kind: K }> => fault.kind === kind);
const startOf = ({ trigger }: Fault): number => ('atUs' in trigger ? trigger.atUs : Number.NaN);
const endOf = (fault: Fault): number => startOf(fault) + ('forUs' in fault ? (fault.forUs ?? 0) : 0);

describe('a nemesis', () => {
  it('swizzle-clog: machines are clogged in one order and unclogged in another, all within its length', () => {
    let swapped = 0;
    for (const seed of SEEDS) {
      const holds = ofKind(strike('swizzle-clog', seed, 'at: 10s, for: 8s'), 'hold');
      expect(holds.length).toBeGreaterThan(0);
      for (const hold of holds) {
        expect(startOf(hold)).toBeGreaterThanOrEqual(10_000_000);
        expect(endOf(hold)).toBeLessThanOrEqual(18_000_000);
        expect(hold.a).toHaveLength(1);
        expect(hold.b).not.toContain(hold.a[0]);
      }
      const order = (by: (fault: Fault) => number): string =>
        [...holds]
          .sort((x, y) => by(x) - by(y) || (x.id < y.id ? -1 : 1))
          .map(({ id }) => id)
          .join();
      if (order(startOf) !== order(endOf)) swapped += 1;
    }
    expect(swapped).toBeGreaterThan(SEEDS.length / 3);
  });

  it('ring-of-majorities: each machine hears three of five, itself among them, and no two the same', () => {
    for (const seed of SEEDS) {
      const cuts = ofKind(strike('ring-of-majorities', seed), 'partition');
      expect(cuts).toHaveLength(5);
      expect(cuts.every(({ shape, oneWay }) => shape === 'ring' && oneWay)).toBe(true);
      const unheard = cuts.map(({ a }) => [...a].sort((x, y) => (x < y ? -1 : 1)).join());
      expect(new Set(unheard).size).toBe(5);
      expect(cuts.every(({ a, b }) => a.length === 2 && b.length === 1 && !a.includes(b[0] ?? a[0]!))).toBe(true);
    }
  });

  it('bridge: two halves and one machine that is in neither', () => {
    const [cut] = ofKind(strike('bridge', '1'), 'partition');
    expect(cut).toMatchObject({ shape: 'bridge', oneWay: false });
    expect([cut?.a.length, cut?.b.length]).toEqual([2, 2]);
    expect(new Set([...(cut?.a ?? []), ...(cut?.b ?? [])]).size).toBe(4);
  });

  it.each(['hold-and-release', 'append-after-abort'] as const)(
    '%s: the sender dies and is back while what it said is still held',
    (name) => {
      for (const seed of SEEDS) {
        const faults = strike(name, seed);
        const [hold] = ofKind(faults, 'hold');
        const [crash] = ofKind(faults, 'crash');
        if (hold === undefined || crash === undefined) throw new Error('a hold and a crash');
        expect(hold.a).toEqual([crash.node]);
        expect(startOf(crash)).toBeGreaterThanOrEqual(startOf(hold));
        expect(startOf(crash) + crash.restartAfterUs).toBeLessThan(endOf(hold));
      }
    },
  );

  it('append-after-abort: what a TaskManager says to the sink, or to every broker where there are any, and to nobody else', () => {
    const toKafka = scenarioWith('nemesis: append-after-abort, at: 10s', 'sink: { kind: kafka }\n');
    for (const [faults, sinks] of [
      [strike('append-after-abort', '1'), ['sink-store']],
      [compile(toKafka, '1').faults, ['kafka-1', 'kafka-2', 'kafka-3']],
    ] as const) {
      const [hold] = ofKind(faults, 'hold');
      expect(hold).toMatchObject({ b: sinks, oneWay: true });
      expect(hold?.a[0]).toMatch(/^taskmanager-/);
    }
  });

  it('coordinator-cut-from-storage: every JobManager, and nobody else', () => {
    const faults = strike('coordinator-cut-from-storage', '1', 'at: 10s, for: 4s');
    expect(faults).toEqual([
      {
        id: 'f1',
        kind: 'partition',
        shape: 'pair',
        trigger: { atUs: 10_000_000 },
        a: ['jobmanager-1', 'jobmanager-2'],
        b: ['object-store'],
        oneWay: false,
        forUs: 4_000_000,
      },
    ]);
  });

  it('coordinator-cut-from-election: one JobManager, now the one, now the other', () => {
    const cuts = SEEDS.flatMap((seed) => ofKind(strike('coordinator-cut-from-election', seed), 'partition'));
    expect(cuts).toHaveLength(SEEDS.length);
    expect(cuts.every(({ b, shape }) => b.join() === 'coordination-store' && shape === 'pair')).toBe(true);
    expect([...new Set(cuts.map(({ a }) => a.join()))].sort()).toEqual(['jobmanager-1', 'jobmanager-2']);
  });

  it('rolling-restart: each machine once, one after another', () => {
    const crashes = ofKind(strike('rolling-restart', '1'), 'crash');
    expect(new Set(crashes.map(({ node }) => node)).size).toBe(5);
    crashes.slice(1).forEach((crash, index) => {
      const before = crashes[index];
      expect(startOf(crash)).toBeGreaterThanOrEqual(before === undefined ? 0 : startOf(before) + before.restartAfterUs);
    });
  });

  it('rack-failure: several machines, within a moment, back at the same time', () => {
    for (const seed of SEEDS) {
      const crashes = ofKind(strike('rack-failure', seed), 'crash');
      expect(crashes.length).toBeGreaterThanOrEqual(2);
      expect(new Set(crashes.map((crash) => startOf(crash) + crash.restartAfterUs)).size).toBe(1);
    }
  });

  it('crash-in-flight-write: who writes dies behind its own write', () => {
    const crashes = ofKind(strike('crash-in-flight-write', '1'), 'crash');
    for (const { node, trigger } of crashes) {
      if (!('point' in trigger)) throw new Error('a point');
      expect(trigger).toMatchObject({ node, fromUs: 10_000_000 });
      expect(trigger.point).toMatch(/-write\.sent$/);
    }
  });

  it('crash-in-flight-write: within the time that such a write takes, milliseconds of a pointer, tens of them of a file', () => {
    const delays = new Map<string, number[]>();
    for (const seed of SEEDS)
      for (const { trigger } of strike('crash-in-flight-write', seed))
        if ('point' in trigger) delays.set(trigger.point, [...(delays.get(trigger.point) ?? []), trigger.afterUs ?? 0]);
    const median = (point: string): number => {
      const sorted = (delays.get(point) ?? []).sort((x, y) => x - y);
      return sorted[Math.floor(sorted.length / 2)] ?? 0;
    };
    // Of cloud-small: a pointer takes 4 ms, a file 60 ms, each to half of it.
    expect(median('pointer-write.sent')).toBeLessThan(4_000);
    for (const point of ['state-write.sent', 'metadata-write.sent']) {
      expect(median(point)).toBeGreaterThan(10_000);
      expect(median(point)).toBeLessThan(60_000);
    }
  });

  it('kill-during-recovery: each crash but the first waits for a point behind the one before it', () => {
    const [first, ...again] = strike('kill-during-recovery', '3');
    expect(first?.trigger).toEqual({ atUs: 10_000_000 });
    expect(again.length).toBeGreaterThan(0);
    expect(again.map(({ trigger }) => ('since' in trigger ? trigger.since : ''))).toEqual(
      again.map((_, index) => `f${index + 1}`),
    );
  });

  it('pause-past-lease: longer than the lease of a leader, than the heartbeats of a TaskManager', () => {
    for (const seed of SEEDS) {
      const [pause] = ofKind(strike('pause-past-lease', seed), 'pause');
      expect(pause?.forUs).toBeGreaterThan(pause?.node.startsWith('jobmanager') ? 4_000_000 : 6_000_000);
    }
  });

  it('any: each of them by some seed, none of the published; behind a point all parts follow it', () => {
    const labels = new Set(SEEDS.flatMap((seed) => strike('any', seed).map(({ kind }) => kind)));
    expect([...labels].sort()).toEqual(['crash', 'hold', 'partition', 'pause']);
    const behind = strike('rolling-restart', '1', 'at: { point: completed, checkpoint: 2 }');
    expect(behind[0]?.trigger).toEqual({ point: 'completed', checkpoint: 2, occurrence: 1 });
    expect(behind[1]?.trigger).toMatchObject({ point: 'completed', checkpoint: 2, occurrence: 1 });
    expect(behind.map(({ trigger }) => ('point' in trigger ? (trigger.afterUs ?? 0) : -1)).every((us) => us >= 0)).toBe(
      true,
    );
  });

  it('a part that would come behind the storm is left out', () => {
    for (const seed of SEEDS)
      for (const fault of strike('rolling-restart', seed, 'at: 57s..59s'))
        expect(startOf(fault)).toBeLessThan(60_000_000);
  });
});

describe('published campaigns', () => {
  const many = Array.from({ length: 1_500 }, (_, index) => `seed-${index}`);

  it('published-partition: 69, 29 and 2 of a hundred, and lengths about a median of 162 s in a sixtieth', () => {
    const scenario = scenarioWith('nemesis: published-partition, at: 10s');
    const cuts = many.flatMap((seed) => ofKind(compile(scenario, seed).faults, 'partition'));
    const share = (isMeant: (cut: (typeof cuts)[number]) => boolean): number =>
      Math.round((100 * cuts.filter(isMeant).length) / cuts.length);
    expect(share(({ shape }) => shape === 'isolate-one' || shape === 'halves')).toBeGreaterThanOrEqual(66);
    expect(share(({ shape }) => shape === 'isolate-one' || shape === 'halves')).toBeLessThanOrEqual(72);
    expect(share(({ shape }) => shape === 'pair')).toBeGreaterThanOrEqual(26);
    expect(share(({ shape }) => shape === 'one-way')).toBeGreaterThanOrEqual(1);
    expect(share(({ shape }) => shape === 'one-way')).toBeLessThanOrEqual(4);
    expect(share(({ a }) => a.length === 1)).toBeGreaterThanOrEqual(85);
    const lengths = cuts.map(({ forUs }) => forUs).sort((x, y) => x - y);
    const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
    expect(median).toBeGreaterThan(2_400_000);
    expect(median).toBeLessThan(3_000_000);
  });

  it('published-failure: a third and more come in bursts', () => {
    const scenario = scenarioWith('nemesis: published-failure, at: 10s');
    const bursts = many.filter((seed) => compile(scenario, seed).faults.length > 1).length / many.length;
    expect(bursts).toBeGreaterThan(0.33);
    expect(bursts).toBeLessThan(0.41);
  });

  it('published-stall: half are pauses of a median of 12 s in a sixtieth, the rest machines and links 2 to 50 times slower', () => {
    const scenario = scenarioWith('nemesis: published-stall, at: 10s');
    const faults = many.flatMap((seed) => compile(scenario, seed).faults);
    expect(faults).toHaveLength(many.length);
    const share = (kind: FaultKind): number => ofKind(faults, kind).length / many.length;
    expect(share('pause')).toBeGreaterThan(0.46);
    expect(share('pause')).toBeLessThan(0.54);
    for (const kind of ['slow-cpu', 'slow-link'] as const) {
      expect(share(kind)).toBeGreaterThan(0.22);
      expect(share(kind)).toBeLessThan(0.28);
    }
    const median = (us: number[]): number => us.sort((x, y) => x - y)[Math.floor(us.length / 2)] ?? 0;
    const pauses = median(ofKind(faults, 'pause').map(({ forUs }) => forUs));
    expect(pauses).toBeGreaterThan(170_000);
    expect(pauses).toBeLessThan(230_000);
    const slow = [...ofKind(faults, 'slow-cpu'), ...ofKind(faults, 'slow-link')];
    const factors = slow.map(({ factor }) => factor);
    expect([Math.min(...factors), Math.max(...factors)]).toEqual([2, 50]);
    for (const link of ofKind(faults, 'slow-link')) expect(link.b).not.toContain(link.a[0]);
  });

  it('times pass as fast as the scenario says', () => {
    const lengthOf = (scale: string): number => {
      const scenario = scenarioWith(`nemesis: published-partition, at: 10s, timeScale: ${scale}`);
      return ofKind(compile(scenario, 'x').faults, 'partition')[0]?.forUs ?? 0;
    };
    // Another rule has other streams, so compare what one rule draws with its own bound.
    expect(lengthOf('1/1000')).toBeLessThan(10_000_000);
    expect(lengthOf('1/1')).toBeGreaterThan(1_000_000);
  });
});

describe('the longest that a nemesis keeps a machine from others', () => {
  it.each([...NEMESIS_NAMES, 'any'] as const)('%s: no part is longer than said', (name) => {
    for (const when of ['at: 1s', 'at: 1s, for: 12s', 'at: 1s, timeScale: 1/7']) {
      const scenario = scenarioWith(`nemesis: ${name}, ${when}`);
      const [rule] = scenario.faults;
      if (rule?.action.kind !== 'nemesis') throw new Error('a nemesis');
      const boundUs = longestNemesisUs(rule.action, scenario.engine.runtime);
      const seeds = name.startsWith('published-') ? 400 : 30;
      for (let seed = 0; seed < seeds; seed += 1)
        for (const fault of compile(scenario, `${seed}`).faults) expect(durationUs(fault)).toBeLessThanOrEqual(boundUs);
    }
  });

  it('a published one is as long as its table, at its pace', () => {
    const longestUs = (timeScale: { readonly numerator: number; readonly denominator: number }): number =>
      longestNemesisUs(
        { name: 'published-partition', timeScale },
        scenarioWith('nemesis: bridge, at: 1s').engine.runtime,
      );
    // 162 s are the median; the longest of the table are some thirty times that.
    const shortUs = longestUs({ numerator: 1, denominator: 60 });
    expect(shortUs).toBeGreaterThan(50_000_000);
    expect(longestUs({ numerator: 1, denominator: 1 })).toBeGreaterThan(50 * shortUs);
  });
});

describe('documents', () => {
  const text = readFileSync(new URL('../../../docs/faults.md', import.meta.url), 'utf8');

  it('docs/faults.md names every kind, every nemesis and every effect of a service', () => {
    const source = readFileSync(new URL('../../../scenarios/schema/plan-schema.ts', import.meta.url), 'utf8');
    const effects = [...(/SERVICE_EFFECTS = \[([^\]]*)\]/.exec(source)?.[1] ?? '').matchAll(/'([\w-]+)'/g)].map(
      ([, name = '']) => name,
    );
    expect(effects.length).toBeGreaterThan(10);
    const named = [...FAULT_KINDS, ...NEMESIS_NAMES, ...effects];
    expect(named.filter((name) => !text.includes(name))).toEqual([]);
  });

  it('list tells of every kind and every nemesis, in the order of the schema', () => {
    expect(FAULT_CATALOG.map(({ name }) => name)).toEqual([...FAULT_KINDS]);
    expect(NEMESES.map(({ name }) => name)).toEqual([...NEMESIS_NAMES]);
    expect(new Set(FAULT_POINTS).size).toBe(FAULT_POINTS.length);
  });
});
