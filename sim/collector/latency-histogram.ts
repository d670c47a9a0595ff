/**
 * A histogram of latencies in microseconds with integer buckets that widen with the value: exact below 64, then 32 buckets
 * per power of two, so that a quantile is at most 3 % off (as HdrHistogram does).
 *
 * I1: a bucket's upper edge is reported, never more than the maximum that was seen.
 */
import type { LatencyRecord } from '../run-record.ts';

const EXACT = 64;
const STEPS_PER_DOUBLING = 32;
/** Latencies at or above 2^31 microseconds (36 minutes) share the last bucket. */
const LARGEST = 0x7fff_ffff;
/** Buckets of 6 to 30 leading bits. */
const BUCKETS = EXACT + 25 * STEPS_PER_DOUBLING;

export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #max = 0;

  add(latencyUs: number): void {
    const value = latencyUs < 0 ? 0 : latencyUs;
    const bucket = bucketOf(value > LARGEST ? LARGEST : value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    if (value > this.#max) this.#max = value;
  }

  toRecord(): LatencyRecord {
    return { count: this.#count, p50Us: this.#quantile(50), p99Us: this.#quantile(99), maxUs: this.#max };
  }

  /** The smallest bucket edge that at least `percent` of all values do not exceed; 0 when there are none. */
  #quantile(percent: number): number {
    const rank = Math.ceil((this.#count * percent) / 100);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket] ?? 0;
      if (rank > 0 && seen >= rank) return Math.min(upperEdge(bucket), this.#max);
    }
    return 0;
  }
}

function bucketOf(value: number): number {
  if (value < EXACT) return value;
  const shift = 26 - Math.clz32(value);
  return EXACT + (shift - 1) * STEPS_PER_DOUBLING + ((value >>> shift) - STEPS_PER_DOUBLING);
}

function upperEdge(bucket: number): number {
  if (bucket < EXACT) return bucket;
  const shift = Math.floor((bucket - EXACT) / STEPS_PER_DOUBLING) + 1;
  const step = ((bucket - EXACT) % STEPS_PER_DOUBLING) + STEPS_PER_DOUBLING;
  return (((step + 1) << shift) >>> 0) - 1;
}
