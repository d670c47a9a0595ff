/**
 * Probabilistic concurrency testing of messages (Burckhardt et al. 2010; Ozkan et al. 2018: PCTCP): chains of causally linked messages have priorities, and
 * those of low ones come later. Delays are all it does, so causality, order of connections and determinism stay as they are.
 *
 * A datagram continues the chain of the input whose handler sends it; what else that handler sends begins chains of its own. A timer and a
 * message within a node carry the chain on. All that goes over one direction of a connection is one chain, as it is in order already.
 * Heartbeats belong to none: they shall miss nothing that waits for them.
 *
 * Owns: chains, their priorities, the count of steps. Does not own: the delay's place in a message's way (network.ts).
 *
 * I1: the rank of a chain is drawn at the site `priorities/<from>-><to>` of its first message; 0, the boring choice, is the highest: no delay.
 * I2: a step is a datagram that is no heartbeat. The chain that takes one of the plan's change steps falls below all others for good.
 * I3: priorities end with the storm: the liveness phase is fair, else it would prove nothing.
 */
import type { ChoiceSite, Choices } from '../kernel/choice.ts';
import type { VirtualNode } from '../node/virtual-node.ts';
import type { PrioritiesPlan } from '../plan.ts';

/** What belongs to no chain. */
export const NO_CHAIN = 0;

export interface ChainPrioritiesOptions extends PrioritiesPlan {
  readonly choices: Choices;
  readonly nodes: readonly VirtualNode[];
  /** End of the storm. */
  readonly untilUs: number;
}

export class ChainPriorities {
  readonly #options: ChainPrioritiesOptions;
  readonly #changeSteps: ReadonlySet<number>;
  /** Extra latency of each chain's messages, by number of the chain. */
  readonly #delaysUs: number[] = [0];
  /** By sender and receiver. */
  readonly #sites: (ChoiceSite | undefined)[] = [];
  readonly #streams: (number | undefined)[] = [];
  #steps = 0;

  constructor(options: ChainPrioritiesOptions) {
    this.#options = options;
    this.#changeSteps = new Set(options.changeSteps);
  }

  /** Steps so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The chain of a connection's direction. */
  ofStream(from: number, to: number): number {
    const link = this.#linkOf(from, to);
    const known = this.#streams[link];
    if (known !== undefined) return known;
    const chain = this.#begin(link, from, to);
    this.#streams[link] = chain;
    return chain;
  }

  /** The chain of a datagram that is about to be sent. `cause`: the chain it continues, or none. */
  ofDatagram(cause: number, from: number, to: number): number {
    const chain = cause === NO_CHAIN ? this.#begin(this.#linkOf(from, to), from, to) : cause;
    this.#steps += 1;
    if (this.#changeSteps.has(this.#steps)) this.#delaysUs[chain] = this.#options.dropUs;
    return chain;
  }

  delayUs(chain: number, nowUs: number): number {
    return nowUs < this.#options.untilUs ? (this.#delaysUs[chain] ?? 0) : 0;
  }

  #begin(link: number, from: number, to: number): number {
    const { nodes, choices, ranks, windowUs } = this.#options;
    let site = this.#sites[link];
    if (site === undefined) {
      site = choices.site(`priorities/${nodes[from]?.id}->${nodes[to]?.id}`);
      this.#sites[link] = site;
    }
    const rank = site.choose(ranks);
    return this.#delaysUs.push(ranks === 1 ? 0 : Math.floor((windowUs * rank) / (ranks - 1))) - 1;
  }

  #linkOf(from: number, to: number): number {
    return from * this.#options.nodes.length + to;
  }
}
