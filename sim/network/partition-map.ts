/**
 * Which links are cut, and by which faults.
 *
 * Owns: the cuts in force. Does not own: what a cut does to a message (network.ts, connections.ts).
 *
 * I1: a link is blocked while at least one cut concerns it; cuts overlap freely and heal one by one.
 */
import type { NodeSides } from './node-sides.ts';

export type EffectListener = (faultId: string) => void;

interface Cut {
  readonly faultId: string;
  readonly sides: NodeSides;
}

export class PartitionMap {
  #cuts: Cut[] = [];

  add(faultId: string, sides: NodeSides): void {
    this.#cuts.push({ faultId, sides });
  }

  remove(faultId: string): void {
    this.#cuts = this.#cuts.filter((cut) => cut.faultId !== faultId);
  }

  blocks(from: number, to: number): boolean {
    const cuts = this.#cuts;
    for (let index = 0; index < cuts.length; index += 1) {
      if (cuts[index]?.sides.concerns(from, to) === true) return true;
    }
    return false;
  }

  /** Names every cut of a link. */
  blame(from: number, to: number, listener: EffectListener): void {
    for (const cut of this.#cuts) if (cut.sides.concerns(from, to)) listener(cut.faultId);
  }
}
