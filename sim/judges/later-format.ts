/**
 * A state file as a release of the engine to come would leave it: whole, with the next format version. What such a file holds nobody can know,
 * so it must be refused however well it could be read (row T9).
 *
 * Owns what the formats of keyed state have in common: four letters, uint32 format version, content, masked CRC32C of everything above.
 */
import { maskedCrc32c } from '../../engine/foundation/crc32c.ts';

const VERSION_AT = 4;
const CHECKSUM_BYTES = 4;

/** The four letters a file begins with. */
export const formatOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, VERSION_AT));

export function ofNextVersion(bytes: Uint8Array): Uint8Array {
  const later = bytes.slice();
  const view = new DataView(later.buffer);
  view.setUint32(VERSION_AT, view.getUint32(VERSION_AT, true) + 1, true);
  const end = later.length - CHECKSUM_BYTES;
  view.setUint32(end, maskedCrc32c(later, 0, end), true);
  return later;
}
