/**
 * Whether a pending checkpoint that is given up for another's sake is given up for somebody: as subsumed only where a newer one has completed,
 * and a savepoint never (row C12; Flink: CheckpointCoordinator.dropSubsumedCheckpoints); because a task closes only where it waits for
 * one that has (row C21).
 *
 * Owns: the newest that has completed, what the recent ones are and whom they wait for. Called by the lifecycle judge, whose findings it makes.
 */
import { isSavepoint } from '../../engine/protocol/checkpoint-options.ts';
import type { EventOf } from '../history/history-event.ts';
import type { Findings } from './findings.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';

interface Pending {
  readonly triggeredAt: number;
  readonly isSavepoint: boolean;
  /** Attempts that have not acknowledged. */
  readonly awaited: Set<number>;
  /** A task has said that it closes. */
  hasClosing: boolean;
}

export class GivenUpPending {
  static readonly anomalies =
    'subsumed-by-none: a pending checkpoint is given up for a newer one, but none has completed, or it is a savepoint. closing-of-none: it is given ' +
    'up because a task closes, but none has that it waits for. ';
  readonly #findings: Findings;
  readonly #pending = new Map<number, Pending>();
  readonly #finished = new Set<number>();
  #newest = 0;
  #completedAt = 0;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  get remembered(): number {
    return this.#pending.size + this.#finished.size;
  }

  onTriggered({ checkpointId, options, tasks }: EventOf<'checkpoint-triggered'>, triggeredAt: number): void {
    this.#pending.set(checkpointId, {
      triggeredAt,
      isSavepoint: isSavepoint(options.snapshot),
      awaited: new Set(tasks),
      hasClosing: false,
    });
    forgetOldest(this.#pending, EPISODES_KEPT);
  }

  onAcknowledged({ checkpointId, attempt, result }: EventOf<'acknowledge-received'>): void {
    if (result === 'success') this.#pending.get(checkpointId)?.awaited.delete(attempt);
  }

  onDeclined({ checkpointId, reason }: EventOf<'decline-received'>): void {
    const pending = this.#pending.get(checkpointId);
    if (pending !== undefined && reason === CLOSING) pending.hasClosing = true;
  }

  onTaskState({ attempt, state }: EventOf<'task-state'>): void {
    if (state !== 'finished') return;
    this.#finished.add(attempt);
    forgetOldest(this.#finished, EPISODES_KEPT);
  }

  /** Of a savepoint, too: one that the job stops with subsumes what is older. */
  onCompleted(checkpointId: number, at: number): void {
    this.#pending.delete(checkpointId);
    if (checkpointId <= this.#newest) return;
    this.#newest = checkpointId;
    this.#completedAt = at;
  }

  onAborted({ checkpointId: id, reason }: EventOf<'checkpoint-aborted'>, at: number): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending === undefined) return;
    if (reason === 'checkpoint-subsumed') this.#checkSubsumed(id, pending, at);
    if (reason === CLOSING) this.#checkClosing(id, pending, at);
  }

  #checkSubsumed(id: number, pending: Pending, at: number): void {
    if (pending.isSavepoint)
      this.#findings.violated(
        'subsumed-by-none',
        [pending.triggeredAt, at],
        () => `Savepoint ${String(id)} is subsumed`,
      );
    else if (id > this.#newest)
      this.#findings.violated('subsumed-by-none', [this.#completedAt, at], () => {
        return `Checkpoint ${String(id)} is given up for a newer one, but the newest that has completed is ${String(this.#newest)}`;
      });
  }

  /** One that all have acknowledged may lack what those that have finished before would have had (row C22). */
  #checkClosing(id: number, { triggeredAt, awaited, hasClosing }: Pending, at: number): void {
    if (hasClosing || awaited.size === 0 || [...awaited].some((attempt) => this.#finished.has(attempt))) return;
    this.#findings.violated('closing-of-none', [triggeredAt, at], () => {
      return `Checkpoint ${String(id)} is given up because a task closes, but the ${String(awaited.size)} that it waits for do not`;
    });
  }
}

const CLOSING = 'checkpoint-declined-task-closing';
