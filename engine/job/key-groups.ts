/**
 * Key groups: the unit in which keyed state is assigned, snapshotted and moved when a job is rescaled.
 *
 * Owns the arithmetic of Flink's `KeyGroupRangeAssignment` to the letter (rows S1 to S3), so that records and state of
 * a key always meet in the same subtask, before and after a rescale. Called by partitioners, backends, state assignment.
 *
 * I1: a key belongs to exactly one key group, fixed by the key and the maximum parallelism alone.
 * I2: for a given parallelism the ranges of the subtasks are disjoint and cover [0, maxParallelism).
 * I3: `subtaskOf(g)` is i exactly if `keyGroupRangeOf(i)` contains g.
 */

import { assert } from '../foundation/assert.ts';
import { keyHashCode, murmurHash, type StateKey } from '../foundation/stable-hash.ts';

/** A range of key groups; both ends belong to it. */
export interface KeyGroupRange {
  /** First key group. */
  readonly start: number;
  /** Last key group. */
  readonly end: number;
}

/** Flink's `UPPER_BOUND_MAX_PARALLELISM`, 1 << 15: key-group ids fit in two bytes. */
export const MAX_PARALLELISM_UPPER_BOUND = 32_768;
/** Flink's `DEFAULT_LOWER_BOUND_MAX_PARALLELISM`: room to grow for small jobs. */
const MAX_PARALLELISM_LOWER_BOUND = 128;

assert(MAX_PARALLELISM_LOWER_BOUND <= MAX_PARALLELISM_UPPER_BOUND, 'the bounds of the maximum parallelism are ordered');

/** The key group of a key (row S1). */
export function keyGroupOf(key: StateKey, maxParallelism: number): number {
  return murmurHash(keyHashCode(key)) % maxParallelism;
}

/** The subtask that owns a key group (row S2). */
export function subtaskOf(keyGroup: number, parallelism: number, maxParallelism: number): number {
  assertParallelism(parallelism, maxParallelism);
  assert(keyGroup >= 0 && keyGroup < maxParallelism, 'a key group is below the maximum parallelism', {
    keyGroup,
    maxParallelism,
  });
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** The key groups that a subtask owns (row S2). */
export function keyGroupRangeOf(subtaskIndex: number, parallelism: number, maxParallelism: number): KeyGroupRange {
  assertParallelism(parallelism, maxParallelism);
  assert(subtaskIndex >= 0 && subtaskIndex < parallelism, 'a subtask index is below the parallelism', {
    subtaskIndex,
    parallelism,
  });
  const start = Math.floor((subtaskIndex * maxParallelism + parallelism - 1) / parallelism);
  const end = Math.floor(((subtaskIndex + 1) * maxParallelism - 1) / parallelism);
  assert(start <= end, 'I2: a subtask owns at least one key group', { subtaskIndex, parallelism, maxParallelism });
  return { start, end };
}

/** The maximum parallelism of an operator for which the user set none (row S3). */
export function defaultMaxParallelism(parallelism: number): number {
  assert(Number.isInteger(parallelism) && parallelism >= 1, 'a parallelism is a positive integer', { parallelism });
  assert(parallelism <= MAX_PARALLELISM_UPPER_BOUND, 'a parallelism is within the upper bound', { parallelism });
  const wanted = roundUpToPowerOfTwo(parallelism + Math.floor(parallelism / 2));
  return Math.min(Math.max(wanted, MAX_PARALLELISM_LOWER_BOUND), MAX_PARALLELISM_UPPER_BOUND);
}

function assertParallelism(parallelism: number, maxParallelism: number): void {
  assert(Number.isInteger(parallelism) && parallelism >= 1, 'a parallelism is a positive integer', { parallelism });
  assert(parallelism <= maxParallelism, 'a parallelism is at most the maximum parallelism', {
    parallelism,
    maxParallelism,
  });
  assert(maxParallelism <= MAX_PARALLELISM_UPPER_BOUND, 'a maximum parallelism is within the upper bound', {
    maxParallelism,
  });
}

function roundUpToPowerOfTwo(value: number): number {
  let power = 1;
  while (power < value) power *= 2;
  return power;
}
