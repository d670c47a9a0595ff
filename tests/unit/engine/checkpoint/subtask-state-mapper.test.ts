import { describe, expect, it } from 'vitest';
import {
  downstreamMapper,
  isAmbiguous,
  oldSubtasksOf,
  type SubtaskStateMapper,
} from '../../../../engine/checkpoint/subtask-state-mapper.ts';

const mapped = (mapper: SubtaskStateMapper, oldParallelism: number, newParallelism: number): string =>
  Array.from({ length: newParallelism }, (_, newSubtask) =>
    oldSubtasksOf({ mapper, newSubtask, oldParallelism, newParallelism }).join(' '),
  ).join(' | ');

describe('mapping of in-flight data', () => {
  it('B19: keyed exchanges map by overlapping key ranges', () => {
    expect(mapped('range', 3, 2)).toBe('0 1 | 1 2');
    expect(mapped('range', 2, 3)).toBe('0 | 0 1 | 1');
    expect(mapped('range', 2, 2)).toBe('0 | 1');
    expect(mapped('range', 1, 3)).toBe('0 | 0 | 0');
  });

  it('B19: rebalance deals old subtasks out in turn', () => {
    expect(mapped('round-robin', 5, 2)).toBe('0 2 4 | 1 3');
    expect(mapped('round-robin', 2, 3)).toBe('0 | 1 | ');
  });

  it('B19: global goes to the first subtask, custom partitioners to all', () => {
    expect(mapped('first', 3, 2)).toBe('0 1 2 | ');
    expect(mapped('full', 3, 2)).toBe('0 1 2 | 0 1 2');
  });

  it('B19: forward and broadcast stay where they are, and cannot be rescaled', () => {
    expect(mapped('unsupported', 2, 2)).toBe('0 | 1');
    expect(() => mapped('unsupported', 2, 3)).toThrow(/cannot be rescaled/);
  });

  it('B19: each exchange has a mapper for both ends; where several read one record they must filter', () => {
    expect((['hash', 'rebalance', 'forward', 'broadcast', 'global', 'custom'] as const).map(downstreamMapper)).toEqual([
      'range',
      'round-robin',
      'unsupported',
      'unsupported',
      'first',
      'full',
    ]);
    expect((['range', 'round-robin', 'first', 'full', 'unsupported'] as const).filter(isAmbiguous)).toEqual([
      'range',
      'full',
    ]);
  });
});
