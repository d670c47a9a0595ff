/**
 * Rescaling as a property: through any sequence of parallelisms every element of split state is in exactly one place, union and broadcast state
 * is everywhere, every key group has one owner, and every producer one subtask that fences it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { repartitionOperatorState } from '../../engine/checkpoint/operator-state-repartitioner.ts';
import { oldSubtasksOf } from '../../engine/checkpoint/subtask-state-mapper.ts';
import type { StateKey } from '../../engine/job/functions.ts';
import { keyGroupRangeOf, subtaskOf, keyGroupOf } from '../../engine/job/key-groups.ts';
import { standardParts } from '../../engine/parts.ts';
import type { RedistributionMode, StateHandle } from '../../engine/protocol/state-handle.ts';
import { HashMapStateBackend } from '../../engine/state/hashmap-state-backend.ts';
import { OperatorStateStore } from '../../engine/state/operator-state.ts';
import type { BroadcastState } from '../../engine/state/operator-state-descriptor.ts';
import { listsOf } from '../../engine/state/operator-state-file.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import { inlineHandle } from '../support/engine-values.ts';

const RUNS = { numRuns: 150, seed: 20_260_101 };
const parallelism = fc.integer({ min: 1, max: 13 });
const journey = fc.array(parallelism, { minLength: 1, maxLength: 5 });

/** The stores of one deployment after the next: snapshot, redistribute, restore, by the bytes of real files. */
function rescaled(before: readonly OperatorStateStore[], newParallelism: number): OperatorStateStore[] {
  const states = before.map((store, subtask) => {
    const bytes = store.snapshot().write();
    return { subtask, handles: [{ ...inlineHandle('op', bytes), lists: listsOf(bytes) } satisfies StateHandle] };
  });
  const dealt = repartitionOperatorState({ states, oldParallelism: before.length, newParallelism });
  return dealt.map((handles) => {
    const store = new OperatorStateStore();
    for (const { inline, lists } of handles) store.restore(inline ?? new Uint8Array(), lists);
    return store;
  });
}
const broadcastOf = (store: OperatorStateStore): BroadcastState<number, string> =>
  store.getBroadcastState('list', Types.int, Types.string);
const elementsOf = (store: OperatorStateStore, mode: RedistributionMode): readonly number[] => {
  if (mode === 'union') return store.getUnionListState('list', Types.int).get();
  if (mode === 'broadcast')
    return broadcastOf(store)
      .entries()
      .map(([key]) => key);
  return store.getListState('list', Types.int).get();
};
const sorted = (numbers: Iterable<number>): number[] => [...numbers].sort((a, b) => a - b);

