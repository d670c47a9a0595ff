/**
 * The mutants: an explicit list, and the engine that a plan's `variant` means.
 *
 * Called by `live`, so that a plan with a variant replays its mutant. What finds each of them is measured in docs/mutants.md.
 */
import { approximateForgetsDownstream, queueDroppedAtReconnect } from './approximate-mutants.ts';
import type { BrokerRules } from '../../sim/services/kafka/broker-rules.ts';
import { type EngineParts, standardParts } from '../../engine/parts.ts';
import { namesLike } from '../did-you-mean.ts';
import { changelogBoundaryOffByOne, reservedFilesSwept } from './changelog-mutants.ts';
import {
  abortForgetsTimer,
  declineSentOnce,
  failuresOutliveRun,
  failedStopLeavesTimerOff,
  periodNotBelowTimeout,
  periodHalved,
  minimumPauseIgnored,
  pendingWithoutLimit,
  failuresWithoutLimit,
  toleratesOneLess,
  expiresEarly,
  restartDelayHalved,
  restartDelayNotAwaited,
  lateResumeCarriedOut,
  stoppedJobRestarts,
  lostTriggerUnnoticed,
  lateDeclineKillsNewAttempt,
  noClaimNotRemembered,
  failedRunDropsCheckpoints,
  fullOnlyOnceTried,
  inUseDisposed,
} from './checkpoint-coordinator-mutants.ts';
import {
  backlogFlagSurvivesReader,
  checkpointDoesNotWaitForEvents,
  eventsOfTheDeadWaitedFor,
  enumeratorStateNotRestored,
  gatewayStaysOpen,
  noticesAsTheyCome,
} from './coordinator-mutants.ts';
import {
  barrierAcceptOffByOne,
  newerBarrierDoesNotCancelOlder,
  processAfterBarrierBeforeSnapshot,
  rpcPerMessageNoOrder,
  savepointBarrierHasPriority,
} from './barrier-mutants.ts';
import {
  abortEndsGathering,
  checkpointDuringChannelRecovery,
  creditGrantedAgain,
  floatingBuffersPerChannel,
  givenUpAtEveryRestore,
  givenUpOutputRestored,
  givenUpWithOperatorState,
  multiGateIndexMixup,
  overtakenOutputNotPersisted,
  restoredOutputWaits,
} from './channel-state-mutants.ts';
import {
  filesOfLostTaskManagerLeft,
  lostNoticeKeepsMergedFile,
  mergedFileForgottenWithItsFirstPart,
  mergedFileGoesWithItsFirstPart,
} from './file-merging-mutants.ts';
import { notifyBeforeDurable, unknownWriteIsFailure } from './durability-mutants.ts';
import {
  deleteDataBeforePointer,
  leaseCountedFromAnswer,
  lateFilesLeft,
  idsFromNewestCheckpoint,
  suspendedKeepsLeading,
  unknownWriteIsSuccess,
  unreadableCheckpointSkipped,
  unreadableCheckpointRemoved,
  watchLossForgotten,
  askedOverLostConnection,
  zombieJobManagerCanSubsume,
} from './leadership-mutants.ts';
import {
  deadTaskKeepsPending,
  pendingSurvivesFailover,
  regionForgetsDownstream,
  occupiedSlotGivenAway,
  triggerWhileRecovering,
} from './failover-mutants.ts';
import {
  beginTransactionAfterFinish,
  endOfDataSurvivesRestart,
  endOfDataUntilReplaced,
  finishTwiceEmitsTwice,
  finishWithoutFinalCommit,
  triggerSourcesOnly,
  earlierRunsDeletedAtTheEnd,
} from './finish-mutants.ts';
import {
  timersWithoutNamespace,
  lateRecordInBothOutputs,
  lateRecordFiresNothing,
  firedWindowPurged,
  forgottenWindowBegunAnew,
  latenessForgotten,
  mergedSessionForgets,
  purgedWindowKeepsContents,
  unheardInputLeftOut,
  windowKeepsTimeOfItsCause,
  restoredTimersNotArmed,
  idleChannelPassedOver,
  idleChannelWaitedFor,
  restoredWatermarkMax,
  timerRegisteredTwice,
  timersStayBehindAtRescale,
  watermarkEmittedBeforeBarrier,
} from './event-time-mutants.ts';
import { failedHookPassedOver, hookNotToldOfRegion } from './hook-mutants.ts';
import {
  abortedMarkerBelieved,
  inducedByTrigger,
  inducedSavepointAsCheckpoint,
  readsPastMarker,
} from './induced-mutants.ts';
import { localCopyOfAnyCheckpoint, localCopyUnchecked } from './local-recovery-mutants.ts';
import type { Mutant } from './mutant.ts';
import { cepBufferNotInState, cepEventsAsTheyCame, cepPartialMatchesNotClearedAtTimeout } from './pattern-mutants.ts';
import {
  broadcastRedistributedWithFullReport,
  elementFormsNotCompared,
  operatorStateDeepCopyForgotten,
  movedListLosesAnElement,
  unionAtSameParallelismNotMerged,
  unionOfFinishedCompletes,
} from './operator-state-mutants.ts';
import {
  keyGroupsNotClipped,
  lateRescaleObeyed,
  noAbortAfterScaleDown,
  prefixMatchSubtask,
  changeInCooldownForgotten,
  rescaledToItsWidth,
  rescaledOutputForgotten,
  txnIdRangesOverlap,
  unionStateSplit,
} from './rescale-mutants.ts';
import { ackIgnoresAttempt, checkpointIdsSortedAsText, restartWithoutRestore } from './restart-mutants.ts';
import {
  abortIncludesPrecommitted,
  checkBackAnswersCommit,
  checkBackRollsBackUndecided,
  registeredOnce,
  commitErrorLogged,
  compactionRemovesEarly,
  fileNotSyncedAtSnapshot,
  flushWithoutErrorCheck,
  inProgressFilesLeft,
  incrementingProbeStopsEarly,
  lsoIgnored,
  pendingFilesRemoved,
  recommitFails,
  noFlushOnSnapshot,
  poolingAbortsPrecommitted,
  initializationAborts,
  timeoutAbortWithoutFence,
  epochCheckNotStrict,
  txnIdWithoutOperator,
  upsertWithoutVersion,
} from './sink-mutants.ts';
import {
  barrierBeforeOffset,
  offsetInclusive,
  recordBetweenOffsetAndBarrier,
  newPartitionBeginsAtLatest,
  positionIgnoresSubrecord,
  splitsBackToDoneReader,
  assignmentsOutliveRestart,
  splitsBackToNewSource,
  symbolicLatestInCheckpoint,
  finishedReaderEndsUnheard,
} from './source-mutants.ts';
import {
  fullUsesRestoredFiles,
  removalForgottenInMerge,
  snapshotWithoutWhatIsInHand,
  abortDiscardsReusedFiles,
  baseFromUnconfirmed,
  claimForgottenByNextLeader,
  clearBeforeAsyncDiscard,
  earlierRunsLeftAlone,
  noClaimLostAfterSecondFailover,
  waitingMetadataForgotten,
  unfoundMetadataCountsAsGone,
  partialUploadNotTracked,
  placeholderOfDeletedFile,
  registerAfterStore,
  savepointSubsumesBase,
  segmentNotClipped,
} from './shared-state-mutants.ts';
import {
  asyncPartNotIsolated,
  migrationAppliedTwice,
  timeToLiveRefused,
  restoreForgetsLastBlock,
  stateKeyWithoutSubtask,
  ttlTimestampNotInSnapshot,
} from './state-mutants.ts';
import { ackBeforeFsync, noAtomicRename } from './storage-mutants.ts';

