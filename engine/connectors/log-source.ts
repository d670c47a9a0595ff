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
 *      what the log has deleted is passed over only if the job says so, else the subtask fails;
 *   I4 after `stop` nothing is emitted or fetched, the positions stay;
 *   I5 where markers decide (row C25), nothing is fetched from behind a marker before that is passed or dropped. A partition that comes to a
 *      later marker shows that the earlier ones are taken back: those who stand at one read on.
 */
import { type ReplyHandler, RequestClient } from '../clients/request-client.ts';
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { assert, InvariantViolation } from '../foundation/assert.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { LogFetch, LogRecords } from '../protocol/messages.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import { decodeSourceOffsets, encodeSourceOffsets } from './operator-state-rows.ts';
import type { TaskFailure } from '../protocol/task.ts';
import type { MarkedSource, RestoredPiece, SourceMessage, SourceReader, SourceReaderOptions } from './source-reader.ts';
import { probe, sometimes } from '../protocol/probes.ts';

export interface LogSourceOptions extends SourceReaderOptions {
  readonly subtask: number;
  readonly fail: (failure: TaskFailure, out: Out) => void;
}

interface Position {
  readonly partition: number;
  nextOffset: number;
  /** The partition is bounded and everything in it was emitted. */
  ended: boolean;
  /** The last marker that lies before `nextOffset`; 0: none. */
  passed: number;
  /** The marker it stands at; 0: none. */
  standsAt: number;
  /** What becomes of the reply to a fetch; made once. */
  readonly onReply: ReplyHandler<LogRecords>;
}

/** The end of a partition may hold a fetch for so long (log-broker.ts); a request must not time out before. */
const HELD_FETCH_US_MAX = 5_000_000;

export class LogSource implements SourceReader, MarkedSource {
  readonly uid: string;
  readonly #options: LogSourceOptions;
  readonly #positions: readonly Position[];
  readonly #client: RequestClient<LogRecords>;
  readonly #later = new DelayedCalls();
  readonly #batches: LogRecords[] = [];
  readonly markers?: MarkedSource;
  /** Markers of checkpoints that are over and may still be met. */
  readonly #dropped = new Set<number>();
  #cursor = 0;
  #stopped = false;

  constructor(options: LogSourceOptions) {
    if (options.spec.induced === true) this.markers = this;
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
    if (this.#options.restore?.finished === 'task') return;
    for (const position of this.#positions) this.#fetch(position, out);
  }

  get hasRecords(): boolean {
    return this.#batches.length > 0 && !this.#stopped;
  }

  get marker(): CheckpointId | undefined {
    let id = 0;
    for (const { ended, standsAt } of this.#positions) {
      if (ended) continue;
      if (standsAt === 0 || (id !== 0 && standsAt !== id)) return undefined;
      id = standsAt;
    }
    return id === 0 ? undefined : checkpointId(id);
  }

  passMarker(id: CheckpointId, out: Out): void {
    for (const dropped of this.#dropped) if (dropped <= id) this.#dropped.delete(dropped);
    this.#leaveMarkers((standsAt) => standsAt <= id, out);
  }

  dropMarker(id: CheckpointId, out: Out): void {
    this.#dropped.add(id);
    this.#leaveMarkers((standsAt) => standsAt === id, out);
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
      else this.#readOn(position, batch.marker, out);
    }
    return emitted;
  }

  /** It has no coordinator. */
  handleMessage(message: SourceMessage, nowUs: Micros, out: Out): void {
    if (message.kind === 'log-records') this.#client.handleReply(message, nowUs, out);
  }

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
    const asked = this.markers === undefined ? message : { ...message, markersAfter: position.passed };
    this.#client.send(asked, out, position.onReply);
  }

  /** It has emitted all up to a marker, or to the end of a batch. */
  #readOn(position: Position, marker: number | undefined, out: Out): void {
    if (marker === undefined) return this.#fetch(position, out);
    if (this.#dropped.has(marker)) {
      position.passed = marker;
      return this.#fetch(position, out);
    }
    position.standsAt = marker;
    this.#leaveMarkers((standsAt) => standsAt < marker, out);
  }

  #leaveMarkers(isLeft: (standsAt: number) => boolean, out: Out): void {
    for (const position of this.#positions) {
      const { standsAt } = position;
      if (standsAt === 0 || !isLeft(standsAt)) continue;
      position.passed = standsAt;
      position.standsAt = 0;
      if (!this.#stopped) this.#fetch(position, out);
    }
  }

  #newPosition(partition: number): Position {
    const position: Position = {
      partition,
      nextOffset: 0,
      ended: false,
      passed: this.#options.restore?.checkpointId ?? 0,
      standsAt: 0,
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
    if (reply.outcome === 'out-of-range') {
      probe(out, 'offset-out-of-range');
      if (this.#options.spec.offsetReset === undefined) return this.#options.fail('offset-out-of-range', out);
      position.nextOffset = reply.offset;
      return this.#fetch(position, out);
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
    if (reply.values.length === 0) return this.#readOn(position, reply.marker, out);
    this.#batches.push(reply);
  }

  #positionOf(partition: number): Position {
    for (const position of this.#positions) if (position.partition === partition) return position;
    throw new InvariantViolation('a batch belongs to an owned partition', { partition });
  }
}
