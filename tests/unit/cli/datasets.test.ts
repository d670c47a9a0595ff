import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatasetStore } from '../../../cli/datasets.ts';
import { formatInstant, parseInstantUs } from '../../../cli/event-time.ts';
import type { Dataset } from '../../../sim/judges/job-audit.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-datasets-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load(name: string, records: number): Promise<Dataset> {
  const store = new DatasetStore();
  await store.prepare(new Map([[name, records]]));
  return store.load(name);
}
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return `file:${join(folder, name)}`;
};

describe('instants', () => {
  it('read the format of the flights, ISO and epoch milliseconds alike', () => {
    const expected = 978_332_100_000_000;
    expect(parseInstantUs('2001/01/01 06:55')).toBe(expected);
    expect(parseInstantUs('2001-01-01T06:55:00.000Z')).toBe(expected);
    expect(parseInstantUs(978_332_100_000)).toBe(expected);
    expect(parseInstantUs('2000-02-29')).toBe(951_782_400_000_000);
    for (const wrong of ['', '2001-02-29', '2001/13/01', '2001/01/01 25:00', 'yesterday', null, Number.NaN])
      expect(parseInstantUs(wrong), String(wrong)).toBeUndefined();
  });

  it('come back as they were, and agree with Date', () => {
    fc.assert(
      // Microseconds are whole numbers up to 2^53: the years 1684 to 2255.
      fc.property(fc.integer({ min: -9_007_199_254_739, max: 9_007_199_254_739 }), fc.nat(999), (ms, us) => {
        const atUs = ms * 1_000 + us;
        expect(parseInstantUs(formatInstant(atUs))).toBe(atUs);
        expect(parseInstantUs(new Date(ms).toISOString().replace(/Z$/, ''))).toBe(ms * 1_000);
      }),
    );
  });
});

describe('shipped data sets', () => {
  it('flights-20k: rows of plain JSON, event time from the date', async () => {
    const { values, timestampsUs } = await load('flights-20k', 20_000);
    expect(values).toHaveLength(20_000);
    expect(values[0]).toEqual({
      date: '2001/01/01 00:47',
      delay: expect.any(Number),
      distance: expect.any(Number),
      origin: expect.any(String),
      destination: expect.any(String),
    });
    expect(timestampsUs[0]).toBe(Date.UTC(2001, 0, 1, 0, 47) * 1_000);
  });

  it('flights-200k: hours become event time', async () => {
    const { values, timestampsUs } = await load('flights-200k', 100_000);
    const { time } = values[99_999] as { time: number };
    expect(timestampsUs[99_999]).toBe(Math.round(time * 3_600_000_000));
  });

  it('flights-3m: only as many rows as asked for, numbers instead of bigints, dates as in the other files', async () => {
    const { values, timestampsUs } = await load('flights-3m', 5);
    expect(values).toHaveLength(5);
    expect(values[0]).toEqual({
      date: '2001/01/01 00:01',
      delay: 33,
      distance: 2176,
      origin: 'LAS',
      destination: 'PHL',
    });
    expect(timestampsUs[0]).toBe(Date.UTC(2001, 0, 1, 0, 1) * 1_000);
    expect(JSON.parse(JSON.stringify(values))).toEqual(values);
  });

  it.each(['airports', 'stocks', 'movies', 'flights-20k', 'flights-3m'])(
    '%s: no rows of it, as a shrunk plan asks',
    async (name) => {
      expect((await load(name, 0)).values).toEqual([]);
    },
  );

  it('airports: codes that look like numbers stay text', async () => {
    const { values, timestampsUs } = await load('airports', 3_376);
    expect(values[0]).toMatchObject({ iata: '00M', name: 'Thigpen', latitude: 31.95376472 });
    expect(timestampsUs.slice(0, 3)).toEqual([0, 1_000, 2_000]);
    expect((values as { iata: unknown }[]).filter(({ iata }) => typeof iata !== 'string')).toEqual([]);
  });

  it('stocks: a file by symbol becomes a stream by time', async () => {
    const { values, timestampsUs } = await load('stocks', 560);
    expect(values.slice(0, 2)).toEqual([
      { symbol: 'MSFT', date: 'Jan 1 2000', price: 39.81 },
      { symbol: 'AMZN', date: 'Jan 1 2000', price: 64.56 },
    ]);
    expect(timestampsUs[0]).toBe(Date.UTC(2000, 0, 1) * 1_000);
    expect([...timestampsUs].sort((a, b) => a - b)).toEqual(timestampsUs);
    expect((await load('stocks', 3)).values).toEqual(values.slice(0, 3));
  });

  it('too few rows are refused with the number there is', async () => {
    await expect(load('airports', 4_000)).rejects.toThrow(/has 3376 rows, but the scenario asks for 4000/);
  });
});

describe('data files', () => {
  it('CSV: key and time fields are found, numbers are numbers', async () => {
    const name = file('a.csv', 'who,at,n,id\nann,2024-05-01 10:00,3,007\nbob,2024-05-01 10:01,-4.5,1E5\n');
    const { values, timestampsUs } = await load(`${name}?key=who&time=at`, 2);
    expect(values).toEqual([
      { who: 'ann', at: '2024-05-01 10:00', n: 3, id: '007' },
      { who: 'bob', at: '2024-05-01 10:01', n: -4.5, id: '1E5' },
    ]);
    expect((timestampsUs[1] ?? 0) - (timestampsUs[0] ?? 0)).toBe(60_000_000);
  });

  it('JSON lines: blank lines are skipped, lines are counted from 1', async () => {
    const name = file('a.jsonl', '{"k":1}\n\n{"k":2}\n');
    expect((await load(name, 2)).values).toEqual([{ k: 1 }, { k: 2 }]);
  });

  it.each([
    ['b.csv', 'a,b\n1,2\n3\n', '', /b\.csv:3: /],
    ['c.csv', 'a,b\n1,2\n,4\n', '?key=a', /c\.csv:3: the field 'a' is missing/],
    ['d.csv', 'a,at\n1,2024-05-01\n2,soon\n', '?time=at', /d\.csv:3: the time is neither/],
    ['e.jsonl', '{"a":1}\n{"a":\n', '', /e\.jsonl:2: not JSON/],
    ['f.jsonl', '{"a":1}\n[1]\n', '', /f\.jsonl:2: expected an object/],
    ['g.parquet', 'PAR?', '', /g\.parquet: not a readable Parquet file/],
  ])('%s: a bad row names file, line and reason', async (name, text, query, message) => {
    await expect(load(`${file(name, text)}${query}`, 2)).rejects.toThrow(message);
  });

  it('a file that is not there is named', async () => {
    await expect(load('file:nowhere.csv', 1)).rejects.toThrow(/nowhere\.csv: there is no such file/);
  });
});
