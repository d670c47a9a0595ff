/** Row S13: what becomes of bytes of an earlier form, type by type, in keyed and in operator state, in files and in savepoints. */
import { describe, expect, it } from 'vitest';
import { restoreKeyedState } from '../../../../engine/changelog/replay.ts';
import { ByteReader } from '../../../../engine/foundation/byte-reader.ts';
import { ByteWriter } from '../../../../engine/foundation/byte-writer.ts';
import { fromCanonical, toCanonical } from '../../../../engine/state/canonical-savepoint.ts';
import { decodeKeyedStateFile } from '../../../../engine/state/keyed-state-file.ts';
import type { KeyedStateBackend } from '../../../../engine/state/keyed-state-backend.ts';
import { OperatorStateStore } from '../../../../engine/state/operator-state.ts';
import { readerOf, resolveSchema } from '../../../../engine/state/schema-compatibility.ts';
import {
  readSerializerSnapshot,
  skipSerializerSnapshot,
  writeSerializerSnapshot,
} from '../../../../engine/state/serializer-snapshot-codec.ts';
import {
  listState,
  mapState,
  type ValueStateDescriptor,
  valueState,
} from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import {
  IncompatibleState,
  type SchemaCompatibility,
  type TypeSerializer,
} from '../../../../engine/state/type-serializer.ts';
import { BACKENDS } from '../../../support/state-backends.ts';

type Kind = SchemaCompatibility<unknown>['kind'];

/** What the present type makes of a value that an earlier one wrote. */
function evolved(before: TypeSerializer<unknown>, value: unknown, now: TypeSerializer<unknown>): [Kind, unknown] {
  const out = new ByteWriter();
  before.serialize(value, out);
  const compatibility = resolveSchema(now, before.snapshot);
  if (compatibility.kind === 'incompatible') return ['incompatible', undefined];
  const input = new ByteReader(out.toBytes());
  const read = readerOf(now, compatibility)(input);
  expect(input.remaining).toBe(0);
  return [compatibility.kind, read];
}

const POINT = Types.record({ x: Types.int, y: Types.int });
const MIGRATED = 'compatible-after-migration';
const RECONFIGURED = 'compatible-after-reconfiguration';
const COLOURS = Types.enumeration('red', 'green');

/** A list of lists of ... numbers. */
const nested = (depth: number): TypeSerializer<unknown> =>
  depth === 0 ? Types.int : Types.list(nested(depth - 1) as TypeSerializer<unknown>);

