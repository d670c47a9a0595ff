/**
 * Chance: every choice of the world is made here, by a named site, as an integer in [0, n) with 0 the boring option
 * (no fault, first in, least delay).
 *
 * Owns: the sites and their random streams. Does not own: what a tape makes of a choice (choice-director.ts), latency
 * shapes (distribution.ts). The engine never draws.
 *
 * I1: a site's values depend on the root seed, its name and its own earlier draws, on nothing else: a new site or a new
 *     draw elsewhere shifts no stream.
 * I2: every value of `choose(n)` is equally likely (rejection, no floats).
 * I3: what has only one outcome is no choice: it draws nothing and leaves no trace on the tape.
 */
import seedrandom from 'seedrandom';
import { assert, InvariantViolation } from '../../engine/foundation/assert.ts';
import { type ChoiceDirector, type ChoiceMode, directorOf } from './choice-director.ts';
import { MAX_OPTIONS, type Tape } from './tape.ts';

export { type ChoiceMode, TapeDivergence } from './choice-director.ts';

/** A choice that a plan fixes, whatever the streams are: at its `nth` real choice, from 1, the site takes this option. */
export interface FixedChoice {
  readonly site: string;
  readonly nth: number;
  /** From 0; where the choice has no such option by then, the boring one is taken. */
  readonly option: number;
}

export interface ChoicesOptions {
  /** Any string; the root of all streams. */
  readonly rootSeed: string;
  /** What `replay` and `guided` follow. */
  readonly tape?: Tape;
  /** How choices come about; `generate` when absent. */
  readonly mode?: ChoiceMode;
  /** Only these sites draw, all others take the boring option; absent: all draw. */
  readonly drawnSites?: readonly string[];
  /** Sites named here draw nothing: they take these options, and the boring one where none is named. */
  readonly fixedChoices?: readonly FixedChoice[];
}

/** Options by the number of the choice. */
type FixedOptions = ReadonlyMap<number, number>;

/** Another seed, and the sites it is for; absent: all. */
interface Anew {
  readonly rootSeed: string;
  readonly sites?: ReadonlySet<string>;
}

const isMeant = ({ sites }: Anew, name: string): boolean => sites?.has(name) ?? true;

/** All chance of one run. */
export class Choices {
  readonly #rootSeed: string;
  readonly #director: ChoiceDirector | undefined;
  readonly #sites = new Map<string, ChoiceSite>();
  readonly #drawnSites: ReadonlySet<string> | undefined;
  readonly #fixed: ReadonlyMap<string, FixedOptions>;
  #anew: Anew | undefined;

  constructor(options: ChoicesOptions) {
    this.#rootSeed = options.rootSeed;
    this.#fixed = bySite(options.fixedChoices ?? []);
    this.#drawnSites = options.drawnSites === undefined ? undefined : new Set(options.drawnSites);
    this.#director = directorOf(options.mode ?? 'generate', options.tape);
  }

