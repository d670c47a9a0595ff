/**
 * What a two-phase commit may get wrong: a commit that was not confirmed, transactions that a restore finds, writes that were not flushed; and
 * what the other side may get wrong, the brokers (group J of bugs.md).
 */
import { standardParts } from '../../engine/parts.ts';
import { type BrokerRules, standardBrokerRules } from '../../sim/services/kafka/broker-rules.ts';
import { type Mutant, withWrong } from './mutant.ts';

export const commitErrorLogged: Mutant = {
  slug: 'commit-error-logged',
  bug: 'FLINK-23896',
  story: 'A commit that fails is noted and taken for done; nobody tries again.',
  parts: withWrong({ afterCommit: () => 'done' }),
  scenario: 'sink-outage-before-commit',
  judges: ['exactly-once-output', 'progress'],
};

export const abortIncludesPrecommitted: Mutant = {
  slug: 'abort-includes-precommitted',
  bug: 'FLINK-34554',
  story:
    'A restoring sink aborts every open transaction of its name, those too that the restored checkpoint says to commit.',
  parts: withWrong({ transactionsToKeep: () => [] }),
  scenario: 'jobmanager-crash-before-notify',
  judges: ['exactly-once-output', 'progress', 'retention'],
};

export const noFlushOnSnapshot: Mutant = {
  slug: 'no-flush-on-snapshot',
  bug: 'FLINK-5701',
  story: 'A snapshot is acknowledged while records written before its barrier are still on their way to the broker.',
  parts: withWrong({ flushBeforeBarrier: 'unflushed' }),
  scenario: 'kafka-sink',
  judges: ['exactly-once-output', 'progress'],
};

export const flushWithoutErrorCheck: Mutant = {
  slug: 'flush-without-error-check',
  bug: 'FLINK-31305',
  story:
    'A write that the broker refuses counts as flushed; nobody looks at its error before the snapshot is acknowledged.',
  parts: withWrong({ flushErrors: 'ignored' }),
  scenario: 'kafka-transaction-expires',
  judges: ['exactly-once-output', 'progress'],
};

export const txnIdWithoutOperator: Mutant = {
  slug: 'txn-id-without-operator',
  bug: 'FLINK-9295',
  story: 'Transactional ids name the job and the subtask but not the sink: two sinks of a job use the same ones.',
  parts: withWrong({ transactionalIdPrefix: (jobId) => jobId }),
  scenario: 'kafka-two-sinks',
  judges: ['exactly-once-output', 'progress'],
};

export const incrementingProbeStopsEarly: Mutant = {
  slug: 'incrementing-probe-stops-early',
  bug: 'FLINK-23854',
  story:
    'A restored writer aborts the transaction behind its checkpoint and no later one, whatever the attempts before it opened.',
  parts: withWrong({ probesFurther: () => false }),
  scenario: 'kafka-sink-itcase',
  judges: ['exactly-once-output', 'progress', 'retention'],
};

export const poolingAbortsPrecommitted: Mutant = {
  slug: 'pooling-aborts-precommitted',
  bug: 'FLINK-34554',
  story:
    'A restored writer lists the open transactions of its prefix and aborts all of them, those too that are to be committed.',
  parts: withWrong({ transactionsToKeep: () => [] }),
  scenario: 'kafka-sink-pooling',
  judges: ['exactly-once-output', 'progress'],
};

export const initializationAborts: Mutant = {
  slug: 'initialization-aborts',
  bug: 'own (FLIP-319)',
  story:
    'Initializing a transactional id aborts what is open under it, whoever opened it: a request of an attempt that was replaced comes late, and takes a transaction that waits for its checkpoint.',
  parts: withWrong({ transactionUnderInitializedId: 'aborted' }),
  scenario: 'kafka-late-initializations',
  judges: ['exactly-once-output', 'progress'],
};

export const timeoutAbortWithoutFence: Mutant = ofBrokers({
  slug: 'timeout-abort-without-fence',
  bug: 'KAFKA-6119',
  story: 'A transaction that timed out is aborted, but its producer keeps its epoch and goes on writing, into nothing.',
  brokerRules: { ...standardBrokerRules, timeoutFences: false, verifiesAppends: false },
  scenario: 'kafka-transaction-expires',
  judges: ['exactly-once-output', 'progress'],
});