describe('schema evolution', () => {
  it('a description is nested sixty-four deep at most, and so deep it is read as it was written', () => {
    const out = new ByteWriter();
    writeSerializerSnapshot(nested(64).snapshot, out);
    expect(readSerializerSnapshot(new ByteReader(out.toBytes()))).toEqual(nested(64).snapshot);
    const skipping = new ByteReader(out.toBytes());
    skipSerializerSnapshot(skipping);
    expect(skipping.remaining).toBe(0);
    expect(() => {
      writeSerializerSnapshot(nested(65).snapshot, new ByteWriter());
    }).toThrow('64 deep');
  });

  it.each<[string, TypeSerializer<unknown>, unknown, TypeSerializer<unknown>, Kind, unknown]>([
    [
      'nothing changed',
      POINT,
      { x: 1, y: 2 },
      Types.record({ x: Types.int, y: Types.int }),
      'compatible-as-is',
      { x: 1, y: 2 },
    ],
    [
      'a row becomes a record',
      Types.row({ x: Types.int }),
      { x: 1 },
      Types.record({ x: Types.int }),
      'compatible-as-is',
      { x: 1 },
    ],
    [
      'a column of a row is renamed',
      Types.row({ x: Types.int }),
      { x: 1 },
      Types.row({ z: Types.int }),
      'incompatible',
      undefined,
    ],
    [
      'columns of a row change places',
      Types.row({ x: Types.int, y: Types.int }),
      { x: 1, y: 2 },
      Types.row({ y: Types.int, x: Types.int }),
      'incompatible',
      undefined,
    ],
    [
      'a field is added',
      POINT,
      { x: 1, y: 2 },
      Types.record({ x: Types.int, y: Types.int, z: Types.int }, { z: 7 }),
      MIGRATED,
      { x: 1, y: 2, z: 7 },
    ],
    [
      'a field is added without a default',
      POINT,
      { x: 1, y: 2 },
      Types.record({ x: Types.int, y: Types.int, z: Types.int }),
      'incompatible',
      undefined,
    ],
    ['a field is removed', POINT, { x: 1, y: 2 }, Types.record({ y: Types.int }), MIGRATED, { y: 2 }],
    [
      'fields change places',
      POINT,
      { x: 1, y: 2 },
      Types.record({ y: Types.int, x: Types.int }),
      MIGRATED,
      { x: 1, y: 2 },
    ],
    [
      'a field is widened',
      POINT,
      { x: 1, y: -2 },
      Types.record({ x: Types.int, y: Types.double }),
      MIGRATED,
      { x: 1, y: -2 },
    ],
    [
      'a field changes its type',
      POINT,
      { x: 1, y: 2 },
      Types.record({ x: Types.int, y: Types.string }),
      'incompatible',
      undefined,
    ],
    ['int to double', Types.int, -5, Types.double, MIGRATED, -5],
    ['double to int', Types.double, 1.5, Types.int, 'incompatible', undefined],
    ['string to int', Types.string, '1', Types.int, 'incompatible', undefined],
    ['to nullable', Types.int, 4, Types.nullable(Types.int), MIGRATED, 4],
    ['from nullable', Types.nullable(Types.int), 4, Types.int, 'incompatible', undefined],
    ['a symbol is appended', COLOURS, 'green', Types.enumeration('red', 'green', 'blue'), RECONFIGURED, 'green'],
    ['symbols change places', COLOURS, 'green', Types.enumeration('green', 'red'), RECONFIGURED, 'green'],
    ['a symbol is removed', COLOURS, 'green', Types.enumeration('green'), 'incompatible', undefined],
    [
      'nested, migrated',
      Types.list(POINT),
      [{ x: 1, y: 2 }],
      Types.list(Types.record({ x: Types.int })),
      MIGRATED,
      [{ x: 1 }],
    ],
    [
      'nested, reconfigured',
      Types.tuple([Types.int, Types.list(COLOURS)]),
      [3, ['red']],
      Types.tuple([Types.int, Types.list(Types.enumeration('blue', 'red', 'green'))]),
      RECONFIGURED,
      [3, ['red']],
    ],
    [
      'nested, both',
      Types.record({ c: COLOURS, n: Types.int }),
      { c: 'green', n: 1 },
      Types.record({ c: Types.enumeration('green', 'red'), n: Types.double }),
      MIGRATED,
      { c: 'green', n: 1 },
    ],
    [
      'nested, incompatible',
      Types.nullable(POINT),
      null,
      Types.nullable(Types.record({ x: Types.string })),
      'incompatible',
      undefined,
    ],
    [
      'a removed field of every type is read over',
      Types.record({
        a: Types.string,
        b: Types.double,
        c: Types.boolean,
        d: Types.nullable(COLOURS),
        e: Types.list(Types.tuple([Types.int, Types.row({ q: Types.string })])),
        f: Types.int,
      }),
      { a: 'ä', b: 1.5, c: true, d: 'red', e: [[1, { q: 'x' }]], f: 9 },
      Types.record({ f: Types.int }),
      MIGRATED,
      { f: 9 },
    ],
  ])('S13: %s', (...[, before, value, now, kind, expected]) => {
    expect(evolved(before, value, now)).toEqual([kind, expected]);
  });

  it('S13: the default of an added field is not shared between values', () => {
    const now = Types.record({ x: Types.int, tags: Types.list(Types.string) }, { tags: [] });
    const [, first] = evolved(Types.record({ x: Types.int }), { x: 1 }, now);
    (first as { tags: string[] }).tags.push('a');
    expect(evolved(Types.record({ x: Types.int }), { x: 1 }, now)[1]).toEqual({ x: 1, tags: [] });
  });
});

