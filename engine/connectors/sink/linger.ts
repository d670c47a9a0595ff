/**
 * The wait of an open batch for more records (Kafka: linger.ms): output that is visible when written is sent when it is over.
 *
 * Owns: that one wait runs at a time. Does not own: the batch, and what is done with it.
 */
import type { DelayedCalls } from '../../clients/delayed-calls.ts';
import type { Out } from '../../protocol/actor.ts';

export class Linger {
  readonly #later: DelayedCalls;
  readonly #lingerUs: number;
  readonly #over: (out: Out) => void;
  #isRunning = false;

  constructor(later: DelayedCalls, lingerUs: number, over: (out: Out) => void) {
    this.#later = later;
    this.#lingerUs = lingerUs;
    this.#over = over;
  }

  /** Nothing when it is running already. */
  begin(out: Out): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#later.after(this.#lingerUs, 'linger', out, (_nowUs, lateOut) => {
      this.#isRunning = false;
      this.#over(lateOut);
    });
  }
}
