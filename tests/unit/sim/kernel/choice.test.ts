/** Unit tests of choices and sites; laws over many names and seeds are in tests/properties/kernel.test.ts. */
import seedrandom from 'seedrandom';
import { describe, expect, it } from 'vitest';
import { Choices } from '../../../../sim/kernel/choice.ts';
import { MAX_OPTIONS } from '../../../../sim/kernel/tape.ts';

describe('choice site', () => {
  it('the same name: is the same site', () => {
    const choices = new Choices({ rootSeed: 's' });
    expect(choices.site('a')).toBe(choices.site('a'));
    expect(choices.site('a')).not.toBe(choices.site('b'));
  });

  it('a draw: comes from tychei seeded with root seed and name', () => {
    const stream = seedrandom.tychei('root/net/a->b');
    const site = new Choices({ rootSeed: 'root' }).site('net/a->b');
    for (let index = 0; index < 100; index += 1) expect(site.choose(MAX_OPTIONS)).toBe(stream.int32() >>> 0);
  });

  it('pinned values: old seeds mean today what they meant', () => {
    const site = new Choices({ rootSeed: '1' }).site('pinned');
    const values = Array.from({ length: 12 }, () => site.choose(1_000));
    expect(values).toEqual([376, 612, 678, 777, 980, 226, 709, 990, 535, 770, 575, 766]);
  });

  it('fixed choices: are taken at their turn while they fit, all others of the site are boring', () => {
    const fixedChoices = [
      { site: 'a', nth: 2, option: 3 },
      { site: 'a', nth: 3, option: 5 },
      { site: 'a', nth: 4, option: 1 },
    ];
    const choices = new Choices({ rootSeed: 's', drawnSites: [], fixedChoices });
    const site = choices.site('a');
    expect([site.choose(4), site.choose(1), site.choose(4), site.choose(4)]).toEqual([0, 0, 3, 0]);
    expect(site.chance(1, 100)).toBe(true);
    expect(site.chance(1, 100)).toBe(false);
    expect(choices.askedSites()).toEqual(['a']);
    expect(choices.site('b').choose(10)).toBe(0);
    choices.drawAnew('t');
    expect(site.choose(MAX_OPTIONS)).toBe(new Choices({ rootSeed: 't' }).site('a').choose(MAX_OPTIONS));
  });

  it('what was drawn, fixed: is drawn again without a stream', () => {
    const ask = (choices: Choices): number[] =>
      Array.from({ length: 60 }, (_, index) => choices.site(`s${index % 3}`).choose(1 + (index % 5)));
    const drawn = new Choices({ rootSeed: 's', mode: 'record' });
    const values = ask(drawn);
    const fixedChoices = drawn.takenChoices();
    expect(fixedChoices.length).toBeGreaterThan(10);
    expect(ask(new Choices({ rootSeed: 'other', drawnSites: [], fixedChoices }))).toEqual(values);
  });

  it('one option: is no choice and draws nothing', () => {
    const asked = new Choices({ rootSeed: 's' }).site('a');
    const fresh = new Choices({ rootSeed: 's' }).site('a');
    for (let index = 0; index < 5; index += 1) expect(asked.choose(1)).toBe(0);
    expect(asked.chance(0, 5)).toBe(false);
    expect(asked.chance(5, 5)).toBe(true);
    expect(asked.choose(MAX_OPTIONS)).toBe(fresh.choose(MAX_OPTIONS));
  });

  it('words beyond the last multiple: are drawn again', () => {
    // Of 2^32 words all above 3 * 2^30 are refused: a quarter.
    const n = 0xc000_0000;
    const stream = seedrandom.tychei('s/a');
    const site = new Choices({ rootSeed: 's' }).site('a');
    for (let index = 0; index < 200; index += 1) {
      let word = stream.int32() >>> 0;
      while (word >= n) word = stream.int32() >>> 0;
      expect(site.choose(n)).toBe(word);
    }
  });

  it('many draws: every option is about equally frequent', () => {
    const site = new Choices({ rootSeed: 's' }).site('a');
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (let index = 0; index < 70_000; index += 1) {
      const value = site.choose(7);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    // Five standard deviations.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(470);
  });

  it('a chance: is met as often as it says', () => {
    const site = new Choices({ rootSeed: 's' }).site('a');
    let met = 0;
    for (let index = 0; index < 100_000; index += 1) met += site.chance(3, 100) ? 1 : 0;
    expect(Math.abs(met - 3_000)).toBeLessThan(270);
  });

  it('between, pick, shuffle: stay within what they are given', () => {
    const site = new Choices({ rootSeed: 's' }).site('a');
    const seen = new Set<number>();
    for (let index = 0; index < 200; index += 1) seen.add(site.between(-2, 2));
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    expect(['x', 'y', 'z']).toContain(site.pick(['x', 'y', 'z']));
    const shuffled = site.shuffle([1, 2, 3, 4, 5]);
    expect([...shuffled].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
  });

  it('shuffle: reaches every order about equally often', () => {
    const site = new Choices({ rootSeed: 's' }).site('shuffle');
    const counts = new Map<string, number>();
    for (let index = 0; index < 24_000; index += 1) {
      const order = site.shuffle(['a', 'b', 'c', 'd']).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(160);
  });

  it('only boring options: no fault, the lowest, the first, the order as given', () => {
    const site = new Choices({ rootSeed: 's', mode: 'enumerate' }).site('a');
    expect(site.chance(99, 100)).toBe(false);
    expect(site.between(3, 9)).toBe(3);
    expect(site.pick(['x', 'y'])).toBe('x');
    expect(site.shuffle([1, 2, 3])).toEqual([1, 2, 3]);
  });

  it.each([0, -1, 1.5, MAX_OPTIONS + 1, Number.NaN])('a choice among %d: is refused', (n) => {
    expect(() => new Choices({ rootSeed: 's' }).site('a').choose(n)).toThrow('1 to 2^32 options');
    expect(() => new Choices({ rootSeed: 's', mode: 'record' }).site('a').choose(n)).toThrow('1 to 2^32 options');
    expect(() => new Choices({ rootSeed: 's', mode: 'enumerate' }).site('a').choose(n)).toThrow('1 to 2^32 options');
  });

  it.each([
    [2, 1],
    [-1, 2],
    [Number.NaN, 2],
  ])('a chance of %d in %d: is refused', (numerator, denominator) => {
    expect(() => new Choices({ rootSeed: 's' }).site('a').chance(numerator, denominator)).toThrow('never and always');
  });

  it('picking from nothing: is refused', () => {
    expect(() => new Choices({ rootSeed: 's' }).site('a').pick([])).toThrow();
  });
});
