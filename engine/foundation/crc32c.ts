/**
 * CRC32C (Castagnoli), the checksum of every state file: eight bytes a step by eight tables ("slice by 8").
 *
 * Flink writes no checksum into state files (row T9), so that a flipped byte there is found at best as a
 * deserialization error. We differ on purpose: corruption is found by checksum, not by luck.
 *
 * I1: crc32c('123456789') = 0xe3069283, the check value of the polynomial.
 * I2: any single error burst of up to 32 bits changes the checksum.
 * I3: what is stored beside the data it covers is masked, never the plain CRC.
 */

import { assert } from './assert.ts';

/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;
const TABLE_SIZE = 256;
const SLICES = 8;

const TABLES = buildTables();

/** The CRC32C of `bytes[start, end)` as an unsigned 32-bit integer. */
export function crc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  assert(0 <= start && start <= end && end <= bytes.length, 'the checksummed range lies inside the bytes');
  const table = TABLES;
  let crc = -1;
  let i = start;
  for (const last = end - SLICES; i <= last; i += SLICES) {
    crc ^= at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    crc =
      at(table, 0x700 | (crc & 0xff)) ^
      at(table, 0x600 | ((crc >>> 8) & 0xff)) ^
      at(table, 0x500 | ((crc >>> 16) & 0xff)) ^
      at(table, 0x400 | (crc >>> 24)) ^
      at(table, 0x300 | at(bytes, i + 4)) ^
      at(table, 0x200 | at(bytes, i + 5)) ^
      at(table, 0x100 | at(bytes, i + 6)) ^
      at(table, at(bytes, i + 7));
  }
  for (; i < end; i++) crc = at(table, (crc ^ at(bytes, i)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const MASK_ROTATION = 15;
const MASK_DELTA = 0xa282ead8;

/**
 * What a file stores as the checksum of its own bytes (as LevelDB's crc32c::Mask does, with its constants).
 *
 * The CRC of data that is followed by its own plain CRC is the same for all data: neither a checksum over the whole file nor that of a handle
 * could tell two files of one length apart. Masked, a stored checksum is ordinary data (I3).
 */
export function maskedCrc32c(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const crc = crc32c(bytes, start, end);
  return (((crc >>> MASK_ROTATION) | (crc << (32 - MASK_ROTATION))) + MASK_DELTA) >>> 0;
}

/** Table k holds the effect of a byte that is followed by k zero bytes. */
function buildTables(): Int32Array {
  const tables = new Int32Array(SLICES * TABLE_SIZE);
  for (let byte = 0; byte < TABLE_SIZE; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = TABLE_SIZE; i < tables.length; i++) {
    const previous = at(tables, i - TABLE_SIZE);
    tables[i] = at(tables, previous & 0xff) ^ (previous >>> 8);
  }
  return tables;
}

/** The index is inside the array by construction of the callers' loops; `?? 0` only tells the compiler so. */
function at(numbers: Uint8Array | Int32Array, index: number): number {
  return numbers[index] ?? 0;
}
