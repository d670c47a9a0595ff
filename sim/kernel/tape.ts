/**
 * The tape of a run's choices: for each, who chose (site), out of how many (options), and what (value).
 *
 * Owns: compact storage and its plain-JSON form. Does not own: what a choice means or how a tape is used (choice.ts).
 * A tape is what replay, shrinking, mutation and enumeration have in common.
 *
 * I1: 0 <= value < options <= 2^32 for every entry. Options are stored less one, so 2^32 fits an unsigned word.
 * I2: `Tape.fromJSON(tape.toJSON())` holds the same entries.
 */
import { assert } from '../../engine/foundation/assert.ts';

const INITIAL_CAPACITY = 256;
/** The widest choice: one 32-bit draw. */
export const MAX_OPTIONS = 0x1_0000_0000;

/** The plain-JSON form: parallel columns, site names once. */
export interface TapeData {
  /** Site names in order of first use. */
  readonly siteNames: readonly string[];
  /** For each choice the index of its site in `siteNames`. */
  readonly sites: readonly number[];
  /** For each choice the number of options. */
  readonly options: readonly number[];
  /** For each choice the option taken, from 0. */
  readonly values: readonly number[];
}

/** One choice as read from a tape. */
export interface TapeEntry {
  /** Name of the site that chose. */
  readonly site: string;
  /** Number of options it had. */
  readonly options: number;
  /** The option taken, from 0; 0 is the boring one. */
  readonly value: number;
}

export class Tape {
  readonly #siteNames: string[] = [];
  readonly #siteByName = new Map<string, number>();
  #sites = new Int32Array(INITIAL_CAPACITY);
  #optionsLessOne = new Uint32Array(INITIAL_CAPACITY);
  #values = new Uint32Array(INITIAL_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(entry: TapeEntry): void {
    const { options, value } = entry;
    assert(Number.isInteger(options) && options >= 1 && options <= MAX_OPTIONS, 'a choice has 1 to 2^32 options', {
      options,
    });
    assert(Number.isInteger(value) && value >= 0 && value < options, 'a choice is one of its options', {
      options,
      value,
    });
    const index = this.#length;
    if (index === this.#values.length) this.#grow();
    this.#sites[index] = this.#siteIndex(entry.site);
    this.#optionsLessOne[index] = options - 1;
    this.#values[index] = value;
    this.#length = index + 1;
  }

  /** The entry at an index, or undefined past the end. */
  at(index: number): TapeEntry | undefined {
    if (!(index >= 0 && index < this.#length)) return undefined;
    const site = this.#siteNames[this.#sites[index] ?? 0];
    assert(site !== undefined, 'every entry of a tape names a known site', { index });
    return { site, options: (this.#optionsLessOne[index] ?? 0) + 1, value: this.#values[index] ?? 0 };
  }

  /** Forgets all entries from `length` on. */
  truncate(length: number): void {
    assert(Number.isInteger(length) && length >= 0 && length <= this.#length, 'a tape is cut within its length', {
      length,
    });
    this.#length = length;
  }

  toJSON(): TapeData {
    return {
      siteNames: [...this.#siteNames],
      sites: Array.from(this.#sites.subarray(0, this.#length)),
      options: Array.from(this.#optionsLessOne.subarray(0, this.#length), (lessOne) => lessOne + 1),
      values: Array.from(this.#values.subarray(0, this.#length)),
    };
  }

  /** Rebuilds a tape; a tape that breaks I1 is refused. The shape itself is decoded at the border. */
  static fromJSON(data: TapeData): Tape {
    const tape = new Tape();
    const { siteNames, sites, options, values } = data;
    assert(
      sites.length === values.length && options.length === values.length,
      'the columns of a tape are equally long',
      {
        sites: sites.length,
        options: options.length,
        values: values.length,
      },
    );
    // Names first, so that their order survives even where an edited tape uses them differently.
    for (const name of siteNames) tape.#siteIndex(name);
    for (const [index, value] of values.entries()) {
      const site = siteNames[sites[index] ?? -1];
      assert(site !== undefined, 'every entry of a tape names a known site', { index });
      tape.append({ site, options: options[index] ?? 0, value });
    }
    return tape;
  }

  #siteIndex(name: string): number {
    const known = this.#siteByName.get(name);
    if (known !== undefined) return known;
    const index = this.#siteNames.length;
    this.#siteNames.push(name);
    this.#siteByName.set(name, index);
    return index;
  }

  #grow(): void {
    const capacity = this.#values.length * 2;
    const sites = new Int32Array(capacity);
    const optionsLessOne = new Uint32Array(capacity);
    const values = new Uint32Array(capacity);
    sites.set(this.#sites);
    optionsLessOne.set(this.#optionsLessOne);
    values.set(this.#values);
    this.#sites = sites;
    this.#optionsLessOne = optionsLessOne;
    this.#values = values;
  }
}
