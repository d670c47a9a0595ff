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
];
