/**
 * Which splits were assigned since which checkpoint (row K2; Flink: SplitAssignmentTracker).
 *
 * A subtask that restarts alone falls back to its checkpoint, the enumerator does not: what was assigned to the subtask after
 * that checkpoint is in nobody's state, and must be given back.
 *
 * Invariant I1: the checkpoint that counts is the one *the subtask* restored, not the newest: with an unfinished or failed newer
 * checkpoint between them, the newest would keep back splits that the subtask has forgotten.
 */
import type { CheckpointId } from '../foundation/ids.ts';

export class SplitAssignmentTracker<S> {
  /** By checkpoint, rising; within it by subtask. */
  readonly #byCheckpoint = new Map<CheckpointId, Map<number, S[]>>();
  #uncheckpointed = new Map<number, S[]>();

  record(subtask: number, split: S): void {
    const splits = this.#uncheckpointed.get(subtask);
    if (splits === undefined) this.#uncheckpointed.set(subtask, [split]);
    else splits.push(split);
  }

  /** The coordinator's snapshot is taken: what was assigned until now belongs before it. */
  onCheckpoint(checkpointId: CheckpointId): void {
    if (this.#uncheckpointed.size === 0) return;
    this.#byCheckpoint.set(checkpointId, this.#uncheckpointed);
    this.#uncheckpointed = new Map();
  }

  /** Nobody falls back behind a complete checkpoint. */
  onCheckpointComplete(checkpointId: CheckpointId): void {
    for (const id of [...this.#byCheckpoint.keys()]) if (id <= checkpointId) this.#byCheckpoint.delete(id);
  }

  /** What the subtask was assigned after `restored`, oldest first; it is no longer assigned. */
  takeAssignedAfter(subtask: number, restored: CheckpointId): readonly S[] {
    const back: S[] = [];
    const later = [...this.#byCheckpoint].filter(([id]) => id > restored).map(([, assignments]) => assignments);
    for (const assignments of [...later, this.#uncheckpointed]) {
      back.push(...(assignments.get(subtask) ?? []));
      assignments.delete(subtask);
    }
    return back;
  }

  /** Splits it remembers, for tests. */
  get size(): number {
    let size = 0;
    for (const assignments of [...this.#byCheckpoint.values(), this.#uncheckpointed])
      for (const splits of assignments.values()) size += splits.length;
    return size;
  }
}
