/**
 * Writes what is to outlive a leader about the job itself: that a run is over, that another one began (rows C17, C27, C28; Flink:
 * JobResultStore, JobGraphStore). It lies in the value of the checkpoint pointer, so both change in one compare-and-set.
 *
 * Owns: that one write. Called only while no checkpoint's pointer write is under way.
 * Invariant I1: an unanswered write is repeated until it is known (row F17).
 */
import type { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { Out } from '../protocol/actor.ts';
import {
  type CheckpointPointer,
  encodePointer,
  pointerKey,
  type RetainedCheckpoint,
} from '../protocol/checkpoint-pointer.ts';

export interface JobRecordOptions {
  readonly jobId: string;
  readonly coordination: NamedRegisters;
  readonly requestTimeoutUs: number;
  readonly store: CompletedCheckpointStore;
  readonly superseded: (nowUs: Micros, out: Out) => void;
}

/** `dropped`: what the pointer does not name any more. */
type Written = (dropped: readonly RetainedCheckpoint[], nowUs: Micros, out: Out) => void;

export class JobRecord {
  readonly #options: JobRecordOptions;
  readonly #later = new DelayedCalls();

  constructor(options: JobRecordOptions) {
    this.#options = options;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  write(pointer: CheckpointPointer, out: Out, written: Written): void {
    const { coordination, jobId, store, requestTimeoutUs, superseded } = this.#options;
    const value = encodePointer(pointer);
    const write = { name: pointerKey(jobId), expectedVersion: store.version, value };
    coordination.compareAndSet(write, out, (reply, nowUs, replyOut) => {
      const isOurs = reply.outcome === 'done' || (reply.outcome === 'conflict' && reply.value === value);
      if (isOurs) return written(store.stored(pointer, reply.version), nowUs, replyOut);
      if (reply.outcome === 'conflict') return superseded(nowUs, replyOut);
      this.#later.after(retryDelayUs(requestTimeoutUs), 'job-record', replyOut, (_lateUs, lateOut) =>
        this.write(pointer, lateOut, written),
      );
    });
  }
}
