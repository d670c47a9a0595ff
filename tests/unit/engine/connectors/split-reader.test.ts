import { standardParts } from '../../../../engine/parts.ts';
import { describe, expect, it } from 'vitest';
import { SplitReader } from '../../../../engine/connectors/split-reader.ts';
import { decodeReaderSplits, encodeReaderSplits } from '../../../../engine/connectors/split-rows.ts';
import type { EngineMessage } from '../../../../engine/protocol/messages.ts';
import { type EventToOperator, type LogSplit, UNBOUNDED } from '../../../../engine/protocol/operator-events.ts';
import { attempt, EPOCH, id, LOG, REQUEST_TIMEOUT_US, NO_STORAGE } from '../../../support/engine-values.ts';
import { sourceVertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const SPLIT: LogSplit = { splitId: '0@4', partition: 0, offset: 4, sub: 0, end: 7 };
const identity = (offset: number): number => offset;

class Bench {
  readonly toCoordinator: EngineMessage[] = [];
  readonly emitted: unknown[] = [];
  readonly failures: string[] = [];
  readonly out: RecordingOut;
  readonly reader: SplitReader;
  #sequence = 0;

  constructor(
    options: {
      partitions?: number;
      parallelism?: number;
      restored?: readonly LogSplit[];
      bounded?: true;
      offsetReset?: 'earliest';
      isChain?: true;
      hasFinished?: true;
    } = {},
  ) {
    const partitions = Array.from({ length: options.partitions ?? 1 }, (_, partition) => partition);
    const { source } = sourceVertex(0, 1, partitions);
    if (source === undefined) throw new Error('a source vertex has a source');
    const chain = partitions.map((partition) => ({ ...source, kind: 'split-log', partitions: [partition] }) as const);
    this.reader = new SplitReader({
      spec: {
        ...source,
        kind: 'split-log',
        ...(options.isChain === undefined ? {} : { chain }),
        ...(options.offsetReset === undefined ? {} : { offsetReset: options.offsetReset }),
        ...(options.bounded === undefined ? {} : { bounded: options.bounded }),
      },
      uid: 'source',
      parallelism: options.parallelism ?? 1,
      broker: LOG,
      requestTimeoutUs: REQUEST_TIMEOUT_US,
      firstRequestId: 1,
      restore: options.hasFinished === undefined ? undefined : { checkpointId: id(1), finished: 'task' },
      openStorage: () => NO_STORAGE,
      parts: standardParts,
      attempt: attempt(1),
      epoch: EPOCH,
      toJobManager: (message) => this.toCoordinator.push(message),
      fail: (failure) => this.failures.push(failure),
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.reader.handleTimer(timer, nowUs, out));
    if (options.restored !== undefined)
      this.reader.restore([{ bytes: encodeReaderSplits(options.restored, options.isChain) }]);
    this.reader.start(this.out);
  }

  event(event: EventToOperator, sequence = this.#sequence): this {
    this.#sequence = Math.max(this.#sequence, sequence) + 1;
    const message = {
      kind: 'operator-event',
      epoch: EPOCH,
      attempt: attempt(1),
      operator: 'source',
      sequence,
      event,
    } as const;
    this.reader.handleMessage(message, this.out.nowUs, this.out);
    return this;
  }

  /** Answers the newest fetch with entries of these sizes, and emits so many records. */
  entries(sizes: readonly number[], limit = 100): this {
    const { requestId, partition, offset } = this.out.last('log-fetch');
    const values = sizes.flatMap((size, entry) =>
      Array.from({ length: size }, (_, sub) => `${partition}/${offset + entry}.${sub}`),
    );
    const at = values.map((_, index) => index);
    const head = { kind: 'log-records', requestId, outcome: 'done', partition, offset, behind: 0 } as const;
    const content = { values, timestampsUs: at, sourceIndices: at, entrySizes: sizes, ended: false };
    this.reader.handleMessage({ ...head, ...content }, this.out.nowUs, this.out);
    this.reader.emit(limit, { process: (value: unknown) => void this.emitted.push(value) }, () => true, this.out);
    return this;
  }

  /** The log begins at this offset by now. */
  deleted(offset: number): this {
    const { requestId, partition } = this.out.last('log-fetch');
    const head = { kind: 'log-records', requestId, outcome: 'out-of-range', partition, offset, behind: 0 } as const;
    const content = { values: [], timestampsUs: [], sourceIndices: [], ended: false };
    this.reader.handleMessage({ ...head, ...content }, this.out.nowUs, this.out);
    return this;
  }

  /** The partition has no record any more behind what was asked for. */
  ends(): this {
    const { requestId, partition, offset } = this.out.last('log-fetch');
    const head = { kind: 'log-records', requestId, outcome: 'done', partition, offset, behind: 0 } as const;
    const content = { values: [], timestampsUs: [], sourceIndices: [], ended: true };
    this.reader.handleMessage({ ...head, ...content }, this.out.nowUs, this.out);
    return this;
  }

  get state(): readonly LogSplit[] {
    return decodeReaderSplits(this.reader.snapshot(id(1), identity, this.out));
  }

  /** Answers the newest fetch with all it asked for, and emits it. */
  answer(count?: number): this {
    const { requestId, partition, offset, maxRecords } = this.out.last('log-fetch');
    const offsets = Array.from({ length: count ?? maxRecords }, (_, index) => offset + index);
    const values = offsets.map((at) => `${partition}/${at}`);
    const reply = {
      kind: 'log-records',
      behind: 0,
      requestId,
      outcome: 'done',
      partition,
      offset,
      values,
      ended: false,
    } as const;
    this.reader.handleMessage({ ...reply, timestampsUs: offsets, sourceIndices: offsets }, this.out.nowUs, this.out);
    const consumer = { process: (value: unknown) => void this.emitted.push(value) };
    while (this.reader.hasRecords) this.reader.emit(2, consumer, () => true, this.out);
    return this;
  }

  /** Kinds of events said since last asked; acknowledgements by their number. */
  said(): string[] {
    return this.toCoordinator.splice(0).map((message) => {
      if (message.kind === 'operator-event') return message.event.kind;
      return message.kind === 'operator-event-acknowledged' ? `ack ${message.sequence}` : message.kind;
    });
  }
}

describe('split reader', () => {
  it('K3: it registers, asks, and reads what it is assigned, no record beyond its end', () => {
    const bench = new Bench();
    expect(bench.said()).toEqual(['register-reader', 'request-split']);
    bench.event({ kind: 'assign-splits', splits: [SPLIT] });
    expect(bench.out.last('log-fetch')).toMatchObject({ partition: 0, offset: 4, maxRecords: 3 });
    expect(bench.said()).toEqual(['ack 0']);
    bench.answer();
    expect(bench.emitted).toEqual(['0/4', '0/5', '0/6']);
    expect(bench.said()).toEqual(['split-finished', 'request-split']);
  });

  it('K3: it asks for its share of the partitions, one after the other, until there are no more', () => {
    const bench = new Bench({ partitions: 5, parallelism: 2 });
    bench.said();
    bench.event({ kind: 'assign-splits', splits: [{ ...SPLIT, end: UNBOUNDED }] });
    expect(bench.said()).toEqual(['request-split', 'ack 0']);
    bench.event({ kind: 'assign-splits', splits: [{ ...SPLIT, splitId: '1@0', partition: 1, end: UNBOUNDED }] });
    expect(bench.said()).toEqual(['request-split', 'ack 1']);
    bench.event({ kind: 'assign-splits', splits: [{ ...SPLIT, splitId: '2@0', partition: 2, end: UNBOUNDED }] });
    expect(bench.said()).toEqual(['ack 2']);
  });

  it('I6: while a request is under way it asks for nothing else; told that there is nothing more, it is assigned nothing', () => {
    const bench = new Bench({ partitions: 5, parallelism: 2 });
    bench.event({ kind: 'assign-splits', splits: [SPLIT] });
    bench.said();
    bench.answer();
    expect(bench.said()).toEqual(['split-finished']);
    bench.event({ kind: 'no-more-splits' });
    expect(bench.said()).toEqual(['ack 1']);
    expect(() => bench.event({ kind: 'assign-splits', splits: [SPLIT] })).toThrow('nothing more');
  });

  it('H6: a position is the next record to read; the barrier is announced in the same action', () => {
    const bench = new Bench().event({ kind: 'assign-splits', splits: [SPLIT] }).answer(2);
    bench.said();
    const state = bench.reader.snapshot(id(3), identity, bench.out);
    expect(decodeReaderSplits(state)).toEqual([{ ...SPLIT, offset: 6 }]);
    expect(bench.toCoordinator).toMatchObject([{ event: { kind: 'acknowledge-checkpoint-event', checkpointId: 3 } }]);
  });

  it('K1: a finished split stays in its state until it is released', () => {
    const bench = new Bench().event({ kind: 'assign-splits', splits: [SPLIT] }).answer();
    expect(decodeReaderSplits(bench.reader.snapshot(id(1), identity, bench.out))).toEqual([{ ...SPLIT, offset: 7 }]);
    bench.event({ kind: 'release-split', splitId: SPLIT.splitId });
    expect(decodeReaderSplits(bench.reader.snapshot(id(2), identity, bench.out))).toEqual([]);
  });

  it('K3: restored, it says what it holds, and reads on from there; what is finished it does not fetch', () => {
    const done = { splitId: '0@0', partition: 0, offset: 4, sub: 0, end: 4 };
    const bench = new Bench({ restored: [done, { ...SPLIT, offset: 5 }] });
    expect(bench.toCoordinator[0]).toMatchObject({ event: { splits: [done, { ...SPLIT, offset: 5 }] } });
    expect(bench.out.all('log-fetch')).toMatchObject([{ partition: 0, offset: 5, maxRecords: 2 }]);
  });

  it('H6: a position counts the records of an entry, and a restore begins in the middle of one', () => {
    const bench = new Bench().event({ kind: 'assign-splits', splits: [SPLIT] }).entries([2, 3, 1], 4);
    expect(bench.emitted).toEqual(['0/4.0', '0/4.1', '0/5.0', '0/5.1']);
    expect(bench.state).toEqual([{ ...SPLIT, offset: 5, sub: 2 }]);
    const restored = new Bench({ restored: bench.state }).entries([3, 1]);
    expect(restored.emitted).toEqual(['0/5.2', '0/6.0']);
    expect(restored.state).toEqual([{ ...SPLIT, offset: 7, sub: 0 }]);
  });

  it('I5: it is exhausted when nothing is to come and each split that ended was released', () => {
    const bench = new Bench({ bounded: true }).event({ kind: 'assign-splits', splits: [{ ...SPLIT, end: UNBOUNDED }] });
    bench.answer(2).ends().event({ kind: 'no-more-splits' });
    expect(bench.reader.isExhausted).toBe(false);
    expect(bench.toCoordinator.map((message) => ('event' in message ? message.event : undefined))).toContainEqual({
      kind: 'split-finished',
      split: { ...SPLIT, offset: 6, end: UNBOUNDED },
      partitionEnded: true,
    });
    bench.event({ kind: 'release-split', splitId: SPLIT.splitId });
    expect(bench.reader.isExhausted).toBe(true);
  });

  it('I5: without an end of the input it waits for splits for ever', () => {
    expect(new Bench().event({ kind: 'no-more-splits' }).reader.isExhausted).toBe(false);
  });

  it('I8: one that is restored as finished may not end before it is known that it is there; any other need not wait', () => {
    const bench = new Bench({ hasFinished: true, bounded: true });
    expect(bench.said()).toEqual(['register-reader']);
    expect(bench.reader.isHeard).toBe(false);
    const heard = {
      kind: 'operator-event-acknowledged',
      epoch: EPOCH,
      attempt: attempt(1),
      operator: 'source',
    } as const;
    bench.reader.handleMessage({ ...heard, sequence: 0 }, bench.out.nowUs, bench.out);
    expect(bench.reader.isHeard).toBe(true);
    expect(new Bench().reader.isHeard).toBe(true);
  });

  it('I8: one that is not heard of fails', () => {
    const bench = new Bench({ hasFinished: true, bounded: true });
    bench.out.advance(REQUEST_TIMEOUT_US);
    expect(bench.failures).toEqual(['operator-event-lost']);
    expect(bench.reader.isHeard).toBe(false);
  });

  it('C24: events are handled in their order and once, each acknowledged when it is', () => {
    const bench = new Bench();
    bench.said();
    bench.event({ kind: 'release-split', splitId: SPLIT.splitId }, 1);
    expect(bench.said()).toEqual([]);
    bench.event({ kind: 'assign-splits', splits: [SPLIT] }, 0);
    expect(bench.said()).toEqual(['ack 0', 'ack 1']);
    expect(bench.reader.splits()).toEqual([]);
    bench.event({ kind: 'assign-splits', splits: [SPLIT] }, 0);
    expect(bench.said()).toEqual(['ack 0']);
    expect(bench.reader.splits()).toEqual([]);
  });

  it('C24: what the coordinator does not acknowledge fails the subtask', () => {
    const bench = new Bench();
    bench.out.advance(REQUEST_TIMEOUT_US);
    expect(new Set(bench.failures)).toEqual(new Set(['operator-event-lost']));
  });

  it('K1: what the log has deleted fails the subtask, unless the job says to go on at what is left', () => {
    const strict = new Bench({ restored: [SPLIT] }).deleted(6);
    expect(strict.failures).toEqual(['offset-out-of-range']);
    const reset = new Bench({ restored: [{ ...SPLIT, sub: 2 }], offsetReset: 'earliest' }).deleted(6).entries([1]);
    expect(reset.failures).toEqual([]);
    expect(reset.emitted).toEqual(['0/6.0']);
  });

  it('K1: a range that was deleted as a whole is finished, and nothing behind it is read', () => {
    const { reader, toCoordinator } = new Bench({ restored: [SPLIT], offsetReset: 'earliest' }).deleted(9);
    expect(reader.splits()).toMatchObject([{ offset: 7, end: 7 }]);
    expect(toCoordinator.map((message) => (message.kind === 'operator-event' ? message.event.kind : ''))).toContain(
      'split-finished',
    );
  });
});

describe('split reader of a chain of sources (B24)', () => {
  const early: LogSplit = { splitId: '0@0', partition: 0, offset: 0, sub: 0, end: UNBOUNDED, source: 0 };
  const late: LogSplit = { splitId: '1@0', partition: 1, offset: 3, sub: 0, end: UNBOUNDED, source: 1 };

  it('asks when it is told which source is read, and its state says which one each split is of', () => {
    const bench = new Bench({ partitions: 2, isChain: true });
    expect(bench.said()).toEqual(['register-reader']);
    bench.event({ kind: 'switch-source', source: 0 });
    expect(bench.said()).toEqual(['request-split', 'ack 0']);
    bench.event({ kind: 'assign-splits', splits: [early] });
    expect(bench.state).toEqual([early]);
  });

  it('I6: asks anew when another source is read, and says of which', () => {
    const bench = new Bench({ partitions: 2, isChain: true });
    bench.event({ kind: 'switch-source', source: 0 }).event({ kind: 'switch-source', source: 1 });
    expect(bench.toCoordinator.filter(({ kind }) => kind === 'operator-event')).toMatchObject([
      { event: { kind: 'register-reader' } },
      { event: { kind: 'request-split', source: 0 } },
      { event: { kind: 'request-split', source: 1 } },
    ]);
  });

  it('has room for splits of the source that is read, whatever it still holds of an earlier one', () => {
    const bench = new Bench({ partitions: 2, isChain: true, restored: [early] });
    bench.event({ kind: 'switch-source', source: 1 });
    expect(bench.said()).toEqual(['register-reader', 'request-split', 'ack 0']);
  });

  it('I7: splits of a later source wait for those of an earlier one, restored or given back, and are fetched once', () => {
    const bench = new Bench({ partitions: 2, isChain: true, restored: [early, late] });
    const fetched = (): readonly number[] =>
      bench.out.sent.flatMap(({ message }) => (message.kind === 'log-fetch' ? [message.partition] : []));
    expect(fetched()).toEqual([0]);
    bench.answer(2);
    expect(fetched()).toEqual([0, 0]);
    bench.ends();
    expect(fetched()).toEqual([0, 0, 1]);
    bench.event({ kind: 'release-split', splitId: early.splitId });
    bench.event({ kind: 'assign-splits', splits: [{ ...early, splitId: '0@9', offset: 9 }] });
    expect(fetched()).toEqual([0, 0, 1, 0]);
    bench.ends();
    expect(fetched()).toEqual([0, 0, 1, 0]);
  });
});
