import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CorruptData } from '../../../../engine/foundation/byte-reader.ts';
import { maskedCrc32c } from '../../../../engine/foundation/crc32c.ts';
import { type CheckpointMetadata, decodeMetadata, encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import { REDISTRIBUTION_MODES, type StateHandle } from '../../../../engine/protocol/state-handle.ts';
import { id, inlineHandle, JOB, keyedHandle } from '../../../support/engine-values.ts';

const METADATA: CheckpointMetadata = {
  checkpointId: id(12),
  jobId: JOB,
  triggeredAtUs: 123_456_789,
  states: [
    {
      vertex: 0,
      subtask: 1,
      handles: [inlineHandle('source', new Uint8Array([1, 2, 3])), inlineHandle('empty', new Uint8Array())],
    },
    { vertex: 1, subtask: 0, handles: [keyedHandle('count', 0, 63)] },
    { vertex: 2, subtask: 0, handles: [] },
  ],
  operators: [{ uid: 'count', parallelism: 2, maxParallelism: 128 }],
  highestParallelism: 11,
};

const SEGMENT = { path: 'c/job/shared/count-0/5-1-7.merged', bytes: 9, checksum: 3 };
const MERGED: CheckpointMetadata = {
  ...METADATA,
  states: [
    {
      vertex: 0,
      subtask: 0,
      handles: [{ ...keyedHandle('count', 0, 63), path: 'c/job/taskowned/t-1/5-2-7.merged', offset: 0 }],
    },
    {
      vertex: 1,
      subtask: 0,
      handles: [
        inlineHandle('source', new Uint8Array([1])),
        {
          ...keyedHandle('count', 64, 127),
          segments: [
            { ...SEGMENT, offset: 0 },
            { ...SEGMENT, path: 'c/job/shared/count-1-5-3-7.segment' },
            { ...SEGMENT, offset: 9 },
          ],
        },
      ],
    },
  ],
};

const WITH_COORDINATORS: CheckpointMetadata = {
  ...METADATA,
  coordinators: [
    { operator: 'source-a', bytes: new Uint8Array([9, 8, 7]) },
    { operator: 'source-b', bytes: new Uint8Array() },
  ],
};

const finished = fc.constantFrom('task' as const, 'operators' as const);
const text = fc.string({ unit: 'grapheme', maxLength: 10 });
const offsets = fc.array(fc.nat(9_999), { maxLength: 5 }).map((all) => all.sort((a, b) => a - b));
const list = fc.record(
  { name: text, mode: fc.constantFrom(...REDISTRIBUTION_MODES), offsets },
  { noNullPrototype: true },
);
const lists = fc.array(list, { maxLength: 3 });
const channels = fc.array(
  fc.record({ edge: fc.nat(9), peer: fc.nat(9), offset: fc.nat(), bytes: fc.nat() }, { noNullPrototype: true }),
  { minLength: 1, maxLength: 3 },
);
const handle: fc.Arbitrary<StateHandle> = fc.oneof(
  fc.tuple(text, fc.uint8Array({ maxLength: 30 })).map(([operator, bytes]) => inlineHandle(operator, bytes)),
  fc.tuple(text, fc.uint8Array({ maxLength: 9 }), channels).map(([operator, bytes, sections]) => ({
    ...inlineHandle(operator, bytes),
    state: 'input-channel' as const,
    channels: sections,
  })),
  fc.tuple(text, fc.nat(100), fc.nat(100)).map(([operator, start, more]) => keyedHandle(operator, start, start + more)),
  fc.tuple(text, lists).map(([operator, of]) => ({ ...inlineHandle(operator, new Uint8Array([1])), lists: of })),
);
const state = fc.record(
  { vertex: fc.nat(9), subtask: fc.nat(9), handles: fc.array(handle, { maxLength: 3 }), finished },
  { requiredKeys: ['vertex', 'subtask', 'handles'], noNullPrototype: true },
);
const scale = fc.record({ uid: text, parallelism: fc.nat(99), maxParallelism: fc.nat(99) }, { noNullPrototype: true });
const metadata = fc.record(
  {
    checkpointId: fc.maxSafeNat().map(id),
    jobId: text,
    triggeredAtUs: fc.maxSafeNat(),
    states: fc.array(state, { maxLength: 4 }),
    operators: fc.array(scale, { maxLength: 3 }),
    highestParallelism: fc.nat(40_000),
  },
  { noNullPrototype: true },
);

/** The file with other contents and a checksum that fits. */
function resealed(bytes: Uint8Array, change: (body: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy.subarray(0, -4));
  new DataView(copy.buffer).setUint32(copy.length - 4, maskedCrc32c(copy.subarray(0, -4)), true);
  return copy;
}

/** Up to the number of subtask states, which is not in it. */
function bodyWithoutStates(version: number): number[] {
  const body = [...encodeMetadata({ ...METADATA, states: [], operators: [], highestParallelism: 0 }).subarray(0, -5)];
  body[4] = version;
  return body;
}

describe('_metadata', () => {
  it('S19: where state lies in merged files survives the round trip, that of handles and of segments', () => {
    expect(decodeMetadata(encodeMetadata(MERGED))).toEqual(MERGED);
  });

  it('T4: any checkpoint comes back as written', () => {
    const property = fc.property(metadata, (made) => {
      expect(decodeMetadata(encodeMetadata(made))).toStrictEqual(made);
    });
    fc.assert(property, { numRuns: 200, seed: 20_191_212 });
  });

  it('T4: a file of version 1, from before there was channel state, is read', () => {
    // One inline piece of operator state: version 1 ends a handle without a list of channels.
    const body = bodyWithoutStates(1);
    const handleOfVersion1 = [1, 0x73, 0, 0, 2, 0x11, 0x22, 0x33, 0x44, 0, 7, 8];
    const bytes = new Uint8Array([...body, 1, 5, 6, 1, ...handleOfVersion1, 0, 0, 0, 0]);
    const decoded = decodeMetadata(resealed(bytes, () => {}));
    expect(decoded.states).toEqual([
      {
        vertex: 5,
        subtask: 6,
        handles: [
          {
            operator: 's',
            state: 'operator',
            path: '',
            inline: new Uint8Array([7, 8]),
            bytes: 2,
            checksum: 0x44332211,
          },
        ],
      },
    ]);
  });

  it('T4: a file of version 2, from before operator state named its lists, is read', () => {
    // A handle ends with its channels, of which it has none; then the coordinators as section 1, and one that nobody knows.
    const body = bodyWithoutStates(2);
    const handleOfVersion2 = [1, 0x73, 0, 0, 2, 0x11, 0x22, 0x33, 0x44, 0, 0, 7, 8];
    const sections = [1, 4, 1, 1, 0x63, 0, 99, 2, 1, 1];
    const bytes = new Uint8Array([...body, 1, 5, 6, 1, ...handleOfVersion2, ...sections, 0, 0, 0, 0]);
    const decoded = decodeMetadata(resealed(bytes, () => {}));
    expect(decoded.states[0]?.handles).toEqual([
      { operator: 's', state: 'operator', path: '', inline: new Uint8Array([7, 8]), bytes: 2, checksum: 0x44332211 },
    ]);
    expect(decoded.coordinators).toEqual([{ operator: 'c', bytes: new Uint8Array() }]);
    expect(decoded).toMatchObject({ operators: [], highestParallelism: 0 });
  });

  it('T4: it begins with its magic number', () => {
    const bytes = encodeMetadata(METADATA);
    expect(new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true)).toBe(0x4960672d);
  });

  it('T4, T9: a flipped byte anywhere is refused', () => {
    const bytes = encodeMetadata(METADATA);
    for (let at = 0; at < bytes.length; at += 1) {
      for (const bit of [1, 0x80, 0xff]) {
        const flipped = bytes.slice();
        flipped[at] = (flipped[at] ?? 0) ^ bit;
        expect(() => decodeMetadata(flipped), `byte ${at}`).toThrow(CorruptData);
      }
    }
  });

  it('T5: a file cut short anywhere is refused', () => {
    const bytes = encodeMetadata(METADATA);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeMetadata(bytes.slice(0, length)), `${length} bytes`).toThrow(CorruptData);
    }
  });

  it('T4: another magic number or a format of the future is refused though the checksum fits', () => {
    const bytes = encodeMetadata(METADATA);
    const otherMagic = resealed(bytes, (body) => body.set([0], 0));
    const otherVersion = resealed(bytes, (body) => body.set([9], 4));
    expect(() => decodeMetadata(otherMagic)).toThrow(/magic/);
    expect(() => decodeMetadata(otherVersion)).toThrow(/format 9 is unknown/);
    expect(decodeMetadata(resealed(bytes, () => {}))).toEqual(METADATA);
  });

  it('C24: holds the snapshots of operator coordinators', () => {
    expect(decodeMetadata(encodeMetadata(WITH_COORDINATORS))).toEqual(WITH_COORDINATORS);
  });

  it('S17: segments stand with their handle, and whose state it is; a placeholder is never written (FLINK-6640)', () => {
    const segment = { path: 'dir/job/shared/op-0-1-1-3.segment', bytes: 9, checksum: 4 };
    const keyed = { ...keyedHandle('count', 0, 63), segments: [segment, { ...segment, bytes: 10 }] };
    const states = [{ vertex: 0, subtask: 0, handles: [inlineHandle('a', new Uint8Array(1)), keyed] }];
    const metadata = { ...METADATA, backend: 'lsm' as const, states };
    expect(decodeMetadata(encodeMetadata(metadata))).toEqual(metadata);
    const named = { ...keyed, segments: [{ ...segment, isPlaceholder: true as const }] };
    expect(() => encodeMetadata({ ...metadata, states: [{ vertex: 0, subtask: 0, handles: [named] }] })).toThrow();
  });

  it('C24: without coordinators there is no section, and a file of before is read as ever', () => {
    expect(encodeMetadata({ ...METADATA, coordinators: [] })).toEqual(encodeMetadata(METADATA));
    expect('coordinators' in decodeMetadata(encodeMetadata(METADATA))).toBe(false);
  });
});
