/**
 * The Nexmark event stream: persons, auctions and bids of an auction house, as the generator of the benchmark suite makes them (mix, ids,
 * skew, prices, auction lifetimes, channels).
 *
 *     nexmark:20    20 events pass per second of event time; how many there are says the scenario
 *
 * Owns: the rules of the generator. Of 50 events the first is a person, the next 3 are auctions, the other 46 bids. Integer arithmetic only;
 * each kind of draw has a stream of its own, so a longer stream begins like a shorter one.
 *
 * I1: event times never fall, ids rise by one from 1,000.
 * I2: as in the original, a bidder's id is 1,000 above that of a person: it adds the first person id twice. Queries that join bids to
 *     persons would find hardly any; none of the standard ones does.
 * I3: a bid or a seller may name an auction or a person that is yet to come, up to 10 ids ahead.
 */
import type { Dataset } from '../../sim/judges/job-audit.ts';
import { type ChoiceSite, Choices } from '../../sim/kernel/choice.ts';

interface NexmarkEvent {
  /** Position in the stream. */
  readonly event: number;
  /** Event time in milliseconds. */
  readonly time: number;
}

export interface Person extends NexmarkEvent {
  readonly kind: 'person';
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
}

export interface Auction extends NexmarkEvent {
  readonly kind: 'auction';
  readonly id: number;
  readonly itemName: string;
  readonly initialBid: number;
  readonly reserve: number;
  /** Event time at which it closes; a bid of that millisecond still counts. */
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
}

export interface Bid extends NexmarkEvent {
  readonly kind: 'bid';
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
}

export type NexmarkRow = Person | Auction | Bid;

/** How many of a block of events are of a kind, and the bytes each takes on the wire. */
export const NEXMARK_MIX = {
  person: { perBlock: 1, bytes: 200 },
  auction: { perBlock: 3, bytes: 500 },
  bid: { perBlock: 46, bytes: 100 },
} as const;
const BLOCK = 50;
/** What a record of the mix takes on average. */
export const NEXMARK_MEAN_BYTES =
  Object.values(NEXMARK_MIX).reduce((sum, { perBlock, bytes }) => sum + perBlock * bytes, 0) / BLOCK;

export const FIRST_PERSON_ID = 1_000;
export const FIRST_AUCTION_ID = 1_000;
const FIRST_CATEGORY_ID = 10;
const CATEGORIES = 5;
const AUCTIONS_IN_FLIGHT = 100;
const ACTIVE_PEOPLE = 1_000;
/** I3. */
const ID_LEAD = 10;
/** The hot id is that of the first, for bidders the second, in the current block of so many. */
const HOT_BLOCK = 100;
/** One in so many is not hot. */
const HOT_AUCTION_RATIO = 2;
const HOT_BIDDER_RATIO = 4;
const HOT_SELLER_RATIO = 4;
const HOT_CHANNELS = ['Google', 'Facebook', 'Baidu', 'Apple'];
const CHANNELS = 10_000;
/** 2015-07-15T00:00:00Z, the base time of the suite. */
const BASE_TIME_MS = 1_436_918_400_000;
const MS_PER_SECOND = 1_000;
const US_PER_MS = 1_000;

const STATES = ['AZ', 'CA', 'ID', 'OR', 'WA', 'WY'];
const CITIES = [
  'Phoenix',
  'Los Angeles',
  'San Francisco',
  'Boise',
  'Portland',
  'Bend',
  'Redmond',
  'Seattle',
  'Kent',
  'Cheyenne',
];
const FIRST_NAMES = ['Peter', 'Paul', 'Luke', 'John', 'Saul', 'Vicky', 'Kate', 'Julie', 'Sarah', 'Deiter', 'Walter'];
const LAST_NAMES = ['Shultz', 'Abrams', 'Spencer', 'White', 'Bartels', 'Walton', 'Smith', 'Jones', 'Noris'];

export interface NexmarkRequest {
  /** Names the data set, and the streams it is drawn from. */
  readonly name: string;
  readonly seed: string;
  readonly records: number;
  /** Events per second of event time, at least 1. */
  readonly eventsPerSecond: number;
}

export function nexmarkDataset({ name, seed, records, eventsPerSecond }: NexmarkRequest): Dataset {
  const choices = new Choices({ rootSeed: seed });
  const generator = new NexmarkGenerator((what) => choices.site(`dataset/${name}/${what}`), eventsPerSecond);
  const values: NexmarkRow[] = [];
  const timestampsUs: number[] = [];
  for (let event = 0; event < records; event += 1) {
    const row = generator.at(event);
    values.push(row);
    timestampsUs.push(row.time * US_PER_MS);
  }
  return { name, values, timestampsUs };
}

class NexmarkGenerator {
  readonly #site: (what: string) => ChoiceSite;
  readonly #eventsPerSecond: number;

  constructor(site: (what: string) => ChoiceSite, eventsPerSecond: number) {
    this.#site = site;
    this.#eventsPerSecond = eventsPerSecond;
  }

  /** To be asked in order: each event draws anew. */
  at(event: number): NexmarkRow {
    const place = event % BLOCK;
    if (place < NEXMARK_MIX.person.perBlock) return this.#person(event);
    if (place < NEXMARK_MIX.person.perBlock + NEXMARK_MIX.auction.perBlock) return this.#auction(event);
    return this.#bid(event);
  }

