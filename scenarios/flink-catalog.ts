/**
 * The fault-injection tests of Flink that are carried over as scenarios: topology, faults and what must hold are theirs, and each is named
 * after its class (`StreamCheckpointingITCase` -> `stream-checkpointing-itcase`). What differs stands at the head of each file.
 *
 * Owns: the list. Does not own: rows without a scenario (docs/flink-tests.md says why).
 */
export interface FlinkScenario {
  readonly name: string;
  readonly folder: 'flink';
  /** One line. */
  readonly description: string;
  /** Flink's class. */
  readonly ported: string;
  /** Rows of the reference. */
  readonly rows: readonly string[];
}

/** In the order of the rows. */
export const FLINK_SCENARIOS: readonly FlinkScenario[] = [
  {
    name: 'stream-checkpointing-itcase',
    folder: 'flink',
    ported: 'StreamCheckpointingITCase',
    rows: ['X2'],
    description: 'a count in every stage of a chain; the reduce throws once, after a completed checkpoint',
  },
  {
    name: 'co-stream-checkpointing-itcase',
    folder: 'flink',
    ported: 'CoStreamCheckpointingITCase',
    rows: ['X3'],
    description: 'three streams connected pair by pair; a co-process throws once',
  },
  {
    name: 'keyed-state-checkpointing-itcase',
    folder: 'flink',
    ported: 'KeyedStateCheckpointingITCase',
    rows: ['X3'],
    description: 'keyed state of many keys; the counter throws once, never before two checkpoints',
  },
  {
    name: 'stream-checkpoint-notifier-itcase',
    folder: 'flink',
    ported: 'StreamCheckpointNotifierITCase',
    rows: ['X4'],
    description: 'a reducer throws while a checkpoint is in its snapshot: that id is never told as complete',
  },
  {
    name: 'event-time-window-checkpointing-itcase',
    folder: 'flink',
    ported: 'EventTimeWindowCheckpointingITCase',
    rows: ['X5'],
    description: 'windows of event time on both backends; user code throws once',
  },
  {
    name: 'processing-time-window-checkpointing-itcase',
    folder: 'flink',
    ported: 'ProcessingTimeWindowCheckpointingITCase',
    rows: ['X5'],
    description: 'windows of processing time: each element in exactly one',
  },
  {
    name: 'continuous-file-processing-checkpoint-itcase',
    folder: 'flink',
    ported: 'ContinuousFileProcessingCheckpointITCase',
    rows: ['X6'],
    description: 'a directory is watched while files appear in it; user code throws in the middle of one',
  },
  {
    name: 'region-failover-itcase',
    folder: 'flink',
    ported: 'RegionFailoverITCase',
    rows: ['X7'],
    description:
      'three pipelines and a keyed region; three restarts, each of one region, each after a further checkpoint',
  },
  {
    name: 'notify-checkpoint-aborted-itcase',
    folder: 'flink',
    ported: 'NotifyCheckpointAbortedITCase',
    rows: ['X8'],
    description:
      'a checkpoint whose completion fails, one that a task declines: each operator hears of the abort, and the next completes',
  },
  {
    name: 'checkpoint-failure-manager-itcase',
    folder: 'flink',
    ported: 'CheckpointFailureManagerITCase',
    rows: ['X9'],
    description: 'no failure is tolerated: each failed checkpoint restarts the job',
  },
  {
    name: 'checkpoint-store-itcase',
    folder: 'flink',
    ported: 'CheckpointStoreITCase',
    rows: ['X10'],
    description: 'what is to be recovered cannot be read for a while; then a task fails',
  },
  {
    name: 'checkpoint-acknowledge-failure-itcase',
    folder: 'flink',
    ported: 'CheckpointAcknowledgeFailureITCase',
    rows: ['X11'],
    description: 'state in acknowledgements, some of which are larger than a message may be',
  },
  {
    name: 'checkpoint-after-all-tasks-finished-itcase',
    folder: 'flink',
    ported: 'CheckpointAfterAllTasksFinishedITCase',
    rows: ['X14'],
    description:
      'a small and a big bounded source; failover after the small one finished, or no checkpoint but the last',
  },
  {
    name: 'manual-checkpoint-itcase',
    folder: 'flink',
    ported: 'ManualCheckpointITCase',
    rows: ['X16'],
    description: 'checkpoints by hand, full and as configured, with periodic ones rare or often',
  },
  {
    name: 'timers-savepoint-itcase',
    folder: 'flink',
    ported: 'TimersSavepointITCase',
    rows: ['X17'],
    description: 'timers that wait in a savepoint fire in the job restored from it',
  },
  {
    name: 'approximate-local-recovery-downstream-itcase',
    folder: 'flink',
    ported: 'ApproximateLocalRecoveryDownstreamITCase',
    rows: ['X18'],
    description: 'a failure restarts the failed task and what is behind it, and what producers had sent is lost',
  },
  {
    name: 'unaligned-checkpoint-itcase',
    folder: 'flink',
    ported: 'UnalignedCheckpointITCase',
    rows: ['X20'],
    description: 'records with checksums over several exchanges to a slow sink; five failures at five places',
  },
  {
    name: 'unaligned-checkpoint-rescale-itcase',
    folder: 'flink',
    ported: 'UnalignedCheckpointRescaleITCase',
    rows: ['X21'],
    description: 'in-flight data through 1-2, 2-1, 7-2, 12-7, 20-21 and more, over every kind of exchange',
  },
  {
    name: 'unaligned-checkpoint-rescale-with-mixed-exchanges-itcase',
    folder: 'flink',
    ported: 'UnalignedCheckpointRescaleWithMixedExchangesITCase',
    rows: ['X22'],
    description:
      'one graph with rescale, forward, keyed, rebalance and global exchanges, small buffers, rescaled with in-flight data',
  },
  {
    name: 'unaligned-checkpoint-stress-itcase',
    folder: 'flink',
    ported: 'UnalignedCheckpointStressITCase',
    rows: ['X23'],
    description: 'four sources, unaligned checkpoints as often as can be; failure after failure',
  },
  {
    name: 'unaligned-checkpoint-failure-handling-itcase',
    folder: 'flink',
    ported: 'UnalignedCheckpointFailureHandlingITCase',
    rows: ['X24'],
    description: 'writing in-flight data fails: the task survives and the next checkpoint completes',
  },
  {
    name: 'unaligned-checkpoint-compatibility-itcase',
    folder: 'flink',
    ported: 'UnalignedCheckpointCompatibilityITCase',
    rows: ['X25'],
    description: 'from unaligned checkpoints to an aligned savepoint and back',
  },
  {
    name: 'ignore-in-flight-data-itcase',
    folder: 'flink',
    ported: 'IgnoreInFlightDataITCase',
    rows: ['X26'],
    description: 'one checkpoint is restored without its in-flight data: that is lost, and nothing else',
  },
  {
    name: 'rescaling-itcase',
    folder: 'flink',
    ported: 'RescalingITCase',
    rows: ['X30'],
    description: '42 keys through 2 and 3 subtasks, with savepoints and new runs in between',
  },
  {
    name: 'auto-rescaling-itcase',
    folder: 'flink',
    ported: 'AutoRescalingITCase',
    rows: ['X31'],
    description: 'an adaptive scheduler is told of other requirements while the job runs',
  },
  {
    name: 'rescale-checkpoint-manually-itcase',
    folder: 'flink',
    ported: 'RescaleCheckpointManuallyITCase',
    rows: ['X32'],
    description: 'canceled after a retained checkpoint, restored, and rescaled up and down',
  },
  {
    name: 'resume-checkpoint-manually-itcase',
    folder: 'flink',
    ported: 'ResumeCheckpointManuallyITCase',
    rows: ['X34'],
    description: 'three generations of restore, each from the newest retained checkpoint of the one before',
  },
  {
    name: 'savepoint-itcase',
    folder: 'flink',
    ported: 'SavepointITCase',
    rows: ['X35'],
    description: 'stop with savepoint, drained or not; it fails in a snapshot, at its metadata, or after it exists',
  },
  {
    name: 'stop-with-savepoint-itcase',
    folder: 'flink',
    ported: 'StopWithSavepointITCase',
    rows: ['X40'],
    description: 'stopped over keyed, two-input and forward edges: all operators report the same savepoint',
  },
  {
    name: 'partially-finished-sources-itcase',
    folder: 'flink',
    ported: 'PartiallyFinishedSourcesITCase',
    rows: ['X40'],
    description: 'a subset of sources finishes, with and without a failover, over simple and complex graphs',
  },
  {
    name: 'bounded-source-itcase',
    folder: 'flink',
    ported: 'BoundedSourceITCase',
    rows: ['X40'],
    description: 'all sources end over simple and complex graphs; nothing follows the end',
  },
  {
    name: 'finished-sources-watermark-itcase',
    folder: 'flink',
    ported: 'FinishedSourcesWatermarkITCase',
    rows: ['X41'],
    description: 'event time goes on past a source restored as finished',
  },
  {
    name: 'coordinator-events-exactly-once-itcase',
    folder: 'flink',
    ported: 'CoordinatorEventsExactlyOnceITCase',
    rows: ['X45'],
    description: 'a coordinator sends a sequence of events to its tasks; it, or a task, fails in the middle',
  },
  {
    name: 'coordinator-events-to-stream-operator-recipient-exactly-once-itcase',
    folder: 'flink',
    ported: 'CoordinatorEventsToStreamOperatorRecipientExactlyOnceITCase',
    rows: ['X46'],
    description:
      'the same under barriers aligned and unaligned, with checkpoints that are aborted while gateways are closed',
  },
  {
    name: 'operator-event-sending-checkpoint-itcase',
    folder: 'flink',
    ported: 'OperatorEventSendingCheckpointITCase',
    rows: ['X47'],
    description: 'assignments are lost, their confirmations are lost or late, and readers fail',
  },
  {
    name: 'coordinated-source-rescale-itcase',
    folder: 'flink',
    ported: 'CoordinatedSourceRescaleITCase',
    rows: ['X48'],
    description:
      'splits of a coordinated source through a change of parallelism; a TaskManager or the JobManager is lost half-way',
  },
  {
    name: 'hybrid-source-itcase',
    folder: 'flink',
    ported: 'HybridSourceITCase',
    rows: ['X48'],
    description: 'two sources read one after the other; a TaskManager or the JobManager is lost at the switch',
  },
  {
    name: 'task-manager-process-failure-streaming-recovery-itcase',
    folder: 'flink',
    ported: 'TaskManagerProcessFailureStreamingRecoveryITCase',
    rows: ['X50'],
    description: 'two TaskManagers, a third comes, the first process dies for good',
  },
  {
    name: 'job-manager-ha-process-failure-recovery-itcase',
    folder: 'flink',
    ported: 'JobManagerHAProcessFailureRecoveryITCase',
    rows: ['X51'],
    description: 'the leading JobManager is killed when all tasks are up',
  },
  {
    name: 'process-failure-canceling-itcase',
    folder: 'flink',
    ported: 'ProcessFailureCancelingITCase',
    rows: ['X52'],
    description: 'a TaskManager dies silently, then the job is canceled',
  },
  {
    name: 'restart-strategy-itcase',
    folder: 'flink',
    ported: 'RestartStrategyITCase',
    rows: ['X53'],
    description: 'as many failures as the strategy allows, in quick succession',
  },
  {
    name: 'zookeeper-leader-election-itcase',
    folder: 'flink',
    ported: 'ZooKeeperLeaderElectionITCase',
    rows: ['X54'],
    description: 'leaders lose their session, their node or their life, again and again; ZooKeeper elects',
  },
  {
    name: 'kubernetes-leader-election-itcase',
    folder: 'flink',
    ported: 'KubernetesLeaderElectionITCase',
    rows: ['X54'],
    description: 'leaders lose their lease or their life; Kubernetes elects',
  },
  {
    name: 'adaptive-scheduler-itcase',
    folder: 'flink',
    ported: 'AdaptiveSchedulerITCase',
    rows: ['X55'],
    description: 'TaskManagers come and go under an adaptive scheduler; a stop with savepoint fails, then succeeds',
  },
  {
    name: 'rescale-on-checkpoint-itcase',
    folder: 'flink',
    ported: 'RescaleOnCheckpointITCase',
    rows: ['X55'],
    description: 'a rescale waits for a checkpoint, or asks for one; periodic ones are rare',
  },
  {
    name: 'incremental-state-reuse-after-failure-itcase',
    folder: 'flink',
    ported: 'IncrementalStateReuseAfterFailureITCase',
    rows: ['X12'],
    description: 'a checkpoint fails behind its uploads, the next one reuses files, the job restarts',
  },
  {
    name: 'state-handle-reuse-itcase',
    folder: 'flink',
    ported: 'StateHandleReuseITCase',
    rows: ['X13'],
    description: 'checkpoint after checkpoint is made of the same segments',
  },
  {
    name: 'rescale-checkpoint-manually-incremental-itcase',
    folder: 'flink',
    ported: 'RescaleCheckpointManuallyITCase',
    rows: ['X32'],
    description: 'restored from segments with another parallelism, up and down',
  },
  {
    name: 'resume-checkpoint-manually-incremental-itcase',
    folder: 'flink',
    ported: 'ResumeCheckpointManuallyITCase',
    rows: ['X34'],
    description: 'three generations of restore from segments, with each claim mode',
  },
  {
    name: 'file-sink-it-base',
    folder: 'flink',
    ported: 'FileSinkITBase',
    rows: ['X60'],
    description: 'four bounded sources into bucketed files; a failure at 40 %, with files pending',
  },
  {
    name: 'sink-v2-itcase',
    folder: 'flink',
    ported: 'SinkV2ITCase',
    rows: ['X61'],
    description:
      'committers beside and behind their writers, and one for all, under crashes, rescales and end of input',
  },
  {
    name: 'kafka-sink-itcase',
    folder: 'flink',
    ported: 'KafkaSinkITCase',
    rows: ['X62'],
    description: 'fewer subtasks, and transactions left open by those that are gone',
  },
  {
    name: 'kafka-writer-fault-tolerance-itcase',
    folder: 'flink',
    ported: 'KafkaWriterFaultToleranceITCase',
    rows: ['X63'],
    description: 'one writer; all brokers stop while it writes, flushes and ends',
  },
  {
    name: 'kafka-sink-recovery-itcase',
    folder: 'flink',
    ported: 'KafkaSinkRecoveryITCase',
    rows: ['X64'],
    description: 'brokers restart between a completed checkpoint and the commit that recovery makes',
  },
];