export const epochCheckNotStrict: Mutant = ofBrokers({
  slug: 'epoch-check-not-strict',
  bug: 'KAFKA-9600',
  story:
    'A request to end a transaction is accepted whatever its epoch: one that comes late ends the next transaction under the same id.',
  brokerRules: { ...standardBrokerRules, epochMatches: () => true },
  scenario: 'kafka-late-commits',
  judges: ['exactly-once-output', 'fencing', 'progress'],
});

export const lsoIgnored: Mutant = ofBrokers({
  slug: 'lso-ignored',
  bug: 'own',
  story: 'Readers of committed records read up to the high watermark, and see what nobody has decided yet.',
  brokerRules: { ...standardBrokerRules, readersStopAt: 'high-watermark' },
  scenario: 'kafka-sink',
  judges: ['exactly-once-output', 'progress'],
});

export const compactionRemovesEarly: Mutant = {
  slug: 'compaction-removes-early',
  bug: 'own (row K12)',
  story: 'Small files go as soon as they are compacted, though the checkpoint that a restore goes back to lists them.',
  parts: withWrong({ compactedFiles: 'removed-at-once' }),
  scenario: 'file-sink-compaction',
  judges: ['exactly-once-output', 'progress'],
};

export const checkBackAnswersCommit: Mutant = {
  slug: 'check-back-answers-commit',
  bug: 'own (row K9)',
  story: 'A broker that asks about a transaction is told to commit it, whether its checkpoint is complete or not.',
  parts: withWrong({ checkBack: () => 'commit' }),
  scenario: 'rocketmq-sink',
  judges: ['exactly-once-output', 'progress'],
};

export const checkBackRollsBackUndecided: Mutant = {
  slug: 'check-back-rolls-back-undecided',
  bug: 'own (row K9)',
  story: 'A broker that asks about a transaction whose checkpoint is still under way is told to roll it back.',
  parts: withWrong({ checkBack: (known) => (known === 'unknown' ? 'rollback' : known) }),
  scenario: 'rocketmq-sink',
  judges: ['exactly-once-output', 'progress'],
};

export const registeredOnce: Mutant = {
  slug: 'registered-once',
  bug: 'own (row K9)',
  story:
    'A writer registers with the broker when it begins and never again: a broker that was restarted since knows nobody to ask about what an earlier attempt has left.',
  parts: withWrong({ producersRegister: 'once' }),
  scenario: 'rocketmq-sink-rescale',
  judges: ['progress'],
};

export const upsertWithoutVersion: Mutant = {
  slug: 'upsert-without-version',
  bug: 'own (row K13)',
  story: 'An upsert replaces whatever row is there: what is written again after a restore overwrites newer rows.',
  parts: withWrong({ upsertReplaces: 'any' }),
  scenario: 'upsert-sink',
  judges: ['exactly-once-output', 'progress'],
};

export const pendingFilesRemoved: Mutant = {
  slug: 'pending-files-removed',
  bug: 'own (row K12)',
  story:
    'A restored file sink removes every unfinished file of earlier attempts, those too that the checkpoint commits.',
  parts: withWrong({ transactionsToKeep: () => [] }),
  scenario: 'file-sink',
  judges: ['exactly-once-output', 'progress'],
};

export const inProgressFilesLeft: Mutant = {
  slug: 'in-progress-files-left',
  bug: 'own (row K12)',
  story: 'Files that an attempt had in progress when it died stay where they are for ever.',
  parts: withWrong({ outputOfEarlierAttempts: 'left' }),
  scenario: 'file-sink',
  judges: ['progress'],
};

export const fileNotSyncedAtSnapshot: Mutant = {
  slug: 'file-not-synced-at-snapshot',
  bug: 'FLINK-35217',
  story:
    'A file is flushed and closed, and its snapshot acknowledged: the bytes are in the memory of the datanodes, where a loss of power takes them, before the commit or behind it.',
  parts: withWrong({ outputBeforeClose: 'flush' }),
  scenario: 'file-sink-power-loss',
  judges: ['exactly-once-output', 'progress'],
};

export const recommitFails: Mutant = {
  slug: 'recommit-fails',
  bug: 'own (row K7)',
  story: 'A pending file that has its name already, because its commit came before the crash, is taken for lost.',
  parts: withWrong({ isCommittedFile: () => false }),
  scenario: 'file-sink',
  judges: ['progress'],
};

/** The engine is right; it is the brokers, or who reads from them. */
function ofBrokers(mutant: Omit<Mutant, 'parts'> & { readonly brokerRules: BrokerRules }): Mutant {
  return { ...mutant, parts: standardParts };
}
