/**
 * Acknowledgements that come when their checkpoint is over here (row C10; Flink: recentPendingCheckpoints).
 *
 * Owns: the ids of the last checkpoints that expired, so that what is merely late is told from what is unknown. Both change nothing.
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { Out } from '../protocol/actor.ts';
import type { AcknowledgeCheckpoint } from '../protocol/messages.ts';
import { sometimes } from '../protocol/probes.ts';

/** Flink: recentExpiredCheckpoints. */
const EXPIRED_REMEMBERED = 16;

export class LateAcknowledgements {
  #expired: readonly CheckpointId[] = [];

  expired(checkpointId: CheckpointId): void {
    this.#expired = [...this.#expired, checkpointId].slice(-EXPIRED_REMEMBERED);
  }

  came({ checkpointId, handles }: AcknowledgeCheckpoint, out: Out): void {
    const hasShared = handles.some(({ segments }) => segments !== undefined);
    sometimes(this.#expired.includes(checkpointId), out, 'late-acknowledgement');
    sometimes(hasShared, out, 'shared-files-registered-late');
  }
}
