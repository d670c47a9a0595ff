/** The restore audit: what a life left is restorable, and each way to lose something between live state and restored state is found. */
import { describe, expect, it } from 'vitest';
import { type EngineParts, standardParts } from '../../../../engine/parts.ts';
import type { JsonValue } from '../../../../engine/state/json-serializer.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import { readKeyedStateEntries } from '../../../../engine/state/keyed-state-file.ts';
import { mapState, valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { ByteReader } from '../../../../engine/foundation/byte-reader.ts';
import type { JobGraph, OperatorSpec } from '../../../../engine/job/job-graph.ts';
import type { TypeSerializer } from '../../../../engine/state/type-serializer.ts';
import { partsOf } from '../../../../scenarios/mutants/mutant-catalog.ts';
import { maskedCrc32c } from '../../../../engine/foundation/crc32c.ts';
import { formatOf } from '../../../../sim/judges/later-format.ts';
import { StateHash } from '../../../../sim/judges/state-hash.ts';
import { LeftByALife } from '../../../support/left-by-a-life.ts';
import { planOf } from '../../../support/lives.ts';

const left = new LeftByALife(planOf('quickstart', '1'));

describe('restore audit', () => {
  it('what a life left: restorable at its own and at another parallelism', () => {
    expect(left.retained().length).toBeGreaterThan(0);
    expect(left.audit()).toMatchObject([
      { outcome: 'passed', message: expect.stringMatching(/^\d+ snapshots are restorable/) },
    ]);
  });

  it('other state at the barrier: snapshot-differs names subtask, operator and checkpoint', () => {
    const [verdict] = left.audit({
      atBarrier: { of: () => [{ hash: { low: 1, high: 2 }, registered: new Set(['count']) }] },
    });
    expect(verdict).toMatchObject({ outcome: 'violated', anomaly: 'snapshot-differs' });
    expect(verdict?.message).toMatch(
      /^Subtask 0 of count had other state at the barrier of \d+ than its snapshot holds/,
    );
  });

  it('a restore that loses a key group: restored-differs, rescaled-differs', () => {
    const verdicts = left.audit({ parts: partsOf('restore-forgets-last-block') });
    expect(verdicts.map(({ anomaly }) => anomaly)).toEqual(['rescaled-differs', 'restored-differs']);
  });

  it('an assumption of the engine that breaks in a restore is a finding, not the end', () => {
    const verdicts = left.audit({ parts: partsOf('key-groups-not-clipped') });
    expect(verdicts.some(({ outcome }) => outcome === 'violated')).toBe(true);
  });

  it('a missing file: not-restorable', () => {
    const damaged = new LeftByALife(left.plan);
    const path = [...damaged.files.keys()].find((name) => name.endsWith('.keyed')) ?? '';
    damaged.files.delete(path);
    expect(damaged.audit()).toMatchObject([{ anomaly: 'not-restorable', message: expect.stringContaining(path) }]);
  });
});

describe('a snapshot of a later release', () => {
  const saved = new LeftByALife(planOf('savepoints-under-faults', '1'));

  it('T9: is refused by the engine, whole as it is: passed', () => {
    expect(saved.savepoints.length).toBeGreaterThan(0);
    expect(saved.audit().map(({ outcome }) => outcome)).toEqual(['passed']);
  });

  it('a restore that does not look at the format version: later-format-restored', () => {
    const [of] = saved.savepoints;
    const verdicts = saved.audit({
      of,
      restoredBy: (engine) => ({
        restore: (metadata, graph, bytesOf) => engine.restore(metadata, graph, (file) => inFirstVersion(bytesOf(file))),
        emptyFiles: (graph) => engine.emptyFiles(graph),
      }),
    });
    expect(verdicts).toMatchObject([{ outcome: 'violated', anomaly: 'later-format-restored' }]);
    expect(verdicts[0]?.message).toMatch(/ is restored though its TM\w\w files have a later format version$/);
  });
});

/** A file of the second version as one of the first, and any other as it is. */
function inFirstVersion(bytes: Uint8Array): Uint8Array {
  const first = bytes.slice();
  const view = new DataView(first.buffer);
  if (first.length < 12 || view.getUint32(4, true) !== 2 || !/^TM[CK]/.test(formatOf(first))) return bytes;
  view.setUint32(4, 1, true);
  view.setUint32(first.length - 4, maskedCrc32c(first, 0, first.length - 4), true);
  return first;
}

describe('operator state in the restore audit', () => {
  const lists = new LeftByALife(planOf('buffering-map', '1'));

  it('every element is given once: passed', () => {
    expect(lists.audit().map(({ outcome }) => outcome)).toEqual(['passed']);
  });

  it('an element that two subtasks are given: restored-differs, rescaled-differs', () => {
    const twice: EngineParts['repartitionOperatorState'] = (question) => {
      const dealt = standardParts.repartitionOperatorState(question);
      return dealt.map((handles, subtask) => (subtask === 1 ? [...handles, ...(dealt[0] ?? [])] : handles));
    };
    const verdicts = lists.audit({ parts: { ...standardParts, repartitionOperatorState: twice } });
    expect(verdicts.map(({ anomaly }) => anomaly)).toEqual(['rescaled-differs', 'restored-differs']);
  });
});

describe('a snapshot of another version of the job', () => {
  const graph = left.job.graph;
  const anotherVersion = (change: (spec: OperatorSpec) => OperatorSpec): JobGraph => ({
    ...graph,
    vertices: graph.vertices.map((vertex) => ({ ...vertex, operators: vertex.operators.map(change) })),
  });

  it('whose state has another form: inconclusive, and says which', () => {
    const graphNow = anotherVersion((spec) => {
      if (spec.kind !== 'process') return spec;
      const states = spec.function.states.map(({ name }) => valueState(name, Types.list(Types.string)));
      return { ...spec, function: { ...spec.function, states } };
    });
    const verdicts = left.audit({ graph: graphNow });
    expect(verdicts).toMatchObject([{ outcome: 'inconclusive', anomaly: 'other-version' }]);
    expect(verdicts[0]?.message).toMatch(/state \w+ of count has another form now/);
  });

  it('with an operator that is gone: inconclusive', () => {
    const graphNow = anotherVersion((spec) => ({ ...spec, uid: `${spec.uid}-2` }));
    expect(left.audit({ graph: graphNow })).toMatchObject([{ outcome: 'inconclusive', anomaly: 'other-version' }]);
  });

  it('that is damaged: not-restorable all the same', () => {
    const damaged = new LeftByALife(left.plan);
    const path = [...damaged.files.keys()].find((name) => name.endsWith('.keyed')) ?? '';
    damaged.files.set(path, new Uint8Array(3));
    const graphNow = anotherVersion((spec) => ({ ...spec, uid: `${spec.uid}-2` }));
    const verdicts = damaged.audit({ graph: graphNow });
    expect(verdicts.map(({ anomaly }) => anomaly)).toContain('not-restorable');
  });
});

describe('the hash of state by value', () => {
  interface Pair extends Record<string, JsonValue> {
    readonly a: number;
    readonly b: number;
  }
  /** As FLINK-24858 and its like: written and read without complaint, but for one field. */
  const pair = Types.row({ a: Types.int, b: Types.int }) as unknown as TypeSerializer<Pair>;
  const lossy: TypeSerializer<Pair> = {
    snapshot: pair.snapshot,
    immutable: false,
    copy: (value) => ({ ...value }),
    serialize: (value, out) => pair.serialize({ ...value, b: 0 }, out),
    deserialize: (input) => pair.deserialize(input),
  };

  function hashes(type: TypeSerializer<Pair>): { readonly live: StateHash; readonly stored: StateHash } {
    const keyGroups = { start: 0, end: 7 };
    const backend = new HashMapStateBackend({ keySerializer: Types.key, keyGroups, maxParallelism: 8 });
    const state = backend.getState(valueState('pair', type));
    for (const key of ['x', 'y', 'z']) {
      backend.setCurrentKey(key);
      state.update({ a: 1, b: key.charCodeAt(0) });
    }
    const live = new StateHash();
    backend.visitEntries((name, keyGroup, key, content) => live.add(name, keyGroup, key, content));
    const stored = new StateHash();
    readKeyedStateEntries(backend.snapshot().write(), (name, keyGroup, key, value) => {
      stored.add(name, keyGroup, Types.key.deserialize(new ByteReader(key)), type.deserialize(new ByteReader(value)));
    });
    return { live, stored };
  }

  it('is the same for live state and its bytes', () => {
    const { live, stored } = hashes(pair);
    expect(stored.entries).toBe(3);
    expect(stored.sum.equals(live.sum)).toBe(true);
  });

  it('differs when a serializer drops a field, though every byte is as it was written', () => {
    const { live, stored } = hashes(lossy);
    expect(stored.entries).toBe(live.entries);
    expect(stored.sum.equals(live.sum)).toBe(false);
  });

  it('of a map does not depend on the order of its pairs, but on each of them, on key, key group and state', () => {
    const hash = (pairs: readonly (readonly [string, number])[], key = 'k', keyGroup = 1, state = 's'): string => {
      const own = new StateHash();
      own.add(state, keyGroup, key, new Map(pairs));
      return `${own.sum.low}/${own.sum.high}`;
    };
    const one = hash([
      ['a', 1],
      ['b', 2],
    ]);
    expect(
      hash([
        ['b', 2],
        ['a', 1],
      ]),
    ).toBe(one);
    const others = [
      hash([
        ['a', 2],
        ['b', 1],
      ]),
      hash([['a', 1]]),
      hash(
        [
          ['a', 1],
          ['b', 2],
        ],
        'l',
      ),
      hash(
        [
          ['a', 1],
          ['b', 2],
        ],
        'k',
        2,
      ),
      hash(
        [
          ['a', 1],
          ['b', 2],
        ],
        'k',
        1,
        't',
      ),
    ];
    expect(new Set([one, ...others]).size).toBe(6);
  });

  it('of a live map state is that of its bytes', () => {
    const backend = new HashMapStateBackend({
      keySerializer: Types.key,
      keyGroups: { start: 0, end: 7 },
      maxParallelism: 8,
    });
    const state = backend.getState(mapState('m', Types.string, Types.int));
    backend.setCurrentKey('k');
    state.put('b', 2);
    state.put('a', 1);
    const live = new StateHash();
    backend.visitEntries((name, keyGroup, key, content) => live.add(name, keyGroup, key, content));
    const restored = new HashMapStateBackend({
      keySerializer: Types.key,
      keyGroups: { start: 0, end: 7 },
      maxParallelism: 8,
    });
    restored.restore(backend.snapshot().write());
    restored.getState(mapState('m', Types.string, Types.int));
    const again = new StateHash();
    restored.visitEntries((name, keyGroup, key, content) => again.add(name, keyGroup, key, content));
    expect(again.sum.equals(live.sum)).toBe(true);
  });
});
