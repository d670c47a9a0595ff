/**
 * Nexmark q5, q7, q8, q11, q12: windows.
 *
 * Those of event time have one answer, as nothing is late. q12 counts by processing time: which window a bid is in depends on when it came,
 * so each window lists its bids, and the audit asks that every bid is in exactly one.
 */
import {
  EventTimeSessionWindows,
  SlidingEventTimeWindows,
  TumblingEventTimeWindows,
  TumblingProcessingTimeWindows,
} from '../../../engine/api/windows.ts';
import type { AggregateFunction } from '../../../engine/state/state-descriptor.ts';
import { Types } from '../../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../../engine/state/type-serializer.ts';
import type { Auction, Bid, NexmarkRow, Person } from '../../datasets/nexmark-dataset.ts';
import { BID, type NexmarkQuery, ONE_ANSWER, positionOf } from './event-streams.ts';

const SIZE_MS = 10_000;
const SLIDE_MS = 2_000;

/** Those with the most of something: all of the same amount, in order. */
interface Leaders<T> {
  readonly most: number;
  readonly who: readonly T[];
}

/** Whose amount is highest, whatever the order in which they come. `rank` differs between any two. */
function leaders<T>(
  amount: (value: T) => number,
  rank: (value: T) => number,
): AggregateFunction<T, Leaders<T>, Leaders<T>> {
  const merge = (a: Leaders<T>, b: Leaders<T>): Leaders<T> => {
    if (a.most !== b.most) return a.most > b.most ? a : b;
    return { most: a.most, who: [...a.who, ...b.who].sort((x, y) => rank(x) - rank(y)) };
  };
  return {
    createAccumulator: () => ({ most: 0, who: [] }),
    add: (current, value) => merge(current, { most: amount(value), who: [value] }),
    getResult: (current) => current,
    merge,
  };
}

const leadersOf = <T>(type: TypeSerializer<T>): TypeSerializer<Leaders<T>> =>
  Types.row<Leaders<T>>({ most: Types.int, who: Types.list(type) as TypeSerializer<readonly T[]> });

const COUNT: AggregateFunction<unknown, number, number> = {
  createAccumulator: () => 0,
  add: (count) => count + 1,
  getResult: (count) => count,
  merge: (a, b) => a + b,
};

/** How many bids an auction got in a window. Also what q5 says of the hottest. */
export interface AuctionBids {
  readonly auction: number;
  readonly bids: number;
  readonly start: number;
  readonly end: number;
}

const AUCTION_BIDS = Types.row<AuctionBids>({
  auction: Types.int,
  bids: Types.int,
  start: Types.int,
  end: Types.int,
});

export const hotItems: NexmarkQuery = {
  description: 'q5: every 2 seconds the auctions with the most bids of the last 10.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .bids()
      .keyBy(({ auction }) => String(auction))
      .window(SlidingEventTimeWindows.of(SIZE_MS, SLIDE_MS))
      .aggregate<number, number, AuctionBids>(COUNT, Types.int, ({ key, start, end }, count, out) =>
        out.collect({ auction: Number(key), bids: count, start, end }),
      )
      .uid('counts')
      .name('Bids per auction')
      // What a window emits has its last instant: the counts of one sliding window are alone in a tumbling one.
      .keyBy(({ end }) => String(end))
      .window(TumblingEventTimeWindows.of(SLIDE_MS))
      .aggregate<Leaders<AuctionBids>, Leaders<AuctionBids>, AuctionBids>(
        leaders(
          (count) => count.bids,
          (count) => count.auction,
        ),
        leadersOf(AUCTION_BIDS),
        (_window, { who }, out) => {
          for (const hottest of who) out.collect(hottest);
        },
      )
      .uid('hottest')
      .name('Hottest'),
};

