/**
 * What became of a record: which checkpoint said first that it is done, whose transaction with it was aborted, which restore went back before
 * it. A judge that finds a record missing, or visible twice, names with it the decision that lost or repeated it.
 *
 * Owns the trail, not the finding. Told of cuts by the judge who reads each completed checkpoint.
 *
 * I1: what it knows of checkpoints is bounded by the input: of one that covers no new record nothing is kept. Of transactions and restores the
 *     newest are kept.
 */
import { isOfFinish, type Lineage, sourceIndexOf } from '../../engine/protocol/stream-elements.ts';
import type { EventOf, HistoryEvent } from '../history/history-event.ts';
import { EPISODES_KEPT, forgetOldest, PARTS_KEPT } from './forget-oldest.ts';
import type { AbortedRecord } from './judge.ts';
import type { Cut, InputIndex } from './reference-run.ts';
import { secondsText } from './seconds-text.ts';

/** What is known about a finding: part of a sentence, empty when nothing is, and the history indices that show it, as a verdict has them. */
export interface Clue {
  readonly says: string;
  readonly at: readonly number[];
}

interface Moment {
  /** Index in the history. */
  readonly at: number;
  readonly atUs: number;
}

/** The first completed checkpoint whose cut lies behind the records up to an offset. */
interface Covering extends Moment {
  readonly id: number;
  readonly upTo: number;
}

interface Restore extends Moment {
  readonly checkpointId: number;
}

interface Abort extends Moment {
  readonly says: string;
  readonly wasPreCommitted: boolean;
}

const NO_CLUE: Clue = { says: '', at: [] };

export class RecordTrail {
  readonly kinds = ['task-restored', 'transaction-aborted', 'kafka-transaction'] as const;
  readonly #index: InputIndex;
  /** Where aborted records lie that the history does not tell of; absent: nowhere. */
  readonly #abortedInLog: (lineage: Lineage) => AbortedRecord | undefined;
  /** By slot; both ids and offsets rise. */
  readonly #coverings: readonly Covering[][];
  readonly #restores = new Map<number, Restore>();
  /** By history index. */
  readonly #aborts = new Map<number, Abort>();
  /** By producer id and epoch. */
  readonly #kafkaAborts = new Map<string, Abort>();
  /** By source index: where in the history its last transaction was aborted, and one more; 0: none was. Made when one is. */
  #abortedAt: Int32Array | undefined;

  constructor(index: InputIndex, abortedInLog: (lineage: Lineage) => AbortedRecord | undefined = () => undefined) {
    this.#index = index;
    this.#abortedInLog = abortedInLog;
    this.#coverings = index.input.map(() => []);
  }

