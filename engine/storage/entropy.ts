/**
 * Entropy in the paths of state (row T7; Flink: EntropyInjector, `s3.entropy.key`): object stores divide their work by the beginning of a
 * key, so files of state get four letters in front. `_metadata` does not: it must be found by name. It is as if Flink's directory were
 * `_entropy_/checkpoints`: the key is replaced in paths of data and taken out of those of metadata.
 *
 * Owns: the letters, and telling paths with them from others. Differs from Flink, where they are random: ours are a hash of the path.
 */
import { crc32c } from '../foundation/crc32c.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const LENGTH = 4;
const WITH_ENTROPY = /^[a-z2-7]{4}\/(.*)$/;

export function withEntropy(path: string): string {
  let hash = crc32c(Uint8Array.from(path, (letter) => letter.charCodeAt(0)));
  let letters = '';
  for (let index = 0; index < LENGTH; index += 1) {
    letters += LETTERS[hash & 31] ?? '';
    hash >>>= 5;
  }
  return `${letters}/${path}`;
}

/** Whether the layout has the path below `prefix`, wherever entropy put it. */
export const liesUnder = (path: string, prefix: string): boolean =>
  path.startsWith(prefix) || WITH_ENTROPY.exec(path)?.[1]?.startsWith(prefix) === true;
