/**
 * What is wrong with links that still pass messages: extra delay, loss, duplication, reordering, clogging.
 *
 * Owns: the degradations in force and their draws. Does not own: delivery (network.ts).
 * Each fault draws from a site of its own per link, so removing one fault from a plan shifts no other draw.
 *
 * I1: without a degradation in force nothing is drawn.
 * I2: a stream loses, doubles and reorders nothing; it pays with time instead.
 * I3: a fault is told effective when it changed the fate of a message, not when it merely might have.
 */
import type { ChoiceSite, Choices } from '../kernel/choice.ts';
import type { VirtualNode } from '../node/virtual-node.ts';
import type { NodeSides } from './node-sides.ts';
import type { EffectListener } from './partition-map.ts';

export interface Odds {
  readonly numerator: number;
  readonly denominator: number;
}

/** What a fault does to the links it concerns; absent parts leave them alone. */
export interface Degradation {
  /** Added to the latency of each message, both bounds possible. */
  readonly extraUs?: { readonly low: number; readonly high: number };
  readonly loss?: Odds;
  readonly duplicate?: Odds;
  readonly reorder?: Odds;
  /** Transmission takes this many times as long. */
  readonly slowFactor?: number;
}

/** The fate of one message. One object is reused for all. */
export interface Disturbance {
  extraUs: number;
  lost: boolean;
  /** A copy arrives this much later than the first; 0: there is none. */
  copyAfterUs: number;
}

/** Linux waits at least this long for an acknowledgement before it sends a segment again. */
const RETRANSMISSION_US = 200_000;
/** Doubled and reordered segments are sorted out by the receiver; the sender may slow down for a moment. */
const REASSEMBLY_US = 5_000;
/** How far a reordered or doubled datagram may lag: many times the usual latency, so that others do overtake it. */
const LAG_US = 20_000;

interface ActiveDegradation {
  readonly faultId: string;
  readonly sides: NodeSides;
  readonly what: Degradation;
  /** By link: `from * nodes + to`. */
  readonly sites: Map<number, ChoiceSite>;
}

export class DegradationMap {
  readonly #choices: Choices;
  readonly #nodes: readonly VirtualNode[];
  readonly #onEffective: EffectListener;
  readonly #fate: Disturbance = { extraUs: 0, lost: false, copyAfterUs: 0 };
  #active: ActiveDegradation[] = [];

  constructor(choices: Choices, nodes: readonly VirtualNode[], onEffective: EffectListener) {
    this.#choices = choices;
    this.#nodes = nodes;
    this.#onEffective = onEffective;
  }

  get isEmpty(): boolean {
    return this.#active.length === 0;
  }

  add(faultId: string, sides: NodeSides, what: Degradation): void {
    this.#active.push({ faultId, sides, what, sites: new Map() });
  }

  remove(faultId: string): void {
    this.#active = this.#active.filter((active) => active.faultId !== faultId);
  }

  /** By how much transmission on a link is stretched now: the narrowest place decides, two clogs do not multiply. */
  slowFactor(from: number, to: number): number {
    let factor = 1;
    let narrowest = '';
    for (const active of this.#active) {
      const own = active.what.slowFactor ?? 1;
      if (own <= factor || !active.sides.concerns(from, to)) continue;
      factor = own;
      narrowest = active.faultId;
    }
    if (factor > 1) this.#onEffective(narrowest);
    return factor;
  }

  /** Decides what happens to a message now entering a link. */
  disturb(from: number, to: number, isStream: boolean): Disturbance {
    const fate = this.#fate;
    fate.extraUs = 0;
    fate.lost = false;
    fate.copyAfterUs = 0;
    for (const active of this.#active) {
      if (active.sides.concerns(from, to)) this.#apply(active, this.#siteOf(active, from, to), isStream);
    }
    return fate;
  }

  #apply(active: ActiveDegradation, site: ChoiceSite, isStream: boolean): void {
    const fate = this.#fate;
    const { extraUs, loss, duplicate, reorder } = active.what;
    let extra = extraUs === undefined ? 0 : site.between(extraUs.low, extraUs.high);
    let isChanged = extra > 0;
    if (strikes(loss, site)) {
      if (isStream) extra += RETRANSMISSION_US;
      else fate.lost = true;
      isChanged = true;
    }
    if (strikes(duplicate, site)) {
      if (isStream) extra += REASSEMBLY_US;
      else fate.copyAfterUs = 1 + site.choose(LAG_US);
      isChanged = true;
    }
    if (strikes(reorder, site)) {
      extra += isStream ? REASSEMBLY_US : 1 + site.choose(LAG_US);
      isChanged = true;
    }
    fate.extraUs += extra;
    if (isChanged) this.#onEffective(active.faultId);
  }

  #siteOf(active: ActiveDegradation, from: number, to: number): ChoiceSite {
    const link = from * this.#nodes.length + to;
    const known = active.sites.get(link);
    if (known !== undefined) return known;
    const linkName = `${this.#nodes[from]?.id}->${this.#nodes[to]?.id}`;
    const site = this.#choices.site(`fault/${active.faultId}/${linkName}`);
    active.sites.set(link, site);
    return site;
  }
}

function strikes(odds: Odds | undefined, site: ChoiceSite): boolean {
  return odds !== undefined && site.chance(odds.numerator, odds.denominator);
}
