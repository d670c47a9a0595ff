/**
 * The engine's decisions that exactly-once rests on, gathered at one seam.
 *
 * Owns: the standard answer to each question. Does not own: acting on it (the actors do).
 * A mutant is the engine with one of these answered wrongly (bugs.md); the engine itself knows nothing of mutants.
 */
import type { CheckpointId, ExecutionAttemptId } from './foundation/ids.ts';
import type { KeyGroupRange } from './job/key-groups.ts';
import type { StateKey } from './job/functions.ts';
import type { CheckpointPointer, RetainedCheckpoint } from './protocol/checkpoint-pointer.ts';
import type { SinkReply } from './protocol/messages.ts';
import { HashMapStateBackend } from './state/hashmap-state-backend.ts';
import type { KeyedStateBackend } from './state/keyed-state-backend.ts';
import type { TypeSerializer } from './state/type-serializer.ts';

export interface StateFileQuestion {
  /** `<dir>/<job>/chk-<n>`. */
  readonly directory: string;
  readonly operator: string;
  readonly state: 'keyed' | 'operator';
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
}

export interface EngineParts {
  /** Which retained checkpoint a restart begins from (row C19: the newest, never silently an older one). */
  chooseRestore(pointer: CheckpointPointer): RetainedCheckpoint | undefined;
  /** Whether an acknowledgement of `attempt` may count for a checkpoint that waits for `required` (row C9, G6). */
  acceptsAcknowledgement(required: ReadonlySet<ExecutionAttemptId>, attempt: ExecutionAttemptId): boolean;
  /** Pending checkpoints when the job restarts (row C20): aborted, or left to collect what comes. */
  readonly pendingAtRestart: 'abort' | 'keep';
  /** When tasks are told that a checkpoint is complete (row C12, G1). */
  readonly notifyComplete: 'when-durable' | 'when-acknowledged';
  /** What an unanswered pointer write means (row F17): find out, or take it for a failure and discard the files, or for a success. */
  readonly unknownPointerWrite: 'resolve' | 'failure' | 'success';
  /** A retained checkpoint whose metadata cannot be read (row C19): read until it can, or passed over for an older one. */
  readonly unreadableCheckpoint: 'read-again' | 'skipped';
  /** The periodic timer when the limit of concurrent checkpoints is reached (row C3): runs on, or stands still until one completes. */
  readonly timerAtLimit: 'runs-on' | 'until-completion';
  /** A decline that no pending checkpoint waits for (row C9): ordinary lateness, or one more failure. */
  readonly staleDecline: 'ignored' | 'counted';
  /** A snapshot that was restored without a claim (row C27), when it leaves the store. */
  readonly unclaimedSnapshot: 'left-alone' | 'deleted-when-subsumed';
  /** After a stop-with-savepoint that failed (row C28): periodic checkpoints go on, or stay off. */
  readonly failedStop: 'resumes-checkpoints' | 'leaves-them-off';
  /** Name of a state file; each subtask, attempt and state has its own (row T5). */
  stateFile(question: StateFileQuestion): { readonly path: string; readonly overwrite: boolean };
  /** What the checkpoint says about a partition whose next record to read is `nextOffset`. */
  checkpointedOffset(nextOffset: number): number;
  /** A source takes its positions and sends the barrier in one step (row B9), or its positions after a further batch. */
  readonly sourcePositions: 'with-barrier' | 'after-next-batch';
  /** Transactions of the restored state that must survive initialisation of the sink (row K7). */
  transactionsToKeep(restored: readonly string[]): readonly string[];
  /** What to do after a commit was answered; `tries` counts this one (row K6). */
  afterCommit(outcome: SinkReply['outcome'] | 'no-reply', tries: number): 'done' | 'retry' | 'fail';
  createStateBackend(options: StateBackendOptions): KeyedStateBackend;
}

export interface StateBackendOptions {
  readonly keySerializer: TypeSerializer<StateKey>;
  readonly keyGroups: KeyGroupRange;
  readonly maxParallelism: number;
}

/** Flink: sink.committer.retries. */
const COMMIT_TRIES_MAX = 10;

export const standardParts: EngineParts = {
  chooseRestore: (pointer) => pointer.completed.at(-1),
  acceptsAcknowledgement: (required, attempt) => required.has(attempt),
  pendingAtRestart: 'abort',
  notifyComplete: 'when-durable',
  unknownPointerWrite: 'resolve',
  unreadableCheckpoint: 'read-again',
  timerAtLimit: 'runs-on',
  staleDecline: 'ignored',
  unclaimedSnapshot: 'left-alone',
  failedStop: 'resumes-checkpoints',
  stateFile: ({ directory, operator, state, subtask, attempt }) => ({
    path: `${directory}/${operator}-${subtask}-${attempt}.${state}`,
    overwrite: false,
  }),
  checkpointedOffset: (nextOffset) => nextOffset,
  sourcePositions: 'with-barrier',
  transactionsToKeep: (restored) => restored,
  afterCommit: (outcome, tries) => {
    if (outcome === 'done') return 'done';
    const transient = outcome === 'no-reply' || outcome === 'unavailable';
    return transient && tries < COMMIT_TRIES_MAX ? 'retry' : 'fail';
  },
  createStateBackend: (options) => new HashMapStateBackend(options),
};

/** `<dir>/<job>/chk-<n>` (row T2). */
export const checkpointDirectory = (directory: string, jobId: string, id: CheckpointId): string =>
  `${directory}/${jobId}/chk-${id}`;
