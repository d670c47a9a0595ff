/** Which shared files are in use: against a plain model that remembers every use (row S16; X13 StateHandleReuseITCase). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SharedStateRegistry } from '../../../../engine/checkpoint/shared-state-registry.ts';
import type { SegmentHandle } from '../../../../engine/protocol/state-handle.ts';

const path = (creator: number, n = 0): string => `dir/job/shared/op-0-1-${n}-${creator}.segment`;
const file = (creator: number, n = 0): SegmentHandle => ({ path: path(creator, n), bytes: 10 + n, checksum: 7 });
const placeholder = (creator: number, n = 0): SegmentHandle => ({
  ...file(creator, n),
  bytes: 0,
  checksum: 0,
  isPlaceholder: true,
});

describe('shared-state registry', () => {
  it('S16: a placeholder is replaced by the file it stands for', () => {
    const registry = new SharedStateRegistry(0);
    registry.register(file(1), 1);
    expect(registry.register(placeholder(1), 2)).toEqual({ kind: 'registered', file: file(1) });
  });

  it('S16: a placeholder of a file that is not registered is refused', () => {
    expect(new SharedStateRegistry(0).register(placeholder(1), 2)).toEqual({
      kind: 'refused',
      why: 'unknown-placeholder',
    });
  });

  it('S16: another file under the same path is refused', () => {
    const registry = new SharedStateRegistry(0);
    registry.register(file(1), 1);
    expect(registry.register({ ...file(1), checksum: 8 }, 2)).toEqual({ kind: 'refused', why: 'different-file' });
  });

  it('S19: a merged file is in use while any part of it is, and said to be unused once', () => {
    const registry = new SharedStateRegistry(0);
    const merged = 'dir/job/taskowned/t-1/5-1-1.merged';
    const part = (offset: number): SegmentHandle => ({ path: merged, offset, bytes: 10, checksum: offset });
    registry.register(part(0), 1);
    registry.register(part(10), 2);
    expect(registry.register({ ...part(10), checksum: 0, bytes: 0, isPlaceholder: true }, 3)).toEqual({
      kind: 'registered',
      file: part(10),
    });
    expect(registry.unregisterUnused(2)).toEqual([]);
    expect(registry.isInUse(merged)).toBe(true);
    expect(registry.unregisterUnused(4)).toEqual([merged]);
    expect(registry.isInUse(merged)).toBe(false);
  });

  it('X13: the same handle again and again is one file, in use as long as the newest of its checkpoints', () => {
    const registry = new SharedStateRegistry(0);
    const handle = file(1);
    for (let checkpoint = 1; checkpoint <= 5; checkpoint += 1) registry.register(handle, checkpoint);
    expect(registry.size).toBe(1);
    expect(registry.unregisterUnused(5)).toEqual([]);
    expect(registry.unregisterUnused(6)).toEqual([handle.path]);
  });

  it('C9: a late acknowledgement of an older checkpoint does not shorten the use of a file', () => {
    const registry = new SharedStateRegistry(0);
    registry.register(file(1), 4);
    registry.register(file(1), 2);
    expect(registry.unregisterUnused(4)).toEqual([]);
  });

  it('C27: a file of a snapshot that was not claimed is forgotten, never said to be deleted', () => {
    const registry = new SharedStateRegistry(3);
    for (const creator of [2, 3, 4]) registry.register(file(creator), 5);
    expect(registry.unregisterUnused(6)).toEqual([path(4)]);
    expect(registry.size).toBe(0);
  });

  it('S16: any order of uses and subsumptions, the files in use are those of a use at or above the lowest', () => {
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('register' as const),
          creator: fc.integer({ min: 1, max: 9 }),
          n: fc.nat(2),
          by: fc.nat(12),
          named: fc.boolean(),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('unregister' as const), lowest: fc.nat(12) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(5), (steps, notClaimed) => {
        const registry = new SharedStateRegistry(notClaimed);
        /** By path: every use there was. */
        const uses = new Map<string, { readonly creator: number; readonly by: number[] }>();
        for (const what of steps) {
          if (what.kind === 'register') {
            const { creator, n, by, named } = what;
            const known = uses.get(path(creator, n));
            const result = registry.register(named ? placeholder(creator, n) : file(creator, n), by);
            if (named && known === undefined) expect(result.kind).toBe('refused');
            else {
              expect(result).toEqual({ kind: 'registered', file: file(creator, n) });
              uses.set(path(creator, n), { creator, by: [...(known?.by ?? []), by] });
            }
          } else {
            const unused = [...uses].filter(([, { by }]) => by.every((use) => use < what.lowest));
            const deletable = unused.filter(([, { creator }]) => creator > notClaimed).map(([name]) => name);
            expect([...registry.unregisterUnused(what.lowest)].sort()).toEqual(deletable.sort());
            for (const [name] of unused) uses.delete(name);
          }
          expect(registry.size).toBe(uses.size);
          for (const name of uses.keys()) expect(registry.isInUse(name)).toBe(true);
        }
      }),
      { seed: 16, numRuns: 300 },
    );
  });
});
