/**
 * An immutable sorted segment: real bytes, a checksum per block, an index with the first key of each block and the last of all.
 *
 *     'TMLS'  uint32 format version
 *     blocks  rows by rising key: varuint bytes in common with the key before it in the block, varuint length and bytes of the rest,
 *             varuint 0 (the row is deleted) or value length + 1, value
 *             then uint32 CRC32C of the block
 *     index   varuint block count, per block varuint length and first key; last key; varuint rows; then uint32 CRC32C of the index
 *     uint32  offset of the index
 *
 * Owns the layout, and the blocks of it that were read (RocksDB: the block cache, here without a limit). Does not own: what rows mean, which
 * segment is newer, where the bytes lie (segment-directory.ts).
 * I1: equal rows give equal bytes; I2: nothing of a block or of the index is handed out before its checksum was verified;
 * I3: keys rise strictly.
 */
import { assert } from '../foundation/assert.ts';
import { ByteReader, CorruptData } from '../foundation/byte-reader.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import { maskedCrc32c } from '../foundation/crc32c.ts';
import type { FileDamage } from '../state/file-damage.ts';
import { type ByteString, toByteString, toBytes } from './row-key.ts';

/** Undefined: the row is deleted. */
export type RowValue = Uint8Array | undefined;
export type Row = readonly [key: ByteString, value: RowValue];

/** 'TMLS' as it reads in a hex dump. */
const MAGIC = 0x53_4c_4d_54;
const FORMAT_VERSION = 1;
const PREFIX_BYTES = 8;
const WORD_BYTES = 4;
/** RocksDB: 4 KiB; simulated state is smaller, and a read decodes a whole block. */
const BLOCK_BYTES = 512;
const scratch = new ByteWriter();

interface Block {
  readonly offset: number;
  /** Without the checksum. */
  readonly length: number;
  readonly firstKey: ByteString;
}

interface BlockRows {
  readonly keys: ByteString[];
  readonly values: RowValue[];
}

/** Rows must rise by key, each key once. At least one. */
export function encodeSegment(rows: readonly Row[]): Uint8Array {
  assert(rows.length > 0, 'a segment has a row');
  const out = scratch;
  out.reset();
  out.writeUint32(MAGIC);
  out.writeUint32(FORMAT_VERSION);
  const blocks: Block[] = [];
  let offset = out.position;
  let firstKey: ByteString | undefined;
  let before: ByteString | undefined;
  const endBlock = (): void => {
    if (firstKey === undefined) return;
    blocks.push({ offset, length: out.position - offset, firstKey });
    out.writeUint32(out.maskedChecksum(offset));
    offset = out.position;
    firstKey = undefined;
  };
  for (const [key, value] of rows) {
    assert(before === undefined || before < key, 'I3: the keys of a segment rise');
    const common = firstKey === undefined ? 0 : commonPrefix(before, key);
    before = key;
    firstKey ??= key;
    out.writeVarUint(common);
    writeKey(key, out, common);
    out.writeVarUint(value === undefined ? 0 : value.length + 1);
    if (value !== undefined) out.writeBytes(value);
    if (out.position - offset >= BLOCK_BYTES) endBlock();
  }
  endBlock();
  writeIndex(blocks, before ?? '', rows.length, out);
  return out.toBytes();
}

export function isSegment(bytes: Uint8Array): boolean {
  return bytes.length > WORD_BYTES && new ByteReader(bytes).readUint32() === MAGIC;
}

/** The file that a segment lies in. */
export interface SegmentSource {
  /** Of the file, for messages. */
  readonly name: string;
  /** As the disk has it now. */
  read(): Uint8Array;
}

/** The file of a segment is not what was written (RocksDB: Status::Corruption). */
export class DamagedSegment extends CorruptData {
  readonly path: string;
  readonly problem: string;

  constructor(path: string, { problem, offset }: FileDamage) {
    super(`${path}: ${problem}`, offset);
    this.path = path;
    this.problem = problem;
  }
}

