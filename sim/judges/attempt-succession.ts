/**
 * Which attempts a restart has given up, as the leader's own acts say: what it deployed, and for which subtasks it chose a restore.
 *
 * Owns: the current attempt of each subtask. Called by the lifecycle judge.
 * I1: a restore gives up the current attempts of the subtasks it names, of all when it names none; those of other regions go on.
 */
import { forgetOldest, PARTS_KEPT } from './forget-oldest.ts';

export interface SubtaskName {
  readonly vertex: number;
  readonly subtask: number;
}

export class AttemptSuccession {
  readonly #current = new Map<string, number>();
  /** Attempt -> history index of the restore that gave it up. */
  readonly #givenUp = new Map<number, number>();
  /** Subtasks of the last restore; undefined: all. */
  #restoring: ReadonlySet<string> | undefined;

  /** `at` is the history index. */
  restored(subtasks: readonly SubtaskName[] | undefined, at: number): void {
    const names = subtasks?.map(nameOf);
    this.#restoring = names === undefined ? undefined : new Set(names);
    for (const name of names ?? [...this.#current.keys()]) {
      const attempt = this.#current.get(name);
      if (attempt !== undefined) this.#givenUp.set(attempt, at);
      this.#current.delete(name);
    }
    forgetOldest(this.#givenUp, PARTS_KEPT);
  }

  get remembered(): number {
    return this.#current.size + this.#givenUp.size;
  }

  /** False: no restore was chosen for this subtask, or it was deployed since. */
  deployed(attempt: number, subtask: SubtaskName): boolean {
    const name = nameOf(subtask);
    const isDue = !this.#current.has(name) && this.#restoring?.has(name) !== false;
    this.#current.set(name, attempt);
    return isDue;
  }

  /** Index of the restore that gave up one of these attempts; undefined when all still count. */
  givenUpAt(attempts: ReadonlySet<number>): number | undefined {
    for (const attempt of attempts) {
      const at = this.#givenUp.get(attempt);
      if (at !== undefined) return at;
    }
    return undefined;
  }
}

const nameOf = ({ vertex, subtask }: SubtaskName): string => `${String(vertex)}/${String(subtask)}`;
