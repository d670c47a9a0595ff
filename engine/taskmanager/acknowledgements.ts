/**
 * Acknowledgements of one subtask until they are confirmed (row C11): sent again while nobody says that they came.
 *
 * Owns: the repetitions. Does not own: what is acknowledged, and what becomes of a checkpoint whose acknowledgement nobody confirms. What was
 * written stays in any case: the JobManager may have completed the checkpoint.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { AcknowledgeCheckpoint, EngineMessage } from '../protocol/messages.ts';
import { probe } from '../protocol/probes.ts';

/** An acknowledgement that is not confirmed is sent so often before it is given up. */
const TRIES_MAX = 8;

export interface AcknowledgementsOptions {
  readonly requestTimeoutUs: number;
  readonly toJobManager: (message: EngineMessage, out: Out) => void;
  readonly givenUp: (checkpointId: CheckpointId, out: Out) => void;
}

export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  readonly #unconfirmed = new Map<CheckpointId, AcknowledgeCheckpoint>();
  readonly #later = new DelayedCalls();

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  get areConfirmed(): boolean {
    return this.#unconfirmed.size === 0;
  }

  send(message: AcknowledgeCheckpoint, out: Out): void {
    this.#unconfirmed.set(message.checkpointId, message);
    this.#try(message, 1, out);
  }

  /** The JobManager has it; a second confirmation changes nothing. */
  confirmed(checkpointId: CheckpointId, out: Out): void {
    if (this.#unconfirmed.delete(checkpointId)) this.#later.cancel(nameOf(checkpointId), out);
  }

  /** The checkpoint is over: it is not sent again. */
  forget(checkpointId: CheckpointId): void {
    this.#unconfirmed.delete(checkpointId);
  }

  clear(): void {
    this.#unconfirmed.clear();
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #try(message: AcknowledgeCheckpoint, tries: number, out: Out): void {
    const { requestTimeoutUs, toJobManager, givenUp } = this.#options;
    const { checkpointId } = message;
    toJobManager(message, out);
    this.#later.after(requestTimeoutUs, nameOf(checkpointId), out, (_nowUs, lateOut) => {
      if (this.#unconfirmed.get(checkpointId) !== message) return;
      if (tries >= TRIES_MAX) {
        probe(lateOut, 'unconfirmed-acknowledgement-given-up');
        return givenUp(checkpointId, lateOut);
      }
      probe(lateOut, 'acknowledge-repeated');
      this.#try(message, tries + 1, lateOut);
    });
  }
}

const nameOf = (checkpointId: CheckpointId): string => `acknowledge/${checkpointId}`;
