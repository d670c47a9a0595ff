/**
 * Which slot each subtask index gets when it is deployed anew (rows F5, F9; Flink: PreviousAllocationSlotSelectionStrategy,
 * SlotSharingExecutionSlotAllocator). Pure.
 *
 * Subtask i of every vertex shares slot i. An index goes back to the slot it had while the process that offered it is still there, or its node
 * where that remembers: what else runs in that slot belongs to the same index. Others' slots are reserved for them: occupied ones are never given away, those of
 * indices that wait for their own restart only when nothing else is free.
 */
import type { NodeId } from '../foundation/ids.ts';
import { type RegisteredTaskManager, slotsInTurn } from './task-manager-registry.ts';

export interface SlotPlace {
  readonly taskManager: RegisteredTaskManager;
  readonly slot: number;
}

/** Where an attempt of a subtask index runs, or ran last. */
export interface PreviousPlace {
  readonly subtask: number;
  readonly node: NodeId;
  readonly incarnation: number;
  readonly slot: number;
  readonly isLive: boolean;
}

export interface PlacementQuestion {
  /** Those that may get new tasks, by name. */
  readonly taskManagers: readonly RegisteredTaskManager[];
  /** Subtask indices that need a slot. */
  readonly indices: readonly number[];
  /** Of the last attempt of each subtask. */
  readonly previous: readonly PreviousPlace[];
  /** A process that was started anew still has what subtasks left on its node (row S22). */
  readonly nodesRemember: boolean;
}

/** A place by subtask index, for the indices asked for; undefined when there are too few slots. */
export function placeSlots(question: PlacementQuestion): readonly (SlotPlace | undefined)[] | undefined {
  const { taskManagers, indices, previous, nodesRemember } = question;
  const wanted = new Set(indices);
  const before = new Map<number, PreviousPlace>();
  const occupied = new Set<string>();
  const reserved = new Set<string>();
  for (const place of previous) {
    const known = before.get(place.subtask);
    if (known === undefined || (place.isLive && !known.isLive)) before.set(place.subtask, place);
    if (!wanted.has(place.subtask)) (place.isLive ? occupied : reserved).add(nameOf(place.node, place.slot));
  }
  const places: (SlotPlace | undefined)[] = [];
  const taken = new Set<string>();
  for (const index of indices) {
    const place = placeAgain(before.get(index), taskManagers, nodesRemember);
    if (place === undefined || taken.has(nameOf(place.taskManager.node, place.slot))) continue;
    if (occupied.has(nameOf(place.taskManager.node, place.slot))) continue;
    places[index] = place;
    taken.add(nameOf(place.taskManager.node, place.slot));
  }
  const free = slotsInTurn(taskManagers).filter(({ taskManager, slot }) => {
    const name = nameOf(taskManager.node, slot);
    return !taken.has(name) && !occupied.has(name);
  });
  const isReserved = ({ taskManager, slot }: SlotPlace): boolean => reserved.has(nameOf(taskManager.node, slot));
  const inOrder = [...free.filter((place) => !isReserved(place)), ...free.filter(isReserved)];
  for (const index of indices) {
    places[index] ??= inOrder.shift();
    if (places[index] === undefined) return undefined;
  }
  return places;
}

function placeAgain(
  place: PreviousPlace | undefined,
  taskManagers: readonly RegisteredTaskManager[],
  nodesRemember: boolean,
): SlotPlace | undefined {
  if (place === undefined) return undefined;
  const taskManager = taskManagers.find(({ node }) => node === place.node);
  if (taskManager === undefined || place.slot >= taskManager.slots) return undefined;
  if (taskManager.incarnation !== place.incarnation && !nodesRemember) return undefined;
  return { taskManager, slot: place.slot };
}

const nameOf = (node: NodeId, slot: number): string => `${node}/${slot}`;
