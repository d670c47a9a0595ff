/**
 * The checkpoints that are on their way, several at a time if so configured (rows C10, C20; Flink: pendingCheckpoints and
 * recentExpiredCheckpoints of the CheckpointCoordinator).
 *
 * Owns: which are pending, which expired lately. Does not own: what a checkpoint has collected (pending-checkpoint), ending one (the
 * coordinator). Invariant I1: a view is a copy: others may end while one walks over it.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { PendingCheckpoint } from './pending-checkpoint.ts';

/** Flink: recentExpiredCheckpoints. */
const EXPIRED_REMEMBERED = 16;

export class PendingCheckpoints {
  readonly #byId = new Map<CheckpointId, PendingCheckpoint>();
  #expired: readonly CheckpointId[] = [];

  get size(): number {
    return this.#byId.size;
  }

  /** Operator coordinators of one are asked. */
  get isTriggering(): boolean {
    for (const { phase } of this.#byId.values()) if (phase === 'triggering') return true;
    return false;
  }

  /** False while a write is unanswered that decides what the job may be restored from, or whether it may be restored at all. */
  get isSettled(): boolean {
    for (const pending of this.#byId.values())
      if (pending.isBeingDecided && (!pending.isSavepoint || pending.isSynchronous)) return false;
    return true;
  }

  add(pending: PendingCheckpoint): void {
    this.#byId.set(pending.checkpointId, pending);
  }

  remove({ checkpointId }: PendingCheckpoint): void {
    this.#byId.delete(checkpointId);
  }

  has(pending: PendingCheckpoint): boolean {
    return this.#byId.get(pending.checkpointId) === pending;
  }

  find(id: CheckpointId): PendingCheckpoint | undefined {
    return this.#byId.get(id);
  }

  /** One that is finalized. */
  of(id: CheckpointId): PendingCheckpoint {
    const pending = this.#byId.get(id);
    assert(pending !== undefined, 'a checkpoint is finalized while it is pending', { id });
    return pending;
  }

  /** The oldest first. */
  all(): readonly PendingCheckpoint[] {
    return [...this.#byId.values()];
  }

  /** It is too late for this one. */
  expire({ checkpointId }: PendingCheckpoint): void {
    this.#expired = [...this.#expired, checkpointId].slice(-EXPIRED_REMEMBERED);
  }

  hasExpired(id: CheckpointId): boolean {
    return this.#expired.includes(id);
  }
}
