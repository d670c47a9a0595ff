/**
 * Hashes of JSON values and of byte strings that can be added up, so that two bags are compared without being kept.
 *
 * Owns the arithmetic only. Judges add what they see and what the reference says into two sums of 2 x 32 bits; equal sums
 * mean equal bags but for a chance of 2^-64, and only an unequal pair is worth an exact difference.
 *
 * I1: equal JSON values have equal hashes, whatever the order of an object's properties (state read back from a file
 *     lists them in another order than the function that wrote them).
 * I2: a sum does not depend on the order of its terms; `add` and `remove` of the same term cancel out.
 */

const SEED_LOW = 0x2545f491;
const SEED_HIGH = 0x6c078965;
const TAG_NULL = 1;
const TAG_TRUE = 2;
const TAG_FALSE = 3;
const TAG_NUMBER = 4;
const TAG_STRING = 5;
const TAG_ARRAY = 6;
const TAG_OBJECT = 7;
const FNV_PRIME = 0x01000193;

const double = new DataView(new ArrayBuffer(8));

/** Where the key and the value of a state entry lie in a file. */
export interface EntryPlace {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** 2 x 32 bits of hash. */
export interface HashPair {
  readonly low: number;
  readonly high: number;
}

/** A 2 x 32-bit sum of hashes (I2). */
export class HashSum {
  low = 0;
  high = 0;

  add(term: HashPair): void {
    this.low = (this.low + term.low) | 0;
    this.high = (this.high + term.high) | 0;
  }

  remove(term: HashPair): void {
    this.low = (this.low - term.low) | 0;
    this.high = (this.high - term.high) | 0;
  }

  equals(other: HashPair): boolean {
    return this.low === other.low && this.high === other.high;
  }
}

/** The hash of one value or entry. Reused for the next one: nothing is allocated per record. */
export class TermHash {
  low = 0;
  high = 0;

  /** Becomes the hash of a JSON value (I1). */
  ofValue(value: unknown): this {
    this.#foldValue(value);
    this.#finish();
    return this;
  }

  /** Becomes the hash of a state entry: `salt` stands for its state and key group. */
  ofEntry(salt: number, key: Uint8Array, value: Uint8Array): this {
    this.#foldKey(salt, key, 0, key.length);
    this.#fold(value, 0, value.length);
    this.#finish();
    return this;
  }

  /** The same for an entry that lies in `bytes`. */
  ofEntryAt(salt: number, bytes: Uint8Array, place: EntryPlace): this {
    this.#foldKey(salt, bytes, place.keyStart, place.keyEnd);
    this.#fold(bytes, place.valueStart, place.valueEnd);
    this.#finish();
    return this;
  }

  #foldKey(salt: number, bytes: Uint8Array, start: number, end: number): void {
    this.low = SEED_LOW ^ salt;
    this.high = SEED_HIGH + Math.imul(salt, 0x9e3779b1);
    this.#fold(bytes, start, end);
    this.low ^= end - start;
    this.high = (this.high + (end - start)) | 0;
  }

  #fold(bytes: Uint8Array, start: number, end: number): void {
    let { low, high } = this;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] ?? 0;
      low = Math.imul(low ^ byte, FNV_PRIME);
      high = (Math.imul(high, 31) + byte + 1) | 0;
    }
    this.low = low;
    this.high = high;
  }

  /** As it is before it is finished. An object finishes each of its properties as a whole; an array needs elements that are. */
  #foldValue(value: unknown): void {
    if (typeof value === 'string') this.#foldString(value);
    else if (typeof value === 'number') this.#foldNumber(value);
    else if (typeof value === 'object' && value !== null) this.#foldObject(value);
    else this.#foldInts(value === true ? TAG_TRUE : value === false ? TAG_FALSE : TAG_NULL, 0);
  }

  #foldInts(tag: number, content: number): void {
    this.low = Math.imul(SEED_LOW ^ tag, FNV_PRIME) ^ content;
    this.high = (Math.imul(SEED_HIGH + tag, 31) + content) | 0;
  }

  #foldNumber(value: number): void {
    const int = value | 0;
    if (int === value) {
      this.#foldInts(TAG_NUMBER, int);
      return;
    }
    double.setFloat64(0, value);
    this.low = Math.imul(SEED_LOW ^ double.getInt32(0), FNV_PRIME) ^ double.getInt32(4);
    this.high = (Math.imul(SEED_HIGH + double.getInt32(4), 31) + double.getInt32(0)) | 0;
  }

  #foldString(text: string): void {
    let low = SEED_LOW ^ TAG_STRING;
    let high = SEED_HIGH + TAG_STRING;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      low = Math.imul(low ^ unit, FNV_PRIME);
      high = (Math.imul(high, 31) + unit + 1) | 0;
    }
    this.low = low;
    this.high = high;
  }

  #foldObject(value: object): void {
    if (Array.isArray(value)) {
      this.#foldArray(value);
      return;
    }
    let low = TAG_OBJECT;
    let high = TAG_OBJECT;
    for (const name in value) {
      this.#foldString(name);
      const nameLow = this.low;
      const nameHigh = this.high;
      this.#foldValue((value as Readonly<Record<string, unknown>>)[name]);
      this.low = Math.imul(this.low, 5) ^ nameLow;
      this.high = (Math.imul(this.high, 9) + nameHigh) | 0;
      this.#finish();
      low = (low + this.low) | 0;
      high = (high + this.high) | 0;
    }
    this.low = low;
    this.high = high;
  }

  #foldArray(values: readonly unknown[]): void {
    let low = SEED_LOW ^ TAG_ARRAY;
    let high = SEED_HIGH + values.length;
    for (const value of values) {
      this.ofValue(value);
      low = Math.imul(low ^ this.low, FNV_PRIME);
      high = (Math.imul(high, 31) + this.high) | 0;
    }
    this.low = low;
    this.high = high;
  }

  #finish(): void {
    this.low = finalize(this.low ^ (this.high >>> 7));
    this.high = finalize(this.high ^ this.low);
  }
}

/** A text that equal JSON values share (I1), for exact differences and for messages. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const names = Object.keys(value).sort(byCodeUnits);
  const record = value as Readonly<Record<string, unknown>>;
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonicalText(record[name])}`).join(',')}}`;
}

/** Code-unit order; equal texts are the same text, so it never ties. */
export function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function finalize(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
