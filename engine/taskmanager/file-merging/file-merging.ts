/** What the subtasks of a TaskManager know of the files that they have in common (row S19): memory of their process. */
import type { CheckpointId } from '../../foundation/ids.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SegmentHandle } from '../../protocol/state-handle.ts';

export interface FileMerging {
  /** Whether a checkpoint may be made of a file once more; it is in use by that checkpoint then (Flink: reusePreviousStateHandle). */
  reuse(file: SegmentHandle, checkpointId: CheckpointId, out: Out): boolean;
  /** A subtask was told that no checkpoint below this one is retained any more; 0 says nothing. */
  retained(oldestRetainedId: number, out: Out): void;
}
