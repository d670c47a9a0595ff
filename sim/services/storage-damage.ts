/**
 * What a read of a damaged file gives: the copy that answers is bad until the storage has found and replaced it (scrubbing).
 *
 * Owns: the three kinds of damage. Does not own: which files are damaged and how long (service-conditions). The file itself is whole on
 * other disks, which is what judges see: damage hides what is durable for a while and never changes it (decision 0070).
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { StorageAnswer } from './storage-disk.ts';

export interface Damage {
  readonly effect: 'bit-rot' | 'short-read' | 'missing';
  /** Says where: a whole number. */
  readonly place: number;
}

/** Of a read that found the file. */
export function asDamaged(answer: StorageAnswer, { effect, place }: Damage): StorageAnswer {
  const { bytes } = answer;
  if (effect === 'missing' || bytes === undefined) return { outcome: 'not-found' };
  assert(bytes.length > 0, 'no byte of an empty answer is damaged');
  const at = place % bytes.length;
  if (effect === 'short-read') return { ...answer, bytes: bytes.slice(0, at) };
  const rotten = bytes.slice();
  rotten[at] = (rotten[at] ?? 0) ^ (1 << (place & 7));
  return { ...answer, bytes: rotten };
}
