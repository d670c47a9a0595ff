/**
 * Checkpoints that a marker in the input decides on, not the coordinator's trigger (row C25; Flink: SourceOperatorStreamTask with an
 * ExternallyInducedSourceReader).
 *
 * Owns: the triggers that wait for their marker. Does not own: where the source stands and what it reads (the source), taking the
 * snapshot (task-checkpointing.ts).
 * Invariants:
 *   I1 a checkpoint is due when its trigger is here and the source stands at its marker, whichever came first;
 *   I2 a marker without a trigger holds the source, and nothing behind it is read, until the trigger comes or the checkpoint is known to be over:
 *      by its abort, or because a later one was triggered and it was not (Flink: waitForRPC, cleanupOldCheckpoints);
 *   I3 a marker is never a checkpoint of its own: what a restored subtask comes upon may be left from one that was aborted;
 *   I4 a source that has emitted everything meets no marker any more, and each trigger is due at once.
 */
import type { MarkedSource } from '../connectors/source-reader.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { TriggerCheckpoint } from '../protocol/messages.ts';
import { probe } from '../protocol/probes.ts';

export class InducedCheckpoints {
  readonly #source: MarkedSource;
  readonly #parts: Pick<EngineParts, 'markerWithoutTrigger' | 'markerOfAborted'>;
  /** Rising. */
  #waiting: TriggerCheckpoint[] = [];
  /** Where `markerWithoutTrigger` is not `holds`: markers that were read over. */
  readonly #readOver = new Set<CheckpointId>();

  constructor(source: MarkedSource, parts: Pick<EngineParts, 'markerWithoutTrigger' | 'markerOfAborted'>) {
    this.#source = source;
    this.#parts = parts;
  }

  triggered(message: TriggerCheckpoint): void {
    if (this.#waiting.some(({ checkpointId }) => checkpointId === message.checkpointId)) return;
    this.#waiting.push(message);
    this.#waiting.sort((a, b) => a.checkpointId - b.checkpointId);
  }

  /** The trigger to act upon now; `taken` follows. */
  due(out: Out): TriggerCheckpoint | undefined {
    if (this.#source.isExhausted) return this.#waiting[0];
    const over = this.#waiting.find(({ checkpointId }) => this.#readOver.has(checkpointId));
    if (over !== undefined) return over;
    const { marker } = this.#source;
    if (marker === undefined) return undefined;
    if (this.#parts.markerWithoutTrigger === 'reads-on') {
      this.#readOver.add(marker);
      this.#source.passMarker(marker, out);
    }
    // The log has none of theirs any more: the source would have come upon it before.
    this.#waiting = this.#waiting.filter(({ checkpointId }) => checkpointId >= marker);
    const [first] = this.#waiting;
    if (first === undefined) {
      probe(out, 'marker-before-trigger');
      return undefined;
    }
    if (first.checkpointId === marker) return first;
    probe(out, 'marker-of-checkpoint-that-is-over');
    this.#drop(marker, out);
    return undefined;
  }

  taken(id: CheckpointId, out: Out): void {
    this.#waiting = this.#waiting.filter(({ checkpointId }) => checkpointId !== id);
    this.#readOver.delete(id);
    this.#source.passMarker(id, out);
  }

  /** It was aborted. */
  over(id: CheckpointId, out: Out): void {
    this.#waiting = this.#waiting.filter(({ checkpointId }) => checkpointId !== id);
    this.#drop(id, out);
  }

  #drop(id: CheckpointId, out: Out): void {
    if (this.#parts.markerOfAborted === 'dropped') this.#source.dropMarker(id, out);
  }
}
