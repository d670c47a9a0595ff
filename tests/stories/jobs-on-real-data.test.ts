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
import { accessLog } from '../../scenarios/datasets/access-log.ts';
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

describe('log-analytics', () => {
  const LINES = 1_600;
  const GAP = 120_000;
  const SIZE = 300_000;
  const SLIDE = 60_000;

  interface Request {
    readonly host: string;
    readonly section: string;
    readonly failed: boolean;
    readonly bytes: number;
    readonly at: number;
  }

  /** Word by word, without the job's expression. */
  function read(line: string): Request | undefined {
    const words = line.split(' ');
    const [host = '', , , day = '', zone, , path = '', protocol, status = '', bytes = ''] = words;
    const isWhole = words.length === 10 && zone === '+0000]' && protocol === 'HTTP/1.1"' && /^(?:-|\d+)$/.test(bytes);
    if (!isWhole) return undefined;
    const at = Date.parse(`${day.slice(1, 12).replaceAll('/', ' ')} ${day.slice(13)} UTC`);
    const section = path.split('/')[1] ?? '';
    return { host, section, failed: status.startsWith('5'), bytes: Number(bytes === '-' ? 0 : bytes), at };
  }

  function answers(): unknown[] {
    const requests: Request[] = [];
    const found: unknown[] = [];
    for (const { line } of accessLog(SEED, LINES).values as { line: string }[]) {
      const request = read(line);
      if (request === undefined) found.push({ kind: 'unreadable', line });
      else requests.push(request);
    }
    requests.sort((a, b) => a.at - b.at);
    const bytesOf = (of: readonly Request[]): number => of.reduce((sum, { bytes }) => sum + bytes, 0);
    const failedOf = (of: readonly Request[]): number => of.filter(({ failed }) => failed).length;
    for (const key of new Set(requests.map(({ host }) => host))) {
      let visit: Request[] = [];
      const end = (): void => {
        const [first] = visit;
        const last = visit.at(-1);
        if (first === undefined || last === undefined) return;
        const traffic = { requests: visit.length, failed: failedOf(visit), bytes: bytesOf(visit) };
        found.push({ kind: 'visit', key, start: first.at, end: last.at + GAP, ...traffic });
        visit = [];
      };
      for (const request of requests.filter(({ host }) => host === key)) {
        if (request.at - (visit.at(-1)?.at ?? request.at) >= GAP) end();
        visit.push(request);
      }
      end();
    }
    const newest = requests.at(-1)?.at ?? 0;
    for (const key of new Set(requests.map(({ section }) => section))) {
      for (let until = Math.floor((requests[0]?.at ?? 0) / SLIDE) * SLIDE; until <= newest + SIZE; until += SLIDE) {
        const seen = requests.filter(({ section, at }) => section === key && at >= until - SIZE && at < until);
        const perMille = Math.floor((failedOf(seen) * 1_000) / seen.length);
        if (seen.length > 0) found.push({ kind: 'error-rate', key, end: until, requests: seen.length, perMille });
      }
    }
    return found;
  }

  it('under crashes shows the visits and error rates that a loop over the lines finds', async () => {
    const { values, faults } = await shown('log-analytics', '1');
    const expected = answers() as { kind: string; perMille?: number }[];
    expect(sorted(values)).toEqual(sorted(expected));
    expect(faults).toBeGreaterThan(0);
    for (const [kind, few] of [
      ['visit', 100],
      ['error-rate', 100],
      ['unreadable', 5],
    ] as const)
      expect(expected.filter((one) => one.kind === kind).length, kind).toBeGreaterThan(few);
    expect(
      expected.some(({ perMille = 0 }) => perMille > 150),
      'a rush with errors',
    ).toBe(true);
  });
});

describe('batch-cleaning', () => {
  interface Film {
    readonly title: string;
    readonly year: number;
    readonly gross: number | null;
    readonly votes: number;
  }

  function answers(): { readonly films: readonly Film[]; readonly rejected: readonly unknown[] } {
    const rows = JSON.parse(readFileSync(join(VEGA, 'movies.json'), 'utf8')) as Record<string, unknown>[];
    expect(rows).toHaveLength(3_201);
    const films = new Map<string, Film>();
    const rejected: unknown[] = [];
    for (const row of rows) {
      const { Title: title, 'IMDB Votes': votes, 'Worldwide Gross': gross } = row;
      const year = new Date(`${String(row['Release Date'])} UTC`).getUTCFullYear();
      if (title === null || votes === null) {
        rejected.push({ flaw: title === null ? 'no title' : 'no votes', title });
        continue;
      }
      const film: Film = {
        title: String(title).trim(),
        year: year > 2012 ? year - 100 : year,
        gross: gross === null || gross === 0 ? null : Number(gross),
        votes: Number(votes),
      };
      const name = [...film.title.toLowerCase()].filter((letter) => /[a-z0-9]/.test(letter)).join('');
      const other = films.get(name);
      const isLess =
        other !== undefined &&
        (other.votes > film.votes || (other.votes === film.votes && JSON.stringify(other) >= JSON.stringify(film)));
      if (!isLess) films.set(name, film);
    }
    return { films: [...films.values()], rejected };
  }

  it('under crashes ends, and shows the films that a loop over the table keeps', async () => {
    const { values, faults } = await shown('batch-cleaning', '1');
    const { films, rejected } = answers();
    expect(sorted(values)).toEqual(sorted([...films, ...rejected]));
    expect(faults).toBeGreaterThan(0);
    expect(rejected.length).toBeGreaterThan(200);
    expect(films.length + rejected.length, 'some films were there twice').toBeLessThan(3_201 - 10);
    expect(films.some(({ year }) => year < 1930)).toBe(true);
  });
});
