/** Numbers on the way to the simplest one, boldest step first: what shrinking tries in the place of a number. */
import type { Search } from './search.ts';

/** Between `least` and `value`, without `value`: the least, a quarter and a half of the way, then less and less below the value. */
export function smallerNumbers(value: number, least: number): number[] {
  if (value <= least) return [];
  const steps = [least, least + Math.floor((value - least) / 4)];
  // Down to one below, so that the search ends at a boundary and comes there in few steps.
  for (let below = Math.ceil((value - least) / 2); below > 1; below = Math.ceil(below / 2)) steps.push(value - below);
  return [...new Set([...steps, value - 1])].filter((step) => step < value);
}

/**
 * The least number from `least` to `value` for which it is still so, `value` being one; found in few questions, but only if it is so for all
 * numbers above. Else a number for which it is so where it is not for the one below. Asks by thirds: two questions that may be answered at once.
 */
export function* leastNumber<Candidate>(
  least: number,
  value: number,
  candidateOf: (number: number) => Candidate,
): Search<number, Candidate> {
  if (value <= least || (yield [candidateOf(least)]) !== undefined) return Math.min(value, least);
  let [below, number] = [least, value];
  while (number - below > 1) {
    const third = Math.max(1, Math.floor((number - below) / 3));
    const tries = [...new Set([below + third, number - third])].filter((one) => one > below && one < number);
    const found = yield tries.map(candidateOf);
    const next: number | undefined = found === undefined ? undefined : tries[found];
    below = (found === undefined ? tries.at(-1) : tries[found - 1]) ?? below;
    number = next ?? number;
  }
  return number;
}

/** Lengths that people would say, in microseconds. */
const ROUND_LENGTHS_US = [
  0, 1_000, 10_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000, 8_000_000,
  10_000_000, 15_000_000, 20_000_000, 30_000_000, 45_000_000, 60_000_000, 120_000_000, 300_000_000,
];

/** Round lengths below one, shortest first. */
export const shorterLengths = (lengthUs: number, leastUs = 0): number[] =>
  ROUND_LENGTHS_US.filter((round) => round >= leastUs && round < lengthUs);

/** A second, a tenth, a hundredth ... below an instant, roundest first. */
export function rounderInstants(atUs: number): number[] {
  return [1_000_000, 100_000, 10_000, 1_000]
    .map((unit) => atUs - (atUs % unit))
    .filter((rounded, index, all) => rounded !== atUs && all.indexOf(rounded) === index);
}
