/**
 * Reads the splits it is assigned (rows K1, K3; Flink: SourceOperator with a SourceReader of Kafka's kind).
 *
 * Owns: the splits it holds with their positions, the fetches, and what it and its coordinator tell each other. Does not own: where
 * records go, when a snapshot is taken.
 * Invariants:
 *   I1 a position is the offset of the next record to emit, a number from the start (H5, H6 in bugs.md);
 *   I2 its state holds every split from the assignment on until `release-split`, finished ones included: a note that is on its way to
 *      the enumerator is not state;
 *   I3 the coordinator is told that the barrier has left in the mailbox action of the snapshot; so whatever was held back comes after;
 *   I4 an event that the coordinator does not acknowledge fails the subtask (Flink: RpcTaskOperatorEventGateway).
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { type ReplyHandler, RequestClient } from '../clients/request-client.ts';
import { EventReceiver, EventSender } from '../coordination/event-channel.ts';
import { assert, unreachable } from '../foundation/assert.ts';
import type { CheckpointId, ExecutionAttemptId, LeaderEpoch } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage, LogRecords, OperatorEventMessage } from '../protocol/messages.ts';
import {
  type EventFromOperator,
  type EventToOperator,
  isFinished,
  type LogSplit,
  UNBOUNDED,
} from '../protocol/operator-events.ts';
import type { TaskFailure } from '../protocol/task.ts';
import type { RestoredPiece, SourceReader, SourceReaderOptions } from './source-reader.ts';
import { decodeReaderSplits, encodeReaderSplits } from './split-rows.ts';
import { probe, sometimes } from '../protocol/probes.ts';

export interface SplitReaderOptions extends SourceReaderOptions {
  readonly attempt: ExecutionAttemptId;
  readonly epoch: LeaderEpoch;
  readonly toJobManager: (message: EngineMessage, out: Out) => void;
  readonly fail: (failure: TaskFailure, out: Out) => void;
}

/** A split that is held; `offset` moves. */
interface HeldSplit {
  readonly splitId: string;
  readonly partition: number;
  offset: number;
  readonly end: number;
  /** Records of its partition behind what was fetched. */
  behind: number;
  /** What becomes of the reply to a fetch; made once. */
  readonly onReply: ReplyHandler<LogRecords>;
}

/** The end of a partition may hold a fetch for so long (log-broker.ts); a request must not time out before. */
const HELD_FETCH_US_MAX = 5_000_000;

export class SplitReader implements SourceReader {
  readonly uid: string;
  readonly #options: SplitReaderOptions;
  readonly #client: RequestClient<LogRecords>;
  readonly #later = new DelayedCalls();
  readonly #toCoordinator: EventSender<EventFromOperator>;
  readonly #fromCoordinator = new EventReceiver<EventToOperator>();
  /** In the order of assignment. */
  #splits: HeldSplit[] = [];
  readonly #batches: { readonly split: HeldSplit; readonly records: LogRecords }[] = [];
  #cursor = 0;
  #noMoreSplits = false;
  /** What the coordinator was told last (row C5). */
  #isProcessingBacklog = false;
  #stopped = false;

