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

const WHOLE = { offset: 0, bytes: 2_000 };

/** Reads a block as a fetcher does, from bytes that hold enough. */
function read(bytes: Uint8Array, place: BlockPlace): ReturnType<typeof linesOf> {
  let before = END_LINE.length;
  let behind = 8;
  for (;;) {
    const offset = readFrom(place.from, before);
    const asked = Math.max(place.from, Math.min(place.to, bytes.length + 100)) - offset + behind;
    const lines = linesOf(bytes.subarray(offset, offset + asked), place, { offset, bytes: asked });
    if (lines === 'more') behind *= 2;
    else if (lines === 'earlier') before *= 2;
    else return lines;
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
      expect(linesOf(flipped, place, WHOLE), `byte ${at}`).toBe('damaged');
      expect(linesOf(bytes.subarray(0, at), place, WHOLE), `${at} bytes`).toBe('damaged');
    }
    expect(linesOf(bytes, place, WHOLE)).toMatchObject({ sourceIndices: [0, 1], ended: true });
  });

  it('I2: of a block within the file a read that gives too little is no end, though it give nothing, or a line break', () => {
    const { bytes } = fileOfLines([line(0, 'aaaa'), line(1, 'bbbb'), line(2, 'cccc')]);
    const breakAt = bytes.indexOf(10);
    for (const from of [breakAt + 13, breakAt + 20]) {
      const place = { path: '', from, to: from + 30, isLast: false };
      for (const before of [13, 256]) {
        const offset = readFrom(from, before);
        const asked = { offset, bytes: from - offset + 30 };
        for (let given = 0; given < asked.bytes; given += 1) {
          const lines = linesOf(bytes.subarray(offset, offset + given), place, asked);
          // The line before begins before the bytes, or they hold too little.
          const isInDoubt = offset > 0 && (given < 5 || lines === 'earlier');
          expect(lines, `${given} bytes from ${offset} on`).toBe(isInDoubt ? 'earlier' : 'damaged');
        }
      }
    }
  });

  it('I3: whatever bit is another one, a block is damaged or holds what it holds', () => {
    const { bytes } = fileOfLines(['a', 'bb', 'ccc'].map((text, index) => line(index, text)));
    for (let from = 0; from <= bytes.length + 3; from += 1) {
      const place = { path: '', from, to: from + 37, isLast: false };
      const whole = read(bytes, place);
      for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const lines = read(flipped, place);
        if (lines !== 'damaged') expect(lines, `bit ${bit}, from ${from}`).toEqual(whole);
      }
    }
  });

  it('a part that begins far behind the end of its file has no lines, and that is seen at the end', () => {
    const { bytes } = fileOfLines([line(0, 'aaaa')]);
    for (let from = bytes.length; from < 4 * bytes.length; from += 1)
      expect(read(bytes, { path: '', from, to: from + 9, isLast: false })).toMatchObject({ values: [], ended: true });
  });

  it('is found by its name', () => {
    expect(fileNumber('in', filePath('in', 12))).toBe(12);
    expect(fileNumber('in', 'in/other')).toBeUndefined();
    expect(fileNumber('in', 'elsewhere/part-00001')).toBeUndefined();
    expect(END_LINE).toHaveLength(13);
  });
});
