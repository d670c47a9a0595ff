/**
 * Jobs on real data under faults: what their sinks show at the end is what a plain loop over the rows gives. The loops know nothing of engine,
 * jobs or judges.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DatasetStore } from '../../cli/datasets.ts';
import { compile } from '../../scenarios/index.ts';
import { stockTrades } from '../../scenarios/datasets/stock-trades.ts';
import { datasetNeeds, live } from '../../scenarios/live.ts';
import { findings, shippedScenario } from '../support/lives.ts';

const VEGA = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data');
/** As scenarios make their streams (scenarios/live.ts). */
const SEED = 'dataset';

interface Shown {
  readonly values: readonly unknown[];
  readonly faults: number;
}

/** Lives a seed of a scenario; everything that its sinks showed, in no order. */
async function shown(scenario: string, seed: string): Promise<Shown> {
  const plan = compile(shippedScenario(scenario), seed);
  const datasets = new DatasetStore();
  await datasets.prepare(datasetNeeds(plan));
  const record = live(plan, { loadDataset: datasets.load, keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  const faults = Object.values(record.faults).reduce((sum, count) => sum + count.effective, 0);
  const values = (record.history ?? []).flatMap(({ event }) =>
    event.kind === 'transaction-committed' ? event.values : [],
  );
  return { values, faults };
}

const sorted = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort();

describe('trade-monitoring', () => {
  const PRICES = 560;
  const TRADES = 930;
  const WITHIN_MS = 120 * 86_400_000;

  interface Row {
    readonly at: number;
    readonly cents: number;
    readonly trade: number;
    readonly sold: number;
  }

  /** Every price is a beginning; the first low one behind it, and the first two large sales behind that, in time or not. */
  function answers(): unknown[] {
    const bySymbol = new Map<string, Row[]>();
    const add = (symbol: string, row: Row): void => void bySymbol.set(symbol, [...(bySymbol.get(symbol) ?? []), row]);
    const [, ...lines] = readFileSync(join(VEGA, 'stocks.csv'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(PRICES);
    for (const line of lines) {
      const [symbol = '', date = '', price = ''] = line.trim().split(',');
      add(symbol, { at: Date.parse(`${date} UTC`), cents: Math.round(Number(price) * 100), trade: -1, sold: 0 });
    }
    const { values, timestampsUs } = stockTrades(SEED, TRADES);
    for (const [index, value] of values.entries()) {
      const { symbol, trade, side, size } = value as { symbol: string; trade: number; side: string; size: number };
      add(symbol, { at: (timestampsUs[index] ?? 0) / 1_000, cents: 0, trade, sold: side === 'sell' ? size : 0 });
    }
    const found: unknown[] = [];
    for (const [key, unordered] of bySymbol) {
      const rows = unordered.sort((a, b) => a.at - b.at);
      expect(new Set(rows.map(({ at }) => at)).size, 'no two events of one symbol at one time').toBe(rows.length);
      for (const [from, peak] of rows.entries()) {
        if (peak.cents === 0) continue;
        const later = rows.slice(from + 1).filter(({ at }) => at < peak.at + WITHIN_MS);
        const low = later.findIndex(({ cents }) => cents > 0 && cents * 100 <= peak.cents * 85);
        const fall = later[low];
        if (fall === undefined) continue;
        const sales = later.slice(low + 1).filter(({ sold }) => sold >= 10_000);
        const trades = sales.slice(0, 2).map(({ trade }) => trade);
        const kind = trades.length === 2 ? 'sell-off' : 'fall-without-sales';
        found.push({ key, kind, fromCents: peak.cents, toCents: fall.cents, trades });
      }
    }
    return found;
  }

  it('under crashes shows the falls and sales that a loop over prices and trades finds', async () => {
    const { values, faults } = await shown('trade-monitoring', '1');
    const expected = answers();
    expect(sorted(values)).toEqual(sorted(expected));
    expect(faults).toBeGreaterThan(0);
    for (const kind of ['sell-off', 'fall-without-sales'])
      expect(expected.filter((one) => (one as { kind: string }).kind === kind).length, kind).toBeGreaterThan(10);
  });
});
