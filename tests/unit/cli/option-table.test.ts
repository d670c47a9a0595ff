import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cliReference } from '../../../cli/cli-reference.ts';
import { COMMANDS } from '../../../cli/command-table.ts';
import { EXIT, gravest } from '../../../cli/exit-codes.ts';
import { CLASHES, decodeDurationMs, decodeSeedRange, decodeShard, NEEDS, OPTIONS } from '../../../cli/option-table.ts';

describe('option decoders', () => {
  it('seeds: inclusive ranges and single seeds', () => {
    expect(decodeSeedRange('1..10')).toEqual({ from: 1, to: 10 });
    expect(decodeSeedRange('0..0')).toEqual({ from: 0, to: 0 });
    expect(decodeSeedRange('7')).toEqual({ from: 7, to: 7 });
  });

  it.each(['', 'a..b', '1..', '..3', '1...3', '-1..3', '1.5..3', '007..9', '1..99999999999999999999'])(
    'seeds: %j is refused',
    (text) => {
      expect(() => decodeSeedRange(text)).toThrow(/expected A\.\.B/);
    },
  );

  it('seeds: an empty range says so and how to turn it', () => {
    expect(() => decodeSeedRange('10..1')).toThrow(
      "--seeds '10..1': the range is empty; expected A..B with A not above B, for example 1..10.",
    );
  });

  it('for: needs a unit and more than nothing', () => {
    expect(decodeDurationMs('10m')).toBe(600_000);
    expect(decodeDurationMs('1.5s')).toBe(1_500);
    for (const text of ['10', '0s', 's', '10 m', '-1s', '1d'])
      expect(() => decodeDurationMs(text), text).toThrow(/expected a time/);
  });

  it('shard: from 1 to N', () => {
    expect(decodeShard('2/3')).toEqual({ index: 2, count: 3 });
    for (const text of ['0/3', '4/3', '1/0', '1', 'a/b', '1/2/3'])
      expect(() => decodeShard(text), text).toThrow(/expected I\/N/);
  });
});

describe('exit codes', () => {
  it('the gravest of several counts', () => {
    expect(gravest([])).toBe(EXIT.passed);
    expect(gravest([EXIT.inconclusive, EXIT.notLive, EXIT.violated])).toBe(EXIT.violated);
    expect(gravest([EXIT.violated, EXIT.notDeterministic])).toBe(EXIT.notDeterministic);
    expect(gravest([EXIT.notLive, EXIT.internal])).toBe(EXIT.internal);
  });
});

describe('the tables', () => {
  it('use every option, and clashes and needs can happen', () => {
    const used = new Set(COMMANDS.flatMap(({ options }) => options));
    expect([...used].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      Object.keys(OPTIONS).toSorted((a, b) => (a < b ? -1 : 1)),
    );
    for (const { these } of CLASHES)
      expect(COMMANDS.some(({ options }) => these.every((name) => options.includes(name)))).toBe(true);
    for (const { option, needs } of NEEDS)
      expect(
        COMMANDS.some(({ options }) => options.includes(option) && needs.every((name) => options.includes(name))),
      ).toBe(true);
  });

  it('docs/cli.md is current', () => {
    expect(readFileSync('docs/cli.md', 'utf8'), 'write cliReference() to docs/cli.md').toBe(cliReference());
  });
});
