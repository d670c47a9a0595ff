/**
 * Reads partitions of the log and remembers how far (Flink: SourceReader, KafkaPartitionSplit).
 *
 * From a socket it reads what comes, too, but cannot ask for what came before: there a position only says how much had been handed out.
 *
 * Owns: the positions and the fetches. Does not own: where records go, nor when a snapshot is taken.
 * Invariants:
 *   I1 a position is the offset of the next record to emit (H6 in bugs.md: one meaning, "next to read");
 *   I2 records of a partition are emitted in offset order, each once per attempt;
 *   I3 at most one fetch per partition is open; what answers an older position is dropped;
 *      of a socket: what comes is newer than what came;
 *   I4 after `stop` nothing is emitted or fetched, the positions stay.
 */
import { type ReplyHandler, RequestClient } from '../clients/request-client.ts';
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { assert, InvariantViolation } from '../foundation/assert.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { LogFetch, LogRecords } from '../protocol/messages.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import { decodeSourceOffsets, encodeSourceOffsets } from './operator-state-rows.ts';
import type { RestoredPiece, SourceReader, SourceReaderOptions } from './source-reader.ts';
import { probe, sometimes } from '../protocol/probes.ts';

export interface LogSourceOptions extends SourceReaderOptions {
  readonly subtask: number;
}

interface Position {
  readonly partition: number;
  nextOffset: number;
  /** The partition is bounded and everything in it was emitted. */
  ended: boolean;
  /** What becomes of the reply to a fetch; made once. */
  readonly onReply: ReplyHandler<LogRecords>;
}

/** The end of a partition may hold a fetch for so long (log-broker.ts); a request must not time out before. */
const HELD_FETCH_US_MAX = 5_000_000;

export class LogSource implements SourceReader {
  readonly uid: string;
  readonly #options: LogSourceOptions;
  readonly #positions: readonly Position[];
  readonly #client: RequestClient<LogRecords>;
  readonly #later = new DelayedCalls();
  readonly #batches: LogRecords[] = [];
  #cursor = 0;
  #stopped = false;

  constructor(options: LogSourceOptions) {
    this.uid = options.uid;
    this.#options = options;
    this.#positions = options.spec.partitions
      .filter((_, index) => index % options.parallelism === options.subtask)
      .map((partition) => this.#newPosition(partition));
    this.#client = new RequestClient({
      node: options.broker,
      via: 'datagram',
      name: 'fetch',
      timeoutUs: options.requestTimeoutUs + HELD_FETCH_US_MAX,
      firstRequestId: options.firstRequestId,
    });
  }

  /** Positions as {partition, offset of the next record}. */
  positions(): readonly { readonly partition: number; readonly offset: number }[] {
    return this.#positions.map(({ partition, nextOffset }) => ({ partition, offset: nextOffset }));
  }

  /** Partitions of the checkpoint that this subtask does not own are ignored. */
  restore(pieces: readonly RestoredPiece[]): void {
    for (const { partition, offset } of pieces.flatMap(({ bytes, lists }) => decodeSourceOffsets(bytes, lists))) {
      const position = this.#positions.find((candidate) => candidate.partition === partition);
      if (position !== undefined) position.nextOffset = Math.max(0, offset);
    }
  }

  snapshot(_checkpointId: CheckpointId, checkpointedOffset: (nextOffset: number) => number): Uint8Array {
    const positions = this.positions();
    return encodeSourceOffsets(
      positions.map(({ partition, offset }) => ({ partition, offset: checkpointedOffset(offset) })),
    );
  }

  start(out: Out): void {
    for (const position of this.#positions) this.#fetch(position, out);
  }

  get hasRecords(): boolean {
    return this.#batches.length > 0 && !this.#stopped;
  }

  /** Every partition is bounded and was emitted to its end. A source without partitions waits for some, unless there can be none. */
  get isExhausted(): boolean {
    if (this.#positions.length === 0) return this.#options.spec.bounded === true;
    return this.#positions.every(({ ended }) => ended);
  }

  openSplits(): readonly string[] {
    return this.#positions.filter(({ ended }) => !ended).map(({ partition }) => String(partition));
  }

  get nextSplit(): string | undefined {
    const [batch] = this.#batches;
    return batch === undefined ? undefined : String(batch.partition);
  }

  stop(): void {
    this.#stopped = true;
  }

  emit(limit: number, consumer: ElementConsumer, mayEmit: () => boolean, out: Out): number {
    const batch = this.#batches[0];
    if (batch === undefined || this.#stopped) return 0;
    const position = this.#positionOf(batch.partition);
    let emitted = 0;
    while (emitted < limit && this.#cursor < batch.values.length && mayEmit()) {
      const at = this.#cursor;
      position.nextOffset += 1;
      this.#cursor += 1;
      emitted += 1;
      consumer.process(batch.values[at], batch.timestampsUs[at] ?? 0, batch.sourceIndices[at] ?? 0);
    }
    if (this.#cursor >= batch.values.length) {
      this.#batches.shift();
      this.#cursor = 0;
      if (batch.ended === true) position.ended = true;
      else this.#fetch(position, out);
    }
    return emitted;
  }

  handleReply(reply: LogRecords, nowUs: Micros, out: Out): void {
    this.#client.handleReply(reply, nowUs, out);
  }

  /** It has no coordinator. */
  handleEvent(): void {}

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#client.handleTimer(timer, nowUs, out) || this.#later.handleTimer(timer, nowUs, out);
  }

  #fetch(position: Position, out: Out): void {
    const { spec } = this.#options;
    const { partition, nextOffset } = position;
    const message: LogFetch = {
      kind: 'log-fetch',
      requestId: this.#client.nextRequestId,
      partition,
      offset: nextOffset,
      maxRecords: spec.fetchRecords,
      maxWaitUs: micros(spec.fetchWaitUs),
    };
    this.#client.send(message, out, position.onReply);
  }

  #newPosition(partition: number): Position {
    const position: Position = {
      partition,
      nextOffset: 0,
      ended: false,
      onReply: (reply, _nowUs, out) => this.#onReply(position, reply, out),
    };
    return position;
  }

  #onReply(position: Position, reply: LogRecords | undefined, out: Out): void {
    if (this.#stopped) return;
    sometimes(reply === undefined, out, 'log-fetch-unanswered');
    if (reply === undefined) return this.#fetch(position, out);
    if (reply.outcome === 'unavailable') {
      probe(out, 'log-unavailable');
      const delayUs = retryDelayUs(this.#options.requestTimeoutUs);
      return this.#later.after(delayUs, `fetch/${position.partition}`, out, (_nowUs, lateOut) =>
        this.#fetch(position, lateOut),
      );
    }
    if (this.#options.spec.kind === 'socket') {
      if (reply.offset > position.nextOffset) probe(out, 'socket-records-lost');
      assert(reply.offset >= position.nextOffset, 'a socket hands out nothing twice');
      position.nextOffset = reply.offset;
    }
    assert(reply.offset === position.nextOffset, 'a fetch is answered from the offset it asked for');
    if (reply.values.length === 0 && reply.ended === true) {
      position.ended = true;
      return;
    }
    if (reply.values.length === 0) return this.#fetch(position, out);
    this.#batches.push(reply);
  }

  #positionOf(partition: number): Position {
    for (const position of this.#positions) if (position.partition === partition) return position;
    throw new InvariantViolation('a batch belongs to an owned partition', { partition });
  }
}
