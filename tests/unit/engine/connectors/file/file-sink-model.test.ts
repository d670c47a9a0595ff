/**
 * A file sink against HDFS and an object store, whatever the order of records, checkpoints, crashes, zombies and lost answers (rows K6, K7, K12):
 * what readers see in the end are the records of completed checkpoints, each once, and no file in progress is left.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EngineParts, standardParts } from '../../../../../engine/parts.ts';
import { Choices } from '../../../../../sim/kernel/choice.ts';
import { constant } from '../../../../../sim/kernel/distribution.ts';
import { HdfsDisk } from '../../../../../sim/services/hdfs-disk.ts';
import { ObjectStoreDisk } from '../../../../../sim/services/object-store-disk.ts';
import { OutputDisk } from '../../../../../sim/services/output-disk.ts';
import { USUAL_STORAGE } from '../../../../../sim/services/storage-physics.ts';
import { StorageService } from '../../../../../sim/services/storage-service.ts';
import { type Loss, SinkBench, type SinkStep, sortedNumbers } from '../../../../support/sink-bench.ts';

type Kind = 'hdfs' | 'object-store';
const LATENCY = constant(1_000);

interface Settled {
  readonly bench: SinkBench;
  readonly unfinished: readonly string[];
}

function outputDisk(kind: Kind): OutputDisk {
  const latency = { operation: LATENCY, write: LATENCY, sync: LATENCY, read: LATENCY, usPerMiB: 1 };
  const objects = { putBase: LATENCY, putUsPerMiB: 1, get: LATENCY, deleteUs: 1_000, listUs: 1_000 };
  const delaySite = new Choices({ rootSeed: 'disk' }).site('delay');
  return new OutputDisk(
    kind === 'hdfs'
      ? new HdfsDisk({ ...USUAL_STORAGE, latency, safeModeUs: 5_000 })
      : new ObjectStoreDisk({ ...USUAL_STORAGE, latency: objects, delaySite }),
  );
}

function settled(
  kind: Kind,
  all: readonly SinkStep[],
  parts: EngineParts = standardParts,
  compactCheckpoints = 0,
): Settled {
  const disk = outputDisk(kind);
  const bucketOf = (value: unknown): string => (value as { key: string }).key;
  let starts = 0;
  const bench = new SinkBench({
    spec: {
      guarantee: 'exactly-once',
      batchRecords: 2,
      file: {
        storage: kind,
        directory: 'output',
        partBytes: 120,
        bucketOf,
        ...(compactCheckpoints === 0 ? {} : { compactCheckpoints }),
      },
    },
    parts,
    service: ({ conditions, choices }) => {
      starts += 1;
      const sites = { latencySite: choices.site('latency'), conditionSite: choices.site('condition') };
      return new StorageService({ disk, conditions, ...sites, isRestart: starts > 1 });
    },
  });
  for (const step of all) bench.step(step);
  // What is held back takes its checkpoints to be seen.
  for (let more = 0; more <= compactCheckpoints; more += 1) bench.settle();
  return { bench, unfinished: disk.openTransactions().map(({ transaction }) => transaction) };
}

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<SinkStep>('write', 'checkpoint', 'notify') },
    { weight: 2, arbitrary: fc.constantFrom<SinkStep>('crash', 'zombie', 'silence', 'speech', 'wait', 'restart') },
    {
      weight: 2,
      arbitrary: fc.record(
        {
          lost: fc.constantFrom<Loss['lost']>('request', 'reply'),
          after: fc.integer({ min: 0, max: 9 }),
          lateByTicks: fc.integer({ min: 1, max: 120 }),
        },
        { requiredKeys: ['lost', 'after'] },
      ),
    },
  ),
  { minLength: 4, maxLength: 40, size: 'max' },
);
describe.each<Kind>(['hdfs', 'object-store'])('a file sink on %s', (kind) => {
  test('shows the records of completed checkpoints, each once, and leaves nothing in progress', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { bench, unfinished } = settled(kind, all);
        expect(sortedNumbers(bench.visible)).toEqual(sortedNumbers(bench.expected));
        expect(unfinished).toEqual([]);
      }),
      { numRuns: 100, seed: 60 },
    );
  });

  test('a commit whose answer was lost is found done after the crash (row K7)', () => {
    const { bench } = settled(kind, ['write', 'checkpoint', 'silence', 'notify', 'wait', 'crash', 'speech', 'wait']);
    expect(sortedNumbers(bench.visible)).toEqual(sortedNumbers(bench.expected));
    expect(bench.expected.length).toBeGreaterThanOrEqual(9);
  });

  test('what a repeated beginning left is gone when its file is committed, whichever message of the commit is lost', () => {
    // The first answer to the beginning of a file is lost, so it is begun twice.
    const begun: SinkStep[] = ['wait', { lost: 'reply', after: 0 }, 'write', 'wait', 'checkpoint', 'wait'];
    for (const lost of ['request', 'reply'] as const)
      for (let after = 0; after < 12; after += 1) {
        const { bench, unfinished } = settled(kind, [...begun, { lost, after }, 'notify', 'wait', 'wait']);
        expect(unfinished, `${lost} ${after} is lost`).toEqual([]);
        expect(sortedNumbers(bench.visible)).toEqual(sortedNumbers(bench.expected));
      }
  });

  test('a beginning that comes after its file was committed is undone with the next checkpoint', () => {
    for (let lateByTicks = 10; lateByTicks < 250; lateByTicks += 5) {
      const late: SinkStep[] = ['wait', { lost: 'request', after: 0, lateByTicks }, 'write', 'wait', 'checkpoint'];
      const { bench, unfinished } = settled(kind, [...late, 'wait', 'notify', 'wait', 'wait']);
      expect(unfinished, `${lateByTicks} ms late`).toEqual([]);
      expect(sortedNumbers(bench.visible)).toEqual(sortedNumbers(bench.expected));
    }
  });

  test('what an attempt had in progress is removed, what its checkpoint commits is not', () => {
    const all: SinkStep[] = ['write', 'checkpoint', 'write', 'write', 'crash', 'wait'];
    expect(settled(kind, all).unfinished).toEqual([]);
    expect(settled(kind, all, { ...standardParts, outputOfEarlierAttempts: 'left' }).unfinished).not.toEqual([]);
  });
});

test('compaction on HDFS: each record is in one file that is seen, whatever crashes meet it, and small ones go', () => {
  let compacted = 0;
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 3 }), (all, checkpoints) => {
      const { bench, unfinished } = settled('hdfs', all, standardParts, checkpoints);
      const seen = sortedNumbers(bench.visible);
      expect(new Set(seen).size).toBe(seen.length);
      // The newest are held back still.
      const due = sortedNumbers(bench.expected);
      expect(seen).toEqual(due.slice(0, seen.length));
      expect(due.length - seen.length).toBeLessThanOrEqual(6 * (checkpoints + 2));
      expect(unfinished.length).toBeLessThanOrEqual(9 * (checkpoints + 2));
      compacted += bench.probes('output-files-compacted');
    }),
    { numRuns: 60, seed: 12 },
  );
  expect(compacted).toBeGreaterThan(60);
});
