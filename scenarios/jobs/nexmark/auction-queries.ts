/**
 * Nexmark q9 and q4: which bid wins an auction, and what auctions of a category fetch.
 *
 * An auction closes when event time has passed its end; then its winner is known and comes out once. The suite's SQL tells of each better
 * bid in turn; the last of these is the winner. A bid counts from the auction's beginning to its end, both included.
 */
import type { DataStream } from '../../../engine/api/data-stream.ts';
import type { FunctionSpec, KeyedCoProcessFunction, KeyedProcessFunction } from '../../../engine/job/functions.ts';
import type { ValueState } from '../../../engine/state/keyed-state.ts';
import { valueState } from '../../../engine/state/state-descriptor.ts';
import { Types } from '../../../engine/state/type-information.ts';
import type { Auction, Bid } from '../../datasets/nexmark-dataset.ts';
import { AUCTION, BID, type NexmarkQuery, type NexmarkStreams, ONE_ANSWER, positionOf } from './event-streams.ts';
import { inEventTimeOrder, joinInEventTimeOrder } from './event-time-order.ts';

/** What q9 says of an auction that got a bid. */
export interface WinningBid {
  readonly auction: number;
  readonly category: number;
  readonly seller: number;
  readonly expires: number;
  readonly bidder: number;
  readonly price: number;
  readonly bidTime: number;
}

const OPEN = valueState('open-auction', AUCTION);
const HIGHEST = valueState('highest-bid', BID);

export const winningBids: NexmarkQuery = {
  description: 'q9: each auction that got a bid with the highest one, of equal ones the first.',
  audit: ONE_ANSWER,
  build: (streams) => winners(streams),
};

function winners(events: NexmarkStreams): DataStream<WinningBid> {
  return events
    .auctions()
    .connect(events.bids())
    .keyBy(
      ({ id }) => String(id),
      ({ auction }) => String(auction),
    )
    .process(winnerPerAuction())
    .uid('winners')
    .name('Winners');
}

function winnerPerAuction(): FunctionSpec<KeyedCoProcessFunction<Auction, Bid, WinningBid>> {
  return joinInEventTimeOrder<Auction, Bid, WinningBid>({
    waiting: [
      { type: AUCTION, rank: positionOf },
      { type: BID, rank: positionOf },
    ],
    states: [OPEN, HIGHEST],
    closesAt: ({ expires }) => expires,
    create() {
      let open: ValueState<Auction>;
      let highest: ValueState<Bid>;
      return {
        open(runtime) {
          open = runtime.value(OPEN.name);
          highest = runtime.value(HIGHEST.name);
        },
        first: (auction) => open.update(auction),
        second(bid) {
          const best = highest.value();
          if (open.value() !== undefined && (best === undefined || bid.price > best.price)) highest.update(bid);
        },
        passed(timestampMs, out) {
          const auction = open.value();
          if (auction === undefined || timestampMs < auction.expires) return;
          const best = highest.value();
          open.clear();
          highest.clear();
          if (best === undefined) return;
          const { id, category, seller, expires } = auction;
          const { bidder, price, time } = best;
          out.collect({ auction: id, category, seller, expires, bidder, price, bidTime: time });
        },
      };
    },
  });
}

/** What q4 says whenever an auction of a category has closed; the one of the most auctions stands in the end. */
export interface CategoryAverage {
  readonly category: number;
  readonly auctions: number;
  /** Rounded down, as SQL does for whole numbers. */
  readonly average: number;
}

interface Closed {
  readonly auctions: number;
  readonly sum: number;
}

const WINNER = Types.row<WinningBid>({
  auction: Types.int,
  category: Types.int,
  seller: Types.int,
  expires: Types.int,
  bidder: Types.int,
  price: Types.int,
  bidTime: Types.int,
});
const CLOSED = valueState('closed', Types.row<Closed>({ auctions: Types.int, sum: Types.int }));

export const averagePricePerCategory: NexmarkQuery = {
  description: 'q4: the average winning price of each category, whenever an auction has closed.',
  audit: ONE_ANSWER,
  build: (streams) =>
    winners(streams)
      .keyBy(({ category }) => String(category))
      .process(averages())
      .uid('averages')
      .name('Averages'),
};

function averages(): FunctionSpec<KeyedProcessFunction<WinningBid, CategoryAverage>> {
  return inEventTimeOrder<WinningBid, CategoryAverage>({
    waiting: { type: WINNER, rank: ({ auction }) => auction },
    states: [CLOSED],
    create() {
      let closed: ValueState<Closed>;
      return {
        open(runtime) {
          closed = runtime.value(CLOSED.name);
        },
        element({ category, price }, out) {
          const before = closed.value() ?? { auctions: 0, sum: 0 };
          const now = { auctions: before.auctions + 1, sum: before.sum + price };
          closed.update(now);
          out.collect({ category, auctions: now.auctions, average: Math.floor(now.sum / now.auctions) });
        },
      };
    },
  });
}
