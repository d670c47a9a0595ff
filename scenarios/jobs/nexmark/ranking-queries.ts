/**
 * Nexmark q18 and q19: rankings that are updated bid by bid, in the order of event time.
 *
 * What comes out are changes; who reads them in order holds the ranking. The suite's SQL also takes back what a change replaces; here the
 * change names it.
 */
import type { FunctionSpec, KeyedProcessFunction } from '../../../engine/job/functions.ts';
import type { ListState, ValueState } from '../../../engine/state/keyed-state.ts';
import { listState, valueState } from '../../../engine/state/state-descriptor.ts';
import type { Bid } from '../../datasets/nexmark-dataset.ts';
import { BID, type NexmarkQuery, ONE_ANSWER, positionOf } from './event-streams.ts';
import { inEventTimeOrder } from './event-time-order.ts';

const WAITING = { type: BID, rank: positionOf };

/** q18: this bid is now the last one of its bidder on its auction. */
export interface LastBid {
  readonly bid: Bid;
  /** Position of the one that was the last before it; null: none was. */
  readonly replaces: number | null;
}

const LAST = valueState('last-bid', BID);

export const lastBids: NexmarkQuery = {
  description: 'q18: the last bid of each bidder on each auction.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .bids()
      .keyBy(({ bidder, auction }) => `${String(bidder)}/${String(auction)}`)
      .process(lastBidPerKey())
      .uid('last')
      .name('Last bids'),
};

function lastBidPerKey(): FunctionSpec<KeyedProcessFunction<Bid, LastBid>> {
  return inEventTimeOrder<Bid, LastBid>({
    waiting: WAITING,
    states: [LAST],
    create() {
      let last: ValueState<Bid>;
      return {
        open(runtime) {
          last = runtime.value(LAST.name);
        },
        element(bid, out) {
          const replaces = last.value()?.event ?? null;
          last.update(bid);
          out.collect({ bid, replaces });
        },
      };
    },
  });
}

/** q19: this bid is now among the highest of its auction. */
export interface RankedBid {
  readonly bid: Bid;
  /** From 1. */
  readonly rank: number;
  /** Position of the one that is no longer among them; null: there was room. */
  readonly replaces: number | null;
}

const RANKS = 10;
const HIGHEST = listState('highest-bids', BID);

export const topBids: NexmarkQuery = {
  description: 'q19: the ten highest bids of each auction; of equal ones the earlier is higher.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .bids()
      .keyBy(({ auction }) => String(auction))
      .process(topBidsPerAuction())
      .uid('top')
      .name('Top bids'),
};

function topBidsPerAuction(): FunctionSpec<KeyedProcessFunction<Bid, RankedBid>> {
  return inEventTimeOrder<Bid, RankedBid>({
    waiting: WAITING,
    states: [HIGHEST],
    create() {
      let highest: ListState<Bid>;
      return {
        open(runtime) {
          highest = runtime.list(HIGHEST.name);
        },
        element(bid, out) {
          const before = [...highest.get()];
          const lower = before.findIndex(({ price }) => price < bid.price);
          const place = lower === -1 ? before.length : lower;
          if (place >= RANKS) return;
          const now = [...before.slice(0, place), bid, ...before.slice(place)];
          highest.update(now.slice(0, RANKS));
          out.collect({ bid, rank: place + 1, replaces: now[RANKS]?.event ?? null });
        },
      };
    },
  });
}
