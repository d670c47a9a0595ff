/**
 * In-flight data that was given up: what lay in the channel state of one checkpoint, if that checkpoint was restored (row X26; Flink:
 * IgnoreInFlightDataITCase, decision 0121).
 *
 * The records are taken from the checkpoint's own files. The reference leaves each out on the edge on which it was under way, and nowhere
 * else: what was before the edge has seen it. So a record that was given up without having been under way is lost, and one that was under way
 * and came all the same is invented.
 *
 * Owns: which records, edge by edge, and behind which checkpoint. Shown each event before any judge, where the job is configured so.
 *
 * I1: nothing counts as given up before a subtask was restored from just that checkpoint, and of a job of several parts only what lay in
 *     the part that was;
 * I2: a snapshot that was triggered before that lacks nothing: ids rise in the order in which they are triggered (row C8).
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointReader } from './checkpoint-reader.ts';
import type { LeftOut, LostRecords } from './lost-records.ts';
import { connectedParts } from './restored-time.ts';

export interface GivenUpDataOptions {
  readonly graph: JobGraph;
  readonly reader: Pick<CheckpointReader, 'retained' | 'contents'>;
  /** The checkpoint whose in-flight data a restore gives up. */
  readonly checkpointId: number;
  /** More was given up than before. */
  readonly changed: (lost: LostRecords) => void;
}

interface GivenUp {
  /** Highest id that had been triggered. */
  readonly behind: number;
  /** Of this part of the job and all that were restored before. */
  readonly lost: LostRecords;
}

export class GivenUpData implements LeftOut {
  readonly #options: GivenUpDataOptions;
  readonly #partOf: readonly number[];
  readonly #parts = new Set<number>();
  /** One for each part, in the order in which they were restored. */
  readonly #givenUp: GivenUp[] = [];
  #triggered = 0;

  constructor(options: GivenUpDataOptions) {
    this.#options = options;
    this.#partOf = connectedParts(options.graph);
  }

  observe({ event }: HistoryEvent): void {
    if (event.kind === 'checkpoint-triggered') this.#triggered = Math.max(this.#triggered, event.checkpointId);
    if (event.kind !== 'task-restored' || event.checkpointId !== this.#options.checkpointId) return;
    const part = this.#partOf[event.vertex] ?? -1;
    if (!this.#parts.has(part)) this.#giveUp(part);
  }

  /** Entries of memory: as many as there are parts. */
  get remembered(): number {
    return this.#givenUp.length;
  }

  /** What the state of a checkpoint lacks, always the same object for the same; undefined: nothing. */
  before(checkpointId: number): LostRecords | undefined {
    return this.#givenUp.findLast(({ behind }) => behind < checkpointId)?.lost;
  }

  #giveUp(part: number): void {
    const { reader, checkpointId, graph, changed } = this.#options;
    const checkpoint = reader.retained().find(({ id }) => id === checkpointId);
    const contents = checkpoint && reader.contents(checkpoint);
    // Judges of checkpoints say what is wrong with it.
    if (contents?.kind !== 'read') return;
    this.#parts.add(part);
    const lost = new Map(this.#givenUp.at(-1)?.lost);
    for (const { edge, lineage } of contents.value.inFlight) {
      if (this.#partOf[graph.edges[edge]?.to ?? -1] !== part) continue;
      const onEdge = new Map(lost.get(edge));
      lost.set(edge, onEdge.set(lineage, (onEdge.get(lineage) ?? 0) + 1));
    }
    this.#givenUp.push({ behind: this.#triggered, lost });
    if (lost.size > 0) changed(lost);
  }
}
