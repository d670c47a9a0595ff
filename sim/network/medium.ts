/** What the parts of the network share. */
import type { History } from '../history/history.ts';
import type { EventLoop } from '../kernel/event-loop.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import type { VirtualNode } from '../node/virtual-node.ts';
import type { Envelope, EnvelopePool } from './envelope.ts';
import type { Link } from './link.ts';
import type { EffectListener, PartitionMap } from './partition-map.ts';

/** Where messages end up: the mailboxes. It owns each envelope it is handed and releases it. */
export interface Receiver {
  /** The node is up or paused. */
  deliver(envelope: Envelope): void;
}

export interface Medium {
  readonly loop: EventLoop<ScheduledEvent>;
  readonly history: History;
  readonly nodes: readonly VirtualNode[];
  readonly receiver: Receiver;
  readonly envelopes: EnvelopePool;
  readonly partitions: PartitionMap;
  /** How long a connection may stall. */
  readonly streamTimeoutUs: number;
  /** Hears of each time a fault changed something. */
  readonly onEffective: EffectListener;
  linkOf(from: number, to: number): Link;
}