/** An opened segment: the index is read, blocks when they are needed. */
export class Segment {
  readonly name: string;
  /** Size of the file in bytes. */
  readonly length: number;
  readonly rowCount: number;
  readonly minKey: ByteString;
  readonly maxKey: ByteString;
  readonly #blocks: readonly Block[];
  readonly #source: SegmentSource;
  readonly #read: (BlockRows | undefined)[];

  /** `bytes`: of the file when it is opened. Throws `CorruptData` unless the index is intact. */
  constructor(bytes: Uint8Array, source: SegmentSource = { name: 'a segment', read: () => bytes }) {
    const { blocks, lastKey, rowCount } = readIndex(bytes);
    this.name = source.name;
    this.#source = source;
    this.length = bytes.length;
    this.rowCount = rowCount;
    this.minKey = blocks[0]?.firstKey ?? '';
    this.maxKey = lastKey;
    this.#blocks = blocks;
    this.#read = blocks.map(() => undefined);
  }

  mayContain(key: ByteString): boolean {
    return key >= this.minKey && key <= this.maxKey;
  }

  /** The value; `deleted`, or undefined where this segment says nothing of the key. */
  get(key: ByteString): Uint8Array | 'deleted' | undefined {
    if (!this.mayContain(key)) return undefined;
    const { keys, values } = this.#rows(lastNotAbove(this.#blocks, key, ({ firstKey }) => firstKey));
    const at = lastNotAbove(keys, key, (found) => found);
    if (keys[at] !== key) return undefined;
    return values[at] ?? 'deleted';
  }

  /** Visits the rows whose key begins with `prefix`, rising. Returns how many blocks were looked into. */
  scan(prefix: ByteString, visit: (key: ByteString, value: RowValue) => void): number {
    if (this.maxKey < prefix) return 0;
    const first = Math.max(
      0,
      lastNotAbove(this.#blocks, prefix, ({ firstKey }) => firstKey),
    );
    let looked = 0;
    for (let block = first; block < this.#blocks.length; block += 1) {
      const start = this.#blocks[block]?.firstKey ?? '';
      if (start > prefix && !start.startsWith(prefix)) return looked;
      looked += 1;
      const { keys, values } = this.#rows(block);
      for (let i = 0; i < keys.length; i += 1) {
        const key = keys[i] ?? '';
        if (key.startsWith(prefix)) visit(key, values[i]);
      }
    }
    return looked;
  }

  /** The whole file, to be copied somewhere else; throws `DamagedSegment` unless it is what was written. */
  read(): Uint8Array {
    const bytes = this.#source.read();
    const end = this.length - WORD_BYTES;
    const start = this.#blocks.reduce((offset, { length }) => offset + length + WORD_BYTES, PREFIX_BYTES);
    for (const block of this.#blocks) this.#verify(bytes, block);
    this.#verify(bytes, { offset: start, length: end - WORD_BYTES - start });
    const head = new ByteReader(bytes);
    if (bytes.length !== this.length || head.readUint32() !== MAGIC || head.readUint32() !== FORMAT_VERSION)
      this.#refuse({ problem: 'a segment begins with TMLS and its format version, and has one length', offset: 0 });
    if (new ByteReader(bytes, end).readUint32() !== start)
      this.#refuse({ problem: 'a segment ends with the place of its index', offset: end });
    return bytes;
  }

  #rows(block: number): BlockRows {
    const known = this.#read[block];
    if (known !== undefined) return known;
    const place = this.#blocks[block];
    assert(place !== undefined, 'a block that is read is in the index', { block });
    const bytes = this.#source.read();
    this.#verify(bytes, place);
    const rows = readBlock(bytes, place);
    this.#read[block] = rows;
    return rows;
  }

  /** I2. */
  #verify(bytes: Uint8Array, place: Pick<Block, 'offset' | 'length'>): void {
    const damage = damageOf(bytes, place);
    if (damage !== undefined) this.#refuse(damage);
  }

  #refuse(damage: FileDamage): never {
    throw new DamagedSegment(this.name, damage);
  }
}

