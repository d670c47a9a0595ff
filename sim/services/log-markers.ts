/**
 * The markers that a log keeps in its partitions for checkpoints it was told of (row C25): what makes the log an outside system that decides
 * when a snapshot is taken.
 *
 * Owns: where the markers lie, and which command of each group came last. Durable: it outlives the broker. Does not own: the records.
 *
 * I1: in a partition markers lie in the order of their checkpoints, each behind what was readable when it was put there;
 * I2: a command that is older than the last one of its group changes nothing, and the last one, repeated, is answered as before.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { LogMark, LogMarked } from '../../engine/protocol/messages.ts';

export interface LogMarker {
  readonly checkpointId: number;
  /** Of the first record behind it. */
  readonly offset: number;
}

/** `isNew`: something was put there or taken away. */
export type MarkAnswer = Pick<LogMarked, 'outcome' | 'offsets'> & { readonly isNew: boolean };

interface LastCommand {
  readonly epoch: number;
  readonly sequence: number;
  readonly offsets: readonly number[];
}

export class LogMarkers {
  /** By partition, in their order. */
  readonly #markers = new Map<number, LogMarker[]>();
  readonly #last = new Map<string, LastCommand>();

  /** `endOf`: how many records of a partition are readable. */
  mark(command: LogMark, endOf: (partition: number) => number): MarkAnswer {
    const { group, epoch, sequence, partitions, checkpointId, takesBack } = command;
    const last = this.#last.get(group);
    if (last !== undefined) {
      const age = epoch - last.epoch || sequence - last.sequence;
      if (age < 0) return { outcome: 'fenced', offsets: [], isNew: false };
      if (age === 0) return { outcome: 'done', offsets: last.offsets, isNew: false };
    }
    if (takesBack) for (const partition of partitions) this.#markers.delete(partition);
    const offsets =
      checkpointId === 0
        ? []
        : partitions.map((partition) => this.#put(partition, { checkpointId, offset: endOf(partition) }));
    this.#last.set(group, { epoch, sequence, offsets });
    return { outcome: 'done', offsets, isNew: true };
  }

  /** The first marker of a checkpoint above `after` that lies at the offset or behind it. */
  next(partition: number, offset: number, after: number): LogMarker | undefined {
    let found: LogMarker | undefined;
    const markers = this.#markers.get(partition) ?? [];
    for (let at = markers.length - 1; at >= 0; at -= 1) {
      const marker = markers[at];
      if (marker === undefined || marker.checkpointId <= after || marker.offset < offset) break;
      found = marker;
    }
    return found;
  }

  #put(partition: number, marker: LogMarker): number {
    const markers = this.#markers.get(partition) ?? [];
    const last = markers.at(-1);
    // Two sources of one job read this partition.
    if (last?.checkpointId === marker.checkpointId) return last.offset;
    assert(
      last === undefined || (last.checkpointId < marker.checkpointId && last.offset <= marker.offset),
      'markers lie in the order of their checkpoints',
      { partition, checkpointId: marker.checkpointId },
    );
    markers.push(marker);
    this.#markers.set(partition, markers);
    return marker.offset;
  }
}
