/** What of merged files is in use: against a plain model that remembers every use (row S19). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standardParts } from '../../../../../engine/parts.ts';
import { PhysicalFiles } from '../../../../../engine/taskmanager/file-merging/physical-files.ts';
import { attempt } from '../../../../support/engine-values.ts';

const OPENER = attempt(5);
const runs = (): boolean => true;

/** A file with parts of these lengths, written for one checkpoint after the other. */
function withParts(...parts: readonly (readonly [checkpoint: number, bytes: number])[]): PhysicalFiles {
  const files = new PhysicalFiles(standardParts);
  let offset = 0;
  for (const [checkpoint, bytes] of parts) {
    files.writes('f', OPENER);
    files.written('f', offset, [bytes], checkpoint);
    offset += bytes;
  }
  return files;
}

describe('physical files', () => {
  it('S19: a file goes with the last part in it that is in use, whichever notices were lost', () => {
    const files = withParts([1, 10], [2, 10], [4, 10]);
    expect(files.release(3, runs)).toEqual([]);
    expect(files.release(5, runs)).toEqual([{ path: 'f', mayComeLate: false }]);
    expect(files.size).toBe(0);
  });

  it('S17: a part that a later checkpoint is made of stays', () => {
    const files = withParts([1, 10], [1, 10]);
    files.uses({ path: 'f', offset: 10 }, 7);
    files.uses({ path: 'somebody-elses', offset: 0 }, 7);
    expect(files.release(7, runs)).toEqual([]);
    expect(files.space).toEqual({ occupied: 20, used: 10 });
    expect(files.release(8, runs)).toHaveLength(1);
  });

  it('S19: a file is wasteful when more than the limit of it is not in use', () => {
    const files = withParts([1, 10], [2, 10], [3, 10]);
    const twice = { numerator: 2, denominator: 1 };
    files.release(2, runs);
    expect(files.isWasteful('f', twice)).toBe(false);
    files.release(3, runs);
    expect(files.isWasteful('f', twice)).toBe(true);
    expect(files.isWasteful('somebody-elses', twice)).toBe(false);
  });

  it('I2: not while something is being written to it, nor when its opener has ended; the JobManager finds it then', () => {
    const files = withParts([1, 10]);
    files.writes('f', OPENER);
    expect(files.release(9, runs)).toEqual([]);
    files.written('f', 10, [5], 9);
    expect(files.release(10, () => false)).toEqual([]);
    files.forget(() => false);
    expect(files.size).toBe(0);
  });

  it('a write that was repeated or given up may come late', () => {
    const files = withParts([1, 10]);
    files.repeated('f');
    files.writes('g', OPENER);
    files.givenUp('g');
    expect(files.release(2, runs)).toEqual([
      { path: 'f', mayComeLate: true },
      { path: 'g', mayComeLate: true },
    ]);
  });

  it('property: a file is said to be unused exactly when every use of its parts is below the oldest retained', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), file: fc.nat(3), parts: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('use' as const), file: fc.nat(3), part: fc.nat(5) }),
      fc.record({ kind: fc.constant('complete' as const), back: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const files = new PhysicalFiles(standardParts);
        /** By file: last use of each part, which is 10 bytes long; undefined: it was not in use any more. */
        const model = new Map<string, (number | undefined)[]>();
        let checkpoint = 1;
        for (const one of steps) {
          if (one.kind === 'complete') {
            const oldest = Math.max(1, checkpoint - one.back);
            for (const parts of model.values())
              parts.forEach((last, part) => {
                if (last !== undefined && last < oldest) parts[part] = undefined;
              });
            const unused = [...model].flatMap(([path, parts]) =>
              parts.every((last) => last === undefined) ? [path] : [],
            );
            expect(files.release(oldest, runs).map(({ path }) => path)).toEqual(unused);
            for (const path of unused) model.delete(path);
            checkpoint += 1;
            continue;
          }
          const path = `f${one.file}`;
          const parts = model.get(path) ?? [];
          if (one.kind === 'write') {
            files.writes(path, OPENER);
            files.written(
              path,
              parts.length * 10,
              Array.from({ length: one.parts }, () => 10),
              checkpoint,
            );
            model.set(path, [...parts, ...Array.from({ length: one.parts }, () => checkpoint)]);
          } else if (parts[one.part] !== undefined) {
            files.uses({ path, offset: one.part * 10 }, checkpoint);
            parts[one.part] = checkpoint;
          }
        }
        const used = [...model.values()].flat().filter((last) => last !== undefined).length;
        expect(files.space.used).toBe(used * 10);
      }),
      { numRuns: 200, seed: 19 },
    );
  });
});