export const highestBids: NexmarkQuery = {
  description: 'q7: the highest bids of every 10 seconds.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .bids()
      .windowAll(TumblingEventTimeWindows.of(SIZE_MS))
      .aggregate<Leaders<Bid>, Leaders<Bid>, Bid>(
        leaders<Bid>((bid) => bid.price, positionOf),
        leadersOf(BID),
        (_window, { who }, out) => {
          for (const bid of who) out.collect(bid);
        },
      )
      .uid('highest')
      .name('Highest bids'),
};

/** What q8 says of a person who came and sold within one window. */
export interface NewSeller {
  readonly person: number;
  readonly name: string;
  readonly start: number;
}

interface Newcomer {
  readonly name: string | null;
  readonly sells: boolean;
}

const NEWCOMER: AggregateFunction<Person | Auction, Newcomer, Newcomer> = {
  createAccumulator: () => ({ name: null, sells: false }),
  add: ({ name, sells }, event) => (event.kind === 'person' ? { name: event.name, sells } : { name, sells: true }),
  getResult: (newcomer) => newcomer,
  merge: (a, b) => ({ name: a.name ?? b.name, sells: a.sells || b.sells }),
};

export const newSellers: NexmarkQuery = {
  description: 'q8: who registered and opened an auction within the same 10 seconds.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .persons()
      .map((person): Person | Auction => person)
      .union(events.auctions().map((auction): Person | Auction => auction))
      .keyBy((event) => String(event.kind === 'person' ? event.id : event.seller))
      .window(TumblingEventTimeWindows.of(SIZE_MS))
      .aggregate<Newcomer, Newcomer, NewSeller>(
        NEWCOMER,
        Types.row<Newcomer>({ name: Types.nullable(Types.string), sells: Types.boolean }),
        ({ key, start }, { name, sells }, out) => {
          if (name !== null && sells) out.collect({ person: Number(key), name, start });
        },
      )
      .uid('newcomers')
      .name('Newcomers'),
};

/** What q11 and q12 say of a bidder in a session or window. */
export interface BidderBids {
  readonly bidder: number;
  readonly bids: number;
  readonly start: number;
  readonly end: number;
}

export const userSessions: NexmarkQuery = {
  description: 'q11: how often each bidder bid in each session, which ends after 10 seconds without a bid.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .bids()
      .keyBy(({ bidder }) => String(bidder))
      .window(EventTimeSessionWindows.withGap(SIZE_MS))
      .aggregate<number, number, BidderBids>(COUNT, Types.int, ({ key, start, end }, count, out) =>
        out.collect({ bidder: Number(key), bids: count, start, end }),
      )
      .uid('sessions')
      .name('Sessions'),
};

/** What q12 says of a bidder in a window. */
export interface CountedBids extends BidderBids {
  /** Positions of the bids, as they came. */
  readonly events: readonly number[];
}

const EVENTS: AggregateFunction<Bid, readonly number[], readonly number[]> = {
  createAccumulator: () => [],
  add: (events, { event }) => [...events, event],
  getResult: (events) => events,
  merge: (a, b) => [...a, ...b],
};

export const processingTimeCounts: NexmarkQuery = {
  description: 'q12: how often each bidder bid in every 10 seconds of processing time.',
  audit: {
    stateIsOrderInsensitive: false,
    outputValues: 'lineage',
    conserves: {
      input: (row) => ((row as NexmarkRow).kind === 'bid' ? String((row as Bid).event) : undefined),
      output: (value) => (value as CountedBids).events.map(String),
    },
  },
  build: (events) =>
    events
      .bids()
      .keyBy(({ bidder }) => String(bidder))
      .window(TumblingProcessingTimeWindows.of(SIZE_MS))
      .aggregate<readonly number[], readonly number[], CountedBids>(
        EVENTS,
        Types.list(Types.int) as TypeSerializer<readonly number[]>,
        ({ key, start, end }, events, out) =>
          out.collect({ bidder: Number(key), bids: events.length, start, end, events }),
      )
      .uid('counts')
      .name('Bids per bidder'),
};
