/**
 * Which links are cut, and by which faults.
 *
 * Owns: the cuts in force. Does not own: what a cut does to a message (network.ts, connections.ts).
 *
 * I1: a link is blocked while at least one cut concerns it; cuts overlap freely and heal one by one;
 * I2: a link loses datagrams while one of its cuts does; if all of them only hold, datagrams wait.
 */
import type { NodeSides } from './node-sides.ts';

export type EffectListener = (faultId: string) => void;

interface Cut {
  readonly faultId: string;
  readonly sides: NodeSides;
  readonly holds: boolean;
}

export class PartitionMap {
  #cuts: Cut[] = [];

  add(faultId: string, sides: NodeSides, holds: boolean): void {
    this.#cuts.push({ faultId, sides, holds });
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

  /** Of a blocked link: whether datagrams are lost there. */
  loses(from: number, to: number): boolean {
    return this.#cuts.some((cut) => !cut.holds && cut.sides.concerns(from, to));
  }

  /** Names every cut of a link; `losing`: those only that lose what is sent. */
  blame(from: number, to: number, listener: EffectListener, losing = false): void {
    for (const cut of this.#cuts) if (!(losing && cut.holds) && cut.sides.concerns(from, to)) listener(cut.faultId);
  }
}