describe.each(BACKENDS)('$name backend: schema evolution', ({ name, create }) => {
  const backendOf = (): KeyedStateBackend =>
    create({
      keySerializer: Types.string as never,
      keyGroups: { start: 0, end: 7 },
      maxParallelism: 8,
      operator: 'count',
    });
  const write = <T>(descriptor: ValueStateDescriptor<T>, values: Readonly<Record<string, T>>): Uint8Array => {
    const backend = backendOf();
    const state = backend.getState(descriptor);
    for (const [key, value] of Object.entries(values)) {
      backend.setCurrentKey(key);
      state.update(value);
    }
    return backend.snapshot().write();
  };
  const V1 = valueState('total', POINT);
  const V2 = valueState('total', Types.record({ x: Types.double, y: Types.int, seen: Types.boolean }, { seen: true }));

  it.each([
    ['native', (bytes: Uint8Array) => bytes],
    ['canonical', (bytes: Uint8Array) => fromCanonical(toCanonical(bytes))],
  ])('X17 RestoreUpgradedJob, SnapshotMigration: %s, migrated once', (_format, through) => {
    const bytes = through(write(V1, { a: { x: 1, y: 2 }, b: { x: 3, y: 4 } }));
    const backend = backendOf();
    backend.restore(bytes);
    backend.setCurrentKey('b');
    expect(backend.getState(V2).value()).toEqual({ x: 3, y: 4, seen: true });
    const again = backendOf();
    again.restore(through(backend.snapshot().write()));
    again.setCurrentKey('a');
    expect(again.getState(V2).value()).toEqual({ x: 1, y: 2, seen: true });
  });

  it.each(['when it begins', 'after a checkpoint', 'while a snapshot is under way'] as const)(
    'S13, S20: a state is asked for in a later form %s: checkpoints of before and after are read',
    (when) => {
      const OTHER = valueState('other', Types.int);
      const backend = backendOf();
      backend.restore(write(V1, { a: { x: 1, y: 2 }, b: { x: 3, y: 4 } }));
      const { changelog } = backend;
      const taken: (() => KeyedStateBackend)[] = [];
      const take = (): void => {
        const made = changelog?.checkpoint(false);
        if (made?.materialization !== undefined) changelog?.materialized(made.materialization);
        const bytes = made?.manifest ?? backend.snapshot().write();
        const files = (made?.pieces ?? []).map((piece, index) => {
          const file = piece.bytes();
          return { handle: { path: `shared/${String(index)}`, bytes: file.length, checksum: 0 }, bytes: file };
        });
        taken.push(() => {
          const restored = backendOf();
          restoreKeyedState(restored, bytes, files);
          return restored;
        });
      };
      const ask = (): void => backend.getState(V2).update({ x: 5, y: 6, seen: false });
      backend.setCurrentKey('a');
      if (when === 'when it begins') ask();
      backend.getState(OTHER).update(7);
      take();
      backend.getState(OTHER).update(8);
      const running = changelog?.materialize();
      if (when === 'while a snapshot is under way') ask();
      if (running !== undefined) changelog?.materialized(running);
      if (when === 'after a checkpoint') ask();
      take();
      backend.getState(OTHER).update(9);
      take();
      for (const [index, restore] of taken.entries()) {
        const restored = restore();
        restored.setCurrentKey('a');
        expect(restored.getState(OTHER).value()).toBe(7 + index);
        const isAsked = index > 0 || when === 'when it begins';
        expect(restored.getState(V2).value()).toEqual(
          isAsked ? { x: 5, y: 6, seen: false } : { x: 1, y: 2, seen: true },
        );
        restored.setCurrentKey('b');
        expect(restored.getState(V2).value()).toEqual({ x: 3, y: 4, seen: true });
      }
    },
  );

  it('a backend is restored before a state is registered, and a name is one state', () => {
    const backend = backendOf();
    backend.getState(V1);
    expect(() => backend.restore(write(V1, { a: { x: 1, y: 2 } }))).toThrow('restored before a state is registered');
    expect(() => backend.getState(V2)).toThrow('a name is registered as one state');
    expect(() => backend.getState(listState('total', POINT))).toThrow('a name is registered as one state');
  });

  it('S13: a reconfigured serializer goes on with the order it found', () => {
    const bytes = write(valueState('colour', COLOURS), { a: 'green' });
    const now = valueState('colour', Types.enumeration('blue', 'green', 'red'));
    const backend = backendOf();
    backend.restore(bytes);
    const state = backend.getState(now);
    backend.setCurrentKey('b');
    state.update('blue');
    const next = backend.snapshot().write();
    // The one keeps bytes and takes over their order, the other keeps the present order and writes them anew.
    const order = decodeKeyedStateFile(next).states[0]?.serializer.fields?.map(({ name: symbol }) => symbol);
    expect(order).toEqual(name.endsWith('hashmap') ? ['red', 'green', 'blue'] : ['blue', 'green', 'red']);
    const again = backendOf();
    again.restore(next);
    const found = ['a', 'b'].map((key) => {
      again.setCurrentKey(key);
      return again.getState(now).value();
    });
    expect(found).toEqual(['green', 'blue']);
  });

  it('S13: lists and maps evolve in their elements and values, not in their keys', () => {
    const backend = backendOf();
    backend.setCurrentKey('k');
    backend.getState(listState('list', Types.int)).addAll([1, 2]);
    backend.getState(mapState('map', Types.string, Types.int)).put('a', 1);
    const bytes = backend.snapshot().write();
    const now = backendOf();
    now.restore(bytes);
    now.setCurrentKey('k');
    expect(now.getState(listState('list', Types.double)).get()).toEqual([1, 2]);
    expect(now.getState(mapState('map', Types.string, Types.nullable(Types.int))).entries()).toEqual([['a', 1]]);
    const other = backendOf();
    other.restore(bytes);
    expect(() => other.getState(mapState('map', Types.key, Types.int))).toThrow(IncompatibleState);
  });

  it('S13: what cannot be read is refused with operator, state and both forms, and the file restores as before', () => {
    const bytes = write(V1, { a: { x: 1, y: 2 } });
    const before = bytes.slice();
    const backend = backendOf();
    backend.restore(bytes);
    expect(() => backend.getState(valueState('total', Types.string))).toThrow(
      "operator 'count': state 'total' has type record@1(x: int@1, y: int@1), which cannot be read as string@1",
    );
    expect(bytes).toEqual(before);
    backend.setCurrentKey('a');
    expect(backend.getState(V1).value()).toEqual({ x: 1, y: 2 });
  });

  it('S13: keys do not evolve', () => {
    const bytes = write(V1, { a: { x: 1, y: 2 } });
    const other = create({
      keySerializer: Types.key,
      keyGroups: { start: 0, end: 7 },
      maxParallelism: 8,
      operator: 'count',
    });
    expect(() => other.restore(bytes)).toThrow(
      "operator 'count': the keys were written as string@1, the job has key@1",
    );
  });
});

describe('operator state: schema evolution', () => {
  it('S13: elements and broadcast entries are migrated; the rest is refused by name', () => {
    const store = new OperatorStateStore('op');
    store.getListState('list', POINT).add({ x: 1, y: 2 });
    store.getBroadcastState('rules', Types.string, Types.int).put('a', 3);
    const bytes = store.snapshot().write();
    const narrower = Types.record({ y: Types.int });
    const now = new OperatorStateStore('op');
    now.restore(bytes);
    expect(now.getListState('list', narrower).get()).toEqual([{ y: 2 }]);
    expect(now.getBroadcastState('rules', Types.string, Types.double).entries()).toEqual([['a', 3]]);
    const other = new OperatorStateStore('op');
    other.restore(bytes);
    expect(() => other.getListState('list', Types.int)).toThrow(
      "operator 'op': operator state 'list' has type record@1(x: int@1, y: int@1), which cannot be read as int@1",
    );
  });
});