  #person(event: number): Person {
    const first = this.#site('first-name').pick(FIRST_NAMES);
    const last = this.#site('last-name').pick(LAST_NAMES);
    const digits = this.#site('credit-card');
    return {
      kind: 'person',
      event,
      time: this.#timeOf(event),
      id: lastPerson(event) + FIRST_PERSON_ID,
      name: `${first} ${last}`,
      email: `${first.toLowerCase()}@${last.toLowerCase()}.com`,
      creditCard: Array.from({ length: 4 }, () => String(digits.choose(10_000)).padStart(4, '0')).join(' '),
      city: this.#site('city').pick(CITIES),
      state: this.#site('state').pick(STATES),
    };
  }

  #auction(event: number): Auction {
    const time = this.#timeOf(event);
    const isHot = !this.#site('cold-seller').chance(1, HOT_SELLER_RATIO);
    const seller = isHot ? blockOf(lastPerson(event)) : this.#somePerson(event, 'seller');
    const initialBid = this.#price('initial-bid');
    const id = lastAuction(event) + FIRST_AUCTION_ID;
    return {
      kind: 'auction',
      event,
      time,
      id,
      itemName: `item-${String(id)}`,
      initialBid,
      reserve: initialBid + this.#price('reserve'),
      expires: time + this.#lifetimeMs(event, time),
      seller: seller + FIRST_PERSON_ID,
      category: FIRST_CATEGORY_ID + this.#site('category').choose(CATEGORIES),
    };
  }

  #bid(event: number): Bid {
    const isHotAuction = !this.#site('cold-auction').chance(1, HOT_AUCTION_RATIO);
    const auction = isHotAuction ? blockOf(lastAuction(event)) : this.#someAuction(event);
    const isHotBidder = !this.#site('cold-bidder').chance(1, HOT_BIDDER_RATIO);
    // I2: what an active person is called has the first id in it already.
    const bidder = isHotBidder ? blockOf(lastPerson(event)) + 1 : this.#somePerson(event, 'bidder');
    const channel = this.#channel();
    return {
      kind: 'bid',
      event,
      time: this.#timeOf(event),
      auction: auction + FIRST_AUCTION_ID,
      bidder: bidder + 2 * FIRST_PERSON_ID,
      price: this.#price('price'),
      channel,
      url: `https://www.nexmark.com/${channel.toLowerCase()}/item.htm?query=1`,
    };
  }

  /** One of those who are active, or one of the next few. */
  #somePerson(event: number, what: string): number {
    const people = lastPerson(event) + 1;
    const active = Math.min(people, ACTIVE_PEOPLE);
    return people - active + this.#site(what).choose(active + ID_LEAD);
  }

  /** One of those in flight, or one of the next few. */
  #someAuction(event: number): number {
    const newest = lastAuction(event);
    const oldest = Math.max(newest - AUCTIONS_IN_FLIGHT, 0);
    return oldest + this.#site('auction').choose(newest - oldest + 1 + ID_LEAD);
  }

  /** From one millisecond to twice the time in which as many auctions are made as are in flight. */
  #lifetimeMs(event: number, time: number): number {
    const eventsAhead = Math.floor((AUCTIONS_IN_FLIGHT * BLOCK) / NEXMARK_MIX.auction.perBlock);
    const horizonMs = this.#timeOf(event + eventsAhead) - time;
    return 1 + this.#site('lifetime').choose(Math.max(horizonMs * 2, 1));
  }

  #channel(): string {
    const isHot = this.#site('hot-channel').chance(1, 2);
    if (isHot) return this.#site('named-channel').pick(HOT_CHANNELS);
    return `channel-${String(this.#site('channel').choose(CHANNELS))}`;
  }

  #price(what: string): number {
    return nexmarkPrice(this.#site(what).choose(PRICE_STEPS));
  }

  #timeOf(event: number): number {
    return BASE_TIME_MS + Math.floor((event * MS_PER_SECOND) / this.#eventsPerSecond);
  }
}

/** Person made last at or before this event, from 0. */
const lastPerson = (event: number): number => Math.floor(event / BLOCK);

/** Auction made last at or before this event, from 0; -1 before the first. */
function lastAuction(event: number): number {
  const { perBlock } = NEXMARK_MIX.auction;
  const inBlock = (event % BLOCK) - NEXMARK_MIX.person.perBlock + 1;
  return Math.floor(event / BLOCK) * perBlock + Math.min(Math.max(inBlock, 0), perBlock) - 1;
}

const blockOf = (id: number): number => Math.floor(id / HOT_BLOCK) * HOT_BLOCK;

/** 10^(1/2), 10^(1/4), 10^(1/8) ... times 10^7: what each bit of an exponent's fraction multiplies by. */
const ROOTS_OF_TEN = [
  31_622_777, 17_782_794, 13_335_214, 11_547_820, 10_746_078, 10_366_329, 10_181_517, 10_090_350, 10_045_074,
  10_022_511, 10_011_249, 10_005_623,
];
const ROOT_SCALE = 10_000_000;
const FRACTIONS = 1 << ROOTS_OF_TEN.length;
const DECADES = 6;
/** Exponents that can be drawn: six decades, each in so many steps. */
export const PRICE_STEPS = DECADES * FRACTIONS;

/** round(100 * 10^(6u)) for u = step / PRICE_STEPS. Every product stays below 2^53. */
export function nexmarkPrice(step: number): number {
  let fraction = step % FRACTIONS;
  let bit = FRACTIONS;
  let scaled = ROOT_SCALE;
  for (const root of ROOTS_OF_TEN) {
    bit /= 2;
    if (fraction < bit) continue;
    fraction -= bit;
    scaled = Math.floor((scaled * root) / ROOT_SCALE);
  }
  let hundreds = 100;
  for (let decade = Math.floor(step / FRACTIONS); decade > 0; decade -= 1) hundreds *= 10;
  return Math.floor((scaled * hundreds + ROOT_SCALE / 2) / ROOT_SCALE);
}
