/**
 * Which subtask indices have a slot on which TaskManager: subtask i of every vertex shares one slot (row F5), so no TaskManager has more indices than
 * slots.
 *
 * Owns where the attempts that were deployed and have not ended are. Does not own the finding (bounds.ts).
 *
 * I1: what is about to be deployed anew has no slot: a restart takes those of what it names, or of all;
 * I2: memory is bounded by the subtasks.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { HistoryEvent } from '../history/history-event.ts';

export const SLOT_KINDS = ['task-deployed', 'task-state', 'restart-scheduled', 'job-status', 'node-crashed'] as const;

interface Place {
  readonly node: NodeId;
  readonly subtask: number;
  readonly attempt: number;
}

export class SlotUse {
  /** By vertex and subtask. */
  readonly #places = new Map<string, Place>();

  /** The indices on a TaskManager that has just got one more task. */
  observe({ event, node }: HistoryEvent): ReadonlySet<number> | undefined {
    switch (event.kind) {
      case 'task-deployed':
        this.#places.set(`${event.vertex}/${event.subtask}`, event);
        return this.#indicesOn(event.node);
      case 'task-state':
        if (event.state === 'finished' || event.state === 'canceled' || event.state === 'failed')
          this.#end(event.attempt);
        return undefined;
      case 'restart-scheduled':
        if (event.subtasks === undefined) this.#places.clear();
        else for (const { vertex, subtask } of event.subtasks) this.#places.delete(`${vertex}/${subtask}`);
        return undefined;
      case 'job-status':
        if (event.status !== 'running') this.#places.clear();
        return undefined;
      case 'node-crashed':
        for (const [name, place] of this.#places) if (place.node === node) this.#places.delete(name);
        return undefined;
      default:
        return undefined;
    }
  }

  get remembered(): number {
    return this.#places.size;
  }

  #end(attempt: number): void {
    for (const [name, place] of this.#places) if (place.attempt === attempt) this.#places.delete(name);
  }

  #indicesOn(node: NodeId): ReadonlySet<number> {
    const indices = new Set<number>();
    for (const place of this.#places.values()) if (place.node === node) indices.add(place.subtask);
    return indices;
  }
}
