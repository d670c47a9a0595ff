/**
 * The engine's decisions that exactly-once rests on, gathered at one seam.
 *
 * Owns: the standard answer to each question. Does not own: acting on it (the actors do).
 * A mutant is the engine with one of these answered wrongly (bugs.md); the engine itself knows nothing of mutants.
 */
import { keptAtEnd } from './checkpoint/checkpoint-subsumption.ts';
import { type RepartitionQuestion, repartitionOperatorState } from './checkpoint/operator-state-repartitioner.ts';
import { overtakes } from './barrier/barrier-alignment.ts';
import type { CommitOutcome } from './connectors/sink/sink-contract.ts';
import type { CheckpointId, ExecutionAttemptId } from './foundation/ids.ts';
import type { KeyGroupRange } from './job/key-groups.ts';
import type { StateKey } from './job/functions.ts';
import { tasksToRestart } from './jobmanager/failover-strategy.ts';
import { placeSlots } from './jobmanager/slot-placement.ts';
import type { BackendName, CheckpointConfiguration, RestartConfiguration } from './protocol/configuration.ts';
import { type PatternRules, standardPatternRules } from './operators/cep/pattern-operator.ts';
import type { WindowRules } from './operators/window-operator.ts';
import { createTrigger } from './operators/window-trigger.ts';
import type { CheckpointPointer, RetainedCheckpoint } from './protocol/checkpoint-pointer.ts';
import type { TransactionState } from './protocol/rocketmq-messages.ts';
import type { StateHandle } from './protocol/state-handle.ts';
import type { LogSplit } from './protocol/operator-events.ts';
import type { CheckpointOptions } from './protocol/checkpoint-options.ts';
import type { StateKind } from './protocol/state-handle.ts';
import { ChangelogStateBackend, type ChangelogOptions } from './changelog/changelog-state-backend.ts';
import type { DeletedRows, StoreWork } from './lsm/log-structured-store.ts';
import { LsmStateBackend } from './lsm/lsm-state-backend.ts';
import type { WorkingDirectory } from './lsm/segment-directory.ts';
import { START_OF_TIME_US } from './protocol/stream-elements.ts';
import { HashMapStateBackend } from './state/hashmap-state-backend.ts';
import type { KeyedStateBackend, StateChangeListener, TellingBackend } from './state/keyed-state-backend.ts';
import { OperatorStateStore } from './state/operator-state.ts';
import type { TypeSerializer } from './state/type-serializer.ts';

export interface StateFileQuestion {
  /** `<dir>/<job>/chk-<n>`. */
  readonly directory: string;
  readonly operator: string;
  readonly state: StateKind;
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
}

/** Of checkpoints, as configured. */
export type CheckpointLimits = Pick<
  CheckpointConfiguration,
  'minPauseUs' | 'maxConcurrent' | 'tolerableFailures' | 'timeoutUs' | 'savepointTimeoutUs'
>;

export interface FenceQuestion {
  readonly subtask: number;
  readonly parallelism: number;
  readonly highestParallelism: number;
}

