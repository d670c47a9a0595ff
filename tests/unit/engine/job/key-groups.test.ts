/** Rows S1 to S3: the arithmetic of Flink's KeyGroupRangeAssignment. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  defaultMaxParallelism,
  keyGroupOf,
  keyGroupRangeOf,
  MAX_PARALLELISM_UPPER_BOUND,
  subtaskOf,
} from '../../../../engine/job/key-groups.ts';

test('key groups: the ranges of all subtasks cover all groups once, and subtaskOf agrees (I2, I3)', () => {
  const jobs = fc
    .integer({ min: 1, max: 2000 })
    .chain((max) => fc.tuple(fc.constant(max), fc.integer({ min: 1, max })));
  fc.assert(
    fc.property(jobs, ([max, parallelism]) => {
      let next = 0;
      for (let subtask = 0; subtask < parallelism; subtask++) {
        const { start, end } = keyGroupRangeOf(subtask, parallelism, max);
        if (start !== next || end < start) throw new Error(`gap or overlap before ${String(start)}`);
        for (let group = start; group <= end; group++) {
          if (subtaskOf(group, parallelism, max) !== subtask) throw new Error(`group ${String(group)} is elsewhere`);
        }
        next = end + 1;
      }
      expect(next).toBe(max);
    }),
    { seed: 3, numRuns: 200 },
  );
});

test('key groups: ranges of Flink, 128 groups over 3 subtasks', () => {
  expect([0, 1, 2].map((i) => keyGroupRangeOf(i, 3, 128))).toEqual([
    { start: 0, end: 42 },
    { start: 43, end: 85 },
    { start: 86, end: 127 },
  ]);
});

test('default maximum parallelism: 1.5 times the parallelism, rounded up to a power of two, within bounds', () => {
  expect([1, 85, 86, 128, 171, 21_845, 32_768].map(defaultMaxParallelism)).toEqual([
    128,
    128,
    256,
    256,
    256,
    32_768,
    MAX_PARALLELISM_UPPER_BOUND,
  ]);
});

test('keyGroupOf: known groups, and equal keys share one', () => {
  expect(keyGroupOf(0, 128)).toBe(0x2362f9de % 128);
  expect(keyGroupOf(-0, 128)).toBe(keyGroupOf(0, 128));
  expect(keyGroupOf(-1, 32_768)).toBe(0x76293b50 % 32_768);
});

test('key groups: a parallelism above the maximum is refused', () => {
  expect(() => keyGroupRangeOf(0, 129, 128)).toThrow();
  expect(() => subtaskOf(128, 4, 128)).toThrow();
  expect(() => defaultMaxParallelism(40_000)).toThrow();
});
