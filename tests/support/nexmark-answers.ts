/**
 * The answers to the Nexmark queries by plain loops over all events, as their SQL defines them. They know nothing of engine, jobs, time that
 * passes, or judges.
 */
import type { Auction, Bid, NexmarkRow, Person } from '../../scenarios/index.ts';

const SECOND = 1_000;

class House {
  readonly persons: readonly Person[];
  readonly auctions: readonly Auction[];
  readonly bids: readonly Bid[];

  constructor(rows: readonly NexmarkRow[]) {
    this.persons = rows.filter((row): row is Person => row.kind === 'person');
    this.auctions = rows.filter((row): row is Auction => row.kind === 'auction');
    this.bids = rows.filter((row): row is Bid => row.kind === 'bid');
  }
}

type Answer = (house: House) => unknown[];

function grouped<T>(values: readonly T[], key: (value: T) => string | number): Map<string | number, T[]> {
  const groups = new Map<string | number, T[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group === undefined) groups.set(key(value), [value]);
    else group.push(value);
  }
  return groups;
}

const dearest = (a: Bid, b: Bid): number => b.price - a.price || a.event - b.event;

/** One row per auction with a bid within its time. */
function winners({ auctions, bids }: House) {
  return auctions.flatMap(({ id, time, expires, seller, category }) => {
    const [best] = bids.filter((bid) => bid.auction === id && bid.time >= time && bid.time <= expires).sort(dearest);
    if (best === undefined) return [];
    return [{ auction: id, category, seller, expires, bidder: best.bidder, price: best.price, bidTime: best.time }];
  });
}

export const ANSWERS = {
  q0: ({ bids }) => [...bids],

  q1: ({ bids }) =>
    bids.map(({ auction, bidder, price, time }) => ({
      auction,
      bidder,
      price: Math.round(price * 0.908 * 1_000),
      time,
    })),

  q2: ({ bids }) => bids.filter((bid) => bid.auction % 123 === 0).map(({ auction, price }) => ({ auction, price })),

  q3: ({ persons, auctions }) =>
    auctions
      .filter(({ category }) => category === 10)
      .flatMap((auction) =>
        persons
          .filter(({ id, state }) => id === auction.seller && ['OR', 'ID', 'CA'].includes(state))
          .map(({ name, city, state }) => ({ name, city, state, auction: auction.id })),
      ),

  q5: ({ bids }) => {
    const counts: { auction: number; bids: number; start: number; end: number }[] = [];
    for (const [auction, its] of grouped(bids, (bid) => bid.auction)) {
      const starts = new Set(
        its.flatMap(({ time }) => [0, 1, 2, 3, 4].map((back) => (Math.floor(time / 2_000) - back) * 2_000)),
      );
      for (const start of starts) {
        const end = start + 10 * SECOND;
        const within = its.filter(({ time }) => time >= start && time < end).length;
        counts.push({ auction: Number(auction), bids: within, start, end });
      }
    }
    return [...grouped(counts, ({ start }) => start).values()].flatMap((window) => {
      const most = Math.max(...window.map((count) => count.bids));
      return window.filter((count) => count.bids === most);
    });
  },

  q7: ({ bids }) =>
    [...grouped(bids, ({ time }) => Math.floor(time / (10 * SECOND))).values()].flatMap((window) => {
      const highest = Math.max(...window.map(({ price }) => price));
      return window.filter(({ price }) => price === highest);
    }),

  q8: ({ persons, auctions }) =>
    persons.flatMap(({ id, name, time }) => {
      const start = time - (time % (10 * SECOND));
      const sells = auctions.some(
        (auction) => auction.seller === id && auction.time >= start && auction.time < start + 10 * SECOND,
      );
      return sells ? [{ person: id, name, start }] : [];
    }),

  q9: winners,

  q11: ({ bids }) =>
    [...grouped(bids, ({ bidder }) => bidder)].flatMap(([bidder, its]) => {
      const sessions: Bid[][] = [];
      for (const bid of its) {
        const current = sessions.at(-1);
        const last = current?.at(-1);
        if (current !== undefined && last !== undefined && bid.time - last.time < 10 * SECOND) current.push(bid);
        else sessions.push([bid]);
      }
      return sessions.map((session) => ({
        bidder: Number(bidder),
        bids: session.length,
        start: session[0]?.time,
        end: (session.at(-1)?.time ?? 0) + 10 * SECOND,
      }));
    }),

  q20: ({ auctions, bids }) =>
    bids.flatMap((bid) =>
      auctions.filter(({ id, category }) => id === bid.auction && category === 10).map((auction) => ({ bid, auction })),
    ),

  // What stands in the end of queries whose output is a stream of changes.
  q4: (house) =>
    [...grouped(winners(house), ({ category }) => category)].map(([category, its]) => {
      const sum = its.reduce((total, { price }) => total + price, 0);
      return { category, auctions: its.length, average: Math.floor(sum / its.length) };
    }),

  q12: ({ bids }) => bids.map(({ event, bidder }) => ({ event, bidder })),

  q18: ({ bids }) =>
    [...grouped(bids, ({ bidder, auction }) => `${bidder}/${auction}`).values()].map((its) => its.at(-1)),

  q19: ({ bids }) =>
    [...grouped(bids, ({ auction }) => auction).values()].flatMap((its) => [...its].sort(dearest).slice(0, 10)),
} as const satisfies Readonly<Record<string, Answer>>;

export type QueryName = keyof typeof ANSWERS;

export const answerOf = (query: QueryName, rows: readonly NexmarkRow[]): unknown[] => ANSWERS[query](new House(rows));

/** What stands in the end, given everything that came out. */
export function standing(query: QueryName, visible: readonly unknown[]): unknown[] {
  if (query === 'q4') {
    const categories = grouped(visible as { category: number; auctions: number }[], ({ category }) => category);
    return [...categories.values()].map((its) => its.reduce((a, b) => (b.auctions > a.auctions ? b : a)));
  }
  if (query === 'q12') {
    const windows = visible as { bidder: number; bids: number; events: number[] }[];
    return windows.flatMap(({ bidder, events }) => events.map((event) => ({ event, bidder })));
  }
  if (query === 'q18' || query === 'q19') {
    const changes = visible as { bid: Bid; replaces: number | null }[];
    const gone = new Set(changes.map(({ replaces }) => replaces));
    return changes.map(({ bid }) => bid).filter(({ event }) => !gone.has(event));
  }
  return [...visible];
}
