/**
 * Latency shapes as integer tables: 256 knots that bound 255 equally likely segments; within a segment all values are
 * equally likely.
 *
 * Owns: sampling and scaling. Does not own: the numbers of the shapes (quantile-tables.ts) or chance (choice.ts).
 * Hardware profiles are built from these.
 *
 * I1: a distribution has 256 knots, whole, non-negative and non-decreasing.
 * I2: a sample lies between the first and the last knot; all-boring choices give the first, the minimum.
 * I3: only integers and their quotients, rounded to whole numbers, are computed: the same on every machine.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { ChoiceSite } from './choice.ts';
import { EXPONENTIAL_QUANTILES, LOGNORMAL_QUANTILES, type LognormalSigma } from './quantile-tables.ts';

export interface Distribution {
  /** For people: shape and parameters. */
  readonly name: string;
  /** The 256 knots in microseconds, from the minimum to the maximum. */
  readonly quantilesUs: readonly number[];
}

export type { LognormalSigma };

export interface LognormalOptions {
  /** Half of all samples are below, in microseconds. */
  readonly medianUs: number;
  /** Spread: the standard deviation of the logarithm. */
  readonly sigma: LognormalSigma;
  /** No sample is below, in microseconds; 0 when absent. At most the median. */
  readonly floorUs?: number;
}

export interface ExponentialOptions {
  /** Mean in microseconds. */
  readonly meanUs: number;
}

const KNOTS = 256;
const SEGMENTS = KNOTS - 1;
/** Places within a segment, a power of two so that dividing by it is exact. */
const STEPS = 1024;
/** What the ready tables count as one. */
const TABLE_UNIT = 1_000_000;
/** About 50 days; keeps knot times step within safe integers. */
const MAX_KNOT_US = 0x400_0000_0000;
assert(MAX_KNOT_US * STEPS <= Number.MAX_SAFE_INTEGER, 'interpolation stays within safe integers');

/** A delay in microseconds. A distribution with a single value draws nothing. */
export function sampleUs(distribution: Distribution, site: ChoiceSite): number {
  const knots = distribution.quantilesUs;
  if (knots[0] === knots[SEGMENTS]) return knots[0] ?? 0;
  const segment = site.choose(SEGMENTS);
  const step = site.choose(STEPS);
  const low = knots[segment] ?? 0;
  const high = knots[segment + 1] ?? 0;
  // Half a step is added before rounding down: Math.round costs as much as a draw.
  return low + Math.floor(((high - low) * step + STEPS / 2) / STEPS);
}

/** No sample is longer. */
export const longestUs = ({ quantilesUs }: Distribution): number => quantilesUs[SEGMENTS] ?? 0;

/** The same shape, stretched or shrunk, in whole microseconds. */
export function scaled(distribution: Distribution, numerator: number, denominator: number): Distribution {
  const name = `${distribution.name}*${numerator}/${denominator}`;
  return checked({ name, quantilesUs: multiplied(distribution.quantilesUs, numerator, denominator) });
}

export function constant(us: number): Distribution {
  return checked({ name: `constant(${us})`, quantilesUs: new Array<number>(KNOTS).fill(us) });
}

/** All values from the low to the high bound equally likely. */
export function uniform(lowUs: number, highUs: number): Distribution {
  const quantilesUs = Array.from(
    { length: KNOTS },
    (_, index) => lowUs + Math.round(((highUs - lowUs) * index) / SEGMENTS),
  );
  return checked({ name: `uniform(${lowUs}..${highUs})`, quantilesUs });
}

/** Many small causes multiplied: the usual shape of a service's latency. */
export function lognormal(options: LognormalOptions): Distribution {
  const { medianUs, sigma, floorUs = 0 } = options;
  assert(floorUs <= medianUs, 'a floor is at most the median', { floorUs, medianUs });
  const stretched = multiplied(LOGNORMAL_QUANTILES[sigma], medianUs, TABLE_UNIT);
  return checked({
    name: `lognormal(median ${medianUs}, sigma ${sigma}, floor ${floorUs})`,
    quantilesUs: stretched.map((knotUs) => Math.max(knotUs, floorUs)),
  });
}

/** Waiting for something that forgets how long one has waited. */
export function exponential(options: ExponentialOptions): Distribution {
  const { meanUs } = options;
  const quantilesUs = multiplied(EXPONENTIAL_QUANTILES, meanUs, TABLE_UNIT);
  return checked({ name: `exponential(mean ${meanUs})`, quantilesUs });
}

function multiplied(knotsUs: readonly number[], numerator: number, denominator: number): number[] {
  assert(Number.isSafeInteger(numerator) && numerator >= 0, 'a factor is a fraction of whole numbers', { numerator });
  assert(Number.isSafeInteger(denominator) && denominator > 0, 'a factor divides by a positive whole number', {
    denominator,
  });
  const greatest = (knotsUs[SEGMENTS] ?? 0) * denominator;
  assert(greatest <= Number.MAX_SAFE_INTEGER, 'a stretched distribution stays within safe integers', { denominator });
  // The whole part apart, so that long times do not leave the safe integers on the way.
  const rest = numerator % denominator;
  const whole = (numerator - rest) / denominator;
  return knotsUs.map((knotUs) => knotUs * whole + Math.round((knotUs * rest) / denominator));
}

/** I1, for every distribution that is made here. */
function checked(distribution: Distribution): Distribution {
  const { name, quantilesUs } = distribution;
  assert(quantilesUs.length === KNOTS, 'a distribution has 256 knots', { name });
  let previous = 0;
  for (const knotUs of quantilesUs) {
    assert(Number.isInteger(knotUs) && knotUs <= MAX_KNOT_US, 'a knot is a whole number below 50 days', {
      name,
      knotUs,
    });
    assert(knotUs >= previous, 'knots do not decrease and start at 0 or later', { name, knotUs, previous });
    previous = knotUs;
  }
  return distribution;
}