describe('rescaling', () => {
  it('S5: list state: every element is in exactly one subtask, shares differ by one at most', () => {
    const property = fc.property(fc.array(fc.nat(6), { minLength: 1, maxLength: 8 }), journey, (sizes, path) => {
      let next = 0;
      let stores = sizes.map((size) => {
        const store = new OperatorStateStore();
        store.getListState('list', Types.int).addAll(Array.from({ length: size }, () => next++));
        return store;
      });
      for (const width of path) {
        const isMoved = width !== stores.length;
        stores = rescaled(stores, width);
        const shares = stores.map((store) => elementsOf(store, 'split-distribute'));
        expect(sorted(shares.flat())).toEqual(Array.from({ length: next }, (_, element) => element));
        const lengths = shares.map(({ length }) => length);
        if (isMoved) expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      }
    });
    fc.assert(property, RUNS);
  });

  it('S6, S7: union state is whole in every subtask, broadcast state once in every subtask', () => {
    const property = fc.property(
      parallelism,
      journey,
      fc.uniqueArray(fc.nat(99), { maxLength: 4 }),
      (first, path, same) => {
        const start = Array.from({ length: first }, (_, subtask) => {
          const store = new OperatorStateStore();
          store.getUnionListState('union', Types.int).add(subtask);
          for (const key of same) broadcastOf(store).put(key, `rule ${String(key)}`);
          return store;
        });
        let stores = start;
        for (const width of path) {
          stores = rescaled(stores, width);
          for (const store of stores) {
            expect(elementsOf(store, 'broadcast')).toEqual(sorted(same));
            expect(store.getUnionListState('union', Types.int).get()).toEqual(
              Array.from({ length: first }, (_, i) => i),
            );
            store.getUnionListState('union', Types.int).clear();
          }
          stores.forEach((store, subtask) => {
            if (subtask === 0)
              store.getUnionListState('union', Types.int).addAll(Array.from({ length: first }, (_, i) => i));
          });
        }
      },
    );
    fc.assert(property, RUNS);
  });

  it('S8: keyed state: every key is in the subtask that its records go to, and nowhere else, however often it moved', () => {
    const property = fc.property(fc.uniqueArray(fc.string(), { maxLength: 40 }), journey, (keys, path) => {
      const maxParallelism = 16;
      const state = valueState('value', Types.int);
      const keySerializer: TypeSerializer<StateKey> = Types.string;
      const makeBackend = (subtask: number, width: number): HashMapStateBackend =>
        new HashMapStateBackend({
          keySerializer,
          keyGroups: keyGroupRangeOf(subtask, width, maxParallelism),
          maxParallelism,
        });
      let width = 1;
      let backends = [makeBackend(0, 1)];
      keys.forEach((key, value) => {
        backends[0]?.setCurrentKey(key);
        backends[0]?.getState(state).update(value);
      });
      for (const next of path) {
        const files = backends.map((backend, subtask) => ({
          bytes: backend.snapshot().write(),
          range: keyGroupRangeOf(subtask, width, maxParallelism),
        }));
        width = next;
        backends = Array.from({ length: next }, (_, subtask) => {
          const range = keyGroupRangeOf(subtask, next, maxParallelism);
          const backend = makeBackend(subtask, next);
          for (const file of files)
            if (file.range.start <= range.end && file.range.end >= range.start) backend.restore(file.bytes);
          return backend;
        });
        expect(backends.reduce((sum, { keyCount }) => sum + keyCount, 0)).toBe(keys.length);
      }
      keys.forEach((key, value) => {
        const owner = backends[subtaskOf(keyGroupOf(key, maxParallelism), width, maxParallelism)];
        owner?.setCurrentKey(key);
        expect(owner?.getState(state).value()).toBe(value);
      });
    });
    fc.assert(property, RUNS);
  });

  it('K10: every producer id that may have been used is fenced by exactly one subtask, its own among them', () => {
    const property = fc.property(parallelism, fc.integer({ min: 1, max: 200 }), (width, highest) => {
      const highestParallelism = Math.max(width, highest);
      const owned = Array.from({ length: width }, (_, subtask) =>
        standardParts.producersToFence({ subtask, parallelism: width, highestParallelism }),
      );
      expect(owned.map(([own]) => own)).toEqual(Array.from({ length: width }, (_, subtask) => subtask));
      expect(sorted(owned.flat())).toEqual(Array.from({ length: highestParallelism }, (_, producer) => producer));
    });
    fc.assert(property, RUNS);
  });

  it('B19: no old subtask is forgotten by any mapper; all but the ambiguous ones name it once', () => {
    const mappers = fc.constantFrom('range' as const, 'round-robin' as const, 'first' as const, 'full' as const);
    const property = fc.property(mappers, parallelism, parallelism, (mapper, oldParallelism, newParallelism) => {
      const named = Array.from({ length: newParallelism }, (_, newSubtask) =>
        oldSubtasksOf({ mapper, newSubtask, oldParallelism, newParallelism }),
      ).flat();
      expect(sorted(new Set(named))).toEqual(Array.from({ length: oldParallelism }, (_, subtask) => subtask));
      if (mapper === 'round-robin' || mapper === 'first') expect(named).toHaveLength(oldParallelism);
    });
    fc.assert(property, RUNS);
  });
});
