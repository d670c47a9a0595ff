/**
 * The hash of keyed state by value: of live objects, of what a snapshot's bytes stand for, and of what was restored from them.
 *
 * Owns how an entry becomes a term. By value and not by bytes: bytes that a serializer wrote without a field are the same bytes before
 * and after. Called by the restore audit and by the harness at each barrier.
 *
 * I1: the sum does not depend on the order of entries, nor the term of a map on that of its pairs;
 * I2: state, key group, key and content are all in the term.
 */
import { javaStringHash } from '../../engine/foundation/stable-hash.ts';
import { entrySalt } from './reference-state.ts';
import { finalize, HashSum, TermHash } from './value-hash.ts';

const PRIME = 0x01000193;
const MAP_TAG = 0x3c6ef372;
const value = new TermHash();
const term = { low: 0, high: 0 };

export class StateHash {
  readonly sum = new HashSum();
  entries = 0;
  #lastState = '';
  #nameHash = javaStringHash('');

  add(state: string, keyGroup: number, key: unknown, content: unknown): void {
    if (state !== this.#lastState) {
      this.#lastState = state;
      this.#nameHash = javaStringHash(state);
    }
    const salt = entrySalt(this.#nameHash, keyGroup);
    value.ofValue(key);
    const low = Math.imul(value.low ^ salt, PRIME);
    const high = (Math.imul(value.high, 31) + salt) | 0;
    if (content instanceof Map) hashMap(content);
    else value.ofValue(content);
    term.low = finalize(low ^ value.low);
    term.high = finalize((high + value.high) ^ term.low);
    this.sum.add(term);
    this.entries += 1;
  }
}

/** Leaves the hash of a map in `value` (I1). */
function hashMap(map: ReadonlyMap<unknown, unknown>): void {
  let low = MAP_TAG;
  let high = map.size;
  for (const [key, content] of map) {
    value.ofValue(key);
    const keyLow = Math.imul(value.low, PRIME);
    const keyHigh = Math.imul(value.high, 31);
    value.ofValue(content);
    low = (low + finalize(keyLow ^ value.low)) | 0;
    high = (high + finalize((keyHigh + value.high) | 0)) | 0;
  }
  value.low = finalize(low);
  value.high = finalize(high ^ low);
}
