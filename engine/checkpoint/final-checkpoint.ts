/**
 * The checkpoint that is asked for when all subtasks have reached the end of data and wait for one (row C23; Flink:
 * CheckpointCoordinator.triggerCheckpoint of the EndOfDataListener).
 *
 * Owns: whether one is due, and that it is asked for again. Differs from Flink, which triggers once: one that fails is tried again
 * (decision 0016). Does not own: the checkpoint, which is a request like a person's: no minimum pause holds it up.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import { PERIODIC_CHECKPOINT } from '../protocol/checkpoint-properties.ts';
import type { CheckpointRequest, RequestEnd } from './checkpoint-request.ts';
import { probe } from '../protocol/probes.ts';

export class FinalCheckpoint {
  readonly #request: (request: CheckpointRequest, nowUs: Micros, out: Out) => void;
  readonly #retryUs: number;
  readonly #later = new DelayedCalls();
  #state: 'none' | 'due' | 'complete' = 'none';
  /** Changes with every `forget`: what was asked for before is nobody's. */
  #turn = 0;

  constructor(retryUs: number, request: (request: CheckpointRequest, nowUs: Micros, out: Out) => void) {
    this.#retryUs = retryUs;
    this.#request = request;
  }

  get isComplete(): boolean {
    return this.#state === 'complete';
  }

  due(nowUs: Micros, out: Out): void {
    if (this.#state !== 'none') return;
    this.#state = 'due';
    this.#ask(nowUs, out);
  }

  /** Some subtask has to reach the end of data again. */
  forget(out: Out): void {
    this.#state = 'none';
    this.#turn += 1;
    this.#later.cancel('final', out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #ask(nowUs: Micros, out: Out): void {
    probe(out, 'final-checkpoint-requested');
    const turn = this.#turn;
    const ended = (end: RequestEnd, _endUs: Micros, endOut: Out): void => {
      if (turn === this.#turn) this.#ended(end, endOut);
    };
    this.#request({ properties: PERIODIC_CHECKPOINT, isPeriodic: false, atUs: nowUs, ended }, nowUs, out);
  }

  #ended(end: RequestEnd, out: Out): void {
    if (end.kind === 'completed') this.#state = 'complete';
    else this.#later.after(this.#retryUs, 'final', out, (lateUs, lateOut) => this.#ask(lateUs, lateOut));
  }
}
