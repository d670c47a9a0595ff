/** Figures a subtask sends with its acknowledgement (row 7.2; Flink: CheckpointMetrics). All times in microseconds. */
export interface CheckpointMetrics {
  /** Trigger time to first barrier (or trigger message) at the subtask. */
  readonly startDelayUs: number;
  /** First to last barrier; 0 for sources. */
  readonly alignmentUs: number;
  readonly syncUs: number;
  readonly asyncUs: number;
  /** Bytes of all state that the checkpoint refers to, whoever wrote it (Flink: totalBytesPersisted, `state_size`). */
  readonly stateBytes: number;
  /** Of those, bytes this checkpoint wrote itself (Flink: bytesPersistedOfThisCheckpoint, `checkpointed_size`). */
  readonly checkpointedBytes: number;
  /** Bytes read from inputs between first and last barrier. */
  readonly bytesProcessedDuringAlignment: number;
  /** Records that waited in blocked channels when alignment ended. */
  readonly recordsInFlight: number;
  /** In-flight data in the snapshot, as bytes on the wire (Flink: bytesPersistedDuringAlignment); 0 when aligned. */
  readonly bytesPersistedDuringAlignment: number;
  /** The snapshot was taken before all barriers were here, or its barrier overtook output. */
  readonly unaligned: boolean;
}
