/** What one life leaves behind: figures, verdicts and the digest. Plain JSON. */
import type { HistoryEvent } from './history/history-event.ts';
import type { RunVerdict, Verdict } from './judges/verdict.ts';

export interface CheckpointRecord {
  readonly checkpointId: number;
  readonly epoch: number;
  readonly triggeredAtUs: number;
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
}

export interface FaultRecord {
  readonly id: string;
  readonly label: string;
  readonly target: string;
  /** -1: its trigger was never reached. */
  readonly startedAtUs: number;
  readonly endedAtUs: number;
  readonly effective: boolean;
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
  readonly faultRecords: readonly FaultRecord[];
  readonly timeline: readonly TimelineRecord[];
  readonly probes: Readonly<Record<string, number>>;
  /** Only when asked for. */
  readonly history: readonly HistoryEvent[];
}