export const STANDARD_VARIANT = 'standard';

/** From the coarse to the fine. */
export const MUTANTS: readonly Mutant[] = [
  restartWithoutRestore,
  checkpointIdsSortedAsText,
  offsetInclusive,
  barrierBeforeOffset,
  recordBetweenOffsetAndBarrier,
  asyncPartNotIsolated,
  restoreForgetsLastBlock,
  ttlTimestampNotInSnapshot,
  migrationAppliedTwice,
  timeToLiveRefused,
  stateKeyWithoutSubtask,
  ackBeforeFsync,
  noAtomicRename,
  notifyBeforeDurable,
  unknownWriteIsFailure,
  unknownWriteIsSuccess,
  deleteDataBeforePointer,
  leaseCountedFromAnswer,
  lateFilesLeft,
  zombieJobManagerCanSubsume,
  unreadableCheckpointSkipped,
  unreadableCheckpointRemoved,
  idsFromNewestCheckpoint,
  suspendedKeepsLeading,
  watchLossForgotten,
  askedOverLostConnection,
  ackIgnoresAttempt,
  commitErrorLogged,
  abortIncludesPrecommitted,
  noFlushOnSnapshot,
  flushWithoutErrorCheck,
  txnIdWithoutOperator,
  incrementingProbeStopsEarly,
  poolingAbortsPrecommitted,
  initializationAborts,
  timeoutAbortWithoutFence,
  epochCheckNotStrict,
  lsoIgnored,
  pendingFilesRemoved,
  inProgressFilesLeft,
  recommitFails,
  fileNotSyncedAtSnapshot,
  upsertWithoutVersion,
  checkBackAnswersCommit,
  checkBackRollsBackUndecided,
  registeredOnce,
  compactionRemovesEarly,
  unionStateSplit,
  keyGroupsNotClipped,
  lateRescaleObeyed,
  noAbortAfterScaleDown,
  txnIdRangesOverlap,
  prefixMatchSubtask,
  changeInCooldownForgotten,
  rescaledToItsWidth,
  rescaledOutputForgotten,
  pendingSurvivesFailover,
  deadTaskKeepsPending,
  triggerWhileRecovering,
  regionForgetsDownstream,
  occupiedSlotGivenAway,
  enumeratorStateNotRestored,
  checkpointDoesNotWaitForEvents,
  eventsOfTheDeadWaitedFor,
  gatewayStaysOpen,
  noticesAsTheyCome,
  backlogFlagSurvivesReader,
  newerBarrierDoesNotCancelOlder,
  rpcPerMessageNoOrder,
  overtakenOutputNotPersisted,
  abortEndsGathering,
  creditGrantedAgain,
  floatingBuffersPerChannel,
  restoredOutputWaits,
  givenUpWithOperatorState,
  givenUpAtEveryRestore,
  givenUpOutputRestored,
  approximateForgetsDownstream,
  queueDroppedAtReconnect,
  multiGateIndexMixup,
  checkpointDuringChannelRecovery,
  processAfterBarrierBeforeSnapshot,
  barrierAcceptOffByOne,
  finishWithoutFinalCommit,
  earlierRunsDeletedAtTheEnd,
  beginTransactionAfterFinish,
  finishTwiceEmitsTwice,
  endOfDataSurvivesRestart,
  endOfDataUntilReplaced,
  triggerSourcesOnly,
  abortForgetsTimer,
  periodNotBelowTimeout,
  periodHalved,
  minimumPauseIgnored,
  pendingWithoutLimit,
  failuresWithoutLimit,
  toleratesOneLess,
  expiresEarly,
  restartDelayHalved,
  restartDelayNotAwaited,
  lateDeclineKillsNewAttempt,
  declineSentOnce,
  failuresOutliveRun,
  failedStopLeavesTimerOff,
  lostTriggerUnnoticed,
  lateResumeCarriedOut,
  stoppedJobRestarts,
  noClaimNotRemembered,
  fullOnlyOnceTried,
  inUseDisposed,
  failedRunDropsCheckpoints,
  savepointBarrierHasPriority,
  unionAtSameParallelismNotMerged,
  movedListLosesAnElement,
  broadcastRedistributedWithFullReport,
  operatorStateDeepCopyForgotten,
  elementFormsNotCompared,
  unionOfFinishedCompletes,
  watermarkEmittedBeforeBarrier,
  restoredWatermarkMax,
  idleChannelPassedOver,
  idleChannelWaitedFor,
  restoredTimersNotArmed,
  timersStayBehindAtRescale,
  timerRegisteredTwice,
  timersWithoutNamespace,
  mergedSessionForgets,
  lateRecordInBothOutputs,
  lateRecordFiresNothing,
  firedWindowPurged,
  forgottenWindowBegunAnew,
  latenessForgotten,
  windowKeepsTimeOfItsCause,
  purgedWindowKeepsContents,
  unheardInputLeftOut,
  registerAfterStore,
  savepointSubsumesBase,
  abortDiscardsReusedFiles,
  noClaimLostAfterSecondFailover,
  waitingMetadataForgotten,
  unfoundMetadataCountsAsGone,
  claimForgottenByNextLeader,
  earlierRunsLeftAlone,
  partialUploadNotTracked,
  clearBeforeAsyncDiscard,
  segmentNotClipped,
  fullUsesRestoredFiles,
  removalForgottenInMerge,
  snapshotWithoutWhatIsInHand,
  baseFromUnconfirmed,
  placeholderOfDeletedFile,
  mergedFileGoesWithItsFirstPart,
  mergedFileForgottenWithItsFirstPart,
  lostNoticeKeepsMergedFile,
  filesOfLostTaskManagerLeft,
  changelogBoundaryOffByOne,
  reservedFilesSwept,
  localCopyOfAnyCheckpoint,
  localCopyUnchecked,
  cepPartialMatchesNotClearedAtTimeout,
  cepBufferNotInState,
  cepEventsAsTheyCame,
  inducedByTrigger,
  readsPastMarker,
  abortedMarkerBelieved,
  inducedSavepointAsCheckpoint,
  hookNotToldOfRegion,
  failedHookPassedOver,
  symbolicLatestInCheckpoint,
  finishedReaderEndsUnheard,
  positionIgnoresSubrecord,
  newPartitionBeginsAtLatest,
  splitsBackToNewSource,
  splitsBackToDoneReader,
  assignmentsOutliveRestart,
];

