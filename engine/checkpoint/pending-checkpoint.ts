/**
 * A checkpoint on its way: who has acknowledged so far (row C9; Flink: PendingCheckpoint).
 *
 * Owns: acknowledgements and their state. Invariants: I1 an acknowledgement of another attempt never counts (G6);
 * I2 a second one of the same attempt changes nothing.
 */
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { AcknowledgeCheckpoint } from '../protocol/messages.ts';
import { isSavepoint, isSynchronous } from '../protocol/checkpoint-options.ts';
import type { SubtaskState } from '../protocol/state-handle.ts';
import type { CheckpointRequest } from './checkpoint-request.ts';

export type AcknowledgeResult = 'success' | 'duplicate' | 'unknown' | 'discarded';

/** `collecting` acknowledgements, writing `_metadata`, storing the pointer (checkpoints only). Ended ones leave the coordinator. */
export type PendingPhase = 'collecting' | 'writing-metadata' | 'storing-pointer';

export interface SubtaskOfAttempt {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
}

export class PendingCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly triggeredAtUs: Micros;
  readonly request: CheckpointRequest;
  /** Its directory: `<dir>/<job>/chk-<n>`, or that of the savepoint. */
  readonly location: string;
  readonly #subtasks: ReadonlyMap<ExecutionAttemptId, SubtaskOfAttempt>;
  readonly #required: ReadonlySet<ExecutionAttemptId>;
  readonly #accepts: EngineParts['acceptsAcknowledgement'];
  readonly #states = new Map<ExecutionAttemptId, SubtaskState>();
  phase: PendingPhase = 'collecting';
  lastAcknowledgedUs = 0;
  stateBytes = 0;

  constructor(options: {
    checkpointId: CheckpointId;
    triggeredAtUs: Micros;
    request: CheckpointRequest;
    location: string;
    subtasks: readonly SubtaskOfAttempt[];
    accepts: EngineParts['acceptsAcknowledgement'];
  }) {
    this.checkpointId = options.checkpointId;
    this.triggeredAtUs = options.triggeredAtUs;
    this.request = options.request;
    this.location = options.location;
    this.#subtasks = new Map(options.subtasks.map((subtask) => [subtask.attempt, subtask]));
    this.#required = new Set(this.#subtasks.keys());
    this.#accepts = options.accepts;
  }

  get isSavepoint(): boolean {
    return isSavepoint(this.request.properties.snapshot);
  }
  /** Row C28: the tasks wait for its completion and end with it. */
  get isSynchronous(): boolean {
    return isSynchronous(this.request.properties.snapshot);
  }
  /**
   * The write that makes it one is under way: it is neither aborted nor expired until that is answered (row F17). For a savepoint
   * that write is `_metadata`: who finds it may restore it.
   */
  get isBeingDecided(): boolean {
    return this.phase === 'storing-pointer' || (this.isSavepoint && this.phase === 'writing-metadata');
  }
  get required(): readonly ExecutionAttemptId[] {
    return [...this.#required];
  }
  get acknowledged(): number {
    return this.#states.size;
  }
  get isFullyAcknowledged(): boolean {
    return this.#states.size >= this.#required.size;
  }

  /** `at`: which subtask the message claims to speak for, resolved by the caller for attempts this checkpoint does not know. */
  acknowledge(message: AcknowledgeCheckpoint, at: SubtaskOfAttempt | undefined, nowUs: Micros): AcknowledgeResult {
    if (this.phase !== 'collecting') return 'discarded';
    if (this.#states.has(message.attempt)) return 'duplicate';
    const subtask = this.#subtasks.get(message.attempt) ?? at;
    if (subtask === undefined || !this.#accepts(this.#required, message.attempt)) return 'unknown';
    this.#states.set(message.attempt, { vertex: subtask.vertex, subtask: subtask.subtask, handles: message.handles });
    this.lastAcknowledgedUs = nowUs;
    this.stateBytes += message.metrics.stateBytes;
    return 'success';
  }

  /** By vertex, then subtask. */
  states(): readonly SubtaskState[] {
    return [...this.#states.values()].sort((a, b) => a.vertex - b.vertex || a.subtask - b.subtask);
  }
}
