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
import { functionStatePart, keyedStatePart, operatorStatePart, type StatePart } from './async-part.ts';
import type { OperatorChain } from './operator-chain.ts';

export interface SnapshotOptions {
  readonly chain: OperatorChain;
  readonly source: SourceReader | undefined;
  readonly checkpointedOffset: EngineParts['checkpointedOffset'];
  readonly checkpointId: CheckpointId;
  readonly options: CheckpointOptions;
  readonly out: Out;
}

/** `waitsForSink`: the acknowledgement must wait for the sink's pre-commit. */
export function takeSnapshot(options: SnapshotOptions): {
  readonly parts: readonly StatePart[];
  readonly waitsForSink: boolean;
} {
  const { chain, source, checkpointedOffset, checkpointId, out } = options;
  const isCanonical = options.options.format === 'canonical';
  const parts: StatePart[] = chain.keyed.map(({ operator, backend, keyGroups }) =>
    keyedStatePart({
      operator,
      keyGroups,
      isCanonical,
      estimatedBytes: backend.estimatedBytes,
      snapshot: backend.snapshot(),
    }),
  );
  for (const { operator, state } of chain.functionStates) {
    state.prepareSnapshot();
    const snapshot = state.store.snapshot();
    out.busy('key', snapshot.entryCount);
    parts.push(functionStatePart(operator, snapshot));
  }
  if (source !== undefined) {
    parts.push(operatorStatePart(source.uid, source.snapshot(checkpointId, checkpointedOffset, out)));
  }
  const sink = chain.sink?.snapshot(checkpointId, out);
  if (chain.sink !== undefined && sink !== undefined && sink.committables.length + sink.writers.length > 0) {
    parts.push(operatorStatePart(chain.sink.uid, encodeSinkState(sink)));
  }
  return { parts, waitsForSink: sink?.waits === true };
}
