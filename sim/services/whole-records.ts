/**
 * What readers of an output file get when a loss of power has cut it short: the records before the first one that is not whole.
 *
 * Owns: finding that place. Does not own: the form of records (engine/protocol/output-file.ts), what power leaves (power-loss.ts).
 *
 * I1: a file that was written to its end is whole; so is what is left of it up to where it was cut, or where zeros begin.
 */

/** A record ends so. Zeros reach to the end of a file: where the last byte of a record is none, no byte before it is. */
const LAST_BYTE = '}'.charCodeAt(0);

/** A view of the bytes that hold whole records. */
export function wholeRecords(bytes: Uint8Array): Uint8Array {
  let end = 0;
  for (let next = endOfRecord(bytes, end); next !== undefined; next = endOfRecord(bytes, end)) end = next;
  return bytes.subarray(0, end);
}

/** Undefined: the record that begins there is not whole, or there is none. */
function endOfRecord(bytes: Uint8Array, start: number): number | undefined {
  let [length, scale, at] = [0, 1, start];
  for (;;) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    at += 1;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  const end = at + length;
  return length > 0 && bytes[end - 1] === LAST_BYTE ? end : undefined;
}
