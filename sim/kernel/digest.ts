/**
 * The running digest of a run: everything that decides its course is folded in, in order, so two runs with equal
 * digests took the same course. It costs a few nanoseconds and is always on.
 *
 * Owns: the hash, the ladder of intermediate digests. Does not own: what is folded (event-loop.ts folds each event's
 * key; whoever handles the event folds what it is). Not cryptographic: it finds accidents, not forgers.
 * Two lanes of 32 bits, mixed in the manner of MurmurHash3 with 32-bit multiplications: the same on every machine.
 *
 * I1: order counts, and from equal states different words lead to different states (the high lane's step is a
 *     bijection of the word).
 * I2: the ladder has at most 256 rungs, at all multiples of a power of two up to the last marked event, and a tip.
 * I3: equal digests at a rung mean equal events up to it; so the first differing rung brackets the first difference.
 */
import { InvariantViolation } from '../../engine/foundation/assert.ts';

const MAX_RUNGS = 256;
const TWO_32 = 0x1_0000_0000;
/** More different strings than a run's vocabulary has; bounds the memory of one that invents names. */
const MEMO_LIMIT = 4_096;

/** A point of the ladder. */
export interface Rung {
  /** How many events the digest covers: the index last marked. */
  readonly event: number;
  /** The digest then, 16 hexadecimal digits. */
  readonly digest: string;
}

/** Where two runs part: after `sameUpTo`, at `differsAt` at the latest. */
export interface Difference {
  /** The greatest event index known to be the same; 0 when not even the first rung is. */
  readonly sameUpTo: number;
  /** The least event index known to differ. */
  readonly differsAt: number;
}

/** Where the ladder stands: a second run with a narrow window narrows the bracket of a difference. */
export interface LadderWindow {
  /** First event index that may get a rung. */
  readonly fromEvent: number;
  /** Last event index that may get one. */
  readonly toEvent: number;
}

const WHOLE_RUN: LadderWindow = { fromEvent: 0, toEvent: Number.MAX_SAFE_INTEGER };

export class Digest {
  #high = 0x7464_6d6b;
  #low = 0x6b72_6e6c;
  readonly #stringHashes = new Map<string, number>();
  readonly #window: LadderWindow;
  // The ladder: three columns of one table, written out as text only when asked for.
  readonly #rungEvents = new Float64Array(MAX_RUNGS);
  readonly #rungHighs = new Int32Array(MAX_RUNGS);
  readonly #rungLows = new Int32Array(MAX_RUNGS);
  #rungCount = 0;
  /** Events whose index has one of these bits get no rung. */
  #rungMask = 0;
  #lastEvent = 0;

  constructor(window: LadderWindow = WHOLE_RUN) {
    this.#window = window;
  }

  /** Folds in a safe integer. */
  fold(word: number): void {
    const low = word | 0;
    if (low === word) {
      this.#mix(low);
      return;
    }
    if (!Number.isSafeInteger(word)) refuseWord(word);
    this.#mix(low);
    // Tells one wide word from two narrow ones.
    this.#high = (this.#high + 0x1b56_c4e9) | 0;
    this.#mix(Math.floor(word / TWO_32) | 0);
  }

