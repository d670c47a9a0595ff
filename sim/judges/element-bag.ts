/**
 * Elements of operator state, counted: what a snapshot holds of an operator against what the subtasks of a restore are given of it.
 *
 * Owns the meaning of the three modes of redistribution (rows S5 to S7), said independently of the engine that deals elements out:
 * I1: an element of a split list is given once, to whichever subtask; one of a union list once to every subtask; a broadcast map has the same
 *     entries in every subtask, before and after.
 */
import type { RedistributionMode } from '../../engine/protocol/state-handle.ts';

/** How often an element lies in a subtask, by mode, list and bytes. */
export type ElementBag = Map<string, number>;
/** Of one operator, a bag for each subtask. */
export type ElementsOfSubtasks = readonly ElementBag[];

interface ElementsOfList {
  readonly name: string;
  readonly mode: RedistributionMode;
  readonly elements: readonly Uint8Array[];
}

export function bagOf(lists: readonly ElementsOfList[]): ElementBag {
  const bag: ElementBag = new Map();
  for (const { name, mode, elements } of lists) {
    for (const element of elements) {
      const key = `${mode}/${name}/${textOf(element)}`;
      bag.set(key, (bag.get(key) ?? 0) + 1);
    }
  }
  return bag;
}

/** Whether the subtasks of a restore were given what the snapshot holds (I1). */
export function areDealtOut(held: ElementsOfSubtasks, given: ElementsOfSubtasks): boolean {
  const keys = new Set([...held, ...given].flatMap((bag) => [...bag.keys()]));
  for (const key of keys) {
    const inAll = sumOf(held, key);
    if (key.startsWith('split-distribute/')) {
      if (sumOf(given, key) !== inAll) return false;
      continue;
    }
    const due = key.startsWith('union/') ? inAll : held.reduce((most, bag) => Math.max(most, bag.get(key) ?? 0), 0);
    if (given.length === 0 || given.some((bag) => (bag.get(key) ?? 0) !== due)) return false;
  }
  return true;
}

const sumOf = (bags: ElementsOfSubtasks, key: string): number =>
  bags.reduce((sum, bag) => sum + (bag.get(key) ?? 0), 0);

/** A character per byte: elements are short, and equal exactly if their texts are. */
function textOf(element: Uint8Array): string {
  let text = '';
  for (const byte of element) text += String.fromCharCode(byte);
  return text;
}
