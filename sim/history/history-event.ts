/**
 * The union of all that can be seen in a life: what the engine reports and what happens to the world around it.
 *
 * Judges fold these as they are made; a sweep keeps none of them, a failing life is lived again with all of them kept.
 * `detail` objects are fresh per event and may be kept by judges.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { EngineEvent } from '../../engine/protocol/engine-events.ts';
import type { Lineage, RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { ServiceProbeEvent } from '../probes.ts';

export type WorldEvent =
  | { readonly kind: 'node-crashed'; readonly incarnation: number }
  | { readonly kind: 'node-started'; readonly incarnation: number }
  /** A process ended itself: `node-crashed` follows, and its supervisor starts it again. */
  | { readonly kind: 'process-exited'; readonly why: string }
  | { readonly kind: 'node-paused' }
  | { readonly kind: 'node-resumed' }
  | { readonly kind: 'fault-started'; readonly fault: string; readonly faultKind: string }
  | { readonly kind: 'fault-ended'; readonly fault: string; readonly faultKind: string }
  /** First time the fault changed anything: a message held, a request slowed, a running node crashed. */
  | { readonly kind: 'fault-effective'; readonly fault: string; readonly faultKind: string }
  | { readonly kind: 'connection-reset'; readonly peer: NodeId }
  | {
      readonly kind: 'message-dropped';
      readonly to: NodeId;
      readonly message: string;
      readonly why: 'loss' | 'partition' | 'node-down';
    }
  /** An actor threw: a broken assumption of the engine itself. Always a violation. */
  | { readonly kind: 'actor-threw'; readonly fact: string; readonly details: string }
  /* durable state of the outside systems, reported by them */
  | { readonly kind: 'object-stored'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'object-deleted'; readonly path: string }
  /** A file is there and still empty; `object-stored` says that it was closed, or renamed. */
  | { readonly kind: 'file-opened'; readonly path: string }
  /** A loss of power took what was not synced: of so many bytes so many are left, the last of them perhaps zeros. */
  | { readonly kind: 'writes-lost'; readonly path: string; readonly bytes: number; readonly left: number }
  | {
      /** A session of ZooKeeper. `revoked`: by a fault, while it was heard of; `timeout`: after silence. */
      readonly kind: 'session-ended';
      readonly session: number;
      readonly owner: NodeId;
      readonly why: 'timeout' | 'revoked' | 'closed';
    }
  | {
      readonly kind: 'transaction-opened';
      readonly transaction: string;
      readonly producer: string;
      readonly producerEpoch: number;
    }
  | {
      readonly kind: 'transaction-pre-committed';
      readonly transaction: string;
      readonly producer: string;
      readonly producerEpoch: number;
    }
  | {
      readonly kind: 'transaction-committed';
      readonly transaction: string;
      readonly producer: string;
      readonly producerEpoch: number;
      /** Producer epoch that asked for it. */
      readonly committedBy: number;
      /** Of files in directories: readers see each bucket in its order, and no order between them. */
      readonly partition?: string;
      /** The sink store's own arrays, readable, never to be changed. */
      readonly values: readonly RecordValue[];
      readonly lineages: readonly Lineage[];
    }
  /** A loss of power took records that readers could see; `lineages`: theirs. */
  | {
      readonly kind: 'output-vanished';
      readonly transaction: string;
      readonly producer: string;
      readonly lineages: readonly Lineage[];
    }
  | {
      readonly kind: 'transaction-aborted';
      readonly transaction: string;
      readonly producer: string;
      readonly why: 'requested' | 'fenced' | 'timeout';
      readonly preCommitted: boolean;
      /** What was written in it. */
      readonly lineages: readonly Lineage[];
    }
  /** Output that is visible without a transaction. */
  | {
      readonly kind: 'output-appended';
      readonly producer: string;
      /** Of a Kafka-like cluster: readers see each partition in its order, and no order between them. */
      readonly partition?: string;
      readonly values: readonly RecordValue[];
      readonly lineages: readonly Lineage[];
    }
  /** A transaction of a Kafka-like cluster is in another state, as its coordinator says. */
  | {
      readonly kind: 'kafka-transaction';
      readonly transactionalId: string;
      readonly producerId: number;
      readonly producerEpoch: number;
      readonly state: 'empty' | 'ongoing' | 'prepare-commit' | 'prepare-abort' | 'complete-commit' | 'complete-abort';
      readonly partitions: readonly string[];
    }
  /** The log has put the marker of a checkpoint into each of these partitions: behind it lies the record at that offset (row C25). */
  | {
      readonly kind: 'markers-put';
      readonly group: string;
      readonly checkpointId: number;
      readonly partitions: readonly number[];
      readonly offsets: readonly number[];
    }
  /** A rare situation that only an outside system can see. */
  | ServiceProbeEvent
  | { readonly kind: 'phase'; readonly phase: 'storm' | 'liveness' | 'end' };

/** `index` counts the life's history from 0; `node` is where it happened (`world` for the world itself). */
export interface HistoryEvent {
  readonly index: number;
  readonly atUs: number;
  readonly node: NodeId;
  readonly event: EngineEvent | WorldEvent;
}

/** What happened, where it is of this kind. */
export type EventOf<K extends HistoryEvent['event']['kind']> = Extract<HistoryEvent['event'], { readonly kind: K }>;
