/**
 * Reads the splits it is assigned (rows K1, K3; Flink: SourceOperator with a SourceReader of Kafka's kind).
 *
 * Owns: the splits it holds with their positions, the fetches, and what it and its coordinator tell each other. Does not own: where
 * records go, when a snapshot is taken.
 * Invariants:
 *   I1 a position is the next record to emit: the offset of its entry in the log, a number from the start, and how many records of that entry
 *      come before it (H5, H6 in bugs.md);
 *   I2 its state holds every split from the assignment on until `release-split`, finished ones included: a note that is on its way to
 *      the enumerator is not state;
 *   I3 the coordinator is told that the barrier has left in the mailbox action of the snapshot; so whatever was held back comes after;
 *   I4 an event that the coordinator does not acknowledge fails the subtask (Flink: RpcTaskOperatorEventGateway);
 *   I5 it is exhausted when it was told that there is nothing more, and each split it finished was released: then no state is lost with it;
 *   I6 it has one request for a split under way, so that it never holds more of endless ones than its share: what it may ask for when it begins
 *      again is then no less than what it held before;
 *   I7 of a chain of sources it reads one at a time, in their order: splits of a later one wait for those of an earlier one (row B24; Flink:
 *      HybridSourceReader);
 *   I8 one that is restored as finished ends when its coordinator knows that it is there: while one may come and hold splits, all others wait.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { ReplyHandler } from '../clients/request-client.ts';
import { EventReceiver, EventSender } from '../coordination/event-channel.ts';
import { assert, unreachable } from '../foundation/assert.ts';
import type { CheckpointId, ExecutionAttemptId, LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage, LogRecords, OperatorEventMessage } from '../protocol/messages.ts';
import {
  type EventFromOperator,
  type EventToOperator,
  isFinished,
  LATEST,
  type LogSplit,
  sourceOf,
  UNBOUNDED,
} from '../protocol/operator-events.ts';
import type { TaskFailure } from '../protocol/task.ts';
import type { RestoredPiece, SourceMessage, SourceReader, SourceReaderOptions } from './source-reader.ts';
import { splitFetcherOf } from './open-fetcher.ts';
import { chainOf } from '../job/job-graph.ts';
import type { SplitFetcher } from './split-fetcher.ts';
import { decodeReaderSplits, encodeReaderSplits } from './split-rows.ts';
import { probe, sometimes } from '../protocol/probes.ts';

export interface SplitReaderOptions extends SourceReaderOptions {
  readonly attempt: ExecutionAttemptId;
  readonly epoch: LeaderEpoch;
  readonly toJobManager: (message: EngineMessage, out: Out) => void;
  readonly fail: (failure: TaskFailure, out: Out) => void;
  readonly parts: Pick<EngineParts, 'checkpointedSplit' | 'finishedReader'>;
}

/** A split that is held; `offset` moves. */
interface HeldSplit {
  readonly splitId: string;
  readonly partition: number;
  offset: number;
  /** Records of the entry at `offset` that were emitted. */
  sub: number;
  readonly end: number;
  readonly source?: number;
  /** I7: it is not being fetched. */
  waits: boolean;
  /** Its partition has ended, and it was read to there. */
  ended: boolean;
  /** Something of it was read, in this attempt or before. */
  wasRead: boolean;
  /** Records of its partition behind what was fetched. */
  behind: number;
  /** What becomes of the reply to a fetch; made once. */
  readonly onReply: ReplyHandler<LogRecords>;
}

export class SplitReader implements SourceReader {
  readonly uid: string;
  readonly #options: SplitReaderOptions;
  readonly #fetcher: SplitFetcher;
  readonly #later = new DelayedCalls();
  readonly #toCoordinator: EventSender<EventFromOperator>;
  readonly #fromCoordinator = new EventReceiver<EventToOperator>();
  /** In the order of assignment. */
  #splits: HeldSplit[] = [];
  readonly #batches: { readonly split: HeldSplit; readonly records: LogRecords }[] = [];
  /** In the first batch: of the record to emit next, and of its entry. */
  #cursor = 0;
  #entry = 0;
  #noMoreSplits = false;
  /** I6: for a split of the source that is read now. */
  #hasAsked = false;
  /** Of a chain: the one that is read now, as the coordinator said last. */
  #source = 0;
  /** Of a chain: whose splits are fetched; I7. */
  #reading = 0;
  /** What the coordinator was told last (row C5). */
  #isProcessingBacklog = false;
  #stopped = false;
  /** I8. */
  #isHeard = true;

