/** Damage to what a life left, and what is said of it: by the restore audit, which restores as the engine does, and by an inspection. */
import { DirectoryInspection, type InspectionProblem } from '../../sim/inspection/directory-inspection.ts';
import { decodeMetadata } from '../../engine/protocol/metadata-file.ts';
import type { LeftByALife } from './left-by-a-life.ts';

function inspectionOf({ files }: LeftByALife): DirectoryInspection {
  return new DirectoryInspection([...files].map(([path, { length }]) => ({ path, bytes: length })));
}

/** Files that some snapshot needs, each with its bytes; the others are nobody's. */
export function needed(left: LeftByALife): readonly string[] {
  const inspection = inspectionOf(left);
  const retained = new Set(left.retained().map(({ metadata }) => metadata));
  const files = inspection.metadataFiles().flatMap((metadata) => {
    const own = [metadata, ...inspection.open(metadata, left.files.get(metadata))];
    return retained.has(metadata) || metadata.includes('/savepoint-') ? own : [];
  });
  return [...new Set(files)];
}

export interface FilePart {
  readonly offset: number;
  readonly bytes: number;
}

/** Parts of a merged file that some retained checkpoint is made of. */
export function partsInUse(left: LeftByALife, merged: string): readonly FilePart[] {
  return left.retained().flatMap(({ metadata }) => {
    const { states } = decodeMetadata(left.files.get(metadata) ?? new Uint8Array());
    const all = states.flatMap(({ handles }) => handles.flatMap((handle) => [handle, ...(handle.segments ?? [])]));
    return all.flatMap(({ path, offset, bytes }) =>
      path === merged && offset !== undefined ? [{ offset, bytes }] : [],
    );
  });
}

/** What the audit says of the life's storage with one file replaced; undefined: it is gone. `of`: of this snapshot only. */
export function outcome(left: LeftByALife, path: string, bytes: Uint8Array | undefined, of?: string): string {
  return withFile(left, path, bytes, () => {
    const [verdict] = left.audit({ of });
    return verdict?.outcome === 'violated'
      ? `${verdict.anomaly}: ${verdict.message}`
      : (verdict?.outcome ?? 'no verdict');
  });
}

/** What an inspection of the whole storage finds, with one file replaced. */
export function inspected(left: LeftByALife, path: string, bytes: Uint8Array): readonly InspectionProblem[] {
  return withFile(left, path, bytes, () => {
    const inspection = inspectionOf(left);
    for (const metadata of inspection.metadataFiles())
      for (const file of inspection.open(metadata, left.files.get(metadata)))
        inspection.verify(file, left.files.get(file));
    return inspection.document().problems;
  });
}

function withFile<T>(left: LeftByALife, path: string, bytes: Uint8Array | undefined, then: () => T): T {
  const before = left.files.get(path) ?? new Uint8Array();
  if (bytes === undefined) left.files.delete(path);
  else left.files.set(path, bytes);
  const result = then();
  left.files.set(path, before);
  return result;
}

export function flipped(bytes: Uint8Array, at: number, mask: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ mask;
  return copy;
}

export const namesFileAndByte = (path: string, said: string): boolean =>
  said.startsWith('not-restorable: ') && said.includes(path) && /at byte \d+/.test(said);
