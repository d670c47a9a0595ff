/**
 * Nexmark q3 and q20: joins of two streams with unbounded state. Each pair comes out once, when event time has passed the later of the two.
 */
import type { FunctionSpec, KeyedCoProcessFunction } from '../../../engine/job/functions.ts';
import type { ListState, ValueState } from '../../../engine/state/keyed-state.ts';
import { listState, valueState } from '../../../engine/state/state-descriptor.ts';
import type { Auction, Bid, Person } from '../../datasets/nexmark-dataset.ts';
import { AUCTION, BID, type NexmarkQuery, ONE_ANSWER, PERSON, positionOf } from './event-streams.ts';
import { joinInEventTimeOrder, type Waiting } from './event-time-order.ts';

const JOINED_CATEGORY = 10;
const LOCAL_STATES = ['OR', 'ID', 'CA'];

/** What q3 says of an auction. */
export interface LocalItem {
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly auction: number;
}

export const localItems: NexmarkQuery = {
  description: 'q3: auctions of category 10 whose seller lives in Oregon, Idaho or California, with the seller.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .persons()
      .filter(({ state }) => LOCAL_STATES.includes(state))
      .connect(events.auctions().filter(({ category }) => category === JOINED_CATEGORY))
      .keyBy(
        ({ id }) => String(id),
        ({ seller }) => String(seller),
      )
      .process(
        oneToMany<Person, Auction, LocalItem>({
          one: { type: PERSON, rank: positionOf },
          many: { type: AUCTION, rank: positionOf },
          pair: ({ name, city, state }, { id }) => ({ name, city, state, auction: id }),
        }),
      )
      .uid('join')
      .name('Persons and auctions'),
};

/** What q20 says of a bid. */
export interface ExpandedBid {
  readonly auction: Auction;
  readonly bid: Bid;
}

export const expandedBids: NexmarkQuery = {
  description: 'q20: bids with all of their auction, where its category is 10.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .auctions()
      .filter(({ category }) => category === JOINED_CATEGORY)
      .connect(events.bids())
      .keyBy(
        ({ id }) => String(id),
        ({ auction }) => String(auction),
      )
      .process(
        oneToMany<Auction, Bid, ExpandedBid>({
          one: { type: AUCTION, rank: positionOf },
          many: { type: BID, rank: positionOf },
          pair: (auction, bid) => ({ auction, bid }),
        }),
      )
      .uid('join')
      .name('Auctions and bids'),
};

/** At most one element of the first input has a key; those of the second that come before it are kept until it comes. */
function oneToMany<A, B, Out>(options: {
  readonly one: Waiting<A>;
  readonly many: Waiting<B>;
  readonly pair: (one: A, of: B) => Out;
}): FunctionSpec<KeyedCoProcessFunction<A, B, Out>> {
  const { one, many, pair } = options;
  const known = valueState('known', one.type);
  const early = listState('early', many.type);
  return joinInEventTimeOrder<A, B, Out>({
    waiting: [one, many],
    states: [known, early],
    create() {
      let theOne: ValueState<A>;
      let before: ListState<B>;
      return {
        open(runtime) {
          theOne = runtime.value(known.name);
          before = runtime.list(early.name);
        },
        first(value, out) {
          theOne.update(value);
          for (const other of before.get()) out.collect(pair(value, other));
          before.clear();
        },
        second(value, out) {
          const other = theOne.value();
          if (other === undefined) before.add(value);
          else out.collect(pair(other, value));
        },
      };
    },
  });
}
