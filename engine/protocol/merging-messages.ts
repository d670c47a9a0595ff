/**
 * What subtasks and the file merging of their TaskManager say to each other (row S19). It never leaves the process.
 *
 * Owns: the vocabulary. Does not own: when files are written (file-merging-manager), what is merged (state-file-writer).
 */
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';

export type MergingMessage =
  /** Subtask -> file merging: write this beside others. */
  | {
      readonly kind: 'merge-state';
      readonly checkpointId: CheckpointId;
      readonly attempt: ExecutionAttemptId;
      /** Only what is of one pool goes into one file: empty, what belongs to one checkpoint; or else operator and subtask whose checkpoints share it. */
      readonly pool: string;
      /** Of the request, by attempt. */
      readonly number: number;
      readonly bytes: Uint8Array;
    }
  /** Subtask -> file merging: it has nothing more to write for the checkpoint. */
  | { readonly kind: 'merge-end'; readonly checkpointId: CheckpointId; readonly attempt: ExecutionAttemptId }
  /** The answer to `merge-state`: where it lies durably. Path empty: it could not be written. */
  | { readonly kind: 'state-merged'; readonly number: number; readonly path: string; readonly offset: number }
  /** Subtask -> file merging: no checkpoint below this one is retained any more, nor will be. */
  | { readonly kind: 'merge-retained'; readonly oldestRetainedId: number };
