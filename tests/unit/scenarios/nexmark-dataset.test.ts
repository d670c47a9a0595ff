import { describe, expect, it } from 'vitest';
import { nexmarkDataset, type NexmarkRow } from '../../../scenarios/index.ts';
import { NEXMARK_MEAN_BYTES, nexmarkPrice, PRICE_STEPS } from '../../../scenarios/datasets/nexmark-dataset.ts';

const REQUEST = { name: 'nexmark:1000', seed: 's', records: 20_000, eventsPerSecond: 1_000 };
const DATASET = nexmarkDataset(REQUEST);
const ROWS = DATASET.values as readonly NexmarkRow[];
const of = <K extends NexmarkRow['kind']>(kind: K): Extract<NexmarkRow, { readonly kind: K }>[] =>
  ROWS.filter((row): row is Extract<NexmarkRow, { readonly kind: K }> => row.kind === kind);
const PERSONS = of('person');
const AUCTIONS = of('auction');
const BIDS = of('bid');
const share = <T>(of: readonly T[], is: (one: T) => boolean): number => of.filter(is).length / of.length;

describe('Nexmark stream', () => {
  it('is the same each time, another for another seed, and a prefix of a longer one', () => {
    expect(nexmarkDataset(REQUEST)).toEqual(DATASET);
    expect(nexmarkDataset({ ...REQUEST, seed: 't' }).values).not.toEqual(ROWS);
    expect(nexmarkDataset({ ...REQUEST, records: 777 }).values).toEqual(ROWS.slice(0, 777));
  });

  it('is a person, three auctions and 46 bids in every block of 50', () => {
    for (let block = 0; block < ROWS.length; block += 50) {
      const kinds = ROWS.slice(block, block + 50).map(({ kind }) => kind);
      expect(kinds).toEqual(['person', ...Array(3).fill('auction'), ...Array(46).fill('bid')]);
    }
    expect(NEXMARK_MEAN_BYTES).toBe((200 + 3 * 500 + 46 * 100) / 50);
  });

  it('numbers persons and auctions from 1,000 on', () => {
    expect(PERSONS.map(({ id }) => id)).toEqual(PERSONS.map((_person, index) => 1_000 + index));
    expect(AUCTIONS.map(({ id }) => id)).toEqual(AUCTIONS.map((_auction, index) => 1_000 + index));
    expect(new Set(AUCTIONS.map(({ category }) => category))).toEqual(new Set([10, 11, 12, 13, 14]));
    expect(new Set(PERSONS.map(({ state }) => state)).size).toBe(6);
  });

  it('lets event time pass evenly and never back', () => {
    expect(DATASET.timestampsUs).toEqual(ROWS.map(({ time }) => time * 1_000));
    expect(ROWS.map(({ time }) => time)).toEqual(ROWS.map((_row, index) => 1_436_918_400_000 + index));
  });

  it('has half of the bids on the hot auction, three quarters by the hot bidder, as many auctions by the hot seller', () => {
    const block = (id: number): number => Math.floor(id / 100) * 100;
    const newestAuction = (event: number): number => AUCTIONS.filter((auction) => auction.event <= event).length - 1;
    const newestPerson = (event: number): number => PERSONS.filter((person) => person.event <= event).length - 1;
    const late = BIDS.filter(({ event }) => event > 15_000);
    const onHot = share(late, ({ auction, event }) => auction === 1_000 + block(newestAuction(event)));
    const byHot = share(late, ({ bidder, event }) => bidder === 2_000 + block(newestPerson(event)) + 1);
    const soldByHot = share(AUCTIONS, ({ seller, event }) => seller === 1_000 + block(newestPerson(event)));
    expect(onHot).toBeGreaterThan(0.47);
    expect(onHot).toBeLessThan(0.53);
    expect(byHot).toBeGreaterThan(0.72);
    expect(byHot).toBeLessThan(0.78);
    expect(soldByHot).toBeGreaterThan(0.71);
    expect(soldByHot).toBeLessThan(0.79);
  });

  it('names only auctions in flight and people who are active, up to ten ids ahead; bidders are 1,000 off', () => {
    let [auctions, persons] = [0, 0];
    let [auctionsAhead, sellersAhead] = [0, 0];
    const astray: NexmarkRow[] = [];
    const isActive = (person: number): boolean => person >= 1_000 && person < 1_000 + persons + 10;
    for (const row of ROWS) {
      if (row.kind === 'person') persons += 1;
      if (row.kind === 'auction') {
        auctions += 1;
        if (!isActive(row.seller)) astray.push(row);
        if (row.seller >= 1_000 + persons) sellersAhead += 1;
      }
      if (row.kind !== 'bid') continue;
      const oldest = 1_000 + Math.max(0, auctions - 1 - 100);
      if (row.auction < oldest || row.auction >= 1_000 + auctions + 10) astray.push(row);
      if (row.auction >= 1_000 + auctions) auctionsAhead += 1;
      if (!isActive(row.bidder - 1_000)) astray.push(row);
    }
    expect(astray).toEqual([]);
    expect(auctionsAhead).toBeGreaterThan(0);
    expect(sellersAhead).toBeGreaterThan(0);
  });

  it('keeps auctions open for up to twice the time in which a hundred more come', () => {
    const lifetimes = AUCTIONS.map(({ expires, time }) => expires - time);
    expect(Math.min(...lifetimes)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...lifetimes)).toBeLessThanOrEqual(2 * 1_666);
    const mean = lifetimes.reduce((sum, lifetime) => sum + lifetime, 0) / lifetimes.length;
    expect(mean).toBeGreaterThan(1_600);
    expect(mean).toBeLessThan(1_740);
    for (const { reserve, initialBid } of AUCTIONS) expect(reserve).toBeGreaterThan(initialBid);
  });

  it('has half of the bids come over four channels, the others over ten thousand', () => {
    const named = share(BIDS, ({ channel }) => !channel.startsWith('channel-'));
    expect(named).toBeGreaterThan(0.48);
    expect(named).toBeLessThan(0.52);
    expect(new Set(BIDS.map(({ channel }) => channel)).size).toBeGreaterThan(4_000);
  });

  it('has prices of round(100 * 10^(6u))', () => {
    for (let step = 0; step < PRICE_STEPS; step += 7) {
      const exact = 100 * 10 ** ((6 * step) / PRICE_STEPS);
      expect(Math.abs(nexmarkPrice(step) - exact)).toBeLessThanOrEqual(0.5 + exact * 2e-6);
    }
    const below = share(BIDS, ({ price }) => price < 100_000);
    expect(below).toBeGreaterThan(0.48);
    expect(below).toBeLessThan(0.52);
  });
});
