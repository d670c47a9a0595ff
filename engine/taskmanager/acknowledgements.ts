/**
 * Acknowledgements and declines of one subtask until they are confirmed (row C11): sent again while nobody says that they came. Nobody else
 * says that a declined checkpoint can never complete: were its decline lost, it would hold up all others until its time-out.
 *
 * Owns: the repetitions. Does not own: what is acknowledged, and what becomes of a checkpoint whose acknowledgement nobody confirms. What was
 * written stays in any case: the JobManager may have completed the checkpoint.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { AcknowledgeCheckpoint, DeclineCheckpoint, EngineMessage } from '../protocol/messages.ts';
import { probe } from '../protocol/probes.ts';

/** An acknowledgement that is not confirmed is sent so often before it is given up. */
const TRIES_MAX = 8;

export interface AcknowledgementsOptions {
  readonly lostDecline: EngineParts['lostDecline'];
  readonly requestTimeoutUs: number;
  readonly toJobManager: (message: EngineMessage, out: Out) => void;
  readonly givenUp: (checkpointId: CheckpointId, out: Out) => void;
}

export class Acknowledgements {
  readonly #options: AcknowledgementsOptions;
  readonly #unconfirmed = new Map<CheckpointId, AcknowledgeCheckpoint>();
  readonly #unconfirmedDeclines = new Map<CheckpointId, DeclineCheckpoint>();
  readonly #later = new DelayedCalls();
  #declines = 0;

  constructor(options: AcknowledgementsOptions) {
    this.#options = options;
  }

  /** Of the acknowledgements: a subtask may end with a decline nobody confirmed, since its end says the same (row C21). */
  get areConfirmed(): boolean {
    return this.#unconfirmed.size === 0;
  }

  send(message: AcknowledgeCheckpoint, out: Out): void {
    this.#unconfirmed.set(message.checkpointId, message);
    this.#try(message, 1, out);
  }

  /** Never given up: while the JobManager cannot be reached, the checkpoint waits as well. */
  decline(message: DeclineCheckpoint, out: Out): void {
    this.#unconfirmedDeclines.set(message.checkpointId, message);
    this.#tryDecline(message, out);
  }

  /** The JobManager has it; a second confirmation changes nothing. */
  confirmed(checkpointId: CheckpointId, out: Out): void {
    this.#unconfirmedDeclines.delete(checkpointId);
    if (this.#unconfirmed.delete(checkpointId)) this.#later.cancel(nameOf(checkpointId), out);
  }

  /** The checkpoint is over: nothing is sent again. */
  forget(checkpointId: CheckpointId): void {
    this.#unconfirmed.delete(checkpointId);
    this.#unconfirmedDeclines.delete(checkpointId);
  }

  clear(): void {
    this.#unconfirmed.clear();
    this.#unconfirmedDeclines.clear();
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

  /** Both mailboxes of a subtask decline, and the same checkpoint, too: every repetition has a timer of its own, and none is cancelled. */
  #tryDecline(message: DeclineCheckpoint, out: Out): void {
    const { lostDecline, requestTimeoutUs, toJobManager } = this.#options;
    toJobManager(message, out);
    if (lostDecline === 'unnoticed') return;
    this.#declines += 1;
    this.#later.after(requestTimeoutUs, `decline/${this.#declines}`, out, (_nowUs, lateOut) => {
      if (this.#unconfirmedDeclines.get(message.checkpointId) !== message) return;
      probe(lateOut, 'decline-repeated');
      this.#tryDecline(message, lateOut);
    });
  }
}

const nameOf = (checkpointId: CheckpointId): string => `acknowledge/${checkpointId}`;
