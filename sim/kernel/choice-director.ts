/**
 * The modes of choice beyond plain generation: record, replay, guided replay, enumeration.
 *
 * Owns: what a site's choice becomes when a tape has a say in it. Does not own: streams and sites (choice.ts).
 * A director sees only real choices: with one option there is nothing to decide, draw or record.
 *
 * I1: recording changes no value: what is recorded is what generation would have chosen.
 * I2: a replayed run asks for the same choices in the same order, or fails with `TapeDivergence`.
 * I3: guided by any prefix of its own recording, a run is that recording: a taped value replaces the site's own draw
 *     but does not save it. So edits of a tape change what they touch and what follows from it, nothing else.
 * I4: enumeration lives each path of options once, the all-boring path first.
 */
import { assert } from '../../engine/foundation/assert.ts';
import { Tape, type TapeEntry } from './tape.ts';

export type ChoiceMode = 'generate' | 'record' | 'replay' | 'guided' | 'enumerate';

/** One choice to be made, as a site puts it. */
export interface ChoiceRequest {
  /** Name of the asking site. */
  readonly site: string;
  /** Number of options, at least 2. */
  readonly options: number;
  /** Makes the choice from the site's own stream. */
  readonly draw: () => number;
}

export interface ChoiceDirector {
  /** The tape of what was chosen in this run so far; when replaying, the tape that is followed. */
  readonly tape: Tape;
  decide(request: ChoiceRequest): number;
  /** Moves on to the next run of an enumeration; false when there is none. */
  nextPath(): boolean;
}

/** A replayed run asked for another choice than its tape holds: it is not the run that was recorded. */
export class TapeDivergence extends Error {
  override readonly name = 'TapeDivergence';
  /** Position on the tape, from 0. */
  readonly index: number;
  /** What the tape holds there; undefined past its end. */
  readonly taped: TapeEntry | undefined;
  /** What the run asked for. */
  readonly asked: { readonly site: string; readonly options: number };

  constructor(index: number, taped: TapeEntry | undefined, request: ChoiceRequest) {
    const tapedText = taped === undefined ? 'ends' : `has ${taped.site} choosing of ${taped.options}`;
    super(`choice ${index}: the tape ${tapedText}, the run asks ${request.site} to choose of ${request.options}`);
    this.index = index;
    this.taped = taped;
    this.asked = { site: request.site, options: request.options };
  }
}

/** The director of a mode; plain generation has none. `tape` is read by replay and guided mode only. */
export function directorOf(mode: ChoiceMode, tape: Tape | undefined): ChoiceDirector | undefined {
  if (mode === 'generate') return undefined;
  if (mode === 'record') return new Recording();
  if (mode === 'enumerate') return new Enumeration();
  assert(tape !== undefined, 'a replay has a tape to follow', { mode });
  return mode === 'replay' ? new Replay(tape) : new Guidance(tape);
}

class Recording implements ChoiceDirector {
  readonly tape = new Tape();

  decide(request: ChoiceRequest): number {
    const value = request.draw();
    this.tape.append({ site: request.site, options: request.options, value });
    return value;
  }

  nextPath(): boolean {
    return false;
  }
}

class Replay implements ChoiceDirector {
  readonly tape: Tape;
  #position = 0;

  constructor(tape: Tape) {
    this.tape = tape;
  }

  decide(request: ChoiceRequest): number {
    const entry = matching(this.tape, this.#position, request);
    this.#position += 1;
    return entry.value;
  }

  nextPath(): boolean {
    return false;
  }
}

/** Follows the tape's values site by site, and records what came of it. */
class Guidance implements ChoiceDirector {
  readonly tape = new Tape();
  readonly #valuesBySite = new Map<string, { readonly values: number[]; next: number }>();

  constructor(guide: Tape) {
    for (let index = 0; index < guide.length; index += 1) {
      const entry = guide.at(index);
      assert(entry !== undefined, 'a tape has an entry at every index below its length', { index });
      const lane = this.#valuesBySite.get(entry.site);
      if (lane === undefined) this.#valuesBySite.set(entry.site, { values: [entry.value], next: 0 });
      else lane.values.push(entry.value);
    }
  }

  decide(request: ChoiceRequest): number {
    // Drawn even where the tape decides (I3).
    const own = request.draw();
    const lane = this.#valuesBySite.get(request.site);
    const taped = lane?.values[lane.next];
    if (lane !== undefined) lane.next += 1;
    // A value of a wider choice does not fit; it is used up, so that its successors stay in step.
    const value = taped !== undefined && taped < request.options ? taped : own;
    this.tape.append({ site: request.site, options: request.options, value });
    return value;
  }

  nextPath(): boolean {
    return false;
  }
}

/** An odometer whose digits are discovered on the way: the last choice turns fastest. */
class Enumeration implements ChoiceDirector {
  readonly tape = new Tape();
  #position = 0;

  decide(request: ChoiceRequest): number {
    const index = this.#position;
    this.#position = index + 1;
    if (index < this.tape.length) return matching(this.tape, index, request).value;
    this.tape.append({ site: request.site, options: request.options, value: 0 });
    return 0;
  }

  nextPath(): boolean {
    // A run that asked for less than its prefix would repeat paths without end.
    assert(this.#position >= this.tape.length, 'an enumerated run asks again for every choice of its path', {
      asked: this.#position,
      path: this.tape.length,
    });
    this.#position = 0;
    for (let index = this.tape.length - 1; index >= 0; index -= 1) {
      const entry = this.tape.at(index);
      if (entry === undefined || entry.value + 1 === entry.options) continue;
      this.tape.truncate(index);
      this.tape.append({ ...entry, value: entry.value + 1 });
      return true;
    }
    this.tape.truncate(0);
    return false;
  }
}

function matching(tape: Tape, index: number, request: ChoiceRequest): TapeEntry {
  const entry = tape.at(index);
  if (entry === undefined || entry.site !== request.site || entry.options !== request.options) {
    throw new TapeDivergence(index, entry, request);
  }
  return entry;
}
