/**
 * Branded identifiers of the engine.
 *
 * Owns: the names of things that travel in messages. Does not own: how they are chosen.
 * `as` is allowed here and in decoders only (STYLE 16).
 */
import type { Brand } from './brand.ts';

/** Name of a virtual machine or outside system, for example `taskmanager-2` or `object-store`. */
export type NodeId = Brand<string, 'NodeId'>;
/** Rises by one with every leader; the fencing token of every control message (Flink: leader session id). */
export type LeaderEpoch = Brand<number, 'LeaderEpoch'>;
/** One deployment of one subtask, unique over the whole life of the job, leaders included. */
export type ExecutionAttemptId = Brand<number, 'ExecutionAttemptId'>;
/** Strictly increasing over the whole life of the job (row C8, invariant G7). Starts at 1. */
export type CheckpointId = Brand<number, 'CheckpointId'>;
/** A queue of inputs on a node that is worked off one at a time. Mailbox 0 is the node's main thread. */
export type MailboxId = Brand<number, 'MailboxId'>;

export const nodeId = (name: string): NodeId => name as NodeId;
export const leaderEpoch = (value: number): LeaderEpoch => value as LeaderEpoch;
export const executionAttemptId = (value: number): ExecutionAttemptId => value as ExecutionAttemptId;
export const checkpointId = (value: number): CheckpointId => value as CheckpointId;

/** The node's main thread: RPC endpoint, heartbeats, connection notices. */
export const MAIN_MAILBOX = 0 as MailboxId;
/** The mailbox of a TaskManager's file merging; attempts are numbered from far above 0. */
export const FILE_MERGING_MAILBOX = 1 as MailboxId;
/** The mailbox of a subtask (Flink: the task thread). */
export const taskMailbox = (attempt: ExecutionAttemptId): MailboxId => (attempt * 2) as unknown as MailboxId;
/** The mailbox of a subtask's asynchronous snapshot part (Flink: AsyncCheckpointRunnable's pool). */
export const asyncMailbox = (attempt: ExecutionAttemptId): MailboxId => (attempt * 2 + 1) as unknown as MailboxId;
/** Which attempt a mailbox belongs to; undefined for the main mailbox. */
export function attemptOfMailbox(mailbox: MailboxId): ExecutionAttemptId | undefined {
  return mailbox === MAIN_MAILBOX ? undefined : ((mailbox >> 1) as ExecutionAttemptId);
}

/** Attempts of one leader epoch are numbered from `epoch * ATTEMPTS_PER_EPOCH`, so no two leaders collide. */
export const ATTEMPTS_PER_EPOCH = 100_000;
