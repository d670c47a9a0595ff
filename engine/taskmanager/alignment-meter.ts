/**
 * What one alignment at a time took (Flink: CheckpointBarrierHandler.markAlignmentStart, markAlignmentEnd).
 *
 * Owns: the start of the alignment and the bytes processed since. Does not own: when it starts and ends (the input).
 */
import type { CheckpointBarrier } from '../protocol/stream-elements.ts';
import type { AlignmentFigures } from './async-part.ts';

export class AlignmentMeter {
  #startUs = 0;
  /** The same moment by the wall clock of the node (row B13). */
  #startWallUs = 0;
  #bytesProcessed = 0;

  /** The first barrier is here. */
  started(nowUs: number, wallUs: number): void {
    this.#startUs = nowUs;
    this.#startWallUs = wallUs;
    this.#bytesProcessed = 0;
  }

  processed(bytes: number): void {
    this.#bytesProcessed += bytes;
  }

  figures(at: {
    readonly barrier: CheckpointBarrier;
    readonly unaligned: boolean;
    readonly recordsInFlight: number;
    readonly nowUs: number;
  }): AlignmentFigures {
    return {
      startDelayUs: Math.max(0, this.#startWallUs - at.barrier.triggeredAtUs),
      alignmentUs: at.nowUs - this.#startUs,
      bytesProcessedDuringAlignment: this.#bytesProcessed,
      recordsInFlight: at.recordsInFlight,
      unaligned: at.unaligned,
    };
  }
}
