/**
 * Who has reached the end of data (row C23; Flink: VertexEndOfDataListener). Owns the attempts that have. Invariant I1: what an attempt
 * reached counts for that attempt only (FLINK-32945), and only while it runs: its successor will have something left to read. Invariant I2: who
 * has finished has reached it, told or not: its report may have come while the job was still being deployed, or be lost, and nobody
 * repeats it for a subtask that is gone.
 */
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { EngineParts } from '../parts.ts';
import type { ExecutionState } from '../protocol/task.ts';

/** A subtask that may have reached the end of data. */
export interface EndedSubtask {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
  readonly state: ExecutionState;
}

export class EndOfDataListener {
  readonly #atRestart: EngineParts['endOfDataAtRestart'];
  readonly #atEndOfData = new Set<string>();
  /** The last report named somebody new. */
  #isNews = false;

  constructor(atRestart: EngineParts['endOfDataAtRestart']) {
    this.#atRestart = atRestart;
  }

  /** The whole job was deployed: nobody has reached anything. */
  deployed(): void {
    if (this.#atRestart !== 'kept') this.#atEndOfData.clear();
  }

  endOfData(subtask: EndedSubtask): void {
    const name = this.#nameOf(subtask);
    this.#isNews = !this.#atEndOfData.has(name);
    this.#atEndOfData.add(name);
  }

  /** Whether nobody has anything left to read, and somebody is there who waits. Not while a region restarts (I1). */
  isReachedByAll(all: readonly EndedSubtask[]): boolean {
    // The mutant asks when the last one is news, and after a restart none is.
    if (this.#atRestart === 'kept' && !this.#isNews) return false;
    const waiting = all.filter(({ state }) => state !== 'finished');
    return waiting.length > 0 && waiting.every((subtask) => this.#isWaiting(subtask));
  }

  #isWaiting(subtask: EndedSubtask): boolean {
    const runs = subtask.state === 'running' || this.#atRestart === 'until-replaced';
    return runs && this.#atEndOfData.has(this.#nameOf(subtask));
  }

  /** The mutant forgets which attempt it was (I1). */
  #nameOf({ attempt, vertex, subtask }: EndedSubtask): string {
    return this.#atRestart === 'kept' ? `${vertex}/${subtask}` : String(attempt);
  }
}
