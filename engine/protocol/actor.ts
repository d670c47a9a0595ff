/**
 * The contract between a role of the engine and any world that hosts it.
 *
 * Owns: the shape of inputs and effects. Does not own: how effects are performed (sim/cluster does).
 * Invariants:
 *   I1 a handler runs to completion; its effects are performed after it returned, in the order they were made;
 *   I2 an actor never keeps `input` or `out` beyond the call (the host reuses both);
 *   I3 inputs of one mailbox are handled one at a time and in order; while a mailbox is busy its inputs wait,
 *      and what the handler sends leaves the node at the end of its busy time.
 */
import type { MailboxId, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineEvent } from './engine-events.ts';
import type { EngineMessage } from './messages.ts';

/** One role: JobManager, TaskManager or an outside system. No clock, no socket, no dice: facts come in, effects go out. */
export interface Actor {
  handle(input: Input, nowUs: Micros, out: Out): void;
}

export type Input =
  | { readonly kind: 'started' }
  | {
      readonly kind: 'message';
      readonly from: NodeId;
      /** Where a reply goes. */
      readonly fromMailbox: MailboxId;
      /** The mailbox that received it. */
      readonly mailbox: MailboxId;
      readonly message: EngineMessage;
    }
  | { readonly kind: 'timer'; readonly mailbox: MailboxId; readonly timer: string };

/** Where a message goes. Make a target once and reuse it: the hot path allocates none. */
export interface Target {
  readonly node: NodeId;
  readonly mailbox: MailboxId;
  /**
   * `datagram`: each message travels alone (RPC); faults may delay, lose, duplicate and reorder it.
   * `connection`: FIFO per node pair and direction until reset; then both ends get `connection-lost` in their main mailbox,
   * and the next send opens a new connection. A target on the own node is delivered at once and never fails.
   */
  readonly via: 'datagram' | 'connection';
}

/** What a subtask spends virtual CPU time on; the hardware profile says what one unit costs. */
export type Work =
  | 'record' /* one record through one chain */
  | 'byte' /* one byte serialized or deserialized */
  | 'key' /* one keyed state entry read or written by a snapshot or restore */
  | 'message' /* one control message handled */
  | 'block-read' /* one block of keyed state on the local disk looked into */
  | 'disk-byte' /* one byte of keyed state written to the local disk, or read for a compaction */
  | 'nanosecond' /* stated directly, by user functions that model slow work */;

export interface Out {
  send(to: Target, message: EngineMessage): void;
  /** Arms the timer of this name in the current mailbox; an armed one of the same name is replaced. */
  setTimer(timer: string, afterUs: Micros): void;
  /** Disarms; a name that is not armed is ignored. A cancelled timer never fires. */
  cancelTimer(timer: string): void;
  /** Charges virtual CPU time to the current mailbox. */
  busy(work: Work, amount: number): void;
  /** A fact for the history; seen by judges and fault triggers, never by other actors. */
  report(event: EngineEvent): void;
  /** Ends the own process after this handler, for good: what supervises it may start another one (Flink: a fatal error). */
  exit(why: string): void;
}
