/** The outside systems by their nodes. */
import type { NodeId } from '../foundation/ids.ts';

export interface ServiceNodes {
  readonly storage: NodeId;
  readonly coordination: NodeId;
  readonly log: NodeId;
  readonly sink: NodeId;
  /** Brokers of the Kafka-like cluster, where there is one. */
  readonly kafka?: readonly NodeId[];
}
