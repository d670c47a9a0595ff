/** What the checkpoint coordinator asks of operator coordinators (rows C1, C24); a job without any has `NO_COORDINATORS`. */
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { CoordinatorState } from '../protocol/metadata-file.ts';

/** By operator; undefined: one could not take its snapshot, or a subtask could not be told something. */
export type CoordinatorStatesDone = (states: readonly CoordinatorState[] | undefined, nowUs: Micros, out: Out) => void;

export interface CheckpointedCoordinators {
  /**
   * Takes the snapshots of all. `done` is called when they are taken and every event of before is acknowledged: only then may
   * sources be triggered. Perhaps at once; never after a reset of the job.
   */
  checkpoint(
    at: { readonly checkpointId: CheckpointId; readonly nowUs: Micros },
    out: Out,
    done: CoordinatorStatesDone,
  ): void;
  /** Row C1: the triggering failed; what the gateways keep back may go. */
  abortCurrentTriggering(out: Out): void;
  notifyComplete(checkpointId: CheckpointId, out: Out): void;
  notifyAborted(checkpointId: CheckpointId, out: Out): void;
  /** Row C5: some source lags far behind its input. */
  readonly isProcessingBacklog: boolean;
}

export const NO_COORDINATORS: CheckpointedCoordinators = {
  checkpoint: ({ nowUs }, out, done) => done([], nowUs, out),
  abortCurrentTriggering: () => {},
  notifyComplete: () => {},
  notifyAborted: () => {},
  isProcessingBacklog: false,
};
