/** A file that is left over is named with who wrote it and what became of its checkpoint. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { FileTrail } from '../../../../sim/judges/file-trail.ts';

function told(...events: readonly object[]): FileTrail {
  const trail = new FileTrail();
  events.forEach((event, at) => {
    trail.observe({ index: at, atUs: at * 1_000_000, node: nodeId('storage'), event: event as HistoryEvent['event'] });
  });
  return trail;
}

const stored = { kind: 'object-stored', path: 'chk-4/a', bytes: 1 };
const aborted = { kind: 'checkpoint-aborted', checkpointId: 4, reason: 'checkpoint-expired' };

describe('file trail', () => {
  it('says when a file was written and what became of its checkpoint', () => {
    expect(told(stored, aborted).of('chk-4/a', 4)).toEqual({
      says: ': it was written at 0 s; checkpoint 4, whose it is, was aborted at 1 s (checkpoint-expired)',
      at: [0, 1],
    });
  });

  it('shows a file that came behind the end of its checkpoint in that order', () => {
    expect(told(aborted, stored).of('chk-4/a', 4).at).toEqual([0, 1]);
    expect(told(stored).of('chk-4/a', 4).says).toContain('checkpoint 4, whose it is, never ended');
  });

  it('tells the last fate of a checkpoint', () => {
    const completed = { kind: 'checkpoint-completed', checkpointId: 4 };
    const subsumed = { kind: 'checkpoint-subsumed', checkpointId: 4 };
    expect(told(stored, completed, subsumed).of('chk-4/a', 4).says).toContain('was subsumed at 2 s');
  });

  it('a file could be deleted from when it was there and its checkpoint had ended, as far as that is known', () => {
    expect(told(stored, aborted).deletableFromUs('chk-4/a', 4)).toBe(1_000_000);
    expect(told(aborted, stored).deletableFromUs('chk-4/a', 4)).toBe(1_000_000);
    expect(told(stored, aborted).deletableFromUs('chk-4/a', undefined)).toBe(0);
    expect(told(aborted).deletableFromUs('chk-4/a', 4)).toBe(0);
    expect(told().deletableFromUs('chk-4/a', 4)).toBeUndefined();
  });

  it('says nothing of what it never heard of, and of a file that nobody can assign only when it was written', () => {
    expect(told().of('x', undefined)).toEqual({ says: '', at: [] });
    expect(told(stored).of('chk-4/a', undefined)).toEqual({ says: ': it was written at 0 s', at: [0] });
  });

  it('forgets files that are deleted, and old checkpoints', () => {
    const trail = told(stored, { kind: 'object-deleted', path: 'chk-4/a' });
    expect(trail.of('chk-4/a', undefined).at).toEqual([]);
    for (let id = 0; id < 20_000; id += 1) {
      const event = { kind: 'checkpoint-subsumed', checkpointId: id } as HistoryEvent['event'];
      trail.observe({ index: id, atUs: id, node: nodeId('jobmanager-1'), event });
    }
    expect(trail.remembered).toBe(512);
  });
});
