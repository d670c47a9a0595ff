/** A wish for a checkpoint, from the periodic timer or from a person, until it has ended (Flink: CheckpointTriggerRequest). */
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import { type CheckpointProperties, PERIODIC_CHECKPOINT } from '../protocol/checkpoint-properties.ts';

/** `completed`: durable; `location` is the directory it can be restored from. */
export type RequestEnd =
  | { readonly kind: 'completed'; readonly checkpointId: CheckpointId; readonly location: string }
  | { readonly kind: 'failed'; readonly reason: CheckpointFailure };

export interface CheckpointRequest {
  readonly properties: CheckpointProperties;
  readonly isPeriodic: boolean;
  readonly atUs: Micros;
  /** The job is to stop with it: trigger id of the request that said so (row C28). */
  readonly stopsJobFor?: string;
  /** Told once, when the snapshot is durable or will never be; before any task is told (row C12). */
  readonly ended?: (end: RequestEnd, nowUs: Micros, out: Out) => void;
}

export const periodicRequest = (atUs: Micros): CheckpointRequest => ({
  properties: PERIODIC_CHECKPOINT,
  isPeriodic: true,
  atUs,
});
