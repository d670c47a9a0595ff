/**
 * Trades in the shares whose monthly prices are in `stocks` (vega-datasets), from its first month on: a trade every four days and some hours.
 * Half of them are of a size that moves prices, and those are more often sales.
 */
import type { Dataset } from '../../sim/judges/job-audit.ts';
import { Choices } from '../../sim/kernel/choice.ts';
import { daysFromCivil } from './calendar.ts';

export interface StockTrade {
  readonly trade: number;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  /** Shares. */
  readonly size: number;
}

const SYMBOLS = ['AAPL', 'AMZN', 'GOOG', 'IBM', 'MSFT'] as const;
const US_PER_HOUR = 3_600_000_000;
const HOURS_PER_TRADE = 96;
const FIRST_HOUR = daysFromCivil(2000, 1, 1) * 24;
const SMALL_LOT = 100;
const LARGE_LOT = 5_000;

export function stockTrades(seed: string, records: number): Omit<Dataset, 'name'> {
  const choices = new Choices({ rootSeed: seed });
  const draw = choices.site('dataset/stock-trades');
  const values: StockTrade[] = [];
  const timestampsUs: number[] = [];
  for (let trade = 0; trade < records; trade += 1) {
    const symbol = SYMBOLS[draw.choose(SYMBOLS.length)] ?? 'IBM';
    const isLarge = draw.chance(1, 2);
    const side = draw.chance(isLarge ? 2 : 1, 3) ? 'sell' : 'buy';
    const size = (1 + draw.choose(9)) * (isLarge ? LARGE_LOT : SMALL_LOT);
    values.push({ trade, symbol, side, size });
    // Never at the first hour of a day, at which prices come.
    timestampsUs.push((FIRST_HOUR + trade * HOURS_PER_TRADE + 1 + draw.choose(23)) * US_PER_HOUR);
  }
  return { values, timestampsUs };
}
