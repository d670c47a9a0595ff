/** Segments and manifests as bytes: any damage is found, where it lies. */
import { describe, expect, it } from 'vitest';
import { CorruptData } from '../../../../engine/foundation/byte-reader.ts';
import { decodeManifest, encodeManifest, isManifest } from '../../../../engine/lsm/manifest-file.ts';
import { encodeSegment, type Row, readSegmentRows, Segment } from '../../../../engine/lsm/segment-file.ts';

const ROWS: readonly Row[] = Array.from({ length: 60 }, (_, index): Row => {
  const key = `key-${String(index).padStart(3, '0')}`;
  return [key, index % 7 === 3 ? undefined : new Uint8Array(10).fill(index)];
});
const BYTES = encodeSegment(ROWS);

function readAll(bytes: Uint8Array): void {
  new Segment(bytes);
  readSegmentRows(bytes, () => undefined);
}

describe('segment', () => {
  it('says of each key what was written, of a deleted one that it is, of others nothing', () => {
    const segment = new Segment(BYTES);
    for (const [key, value] of ROWS) expect(segment.get(key)).toEqual(value ?? 'deleted');
    for (const key of ['a', 'key-0005', 'key-999']) expect(segment.get(key)).toBeUndefined();
    expect([segment.rowCount, segment.minKey, segment.maxKey]).toEqual([60, 'key-000', 'key-059']);
  });

  it('a scan finds the rows of a prefix, and looks into the blocks that may have some', () => {
    const found: string[] = [];
    const blocks = new Segment(BYTES).scan('key-02', (key) => found.push(key));
    expect(found).toEqual(ROWS.slice(20, 30).map(([key]) => key));
    expect(blocks).toBeLessThanOrEqual(2);
  });

  it('any flipped byte, and any truncation, is found', () => {
    for (let index = 0; index < BYTES.length; index += 1) {
      const damaged = BYTES.slice();
      damaged[index] = (damaged[index] ?? 0) ^ 0x10;
      expect(() => readAll(damaged), `byte ${index}`).toThrow(CorruptData);
      expect(() => readAll(BYTES.slice(0, index))).toThrow(CorruptData);
    }
  });
});

describe('manifest', () => {
  const manifest = {
    keySerializer: { name: 'key', version: 1 },
    maxParallelism: 128,
    keyGroups: { start: 3, end: 9 },
    states: [{ name: 'counts', kind: 'map' as const, serializer: { name: 'map', version: 1 } }],
    segments: [
      { level: 0, bytes: 100 },
      { level: 2, bytes: 4_000 },
    ],
  };

  it('is read as it was written', () => {
    const bytes = encodeManifest(manifest);
    expect(isManifest(bytes)).toBe(true);
    expect(decodeManifest(bytes)).toEqual(manifest);
  });

  it('any flipped byte is found', () => {
    const bytes = encodeManifest(manifest);
    for (let index = 0; index < bytes.length; index += 1) {
      const damaged = bytes.slice();
      damaged[index] = (damaged[index] ?? 0) ^ 0x04;
      expect(() => decodeManifest(damaged)).toThrow(CorruptData);
    }
  });
});
