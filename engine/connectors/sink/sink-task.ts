/** What a subtask has to do with the sink, or the part of one, at the end of its chain. */
import type { CheckpointId, NodeId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { ElementConsumer } from '../../operators/element-consumer.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import type { SinkState } from './committable-rows.ts';

export interface SinkTask {
  readonly uid: string;
  /** Takes what comes down the chain. */
  readonly head: ElementConsumer;
  /** Present where input may have to wait. */
  readonly gate: { readonly isAvailable: boolean } | undefined;
  /** Losing the connection to this node loses what was written. */
  keepsConnectionTo(peer: NodeId): boolean;
  /** `restored`: of all subtasks. */
  initialize(restored: SinkState, restoredCheckpoint: number, out: Out): void;
  /** Called at the end of each action. */
  sendBatches(out: Out): void;
  /** In the mailbox action of the barrier, before it leaves. */
  prepareSnapshotPreBarrier(id: CheckpointId, out: Out): void;
  /** Behind that; `waits`: the acknowledgement must wait until the host is told. */
  snapshot(): SinkState & { readonly waits: boolean };
  /** All input has come. */
  endInput(isCheckpointing: boolean, out: Out): void;
  readonly isSettled: boolean;
  notifyComplete(id: CheckpointId, out: Out): void;
  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void;
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}
