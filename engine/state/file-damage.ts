/**
 * Where a file of state is not what was acknowledged: read before anything is restored from it.
 *
 * Owns: the comparison with the handle. A keyed file has a checksum per key group and says which one is damaged; the others are checked
 * as a whole.
 */
import { crc32c } from '../foundation/crc32c.ts';
import { isCanonical } from './canonical-savepoint.ts';
import { keyedFileDamage } from './keyed-state-file.ts';

/** What a handle, or a segment of one, says of its file. */
export interface AcknowledgedFile {
  readonly bytes: number;
  readonly checksum: number;
  readonly state?: string;
}

export interface FileDamage {
  /** First byte of the part that is damaged. */
  readonly offset: number;
  readonly problem: string;
}

export function damageOf(file: AcknowledgedFile, bytes: Uint8Array): FileDamage | undefined {
  if (bytes.length !== file.bytes)
    return { offset: Math.min(bytes.length, file.bytes), problem: `there are ${bytes.length} of ${file.bytes} bytes` };
  if (crc32c(bytes) === file.checksum) return undefined;
  const part = file.state === 'keyed' && !isCanonical(bytes) ? keyedFileDamage(bytes) : undefined;
  return { offset: part?.offset ?? 0, problem: part?.message ?? 'the file does not match its checksum' };
}
