import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChannelBuffers,
  decodeChannelState,
  encodeChannelState,
} from '../../../../engine/channel-state/channel-state-file.ts';
import { CorruptData } from '../../../../engine/foundation/byte-reader.ts';
import type { DataBuffer } from '../../../../engine/protocol/stream-elements.ts';

const value = fc.jsonValue().map((made): unknown => JSON.parse(JSON.stringify(made)));
const buffer: fc.Arbitrary<DataBuffer> = fc
  .tuple(fc.array(fc.tuple(value, fc.nat(), fc.maxSafeNat()), { maxLength: 4 }), fc.nat())
  .map(([records, bytes]) => ({
    kind: 'data',
    values: records.map(([one]) => one),
    timestampsUs: records.map(([, at]) => at),
    lineages: records.map(([, , lineage]) => lineage),
    bytes,
  }));
const channels: fc.Arbitrary<ChannelBuffers[]> = fc.array(
  fc.record(
    { edge: fc.nat(9), peer: fc.nat(9), buffers: fc.array(buffer, { maxLength: 3 }) },
    { noNullPrototype: true },
  ),
  { maxLength: 4 },
);
const ONE: ChannelBuffers[] = [
  { edge: 1, peer: 2, buffers: [{ kind: 'data', values: ['a'], timestampsUs: [5], lineages: [6], bytes: 7 }] },
  {
    edge: 1,
    peer: 3,
    buffers: [{ kind: 'data', values: ['b', 'c'], timestampsUs: [5, 6], lineages: [7, 8], bytes: 9 }],
  },
];

describe('channel state file', () => {
  it('B17, X28: what was under way on each channel comes back, in order', () => {
    const property = fc.property(channels, (made) => {
      const { bytes, sections } = encodeChannelState(made);
      expect(decodeChannelState(bytes, sections)).toEqual(made);
    });
    fc.assert(property, { numRuns: 200, seed: 20_191_212 });
  });

  it('B17, B19: one channel can be read without the others', () => {
    const { bytes, sections } = encodeChannelState(ONE);
    expect(sections.map(({ edge, peer }) => [edge, peer])).toEqual([
      [1, 2],
      [1, 3],
    ]);
    expect(decodeChannelState(bytes, sections.slice(1))).toEqual(ONE.slice(1));
  });

  it('T9: any flipped byte is found', () => {
    const { bytes, sections } = encodeChannelState(ONE);
    for (let at = 0; at < bytes.length; at += 1) {
      const broken = bytes.slice();
      broken[at] = (broken[at] ?? 0) ^ 0x10;
      expect(() => decodeChannelState(broken, sections), `byte ${at}`).toThrow(CorruptData);
    }
  });

  it('a section outside the file, or one that does not end with a buffer, is refused', () => {
    const { bytes, sections } = encodeChannelState(ONE);
    const [first] = sections;
    if (first === undefined) throw new Error('two sections were written');
    expect(() => decodeChannelState(bytes, [{ ...first, offset: bytes.length - 4 }])).toThrow(CorruptData);
    expect(() => decodeChannelState(bytes, [{ ...first, bytes: first.bytes + 1 }])).toThrow(CorruptData);
    expect(() => decodeChannelState(bytes, [{ ...first, bytes: first.bytes - 1 }])).toThrow(CorruptData);
    expect(() => decodeChannelState(bytes.slice(0, 6), sections)).toThrow(CorruptData);
  });
});
