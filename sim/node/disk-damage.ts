/**
 * Bit rot on the disk of one machine: which files it strikes, and what is left of them.
 *
 * Owns: the damage to one file, a function of the fault and the path alone. Does not own: when (sim/faults) or how long it stays (local-disk.ts).
 */
import { javaStringHash, mix32 } from '../../engine/foundation/stable-hash.ts';

/** A disk that goes bad. */
export interface DiskDamage {
  /** Of each file. */
  readonly chance: { readonly numerator: number; readonly denominator: number };
  /** Says which files and which bytes: a whole number. */
  readonly place: number;
}

/** In so many of the files a bit is wrong; of the others the end cannot be read. */
const FLIPPED_OF_FOUR = 3;

/** What reads of the file give; undefined: it is spared. */
export function rottenBytes(path: string, bytes: Uint8Array, { chance, place }: DiskDamage): Uint8Array | undefined {
  const drawn = mix32(javaStringHash(path), place);
  if (bytes.length === 0 || drawn % chance.denominator >= chance.numerator) return undefined;
  const how = mix32(drawn, place);
  const at = (how >>> 5) % bytes.length;
  if ((how & 3) >= FLIPPED_OF_FOUR) return bytes.slice(0, at);
  const rotten = bytes.slice();
  rotten[at] = (rotten[at] ?? 0) ^ (1 << ((how >>> 2) & 7));
  return rotten;
}
