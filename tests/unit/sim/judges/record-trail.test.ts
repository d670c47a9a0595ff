/** The decision that lost or repeated a record is named with it. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import type { AbortedRecord } from '../../../../sim/judges/judge.ts';
import { RecordTrail } from '../../../../sim/judges/record-trail.ts';
import { InputIndex } from '../../../../sim/judges/reference-run.ts';

/** Records 0 to 9 in partition 0, 10 to 19 in partition 1. */
const index = new InputIndex(
  [0, 1].map((partition) => ({
    topic: 't',
    partition,
    values: Array.from({ length: 10 }, () => 'v'),
    timestampsUs: Array.from({ length: 10 }, () => 0),
    sourceIndices: Array.from({ length: 10 }, (_, offset) => partition * 10 + offset),
    bounded: true,
  })),
);

class Told {
  readonly trail: RecordTrail;

  constructor(inLog?: (lineage: number) => AbortedRecord | undefined) {
    this.trail = new RecordTrail(index, inLog);
  }

  completed(id: number, cut: readonly number[], at: number): this {
    this.trail.completed(id, Int32Array.from(cut), { at, atUs: at * 1_000_000 });
    return this;
  }

  aborted(at: number, lineages: readonly number[], preCommitted: boolean): this {
    const event = { kind: 'transaction-aborted', transaction: `tx-${at}`, producer: 'sink-0', why: 'fenced' } as const;
    return this.#tell(at, { ...event, preCommitted, lineages });
  }

  restored(at: number, checkpointId: number): this {
    return this.#tell(at, { kind: 'task-restored', checkpointId } as HistoryEvent['event']);
  }

  kafkaAborted(at: number, producerId: number, producerEpoch: number): this {
    const state = 'prepare-abort' as const;
    const event = { kind: 'kafka-transaction', transactionalId: 'id', producerId, producerEpoch, state } as const;
    return this.#tell(at, { ...event, partitions: ['out-0'] });
  }

  #tell(at: number, event: HistoryEvent['event']): this {
    this.trail.observe({ index: at, atUs: at * 1_000_000, node: nodeId('sink-store'), event });
    return this;
  }
}

describe('record trail', () => {
  it('names the first checkpoint that covers a lost record, not a later one', () => {
    const { trail } = new Told().completed(1, [3, 0], 10).completed(2, [6, 0], 20).completed(3, [9, 10], 30);
    expect(trail.lost(4)).toEqual({ says: ': checkpoint 2, complete at 20 s, is the first that covers it', at: [20] });
    expect(trail.lost(12)).toEqual({ says: ': checkpoint 3, complete at 30 s, is the first that covers it', at: [30] });
  });

  it('names the abort of the transaction that had it, behind the checkpoint or of what was pre-committed', () => {
    const behind = new Told().completed(1, [5, 0], 10).aborted(20, [4], false).trail.lost(4);
    expect(behind.at).toEqual([10, 20]);
    expect(behind.says).toContain('transaction tx-20 with it was aborted at 20 s (fenced)');
    const ahead = new Told().aborted(5, [4], true).completed(1, [5, 0], 10).trail.lost(4);
    expect(ahead.at).toEqual([10, 5]);
    expect(ahead.says).toContain('which was pre-committed,');
  });

  it('does not blame the abort of what failed with its attempt and was read again', () => {
    const { trail } = new Told().aborted(5, [4], false).completed(1, [5, 0], 10);
    expect(trail.lost(4).at).toEqual([10]);
  });

  it('knows nothing of a record that no checkpoint covers and no transaction had', () => {
    expect(new Told().completed(1, [2, 0], 10).aborted(20, [3], true).trail.lost(7)).toEqual({ says: '', at: [] });
  });

  it('finds in a log what lies there aborted, also by the next epoch of a producer that was fenced', () => {
    const inLog = (lineage: number): AbortedRecord | undefined =>
      lineage === 4 ? { partition: 'out-0', offset: 7, producerId: 3, producerEpoch: 1 } : undefined;
    const { trail } = new Told(inLog).completed(1, [5, 0], 10).kafkaAborted(15, 9, 1).kafkaAborted(20, 3, 2);
    expect(trail.lost(4).at).toEqual([10, 20]);
    expect(trail.lost(4).says).toContain('it lies unread in partition out-0 at offset 7');
    expect(trail.lost(3).at).toEqual([10]);
  });

  it('names the restore that went back before a record that is seen again', () => {
    const told = new Told().completed(1, [3, 0], 10).completed(2, [6, 0], 30).restored(35, 2).restored(40, 1);
    expect(told.trail.repeated(4, 20, 50)).toEqual({
      says: ': between them, at 40 s, the job went back to checkpoint 1, which does not cover it',
      at: [40],
    });
    expect(told.trail.repeated(4, 41, 50).says).toBe('');
    expect(told.trail.repeated(2, 20, 50).says).toBe('');
    expect(new Told().restored(40, 0).trail.repeated(4, 20, 50).says).toContain('went back to the beginning');
  });

  it('keeps of checkpoints no more than the input has records, of all else the newest', () => {
    const told = new Told();
    for (let id = 1; id <= 20_000; id += 1) {
      const offset = Math.min(10, id);
      told.completed(id, [offset, offset], id * 5);
      told
        .aborted(id * 5 + 1, [id % 10], true)
        .restored(id * 5 + 2, id)
        .kafkaAborted(id * 5 + 3, id, 1);
    }
    expect(told.trail.remembered).toBeLessThan(20 + 512 + 512 + 8_192 + 1);
  });
});
