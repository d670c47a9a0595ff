/**
 * The connection of a pair of nodes: two streams, one per direction, and what each end knows of it.
 *
 * A pair has one connection for the whole life; it is reset by beginning a new term. An end learns of a new term by a
 * notice that travels in order behind the data of the old one, or at once when its own end gives up.
 *
 * I1: terms rise; an end knows a term no newer than the connection's.
 * I2: an end sends and accepts only in the term it knows; older data is discarded.
 * I3: an end is told `connection-lost` only if it used the connection in the term that was lost.
 * I4: an end whose node is down knows the newest term.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { Envelope } from './envelope.ts';

/** One end of a connection. */
export interface ConnectionEnd {
  readonly node: number;
  /** The term it sends and accepts in. */
  term: number;
  /** It sent or received something in this term. */
  isUsed: boolean;
}

/** One direction of a connection. */
export interface Stream {
  readonly connection: Connection;
  readonly from: ConnectionEnd;
  readonly to: ConnectionEnd;
  /** Nothing arrives before what was sent earlier. */
  lastArrivalUs: number;
  /** Arrived at a cut: waits there, in order. */
  held: Envelope[];
  /** Event that resets the connection unless the cut heals before; 0: none. */
  deadline: number;
  /** Event that passes on what was held, after the cut healed; 0: none. */
  flush: number;
}

export class Connection {
  readonly #low: ConnectionEnd;
  readonly #high: ConnectionEnd;
  readonly #upward: Stream;
  readonly #downward: Stream;
  #term = 0;

  constructor(low: number, high: number) {
    assert(low < high, 'a connection is between two nodes, the lower index first', { low, high });
    this.#low = { node: low, term: 0, isUsed: false };
    this.#high = { node: high, term: 0, isUsed: false };
    this.#upward = this.#stream(this.#low, this.#high);
    this.#downward = this.#stream(this.#high, this.#low);
  }

  streamFrom(node: number): Stream {
    return node === this.#low.node ? this.#upward : this.#downward;
  }

  /** Begins a new term, of which no end knows yet. */
  beginTerm(): number {
    this.#term += 1;
    return this.#term;
  }

  #stream(from: ConnectionEnd, to: ConnectionEnd): Stream {
    return { connection: this, from, to, lastArrivalUs: 0, held: [], deadline: 0, flush: 0 };
  }
}