  /** The site of a name, made at first mention. */
  site(name: string): ChoiceSite {
    const known = this.#sites.get(name);
    if (known !== undefined) return known;
    const fixed = this.#fixed.get(name);
    const draws = fixed === undefined && (this.#drawnSites === undefined || this.#drawnSites.has(name));
    const site = new ChoiceSite({ name, rootSeed: this.#rootSeed, director: this.#director, draws, fixed });
    if (this.#anew !== undefined && isMeant(this.#anew, name)) site.drawAnew(this.#anew.rootSeed);
    this.#sites.set(name, site);
    return site;
  }

  /** From now on these sites, or all of them, draw from streams of another seed, also those that were boring. */
  drawAnew(rootSeed: string, sites?: readonly string[]): void {
    if (sites === undefined) this.#anew = { rootSeed };
    else this.#anew = { rootSeed, sites: new Set(sites) };
    for (const site of this.#sites.values()) if (isMeant(this.#anew, site.name)) site.drawAnew(rootSeed);
  }

  /** The sites that were asked for something real, in the order of their first mention. */
  askedSites(): string[] {
    return [...this.#sites.values()].filter((site) => site.wasAsked).map(({ name }) => name);
  }

  /** What was not boring in what sites drew, as choices that a plan can fix; empty when merely generating. */
  takenChoices(): FixedChoice[] {
    const taken: FixedChoice[] = [];
    const asked = new Map<string, number>();
    const tape = this.#director?.tape;
    for (let index = 0; index < (tape?.length ?? 0); index += 1) {
      const entry = tape?.at(index);
      if (entry === undefined) continue;
      const nth = (asked.get(entry.site) ?? 0) + 1;
      asked.set(entry.site, nth);
      if (entry.value !== 0) taken.push({ site: entry.site, nth, option: entry.value });
    }
    return taken;
  }

  /** What was chosen, in order, by all sites; undefined when merely generating. */
  get tape(): Tape | undefined {
    return this.#director?.tape;
  }

  /** Ends one run of an enumeration and prepares the next; false when all paths were lived, and in other modes. */
  nextPath(): boolean {
    return this.#director?.nextPath() ?? false;
  }
}

/** One place where the world chooses, with a stream of its own. Made by `Choices.site`. */
export class ChoiceSite {
  readonly name: string;
  #rootSeed: string;
  readonly #director: ChoiceDirector | undefined;
  /** Undefined until the first draw: most sites of a life never draw, and seeding costs a microsecond. */
  #int32: (() => number) | undefined;
  #draws: boolean;
  /** What it takes while it does not draw; undefined: always the boring option. */
  #fixed: FixedOptions | undefined;
  /** Real choices made by the plan. */
  #fixedAsked = 0;

  constructor(options: {
    readonly name: string;
    readonly rootSeed: string;
    readonly director: ChoiceDirector | undefined;
    /** False: always the boring option, and nothing of it on a tape. */
    readonly draws: boolean;
    readonly fixed?: FixedOptions | undefined;
  }) {
    this.name = options.name;
    this.#rootSeed = options.rootSeed;
    this.#director = options.director;
    this.#draws = options.draws;
    this.#fixed = options.fixed;
  }

  /** Its further choices come from a stream of this seed. */
  drawAnew(rootSeed: string): void {
    this.#rootSeed = rootSeed;
    this.#int32 = undefined;
    this.#draws = true;
  }

  get wasAsked(): boolean {
    return this.#int32 !== undefined || this.#fixedAsked > 0;
  }

  /** An integer in [0, n), for n from 1 to 2^32. */
  choose(n: number): number {
    if (n === 1) return 0;
    if (!this.#draws) return this.#fixed === undefined ? 0 : this.#planned(this.#fixed, n);
    if (this.#director === undefined) return this.#draw(n);
    return this.#director.decide({ site: this.name, options: n, draw: () => this.#draw(n) });
  }

  /** True in `numerator` of `denominator` cases. On a tape it is a choice of two, whatever the odds. */
  chance(numerator: number, denominator: number): boolean {
    if (!(numerator >= 0 && numerator <= denominator)) refuseOdds(numerator, denominator);
    if (numerator === 0 || numerator === denominator) return numerator > 0;
    if (!this.#draws) return this.#fixed !== undefined && this.#planned(this.#fixed, 2) === 1;
    const firstTrue = denominator - numerator;
    if (this.#director === undefined) return this.#draw(denominator) >= firstTrue;
    const draw = (): number => (this.#draw(denominator) >= firstTrue ? 1 : 0);
    return this.#director.decide({ site: this.name, options: 2, draw }) === 1;
  }

  /** An integer from the low to the high bound, both possible; the low one is boring. */
  between(lowInclusive: number, highInclusive: number): number {
    return lowInclusive + this.choose(highInclusive - lowInclusive + 1);
  }

  /** One of the items; the first is boring. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.choose(items.length)];
    assert(item !== undefined, 'what is picked from is not empty and holds no undefined', { site: this.name });
    return item;
  }

  /** The items in a chosen order; their own order is the boring one. */
  shuffle<T>(items: readonly T[]): T[] {
    const rest = [...items];
    const shuffled: T[] = [];
    while (rest.length > 0) shuffled.push(...rest.splice(this.choose(rest.length), 1));
    return shuffled;
  }

  /** Guided replay: the option of the plan while it fits, else the boring one. */
  #planned(fixed: FixedOptions, n: number): number {
    this.#fixedAsked += 1;
    const option = fixed.get(this.#fixedAsked) ?? 0;
    return option < n ? option : 0;
  }

  /** Equally likely integers: words beyond the last whole multiple of n are drawn again (I2). */
  #draw(n: number): number {
    if (!(n >= 1 && n <= MAX_OPTIONS && Number.isInteger(n))) refuseOptions(n);
    this.#int32 ??= seedrandom.tychei(`${this.#rootSeed}/${this.name}`).int32;
    const int32 = this.#int32;
    if (n === MAX_OPTIONS) return int32() >>> 0;
    // Kept to unsigned words: engines then divide integers instead of floats, which is several times faster.
    const divisor = n >>> 0;
    for (;;) {
      const word = int32() >>> 0;
      const value = (word % divisor) >>> 0;
      if (word - value <= MAX_OPTIONS - n) return value;
    }
  }
}

function bySite(choices: readonly FixedChoice[]): ReadonlyMap<string, FixedOptions> {
  const sites = new Map<string, Map<number, number>>();
  for (const { site, nth, option } of choices) {
    const options = sites.get(site) ?? new Map<number, number>();
    sites.set(site, options.set(nth, option));
  }
  return sites;
}

function refuseOptions(n: number): never {
  throw new InvariantViolation('a choice has 1 to 2^32 options', { n });
}

function refuseOdds(numerator: number, denominator: number): never {
  throw new InvariantViolation('a chance lies between never and always', { numerator, denominator });
}
