/**
 * What is wrong with a service right now: the knob that the fault injector turns and the service asks about each request.
 *
 * Owns: the active conditions and the decision per request. Does not own: when they begin and end (the injector), nor what a
 * decision means for a request (the service). It outlives the service's actor: a restart does not heal a fault.
 *
 * I1: conditions are asked in the order they were applied; the first that fires and is not `slow` decides, and the factors of
 *     the slow ones before it multiply;
 * I2: without an active condition a decision draws nothing;
 * I3: `onEffective` hears of each fault that changed this request, and of no other;
 * I4: a file that is damaged is so for every read until the condition is lifted, and in the same place;
 * I5: a file that lists hide is hidden from all lists until the condition is lifted, and only if it was stored under it.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { Fault } from '../faults/fault.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import type { Damage } from './storage-damage.ts';

export type ServiceEffect = Extract<Fault, { kind: 'service' }>['effect'];
/** What a damaged file of the checkpoint storage is like. */
type DamageEffect = Damage['effect'];
/** What may happen to a request; the others are asked for by the one service that has them. */
export type RequestEffect = Exclude<
  ServiceEffect,
  'session-expiry' | 'watch-loss' | 'stale-list' | 'fence' | DamageEffect
>;

/** The part of a service fault that a service must know; the fault itself fits. */
export interface ServiceCondition {
  readonly effect: ServiceEffect;
  /** Latency is multiplied by it when the effect is `slow`; at least 1. */
  readonly factor: number;
  /** How likely one request is affected. */
  readonly chance: { readonly numerator: number; readonly denominator: number };
}

export interface ServiceDecision<Effect extends ServiceEffect = RequestEffect> {
  readonly effect: 'none' | 'slow' | Effect;
  /** Multiplies the latency, whatever the effect; 1 when nothing is slow. */
  readonly factor: number;
  /** Id of the fault that decided; empty when there is none. */
  readonly fault: string;
}

const UNAFFECTED: ServiceDecision<never> = { effect: 'none', factor: 1, fault: '' };
/** What may happen to a request of any service. */
export const REQUEST_EFFECTS: readonly RequestEffect[] = ['slow', 'unavailable', 'fail', 'unknown-outcome'];

/** Nothing that is slow changes a request that one of these strikes. */
const REFUSED_AT_ONCE: readonly ServiceEffect[] = ['unavailable', 'throttled', 'namenode-outage'];
/** The same of services that say at once, too, that something failed. */
export const REFUSED_OR_FAILED_AT_ONCE: readonly ServiceEffect[] = [...REFUSED_AT_ONCE, 'fail'];
const DAMAGES: readonly ServiceEffect[] = ['bit-rot', 'short-read', 'missing'];
const PLACES = 1 << 20;

function isDamage(effect: ServiceEffect): effect is DamageEffect {
  return DAMAGES.includes(effect);
}

export class ServiceConditions {
  readonly #onEffective: (faultId: string) => void;
  readonly #active = new Map<string, ServiceCondition>();
  /** By fault: the files that were asked for while it was active, and where they are damaged; -1: they are not. */
  readonly #damaged = new Map<string, Map<string, number>>();

  /** By fault: files that were stored while it was active and are not listed yet. */
  readonly #unlisted = new Map<string, Set<string>>();

  constructor(onEffective: (faultId: string) => void) {
    this.#onEffective = onEffective;
  }

  /** From now on requests may be affected by this fault. Applied again, it takes the new strength and keeps its place. */
  apply(faultId: string, condition: ServiceCondition): void {
    assert(condition.factor >= 1, 'a slow service is not faster than a healthy one', {
      faultId,
      factor: condition.factor,
    });
    this.#active.set(faultId, condition);
  }

  /** The fault is over; one that is not active is ignored. */
  lift(faultId: string): void {
    this.#active.delete(faultId);
    this.#damaged.delete(faultId);
    this.#unlisted.delete(faultId);
  }

  /**
   * What happens to one request. Conditions whose effect cannot change this kind of request are passed over; effects `atOnce` take no time
   * here, so that a slow service is no slower with them.
   */
  decide(site: ChoiceSite, susceptible?: readonly RequestEffect[], atOnce?: readonly ServiceEffect[]): ServiceDecision;
  decide<Effect extends ServiceEffect>(site: ChoiceSite, susceptible: readonly Effect[]): ServiceDecision<Effect>;
  decide(
    site: ChoiceSite,
    susceptible: readonly ServiceEffect[] = REQUEST_EFFECTS,
    atOnce = REFUSED_AT_ONCE,
  ): ServiceDecision<ServiceEffect> {
    if (this.#active.size === 0) return UNAFFECTED;
    const slowedBy: string[] = [];
    let factor = 1;
    for (const [fault, { effect, factor: slowness, chance }] of this.#active) {
      if (!susceptible.includes(effect) || !site.chance(chance.numerator, chance.denominator)) continue;
      if (effect !== 'slow') {
        if (!atOnce.includes(effect)) this.#announce(slowedBy);
        this.#onEffective(fault);
        return { effect, factor, fault };
      }
      if (slowness > 1) slowedBy.push(fault);
      factor *= slowness;
    }
    this.#announce(slowedBy);
    const [fault] = slowedBy;
    return fault === undefined ? UNAFFECTED : { effect: 'slow', factor, fault };
  }

  /** What is wrong with a file that is read (I4); the first condition that damaged it. Of no bytes none is wrong, and none missing. */
  damageOf(path: string, site: ChoiceSite, bytes: number): Damage | undefined {
    for (const [fault, { effect, chance }] of this.#active) {
      if (!isDamage(effect)) continue;
      const places = this.#damaged.get(fault) ?? new Map<string, number>();
      this.#damaged.set(fault, places);
      let place = places.get(path);
      if (place === undefined) {
        place = site.chance(chance.numerator, chance.denominator) ? site.choose(PLACES) : -1;
        places.set(path, place);
      }
      if (place < 0 || (bytes === 0 && effect !== 'missing')) continue;
      this.#onEffective(fault);
      return { effect, place };
    }
    return undefined;
  }

  /** A file is there; whether lists show it at once (I5). */
  stored(path: string, site: ChoiceSite): void {
    for (const [fault, { effect, chance }] of this.#active) {
      if (effect !== 'stale-list' || !site.chance(chance.numerator, chance.denominator)) continue;
      const unlisted = this.#unlisted.get(fault) ?? new Set<string>();
      this.#unlisted.set(fault, unlisted.add(path));
    }
  }

  /** Of these files, those that a list shows. */
  listed(paths: readonly string[]): readonly string[] {
    if (this.#unlisted.size === 0) return paths;
    return paths.filter((path) => {
      let isShown = true;
      for (const [fault, unlisted] of this.#unlisted) {
        if (!unlisted.has(path)) continue;
        isShown = false;
        this.#onEffective(fault);
      }
      return isShown;
    });
  }

  #announce(faults: readonly string[]): void {
    for (const fault of faults) this.#onEffective(fault);
  }
}
