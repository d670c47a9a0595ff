/**
 * The wall clock of a machine: the time of the world, wrong by an offset, a drift and steps (row B13; TigerBeetle: testing/time.zig).
 *
 * Owns: what it shows. Does not own: the time itself (the event loop), who reads it (the engine).
 * I1: a function of the time and of the steps so far, in integers; it outlives crashes of its machine, as a clock with a battery does.
 * I2: it shows no time before its epoch, which is the beginning of the world.
 */
import { type Micros, micros } from '../../engine/foundation/time.ts';

const MILLION = 1_000_000;

export class NodeClock {
  #offsetUs: number;
  readonly #driftPpm: number;

  constructor(wrong: { readonly offsetUs: number; readonly driftPpm: number } = { offsetUs: 0, driftPpm: 0 }) {
    this.#offsetUs = wrong.offsetUs;
    this.#driftPpm = wrong.driftPpm;
  }

  /** It is set, ahead or back. */
  step(byUs: number): void {
    this.#offsetUs += byUs;
  }

  readonly read = (nowUs: Micros): Micros =>
    micros(Math.max(0, nowUs + this.#offsetUs + Math.trunc((nowUs * this.#driftPpm) / MILLION)));
}
