/**
 * The JobManager's own part of a checkpoint, which comes before any task's: the cut of the operator coordinators, then the master hooks
 * (rows C1, C24, C25). In that order, since a hook may let barriers into the job.
 */
import type { CheckpointedCoordinators } from '../coordination/checkpointed-coordinators.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import type { MasterHooks } from './master-hooks.ts';

export type MasterSideState = Required<Pick<CheckpointMetadata, 'coordinators' | 'masterStates'>>;

export interface MasterSide {
  readonly coordinators: CheckpointedCoordinators;
  readonly hooks: MasterHooks;
  readonly at: { readonly checkpointId: CheckpointId; readonly nowUs: Micros };
  /** False when the checkpoint was aborted meanwhile: then nothing more is asked or told. */
  readonly isCurrent: () => boolean;
}

/** `done` with undefined: one part failed, and with it the checkpoint. */
export function snapshotMasterSide(
  { coordinators, hooks, at, isCurrent }: MasterSide,
  out: Out,
  done: (state: MasterSideState | undefined, nowUs: Micros, out: Out) => void,
): void {
  coordinators.checkpoint(at, out, (cut, cutUs, cutOut) => {
    if (!isCurrent()) return;
    if (cut === undefined) return done(undefined, cutUs, cutOut);
    hooks.trigger({ checkpointId: at.checkpointId, nowUs: cutUs }, cutOut, (masterStates, nowUs, hookOut) => {
      if (!isCurrent()) return;
      done(masterStates === undefined ? undefined : { coordinators: cut, masterStates }, nowUs, hookOut);
    });
  });
}
