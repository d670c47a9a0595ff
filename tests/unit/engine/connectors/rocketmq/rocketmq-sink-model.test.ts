/**
 * Half messages and check-back, whatever is lost: ends, confirmations, attempts, the broker's memory (rows K6, K7, K9). In the end consumers have
 * seen the records of completed checkpoints, each once if they go by keys, and nothing is left half.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EngineParts, standardParts } from '../../../../../engine/parts.ts';
import { constant } from '../../../../../sim/kernel/distribution.ts';
import { RocketMqBroker, RocketMqDisk } from '../../../../../sim/services/rocketmq-broker.ts';
import { SinkBench, type SinkStep, sortedNumbers } from '../../../../support/sink-bench.ts';

function settled(
  all: readonly SinkStep[],
  parts: EngineParts = standardParts,
  consumers: 'keyed' | 'plain' = 'keyed',
): { readonly bench: SinkBench; readonly left: readonly string[] } {
  const disk = new RocketMqDisk(consumers);
  const bench = new SinkBench({
    spec: { guarantee: 'exactly-once', batchRecords: 2, rocketmq: true },
    parts,
    service: ({ conditions, choices }) =>
      new RocketMqBroker({
        disk,
        conditions,
        latency: constant(1_000),
        checkAfterUs: 20_000,
        latencySite: choices.site('latency'),
        conditionSite: choices.site('condition'),
      }),
  });
  for (const step of all) bench.step(step);
  bench.settle();
  return { bench, left: [...disk.prepared.keys()] };
}

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<SinkStep>('write', 'checkpoint', 'notify') },
    { weight: 3, arbitrary: fc.constantFrom<SinkStep>('crash', 'zombie', 'silence', 'speech', 'wait', 'restart') },
  ),
  { minLength: 4, maxLength: 40, size: 'max' },
);

test('consumers that go by keys see the records of completed checkpoints, each once, and nothing is left half', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const { bench, left } = settled(all);
      expect(sortedNumbers(bench.visible)).toEqual(sortedNumbers(bench.expected));
      expect(left).toEqual([]);
    }),
    { numRuns: 150, seed: 91 },
  );
});

test('an end that is lost is made good by the check-back, also when its sender is gone', () => {
  const { bench } = settled(['write', 'checkpoint', 'silence', 'notify', 'crash', 'wait', 'speech', 'wait']);
  expect(sortedNumbers(bench.visible)).toEqual(sortedNumbers(bench.expected));
  expect(bench.expected.slice(0, 3)).toEqual([1, 2, 3]);
});

test('who does not go by keys sees twice what was stored twice', () => {
  const all: SinkStep[] = ['silence', 'write', 'checkpoint', 'wait', 'speech', 'wait', 'notify', 'wait'];
  const seen = sortedNumbers(settled(all, standardParts, 'plain').bench.visible);
  expect(new Set(seen).size).toBeLessThan(seen.length);
  expect(sortedNumbers(settled(all).bench.visible)).toEqual([...new Set(seen)]);
});

test.each([
  ['commit whatever it is', { checkBack: () => 'commit' }, ['write', 'wait', 'wait', 'crash', 'write', 'wait']],
  [
    'roll back what is undecided',
    { checkBack: (known) => (known === 'unknown' ? 'rollback' : known) },
    ['write', 'checkpoint', 'wait', 'wait', 'notify'],
  ],
] as const satisfies readonly [string, Partial<EngineParts>, readonly SinkStep[]][])(
  'an answer to %s is wrong',
  (_, wrong, all) => {
    const { bench } = settled(all, { ...standardParts, ...wrong });
    expect(sortedNumbers(bench.visible)).not.toEqual(sortedNumbers(bench.expected));
    const right = settled(all).bench;
    expect(sortedNumbers(right.visible)).toEqual(sortedNumbers(right.expected));
  },
);
