/**
 * Corruption (issue 4; rows U10, T9): whatever happens to any one file of a snapshot, it is refused with the name of the file and a byte,
 * or, where the whole file is another one, with the name; never is wrong state restored.
 *
 * What every backend writes to every storage is in corruption-matrix.test.ts. Here every byte of every file of small snapshots is flipped: state files of each kind, channel state, `_metadata` with inline state, a savepoint
 * in canonical form. Whole lives and segments are sampled, and files are cut off, emptied, exchanged and lengthened. The oracle is the restore audit,
 * which restores by the engine's own path and compares with what was live; so "not noticed" shows as passed or as differing state.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SimulationPlan } from '../../sim/plan.ts';
import { isMerged } from '../../engine/protocol/checkpoint-paths.ts';
import { isCanonical } from '../../engine/state/canonical-savepoint.ts';
import { flipped, namesFileAndByte, needed, outcome, partsInUse } from '../support/damaged-files.ts';
import { LeftByALife } from '../support/left-by-a-life.ts';
import { planOf } from '../support/lives.ts';

/** All state in files, none inline. */
function inFiles(plan: SimulationPlan): SimulationPlan {
  const { engine } = plan;
  return { ...plan, engine: { ...engine, checkpoint: { ...engine.checkpoint, inlineThresholdBytes: 0 } } };
}

/** The first seeds whose lives leave what is asked for. */
function leftWith(scenario: string, has: (left: LeftByALife) => boolean): LeftByALife {
  for (let seed = 1; seed <= 12; seed += 1) {
    const left = new LeftByALife(inFiles(planOf(scenario, String(seed))));
    if (has(left)) return left;
  }
  throw new Error(`no life of ${scenario} leaves that`);
}

const isChannelState = (path: string): boolean => path.endsWith('-channel');
const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));
const hasChannelState = (left: LeftByALife): boolean => needed(left).some(isChannelState);
const hasSavepoint = (left: LeftByALife): boolean => left.savepoints.length > 0;

/** Flips each byte of the files of one snapshot that are meant. Returns how many it were. */
function flipEach(left: LeftByALife, snapshot: string, isMeant: (path: string) => boolean): number {
  let count = 0;
  for (const path of needed(left)) {
    if (!path.startsWith(`${snapshot}/`) || !isMeant(path)) continue;
    const bytes = left.files.get(path) ?? new Uint8Array();
    count += bytes.length;
    for (let at = 0; at < bytes.length; at += 1) {
      const said = outcome(left, path, flipped(bytes, at, 1 << (at % 8)), snapshot);
      if (!namesFileAndByte(path, said)) expect.fail(`${path}, byte ${at}: ${said}`);
    }
  }
  return count;
}

/** Files of a life that are exchanged as a whole; each costs several audits. */
const WHOLE_FILES_MAX = 12;
/** Small on purpose: flipping every byte takes one audit each. */
const small = leftWith('quickstart', (left) => left.retained().length > 0);
const withInline = new LeftByALife(planOf('quickstart', '1'));
const unaligned = leftWith('unaligned-backpressure', hasChannelState);
const withSavepoint = leftWith('savepoints-under-faults', hasSavepoint);
/** State of several subtasks in one file: damage is named by its place in that. */
const withMerged = leftWith('file-merging', (left) => needed(left).some(isMerged));

