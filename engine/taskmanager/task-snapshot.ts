/**
 * The synchronous part of a subtask's snapshot: what of its state belongs to the checkpoint (rows K4, K9, S15, S23).
 *
 * Called in the mailbox action of the snapshot. Keyed state is referenced, not copied; operator state is small and copied at once.
 */
import { encodeSinkState } from '../connectors/sink/committable-rows.ts';
import type { SourceReader } from '../connectors/source-reader.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointOptions } from '../protocol/checkpoint-options.ts';
import type { CheckpointConfiguration } from '../protocol/configuration.ts';
import {
  functionStatePart,
  keyedStatePart,
  loggedStatePart,
  operatorStatePart,
  type SegmentParts,
  type StatePart,
} from './async-part.ts';
import type { KeyedStateSnapshot } from '../state/keyed-state-backend.ts';
import type { ChangelogFiles } from './changelog-files.ts';
import type { OperatorChain } from './operator-chain.ts';
import type { UploadedSegments } from './uploaded-segments.ts';

export interface SnapshotOptions {
  readonly chain: OperatorChain;
  readonly source: SourceReader | undefined;
  readonly checkpointedOffset: EngineParts['checkpointedOffset'];
  readonly checkpointId: CheckpointId;
  readonly options: CheckpointOptions;
  readonly compression: CheckpointConfiguration['compression'];
  /** Whether checkpoints are made of the files of the backend, where it has any. */
  readonly incremental: boolean;
  /** False: the storage holds no files but `_metadata` (row T1). */
  readonly hasFiles: boolean;
  readonly sharedDirectory: string;
  readonly uploaded: UploadedSegments;
  readonly logFiles: ChangelogFiles;
  readonly out: Out;
}

/** `waitsForSink`: the acknowledgement must wait for the sink's pre-commit. */
export function takeSnapshot(options: SnapshotOptions): {
  readonly parts: readonly StatePart[];
  readonly waitsForSink: boolean;
} {
  const { chain, source, checkpointedOffset, checkpointId, out } = options;
  if (options.options.sharing === 'forward') options.uploaded.full(checkpointId);
  const parts: StatePart[] = chain.keyed.map(({ operator, backend, keyGroups }) => {
    const { changelog: state } = backend;
    if (state !== undefined && options.options.snapshot === 'checkpoint') {
      const isFull = options.options.sharing === 'forward';
      if (isFull) options.logFiles.full(operator);
      return loggedStatePart({ operator, keyGroups, logged: { state, snapshot: state.checkpoint(isFull) } });
    }
    const snapshot = backend.snapshot();
    const segments = segmentsOf(operator, snapshot, options);
    // What a backend that has files of its own writes as one file is canonical, in checkpoints, too (Flink: RocksFullSnapshotStrategy).
    const isCanonical =
      options.options.format === 'canonical' || (snapshot.files !== undefined && segments === undefined);
    return keyedStatePart({
      operator,
      keyGroups,
      isCanonical,
      compression: options.compression,
      estimatedBytes: backend.estimatedBytes,
      snapshot,
      segments,
    });
  });
  for (const { operator, state } of chain.functionStates) {
    state.prepareSnapshot();
    const snapshot = state.store.snapshot();
    out.busy('key', snapshot.entryCount);
    parts.push(functionStatePart(operator, snapshot));
  }
  if (source !== undefined) {
    parts.push(operatorStatePart(source.uid, source.snapshot(checkpointId, checkpointedOffset, out)));
  }
  const sink = chain.sink?.snapshot();
  if (chain.sink !== undefined && sink !== undefined && sink.committables.length + sink.writers.length > 0) {
    parts.push(operatorStatePart(chain.sink.uid, encodeSinkState(sink)));
  }
  return { parts, waitsForSink: sink?.waits === true };
}

/** Rows C7, C26, S17: which snapshots are made of segments, where those go, and which of them need not be written. */
function segmentsOf(
  operator: string,
  { files }: KeyedStateSnapshot,
  { options, incremental, hasFiles, sharedDirectory, uploaded, checkpointId, out }: SnapshotOptions,
): SegmentParts | undefined {
  if (files === undefined || options.format === 'canonical') return undefined;
  if (!hasFiles || (options.snapshot === 'checkpoint' && !incremental)) return undefined;
  const isAlone = options.snapshot !== 'checkpoint' || options.sharing === 'no-sharing';
  const segments = files.segments.map((segment) => ({
    id: segment.id,
    length: segment.length,
    read: () => segment.read(),
    known: isAlone ? undefined : uploaded.find(operator, segment, checkpointId, out),
  }));
  return { segments, directory: isAlone && options.location !== undefined ? options.location : sharedDirectory };
}
