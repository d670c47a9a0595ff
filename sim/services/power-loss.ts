/**
 * What a loss of power leaves of a file that was not synced. Disks write out what they like in any order: all of it, nothing, the
 * beginning, or the length without the content behind some place (delayed allocation: the tail reads as zeros).
 *
 * Owns: the draw, and putting what is left in place. Called by the disks for each file that is not durable as a whole.
 *
 * I1: what was synced stays; the boring choice is that everything was written out just in time.
 */
import type { ChoiceSite } from '../kernel/choice.ts';
import type { StoredFile } from './file-tree.ts';
import type { Tell } from './storage-disk.ts';

const FATES = ['written', 'lost', 'short', 'zeros'] as const;

export function afterPowerLoss(
  { bytes, durable }: Pick<StoredFile, 'bytes' | 'durable'>,
  site: ChoiceSite,
): Uint8Array {
  const fate = FATES[site.choose(FATES.length)] ?? 'written';
  if (fate === 'written') return bytes;
  const safe = Math.min(durable.length, bytes.length);
  if (fate === 'lost') return durable;
  const at = safe + site.choose(bytes.length - safe + 1);
  if (fate === 'short') return bytes.slice(0, at);
  const torn = bytes.slice();
  torn.fill(0, at);
  return torn;
}

/** Power is back: what is left of the file is all there is of it. */
export function leaveOnly(left: Uint8Array, file: StoredFile, path: string, tell: Tell): void {
  if (left !== file.bytes) tell({ kind: 'writes-lost', path, bytes: file.bytes.length, left: left.length });
  file.bytes = left;
  file.seen = left;
  file.durable = left;
}
