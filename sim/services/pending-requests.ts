/**
 * Requests that a service has received and not yet worked off: the time between arrival and effect.
 *
 * Owns: the decision about each request, its latency and its timer. Does not own: the effect and the reply, which the service
 * makes when the timer hands the request back. Shared by the services whose effects take time.
 *
 * I1: a request is handed back at most once, at the instant its effect and its reply happen together;
 * I2: it lives in memory only: a crash of the node forgets all of it, and late timers of an earlier life find nothing.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import { micros } from '../../engine/foundation/time.ts';
import type { Target } from '../../engine/protocol/actor.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import type { ServiceOut } from './service-actor.ts';
import type { RequestEffect, ServiceConditions } from './service-conditions.ts';

export interface Arrival<Request> {
  readonly request: Request;
  readonly from: NodeId;
  /** Where the reply goes. */
  readonly target: Target;
  /** Of a healthy service. */
  readonly latencyUs: number;
  /** Effects that can change what becomes of it; absent: those of any request. */
  readonly susceptible?: readonly RequestEffect[];
}

/** Effects of which a request hears at once. */
export type RefusingEffect = 'unavailable' | 'throttled' | 'namenode-outage';

export interface PendingRequest<Request> extends Omit<Arrival<Request>, 'susceptible'> {
  /** `fail`: no effect, say so. `unknown-outcome`: take effect, say nothing. */
  readonly effect: 'none' | Exclude<RequestEffect, RefusingEffect | 'slow'>;
}

export class PendingRequests<Request> {
  readonly #conditions: ServiceConditions;
  readonly #site: ChoiceSite;
  readonly #pending = new Map<string, PendingRequest<Request>>();
  #sequence = 0;

  constructor(conditions: ServiceConditions, site: ChoiceSite) {
    this.#conditions = conditions;
    this.#site = site;
  }

  /** Takes a request in; false when the service is unavailable to it, which is to be answered at once. */
  admit(arrival: Arrival<Request>, out: ServiceOut): boolean {
    return this.refuses(arrival, out) === undefined;
  }

  /** Takes a request in, or says why it is to be refused at once. */
  refuses(arrival: Arrival<Request>, out: ServiceOut): RefusingEffect | undefined {
    const { effect, factor } = this.#conditions.decide(this.#site, arrival.susceptible);
    if (effect === 'unavailable' || effect === 'throttled' || effect === 'namenode-outage') return effect;
    const timer = `r${this.#sequence}`;
    this.#sequence += 1;
    // Field by field: a spread of objects of several shapes costs more than all the rest.
    const { request, from, target, latencyUs } = arrival;
    this.#pending.set(timer, { request, from, target, latencyUs, effect: effect === 'slow' ? 'none' : effect });
    out.setTimer(timer, micros(Math.floor(latencyUs * factor)));
    return undefined;
  }

  /** The request whose time has come; undefined for a timer that is not one of ours. */
  take(timer: string): PendingRequest<Request> | undefined {
    const pending = this.#pending.get(timer);
    this.#pending.delete(timer);
    return pending;
  }
}
