/** Unit tests of the running digest and its ladder. */
import { describe, expect, it } from 'vitest';
import { combineDigests, Digest, firstDifference, hashString } from '../../../../sim/kernel/digest.ts';

function digestOf(words: readonly number[]): string {
  const digest = new Digest();
  for (const word of words) digest.fold(word);
  return digest.value();
}

describe('digest', () => {
  it('pinned values: digests of today compare with those of yesterday', () => {
    const digest = new Digest();
    expect(digest.value()).toBe('bdf2a7c81322c621');
    for (const word of [0, 1, -1, 2_147_483_648, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) digest.fold(word);
    digest.foldString('barrier');
    expect(digest.value()).toBe('cbd397faaf06c702');
    expect(hashString('barrier')).toBe(3_391_109_070);
  });

  it('the value: is 16 hexadecimal digits and reading it changes nothing', () => {
    const digest = new Digest();
    digest.fold(1);
    expect(digest.value()).toMatch(/^[0-9a-f]{16}$/);
    expect(digest.value()).toBe(digest.value());
  });

  it('wide words: both halves count, and a wide word is not two narrow ones', () => {
    const wide = 5 * 0x1_0000_0000 + 7;
    const variants = [[wide], [7, 5], [5, 7], [7], [wide + 1], [wide + 0x1_0000_0000], [-wide]];
    expect(new Set(variants.map(digestOf)).size).toBe(variants.length);
  });

  it('two hundred thousand single words: no two digests are equal', () => {
    const seen = new Set<string>();
    for (let word = -100_000; word < 100_000; word += 1) seen.add(digestOf([word]));
    expect(seen.size).toBe(200_000);
  });

  it('each lane: half of its bits change with any bit of the word', () => {
    for (let bit = 0; bit < 32; bit += 1) {
      let changed = 0;
      for (let word = 0; word < 64; word += 1) {
        const a = digestOf([word * 2_654_435]);
        const b = digestOf([(word * 2_654_435) ^ (1 << bit)]);
        for (const [from, to] of [
          [0, 8],
          [8, 16],
        ] as const) {
          let difference = Number.parseInt(a.slice(from, to), 16) ^ Number.parseInt(b.slice(from, to), 16);
          for (; difference !== 0; difference &= difference - 1) changed += 1;
        }
      }
      // 4,096 coin tosses; six standard deviations.
      expect(Math.abs(changed - 2_048), `bit ${bit}`).toBeLessThan(192);
    }
  });

  it('strings: count by content and position, also when the memo is full', () => {
    const fold = (texts: readonly string[]): string => {
      const digest = new Digest();
      for (const text of texts) digest.foldString(text);
      return digest.value();
    };
    const many = Array.from({ length: 10_000 }, (_, index) => `node-${index}`);
    expect(fold(many)).toBe(fold([...many]));
    expect(fold(['a', 'b'])).not.toBe(fold(['b', 'a']));
    expect(fold(['ab'])).not.toBe(fold(['a', 'b']));
    expect(new Set(many.map(hashString)).size).toBe(10_000);
  });

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1])('%d: is refused', (word) => {
    expect(() => new Digest().fold(word)).toThrow('only whole numbers');
  });

  it('minus zero: is zero', () => {
    expect(digestOf([-0])).toBe(digestOf([0]));
  });
});

describe('combined digest', () => {
  it('order and number of digests: count', () => {
    const [a, b] = [digestOf([1]), digestOf([2])];
    const variants = [[], [a], [b], [a, b], [b, a], [a, a]];
    expect(new Set(variants.map(combineDigests)).size).toBe(variants.length);
    expect(combineDigests([a, b])).toMatch(/^[0-9a-f]{16}$/);
  });
});

/** A run of `events` events; from `changedAt` on it is another run. */
function run(events: number, changedAt: number, digest: Digest = new Digest()): Digest {
  for (let event = 1; event <= events; event += 1) {
    digest.fold(event === changedAt ? -1 : event);
    digest.mark(event);
  }
  return digest;
}

describe('ladder', () => {
  it('a run of any length: has at most 256 rungs and a tip, equally spaced', () => {
    for (const events of [0, 1, 255, 256, 257, 512, 1_000, 100_000]) {
      const rungs = run(events, 0).rungs();
      expect(rungs.length).toBeLessThanOrEqual(257);
      expect(rungs.at(-1)?.event).toBe(events);
      const step = rungs[0]?.event ?? 0;
      rungs.slice(0, -1).forEach((rung, index) => {
        expect(rung.event).toBe((index + 1) * step);
      });
    }
    expect(run(100_000, 0).rungs().length).toBeGreaterThan(128);
  });

  it('equal runs: have no difference', () => {
    expect(firstDifference(run(1_000, 0).rungs(), run(1_000, 0).rungs())).toBeUndefined();
    expect(firstDifference([], [])).toBeUndefined();
  });

  it('a run that goes on longer: differs after the end of the other', () => {
    const difference = firstDifference(run(1_000, 0).rungs(), run(3_000, 0).rungs());
    expect(difference).toEqual({ sameUpTo: 992, differsAt: 1_001 });
  });

  it('a difference in a short run: is found exactly', () => {
    expect(firstDifference(run(200, 0).rungs(), run(200, 77).rungs())).toEqual({ sameUpTo: 76, differsAt: 77 });
    expect(firstDifference(run(200, 0).rungs(), run(200, 1).rungs())).toEqual({ sameUpTo: 0, differsAt: 1 });
  });

  it('a difference in a long run: is found exactly by laying the ladder over the bracket', () => {
    let difference = { sameUpTo: 0, differsAt: 1_000_000 };
    let lives = 0;
    while (difference.differsAt - difference.sameUpTo > 1) {
      const window = { fromEvent: difference.sameUpTo, toEvent: difference.differsAt };
      const a = run(1_000_000, 0, new Digest(window)).rungs();
      const b = run(1_000_000, 654_321, new Digest(window)).rungs();
      difference = firstDifference(a, b) ?? difference;
      lives += 1;
    }
    expect(difference).toEqual({ sameUpTo: 654_320, differsAt: 654_321 });
    expect(lives).toBe(3);
  });
});
