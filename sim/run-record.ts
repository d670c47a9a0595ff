/** What one life leaves behind: figures, verdicts and the digest. Plain JSON. */
import type { CheckpointMetrics } from '../engine/protocol/checkpoint-metrics.ts';
import type { SnapshotType } from '../engine/protocol/checkpoint-options.ts';
import type { HistoryEvent } from './history/history-event.ts';
import type { Margin } from './judges/margins.ts';
import type { RunVerdict, Verdict } from './judges/verdict.ts';

export interface CheckpointRecord {
  readonly checkpointId: number;
  readonly epoch: number;
  readonly triggeredAtUs: number;
  /** What its leader made of it; what a leader left behind when another took over is aborted, or completed if it is restored. */
  readonly outcome: 'completed' | 'aborted' | 'pending';
  /** Failure reason when aborted, else empty. */
  readonly reason: string;
  readonly endedAtUs: number;
  /** Trigger to last acknowledgement. */
  readonly endToEndUs: number;
  readonly alignmentUsMax: number;
  readonly syncUsMax: number;
  readonly asyncUsMax: number;
  readonly startDelayUsMax: number;
  readonly stateBytes: number;
  readonly recordsInFlight: number;
  readonly acknowledged: number;
  readonly required: number;
  readonly type: SnapshotType;
  /** The barrier overtook records at one subtask at least. */
  readonly unaligned: boolean;
  /** When the last acknowledgement that counts arrived at the coordinator; -1: none did. */
  readonly latestAcknowledgedAtUs: number;
  /** Of `stateBytes`, what this checkpoint wrote itself. */
  readonly checkpointedBytes: number;
  /** 0 unless completed. */
  readonly metadataBytes: number;
  /** Bytes read between first and last barrier: of all subtasks, and of the one that read most. */
  readonly bytesProcessed: number;
  readonly bytesProcessedMax: number;
  /** Bytes of in-flight data in the checkpoint, likewise. */
  readonly bytesPersisted: number;
  readonly bytesPersistedMax: number;
  /** Directory of its metadata; empty before that is written. */
  readonly externalPath: string;
  /** Completed and not retained any more. */
  readonly discarded: boolean;
}

/** A subtask's part in one checkpoint that asked for it, as the coordinator knows it. */
export interface SubtaskRecord {
  readonly checkpointId: number;
  readonly vertex: number;
  /** Name of the vertex. */
  readonly task: string;
  readonly subtask: number;
  readonly attempt: number;
  /** When its acknowledgement arrived and counted; -1: it did not. */
  readonly acknowledgedAtUs: number;
  /** Absent unless acknowledged: who has not acknowledged has no figures. */
  readonly metrics?: CheckpointMetrics;
}

/** A restore of the job, by any leader. */
export interface RestoreRecord {
  readonly checkpointId: number;
  readonly epoch: number;
  readonly atUs: number;
}

export interface FaultRecord {
  readonly id: string;
  readonly label: string;
  readonly target: string;
  /** -1: its trigger was never reached. */
  readonly startedAtUs: number;
  readonly endedAtUs: number;
  readonly effective: boolean;
  /** Of a crash: its node had not heard what became of something that it had written. Absent: it had, or wrote nothing. */
  readonly inFlight?: true;
}

/** One line of `timeline.log`: a task's part of a completed checkpoint. */
export interface TimelineRecord {
  readonly task: string;
  readonly checkpointId: number;
  readonly startUs: number;
  readonly endUs: number;
}

/** End-to-end latency of visible records, from readable at the log to visible at the sink, in microseconds. */
export interface LatencyRecord {
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

export interface RunRecord {
  readonly scenario: string;
  readonly seed: string;
  readonly planHash: string;
  readonly digest: string;
  /** The ladder of digests, when the history is kept or the life did not pass; else empty. */
  readonly rungs: readonly { readonly event: number; readonly digest: string }[];
  readonly verdict: RunVerdict;
  readonly verdicts: readonly Verdict[];
  /** `judge/anomaly` of the worst verdict; empty when passed. */
  readonly signature: string;
  readonly virtualUs: number;
  readonly events: number;
  readonly records: { readonly in: number; readonly out: number; readonly replayed: number };
  readonly checkpoints: {
    readonly triggered: number;
    readonly completed: number;
    readonly aborted: number;
    readonly expired: number;
    readonly declined: number;
  };
  readonly faults: Readonly<Record<string, { readonly planned: number; readonly effective: number }>>;
  readonly restarts: number;
  /** Changes of leader after the first. */
  readonly failovers: number;
  readonly latency: LatencyRecord;
  readonly checkpointRecords: readonly CheckpointRecord[];
  /** Only when asked for: there is one per checkpoint and subtask. */
  readonly subtaskRecords: readonly SubtaskRecord[];
  readonly restoreRecords: readonly RestoreRecord[];
  readonly faultRecords: readonly FaultRecord[];
  readonly timeline: readonly TimelineRecord[];
  readonly probes: Readonly<Record<string, number>>;
  /** How near the life came to a violation, by `judge/margin`: the least of each that applies (sim/judges/margins.ts). */
  readonly margins: Readonly<Record<string, Margin>>;
  /** Steps of chains of messages; only where the plan gives them priorities. */
  readonly prioritySteps?: number;
  /** Only when asked for. */
  readonly history: readonly HistoryEvent[];
}
