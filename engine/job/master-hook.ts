/**
 * A hook into the checkpoints of a job, on its JobManager (row C25; Flink: MasterTriggerRestoreHook): it tells an outside system that a
 * checkpoint begins, and keeps what that system answers in the checkpoint.
 *
 * A job brings specs; each leader makes its own hooks of them. A hook that fails says so by `done(undefined)`, and the checkpoint is aborted.
 */
import type { CheckpointId, LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import type { ServiceNodes } from '../protocol/service-nodes.ts';

/** Called once, at once or later: the state to keep, which may be empty; undefined: the hook failed. */
export type HookDone = (state: Uint8Array | undefined, nowUs: Micros, out: Out) => void;

export interface MasterTriggerRestoreHook {
  /**
   * After the snapshots of all operator coordinators and before any task is triggered: an outside system may begin to send its
   * markers from here on.
   */
  triggerCheckpoint(
    at: { readonly checkpointId: CheckpointId; readonly nowUs: Micros },
    out: Out,
    done: HookDone,
  ): void;
  /** `state` is what it kept in this checkpoint; undefined: the checkpoint knows nothing of it. Also where a single region restarts. */
  restoreCheckpoint(checkpointId: CheckpointId, state: Uint8Array | undefined, out: Out): void;
  /** The job begins from nothing. */
  reset?(out: Out): void;
  /** Of hooks that ask an outside system: what came to the JobManager. False: it is of somebody else. */
  handleMessage?(message: EngineMessage, nowUs: Micros, out: Out): boolean;
  handleTimer?(timer: string, nowUs: Micros, out: Out): boolean;
}

/** What a hook finds on its JobManager. */
export interface MasterHookHost {
  readonly services: ServiceNodes;
  /** That of the JobManager, where checkpoints lie. */
  readonly storage: CheckpointStorage;
  /** Values that outlive the JobManager, by names below that of the job. */
  readonly registers: NamedRegisters;
  readonly epoch: LeaderEpoch;
  readonly requestTimeoutUs: number;
  /** Of no request of an earlier process there. */
  readonly firstRequestId: number;
  /** Rises as long as this epoch lasts, whatever job master asks. */
  nextSequence(): number;
}

export interface MasterHookSpec {
  /** Names its state, for as long as the job lives. */
  readonly identifier: string;
  create(host: MasterHookHost): MasterTriggerRestoreHook;
}