describe('one flipped byte', () => {
  it('of any byte of any file of a checkpoint: refused, with file and byte', () => {
    const newest = directoryOf(small.retained().at(-1)?.metadata ?? '');
    for (const kind of ['.keyed', '.operator', '/_metadata'])
      expect(
        flipEach(small, newest, (path) => path.endsWith(kind)),
        kind,
      ).toBeGreaterThan(50);
  });

  it('of _metadata with inline state: refused, with file and byte', () => {
    const newest = directoryOf(withInline.retained().at(-1)?.metadata ?? '');
    expect(flipEach(withInline, newest, (path) => path.endsWith('/_metadata'))).toBeGreaterThan(200);
  });

  it('of any channel state: refused, with file and byte', () => {
    const directory = directoryOf(needed(unaligned).find(isChannelState) ?? '');
    expect(flipEach(unaligned, directory, isChannelState)).toBeGreaterThan(500);
  });

  it('of any file of a savepoint in canonical form: refused, with file and byte', () => {
    const file = [...withSavepoint.files].find(([path, bytes]) => path.includes('/savepoint-') && isCanonical(bytes));
    expect(flipEach(withSavepoint, directoryOf(file?.[0] ?? ''), () => true)).toBeGreaterThan(500);
  });

  it.each([
    ['channel state', unaligned],
    ['a savepoint', withSavepoint],
  ])('of snapshots with %s, sampled: refused, with file and byte', (_, left) => {
    const files = needed(left);
    const place = fc.record({
      file: fc.nat(files.length - 1),
      at: fc.nat(1 << 20),
      mask: fc.integer({ min: 1, max: 255 }),
    });
    fc.assert(
      fc.property(place, ({ file, at, mask }) => {
        const path = files[file] ?? '';
        const bytes = left.files.get(path) ?? new Uint8Array();
        const said = outcome(left, path, flipped(bytes, at % bytes.length, mask));
        if (!namesFileAndByte(path, said)) throw new Error(`${path}, byte ${at % bytes.length}: ${said}`);
      }),
      { numRuns: 40, seed: 4 },
    );
  });
});

describe('one flipped byte of a merged file', () => {
  const files = needed(withMerged).filter(isMerged);

  it('of a part that is in use: refused, with the file and a byte of that part; of what is not: nobody minds', () => {
    let inUse = 0;
    let unused = 0;
    for (const path of files) {
      const bytes = withMerged.files.get(path) ?? new Uint8Array();
      const parts = partsInUse(withMerged, path);
      expect(parts.length).toBeGreaterThan(0);
      for (let at = 0; at < bytes.length; at += 7) {
        const part = parts.find(({ offset, bytes: length }) => at >= offset && at < offset + length);
        const said = outcome(withMerged, path, flipped(bytes, at, 1 << (at % 8)));
        if (part === undefined) expect(said, `${path}, byte ${at}, which nobody uses`).toBe('passed');
        else {
          if (!namesFileAndByte(path, said)) expect.fail(`${path}, byte ${at}: ${said}`);
          const named = Number(/at byte (\d+)/.exec(said)?.[1]);
          expect(named >= part.offset && named < part.offset + part.bytes, `${path}, byte ${at}: ${said}`).toBe(true);
        }
        if (part === undefined) unused += 1;
        else inUse += 1;
      }
    }
    expect(inUse).toBeGreaterThan(50);
    expect(unused).toBeGreaterThan(0);
  });
});

describe.each([
  ['state files', small],
  ['channel state', unaligned],
  ['a savepoint', withSavepoint],
])('a whole file of a life with %s', (_, left) => {
  const files = needed(left).slice(0, WHOLE_FILES_MAX);
  const bytesOf = (path: string): Uint8Array => left.files.get(path) ?? new Uint8Array();

  it('cut off, emptied or lengthened: refused, with file and byte', () => {
    for (const path of files) {
      const bytes = bytesOf(path);
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      for (const changed of [
        new Uint8Array(),
        bytes.slice(0, 1),
        bytes.slice(0, bytes.length >> 1),
        bytes.slice(0, -1),
        longer,
      ]) {
        const said = outcome(left, path, changed);
        expect(namesFileAndByte(path, said), `${path} with ${changed.length} of ${bytes.length} bytes: ${said}`).toBe(
          true,
        );
      }
    }
  });

  it('gone: refused, with its name', () => {
    for (const path of files) expect(outcome(left, path, undefined)).toContain(`${path} does not exist`);
  });

  it('in the place of another: refused, with its name', () => {
    let tried = 0;
    files.forEach((path, index) => {
      const other = bytesOf(files[(index + 1) % files.length] ?? '');
      if (Buffer.compare(other, bytesOf(path)) === 0) return;
      tried += 1;
      const said = outcome(left, path, other);
      expect(said.startsWith('not-restorable: ') && said.includes(path), `${path}: ${said}`).toBe(true);
    });
    expect(tried).toBeGreaterThan(1);
  });
});