  constructor(options: SplitReaderOptions) {
    this.#options = options;
    this.#client = new RequestClient({
      node: options.broker,
      via: 'datagram',
      name: 'fetch',
      timeoutUs: options.requestTimeoutUs + HELD_FETCH_US_MAX,
      firstRequestId: options.firstRequestId,
    });
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
    for (const split of splits) this.#hold({ ...split, offset: Math.max(0, split.offset) });
  }

  /** The subtask runs: the reader makes itself known and reads on. */
  start(out: Out): void {
    this.#tell({ kind: 'register-reader', splits: this.splits() }, out);
    for (const split of this.#splits) if (!isFinished(split)) this.#fetch(split, out);
    this.#askForMore(out);
  }

  /** With their positions. */
  splits(): readonly LogSplit[] {
    return this.#splits.map(({ splitId, partition, offset, end }) => ({ splitId, partition, offset, end }));
  }

  snapshot(checkpointId: CheckpointId, checkpointedOffset: (nextOffset: number) => number, out: Out): Uint8Array {
    this.#tell({ kind: 'acknowledge-checkpoint-event', checkpointId }, out);
    return encodeReaderSplits(this.splits().map((split) => ({ ...split, offset: checkpointedOffset(split.offset) })));
  }

  get hasRecords(): boolean {
    return this.#batches.length > 0 && !this.#stopped;
  }

  /** Never: sources with splits are not bounded yet, and a reader without splits waits for some. */
  readonly isExhausted: boolean = false;

  openSplits(): readonly string[] {
    return this.#splits.filter((split) => !isFinished(split)).map(({ splitId }) => splitId);
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
      split.offset += 1;
      this.#cursor += 1;
      emitted += 1;
      consumer.process(records.values[at], records.timestampsUs[at] ?? 0, records.sourceIndices[at] ?? 0);
    }
    if (this.#cursor >= records.values.length) {
      this.#batches.shift();
      this.#cursor = 0;
      if (isFinished(split)) this.#finished(split, out);
      else this.#fetch(split, out);
    }
    return emitted;
  }

  handleEvent(message: OperatorEventMessage, nowUs: Micros, out: Out): void {
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

  handleReply(reply: LogRecords, nowUs: Micros, out: Out): void {
    this.#client.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#client.handleTimer(timer, nowUs, out) ||
      this.#later.handleTimer(timer, nowUs, out) ||
      this.#toCoordinator.handleTimer(timer, nowUs, out)
    );
  }

  #handle(event: EventToOperator, out: Out): void {
    switch (event.kind) {
      case 'assign-splits':
        for (const split of event.splits) this.#fetch(this.#hold(split), out);
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
    const { spec, parallelism } = this.#options;
    const share = Math.ceil(spec.partitions.length / parallelism);
    const open = this.#splits.filter((split) => !isFinished(split)).length;
    if (open < share && !this.#noMoreSplits) this.#tell({ kind: 'request-split' }, out);
  }

  #finished(split: HeldSplit, out: Out): void {
    this.#reportBacklog(out);
    const { splitId, partition, offset, end } = split;
    this.#tell({ kind: 'split-finished', split: { splitId, partition, offset, end } }, out);
    this.#askForMore(out);
  }

  /** Row C5: only where it changes. What was fetched and not emitted yet is as good as read. */
  #reportBacklog(out: Out): void {
    const { backlogRecords } = this.#options.spec;
    if (backlogRecords === undefined) return;
    const isProcessingBacklog = this.#splits.some((split) => !isFinished(split) && split.behind > backlogRecords);
    if (isProcessingBacklog === this.#isProcessingBacklog) return;
    this.#isProcessingBacklog = isProcessingBacklog;
    this.#tell({ kind: 'report-backlog', isProcessingBacklog }, out);
  }

  #tell(event: EventFromOperator, out: Out): void {
    this.#toCoordinator.send(event, out, (outcome, _nowUs, settledOut) => {
      if (outcome !== 'lost') return;
      probe(settledOut, 'operator-event-unanswered');
      this.#options.fail('operator-event-lost', settledOut);
    });
  }

  #acknowledge(sequence: number, out: Out): void {
    const { uid: operator, attempt, epoch, toJobManager } = this.#options;
    toJobManager({ kind: 'operator-event-acknowledged', epoch, attempt, operator, sequence }, out);
  }

  #hold({ splitId, partition, offset, end }: LogSplit): HeldSplit {
    assert(!this.#splits.some((held) => held.splitId === splitId), 'a split is assigned to a reader once', { splitId });
    const split: HeldSplit = {
      splitId,
      partition,
      offset,
      end,
      behind: 0,
      onReply: (reply, _nowUs, out) => this.#onReply(split, reply, out),
    };
    this.#splits.push(split);
    return split;
  }

  #fetch(split: HeldSplit, out: Out): void {
    const { spec } = this.#options;
    const left = split.end === UNBOUNDED ? spec.fetchRecords : split.end - split.offset;
    this.#client.send(
      {
        kind: 'log-fetch',
        requestId: this.#client.nextRequestId,
        partition: split.partition,
        offset: split.offset,
        maxRecords: Math.min(spec.fetchRecords, left),
        maxWaitUs: micros(spec.fetchWaitUs),
      },
      out,
      split.onReply,
    );
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
    assert(reply.offset === split.offset, 'a fetch is answered from the offset it asked for');
    split.behind = reply.behind;
    this.#reportBacklog(out);
    if (reply.values.length === 0) return this.#fetch(split, out);
    this.#batches.push({ split, records: reply });
  }
}
