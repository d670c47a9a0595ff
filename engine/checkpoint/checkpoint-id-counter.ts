/**
 * Takes checkpoint ids from the durable counter, one at a time (row C8; Flink: CheckpointIDCounter).
 *
 * Owns: the counter's last known value and version. Invariants: I1 an id is handed out only after the store confirmed it, so no two
 * leaders ever use one (G7); I2 an unanswered write may have burnt the id: the counter is read again before the next try. It may still be
 * under way then: a write that finds the counter moved takes the next id (Flink: KubernetesCheckpointIDCounter, Curator's SharedCount).
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters, RegisterReply } from '../high-availability/named-registers.ts';
import type { Out } from '../protocol/actor.ts';
import { counterKey } from '../protocol/checkpoint-pointer.ts';
import { probe } from '../protocol/probes.ts';

export interface CheckpointIdCounterOptions {
  readonly jobId: string;
  readonly coordination: NamedRegisters;
  readonly requestTimeoutUs: number;
  /** What a counter begins with that was never written. */
  readonly firstId: number;
  /** Last id ever used and the version of the counter that says so. */
  readonly last: { readonly value: number; readonly version: number };
}

/** `failed` names the id that may be burnt. */
export type TakenId =
  | { readonly kind: 'taken'; readonly checkpointId: CheckpointId }
  | { readonly kind: 'failed'; readonly checkpointId: CheckpointId };

type Then = (taken: TakenId, nowUs: Micros, out: Out) => void;

export class CheckpointIdCounter {
  readonly #options: CheckpointIdCounterOptions;
  readonly #later = new DelayedCalls();
  #last: { readonly value: number; readonly version: number };

  constructor(options: CheckpointIdCounterOptions) {
    this.#options = options;
    this.#last = options.last;
  }

  /** Last id known to be taken. */
  get last(): number {
    return this.#last.value;
  }

  /** One call at a time; `then` is called once, after the counter is known again. */
  take(out: Out, then: Then): void {
    const id = checkpointId(this.#last.value + 1);
    const { coordination, jobId } = this.#options;
    if (id > coordination.highestCount) {
      probe(out, 'checkpoint-ids-exhausted');
      return this.#read(id, out, then);
    }
    const write = { name: counterKey(jobId), expectedVersion: this.#last.version, value: String(id) };
    coordination.compareAndSet(write, out, (reply, nowUs, replyOut) => {
      if (reply.outcome === 'unknown') return this.#read(id, replyOut, then);
      this.#know(reply);
      if (reply.outcome === 'done') return then({ kind: 'taken', checkpointId: id }, nowUs, replyOut);
      probe(replyOut, 'checkpoint-counter-moved');
      this.take(replyOut, then);
    });
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #read(failed: CheckpointId, out: Out, then: Then): void {
    const { coordination, jobId, requestTimeoutUs } = this.#options;
    coordination.read(counterKey(jobId), out, (reply, nowUs, replyOut) => {
      if (reply.outcome !== 'done') {
        this.#later.after(retryDelayUs(requestTimeoutUs), 'counter', replyOut, (_at, lateOut) =>
          this.#read(failed, lateOut, then),
        );
        return;
      }
      this.#know(reply);
      then({ kind: 'failed', checkpointId: failed }, nowUs, replyOut);
    });
  }

  #know({ value, version }: RegisterReply): void {
    this.#last = { value: value === '' ? this.#options.firstId - 1 : Number(value), version };
  }
}
