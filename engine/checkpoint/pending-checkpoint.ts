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
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { MasterSideState } from './master-side-snapshot.ts';
import type { StateHandle, SubtaskState } from '../protocol/state-handle.ts';
import type { CheckpointRequest } from './checkpoint-request.ts';

export type AcknowledgeResult = 'success' | 'duplicate' | 'unknown' | 'discarded';

/**
 * `triggering`: operator coordinators take their snapshots, no source knows of it yet. `collecting` acknowledgements, writing `_metadata`,
 * storing the pointer (checkpoints only). Ended ones leave the coordinator.
 */
export type PendingPhase = 'triggering' | 'collecting' | 'writing-metadata' | 'storing-pointer';

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
  readonly #finished: readonly SubtaskState[];
  readonly #accepts: EngineParts['acceptsAcknowledgement'];
  readonly #states = new Map<ExecutionAttemptId, SubtaskState>();
  phase: PendingPhase = 'collecting';
  /** The JobManager's own part; there before any source is triggered (rows C24, C25). */
  masterSide: MasterSideState = { coordinators: [], masterStates: [] };
  /** Triggered when all subtasks had reached the end of data (row C23). */
  isFinal = false;
  lastAcknowledgedUs = 0;
  stateBytes = 0;

  constructor(options: {
    checkpointId: CheckpointId;
    triggeredAtUs: Micros;
    request: CheckpointRequest;
    location: string;
    subtasks: readonly SubtaskOfAttempt[];
    /** Subtasks that had ended when it was triggered. */
    finished?: readonly SubtaskOfAttempt[];
    accepts: EngineParts['acceptsAcknowledgement'];
  }) {
    this.checkpointId = options.checkpointId;
    this.triggeredAtUs = options.triggeredAtUs;
    this.request = options.request;
    this.location = options.location;
    this.#subtasks = new Map(options.subtasks.map((subtask) => [subtask.attempt, subtask]));
    this.#required = new Set(this.#subtasks.keys());
    this.#finished = (options.finished ?? []).map(({ vertex, subtask }) => ({
      vertex,
      subtask,
      handles: [],
      finished: 'task',
    }));
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
  /** Whether the acknowledgement of this attempt is still missing. */
  awaits(attempt: ExecutionAttemptId): boolean {
    return this.phase === 'collecting' && this.#required.has(attempt) && !this.#states.has(attempt);
  }
  /** Of those that have acknowledged. */
  get handles(): readonly StateHandle[] {
    return [...this.#states.values()].flatMap(({ handles }) => handles);
  }
  get isFullyAcknowledged(): boolean {
    return this.#states.size >= this.#required.size;
  }

  /** One of these attempts has not acknowledged yet. */
  owesAny(attempts: ReadonlySet<ExecutionAttemptId>): boolean {
    for (const attempt of attempts) if (this.#required.has(attempt) && !this.#states.has(attempt)) return true;
    return false;
  }

  /** `at`: which subtask the message claims to speak for, resolved by the caller for attempts this checkpoint does not know. */
  acknowledge(message: AcknowledgeCheckpoint, at: SubtaskOfAttempt | undefined, wallUs: Micros): AcknowledgeResult {
    if (this.phase !== 'collecting') return 'discarded';
    if (this.#states.has(message.attempt)) return 'duplicate';
    const subtask = this.#subtasks.get(message.attempt) ?? at;
    if (subtask === undefined || !this.#accepts(this.#required, message.attempt)) return 'unknown';
    this.#states.set(message.attempt, {
      vertex: subtask.vertex,
      subtask: subtask.subtask,
      handles: message.handles,
      ...(message.finished === undefined ? {} : { finished: message.finished }),
    });
    this.lastAcknowledgedUs = wallUs;
    this.stateBytes += message.metrics.stateBytes;
    return 'success';
  }

  /** What is reported of it when it completes. */
  get figures() {
    const { checkpointId, triggeredAtUs, stateBytes, lastAcknowledgedUs } = this;
    return { checkpointId, triggeredAtUs, stateBytes, endToEndUs: Math.max(0, lastAcknowledgedUs - triggeredAtUs) };
  }

  /** What `_metadata` says of it. */
  metadata(
    jobId: string,
    scale: Pick<CheckpointMetadata, 'operators' | 'highestParallelism' | 'backend'>,
  ): CheckpointMetadata {
    const { snapshot, format } = this.request.properties;
    const { coordinators, masterStates } = this.masterSide;
    return {
      checkpointId: this.checkpointId,
      jobId,
      triggeredAtUs: this.triggeredAtUs,
      ...(snapshot === 'checkpoint' ? {} : { snapshot }),
      ...(format === undefined ? {} : { format }),
      states: this.#sortedStates(),
      ...scale,
      ...(coordinators.length === 0 ? {} : { coordinators }),
      ...(masterStates.length === 0 ? {} : { masterStates }),
    };
  }

  /** By vertex, then subtask. */
  #sortedStates(): readonly SubtaskState[] {
    return [...this.#states.values(), ...this.#finished].sort((a, b) => a.vertex - b.vertex || a.subtask - b.subtask);
  }
}
