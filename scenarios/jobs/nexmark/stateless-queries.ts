/** Nexmark q0, q1, q2: one bid at a time, nothing is remembered. */
import { type NexmarkQuery, ONE_ANSWER } from './event-streams.ts';

export const passThrough: NexmarkQuery = {
  description: 'q0: every bid as it is.',
  audit: ONE_ANSWER,
  build: (events) => events.bids(),
};

/** 0.908 euros to the dollar; in thousandths, so that no fraction is lost. */
const THOUSANDTHS_OF_EURO = 908;

export const currencyConversion: NexmarkQuery = {
  description: 'q1: every bid with its price in euros, in thousandths.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .bids()
      .map(({ auction, bidder, price, time }) => ({ auction, bidder, price: price * THOUSANDTHS_OF_EURO, time })),
};

const SELECTED_MODULO = 123;

export const selection: NexmarkQuery = {
  description: 'q2: auction and price of the bids on every 123rd auction.',
  audit: ONE_ANSWER,
  build: (events) =>
    events
      .bids()
      .filter(({ auction }) => auction % SELECTED_MODULO === 0)
      .map(({ auction, price }) => ({ auction, price })),
};
