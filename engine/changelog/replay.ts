/**
 * Restores what a checkpoint with a state log holds into a backend of any kind (row S20; Flink: ChangelogBackendRestoreOperation,
 * ChangelogBackendLogApplier): the materialised snapshot, then the changes behind it, in order.
 *
 * I1: a change is applied once and in its order; what the snapshot has already is not applied (I2 of changelog-manifest.ts).
 */
import { assert } from '../foundation/assert.ts';
import { CorruptData } from '../foundation/byte-reader.ts';
import type { Row } from '../lsm/segment-file.ts';
import { restorableFile } from '../state/compressed-state-file.ts';
import { encodeKeyedStateFile, type StateMetaInfo } from '../state/keyed-state-file.ts';
import type { KeyedStateBackend, LoggedChanges, RestoredSegment } from '../state/keyed-state-backend.ts';
import { decodeChangeLog } from './change-log-file.ts';
import { unitedStates } from './changed-file.ts';
import { type ChangelogManifest, decodeChangelogManifest, isChangelogManifest } from './changelog-manifest.ts';

/** What a subtask restores of a keyed state, in whatever form it lies. Returns how many changes were replayed. */
export function restoreKeyedState(
  backend: KeyedStateBackend,
  bytes: Uint8Array,
  segments: readonly RestoredSegment[] = [],
): number {
  if (!isChangelogManifest(bytes)) {
    backend.restore(restorableFile(bytes), segments);
    return 0;
  }
  // A backend with a log of its own goes on from it.
  if (backend.changelog !== undefined) backend.restore(bytes, segments);
  else restoreLogged(backend, decodeChangelogManifest(bytes), segments);
  const { log, materializedTo } = decodeChangelogManifest(bytes);
  return Math.max(0, (log.at(-1)?.to ?? 0) - materializedTo);
}

/** Throws `CorruptData` or `IncompatibleState`. */
export function restoreLogged(
  backend: KeyedStateBackend,
  manifest: ChangelogManifest,
  files: readonly RestoredSegment[],
): void {
  const { snapshotFiles, log } = manifest;
  assert(files.length === snapshotFiles + log.length, 'a snapshot is restored with all of its files');
  const [main, ...segments] = files.slice(0, snapshotFiles);
  const file = main === undefined ? encodeKeyedStateFile(manifest, () => 0) : restorableFile(main.bytes);
  backend.restore(file, segments, changesOf(manifest, files.slice(snapshotFiles)));
}

function changesOf({ log, materializedTo }: ChangelogManifest, files: readonly RestoredSegment[]): LoggedChanges {
  let states: readonly StateMetaInfo[] = [];
  const rows: Row[] = [];
  log.forEach(({ from, to }, index) => {
    const { rows: found, ...stretch } = decodeChangeLog(files[index]?.bytes ?? new Uint8Array(0));
    if (stretch.from !== from || stretch.from + found.length !== to)
      throw new CorruptData(`a log holds the changes ${from} to ${to} that its manifest says`, 0);
    states = unitedStates(states, stretch.states);
    for (let at = Math.max(0, materializedTo - from); at < found.length; at += 1) {
      const row = found[at];
      if (row !== undefined) rows.push(row);
    }
  });
  return { states, rows };
}
