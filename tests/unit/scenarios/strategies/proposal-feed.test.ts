/** A search is told what became of its proposals a batch at a time and in order, whatever order the answers come in. */
import { describe, expect, it } from 'vitest';
import { ProposalFeed } from '../../../../scenarios/strategies/proposal-feed.ts';
import type { Observation, Proposal, Searching } from '../../../../scenarios/strategies/strategy.ts';
import { planOf } from '../../../support/lives.ts';

const plan = planOf('quickstart', '1');
const seen = (signature: string): Observation => ({ signature, events: 1 });
const batch = (size: number): Proposal[] => Array.from({ length: size }, () => ({ plan }));

function* search(heard: string[][]): Searching {
  heard.push((yield batch(3)).map(({ signature }) => signature));
  yield [];
  heard.push((yield batch(1)).map(({ signature }) => signature));
}

describe('proposal feed', () => {
  it('hands a batch out, keeps what comes early, and goes on when all of it is answered', () => {
    const heard: string[][] = [];
    const feed = new ProposalFeed(search(heard));
    expect([0, 1, 2, 3].map((number) => feed.at(number) !== undefined)).toEqual([true, true, true, false]);
    expect(feed.answer(2, seen('c'))).toBe(false);
    expect(feed.answer(0, seen('a'))).toBe(false);
    expect(heard).toEqual([]);
    expect(feed.answer(1, seen('b'))).toBe(true);
    expect(heard).toEqual([['a', 'b', 'c']]);
    expect(feed.at(2)).toBeUndefined();
    expect(feed.at(3)).toBeDefined();
    expect(feed.isExhausted).toBe(false);
    feed.answer(3, seen('d'));
    expect(heard.at(-1)).toEqual(['d']);
    expect(feed.isExhausted).toBe(true);
    expect(feed.at(4)).toBeUndefined();
  });

  it('refuses a second answer, and one to what was not proposed', () => {
    const feed = new ProposalFeed(search([]));
    feed.answer(0, seen('a'));
    expect(() => feed.answer(0, seen('a'))).toThrow(/answered once/);
    expect(() => feed.answer(3, seen('a'))).toThrow(/proposed in this batch/);
  });
});
