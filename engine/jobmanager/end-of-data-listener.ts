/**
 * Who has reached the end of data (row C23; Flink: VertexEndOfDataListener). Owns the attempts that have. Invariant I1: what an attempt
 * reached counts for that attempt only (FLINK-32945).
 */
import type { ExecutionAttemptId } from '../foundation/ids.ts';
import type { EngineParts } from '../parts.ts';

/** A subtask that may have reached the end of data. */
export interface EndedSubtask {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
}

export class EndOfDataListener {
  readonly #atRestart: EngineParts['endOfDataAtRestart'];
  readonly #atEndOfData = new Set<string>();

  constructor(atRestart: EngineParts['endOfDataAtRestart']) {
    this.#atRestart = atRestart;
  }

  /** The whole job was deployed: nobody has reached anything. */
  deployed(): void {
    if (this.#atRestart === 'cleared') this.#atEndOfData.clear();
  }

  /** Returns whether this was news and made it all of them. */
  endOfData(subtask: EndedSubtask, all: readonly EndedSubtask[]): boolean {
    const name = this.#nameOf(subtask);
    if (this.#atEndOfData.has(name)) return false;
    this.#atEndOfData.add(name);
    return all.every((other) => this.#atEndOfData.has(this.#nameOf(other)));
  }

  /** The mutant forgets which attempt it was (I1). */
  #nameOf({ attempt, vertex, subtask }: EndedSubtask): string {
    return this.#atRestart === 'cleared' ? String(attempt) : `${vertex}/${subtask}`;
  }
}