/** All names that a plan's `variant` may be. */
export const VARIANTS: readonly string[] = [STANDARD_VARIANT, ...MUTANTS.map(({ slug }) => slug)];

/** Variants that a wrong name may have meant. */
const LIKE_MOST = 3;

/** ` Did you mean 'x' or 'y'?`; empty where no name is like it. */
export function variantsLike(variant: string): string {
  const names = namesLike(variant, VARIANTS, LIKE_MOST).map((name) => `'${name}'`);
  const last = names.pop();
  if (last === undefined) return '';
  return ` Did you mean ${names.length === 0 ? last : `${names.join(', ')} or ${last}`}?`;
}

/** A plan names an engine that there is none of. */
export class UnknownVariant extends Error {
  override readonly name = 'UnknownVariant';
}

/** The engine of a variant: the standard one, or that of a mutant. Throws `UnknownVariant`. */
export function partsOf(variant: string): EngineParts {
  if (variant === STANDARD_VARIANT) return standardParts;
  const mutant = MUTANTS.find(({ slug }) => slug === variant);
  if (mutant !== undefined) return mutant.parts;
  throw new UnknownVariant(
    `The plan asks for the engine variant '${variant}', which there is none of; docs/mutants.md has all.${variantsLike(variant)}`,
  );
}

/** The brokers of a variant, where it is they that are wrong. */
export const brokerRulesOf = (variant: string): BrokerRules | undefined =>
  MUTANTS.find(({ slug }) => slug === variant)?.brokerRules;
