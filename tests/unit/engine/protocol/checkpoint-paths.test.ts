/** What a path says of a segment (rows T2, S16). */
import { describe, expect, it } from 'vitest';
import { creatorOf, isShared, segmentFile, sharedDirectory } from '../../../../engine/protocol/checkpoint-paths.ts';

const QUESTION = { operator: 'count-1', subtask: 10, attempt: 7, segment: 3, checkpointId: 42 };
const shared = segmentFile({ ...QUESTION, directory: sharedDirectory('dir', 'job-1') });

describe('paths of segments', () => {
  it('T2: a shared one lies in the shared directory of its job, and says which checkpoint it was written for', () => {
    expect(shared).toBe('dir/job-1/shared/count-1-10-7-3-42.segment');
    expect(isShared(shared)).toBe(true);
    expect(creatorOf(shared)).toBe(42);
  });

  it('one of a savepoint is not shared, wherever the savepoint lies', () => {
    expect(isShared(segmentFile({ ...QUESTION, directory: '/data/shared/savepoint-job-1-42' }))).toBe(false);
  });

  it('other files say nothing: they compare with no id', () => {
    for (const path of ['dir/job/shared/other', 'dir/job/chk-3/count-1-10.keyed']) {
      expect(isShared(path)).toBe(false);
      expect(creatorOf(path)).toBeNaN();
    }
  });
});
