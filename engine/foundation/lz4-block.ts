/**
 * The LZ4 block format: fast compression without tables or entropy coding. Written here because the engine imports nothing.
 *
 *     sequences: token (high half: number of literals, low half: length of the match less 4; 15: more length bytes follow, each 255 says
 *     that another one comes) | literals | uint16 distance of the match. The last sequence has literals only.
 *
 * Owns the format, not a length or a checksum: whoever stores a block knows how long it was and verifies it first.
 *
 * I1: equal input gives equal bytes: the table of earlier places is emptied for each block;
 * I2: decompression never reads or writes outside its block: whatever it is given, it yields the length asked for or `CorruptData` with
 *     the offset of what is wrong.
 */
import { assert } from './assert.ts';
import { CorruptData } from './byte-reader.ts';

/** Matches are at least so long. */
const MATCH_MIN = 4;
/** The format: the last bytes are literals, and no match begins in the last twelve. */
const LAST_LITERALS = 5;
const MATCH_FREE_END = 12;
const DISTANCE_MAX = 65_535;
const RUN_MASK = 15;
const HASH_BITS = 12;
/** Knuth's multiplicative hash of four bytes. */
const HASH_FACTOR = 2_654_435_761;
/** Where four bytes with this hash were last seen; -1: nowhere. */
const table = new Int32Array(1 << HASH_BITS);

/** At most so many bytes come of `length` bytes that cannot be compressed. */
export const compressedBound = (length: number): number => length + Math.floor(length / 255) + 16;

export function compressBlock(input: Uint8Array): Uint8Array {
  const out = new Uint8Array(compressedBound(input.length));
  const lastStart = input.length - MATCH_FREE_END;
  table.fill(-1);
  let written = 0;
  let literalStart = 0;
  let at = 0;
  while (at <= lastStart) {
    const hash = hashAt(input, at);
    const earlier = table[hash] ?? -1;
    table[hash] = at;
    if (earlier < 0 || at - earlier > DISTANCE_MAX || !sameFour(input, earlier, at)) {
      at += 1;
      continue;
    }
    const length = matchLength(input, earlier, at);
    written = writeSequence(out, written, { input, literalStart, literalEnd: at, distance: at - earlier, length });
    at += length;
    literalStart = at;
  }
  written = writeSequence(out, written, { input, literalStart, literalEnd: input.length, distance: 0, length: 0 });
  return out.slice(0, written);
}

/** The `length` bytes that `bytes[start, end)` stand for; anything else is `CorruptData`. */
export function decompressBlock(
  bytes: Uint8Array,
  { start, end, length }: { readonly start: number; readonly end: number; readonly length: number },
): Uint8Array {
  assert(0 <= start && start <= end && end <= bytes.length, 'a block lies inside its bytes', { start, end });
  const out = new Uint8Array(length);
  const run = { at: start, length: 0 };
  let written = 0;
  for (;;) {
    if (run.at >= end) throw new CorruptData('a compressed block ends with literals', run.at);
    const token = bytes[run.at++] ?? 0;
    readRun(bytes, end, token >> 4, run);
    if (run.length > end - run.at) throw new CorruptData('literals lie inside their block', run.at);
    if (run.length > length - written) throw new CorruptData('a block yields no more than its length', run.at);
    out.set(bytes.subarray(run.at, run.at + run.length), written);
    written += run.length;
    run.at += run.length;
    if (run.at === end) break;
    if (end - run.at < 2) throw new CorruptData('a match has a distance', run.at);
    const distance = (bytes[run.at] ?? 0) | ((bytes[run.at + 1] ?? 0) << 8);
    if (distance === 0 || distance > written)
      throw new CorruptData('a match lies before where it is copied to', run.at);
    run.at += 2;
    readRun(bytes, end, token & RUN_MASK, run);
    const matched = run.length + MATCH_MIN;
    if (matched > length - written) throw new CorruptData('a block yields no more than its length', run.at);
    // Byte by byte: a match may reach into what it makes.
    for (let i = 0; i < matched; i++, written++) out[written] = out[written - distance] ?? 0;
  }
  if (written !== length) throw new CorruptData('a block yields its length', end);
  return out;
}

/** A length of 15 goes on in bytes, up to the first that is not 255. */
function readRun(bytes: Uint8Array, end: number, first: number, run: { at: number; length: number }): void {
  run.length = first;
  if (first < RUN_MASK) return;
  for (let more = 255; more === 255; ) {
    if (run.at >= end) throw new CorruptData('a length ends inside its block', run.at);
    more = bytes[run.at++] ?? 0;
    run.length += more;
  }
}

interface Sequence {
  readonly input: Uint8Array;
  readonly literalStart: number;
  readonly literalEnd: number;
  /** 0: the last sequence, without a match. */
  readonly distance: number;
  readonly length: number;
}

function writeSequence(out: Uint8Array, start: number, sequence: Sequence): number {
  const { input, literalStart, literalEnd, distance, length } = sequence;
  const literals = literalEnd - literalStart;
  const match = distance === 0 ? 0 : length - MATCH_MIN;
  let at = start;
  out[at++] = (Math.min(literals, RUN_MASK) << 4) | Math.min(match, RUN_MASK);
  at = writeRun(out, at, literals);
  out.set(input.subarray(literalStart, literalEnd), at);
  at += literals;
  if (distance === 0) return at;
  out[at++] = distance & 0xff;
  out[at++] = distance >> 8;
  return writeRun(out, at, match);
}

function writeRun(out: Uint8Array, start: number, length: number): number {
  if (length < RUN_MASK) return start;
  let at = start;
  let rest = length - RUN_MASK;
  for (; rest >= 255; rest -= 255) out[at++] = 255;
  out[at++] = rest;
  return at;
}

function hashAt(input: Uint8Array, at: number): number {
  const four =
    (input[at] ?? 0) | ((input[at + 1] ?? 0) << 8) | ((input[at + 2] ?? 0) << 16) | ((input[at + 3] ?? 0) << 24);
  return Math.imul(four, HASH_FACTOR) >>> (32 - HASH_BITS);
}

function sameFour(input: Uint8Array, a: number, b: number): boolean {
  return (
    input[a] === input[b] &&
    input[a + 1] === input[b + 1] &&
    input[a + 2] === input[b + 2] &&
    input[a + 3] === input[b + 3]
  );
}

function matchLength(input: Uint8Array, earlier: number, at: number): number {
  const most = input.length - LAST_LITERALS - at;
  let length = MATCH_MIN;
  while (length < most && input[earlier + length] === input[at + length]) length += 1;
  return length;
}
