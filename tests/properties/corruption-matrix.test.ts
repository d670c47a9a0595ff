/**
 * Corruption (issue 4; rows U10, T9), for all that checkpoints are made of: each backend and form of its checkpoints on each storage. One flipped
 * byte of any file: a restore is refused with file and byte, and an inspection names the same file. Never is wrong state restored.
 *
 * Bytes are sampled, at even distances. `CORRUPTION_FLIPS=all` flips every byte of every file.
 */
import { describe, expect, it } from 'vitest';
import { isMerged } from '../../engine/protocol/checkpoint-paths.ts';
import type { CheckpointConfiguration } from '../../engine/protocol/configuration.ts';
import { flipped, inspected, namesFileAndByte, needed, outcome, partsInUse } from '../support/damaged-files.ts';
import { LeftByALife } from '../support/left-by-a-life.ts';
import { planOf } from '../support/lives.ts';

const FLIPS_PER_CELL = 48;
const FLIPS = process.env['CORRUPTION_FLIPS'] ?? String(FLIPS_PER_CELL);
if (FLIPS !== 'all' && !/^[1-9]\d*$/.test(FLIPS))
  throw new Error(`CORRUPTION_FLIPS=${FLIPS}: expected all, or how many flips each cell has`);

const STORAGES = ['jobmanager', 'filesystem', 'object-store', 'hdfs'] as const;
const LOG = { materializationIntervalUs: 0, maxMaterializationFailures: 3, preemptiveBytes: 200 };
const MERGED = {
  acrossCheckpoints: true,
  maxFileBytes: 1 << 20,
  maxSpaceAmplification: { numerator: 2, denominator: 1 },
};

interface Form {
  readonly name: string;
  readonly options: Partial<CheckpointConfiguration>;
  /** Kinds of files that it is made of, beside `_metadata`, where the storage has files for state. */
  readonly files: readonly RegExp[];
}

const FORMS: readonly Form[] = [
  { name: 'hashmap', options: { backend: 'hashmap' }, files: [/\.keyed$/, /\.operator$/] },
  { name: 'hashmap, compressed', options: { backend: 'hashmap', compression: 'lz4' }, files: [/\.keyed$/] },
  { name: 'lsm, full', options: { backend: 'lsm' }, files: [/\.keyed$/] },
  { name: 'lsm, compressed', options: { backend: 'lsm', compression: 'lz4' }, files: [/\.keyed$/] },
  {
    name: 'lsm, incremental',
    options: { backend: 'lsm', incremental: true },
    files: [/\/shared\/.*\.segment$/, /\.keyed$/],
  },
  {
    name: 'a log over hashmap',
    options: { backend: 'hashmap', changelog: LOG },
    files: [/-log-.*\.segment$/],
  },
  {
    name: 'a snapshot below a log over hashmap',
    options: { backend: 'hashmap', changelog: { ...LOG, materializationIntervalUs: 3_000_000 } },
    files: [/-base-.*\.segment$/],
  },
  {
    name: 'a log over lsm',
    options: { backend: 'lsm', incremental: true, changelog: LOG },
    files: [/-log-.*\.segment$/],
  },
  { name: 'hashmap, merged', options: { backend: 'hashmap', fileMerging: MERGED }, files: [/\.merged$/] },
  {
    name: 'lsm, incremental, merged',
    options: { backend: 'lsm', incremental: true, fileMerging: MERGED },
    files: [/\.merged$/],
  },
];

function leftWith({ options }: Form, kind: (typeof STORAGES)[number]): LeftByALife {
  const plan = planOf('quickstart', '1');
  const { checkpoint } = plan.engine;
  const storage = { ...checkpoint.storage, kind };
  const changed = { ...checkpoint, ...options, storage, inlineThresholdBytes: 0, retained: 1 };
  return new LeftByALife({ ...plan, engine: { ...plan.engine, checkpoint: changed } });
}

interface Place {
  readonly path: string;
  readonly at: number;
}

/** Bytes to flip, over all files as if they were one, and the first of each. Of a merged file: of the parts that are in use. */
function placesOf(left: LeftByALife): Place[] {
  const parts = needed(left).flatMap((path) =>
    (isMerged(path) ? partsInUse(left, path) : [{ offset: 0, bytes: left.files.get(path)?.length ?? 0 }]).map(
      (part) => ({ path, ...part }),
    ),
  );
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const step = FLIPS === 'all' ? 1 : Math.max(1, Math.floor(total / Number(FLIPS)));
  let next = 0;
  return parts.flatMap(({ path, offset, bytes }) => {
    const places = step === 1 || next === 0 ? [] : [{ path, at: offset }];
    for (; next < bytes; next += step) places.push({ path, at: offset + next });
    next -= bytes;
    return places;
  });
}

describe.each(FORMS)('one flipped byte, $name', (form) => {
  it.each(STORAGES)('on %s: refused, with file and byte, and found by an inspection', (kind) => {
    const left = leftWith(form, kind);
    const files = needed(left);
    expect(outcome(left, '', undefined), 'as the life left it').toBe('passed');
    // State lies inline in `_metadata` where the storage has no files for it.
    if (kind !== 'jobmanager') for (const file of form.files) expect(files.some((path) => file.test(path))).toBe(true);
    const places = placesOf(left);
    for (const { path, at } of places) {
      const damaged = flipped(left.files.get(path) ?? new Uint8Array(), at, 1 << (at % 8));
      const said = outcome(left, path, damaged);
      if (!namesFileAndByte(path, said)) expect.fail(`${path}, byte ${at}: ${said}`);
      const [problem] = inspected(left, path, damaged);
      if (problem?.file !== path || problem.offset === undefined)
        expect.fail(`${path}, byte ${at}: an inspection says ${JSON.stringify(problem)}`);
    }
    expect(places.length).toBeGreaterThan(20);
  });
});
