/**
 * The wall clock of a machine: the time of the world, wrong by an offset, a drift and steps (row B13; TigerBeetle: testing/time.zig).
 *
 * Owns: what it shows. Does not own: the time itself (the event loop), who reads it (the engine).
 * I1: a function of the time and of the steps so far, in integers; it outlives crashes of its machine, as a clock with a battery does.
 * I2: what it gained by a drift it keeps when the drift ends;
 * I3: a fault is told of when somebody reads a clock that it has changed, once;
 * I4: it shows no time before its epoch, which is the beginning of the world.
 */
import { type Micros, micros } from '../../engine/foundation/time.ts';

const MILLION = 1_000_000;

export class NodeClock {
  #offsetUs: number;
  #driftPpm: number;
  /** Faults that changed it, of which nobody knows yet. */
  #unread: string[] = [];
  readonly #onEffective: (faultId: string) => void;

  constructor(
    wrong: { readonly offsetUs: number; readonly driftPpm: number } = { offsetUs: 0, driftPpm: 0 },
    onEffective: (faultId: string) => void = () => {},
  ) {
    this.#offsetUs = wrong.offsetUs;
    this.#driftPpm = wrong.driftPpm;
    this.#onEffective = onEffective;
  }

  /** It is set, ahead or back. */
  step(byUs: number, faultId: string): void {
    this.#offsetUs += byUs;
    this.#changed(faultId);
  }

  /** From now on it gains so much more, or loses. */
  drift(byPpm: number, nowUs: number, faultId: string): void {
    const before = driftedUs(nowUs, this.#driftPpm);
    this.#driftPpm += byPpm;
    this.#offsetUs += before - driftedUs(nowUs, this.#driftPpm);
    this.#changed(faultId);
  }

  readonly read = (nowUs: Micros): Micros => {
    if (this.#unread.length > 0) this.#tell();
    return micros(Math.max(0, nowUs + this.#offsetUs + driftedUs(nowUs, this.#driftPpm)));
  };

  /** What was changed back before anybody looked did not happen. */
  #changed(faultId: string): void {
    if (this.#unread.includes(faultId)) this.#unread = this.#unread.filter((other) => other !== faultId);
    else this.#unread.push(faultId);
  }

  #tell(): void {
    const told = this.#unread;
    this.#unread = [];
    for (const faultId of told) this.#onEffective(faultId);
  }
}

const driftedUs = (nowUs: number, ppm: number): number => Math.trunc((nowUs * ppm) / MILLION);
