import { describe, expect, it } from 'vitest';
import { keptAtEnd, subsume } from '../../../../engine/checkpoint/checkpoint-subsumption.ts';
import type { RetainedCheckpoint } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { id } from '../../../support/engine-values.ts';

const checkpoint = (n: number): RetainedCheckpoint => ({ id: id(n), metadata: `chk-${n}/_metadata` });
const savepoint = (n: number): RetainedCheckpoint => ({ ...checkpoint(n), isSavepoint: true });
const ids = (all: readonly RetainedCheckpoint[]): number[] => all.map((one) => one.id);

describe('subsumption', () => {
  it('C16: from the oldest, until as many are left as are retained', () => {
    expect(ids(subsume([1, 2, 3, 4].map(checkpoint), 2))).toEqual([3, 4]);
    expect(ids(subsume([1, 2].map(checkpoint), 3))).toEqual([1, 2]);
  });

  it('C16, FLINK-21351: the newest that is no savepoint stays, although a savepoint is newer', () => {
    expect(ids(subsume([checkpoint(1), checkpoint(2), savepoint(3)], 1))).toEqual([2, 3]);
  });

  it('C16: a savepoint may always go; what may not go is passed over', () => {
    expect(ids(subsume([savepoint(1), checkpoint(2)], 1))).toEqual([2]);
    expect(ids(subsume([checkpoint(1), savepoint(2), savepoint(3)], 1))).toEqual([1, 3]);
  });

  it('C17: what is kept when the job is over', () => {
    const all = [checkpoint(1), checkpoint(2)];
    const kept = (retention: Parameters<typeof keptAtEnd>[2]): string =>
      (['finished', 'canceled', 'failed'] as const)
        .filter((status) => keptAtEnd(all, status, retention).length > 0)
        .join();
    expect(kept('no-externalized')).toBe('');
    expect(kept('delete-on-cancellation')).toBe('failed');
    expect(kept('retain-on-cancellation')).toBe('canceled,failed');
  });
});
