/** A pending file, as it is kept in state and told to the committer (row K12). */
import { assert } from '../../foundation/assert.ts';
import { type PartName, parsePartPath, partPath } from '../../protocol/output-file.ts';
import type { Committable } from '../sink/sink-contract.ts';

export interface PendingFile {
  readonly name: PartName;
  /** Bytes: what is found under its name is this file only if it is as long. */
  readonly length: number;
  /** Parts of its upload. */
  readonly parts: number;
}

export const encodePendingFile = ({ name, length, parts }: PendingFile): Committable =>
  JSON.stringify([partPath(name), length, parts]);

export function decodePendingFile(committable: Committable): PendingFile {
  const [path, length, parts] = JSON.parse(committable) as [string, number, number];
  const name = parsePartPath(path);
  // The sink's own writing, of a checkpoint whose checksum was right.
  assert(name !== undefined, 'a pending file has the name of a file', { path });
  return { name, length, parts };
}

export const pathOfPending = (committable: Committable): string => partPath(decodePendingFile(committable).name);
