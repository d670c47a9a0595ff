/**
 * Ctrl-C in the middle of long work: it ends in order, and keeps what it has.
 *
 * Owns: hearing of it and saying so. Does not own: what is kept (each command says that in one line).
 * I1: the first interrupt lets the lives that were begun end; the second one ends the process at once.
 * I2: work that was interrupted ends with the exit code of that (program.ts), unless it found something graver.
 */
import type { Terminal } from './terminal.ts';

/** Thrown where work cannot go on; the message says what was kept. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(kept = 'nothing is kept of what was begun') {
    super(`Interrupted: ${kept}.`);
  }
}

/** For what is done side by side: each part ends by itself, and what all of them have is kept. */
export async function untilInterrupted(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  }
}

export class Interruption {
  readonly #terminal: Pick<Terminal, 'turn'>;
  readonly #listeners: (() => void)[] = [];
  readonly #stopListening: () => void;
  #hasHappened = false;

  constructor(terminal: Pick<Terminal, 'onInterrupt' | 'err' | 'turn'>) {
    this.#terminal = terminal;
    this.#stopListening = terminal.onInterrupt(() => {
      this.#hasHappened = true;
      terminal.err('Finishing the lives that were begun; press Ctrl-C again to stop at once.');
      for (const listener of this.#listeners) listener();
    });
  }

  get hasHappened(): boolean {
    return this.#hasHappened;
  }

  /** Calls back when it happens. */
  onHappened(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Between lives in this thread, which nothing interrupts: hears of what came meanwhile. Throws `Interrupted`. */
  async listen(): Promise<void> {
    await this.#terminal.turn();
    this.check();
  }

  /** Throws `Interrupted` if it has happened. */
  check(): void {
    if (this.#hasHappened) throw new Interrupted();
  }

  stop(): void {
    this.#stopListening();
  }
}
