/** Row K1: blocks and parts of files hold each line once, whatever their sizes; what is damaged or cut short is no end. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BlockPlace,
  blockPlace,
  END_LINE,
  fileNumber,
  filePath,
  linesOf,
  readFrom,
} from '../../../../engine/connectors/file/file-blocks.ts';
import { fileOfLines } from '../../../../sim/services/input-files.ts';

const line = (sourceIndex: number, text: string) => ({ sourceIndex, timestampUs: sourceIndex * 10, value: { text } });

/** Reads a block as a fetcher does, from bytes that hold enough. */
function read(bytes: Uint8Array, place: BlockPlace): ReturnType<typeof linesOf> {
  let behind = 8;
  for (;;) {
    const from = readFrom(place.from);
    const asked = Math.min(place.to, bytes.length + 100) - from + behind;
    const lines = linesOf(bytes.subarray(from, from + asked), place, asked);
    if (lines !== 'more') return lines;
    behind *= 2;
  }
}

/** The indices of the lines of a part, block by block, as a reader goes through them. */
function partOf(bytes: Uint8Array, files: Parameters<typeof blockPlace>[0], part: number): number[] {
  const indices: number[] = [];
  for (let block = 0; ; block += 1) {
    const place = blockPlace(files, part, block);
    if (place.to <= place.from) return indices;
    const lines = read(bytes, place);
    if (typeof lines === 'string') throw new Error(`block ${block} is ${lines}`);
    indices.push(...lines.sourceIndices);
    if (lines.ended || place.isLast) return indices;
  }
}

describe('a file of lines', () => {
  it('I1: its blocks and parts hold each line once, in order, whatever is cut where', () => {
    const texts = fc.array(fc.string({ maxLength: 30 }), { maxLength: 25 });
    const shape = fc.record({
      parts: fc.integer({ min: 1, max: 5 }),
      partBytes: fc.integer({ min: 1, max: 400 }),
      blockBytes: fc.integer({ min: 1, max: 150 }),
    });
    fc.assert(
      fc.property(texts, shape, (values, sizes) => {
        const { bytes } = fileOfLines(values.map((text, index) => line(index, text)));
        const files = { directory: 'in', ...sizes };
        const found = Array.from({ length: sizes.parts }, (_, part) => partOf(bytes, files, part)).flat();
        expect(found).toEqual(values.map((_, index) => index));
      }),
      { numRuns: 300, seed: 27 },
    );
  });

  it('holds values and times as they were, in any script', () => {
    const { bytes } = fileOfLines([line(3, 'Zürich → 東京 "\n')]);
    const lines = read(bytes, { path: '', from: 0, to: 10, isLast: true });
    expect(lines).toMatchObject({ sourceIndices: [3], timestampsUs: [30], values: [{ text: 'Zürich → 東京 "\n' }] });
  });

  it('I2: a byte that is another one, or an end that is cut off, is damage', () => {
    const { bytes } = fileOfLines([line(0, 'aaaa'), line(1, 'bbbb')]);
    const place = { path: '', from: 0, to: 1_000, isLast: false };
    for (let at = 0; at < bytes.length; at += 1) {
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(linesOf(flipped, place, 2_000), `byte ${at}`).toBe('damaged');
      if (at > 0) expect(linesOf(bytes.subarray(0, at), place, 2_000), `${at} bytes`).toBe('damaged');
    }
    expect(linesOf(bytes, place, 2_000)).toMatchObject({ sourceIndices: [0, 1], ended: true });
  });

  it('is found by its name', () => {
    expect(fileNumber('in', filePath('in', 12))).toBe(12);
    expect(fileNumber('in', 'in/other')).toBeUndefined();
    expect(fileNumber('in', 'elsewhere/part-00001')).toBeUndefined();
    expect(END_LINE).toHaveLength(13);
  });
});
