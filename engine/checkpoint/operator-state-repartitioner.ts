/**
 * Operator state dealt out to another number of subtasks (rows S5 to S7; Flink: RoundRobinOperatorStateRepartitioner). Pure.
 *
 * What moves are references: a handle names the elements of each list by their place in the file, and a new handle on the same file
 * names fewer of them. So the JobManager deals out state without reading it.
 *
 * I1: SPLIT_DISTRIBUTE: each element goes to exactly one subtask; at unchanged parallelism nothing moves;
 * I2: UNION: every subtask gets every element, at unchanged parallelism too;
 * I3: BROADCAST: every subtask gets one whole copy; its own, if parallelism is unchanged and every old subtask reported.
 */
import { assert } from '../foundation/assert.ts';
import type { OperatorStateList, StateHandle } from '../protocol/state-handle.ts';

/** One operator's handles as the checkpoint has them. */
export interface OperatorStateOfSubtask {
  readonly subtask: number;
  readonly handles: readonly StateHandle[];
}

export interface RepartitionQuestion {
  /** By old subtask; those that reported nothing may be missing. */
  readonly states: readonly OperatorStateOfSubtask[];
  readonly oldParallelism: number;
  readonly newParallelism: number;
}

/** By new subtask: handles, each with the lists that subtask is to read. */
export function repartitionOperatorState(question: RepartitionQuestion): readonly (readonly StateHandle[])[] {
  const { states, oldParallelism, newParallelism } = question;
  const isSame = oldParallelism === newParallelism;
  const assigned = Array.from({ length: newParallelism }, () => new Assignment());
  const byName = listsByName(states);
  let start = 0;
  for (const lists of byName) {
    switch (lists[0]?.list.mode) {
      case 'split-distribute':
        if (isSame) for (const list of lists) assigned[list.subtask]?.add(list);
        else start = splitDistribute(lists, assigned, start);
        break;
      case 'union':
        for (const target of assigned) {
          for (const list of lists) target.add(list);
        }
        break;
      default:
        broadcast(lists, assigned, isSame && states.length === oldParallelism);
    }
  }
  return assigned.map((target) => target.handles());
}

/** A list of one old subtask. */
interface ListOfSubtask {
  readonly subtask: number;
  readonly handle: StateHandle;
  readonly list: OperatorStateList;
}

/** What one new subtask gets, gathered by file; files in the order of old subtasks, whichever list named them first. */
class Assignment {
  readonly #byFile = new Map<StateHandle, { readonly subtask: number; readonly lists: OperatorStateList[] }>();

  add({ subtask, handle, list }: ListOfSubtask, offsets: readonly number[] = list.offsets): void {
    if (offsets.length === 0) return;
    const file = this.#byFile.get(handle) ?? { subtask, lists: [] };
    this.#byFile.set(handle, file);
    file.lists.push({ ...list, offsets });
  }

  handles(): StateHandle[] {
    const files = [...this.#byFile].sort(([, a], [, b]) => a.subtask - b.subtask);
    return files.map(([handle, { lists }]) => ({ ...handle, lists }));
  }
}

/** By name, in the order of names; within a name by old subtask. */
function listsByName(states: readonly OperatorStateOfSubtask[]): readonly (readonly ListOfSubtask[])[] {
  const byName = new Map<string, ListOfSubtask[]>();
  for (const { subtask, handles } of [...states].sort((a, b) => a.subtask - b.subtask)) {
    for (const handle of handles) {
      for (const list of handle.lists ?? []) {
        const known = byName.get(list.name) ?? [];
        byName.set(list.name, known);
        assert(known[0] === undefined || known[0].list.mode === list.mode, 'a list has one mode of redistribution', {
          name: list.name,
        });
        known.push({ subtask, handle, list });
      }
    }
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, lists]) => lists);
}

/**
 * Row S5: an equal share for each, one more for the first `remainder` targets, taken in the order of old subtasks. Where the shares
 * with one more end, the next list begins, so that many short lists do not all land on the first subtasks.
 */
function splitDistribute(lists: readonly ListOfSubtask[], assigned: readonly Assignment[], start: number): number {
  const total = lists.reduce((sum, { list }) => sum + list.offsets.length, 0);
  const share = Math.floor(total / assigned.length);
  const remainder = total % assigned.length;
  let at = 0;
  let taken = 0;
  for (let index = 0; index < assigned.length; index += 1) {
    const target = assigned[(start + index) % assigned.length];
    let wanted = share + (index < remainder ? 1 : 0);
    while (wanted > 0) {
      const source = lists[at];
      assert(source !== undefined && target !== undefined, 'the shares add up to the elements there are');
      const { list } = source;
      const offsets = list.offsets.slice(taken, taken + wanted);
      target.add(source, offsets);
      wanted -= offsets.length;
      taken += offsets.length;
      if (taken < list.offsets.length) continue;
      at += 1;
      taken = 0;
    }
  }
  return (start + remainder) % assigned.length;
}

/** Row S7. Each old subtask has the same entries, so any of them will do; a subtask that stays keeps its own. */
function broadcast(lists: readonly ListOfSubtask[], assigned: readonly Assignment[], staysPut: boolean): void {
  const copies = [...new Set(lists.map(({ subtask }) => subtask))];
  assigned.forEach((target, index) => {
    const from = staysPut ? index : copies[index % copies.length];
    for (const list of lists) if (list.subtask === from) target.add(list);
  });
}
