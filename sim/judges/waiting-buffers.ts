/**
 * How many buffers wait in the queue of a channel, and of what records they are made.
 *
 * A buffer that leaves says how many elements are left behind it, events included. What they are is seen when they leave themselves. A subtask
 * begins on a record only while its pool has room, so whatever lies in a queue beyond the pool, and beyond the buffer that was open when the
 * last place was taken, was made of one record, or by one timer: two of them there are one too many. However much that one makes is its own
 * affair (row B15).
 *
 * Owns: one look at the queue of one channel at a time. Called by the judge of bounds, for each channel.
 * Invariants:
 *   I1 a look ends with the last element that waited when it began; a barrier that overtakes ends it one element early, never late;
 *   I2 what a restored checkpoint put into a queue was nobody's record: no look begins before the queue has once had room.
 */
import {
  END_OF_TIME_US,
  type DataBuffer,
  LINEAGE_PATH_UNIT,
  type Lineage,
  type StreamBuffer,
} from '../../engine/protocol/stream-elements.ts';

export class WaitingBuffers {
  #hadRoom = false;
  /** Elements that are still to leave before the look ends. */
  #left = 0;
  #data = 0;
  /** Of the records beyond the pool. */
  #origin: number | undefined;

  /** Records of two origins wait where one may: how many data buffers waited up to there. `pool`: without the overdraft. */
  observe(buffer: StreamBuffer, backlog: number, pool: number): number | undefined {
    if (backlog < pool) this.#hadRoom = true;
    const beyond = this.#left > 0 ? this.#look(buffer, pool) : undefined;
    if (this.#left === 0 && this.#hadRoom && backlog > pool + 1) {
      this.#left = backlog;
      this.#data = 0;
      this.#origin = undefined;
    }
    return beyond;
  }

  #look(buffer: StreamBuffer, pool: number): number | undefined {
    this.#left -= 1;
    if (buffer.kind !== 'data') return undefined;
    this.#data += 1;
    return this.#data > pool + 1 && this.#isOfAnother(buffer) ? this.#data : undefined;
  }

  #isOfAnother({ lineages, timestampsUs }: DataBuffer): boolean {
    for (const [at, lineage] of lineages.entries()) {
      const origin = originOf(lineage, timestampsUs[at]);
      if (this.#origin !== undefined && this.#origin !== origin) return true;
      this.#origin = origin;
    }
    return false;
  }
}

/** At the end of all input a function may emit for all its keys in one go. */
const END = -1;

function originOf(lineage: Lineage, timestampUs: number | undefined): number {
  if (timestampUs === END_OF_TIME_US) return END;
  return Math.abs(lineage) % LINEAGE_PATH_UNIT;
}
