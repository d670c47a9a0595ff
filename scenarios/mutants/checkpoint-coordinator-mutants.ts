/** What the coordinator of checkpoints and savepoints may forget, or take for its own. */
import { standardParts } from '../../engine/parts.ts';
import { type Mutant, SEE_EARLY_DELETION, withWrong } from './mutant.ts';

export const abortForgetsTimer: Mutant = {
  slug: 'abort-forgets-timer',
  bug: 'FLINK-13256',
  story: 'At the limit of pending checkpoints the periodic timer stands still, and only a completion starts it again.',
  parts: withWrong({ timerAtLimit: 'until-completion' }),
  scenario: 'region-failover',
  judges: ['exactly-once-output', 'progress'],
};

export const periodNotBelowTimeout: Mutant = {
  slug: 'period-not-below-timeout',
  bug: 'own (row C3)',
  story:
    'The period of checkpoints is kept from falling below their time-out, as it should be from falling below the pause between them: no two ever overlap, and they come as rarely as they may take long.',
  parts: withWrong({ periodUs: ({ intervalUs, timeoutUs }) => Math.max(intervalUs, timeoutUs) }),
  scenario: 'standard',
  judges: ['progress'],
};

const LIMITS = 'limits-of-checkpoints';

export const periodHalved: Mutant = {
  slug: 'period-halved',
  bug: 'own (row C3)',
  story: 'The timer of periodic checkpoints runs twice as fast as it should: each is right, and the job pays for two.',
  parts: withWrong({ periodUs: ({ intervalUs }) => Math.ceil(intervalUs / 2) }),
  scenario: 'standard',
  judges: ['bounds'],
};

export const minimumPauseIgnored: Mutant = {
  slug: 'minimum-pause-ignored',
  bug: 'own (row C3)',
  story:
    'A checkpoint that is due is triggered as soon as the one before has completed, be the minimum pause what it may.',
  parts: withWrong({ checkpointLimits: (configured) => ({ ...configured, minPauseUs: 0 }) }),
  scenario: LIMITS,
  judges: ['bounds'],
};

export const pendingWithoutLimit: Mutant = {
  slug: 'pending-without-limit',
  bug: 'own (row C2)',
  story: 'Checkpoints are triggered by the clock, however many of them are pending.',
  parts: withWrong({ checkpointLimits: (configured) => ({ ...configured, maxConcurrent: Number.POSITIVE_INFINITY }) }),
  scenario: LIMITS,
  judges: ['bounds'],
};

export const failuresWithoutLimit: Mutant = {
  slug: 'failures-without-limit',
  bug: 'own (row C15)',
  story: 'Checkpoints may fail in a row for ever: nobody restarts the job for it, and it goes on without a checkpoint.',
  parts: withWrong({
    checkpointLimits: (configured) => ({ ...configured, tolerableFailures: Number.POSITIVE_INFINITY }),
  }),
  scenario: LIMITS,
  judges: ['bounds'],
};

export const expiresEarly: Mutant = {
  slug: 'expires-early',
  bug: 'own (row C29)',
  story: 'A pending checkpoint expires when two thirds of its time-out are over.',
  parts: withWrong({
    checkpointLimits: (configured) => ({ ...configured, timeoutUs: Math.floor((configured.timeoutUs * 2) / 3) }),
  }),
  scenario: LIMITS,
  judges: ['bounds'],
};

export const restartDelayHalved: Mutant = {
  slug: 'restart-delay-halved',
  bug: 'own (row F3)',
  story: 'A job is restarted after half the delay that its strategy has.',
  parts: withWrong({
    restartStrategy: (configured) =>
      'delayUs' in configured ? { ...configured, delayUs: Math.floor(configured.delayUs / 2) } : configured,
  }),
  scenario: LIMITS,
  judges: ['bounds'],
};

export const toleratesOneLess: Mutant = {
  slug: 'tolerates-one-less',
  bug: 'own (row C15)',
  story: 'The job restarts when as many checkpoints have failed in a row as it may tolerate, not when more have.',
  parts: withWrong({
    checkpointLimits: (configured) => ({ ...configured, tolerableFailures: configured.tolerableFailures - 1 }),
  }),
  scenario: LIMITS,
  judges: ['bounds'],
};

export const restartDelayNotAwaited: Mutant = {
  slug: 'restart-delay-not-awaited',
  bug: 'own (row F4)',
  story:
    'The delay of a restart is told, and the job is deployed as soon as its tasks have ended: what made it fail is still there.',
  parts: withWrong({ restartDelay: 'told' }),
  scenario: LIMITS,
  judges: ['bounds'],
};

