/**
 * What a person may ask of a job, and what the leader answers (section 7.1; Flink: RestClusterClient, the REST handlers for savepoints,
 * checkpoints, stop and cancel).
 *
 * Invariants: I1 a request carries the client's trigger id and may be repeated: within a leader's life it is carried out once, and a `resume` once
 * for ever; I2 `done` is said only of what is durable (row C12).
 */
import type { BackendName } from './configuration.ts';
import type { CheckpointKind } from './checkpoint-properties.ts';
import type { SavepointFormat } from './checkpoint-options.ts';

/**
 * Row C27. `claim`: the job owns the snapshot and deletes it like its own. `no-claim`: it stays its user's, and the first checkpoint uses
 * nothing of it. `legacy`: it stays its user's, but may be used for ever.
 */
export type ClaimMode = 'claim' | 'no-claim' | 'legacy';

export interface RestoreSettings {
  /** Directory of a savepoint or of a retained checkpoint. */
  readonly location: string;
  readonly claimMode: ClaimMode;
  /** Row S24: where keyed state lives from now on; absent: as before. Another one than before reads canonical savepoints only. */
  readonly backend?: BackendName;
  /** Row X38: whether state of several subtasks goes into one file from now on, where the job is configured so; absent: as before. */
  readonly fileMerging?: boolean;
  /** Row C31: state of operators that the job does not have is left behind; else it is refused. */
  readonly allowNonRestored: boolean;
  /** Row S24: which version of the job begins; absent: the one before. */
  readonly version?: number;
}

export type ClientOperation =
  | { readonly kind: 'savepoint'; readonly format: SavepointFormat }
  | { readonly kind: 'checkpoint'; readonly checkpoint: CheckpointKind }
  | { readonly kind: 'stop-with-savepoint'; readonly drain: boolean; readonly format: SavepointFormat }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'dispose-savepoint'; readonly location: string }
  /**
   * Starts the job again after it has ended; without `restore` from the beginning. `after`: the run that was over when its user decided so. Where
   * another has begun since, this one comes too late: what it would begin from lies behind what was committed. Absent: whichever run is over.
   */
  | { readonly kind: 'resume'; readonly restore?: RestoreSettings; readonly after?: number }
  /** Row F7. `requestId` rises with each of the client: what comes late or doubled is known by it. */
  | { readonly kind: 'rescale'; readonly requestId: number; readonly parallelism: number };

export type ClientResult =
  | { readonly kind: 'in-progress' }
  /** `location`: the savepoint; after `cancel` the newest checkpoint that was kept. `run`: which run is over now. */
  | { readonly kind: 'done'; readonly location?: string; readonly run?: number }
  /** `location`: the savepoint is good, but the job failed to stop with it (Flink: StopWithSavepointStoppingException). */
  | {
      readonly kind: 'failed';
      readonly reason: string;
      readonly location?: string;
      /** Which run is over all the same; of a `resume`, the one that it began. */
      readonly run?: number;
      /** The snapshot to begin from is not there, or damaged; what storages repair may be read later. */
      readonly isUnreadable?: true;
    };

/** Client -> every JobManager; the leader answers. */
export interface ClientRequest {
  readonly kind: 'client-request';
  readonly triggerId: string;
  readonly operation: ClientOperation;
}
export interface ClientReply {
  readonly kind: 'client-reply';
  readonly triggerId: string;
  readonly result: ClientResult;
}

/** What is to be done when the job has stopped or was canceled: start it again. */
export interface ThenResume {
  /** From what the stop or cancel left, from what the earliest one left, or from the newest savepoint this client was told of. */
  readonly from: 'what-it-left' | 'earliest-left' | 'newest-savepoint';
  readonly claimMode: ClaimMode;
  /** As wide as somebody asks for between the runs (row F7); absent: as it was. */
  readonly parallelism?: number;
  readonly backend?: BackendName;
  readonly fileMerging?: boolean;
  readonly allowNonRestored: boolean;
  readonly version?: number;
  /** Where `version` could not begin from it: the version that then does. */
  readonly fallBack?: number;
  /** Only where the savepoint is good and the job failed all the same: what Flink tells its user to do. */
  readonly onlyIfFailed?: true;
}

/** What a person does at some moment. `dispose-savepoint` means the newest savepoint this client was told of. */
export type ClientCommand =
  | Extract<ClientOperation, { kind: 'savepoint' | 'checkpoint' }>
  | (Extract<ClientOperation, { kind: 'stop-with-savepoint' }> & { readonly thenResume?: ThenResume })
  | (Extract<ClientOperation, { kind: 'cancel' }> & { readonly thenResume?: ThenResume })
  | { readonly kind: 'dispose-savepoint' }
  | { readonly kind: 'rescale'; readonly parallelism: number };

/** Undefined: none, the job stays as wide as it is. */
export function parallelismAskedFor(command: ClientCommand): number | undefined {
  if (command.kind === 'rescale') return command.parallelism;
  return 'thenResume' in command ? command.thenResume?.parallelism : undefined;
}

/** World -> client, on its own node: the person presses the button. */
export interface ClientCommandMessage {
  readonly kind: 'client-command';
  /** Unique in a life; names the trigger ids. */
  readonly id: string;
  readonly command: ClientCommand;
}
