/**
 * Files that a file sink leaves for readers (row K12): their names, and the form of their records.
 *
 * `<directory>/<sink>/<bucket>/part-<subtask>-<attempt>-<number>-<checkpoint>`; on HDFS, until it is committed, in `<directory>/<sink>/_temporary/`.
 * Owns: both forms. Does not own: who writes when (engine/connectors/file/), what readers see (the outside system).
 * Invariants:
 *   I1 no two attempts, and no two files of one, have the same name;
 *   I2 a record is whole or not there: its length goes ahead of it.
 */
import { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { Lineage, RecordValue } from './stream-elements.ts';

export interface PartName {
  /** `<directory>/<sink>` */
  readonly root: string;
  readonly bucket: string;
  readonly subtask: number;
  readonly attempt: number;
  readonly number: number;
  /** The first that may hold it. */
  readonly checkpoint: number;
}

const FINISHED = /^(.+)\/([^/]+)\/part-(\d+)-(\d+)-(\d+)-(\d+)$/;
const TEMPORARY = /^(.+)\/_temporary\/part-(\d+)-(\d+)-(\d+)-(\d+)\.([^/]+)$/;

export const partPath = ({ root, bucket, subtask, attempt, number, checkpoint }: PartName): string =>
  `${root}/${bucket}/part-${subtask}-${attempt}-${number}-${checkpoint}`;

/** What it is called until it is committed, on a storage that renames. */
export const temporaryPartPath = ({ root, bucket, subtask, attempt, number, checkpoint }: PartName): string =>
  `${temporaryDirectory(root)}part-${subtask}-${attempt}-${number}-${checkpoint}.${bucket}`;

export const temporaryDirectory = (root: string): string => `${root}/_temporary/`;

/** Undefined: not the name of a finished file. */
export function parsePartPath(path: string): PartName | undefined {
  const [, root, bucket, subtask, attempt, number, checkpoint] = FINISHED.exec(path) ?? [];
  if (root === undefined || bucket === undefined) return undefined;
  const ids = { subtask: Number(subtask), attempt: Number(attempt), number: Number(number) };
  return { root, bucket, ...ids, checkpoint: Number(checkpoint) };
}

export function parseTemporaryPartPath(path: string): PartName | undefined {
  const [, root, subtask, attempt, number, checkpoint, bucket] = TEMPORARY.exec(path) ?? [];
  if (root === undefined || bucket === undefined) return undefined;
  const ids = { subtask: Number(subtask), attempt: Number(attempt), number: Number(number) };
  return { root, bucket, ...ids, checkpoint: Number(checkpoint) };
}

export function writeOutputRecord(writer: ByteWriter, value: RecordValue, lineage: Lineage): void {
  writer.writeString(JSON.stringify({ lineage, value }));
}

/** Throws `CorruptData` where the file ends in the middle of a record. */
export function readOutputRecords(bytes: Uint8Array): {
  readonly values: readonly RecordValue[];
  readonly lineages: readonly Lineage[];
} {
  const reader = new ByteReader(bytes);
  const values: RecordValue[] = [];
  const lineages: Lineage[] = [];
  while (reader.remaining > 0) {
    const { lineage, value } = JSON.parse(reader.readString()) as { lineage: Lineage; value: RecordValue };
    values.push(value);
    lineages.push(lineage);
  }
  return { values, lineages };
}
