/**
 * Durable writes that are on their way: sent, and their sender does not know yet what became of them.
 *
 * Owns: which node waits for which write, from the history. A write of state is known with the acknowledgement that it is for, metadata with
 * the write of the pointer behind it, the pointer with the completion; what a checkpoint gives up nobody waits for.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { HistoryEvent } from '../history/history-event.ts';

export type DurableWrite = 'state' | 'metadata' | 'pointer';

interface Write {
  readonly what: DurableWrite;
  readonly checkpointId: number;
}

export class WritesInFlight {
  /** By node, then by who in it waits for what. */
  readonly #ofNode = new Map<NodeId, Map<string, Write>>();

  /** What was on its way from the node that has just crashed; empty for any other event. */
  observe({ node, event }: HistoryEvent): readonly DurableWrite[] {
    switch (event.kind) {
      case 'state-write-sent':
        this.#sent(node, `${event.vertex}/${event.subtask}`, { what: 'state', checkpointId: event.checkpointId });
        return NOTHING;
      case 'acknowledge-sent':
      case 'decline-sent':
        this.#ofNode.get(node)?.delete(`${event.vertex}/${event.subtask}`);
        return NOTHING;
      case 'metadata-write-sent':
        this.#sent(node, 'leader', { what: 'metadata', checkpointId: event.checkpointId });
        return NOTHING;
      case 'pointer-write-sent':
        this.#sent(node, 'leader', { what: 'pointer', checkpointId: event.checkpointId });
        return NOTHING;
      case 'checkpoint-completed':
      case 'savepoint-completed':
        this.#ofNode.get(node)?.delete('leader');
        return NOTHING;
      case 'checkpoint-aborted':
        for (const writes of this.#ofNode.values())
          for (const [who, { checkpointId }] of writes) if (checkpointId === event.checkpointId) writes.delete(who);
        return NOTHING;
      case 'node-crashed': {
        const writes = [...(this.#ofNode.get(node)?.values() ?? [])];
        this.#ofNode.delete(node);
        return [...new Set(writes.map(({ what }) => what))];
      }
      default:
        return NOTHING;
    }
  }

  #sent(node: NodeId, who: string, write: Write): void {
    const known = this.#ofNode.get(node);
    if (known === undefined) this.#ofNode.set(node, new Map([[who, write]]));
    else known.set(who, write);
  }
}

const NOTHING: readonly DurableWrite[] = [];
