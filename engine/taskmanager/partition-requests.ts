/**
 * Asks producers for their partitions, again while they are not there yet (row F12; Flink: PartitionRequestClient with back-off).
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { InputGate } from './input-gate.ts';

const TRIES_MAX = 12;
const BACKOFF_STEPS_MAX = 8;

export class PartitionRequests {
  readonly #gate: InputGate;
  readonly #backoffUs: number;
  readonly #tries: number[];
  readonly #later = new DelayedCalls();

  constructor(gate: InputGate, backoffUs: number) {
    this.#gate = gate;
    this.#backoffUs = backoffUs;
    this.#tries = new Array<number>(gate.channelCount).fill(0);
  }

  requestAll(out: Out): void {
    for (let channel = 0; channel < this.#gate.channelCount; channel += 1) this.#gate.request(channel, out);
  }

  /** False when the producer did not appear in time: the subtask must fail. */
  notFound(channel: number, out: Out): boolean {
    const tries = (this.#tries[channel] ?? 0) + 1;
    this.#tries[channel] = tries;
    if (tries > TRIES_MAX) return false;
    const backoffUs = this.#backoffUs * Math.min(tries, BACKOFF_STEPS_MAX);
    this.#later.after(backoffUs, `partition/${channel}`, out, (_nowUs, lateOut) =>
      this.#gate.request(channel, lateOut),
    );
    return true;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }
}
