import { describe, expect, it } from 'vitest';
import { SplitAssignmentTracker } from '../../../../engine/coordination/split-assignment-tracker.ts';
import { id } from '../../../support/engine-values.ts';

/** `a` before checkpoint 1, `b` before checkpoint 2, `c` after it. */
function tracker(): SplitAssignmentTracker<string> {
  const made = new SplitAssignmentTracker<string>();
  made.record(0, 'a');
  made.onCheckpoint(id(1));
  made.record(0, 'b');
  made.record(1, 'other');
  made.onCheckpoint(id(2));
  made.record(0, 'c');
  return made;
}

describe('split assignment tracker', () => {
  it.each([
    [0, ['a', 'b', 'c']],
    [1, ['b', 'c']],
    [2, ['c']],
  ])(
    'K2: a subtask that restored checkpoint %i gets back what was assigned after it, not after the newest',
    (restored, back) => {
      expect(tracker().takeAssignedAfter(0, id(restored))).toEqual(back);
    },
  );

  it('K2: what was given back is not given back again, and other subtasks keep theirs', () => {
    const made = tracker();
    made.takeAssignedAfter(0, id(0));
    expect(made.takeAssignedAfter(0, id(0))).toEqual([]);
    expect(made.takeAssignedAfter(1, id(1))).toEqual(['other']);
  });

  it('K2: completion drops the records up to it', () => {
    const made = tracker();
    made.onCheckpointComplete(id(1));
    expect(made.size).toBe(3);
    made.onCheckpointComplete(id(2));
    expect(made.size).toBe(1);
    expect(made.takeAssignedAfter(0, id(2))).toEqual(['c']);
  });
});
