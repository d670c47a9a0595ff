/**
 * A judge folds the history as it is made and looks at durable state from outside. It never asks the engine how it is.
 *
 * Memory is bounded by the job and its input, not by the length of the life, checkpoints or restarts (tests/unit/sim/judges/memory.test.ts). It must
 * grow with the output where that is compared record by record: exactly-once-output.ts and table-output.ts keep what was seen of each record,
 * state-expiry.ts the last access of each key; with the snapshots that clients were handed out, which are theirs until they give them up
 * (retention.ts, fired-timers.ts); and with upgrades and drains, through all of which the reference is led (run-history.ts).
 * Measured: docs/memory.md.
 */
import type { HistoryEvent } from '../history/history-event.ts';
import type { Lineage } from '../../engine/protocol/stream-elements.ts';
import type { Verdict } from './verdict.ts';

export interface Judge {
  readonly name: string;
  /** What counts as an anomaly, in prose. */
  readonly anomalies: string;
  observe(entry: HistoryEvent): void;
  /** Entries of memory. */
  readonly remembered: number;
  /** At the end of the life. `violated` found earlier must be repeated here; where a limit cut it off, the bench takes `passed` back (verdict.ts). */
  finish(end: EndOfLife): Verdict[];
}

export interface EndOfLife {
  readonly atUs: number;
  /** Why the life ended. `actor-threw`: a process broke an assumption of its own, and nothing behind that is worth judging. */
  readonly cause: 'quiescent' | 'liveness-reached' | 'liveness-bound' | 'limit' | 'actor-threw' | 'job-failed';
  readonly historyLength: number;
}

/** Whether it was cut off, so that what is not there yet says nothing. */
export const isCutOff = ({ cause }: Pick<EndOfLife, 'cause'>): boolean => cause === 'limit' || cause === 'actor-threw';

/** A record in a log that readers pass over, and who wrote it. */
export interface AbortedRecord {
  readonly partition: string;
  readonly offset: number;
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** What judges may read of the outside systems: durable state, not opinions. */
export interface DurableState {
  /** Bytes of an object in checkpoint storage; undefined when absent. */
  object(path: string): Uint8Array | undefined;
  /** All object paths, sorted. */
  objects(): readonly string[];
  /** What takes up room in checkpoint storage and is no object: uploads that nobody completed, empty directories. */
  leftovers(): readonly string[];
  /** Value of a key of the coordination store; undefined when absent. */
  coordination(key: string): string | undefined;
  /** Where a record lies that was written to a log and aborted; undefined: nowhere, or the history tells of it. */
  abortedRecord(lineage: Lineage): AbortedRecord | undefined;
  /** Transactions that are neither committed nor aborted. */
  openTransactions(): readonly {
    readonly transaction: string;
    readonly producer: string;
    readonly producerEpoch: number;
    readonly preCommitted: boolean;
    readonly records: number;
  }[];
}
