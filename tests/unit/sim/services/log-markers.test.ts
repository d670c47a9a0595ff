/** Row C25: where markers lie, and whose commands count. */
import { describe, expect, it } from 'vitest';
import { leaderEpoch } from '../../../../engine/foundation/ids.ts';
import type { LogMark } from '../../../../engine/protocol/messages.ts';
import { LogMarkers } from '../../../../sim/services/log-markers.ts';

const command = (changes: Partial<LogMark>): LogMark => ({
  kind: 'log-mark',
  requestId: 1,
  group: 'source',
  epoch: leaderEpoch(1),
  sequence: 1,
  partitions: [0, 1],
  checkpointId: 0,
  takesBack: false,
  ...changes,
});
const at =
  (...ends: readonly number[]) =>
  (partition: number) =>
    ends[partition] ?? 0;

describe('markers of a log', () => {
  it('I1: lie behind what is readable, and each is met once, in order', () => {
    const markers = new LogMarkers();
    expect(markers.mark(command({ sequence: 1, checkpointId: 3 }), at(5, 0)).offsets).toEqual([5, 0]);
    expect(markers.mark(command({ sequence: 2, checkpointId: 4 }), at(5, 2)).offsets).toEqual([5, 2]);
    expect(markers.next(0, 2, 0)).toEqual({ checkpointId: 3, offset: 5 });
    expect(markers.next(0, 5, 3)).toEqual({ checkpointId: 4, offset: 5 });
    expect(markers.next(0, 5, 4)).toBeUndefined();
    expect(markers.next(1, 1, 0)).toEqual({ checkpointId: 4, offset: 2 });
    expect(markers.next(7, 0, 0)).toBeUndefined();
  });

  it('I2: a command that comes again is answered as before, though more is readable', () => {
    const markers = new LogMarkers();
    const mark = command({ checkpointId: 3 });
    expect(markers.mark(mark, at(5, 6))).toEqual({ outcome: 'done', offsets: [5, 6], isNew: true });
    expect(markers.mark(mark, at(9, 9))).toEqual({ outcome: 'done', offsets: [5, 6], isNew: false });
  });

  it('I2: what a replaced leader says late is refused', () => {
    const markers = new LogMarkers();
    markers.mark(command({ epoch: leaderEpoch(2), takesBack: true }), at(1, 1));
    expect(markers.mark(command({ sequence: 9, checkpointId: 3 }), at(1, 1)).outcome).toBe('fenced');
    expect(markers.mark(command({ group: 'another' }), at(1, 1)).outcome).toBe('done');
    expect(markers.next(0, 0, 0)).toBeUndefined();
  });

  it('after a restore markers of before are gone', () => {
    const markers = new LogMarkers();
    markers.mark(command({ sequence: 1, checkpointId: 3 }), at(5, 5));
    markers.mark(command({ sequence: 2, checkpointId: 4, takesBack: true }), at(6, 6));
    expect(markers.next(0, 0, 0)).toEqual({ checkpointId: 4, offset: 6 });
  });
});
