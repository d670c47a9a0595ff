/**
 * Two sides of a condition on the network: which ordered pairs of nodes it concerns.
 *
 * I1: a pair is concerned when it leads from side a to side b, or back unless the condition is one-way.
 * I2: a node may be on both sides; nodes on neither are not concerned.
 */
import { assert } from '../../engine/foundation/assert.ts';

const SIDE_A = 1;
const SIDE_B = 2;

export interface NodeSidesOptions {
  /** Nodes of the cluster. */
  readonly nodes: number;
  /** Indices of side a. */
  readonly a: readonly number[];
  /** Indices of side b. */
  readonly b: readonly number[];
  readonly oneWay: boolean;
}

export class NodeSides {
  readonly #sides: Uint8Array;
  readonly #oneWay: boolean;

  constructor(options: NodeSidesOptions) {
    this.#sides = new Uint8Array(options.nodes);
    this.#oneWay = options.oneWay;
    this.#mark(options.a, SIDE_A);
    this.#mark(options.b, SIDE_B);
  }

  concerns(from: number, to: number): boolean {
    const sideOfFrom = this.#sides[from] ?? 0;
    const sideOfTo = this.#sides[to] ?? 0;
    if ((sideOfFrom & SIDE_A) !== 0 && (sideOfTo & SIDE_B) !== 0) return true;
    return !this.#oneWay && (sideOfFrom & SIDE_B) !== 0 && (sideOfTo & SIDE_A) !== 0;
  }

  #mark(indices: readonly number[], side: number): void {
    for (const index of indices) {
      assert(index >= 0 && index < this.#sides.length, 'a side names nodes of the cluster', { index });
      this.#sides[index] = (this.#sides[index] ?? 0) | side;
    }
  }
}
