import { describe, expect, it } from 'vitest';
import { type DatasetSpec, formatDatasetName, generatedDataset, parseDatasetName } from '../../../scenarios/index.ts';

describe('data set name', () => {
  const specs: readonly (readonly [string, DatasetSpec])[] = [
    ['flights-3m', { kind: 'shipped', name: 'flights-3m' }],
    ['nexmark:40', { kind: 'nexmark', eventsPerSecond: 40 }],
    ['access-log', { kind: 'stream', name: 'access-log' }],
    ['generated:1000x80', { kind: 'generated', keys: 1_000, skewPercent: 80 }],
    ['file:a/b.csv', { kind: 'file', path: 'a/b.csv', format: 'csv' }],
    [
      'file:a%3Fb%25.jsonl?key=user%20id&time=at',
      { kind: 'file', path: 'a?b%.jsonl', format: 'jsonl', key: 'user id', time: 'at' },
    ],
  ];
  it.each(specs)('%s: read and written', (name, spec) => {
    expect(parseDatasetName(name)).toEqual({ ok: true, spec });
    expect(formatDatasetName(spec)).toBe(name);
  });

  it.each([
    'flights-4m',
    'generated:0x10',
    'nexmark:0',
    'generated:10x101',
    'file:a.xml',
    'file:a.csv?kee=x',
    '',
    'toString',
  ])('%s: refused', (name) => {
    expect(parseDatasetName(name).ok).toBe(false);
  });
});

describe('generated data set', () => {
  const request = { name: 'g', seed: 's', records: 5_000, keys: 100, skewPercent: 80 };

  it('is the same each time, and another for another seed', () => {
    expect(generatedDataset(request)).toEqual(generatedDataset(request));
    expect(generatedDataset({ ...request, seed: 't' }).values).not.toEqual(generatedDataset(request).values);
  });

  it('puts its share on the hottest tenth of the keys', () => {
    const rows = generatedDataset(request).values as readonly { key: string; value: number }[];
    const hot = rows.filter((row) => Number(row.key.slice(4)) < 10).length;
    expect(hot / rows.length).toBeGreaterThan(0.77);
    expect(hot / rows.length).toBeLessThan(0.83);
    expect(new Set(rows.map((row) => row.key)).size).toBe(100);
  });

  it('is a prefix of a longer one', () => {
    expect(generatedDataset({ ...request, records: 6_000 }).values.slice(0, 5_000)).toEqual(
      generatedDataset(request).values,
    );
    expect(generatedDataset({ ...request, records: 3, keys: 1, skewPercent: 0 }).values).toHaveLength(3);
  });
});