  /** Folds in a string by its hash, which is computed once for each string. */
  foldString(text: string): void {
    let hash = this.#stringHashes.get(text);
    if (hash === undefined) {
      hash = hashString(text) | 0;
      if (this.#stringHashes.size === MEMO_LIMIT) this.#stringHashes.clear();
      this.#stringHashes.set(text, hash);
    }
    this.#mix(hash);
  }

  /** The digest of all that was folded, 16 hexadecimal digits. */
  value(): string {
    return digestText(this.#high, this.#low);
  }

  /** Called once after each event, with indices that rise by one. Sets a rung now and then. */
  mark(eventIndex: number): void {
    this.#lastEvent = eventIndex;
    if ((eventIndex & this.#rungMask) === 0) this.#addRung(eventIndex);
  }

  /** The ladder so far, and as its tip the digest as it is now. */
  rungs(): readonly Rung[] {
    const rungs: Rung[] = [];
    for (let index = 0; index < this.#rungCount; index += 1) {
      const event = this.#rungEvents[index] ?? 0;
      const digest = digestText(this.#rungHighs[index] ?? 0, this.#rungLows[index] ?? 0);
      if (event < this.#lastEvent) rungs.push({ event, digest });
    }
    rungs.push({ event: this.#lastEvent, digest: this.value() });
    return rungs;
  }

  #mix(word: number): void {
    let high = Math.imul(word, 0x239b_961b);
    high = Math.imul((high << 15) | (high >>> 17), 0xab0e_9789);
    high ^= this.#high;
    high = (((high << 19) | (high >>> 13)) + this.#low) | 0;
    let low = Math.imul(word, 0xab0e_9789);
    low = Math.imul((low << 16) | (low >>> 16), 0x38b3_4ae5);
    low ^= this.#low;
    low = (((low << 17) | (low >>> 15)) + high) | 0;
    this.#high = (Math.imul(high, 5) + 0x561c_cd1b) | 0;
    this.#low = (Math.imul(low, 5) + 0x0bca_a747) | 0;
  }

  #addRung(event: number): void {
    if (event < this.#window.fromEvent || event > this.#window.toEvent) return;
    if (this.#rungCount === MAX_RUNGS) {
      this.#rungMask = this.#rungMask * 2 + 1;
      this.#dropMaskedRungs();
      if ((event & this.#rungMask) !== 0) return;
    }
    const index = this.#rungCount;
    this.#rungCount = index + 1;
    this.#rungEvents[index] = event;
    this.#rungHighs[index] = this.#high;
    this.#rungLows[index] = this.#low;
  }

  #dropMaskedRungs(): void {
    let kept = 0;
    for (let index = 0; index < this.#rungCount; index += 1) {
      const event = this.#rungEvents[index] ?? 0;
      if ((event & this.#rungMask) !== 0) continue;
      this.#rungEvents[kept] = event;
      this.#rungHighs[kept] = this.#rungHighs[index] ?? 0;
      this.#rungLows[kept] = this.#rungLows[index] ?? 0;
      kept += 1;
    }
    this.#rungCount = kept;
  }
}

/**
 * Brackets the first event at which two runs differ, from their ladders; undefined when they are the same.
 * When one run merely goes on after the other has ended, the first event past the shorter one differs.
 */
export function firstDifference(a: readonly Rung[], b: readonly Rung[]): Difference | undefined {
  const digestsOfB = new Map(b.map((rung) => [rung.event, rung.digest]));
  let sameUpTo = 0;
  for (const rung of a) {
    const other = digestsOfB.get(rung.event);
    if (other === undefined) continue;
    if (other !== rung.digest) return { sameUpTo, differsAt: rung.event };
    sameUpTo = rung.event;
  }
  const endOfA = a.at(-1)?.event ?? 0;
  const endOfB = b.at(-1)?.event ?? 0;
  return endOfA === endOfB ? undefined : { sameUpTo, differsAt: Math.min(endOfA, endOfB) + 1 };
}

/** An unsigned 32-bit hash of a string's UTF-16 units. */
export function hashString(text: string): number {
  let hash = 0x9747_b28c;
  for (let index = 0; index < text.length; index += 1) {
    let unit = Math.imul(text.charCodeAt(index), 0xcc9e_2d51);
    unit = Math.imul((unit << 15) | (unit >>> 17), 0x1b87_3593);
    hash ^= unit;
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe654_6b64;
  }
  return avalanche(hash ^ text.length) >>> 0;
}

/** One digest of many, in the order given: sort first where order is not meant. */
export function combineDigests(digests: readonly string[]): string {
  const combined = new Digest();
  for (const digest of digests) {
    for (let index = 0; index < digest.length; index += 1) combined.fold(digest.charCodeAt(index));
    combined.fold(digest.length);
  }
  return combined.value();
}

/** Spreads every bit over the whole word; a bijection. */
function avalanche(word: number): number {
  let spread = word ^ (word >>> 16);
  spread = Math.imul(spread, 0x85eb_ca6b);
  spread ^= spread >>> 13;
  spread = Math.imul(spread, 0xc2b2_ae35);
  return spread ^ (spread >>> 16);
}

/** A state of the two lanes as 16 hexadecimal digits. */
function digestText(highLane: number, lowLane: number): string {
  const high = avalanche(highLane ^ Math.imul(lowLane, 0x239b_961b));
  const low = avalanche(lowLane ^ high);
  return hex(high) + hex(low);
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

function refuseWord(word: number): never {
  throw new InvariantViolation('only whole numbers are folded into a digest', { word });
}
