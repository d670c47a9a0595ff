/**
 * Nexmark q3 and q20: joins of two streams with unbounded state. Each pair comes out once, when event time has passed the later of the two.
 */
import type { RuntimeContext } from '../../../engine/job/functions.ts';
import type { ListState, ValueState } from '../../../engine/state/keyed-state.ts';
import { listState, valueState } from '../../../engine/state/state-descriptor.ts';
import type { Auction, Bid, Person } from '../../datasets/nexmark-dataset.ts';
import { AUCTION, BID, type NexmarkQuery, ONE_ANSWER, PERSON, positionOf } from './event-streams.ts';
import { joinInEventTimeOrder } from './event-time-order.ts';

const LOCAL_STATES = ['OR', 'ID', 'CA'];
const LOCAL_CATEGORY = 10;

const SELLER = valueState('seller', PERSON);
const OFFERED = listState('offered', AUCTION);

/** What q3 says of an auction. */
export interface LocalItem {
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly auction: number;
}

const localItem = ({ name, city, state }: Person, { id }: Auction): LocalItem => ({ name, city, state, auction: id });

export const localItems: NexmarkQuery = {
  description: 'q3: auctions of category 10 whose seller lives in Oregon, Idaho or California, with the seller.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .persons()
      .filter(({ state }) => LOCAL_STATES.includes(state))
      .connect(events.auctions().filter(({ category }) => category === LOCAL_CATEGORY))
      .keyBy(
        ({ id }) => String(id),
        ({ seller }) => String(seller),
      )
      .process(
        joinInEventTimeOrder<Person, Auction, LocalItem>({
          waiting: [
            { type: PERSON, rank: positionOf },
            { type: AUCTION, rank: positionOf },
          ],
          states: [SELLER, OFFERED],
          create() {
            let seller: ValueState<Person>;
            let offered: ListState<Auction>;
            return {
              open(runtime: RuntimeContext) {
                seller = runtime.value(SELLER.name);
                offered = runtime.list(OFFERED.name);
              },
              first(person, out) {
                seller.update(person);
                for (const auction of offered.get()) out.collect(localItem(person, auction));
                offered.clear();
              },
              second(auction, out) {
                const person = seller.value();
                if (person === undefined) offered.add(auction);
                else out.collect(localItem(person, auction));
              },
            };
          },
        }),
      )
      .uid('join')
      .name('Persons and auctions'),
};

const EXPANDED_CATEGORY = 10;

const BIDDEN_FOR = valueState('auction', AUCTION);
const EARLY_BIDS = listState('early-bids', BID);

/** What q20 says of a bid. */
export interface ExpandedBid {
  readonly bid: Bid;
  readonly auction: Auction;
}

export const expandedBids: NexmarkQuery = {
  description: 'q20: bids with all of their auction, where its category is 10.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .auctions()
      .filter(({ category }) => category === EXPANDED_CATEGORY)
      .connect(events.bids())
      .keyBy(
        ({ id }) => String(id),
        ({ auction }) => String(auction),
      )
      .process(
        joinInEventTimeOrder<Auction, Bid, ExpandedBid>({
          waiting: [
            { type: AUCTION, rank: positionOf },
            { type: BID, rank: positionOf },
          ],
          states: [BIDDEN_FOR, EARLY_BIDS],
          create() {
            let known: ValueState<Auction>;
            let early: ListState<Bid>;
            return {
              open(runtime: RuntimeContext) {
                known = runtime.value(BIDDEN_FOR.name);
                early = runtime.list(EARLY_BIDS.name);
              },
              first(auction, out) {
                known.update(auction);
                for (const bid of early.get()) out.collect({ bid, auction });
                early.clear();
              },
              second(bid, out) {
                const auction = known.value();
                if (auction === undefined) early.add(bid);
                else out.collect({ bid, auction });
              },
            };
          },
        }),
      )
      .uid('join')
      .name('Auctions and bids'),
};
