import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BENCH_SUITES, type BenchContext, median, medianAbsoluteDeviation } from '../../../bench/index.ts';
import { benchFiles } from '../../../reports/index.ts';
import { parseScenario } from '../../../scenarios/index.ts';
import type { SimulationPlan } from '../../../sim/plan.ts';
import { runRecord } from '../reports/life-fixture.ts';

function context(over: Partial<BenchContext> = {}): BenchContext {
  const file = 'scenarios/catalog/standard.yaml';
  const parsed = parseScenario({ text: readFileSync(file, 'utf8'), file });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { standard: parsed.scenario, pairs: 3, quick: true, onProgress: () => {}, live: () => runRecord(), ...over };
}

const suite = (name: string): (typeof BENCH_SUITES)[number] => {
  const found = BENCH_SUITES.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};

describe('statistics', () => {
  it('median and MAD are not moved by one outlier', () => {
    expect(median([3, 1, 2, 1_000])).toBe(2.5);
    expect(median([])).toBe(0);
    expect(medianAbsoluteDeviation([1, 2, 3, 4, 1_000])).toBe(1);
  });
});

describe('suite overhead', () => {
  const maxUs = (plan: SimulationPlan): number =>
    1_000_000 + (plan.engine.checkpoint.intervalUs === 0 ? 0 : 100_000_000_000 / plan.engine.checkpoint.intervalUs);
  const live = (plan: SimulationPlan): ReturnType<BenchContext['live']> =>
    runRecord({ latency: { count: plan.topics[0]?.records ?? 0, p50Us: 1_000, p99Us: 2_000, maxUs: maxUs(plan) } });

  it('lives the same seeds in every cell, without faults, and compares with no checkpoints', async () => {
    const plans: SimulationPlan[] = [];
    const result = await suite('overhead').run(
      context({
        live: (plan) => {
          plans.push(plan);
          return live(plan);
        },
      }),
    );
    expect(new Set(plans.map(({ seed }) => seed))).toEqual(new Set(['1', '2', '3']));
    expect(plans.every(({ faults }) => faults.length === 0)).toBe(true);
    expect(plans.filter(({ engine }) => engine.checkpoint.intervalUs === 0)).toHaveLength(2 * 3);
    const [summary] = result.tables;
    const column = summary?.columns.findIndex(({ name }) => name === 'overhead_percent') ?? -1;
    const row = summary?.rows.find(([mode, interval]) => mode === 'at-least-once' && interval === 100);
    expect(row?.[column]).toBe(50);
  });

  it('refuses to measure a life that did not bring out its input', async () => {
    await expect(suite('overhead').run(context({ live: () => runRecord() }))).rejects.toThrow(
      /only 100 of 40000 records/,
    );
  });

  it('becomes tidy CSV, Markdown and plots, and no table mixes virtual with wall-clock figures', async () => {
    const result = await suite('overhead').run(context({ live }));
    expect(result.tables.every(({ kind }) => kind === 'virtual')).toBe(true);
    const files = benchFiles(result);
    expect(files.map(({ name }) => name)).toEqual([
      'overhead.csv',
      'overhead-lives.csv',
      'overhead-1000-keys.svg',
      'latency-1000-keys.svg',
      'overhead.md',
    ]);
    for (const { text } of files) expect(text).not.toMatch(/NaN|Infinity|undefined/);
    expect(files[1]?.text.split('\n')[0]).toBe(
      'mode,interval_ms,state_keys,seed,throughput_records_per_s,overhead_percent,latency_p50_ms,latency_p99_ms,checkpoints_completed,checkpoint_duration_ms,alignment_ms,sync_ms,async_ms,state_bytes',
    );
  });
});

describe('suite kernel', () => {
  it('measures every task, names the machine and has no virtual figures', async () => {
    const result = await suite('kernel').run(context());
    expect(result.tables.map(({ kind }) => kind)).toEqual(['wall-clock']);
    expect(result.tables[0]?.rows).toHaveLength(8);
    for (const row of result.tables[0]?.rows ?? []) expect(Number(row[2]), String(row[0])).toBeGreaterThan(0);
    expect(result.notes[0]).toMatch(/^Machine: .+ cores/);
  });
});
