/**
 * SimulationPlan: the fully resolved input of one life. Plain JSON; it can be saved, edited, shrunk and replayed by any later
 * version. The simulator learns nothing of scenarios, ranges or percentages.
 */
import type { EngineConfiguration } from '../engine/protocol/configuration.ts';
import type { StartPosition } from '../engine/protocol/start-position.ts';
import type { NodeId } from '../engine/foundation/ids.ts';
import type { Fault } from './faults/fault.ts';
import type { FixedChoice } from './kernel/choice.ts';
import type { StoragePhysics } from './services/storage-physics.ts';

/** Files of equally many records each; sizes in bytes. */
export interface FilesPlan {
  readonly count: number;
  /** Splits of each file. */
  readonly parts: number;
  readonly partBytes: number;
  readonly blockBytes: number;
  /** From the start of the topic, one file comes after the other at this distance; 0: all are there. */
  readonly everyUs: number;
}

export interface TopicPlan {
  readonly name: string;
  /** Name of a data set the caller loads; its records are dealt round robin over the partitions. */
  readonly dataset: string;
  /** Records used, from the start of the data set. */
  readonly records: number;
  /** Which rows of the data set the records are, from 0, as many as `records`; absent: the first ones. Shrinking leaves those that matter. */
  readonly rows?: readonly number[];
  readonly partitions: number;
  /** First record becomes readable at this time. */
  readonly startUs: number;
  /** Records become readable evenly at this rate per second over the whole topic; 0: all at once. */
  readonly ratePerSecond: number;
  /** The log says when a partition has ended, and sources end; else more may always come. */
  readonly bounded: boolean;
  /** Records that lie there when the job begins, readable from time 0; the rate counts from `startUs` on behind them. Absent: 0. */
  readonly before?: number;
  /** Records of the topic, from its start, up to which a group of consumers had committed before. Absent: none. */
  readonly committed?: number;
  /** From this time on the topic has more partitions, and what comes then is dealt over all of them. */
  readonly grows?: { readonly atUs: number; readonly partitions: number };
  /** Most records that one entry of the log holds. Absent: 1. */
  readonly entryRecords?: number;
  /** Where sources begin. Absent: at the start. */
  readonly startFrom?: StartPosition;
  /** An entry is deleted so long after it became readable (Kafka: retention.ms). Absent: never. */
  readonly retentionUs?: number;
  /** Where sources go on when what they want was deleted. Absent: they fail. */
  readonly offsetReset?: 'earliest';
  /** How often sources ask for new partitions. Absent: never. */
  readonly discoveryUs?: number;
  /** Present: no topic but files on the storage of checkpoints; `partitions` is their number times `parts`. */
  readonly files?: FilesPlan;
  /** Name of an earlier topic that ends: the source that reads that one reads this one behind it (row B24). */
  readonly after?: string;
  /** Present: no log but a socket, which hands out each record once, to whoever reads then. */
  readonly socket?: true;
  /** Present: its partitions hold markers of checkpoints, at which sources take them. */
  readonly induced?: true;
}

/** How wrong the wall clock of a node is (row B13). */
export interface ClockPlan {
  readonly node: NodeId;
  /** Ahead of the time, or behind it. */
  readonly offsetUs: number;
  /** Microseconds it gains in a second, or loses. */
  readonly driftPpm: number;
}

export interface ClusterPlan {
  readonly taskManagers: number;
  readonly slots: number;
  readonly jobManagers: number;
  /** Name of a hardware profile (sim/node/hardware-profile.ts). */
  readonly profile: string;
  /** 1 when the plan has operations; absent: 0. */
  readonly clients?: number;
  /** Of the Kafka-like cluster; absent: 0. */
  readonly brokers?: number;
  /** Of nodes whose clocks are wrong; absent: all are right. */
  readonly clocks?: readonly ClockPlan[];
}

export type Expectation = 'exactly-once' | 'at-least-once' | 'at-most-once';

/** Sinks write into topics of a Kafka-like cluster, each into one named like itself. */
export interface KafkaPlan {
  readonly kind: 'kafka';
  /** Of each topic. */
  readonly partitions: number;
  readonly naming: 'incrementing' | 'pooling';
  /** Absent: beside the writer. */
  readonly committer?: 'separate' | 'global';
  /** What producers ask for (transaction.timeout.ms), and the most that brokers allow (transaction.max.timeout.ms). */
  readonly transactionTimeoutUs: number;
  readonly maxTransactionTimeoutUs: number;
  /** A broker that is silent this long leads nothing any more. */
  readonly sessionTimeoutUs: number;
}

