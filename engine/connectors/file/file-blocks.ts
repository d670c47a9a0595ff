/**
 * Files of lines, cut into parts that are splits, and parts into blocks that are read at a time (Flink: FileSourceSplit, CheckpointedPosition).
 *
 * A line is `<CRC32C of the rest, 8 hex digits> <JSON of [source index, time, value]>`, in ASCII; the last line of a file is `end`. A line belongs to
 * the block, and so to the part, in which it begins, though it may end behind it (Hadoop: TextInputFormat). A position is a block and how many
 * of its lines were read: the offset to seek to, and the records to skip after it.
 *
 * Owns: the arithmetic of places, and reading lines out of bytes. Does not own: requests (file-fetcher.ts).
 * I1: blocks of a file hold each of its lines once;
 * I2: bytes that are damaged or cut short are told from the end of a file, which the line `end` alone shows;
 * I3: where the first line of a block begins is known by the line before it, and that is read whole: a line break that is damaged would else hide a line.
 */
import { crc32c } from '../../foundation/crc32c.ts';
import type { FileSourceSpec } from '../../job/job-graph.ts';
import type { ByteRange } from '../../protocol/messages.ts';

/** Bytes of a file in which lines of a block begin. */
export interface BlockPlace {
  readonly path: string;
  readonly from: number;
  /** One past the last byte; `from` or less: the part has no such block. */
  readonly to: number;
  /** No block of the part follows. */
  readonly isLast: boolean;
}

export interface BlockLines {
  readonly values: readonly unknown[];
  readonly timestampsUs: readonly number[];
  readonly sourceIndices: readonly number[];
  /** The file ends in this block. */
  readonly ended: boolean;
}

const NEWLINE = 10;
const SPACE = 32;
const CHECKSUM_DIGITS = 8;
const END = 'end';
/** So many bytes before a block hold the line before it; where they do not, more are read. */
export const BYTES_BEFORE = 256;
/** The last line as it lies there. */
export const END_LINE = `${checksumOf(Uint8Array.of(101, 110, 100))} ${END}\n`;
/** Bytes of it that tell it from any other line's. */
const LEAST_OF_END = 5;
const NO_LINES = { values: [], timestampsUs: [], sourceIndices: [] };

/** Where a block of a split lies; `index`: of the split among those of its source. */
export function blockPlace(
  { directory, parts, partBytes, blockBytes }: FileSourceSpec,
  index: number,
  block: number,
): BlockPlace {
  const part = index % parts;
  const from = part * partBytes + block * blockBytes;
  const end = part === parts - 1 ? Number.MAX_SAFE_INTEGER : (part + 1) * partBytes;
  const to = Math.min(from + blockBytes, end);
  return { path: filePath(directory, Math.floor(index / parts)), from, to, isLast: to === end };
}

export const filePath = (directory: string, file: number): string =>
  `${directory}/part-${String(file).padStart(5, '0')}`;

/** The number of a file in a directory; undefined: it is none of ours. */
export function fileNumber(directory: string, path: string): number | undefined {
  const prefix = `${directory}/part-`;
  const digits = path.startsWith(prefix) ? path.slice(prefix.length) : '';
  return /^\d{5}$/.test(digits) ? Number(digits) : undefined;
}

/**
 * The lines that begin in a block. `asked` begins at `readFrom`. `more`: the last line goes on behind the bytes; `earlier`: the line before the block
 * begins before them, or the block has none of them, and so few are before it that a file which ends there looks like any that is cut short;
 * `damaged`: they are not what lies in the file, or not all that was asked for.
 */
export function linesOf(
  bytes: Uint8Array,
  { from, to }: BlockPlace,
  asked: ByteRange,
): BlockLines | 'more' | 'earlier' | 'damaged' {
  const start = asked.offset;
  const isShort = bytes.length < asked.bytes;
  if (isShort && start + bytes.length <= from) {
    if (bytes.length < LEAST_OF_END) return start > 0 ? 'earlier' : 'damaged';
    return endsWithEnd(bytes) ? { ...NO_LINES, ended: true } : 'damaged';
  }
  const first = firstLineAt(bytes, from, start);
  if (first === 'more') return isShort ? 'damaged' : 'more';
  if (first === 'ended') return { ...NO_LINES, ended: true };
  if (typeof first === 'string') return first;
  let at = first;
  const values: unknown[] = [];
  const timestampsUs: number[] = [];
  const sourceIndices: number[] = [];
  while (start + at < to) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0) return isShort ? 'damaged' : 'more';
    const line = contentOf(bytes.subarray(at, newline));
    if (line === undefined) return 'damaged';
    if (line === END) return { values, timestampsUs, sourceIndices, ended: true };
    const [sourceIndex, timestampUs, value] = JSON.parse(line) as [number, number, unknown];
    values.push(value);
    timestampsUs.push(timestampUs);
    sourceIndices.push(sourceIndex);
    at = newline + 1;
  }
  return { values, timestampsUs, sourceIndices, ended: false };
}

/** I3. Where in the bytes the first line begins that begins at `from` or behind it; `start`: where the bytes begin. */
function firstLineAt(
  bytes: Uint8Array,
  from: number,
  start: number,
): number | 'more' | 'earlier' | 'damaged' | 'ended' {
  if (from === 0) return 0;
  const end = bytes.indexOf(NEWLINE, from - 1 - start);
  if (end < 0) return 'more';
  const line = from - 1 === start ? 0 : bytes.lastIndexOf(NEWLINE, from - 2 - start) + 1;
  if (line === 0 && start > 0) return 'earlier';
  const content = contentOf(bytes.subarray(line, end));
  if (content === END) return 'ended';
  return content === undefined ? 'damaged' : end + 1;
}

/** Where to read from for a block that begins there, so many bytes `before` it: the line before it, and the one that ends the file if it ends there. */
export const readFrom = (from: number, before = BYTES_BEFORE): number => Math.max(0, from - before);

const endsWithEnd = (bytes: Uint8Array): boolean => END_LINE.endsWith(textOf(bytes.subarray(-LEAST_OF_END)));

/** Undefined: it does not match its checksum. */
function contentOf(line: Uint8Array): string | undefined {
  const content = line.subarray(CHECKSUM_DIGITS + 1);
  const checksum = textOf(line.subarray(0, CHECKSUM_DIGITS));
  const isWhole = line[CHECKSUM_DIGITS] === SPACE && checksumOf(content) === checksum;
  return isWhole ? textOf(content) : undefined;
}

function checksumOf(content: Uint8Array): string {
  return crc32c(content).toString(16).padStart(CHECKSUM_DIGITS, '0');
}

function textOf(ascii: Uint8Array): string {
  let text = '';
  for (const unit of ascii) text += String.fromCharCode(unit);
  return text;
}