export interface EngineParts {
  /** Which retained checkpoint a restart begins from (row C19: the newest, never silently an older one). */
  chooseRestore(pointer: CheckpointPointer): RetainedCheckpoint | undefined;
  /** Whether an acknowledgement of `attempt` may count for a checkpoint that waits for `required` (row C9, G6). */
  acceptsAcknowledgement(required: ReadonlySet<ExecutionAttemptId>, attempt: ExecutionAttemptId): boolean;
  /** Pending checkpoints when the job restarts (row C20): aborted, or left to collect what comes. */
  readonly pendingAtRestart: 'abort' | 'keep';
  /** What a failure restarts (row F1). */
  readonly tasksToRestart: typeof tasksToRestart;
  /** Which slots those get (rows F5, F9). */
  readonly placeSlots: typeof placeSlots;
  /** Whether a pending checkpoint is aborted when some of the subtasks restart; `owes`: one of them has not acknowledged it (row C20). */
  abortsAtRegionFailover(pending: { readonly owes: boolean }): boolean;
  /** Whether master hooks hear of the restart of a region (row C18). */
  readonly hooksAtRegionRestart: 'called' | 'passed-over';
  /** A checkpoint that a master hook has failed (row C25): ended, or completed without that hook's state. */
  readonly failedHook: 'fails-checkpoint' | 'passed-over';
  /** Whether a checkpoint may be triggered: only when every subtask runs or has finished (rows C1, C4). */
  mayTrigger(subtasks: readonly { readonly isRunning: boolean; readonly isFinished: boolean }[]): boolean;
  /** When tasks are told that a checkpoint is complete (row C12, G1). */
  readonly notifyComplete: 'when-durable' | 'when-acknowledged';
  /** What an unanswered pointer write means (row F17): find out, or take it for a failure and discard the files, or for done. */
  readonly unknownPointerWrite: 'resolve' | 'failure' | 'success';
  /** Files of what a new checkpoint drops go after the pointer was moved (row F16), or before. */
  readonly subsume: 'after-pointer' | 'before-pointer';
  /** What a new leader does about a retained checkpoint whose metadata it cannot read (row C19): try again, go without, or clean it up. */
  readonly unreadableMetadata: 'retry' | 'skip' | 'remove';
  /** Whether a write by a leader that was replaced is refused (rows F15, F17), or overwrites what the new one wrote. */
  readonly leaderFencing: 'by-epoch' | 'none';
  /** Whether a leader whose connection to ZooKeeper is lost still leads until it is told that its session is over (row F14). */
  readonly suspendedLeadership: 'lost' | 'kept';
  /** What is asked of ZooKeeper in answer to the loss of a connection: refused, as nobody is connected, or sent over the one that is gone. */
  readonly askedAtConnectionLoss: 'refused' | 'sent';
  /** What a contender does when it reaches ZooKeeper again: look who leads, or rely on the watch that it set before. */
  readonly afterReconnect: 'look-again' | 'trust-watch';
  /** The periodic timer when the limit of concurrent checkpoints is reached (row C3): runs on, or stands still until one completes. */
  readonly timerAtLimit: 'runs-on' | 'until-completion';
  /** What a checkpoint may not exceed (rows C2, C3, C15): as configured. */
  checkpointLimits(configured: CheckpointLimits): CheckpointLimits;
  /** When a job is restarted, and how often (rows F2, F3): as configured. */
  restartStrategy(configured: RestartConfiguration): RestartConfiguration;
  /** The delay of a restart of the whole job (row F4): waited for, or only told. */
  readonly restartDelay: 'waited-for' | 'told';
  /** From one periodic trigger to the next (rows C3, C5); `intervalUs`: that of now, which the backlog may have made longer. */
  periodUs(configured: {
    readonly intervalUs: number;
    readonly minPauseUs: number;
    readonly timeoutUs: number;
  }): number;
  /** A decline that no pending checkpoint waits for (row C9): ordinary lateness, or one more failure. */
  readonly staleDecline: 'ignored' | 'counted';
  /** Failures that a restart strategy, or the tolerance for failed checkpoints, counted before the job was submitted again. */
  readonly failuresOfEarlierRun: 'forgotten' | 'counted';
  /** A trigger that nobody confirms (row C1): fails its checkpoint, or is left to its time-out. */
  readonly lostTrigger: 'noticed' | 'unnoticed';
  /** A snapshot that was restored without a claim (row C27), when it leaves the store. */
  readonly unclaimedSnapshot: 'left-alone' | 'deleted-when-subsumed';
  /** After a stop-with-savepoint that failed (row C28): periodic checkpoints go on, or stay off. */
  readonly failedStop: 'resumes-checkpoints' | 'leaves-them-off';
  /** A request to begin after a run that is not the last one (row C27): comes too late, or is as good as any while the job is over. */
  readonly lateResume: 'refused' | 'carried-out';
  /** What becomes of a request to dispose of a snapshot that the job may be restored from (row C26). */
  readonly disposalOfWhatIsInUse: 'refused' | 'carried-out';
  /** What the end of a run keeps of the checkpoints that are retained (row C16). */
  readonly keptAtEnd: typeof keptAtEnd;
  /** Whether a checkpoint must be made of new files only, though the job is incremental (row C7); `fullFirst`: none of this run is complete yet. */
  isForcedFull(checkpoint: { readonly id: number; readonly floor: number; readonly fullFirst: boolean }): boolean;
  /** Events that an attempt had not acknowledged when it ended (row C24): count as lost, or are waited for by every later checkpoint. */
  readonly eventsOfEndedAttempt: 'lost' | 'waited-for';
  /** Metadata of a checkpoint that is named and not found (row F18): looked for again, or a sign that somebody has deleted it. */
  readonly unfoundMetadata: 'looked-for-again' | 'gone';
  /** When files of a job that has ended count as gone (row F18): when a later look finds none, or when they were deleted. */
  readonly filesOfEndedJob: 'looked-for-again' | 'deleted-once';
  /** A change of resources during the cooldown (row F7): acted upon when that is over, or forgotten. */
  readonly changeInCooldown: 'remembered' | 'forgotten';
  /** Whether a running job is worth a restart (row F7); `possible`: its parallelism then, as many as there are slots, the upper bound at most. */
  isWorthRescaling(at: { readonly possible: number; readonly parallelism: number; readonly slots: number }): boolean;
  /** A request for another parallelism that comes behind a later one (row F6): changes nothing, or is obeyed. */
  readonly lateRescale: 'ignored' | 'obeyed';
  /** What a failure behind the durable savepoint of a stop does (row C28): ends the job, or restarts it like any other. */
  readonly failureWhileStopping: 'ends-job' | 'restarts';
  /** From when a leader counts the lease it has renewed (row F14): from when it asked, or from the answer. */
  readonly leaseCountedFrom: 'request' | 'answer';
  /** Name of a state file; each subtask, attempt and state has its own (row T5). */
  stateFile(question: StateFileQuestion): { readonly path: string; readonly overwrite: boolean };
  /** Whether a file is synced before anybody is told that it is there (D1 in bugs.md). */
  readonly syncBeforeClose: 'sync' | 'none';
  /** How `_metadata` gets its name (D2): renamed when it is whole, or written under it, where what is there counts as whole. */
  readonly metadataCommit: 'rename' | 'in-place';
  /** What the checkpoint says about a partition whose next record to read is `nextOffset`. */
  checkpointedOffset(nextOffset: number): number;
  /** What the checkpoint says about a split; `wasRead`: a record of it was emitted (H5, H6 in bugs.md). */
  checkpointedSplit(split: LogSplit, wasRead: boolean): LogSplit;
  /** Where a source begins in a partition that came while the job ran (FLIP-288): at its start, or where it begins in those of before. */
  readonly startOfNewPartition: 'earliest' | 'as-configured';
  /** A source takes its positions and sends the barrier in one step (row B9), or one of the two after a further batch. */
  readonly sourcePositions: 'with-barrier' | 'after-next-batch' | 'before-batch';
  /** What a source that stops at markers takes a checkpoint at (row C25): its marker, or the coordinator's trigger, wherever it stands. */
  readonly inducedBy: 'marker' | 'trigger';
  /** What such a source does at a marker whose trigger has not come: stays there, or reads on. */
  readonly markerWithoutTrigger: 'holds' | 'reads-on';
  /** The marker of a checkpoint that is over: dropped, or waited for. */
  readonly markerOfAborted: 'dropped' | 'believed';
  /** The options of a barrier that a marker brings about, by those of the trigger: the same (FLINK-25256). */
  inducedOptions(triggered: CheckpointOptions): CheckpointOptions;
  /** A trigger or barrier that is not newer than what a subtask has acted upon (row B9): late, or acted upon all the same. */
  readonly lateTrigger: 'ignored' | 'acted-upon';
  /** A decline that nobody confirms (row C11): sent again, or left to the time-out of its checkpoint. */
  readonly lostDecline: 'sent-again' | 'unnoticed';
  /** Where a new leader begins to count (row C8): at the last id that was ever taken, or at the newest checkpoint. */
  readonly firstIdOfLeader: 'after-last-taken' | 'after-newest-checkpoint';
  /** How operator state is dealt out to the subtasks of a deployment (rows S5 to S7). */
  repartitionOperatorState(question: RepartitionQuestion): readonly (readonly StateHandle[])[];
  /** Whether a piece of the checkpoint that is restored is given up; `configured`: the id whose channel state is (row X26). */
  isGivenUp(state: StateKind, restored: CheckpointId, configured: number): boolean;
  /** Where the in-flight data of a rescaled exchange is looked for: in the state of both of its ends, or of the consumers only (row B19). */
  readonly rescaledInFlight: 'both-ends' | 'consumers';
  /** A checkpoint that lacks what finished subtasks had in union state (row C21). */
  readonly unionOfFinished: 'declined' | 'completed';
  /** Which producers a sink subtask fences and cleans up before it runs (row K10). */
  producersToFence(question: FenceQuestion): readonly number[];
  /** When an operator coordinator's part of a checkpoint is complete (row C24): when each event of before is acknowledged, or at once. */
  readonly coordinatorSnapshot: 'when-events-acknowledged' | 'at-once';
  /** The gateways from a coordinator's cut to the subtask's barrier (row C24). */
  readonly gatewayAtCheckpoint: 'closes' | 'stays-open';
  /** What a coordinator is reset to when the whole job begins again; `found` is what the checkpoint holds of it (row C18). */
  coordinatorStateToRestore(found: Uint8Array | undefined): Uint8Array | undefined;
  /** A reader that lagged when it failed or finished (row C5): forgotten, or taken to lag until it says otherwise. */
  readonly backlogOfEndedReader: 'cleared' | 'kept';
  /**
   * Of the splits that were assigned to a subtask after the checkpoint it restores alone, those that are assigned again (row K2);
   * `currentSource`: of a chain, the one that is read now (row B24).
   */
  splitsToGiveBack(forgotten: readonly LogSplit[], currentSource: number): readonly LogSplit[];
  /** When a reader that is restored as finished ends (row C22): when its coordinator has heard that it is there, or at once. */
  readonly finishedReader: 'ends-when-heard' | 'ends-at-once';
  /** What a reader that was told that there is nothing more is still assigned (row B24): nothing, or what comes back of earlier sources of a chain. */
  readonly splitsToDoneReader: 'none' | 'of-earlier-sources';
  /** What an enumerator had assigned since its checkpoint, when the whole job begins again (row K2): its readers fall back with it. */
  readonly assignmentsAtReset: 'forgotten' | 'kept';
  /** Transactions of the restored state that must survive initialisation of the sink (row K7). */
  transactionsToKeep(restored: readonly string[]): readonly string[];
  /** What to do after a commit was answered; `tries` counts this one (row K6). `drop`: it will never succeed, and the connector knows why. */
  afterCommit(outcome: CommitOutcome, tries: number): 'done' | 'drop' | 'retry' | 'fail';
  /** Whether the committables of one writer subtask and checkpoint may be committed (row K6). */
  isGroupComplete(received: number, expected: number): boolean;
  /** What the transactional ids of a sink begin with (I1 in bugs.md): two sinks of one job never share one. */
  transactionalIdPrefix(jobId: string, uid: string): string;
  /** What a broker that asks about a transaction is answered; `known`: what durable knowledge says. */
  checkBack(known: TransactionState): TransactionState;
  /** When a writer tells a broker that it may be asked (row K9): a broker that restarts has forgotten it. */
  readonly producersRegister: 'with-each-checkpoint' | 'once';
  /** What an upsert may replace: a row of an older version, or any (row K13). */
  readonly upsertReplaces: 'older' | 'any';
  /** What a file sink does with files that earlier attempts began and no restored checkpoint commits (row K12). */
  readonly outputOfEarlierAttempts: 'removed' | 'left';
  /** When files that were compacted go: with the commit of the one that stands for them, or as soon as there is one (row K12). */
  readonly compactedFiles: 'until-committed' | 'removed-at-once';
  /** How a file sink makes sure of a file before its snapshot is acknowledged: on the disks of the datanodes, or in their memory (row K12). */
  readonly outputBeforeClose: 'sync' | 'flush';
  /** Whether what is found under the name of a pending file is that file, committed before; `found`: its bytes, if there is one. */
  isCommittedFile(found: number | undefined, expected: number): boolean;
  /** Whether, an id of this epoch found, the ids behind it are probed, too (row K10, incrementing). */
  probesFurther(producerEpoch: number): boolean;
  /** What becomes of a transaction that is open under an id that is initialized (row K10): decided by whoever is told of it, or aborted. */
  readonly transactionUnderInitializedId: 'told' | 'aborted';
  /** Whether an acknowledgement waits until the brokers have what was written before the barrier (I6). */
  readonly flushBeforeBarrier: 'flushed' | 'unflushed';
  /** Whether what a broker refuses fails the subtask (I6). */
  readonly flushErrors: 'checked' | 'ignored';
  /** What a subtask whose input ended waits for before it ends itself (row C23). */
  readonly finalCheckpoint: 'wait' | 'skip';
  /** Whether the snapshot of a sink whose input ended opens a further transaction, which nobody will ever commit (I8 in bugs.md). */
  readonly transactionAfterFinish: 'none' | 'begun';
  /** Whether a restored subtask knows that its operators had finished (I8). */
  readonly finishedOperators: 'remembered' | 'forgotten';
  /** What the clean-up of a job that has ended does with checkpoints that earlier runs left (row C27). */
  readonly checkpointsOfEarlierRuns: 'left-alone' | 'deleted';
  /** Restored output whose consumer asked before it was there (row B18): sent when the subtask runs, or when further credit comes. */
  readonly restoredOutput: 'sent-at-once' | 'waits-for-credit';
  /** Buffers of a channel that its producer may still be granted (row B15). */
  readonly freeBuffers: (channel: {
    readonly buffers: number;
    readonly queued: number;
    readonly granted: number;
  }) => number;
  /** Finished buffers of one edge that may wait before their producer must pause (row B15). */
  readonly bufferPool: (gate: {
    readonly channels: number;
    readonly exclusive: number;
    readonly floating: number;
  }) => number;
  /** What waits in a queue when another attempt takes over its consumption (row F1; Flink: PipelinedApproximateSubpartition). */
  readonly queueAtReconnect: 'kept' | 'dropped';
  /** What a restart does to the knowledge of who has reached the end of data (FLINK-32945). */
  readonly endOfDataAtRestart: 'cleared' | 'kept' | 'until-replaced';
  /** Whom a checkpoint triggers when sources have finished (row C21). */
  readonly triggered: 'without-running-predecessor' | 'sources';
  createStateBackend(options: StateBackendOptions): KeyedStateBackend;
  /** Where a materialised snapshot ends in the log (row S20): at the change that is not in it, whose number will be `next`. */
  materializedTo(next: number): number;
  /** Under which name a copy of a file of state lies on the node (row S22): its own, which no other file ever has. */
  localCopyName(path: string): string;
  /** Whether such a copy is held against length and checksum of the file before it is used. */
  readonly localCopies: 'verified' | 'trusted';
  /** Files that a subtask writes for later checkpoints while this one completes (row S20): registered with it, or known to nobody. */
  readonly reservedFiles: 'registered' | 'unknown';
  /** Which checkpoint the next incremental one builds on (row S17): the newest that is known to be complete, or whatever was written for any. */
  readonly incrementalBase: 'confirmed' | 'uploaded';
  /** Whether a full checkpoint may be made of files that its subtasks were restored from (rows C7, C27): they may be their user's. */
  readonly fullCheckpoint: 'of-new-files' | 'of-restored-files';
  /** When the files that a checkpoint has in common with others are registered (rows C9, S16). */
  readonly sharedRegistration: 'at-acknowledgement' | 'after-store';
  /** What becomes of a checkpoint that names a file which is not registered (row S16). */
  readonly unknownPlaceholder: 'fails-checkpoint' | 'trusted';
  /** Files that an aborted checkpoint wrote or reused (row G5): left to the sweep, or deleted at once. */
  readonly abortedFiles: 'left-to-sweep' | 'discarded';
  /** What a savepoint that completes does to the files of checkpoints before it (row C16). */
  readonly completedSavepoint: 'subsumes-nothing' | 'subsumes';
  /** How shared files that nobody uses are found: in the directory, or among those that somebody acknowledged. */
  readonly sharedGarbage: 'swept' | 'registered-only';
  /** What a deletion, which runs later, finds of the list it was given (row G5). */
  filesToDelete(paths: readonly string[]): readonly string[];
  /** Whether a leader knows files of a snapshot that was not claimed when that has left the store (row C27). */
  readonly notClaimedFiles: 'remembered' | 'forgotten';
  /** Metadata that a stored pointer does not name (row F16): its checkpoint may wait for a pointer of its own, or it is forgotten with what was dropped. */
  readonly unnamedMetadata: 'may-wait' | 'forgotten';
  /** What earlier runs left and had not kept: swept with the run's own, or left to whom it may concern. */
  readonly leftOfEarlierRuns: 'swept' | 'left-alone';
  /** What a run has claimed (row C27): named by the run until nothing is left of it, or deleted by whoever sees it fall out of use. */
  readonly claimedSnapshot: 'named-until-gone' | 'deleted-when-dropped';
  /** When a TaskManager deletes a merged file (row S19): when nothing in it is in use, or with the first part that is not. */
  readonly mergedFileDeletion: 'with-last' | 'with-first';
  /** Which parts of merged files a notice sets free (FLINK-38347): those of all checkpoints below the oldest retained, or of one. */
  readonly mergedFileNotice: 'all-below' | 'last-below';
  /** Merged files of subtasks that have ended (row S19): found by listing, or left to their TaskManager. */
  readonly mergedFilesOfTheDead: 'swept' | 'left';
  /** When the registry says of a merged file that it is in use: while any part of it is, or until one is not any more. */
  readonly mergedFileUse: 'any-part' | 'every-part';
  /** Where user functions keep what belongs to no key. */
  createOperatorStateStore(operator: string): OperatorStateStore;
  /** What an operator with timers knows of event time when it begins (row B22): nothing, whether it is restored or not. */
  initialWatermarkUs(isRestored: boolean): number;
  /**
   * What a channel that says it is idle does to event time (row S11): it holds nobody back; or is waited for like the others; or lets it go on to
   * that of the furthest channel.
   */
  readonly idleChannels: 'left-out' | 'waited-for' | 'passed-over';
  /** Whether event time waits for an input that no watermark came from yet. */
  readonly unheardInputs: 'waited-for' | 'left-out';
  /** When the watermark of a channel counts: in its place among records and barriers (row B25), or already while it waits behind a barrier. */
  readonly watermarkOrder: 'in-place' | 'ahead-of-barrier';
  /** Whether restored timers of processing time are armed before a new one is registered (G6 in bugs.md). */
  readonly restoredTimers: 'armed' | 'forgotten';
  /** See WindowRules. */
  readonly windows: WindowRules;
  /** See PatternRules. */
  readonly patterns: PatternRules;
  /** When an entry that is read from a snapshot was last accessed (row S12): then, whatever `nowUs` is. */
  restoredAccess(writtenUs: number, nowUs: number): number;
  /** When an unaligned snapshot is taken: in the action of its first barrier (row G2), or after one more buffer. */
  readonly unalignedSnapshot: 'at-barrier' | 'after-next-buffer';
  /** Whether a channel whose newest barrier is `lastSeen` stands behind its barrier of `id` (row B6). */
  hasDeliveredBarrier(lastSeen: number, id: CheckpointId): boolean;
  /** Under which number the data of an input channel is gathered. */
  channelNumber(channel: { readonly number: number; readonly edge: number; readonly peer: number }): number;
  /** Whether the abort of one checkpoint ends the gathering of in-flight data for another (row B6): for its own only, or for any. */
  readonly abortEndsGathering: 'of-its-own' | 'of-any';
  /** Whether recovered data that was not consumed yet is part of the next snapshot (row B6). */
  readonly persistsRecovered: boolean;
  /** Whether data that a barrier overtook in an output queue is part of the snapshot (row B7). */
  readonly persistsOvertakenOutput: boolean;
  /** Whether a barrier jumps ahead; `unalignedJob`: what the job is set to. */
  barrierOvertakes(options: CheckpointOptions, unalignedJob: boolean): boolean;
  /** Which notices of completion a subtask's functions are told of (row C14): each once, the newest last, or whatever arrives. */
  readonly completionNotices: 'in-order' | 'as-they-come';
  /** A barrier that is newer than the checkpoint being collected (row B1). */
  readonly newerBarrier: 'cancels-older' | 'is-ignored';
}

