/**
 * One direction between two nodes: latency and bandwidth.
 *
 * Owns: the link's stream of chance and how much it has still to transmit. Does not own: faults or order.
 *
 * I1: a message arrives no earlier than its departure plus transmission plus the least latency.
 * I2: bytes pass one after another. What is handed over now queues now, even if it departs later, so a message that
 *     waits for a busy mailbox does not hold up those that are ready.
 */
import type { ChoiceSite } from '../kernel/choice.ts';
import { type Distribution, sampleUs } from '../kernel/distribution.ts';

export class Link {
  readonly #latency: Distribution;
  readonly #site: ChoiceSite;
  #freeAtUs = 0;

  constructor(latency: Distribution, site: ChoiceSite) {
    this.#latency = latency;
    this.#site = site;
  }

  /** When a message handed over now arrives. */
  arrivalUs(nowUs: number, departUs: number, transmissionUs: number): number {
    const freeAtUs = (this.#freeAtUs > nowUs ? this.#freeAtUs : nowUs) + transmissionUs;
    this.#freeAtUs = freeAtUs;
    const sentUs = departUs + transmissionUs;
    return (freeAtUs > sentUs ? freeAtUs : sentUs) + sampleUs(this.#latency, this.#site);
  }

  /** One latency, for what is too small to occupy the link. */
  latencyUs(): number {
    return sampleUs(this.#latency, this.#site);
  }
}