export const lateDeclineKillsNewAttempt: Mutant = {
  slug: 'late-decline-kills-new-attempt',
  bug: 'FLINK-13593',
  story: 'A decline of a checkpoint that is over, or of an attempt that is, raises the failure counter like any other.',
  parts: withWrong({ staleDecline: 'counted' }),
  scenario: 'declined-by-all',
  judges: ['bounds', 'exactly-once-output', 'progress'],
};

export const failuresOutliveRun: Mutant = {
  slug: 'failures-outlive-run',
  bug: 'own (found by a judge)',
  story:
    'A job that is submitted again under the same leader has the failures of the run before against it: its delays are long from the first one, and its attempts fewer.',
  parts: withWrong({ failuresOfEarlierRun: 'counted' }),
  scenario: 'stop-meets-failure',
  judges: ['bounds', 'progress'],
};

export const declineSentOnce: Mutant = {
  slug: 'decline-sent-once',
  bug: 'own (found by a sweep)',
  story: 'A decline that is lost is not sent again, and its checkpoint holds up all others until its time-out.',
  parts: withWrong({ lostDecline: 'unnoticed' }),
  scenario: 'lost-declines',
  judges: ['progress'],
};

export const failedStopLeavesTimerOff: Mutant = {
  slug: 'failed-stop-leaves-timer-off',
  bug: 'FLINK-15152',
  story: 'Periodic checkpoints are switched off for a stop with savepoint, and stay off when the savepoint fails.',
  parts: withWrong({ failedStop: 'leaves-them-off' }),
  scenario: 'stop-that-fails',
  judges: ['exactly-once-output', 'progress'],
};

export const lostTriggerUnnoticed: Mutant = {
  slug: 'lost-trigger-unnoticed',
  bug: 'CheckpointCoordinator.triggerTasks (row C1)',
  story:
    'Nobody waits for the answers to triggers: when one is lost, its savepoint is pending until it expires, and who has stopped for it stands still.',
  parts: withWrong({ lostTrigger: 'unnoticed' }),
  scenario: 'lost-triggers',
  judges: ['progress'],
};

export const lateResumeCarriedOut: Mutant = {
  slug: 'late-resume-carried-out',
  bug: 'own',
  story:
    'A request to begin the job again is carried out whenever the job is over. One whose answer was lost comes again behind a later run, and goes back.',
  parts: withWrong({ lateResume: 'carried-out' }),
  scenario: 'unanswered-resume',
  judges: ['exactly-once-output', 'exactly-once-state', 'savepoints'],
};

export const stoppedJobRestarts: Mutant = {
  slug: 'stopped-job-restarts',
  bug: 'FLINK-21030',
  story:
    'A subtask fails when the savepoint of a stop is durable and others have finished with it: the job is restarted from an older checkpoint, though its sinks commit what the savepoint holds.',
  parts: withWrong({ failureWhileStopping: 'restarts' }),
  scenario: 'stop-meets-failure',
  judges: ['checkpoint-lifecycle', 'exactly-once-output', 'exactly-once-state', 'progress'],
};

export const fullOnlyOnceTried: Mutant = {
  slug: 'full-only-once-tried',
  bug: 'own (row C7)',
  story:
    'The first checkpoint of a run without a claim is a full one. When it fails, the next one is made of files that the run was restored from.',
  parts: withWrong({ isForcedFull: ({ fullFirst, id, floor }) => fullFirst && id === floor + 1 }),
  scenario: 'unclaimed-runs',
  judges: ['checkpoint-lifecycle', 'retention'],
};

export const inUseDisposed: Mutant = {
  slug: 'in-use-disposed',
  bug: 'own (row C26)',
  story: 'A savepoint is disposed of when its user asks for it, though the job may be restored from it.',
  parts: withWrong({ disposalOfWhatIsInUse: 'carried-out' }),
  scenario: 'restore-savepoint',
  judges: SEE_EARLY_DELETION,
};

export const failedRunDropsCheckpoints: Mutant = {
  slug: 'failed-run-drops-checkpoints',
  bug: 'own (row C16)',
  story:
    'Checkpoints are retained when a job is canceled. A job that fails for good loses them, though its user would begin from them again.',
  parts: withWrong({
    keptAtEnd: (all, status, retention) => (status === 'failed' ? [] : standardParts.keptAtEnd(all, status, retention)),
  }),
  scenario: 'stop-meets-failure',
  judges: ['checkpoint-lifecycle'],
};

export const noClaimNotRemembered: Mutant = {
  slug: 'no-claim-not-remembered',
  bug: 'FLINK-26985',
  story:
    'A snapshot that was restored without being claimed is deleted when it is subsumed, like one of the job’s own.',
  parts: withWrong({ unclaimedSnapshot: 'deleted-when-subsumed' }),
  scenario: 'cancel-and-restore-retained',
  judges: ['retention', 'savepoints', 'restore-audit'],
};
