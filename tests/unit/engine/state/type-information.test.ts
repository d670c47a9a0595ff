/** Every type comes back from its bytes, and wrong values and hostile bytes are refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, CorruptData } from '../../../../engine/foundation/byte-reader.ts';
import { ByteWriter } from '../../../../engine/foundation/byte-writer.ts';
import type { JsonValue } from '../../../../engine/state/json-serializer.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import {
  checkCompatibility,
  describeSerializer,
  type TypeSerializer,
} from '../../../../engine/state/type-serializer.ts';

function toBytes<T>(type: TypeSerializer<T>, value: T): Uint8Array {
  const out = new ByteWriter();
  type.serialize(value, out);
  return out.toBytes();
}

function expectRoundTrip<T>(type: TypeSerializer<T>, value: T): void {
  const bytes = toBytes(type, value);
  const input = new ByteReader(bytes);
  const back = type.deserialize(input);
  expect(input.remaining).toBe(0);
  expect(back).toStrictEqual(value);
  expect(type.copy(value)).toStrictEqual(value);
  expect(toBytes(type, back)).toEqual(bytes);
}

const anyString = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)), maxLength: 20 });
const anyInt = fc.maxSafeInteger().map((int) => int + 0);

test('types: arbitrary values of a nested type come back', () => {
  interface Order {
    id: string;
    amount: number;
    price: number;
    paid: boolean;
    note: string | null;
    lines: [string, number][];
  }
  const order = Types.row<Order>({
    id: Types.string,
    amount: Types.int,
    price: Types.double,
    paid: Types.boolean,
    note: Types.nullable(Types.string),
    lines: Types.list(Types.tuple<[string, number]>([Types.string, Types.int])),
  });
  const orders = fc.record(
    {
      id: anyString,
      amount: anyInt,
      price: fc.double(),
      paid: fc.boolean(),
      note: fc.option(anyString),
      lines: fc.array(fc.tuple(anyString, anyInt), { maxLength: 4 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(orders, (value) => expectRoundTrip(order, value)),
    { seed: 4, numRuns: 300 },
  );
});

test('types: arbitrary JSON comes back', () => {
  const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>;
  fc.assert(
    fc.property(json, (value) => expectRoundTrip(Types.json, value)),
    { seed: 5, numRuns: 300 },
  );
});

test('types: special values come back', () => {
  expectRoundTrip(Types.double, -0);
  expectRoundTrip(Types.double, Number.NaN);
  expectRoundTrip(Types.double, Number.NEGATIVE_INFINITY);
  expectRoundTrip(Types.double, 5e-324);
  expectRoundTrip(Types.int, Number.MIN_SAFE_INTEGER);
  expectRoundTrip(Types.string, '\udfff𝄞\ud800');
  expectRoundTrip(Types.list(Types.int), []);
  expectRoundTrip(Types.list(Types.tuple([])), [[], []]);
  expectRoundTrip(Types.nullable(Types.string), '');
  expectRoundTrip(Types.json, { n: -0, big: 1e300, deep: [[[]]], '': null });
  expectRoundTrip(Types.json, JSON.parse('{"__proto__": {"polluted": 1}}') as JsonValue);
  for (const key of ['', 'k', 7, -7.5, true, false, Number.NaN]) expectRoundTrip(Types.key, key);
});

test('types: a copy shares nothing mutable (I3)', () => {
  const type = Types.list(Types.row<{ tags: string[] }>({ tags: Types.list(Types.string) }));
  const value = [{ tags: ['a'] }];
  const copy = type.copy(value);
  value[0]?.tags.push('b');
  expect(copy).toEqual([{ tags: ['a'] }]);
  const json: { a: number[] } = { a: [1] };
  const jsonCopy = Types.json.copy(json);
  json.a.push(2);
  expect(jsonCopy).toEqual({ a: [1] });
});

test('types: equal JSON objects built in different orders have the same bytes', () => {
  expect(toBytes(Types.json, { a: 1, b: { c: 2, d: 3 } })).toEqual(toBytes(Types.json, { b: { d: 3, c: 2 }, a: 1 }));
});

test('types: values of another type are refused', () => {
  expect(() => toBytes(Types.int, 1.5)).toThrow();
  expect(() => toBytes(Types.json, Number.NaN)).toThrow();
  expect(() => toBytes(Types.json, new Map() as unknown as JsonValue)).toThrow();
  expect(() => toBytes(Types.json, { a: undefined } as unknown as JsonValue)).toThrow();
  expect(() => toBytes(Types.string, 5 as unknown as string)).toThrow();
  expect(() => Types.row({ 1: Types.int })).toThrow();
});

test('types: bytes that no value has are refused', () => {
  expect(() => Types.boolean.deserialize(new ByteReader(Uint8Array.of(2)))).toThrow(CorruptData);
  expect(() => Types.json.deserialize(new ByteReader(Uint8Array.of(99)))).toThrow(CorruptData);
  expect(() =>
    Types.json.deserialize(new ByteReader(new Uint8Array(2000).fill(0).map((_, i) => (i % 2 === 0 ? 6 : 1)))),
  ).toThrow(CorruptData);
});

test('compatibility: only an equal description is compatible, at any depth', () => {
  const a = Types.row<{ x: number; y: string[] }>({ x: Types.int, y: Types.list(Types.string) });
  const same = Types.row<{ x: number; y: string[] }>({ x: Types.int, y: Types.list(Types.string) });
  const other = Types.row<{ x: number; y: number[] }>({ x: Types.int, y: Types.list(Types.int) });
  expect(checkCompatibility(a.snapshot, same.snapshot)).toBe('compatible-as-is');
  expect(checkCompatibility(a.snapshot, other.snapshot)).toBe('incompatible');
  expect(checkCompatibility(a.snapshot, { ...a.snapshot, version: 2 })).toBe('incompatible');
  expect(describeSerializer(a.snapshot)).toBe('row@1(x: int@1, y: list@1(element: string@1))');
});