export interface StateBackendOptions {
  readonly keySerializer: TypeSerializer<StateKey>;
  readonly keyGroups: KeyGroupRange;
  readonly maxParallelism: number;
  /** Uid of the operator, for messages. */
  readonly operator?: string;
  readonly backend: BackendName;
  /** Where a store on the node counts what it does. */
  readonly work: StoreWork;
  /** Where it keeps its files; absent: in memory, for who looks at state and runs no job. */
  readonly directory?: WorkingDirectory;
  /** What becomes of a restored segment with rows of other key groups (row S18); absent: clipped. */
  readonly foreignRows?: 'clipped' | 'kept';
  /** How long a deleted row is remembered when segments are merged (row S17); absent: until nothing older can be below it. */
  readonly deletedRows?: DeletedRows;
  /** Whether a snapshot has what was changed in place since the current key was set (row S15); absent: it has. */
  readonly valuesInHand?: 'in-snapshot' | 'left-out';
  /** Absent: changes are not logged (row S20). */
  readonly changelog?: ChangelogOptions;
}

/** Flink: sink.committer.retries. */
const COMMIT_TRIES_MAX = 10;

export const standardParts: EngineParts = {
  chooseRestore: (pointer) => pointer.completed.at(-1),
  acceptsAcknowledgement: (required, attempt) => required.has(attempt),
  pendingAtRestart: 'abort',
  tasksToRestart,
  placeSlots,
  abortsAtRegionFailover: () => true,
  hooksAtRegionRestart: 'called',
  failedHook: 'fails-checkpoint',
  mayTrigger: (subtasks) => subtasks.every(({ isRunning, isFinished }) => isRunning || isFinished),
  notifyComplete: 'when-durable',
  unknownPointerWrite: 'resolve',
  subsume: 'after-pointer',
  unreadableMetadata: 'retry',
  leaderFencing: 'by-epoch',
  suspendedLeadership: 'lost',
  askedAtConnectionLoss: 'refused',
  afterReconnect: 'look-again',
  timerAtLimit: 'runs-on',
  checkpointLimits: (configured) => configured,
  restartStrategy: (configured) => configured,
  restartDelay: 'waited-for',
  periodUs: ({ intervalUs, minPauseUs }) => Math.max(intervalUs, minPauseUs),
  staleDecline: 'ignored',
  failuresOfEarlierRun: 'forgotten',
  lostTrigger: 'noticed',
  unclaimedSnapshot: 'left-alone',
  failedStop: 'resumes-checkpoints',
  lateResume: 'refused',
  disposalOfWhatIsInUse: 'refused',
  keptAtEnd,
  isForcedFull: ({ fullFirst }) => fullFirst,
  eventsOfEndedAttempt: 'lost',
  unfoundMetadata: 'looked-for-again',
  filesOfEndedJob: 'looked-for-again',
  changeInCooldown: 'remembered',
  isWorthRescaling: ({ possible, parallelism }) => possible !== parallelism,
  lateRescale: 'ignored',
  failureWhileStopping: 'ends-job',
  leaseCountedFrom: 'request',
  stateFile: ({ directory, operator, state, subtask, attempt }) => ({
    path: `${directory}/${operator}-${subtask}-${attempt}.${state}`,
    overwrite: false,
  }),
  syncBeforeClose: 'sync',
  metadataCommit: 'rename',
  checkpointedOffset: (nextOffset) => nextOffset,
  checkpointedSplit: (split) => split,
  startOfNewPartition: 'earliest',
  sourcePositions: 'with-barrier',
  inducedBy: 'marker',
  markerWithoutTrigger: 'holds',
  markerOfAborted: 'dropped',
  inducedOptions: (triggered) => triggered,
  lateTrigger: 'ignored',
  lostDecline: 'sent-again',
  firstIdOfLeader: 'after-last-taken',
  repartitionOperatorState,
  isGivenUp: (state, restored, configured) =>
    restored === configured && (state === 'input-channel' || state === 'output-channel'),
  rescaledInFlight: 'both-ends',
  unionOfFinished: 'declined',
  producersToFence: ({ subtask, parallelism, highestParallelism }) => {
    const count = Math.ceil((Math.max(highestParallelism, parallelism) - subtask) / parallelism);
    return Array.from({ length: count }, (_, index) => subtask + index * parallelism);
  },
  coordinatorSnapshot: 'when-events-acknowledged',
  gatewayAtCheckpoint: 'closes',
  coordinatorStateToRestore: (found) => found,
  backlogOfEndedReader: 'cleared',
  splitsToGiveBack: (forgotten) => forgotten,
  finishedReader: 'ends-when-heard',
  splitsToDoneReader: 'none',
  assignmentsAtReset: 'forgotten',
  transactionsToKeep: (restored) => restored,
  afterCommit: (outcome, tries) => {
    if (outcome === 'committed' || outcome === 'already-committed') return 'done';
    if (outcome === 'failed-known') return 'drop';
    return outcome === 'retry-later' && tries < COMMIT_TRIES_MAX ? 'retry' : 'fail';
  },
  transactionalIdPrefix: (jobId, uid) => `${jobId}-${uid}`,
  checkBack: (known) => known,
  producersRegister: 'with-each-checkpoint',
  upsertReplaces: 'older',
  outputOfEarlierAttempts: 'removed',
  compactedFiles: 'until-committed',
  outputBeforeClose: 'sync',
  isCommittedFile: (found, expected) => found === expected,
  probesFurther: (producerEpoch) => producerEpoch > 0,
  transactionUnderInitializedId: 'told',
  flushBeforeBarrier: 'flushed',
  flushErrors: 'checked',
  isGroupComplete: (received, expected) => received === expected,
  finalCheckpoint: 'wait',
  transactionAfterFinish: 'none',
  finishedOperators: 'remembered',
  checkpointsOfEarlierRuns: 'left-alone',
  restoredOutput: 'sent-at-once',
  bufferPool: ({ channels, exclusive, floating }) => channels * exclusive + floating,
  queueAtReconnect: 'kept',
  endOfDataAtRestart: 'cleared',
  triggered: 'without-running-predecessor',
  createStateBackend: (options) => {
    const open = (changes?: StateChangeListener): TellingBackend => {
      const told = changes === undefined ? options : { ...options, changes };
      return options.backend === 'lsm' ? new LsmStateBackend(told) : new HashMapStateBackend(told);
    };
    return options.changelog === undefined ? open() : new ChangelogStateBackend(options.changelog, open);
  },
  materializedTo: (next) => next,
  localCopyName: (path) => path,
  localCopies: 'verified',
  reservedFiles: 'registered',
  incrementalBase: 'confirmed',
  fullCheckpoint: 'of-new-files',
  mergedFileDeletion: 'with-last',
  mergedFileNotice: 'all-below',
  mergedFilesOfTheDead: 'swept',
  mergedFileUse: 'any-part',
  sharedRegistration: 'at-acknowledgement',
  unknownPlaceholder: 'fails-checkpoint',
  abortedFiles: 'left-to-sweep',
  completedSavepoint: 'subsumes-nothing',
  sharedGarbage: 'swept',
  filesToDelete: (paths) => paths,
  notClaimedFiles: 'remembered',
  unnamedMetadata: 'may-wait',
  leftOfEarlierRuns: 'swept',
  claimedSnapshot: 'named-until-gone',
  createOperatorStateStore: (operator) => new OperatorStateStore(operator),
  initialWatermarkUs: () => START_OF_TIME_US,
  idleChannels: 'left-out',
  unheardInputs: 'waited-for',
  watermarkOrder: 'in-place',
  restoredTimers: 'armed',
  windows: {
    mergedContents: 'merged',
    lateRecords: 'in-no-window',
    latenessUs: (allowedUs) => allowedUs,
    trigger: createTrigger,
    outputTime: 'last-instant',
    purgedContents: 'none',
  },
  patterns: standardPatternRules,
  restoredAccess: (writtenUs) => writtenUs,
  unalignedSnapshot: 'at-barrier',
  freeBuffers: ({ buffers, queued, granted }) => buffers - queued - granted,
  hasDeliveredBarrier: (lastSeen, id) => lastSeen >= id,
  channelNumber: ({ number }) => number,
  abortEndsGathering: 'of-its-own',
  persistsRecovered: true,
  persistsOvertakenOutput: true,
  barrierOvertakes: (options) => overtakes(options),
  completionNotices: 'in-order',
  newerBarrier: 'cancels-older',
};

/** `<dir>/<job>/chk-<n>` (row T2). */
export const checkpointDirectory = (directory: string, jobId: string, id: CheckpointId): string =>
  `${directory}/${jobId}/chk-${id}`;