/** Visits every row of a segment as bytes, for auditors. */
export function readSegmentRows(bytes: Uint8Array, visit: (key: Uint8Array, value: RowValue) => void): void {
  for (const block of readIndex(bytes).blocks) {
    const damage = damageOf(bytes, block);
    if (damage !== undefined) throw new CorruptData(damage.problem, damage.offset);
    const { keys, values } = readBlock(bytes, block);
    keys.forEach((key, i) => {
      visit(toBytes(key), values[i]);
    });
  }
}

/** Index of the last item whose key is not above `key`; -1: there is none. */
function lastNotAbove<T>(items: readonly T[], key: ByteString, keyOf: (item: T) => ByteString): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && keyOf(item) <= key) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function writeKey(key: ByteString, out: ByteWriter, from = 0): void {
  out.writeVarUint(key.length - from);
  for (let i = from; i < key.length; i += 1) out.writeByte(key.charCodeAt(i));
}

function commonPrefix(before: ByteString | undefined, key: ByteString): number {
  let common = 0;
  while (before !== undefined && common < before.length && before.charCodeAt(common) === key.charCodeAt(common))
    common += 1;
  return common;
}

function writeIndex(blocks: readonly Block[], lastKey: ByteString, rows: number, out: ByteWriter): void {
  const start = out.position;
  out.writeVarUint(blocks.length);
  for (const { length, firstKey } of blocks) {
    out.writeVarUint(length);
    writeKey(firstKey, out);
  }
  writeKey(lastKey, out);
  out.writeVarUint(rows);
  out.writeUint32(out.maskedChecksum(start));
  out.writeUint32(start);
}

function readIndex(bytes: Uint8Array): { blocks: Block[]; lastKey: ByteString; rowCount: number } {
  const end = bytes.length - 2 * WORD_BYTES;
  if (end < PREFIX_BYTES) throw new CorruptData('a segment is longer', bytes.length);
  const prefix = new ByteReader(bytes);
  if (prefix.readUint32() !== MAGIC) throw new CorruptData('a segment begins with TMLS', 0);
  if (prefix.readUint32() !== FORMAT_VERSION) throw new CorruptData('a segment has format version 1', WORD_BYTES);
  const tail = new ByteReader(bytes, end);
  const checksum = tail.readUint32();
  const start = tail.readUint32();
  if (start < PREFIX_BYTES || start > end) throw new CorruptData('the index lies inside the segment', end + WORD_BYTES);
  if (maskedCrc32c(bytes, start, end) !== checksum)
    throw new CorruptData('the index does not match its checksum', start);
  const input = new ByteReader(bytes, start, end);
  let offset = PREFIX_BYTES;
  const blocks = Array.from({ length: input.readVarUint() }, () => {
    const length = input.readVarUint();
    const block = { offset, length, firstKey: toByteString(input.readBytes(input.readVarUint())) };
    offset += length + WORD_BYTES;
    return block;
  });
  if (offset !== start || blocks.length === 0) input.refuse('the blocks of a segment fill it');
  const lastKey = toByteString(input.readBytes(input.readVarUint()));
  return { blocks, lastKey, rowCount: input.readVarUint() };
}

function damageOf(bytes: Uint8Array, { offset, length }: Pick<Block, 'offset' | 'length'>): FileDamage | undefined {
  const end = offset + length;
  if (bytes.length < end + WORD_BYTES) return { problem: 'the file ends too early', offset: bytes.length };
  if (maskedCrc32c(bytes, offset, end) === new ByteReader(bytes, end).readUint32()) return undefined;
  return { problem: 'a block does not match its checksum', offset };
}

function readBlock(bytes: Uint8Array, { offset, length }: Block): BlockRows {
  const input = new ByteReader(bytes, offset, offset + length);
  const rows: BlockRows = { keys: [], values: [] };
  let key: ByteString = '';
  while (input.remaining > 0) {
    const common = input.readVarUint();
    if (common > key.length) input.refuse('a key has a beginning in common with the one before');
    key = key.slice(0, common) + toByteString(input.readBytes(input.readVarUint()));
    rows.keys.push(key);
    const tag = input.readVarUint();
    rows.values.push(tag === 0 ? undefined : input.readBytes(tag - 1));
  }
  return rows;
}
