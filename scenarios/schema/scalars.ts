/**
 * Scalars with units: text in a scenario file, integers behind it.
 *
 * A duration is microseconds, a size is bytes, and the unit is required: a bare number says nothing about what it counts.
 * Every message here is of the form `expected ...`, which parse.ts completes with what was found.
 */
import { z } from 'zod';
import type { Range, Ratio } from '../scenario.ts';

const DURATION = String.raw`\d+(?:\.\d{1,3})?(?:us|ms|s|m|h)`;
const DURATION_EXPECTATION = 'expected a duration with its unit (us, ms, s, m, h), such as 500ms, 2s or 1m';
const RANGE_EXPECTATION = 'expected a duration or a range of them with units, such as 2s or 4s..9s';
const SIZE_EXPECTATION = 'expected a size with its unit (B, KiB, MiB, GiB), such as 100B or 64KiB';
const RATE_EXPECTATION = 'expected a rate such as 2000/s, or unlimited';
const RATIO_EXPECTATION = 'expected a fraction from 0/1 to 1/1, such as 1/3';

/** A draw has 32 bits. */
const WIDEST_RANGE_US = 3_600_000_000;

const US_OF_UNIT: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
};
const BYTES_OF_UNIT: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };

/** Microseconds. */
export function duration() {
  return textLike(new RegExp(`^${DURATION}$`), DURATION_EXPECTATION, ['500ms', '2s', '1m']).transform(microsOf);
}

/** Microseconds from low to high; one duration is both ends. */
export function durationRange() {
  return textLike(new RegExp(`^${DURATION}(?:\\.\\.${DURATION})?$`), RANGE_EXPECTATION, ['2s', '500ms..3s'])
    .transform(rangeOf)
    .refine((range) => range.low <= range.high, { error: 'expected a range whose first end is not the longer one' })
    .refine((range) => range.high - range.low <= WIDEST_RANGE_US, { error: 'expected a range at most an hour wide' });
}

/** Bytes. */
export function size() {
  return textLike(/^\d+(?:B|KiB|MiB|GiB)$/, SIZE_EXPECTATION, ['100B', '64KiB']).transform((text) =>
    scaled(text, BYTES_OF_UNIT),
  );
}

/** Bytes from low to high; one size is both ends. */
export function sizeRange() {
  const one = String.raw`\d+(?:B|KiB|MiB|GiB)`;
  const expectation = 'expected a size or a range of them with units (B, KiB, MiB, GiB), such as 64KiB or 4KiB..64KiB';
  return textLike(new RegExp(`^${one}(?:\\.\\.${one})?$`), expectation, ['64KiB', '4KiB..64KiB'])
    .transform((written): Range => {
      const [low = '', high = low] = written.split('..');
      return { low: scaled(low, BYTES_OF_UNIT), high: scaled(high, BYTES_OF_UNIT) };
    })
    .refine(({ low, high }) => low <= high && high - low <= WIDEST_RANGE_US, { error: expectation });
}

/** Records per second; 0 for `unlimited`. */
export function rate() {
  return textLike(/^(?:[1-9]\d{0,8}\/s|unlimited)$/, RATE_EXPECTATION, ['2000/s', 'unlimited']).transform((text) =>
    text === 'unlimited' ? 0 : Number(text.slice(0, -2)),
  );
}

/** A probability. */
export function chance() {
  return fraction(RATIO_EXPECTATION, '1/3').refine((ratio) => ratio.numerator <= ratio.denominator, {
    error: RATIO_EXPECTATION,
  });
}

/** A factor of at least one. */
export function multiplier() {
  const expectation = 'expected a fraction of at least 1/1, such as 3/2';
  return fraction(expectation, '3/2').refine((ratio) => ratio.numerator >= ratio.denominator, { error: expectation });
}

/** An integer of at least `least`. */
export function count(least = 1) {
  const expectation = `expected a whole number of at least ${least}`;
  return z.int({ error: expectation }).min(least, { error: expectation });
}

/** An integer of at least `least`, or a range of them; a single one stays a number. */
export function countRange(least = 1) {
  const expectation = `expected a whole number of at least ${least}, or a range of them such as 2..5`;
  const ranged = textLike(/^\d{1,9}\.\.\d{1,9}$/, expectation, ['2..5'])
    .transform((text): Range => {
      const [low, high] = text.split('..').map(Number);
      return { low: low ?? 0, high: high ?? 0 };
    })
    .refine(({ low, high }) => low >= least && low <= high, { error: expectation });
  return z.union([count(least), ranged], { error: expectation });
}

/** Text that is not empty. */
export function text(what: string) {
  const expectation = `expected ${what}`;
  return z.string({ error: expectation }).min(1, { error: expectation });
}

/** Parts per million. */
export function partsPerMillion() {
  return textLike(/^\d{1,6}ppm$/, 'expected a drift with its unit, such as 100ppm', ['100ppm']).transform((value) =>
    Number(value.slice(0, -3)),
  );
}

/** A record that has exactly these keys; the message of an unknown one lists them. */
export function record<Shape extends z.ZodRawShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? `expected one of: ${keys}` : undefined),
  });
}

function fraction(expectation: string, example: string) {
  return textLike(/^\d{1,9}\/[1-9]\d{0,8}$/, expectation, [example]).transform((value): Ratio => {
    const [numerator, denominator] = value.split('/');
    return { numerator: Number(numerator), denominator: Number(denominator) };
  });
}

function textLike(pattern: RegExp, expectation: string, examples: readonly string[]) {
  return z
    .string({ error: expectation })
    .regex(pattern, { error: expectation })
    .meta({ examples: [...examples] });
}

function rangeOf(value: string): Range {
  const [low = '', high = low] = value.split('..');
  return { low: microsOf(low), high: microsOf(high) };
}

const microsOf = (value: string): number => scaled(value, US_OF_UNIT);

/** Fractions below the smallest unit are rounded. */
function scaled(value: string, factors: Readonly<Record<string, number>>): number {
  const match = /^([\d.]+)([A-Za-z]+)$/.exec(value);
  return Math.round(Number(match?.[1] ?? 0) * (factors[match?.[2] ?? ''] ?? 0));
}