/** Sinks write files into a storage of their own, which stands where the sink store would. */
export interface FileSinkPlan {
  readonly kind: 'file';
  readonly storage: 'hdfs' | 'object-store';
  /** A file that has reached this size is closed before the next checkpoint. */
  readonly partBytes: number;
  /** Files are held back for so many checkpoints and made one; absent: they are not. */
  readonly compactCheckpoints?: number;
  /** What decides on the directory of a record, and how many there are, or how long each stands for. */
  readonly bucketBy: 'key' | 'value' | 'time';
  readonly buckets: number;
  readonly bucketUs: number;
}

/** Sinks write rows into a table that keeps the newest version of each, at the node where the sink store would stand. */
export interface UpsertPlan {
  readonly kind: 'upsert';
  /** Field of the output that is its version. */
  readonly version: string;
}

/** Sinks write half messages to a RocketMQ-like broker, at the node where the sink store would stand. */
export interface RocketMqPlan {
  readonly kind: 'rocketmq';
  /** The broker asks about a transaction of which it heard nothing for so long. */
  readonly checkAfterUs: number;
  /** Whether consumers know by its key a message that was stored twice. */
  readonly consumers: 'keyed' | 'plain';
}

export type SinkPlan = KafkaPlan | FileSinkPlan | UpsertPlan | RocketMqPlan;

/** Priorities of chains of messages, until the storm ends (network/chain-priorities.ts). */
export interface PrioritiesPlan {
  /** So many priorities a chain may draw. */
  readonly ranks: number;
  /** Extra latency of each message of the lowest one; the others lie evenly between it and none. */
  readonly windowUs: number;
  /** Steps, from 1, at which the chain that takes it falls below all others. */
  readonly changeSteps: readonly number[];
  /** Extra latency of each further message of such a chain. */
  readonly dropUs: number;
}

/** Chance takes another course behind an event of the history; nothing of what was before changes. */
export interface BranchPlan {
  /** Index in the history; -1: from the start. */
  readonly afterEvent: number;
  readonly rootSeed: string;
  /** Sites that draw anew; absent: all, also those that the plan keeps boring. */
  readonly sites?: readonly string[];
}

export interface LivenessPlan {
  /** Storm length: faults act before it, are healed at it. */
  readonly stormUs: number;
  /** Within this time after the storm the job must have recovered, completed two more checkpoints and committed all output. */
  readonly withinUs: number;
}

export interface PlanLimits {
  readonly maxEvents: number;
  readonly maxVirtualUs: number;
  readonly maxQueueLength: number;
}

export interface SimulationPlan {
  readonly version: 1;
  /** Name of the scenario it came from, for people. */
  readonly scenario: string;
  /** Root of all streams of chance in the world. Any string. */
  readonly seed: string;
  readonly job: {
    readonly use: string;
    readonly parallelism: number;
    readonly parameters: Readonly<Record<string, string | number | boolean>>;
  };
  readonly topics: readonly TopicPlan[];
  readonly cluster: ClusterPlan;
  readonly engine: EngineConfiguration;
  readonly storage: StoragePhysics;
  /** Open transactions older than this are aborted by the sink store. */
  readonly transactionTimeoutUs: number;
  /** Absent: sinks write into the sink store. */
  readonly sink?: SinkPlan;
  readonly faults: readonly Fault[];
  readonly liveness: LivenessPlan;
  readonly limits: PlanLimits;
  /** `standard`, or the slug of a mutant (an engine with one known bug). */
  readonly variant: string;
  /**
   * Sites of chance that draw; all others take their boring option: least latency, no trouble. Absent: all draw. Shrinking leaves the
   * few whose chance the failure needs.
   */
  readonly drawnSites?: readonly string[];
  /** Choices of chance that are fixed one by one; the sites they name draw nothing else. Absent: none. */
  readonly fixedChoices?: readonly FixedChoice[];
  /** Absent: messages come as the links have it. */
  readonly priorities?: PrioritiesPlan;
  /** Where chance takes another course, in the order of their events; absent: nowhere. */
  readonly branches?: readonly BranchPlan[];
  readonly expect: Expectation;
}
