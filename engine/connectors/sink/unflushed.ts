/**
 * Which snapshots wait until something they list is safe in the outside system (invariant I2 of the sink contract).
 *
 * Owns: what is under way, by a name of the writer's choosing, with the checkpoint it was sent for. Does not own: the requests.
 * Invariants:
 *   I1 a snapshot is free when everything of its own and of earlier checkpoints is flushed: it lists the committables of checkpoints that
 *      were given up, too, and their commit must not meet what is still under way;
 *   I2 a snapshot is set free once.
 */
import type { CheckpointId } from '../../foundation/ids.ts';

export class Unflushed {
  readonly #underWay = new Map<string, CheckpointId>();
  #waiting: CheckpointId[] = [];

  get isEmpty(): boolean {
    return this.#underWay.size === 0;
  }

  has(name: string): boolean {
    return this.#underWay.has(name);
  }

  add(name: string, id: CheckpointId): void {
    this.#underWay.set(name, id);
  }

  /** A snapshot of this checkpoint is taken now. */
  wait(id: CheckpointId): void {
    if (!this.isEmpty && !this.#waiting.includes(id)) this.#waiting.push(id);
  }

  /** Returns the checkpoints whose snapshots need not wait any more. */
  flushed(name: string): readonly CheckpointId[] {
    this.#underWay.delete(name);
    let oldest: number = Number.MAX_SAFE_INTEGER;
    for (const id of this.#underWay.values()) oldest = Math.min(oldest, id);
    const free = this.#waiting.filter((id) => id < oldest);
    this.#waiting = this.#waiting.filter((id) => id >= oldest);
    return free;
  }
}