  observe({ event, index: at, atUs }: HistoryEvent): void {
    if (event.kind === 'task-restored') {
      this.#restores.set(at, { at, atUs, checkpointId: event.checkpointId });
      forgetOldest(this.#restores, PARTS_KEPT);
    } else if (event.kind === 'transaction-aborted') this.#onAborted(event, { at, atUs });
    else if (event.kind === 'kafka-transaction') this.#onKafka(event, { at, atUs });
  }

  completed(id: number, cut: Cut, { at, atUs }: Moment): void {
    for (let slot = 0; slot < this.#coverings.length; slot += 1) {
      const known = this.#coverings[slot];
      const upTo = cut[slot] ?? 0;
      if (known !== undefined && upTo > (known.at(-1)?.upTo ?? 0)) known.push({ id, at, atUs, upTo });
    }
  }

  /** Why a record that is due was never seen. */
  lost(lineage: Lineage): Clue {
    if (isOfFinish(lineage)) return NO_CLUE;
    const covering = this.#coveringOf(lineage);
    const abort = this.#abortOf(lineage);
    // What fails with its attempt is aborted and read again; that is no decision about the record.
    const counts = abort !== undefined && (abort.wasPreCommitted || abort.at > (covering?.at ?? -1));
    // In the order of the life for people; what took the record away is the last of the indices, whenever that was.
    const told = [
      ...(covering === undefined
        ? []
        : [
            {
              ...covering,
              says: `checkpoint ${String(covering.id)}, complete at ${secondsText(covering.atUs)}, is the first that covers it`,
            },
          ]),
      ...(counts ? [abort] : []),
    ].sort((a, b) => a.at - b.at);
    if (told.length === 0) return NO_CLUE;
    const at = [...(covering === undefined ? [] : [covering.at]), ...(counts ? [abort.at] : [])];
    return { says: `: ${told.map(({ says }) => says).join('; ')}`, at };
  }

  /** Why a record that was seen at `first` is seen again at `again`. */
  repeated(lineage: Lineage, first: number, again: number): Clue {
    const covering = this.#coveringOf(lineage);
    for (const restore of this.#restores.values()) {
      if (restore.at <= first || restore.at >= again) continue;
      const { checkpointId } = restore;
      if (covering !== undefined && checkpointId >= covering.id) continue;
      const from = checkpointId === 0 ? 'the beginning' : `checkpoint ${String(checkpointId)}, which does not cover it`;
      return {
        says: `: between them, at ${secondsText(restore.atUs)}, the job went back to ${from}`,
        at: [restore.at],
      };
    }
    return NO_CLUE;
  }

  /** Entries of memory; bounded by the input, whatever the length of the life. */
  get remembered(): number {
    const coverings = this.#coverings.reduce((sum, { length }) => sum + length, 0);
    return coverings + this.#restores.size + this.#aborts.size + this.#kafkaAborts.size;
  }

  #onAborted({ transaction, why, preCommitted, lineages }: EventOf<'transaction-aborted'>, moment: Moment): void {
    if (lineages.length === 0) return;
    const was = preCommitted ? ', which was pre-committed,' : '';
    const says = `transaction ${transaction} with it${was} was aborted at ${secondsText(moment.atUs)} (${why})`;
    this.#aborts.set(moment.at, { ...moment, says, wasPreCommitted: preCommitted });
    forgetOldest(this.#aborts, EPISODES_KEPT);
    this.#abortedAt ??= new Int32Array(this.#index.sourceCount);
    for (const lineage of lineages) if (!isOfFinish(lineage)) this.#abortedAt[sourceIndexOf(lineage)] = moment.at + 1;
  }

  #onKafka(event: EventOf<'kafka-transaction'>, moment: Moment): void {
    if (event.state !== 'prepare-abort') return;
    const { transactionalId, producerId, producerEpoch } = event;
    const says = `transaction ${transactionalId} with it was aborted at ${secondsText(moment.atUs)}, by epoch ${String(producerEpoch)} of its producer`;
    this.#kafkaAborts.set(`${String(producerId)}/${String(producerEpoch)}`, {
      ...moment,
      says,
      wasPreCommitted: false,
    });
    forgetOldest(this.#kafkaAborts, EPISODES_KEPT);
  }

  #coveringOf(lineage: Lineage): Covering | undefined {
    const source = sourceIndexOf(lineage);
    const offset = this.#index.offsets[source] ?? 0;
    return this.#coverings[this.#index.slots[source] ?? -1]?.find(({ upTo }) => offset < upTo);
  }

  #abortOf(lineage: Lineage): Abort | undefined {
    const inLog = this.#abortedInLog(lineage);
    if (inLog === undefined) return this.#aborts.get((this.#abortedAt?.[sourceIndexOf(lineage)] ?? 0) - 1);
    const { partition, offset, producerId, producerEpoch } = inLog;
    // Who is fenced is aborted by the next epoch.
    const known = [producerEpoch, producerEpoch + 1].map((epoch) =>
      this.#kafkaAborts.get(`${String(producerId)}/${String(epoch)}`),
    );
    const abort = known.find((one) => one !== undefined);
    return (
      abort && {
        ...abort,
        says: `${abort.says}, and it lies unread in partition ${partition} at offset ${String(offset)}`,
      }
    );
  }
}
