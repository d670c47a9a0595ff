/** The order in which maps of state list their keys, and keys are visited one after the other. */
import type { StateKey } from '../foundation/stable-hash.ts';

/** Booleans, then numbers, then strings. */
const RANK = { boolean: 0, number: 1, string: 2 } as const;

/** Numbers by value, strings by code unit, false before true. Keys of a map differ, so it never ties there. */
export function compareKeys(a: StateKey, b: StateKey): number {
  if (typeof a !== typeof b) return rankOf(a) - rankOf(b);
  return a < b ? -1 : 1;
}

function rankOf(key: StateKey): number {
  return RANK[typeof key as keyof typeof RANK];
}
