/**
 * Reads the blocks of file splits from the storage that checkpoints lie on (row K1; Flink: FileSourceSplitReader with a StreamFormat).
 *
 * Owns: the reads that are open. Does not own: what a block is (file-blocks.ts), positions (split-reader.ts).
 * Invariant I1: a read is answered with the lines of its block or refused; damaged bytes, short ones and bytes that hold too little are read again.
 */
import type { ReplyHandler } from '../../clients/request-client.ts';
import { assert } from '../../foundation/assert.ts';
import type { Micros } from '../../foundation/time.ts';
import type { SourceSpec } from '../../job/job-graph.ts';
import type { Out } from '../../protocol/actor.ts';
import type { LogRecords } from '../../protocol/messages.ts';
import type { LogSplit } from '../../protocol/operator-events.ts';
import { probe } from '../../protocol/probes.ts';
import type { CheckpointStorage } from '../../storage/checkpoint-storage.ts';
import type { SourceMessage, SourceReaderOptions } from '../source-reader.ts';
import { type SplitFetcher, specOfSplit } from '../split-fetcher.ts';
import { type BlockLines, type BlockPlace, blockPlace, BYTES_BEFORE, linesOf, readFrom } from './file-blocks.ts';

const NO_LINES = { values: [], timestampsUs: [], sourceIndices: [] };

interface BlockRead {
  readonly split: LogSplit;
  readonly place: BlockPlace;
  /** Bytes before the block, for the line before it. */
  readonly before: number;
  /** Bytes behind the block, for the line that begins in it last. */
  readonly behind: number;
}

export class FileFetcher implements SplitFetcher {
  readonly #spec: SourceSpec;
  readonly #storage: CheckpointStorage;

  constructor({ spec, openStorage }: SourceReaderOptions) {
    this.#spec = spec;
    this.#storage = openStorage();
  }

  fetch(split: LogSplit, out: Out, then: ReplyHandler<LogRecords>): void {
    const { files, partitions } = specOfSplit(this.#spec, split);
    assert(files !== undefined, 'a split of files is of a source of files', { splitId: split.splitId });
    const place = blockPlace(files, split.partition - (partitions[0] ?? 0), split.offset);
    this.#read({ split, place, before: BYTES_BEFORE, behind: files.blockBytes }, out, then);
  }

  handleMessage(message: SourceMessage, nowUs: Micros, out: Out): void {
    if (message.kind === 'storage-reply') this.#storage.handleReply(message, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#storage.handleTimer(timer, nowUs, out);
  }

  #read(read: BlockRead, out: Out, then: ReplyHandler<LogRecords>): void {
    const { split, place, before, behind } = read;
    const offset = readFrom(place.from, before);
    // What was read to its end before a restore: nothing of it is left to read.
    const range = { offset, bytes: place.to > place.from ? place.to - offset + behind : 1 };
    this.#storage.read(
      place.path,
      out,
      (reply, nowUs, replyOut) => {
        if (reply === undefined) return then(undefined, nowUs, replyOut);
        if (place.to <= place.from) return then(answer(split, { ...NO_LINES, ended: true }), nowUs, replyOut);
        if (reply.outcome !== 'done' || reply.bytes === undefined) return then(refusal(split), nowUs, replyOut);
        replyOut.busy('byte', reply.bytes.length);
        const lines = linesOf(reply.bytes, place, range);
        if (lines === 'more') return this.#read({ ...read, behind: behind * 2 }, replyOut, then);
        if (lines === 'earlier') {
          probe(replyOut, 'file-end-in-doubt');
          return this.#read({ ...read, before: Math.max(before * 2, behind) }, replyOut, then);
        }
        if (lines === 'damaged') {
          probe(replyOut, 'file-block-damaged');
          return then(refusal(split), nowUs, replyOut);
        }
        then(answer(split, { ...lines, ended: lines.ended || place.isLast }), nowUs, replyOut);
      },
      range,
    );
  }
}

const answer = ({ partition, offset }: LogSplit, lines: BlockLines): LogRecords => ({
  kind: 'log-records',
  requestId: 0,
  outcome: 'done',
  partition,
  offset,
  ...(lines as Pick<LogRecords, 'values' | 'timestampsUs' | 'sourceIndices' | 'ended'>),
  entrySizes: [lines.values.length],
  behind: 0,
});

const refusal = ({ partition, offset }: LogSplit): LogRecords => ({
  kind: 'log-records',
  requestId: 0,
  outcome: 'unavailable',
  partition,
  offset,
  ...NO_LINES,
  behind: 0,
  ended: false,
});
