/** Row K4: a source that keeps its offsets in list state notes them and sends its barrier in one step, between two records. */
import { expect, it } from 'vitest';
import { type Story, story } from './story.ts';

const restored = (): Story => story().crash('taskmanager-1', { point: 'completed', checkpoint: 3 });

it('K4, B9: what is emitted between offset and barrier is read twice', () => {
  expect(restored().passes().restarts).toBeGreaterThanOrEqual(1);
  expect(restored().fails('record-between-offset-and-barrier')).toContain('exactly-once-output');
});

it('K4, B9: or never', () => {
  expect(restored().fails('barrier-before-offset')).toContain('consistent-cut');
});