  constructor(options: SplitReaderOptions) {
    this.#options = options;
    this.#fetcher = splitFetcherOf(options);
    const { uid, attempt, epoch } = options;
    this.uid = uid;
    this.#toCoordinator = new EventSender({
      name: uid,
      timeoutUs: options.requestTimeoutUs,
      deliver: (sequence, event, out) =>
        options.toJobManager({ kind: 'operator-event', epoch, attempt, operator: uid, sequence, event }, out),
    });
  }

  /** Its share of what all readers held: a list that is dealt out split by split (row S5), so that each is with one reader. */
  restore(pieces: readonly RestoredPiece[]): void {
    const splits = pieces.flatMap(({ bytes, lists }) => decodeReaderSplits(bytes, lists));
    for (const split of splits)
      this.#hold(split.offset === LATEST ? split : { ...split, offset: Math.max(0, split.offset) });
  }

  /** The subtask runs: the reader makes itself known and reads on. */
  start(out: Out): void {
    const hasFinished = this.#options.restore?.finished === 'task';
    this.#isHeard = !hasFinished || this.#options.parts.finishedReader === 'ends-at-once';
    this.#tell({ kind: 'register-reader', splits: this.splits(), hasFinished }, out, () => (this.#isHeard = true));
    if (hasFinished) return;
    this.#reading = this.#firstSource();
    for (const split of this.#splits) if (!isFinished(split)) this.#fetch(split, out);
    // What is read of a chain it is told when it is known, and asks then.
    if (!this.#isChain) this.#askForMore(out);
  }

  /** With their positions. */
  splits(): readonly LogSplit[] {
    return this.#splits.map(splitOf);
  }

  snapshot(checkpointId: CheckpointId, checkpointedOffset: (nextOffset: number) => number, out: Out): Uint8Array {
    this.#tell({ kind: 'acknowledge-checkpoint-event', checkpointId }, out);
    const { checkpointedSplit } = this.#options.parts;
    return encodeReaderSplits(
      this.#splits.map((held) => {
        const split = splitOf(held);
        return checkpointedSplit({ ...split, offset: checkpointedOffset(split.offset) }, held.wasRead);
      }),
      this.#isChain,
    );
  }

  get hasRecords(): boolean {
    return this.#batches.length > 0 && !this.#stopped;
  }

  /** I5. */
  get isExhausted(): boolean {
    return this.#options.spec.bounded === true && this.#noMoreSplits && this.#splits.length === 0;
  }

  get isHeard(): boolean {
    return this.#isHeard;
  }

  openSplits(): readonly string[] {
    return this.#splits.filter(isOpen).map(({ splitId }) => splitId);
  }

  get nextSplit(): string | undefined {
    return this.#batches[0]?.split.splitId;
  }

  stop(): void {
    this.#stopped = true;
  }

  emit(limit: number, consumer: ElementConsumer, mayEmit: () => boolean, out: Out): number {
    const batch = this.#batches[0];
    if (batch === undefined || this.#stopped) return 0;
    const { split, records } = batch;
    let emitted = 0;
    while (emitted < limit && this.#cursor < records.values.length && mayEmit()) {
      const at = this.#cursor;
      split.wasRead = true;
      split.sub += 1;
      if (split.sub >= (records.entrySizes?.[this.#entry] ?? 1)) {
        split.offset += 1;
        split.sub = 0;
        this.#entry += 1;
      }
      this.#cursor += 1;
      emitted += 1;
      consumer.process(records.values[at], records.timestampsUs[at] ?? 0, records.sourceIndices[at] ?? 0);
    }
    if (this.#cursor >= records.values.length) {
      this.#batches.shift();
      this.#beginBatch();
      if (records.ended) split.ended = true;
      if (isOpen(split)) this.#fetch(split, out);
      else this.#finished(split, out);
    }
    return emitted;
  }

  handleMessage(message: SourceMessage, nowUs: Micros, out: Out): void {
    if (message.kind === 'operator-event' || message.kind === 'operator-event-acknowledged')
      this.#handleEvent(message, nowUs, out);
    else this.#fetcher.handleMessage(message, nowUs, out);
  }

  #handleEvent(message: OperatorEventMessage, nowUs: Micros, out: Out): void {
    if (message.kind === 'operator-event-acknowledged') {
      return this.#toCoordinator.acknowledged(message.sequence, nowUs, out);
    }
    const { due, again } = this.#fromCoordinator.receive(message.sequence, message.event as EventToOperator);
    if (again) this.#acknowledge(message.sequence, out);
    for (const { sequence, event } of due) {
      this.#handle(event, out);
      this.#acknowledge(sequence, out);
    }
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#fetcher.handleTimer(timer, nowUs, out) ||
      this.#later.handleTimer(timer, nowUs, out) ||
      this.#toCoordinator.handleTimer(timer, nowUs, out)
    );
  }

  /** Of its first entry some records may have been emitted before. */
  #beginBatch(): void {
    this.#entry = 0;
    this.#cursor = this.#batches[0]?.split.sub ?? 0;
  }

  #handle(event: EventToOperator, out: Out): void {
    switch (event.kind) {
      case 'assign-splits':
        assert(!this.#noMoreSplits, 'a reader that was told that there is nothing more is assigned nothing');
        for (const split of event.splits) {
          const held = this.#hold(split);
          if (this.#isChain) this.#reading = this.#firstSource();
          if (sourceOf(split) === this.#source) this.#hasAsked = false;
          this.#fetch(held, out);
        }
        return this.#askForMore(out);
      case 'switch-source':
        this.#source = event.source;
        this.#hasAsked = false;
        return this.#askForMore(out);
      case 'no-more-splits':
        this.#noMoreSplits = true;
        return;
      case 'release-split':
        this.#splits = this.#splits.filter(({ splitId }) => splitId !== event.splitId);
        return;
      default:
        unreachable(event);
    }
  }

  /** It takes its share of the partitions; others have room for the rest. */
  #askForMore(out: Out): void {
    const { parallelism } = this.#options;
    const { files, partitions } = chainOf(this.#options.spec)[this.#source] ?? this.#options.spec;
    // Of files one at a time: what another reader has not begun it can take over.
    const share = files === undefined ? Math.ceil(partitions.length / parallelism) : 1;
    const open = this.#splits.filter((split) => isOpen(split) && sourceOf(split) === this.#source).length;
    if (this.#hasAsked || this.#noMoreSplits || open >= share) return;
    this.#hasAsked = true;
    this.#tell({ kind: 'request-split', ...(this.#isChain ? { source: this.#source } : {}) }, out);
  }

  #finished(split: HeldSplit, out: Out): void {
    this.#reportBacklog(out);
    this.#tell({ kind: 'split-finished', split: splitOf(split), partitionEnded: split.ended }, out);
    if (this.#isChain) this.#readOn(out);
    this.#askForMore(out);
  }

  get #isChain(): boolean {
    return this.#options.spec.chain !== undefined;
  }

  /** The earliest one of the chain that splits are open of. */
  #firstSource(): number {
    return this.#splits.reduce(
      (first, split) => (isOpen(split) ? Math.min(first, sourceOf(split)) : first),
      Number.MAX_SAFE_INTEGER,
    );
  }

  /** I7. */
  #readOn(out: Out): void {
    this.#reading = this.#firstSource();
    for (const split of this.#splits) if (split.waits) this.#fetch(split, out);
  }

  /** Row C5: only where it changes. What was fetched and not emitted yet is as good as read. */
  #reportBacklog(out: Out): void {
    const { backlogRecords } = this.#options.spec;
    if (backlogRecords === undefined) return;
    const isProcessingBacklog = this.#splits.some((split) => isOpen(split) && split.behind > backlogRecords);
    if (isProcessingBacklog === this.#isProcessingBacklog) return;
    this.#isProcessingBacklog = isProcessingBacklog;
    this.#tell({ kind: 'report-backlog', isProcessingBacklog }, out);
  }

  #tell(event: EventFromOperator, out: Out, heard?: () => void): void {
    this.#toCoordinator.send(event, out, (outcome, _nowUs, settledOut) => {
      if (outcome !== 'lost') return heard?.();
      probe(settledOut, 'operator-event-unanswered');
      this.#options.fail('operator-event-lost', settledOut);
    });
  }

  #acknowledge(sequence: number, out: Out): void {
    const { uid: operator, attempt, epoch, toJobManager } = this.#options;
    toJobManager({ kind: 'operator-event-acknowledged', epoch, attempt, operator, sequence }, out);
  }

  #hold({ splitId, partition, offset, sub, end, source }: LogSplit): HeldSplit {
    assert(!this.#splits.some((held) => held.splitId === splitId), 'a split is assigned to a reader once', { splitId });
    const split: HeldSplit = {
      splitId,
      partition,
      offset,
      sub,
      end,
      ...(source === undefined ? {} : { source }),
      waits: false,
      ended: false,
      wasRead: offset !== LATEST && (sub > 0 || splitId !== `${partition}@${offset}`),
      behind: 0,
      onReply: (reply, _nowUs, out) => this.#onReply(split, reply, out),
    };
    this.#splits.push(split);
    return split;
  }

  #fetch(split: HeldSplit, out: Out): void {
    split.waits = this.#isChain && sourceOf(split) > this.#reading;
    if (!split.waits) this.#fetcher.fetch(split, out, split.onReply);
  }

  #onReply(split: HeldSplit, reply: LogRecords | undefined, out: Out): void {
    sometimes(reply === undefined, out, 'log-fetch-unanswered');
    if (reply === undefined) return this.#fetch(split, out);
    if (reply.outcome === 'unavailable') {
      probe(out, 'log-unavailable');
      const delayUs = retryDelayUs(this.#options.requestTimeoutUs);
      return this.#later.after(delayUs, `fetch/${split.splitId}`, out, (_nowUs, lateOut) =>
        this.#fetch(split, lateOut),
      );
    }
    if (reply.outcome === 'out-of-range') return this.#onDeleted(split, reply.offset, out);
    if (split.offset === LATEST) split.offset = reply.offset;
    assert(reply.offset === split.offset, 'a fetch is answered from the offset it asked for');
    split.behind = reply.behind;
    this.#reportBacklog(out);
    if (reply.values.length > 0) {
      this.#batches.push({ split, records: reply });
      if (this.#batches.length === 1) this.#beginBatch();
      return;
    }
    // Entries without a record are read as well.
    split.offset += reply.entrySizes?.length ?? 0;
    if (!reply.ended) return this.#fetch(split, out);
    split.ended = true;
    this.#finished(split, out);
  }

  /** The log begins at `start` by now. */
  #onDeleted(split: HeldSplit, start: number, out: Out): void {
    if (this.#stopped) return;
    probe(out, 'offset-out-of-range');
    const { offsetReset } = chainOf(this.#options.spec)[sourceOf(split)] ?? this.#options.spec;
    if (offsetReset === undefined) return this.#options.fail('offset-out-of-range', out);
    split.offset = split.end === UNBOUNDED ? start : Math.min(start, split.end);
    split.sub = 0;
    if (isOpen(split)) this.#fetch(split, out);
    else this.#finished(split, out);
  }
}

const splitOf = ({ splitId, partition, offset, sub, end, source }: HeldSplit): LogSplit => ({
  splitId,
  partition,
  offset,
  sub,
  end,
  ...(source === undefined ? {} : { source }),
});

const isOpen = (split: HeldSplit): boolean => !split.ended && !isFinished(split);
