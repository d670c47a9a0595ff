/** Checkpoints without incident are one sentence; what was begun beside them and did not complete in time is told from its beginning. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { withoutRoutine } from '../../../../scenarios/explain/routine.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';

const TRIGGERED = 'checkpoint-triggered';
const COMPLETED = 'checkpoint-completed';

/** As `t1 c1 x`: checkpoint 1 is triggered and completed, and something else happens. */
function told(life: string): string {
  const history = life.split(' ').map((word, index) => {
    const kind = word.startsWith('t') ? TRIGGERED : word.startsWith('c') ? COMPLETED : 'node-crashed';
    return { index, atUs: index, node: nodeId('j'), event: { kind, checkpointId: Number(word.slice(1)) } };
  }) as unknown as HistoryEvent[];
  const words = life.split(' ');
  return withoutRoutine(
    history,
    () => false,
    () => false,
  )
    .map((one) => ('begin' in one ? `${one.first}-${one.last}` : words[one.index]))
    .join(' ');
}

describe('routine', () => {
  it.each([
    ['t1 c1 t2 c2 x', '1-2 x'],
    ['t1 t2 c1 c2 x', '1-2 x'],
    ['t1 c1 t2 x', '1-1 t2 x'],
    ['t1 c1 t2 c2 t3 t4 t5 c5 x', '1-2 t3 t4 t5 c5 x'],
    ['t1 c1 t2 t3 c2 x', '1-1 t2 t3 c2 x'],
    ['t1 t2 c1 t3 x', 't1 t2 c1 t3 x'],
    ['t1 x c1', 't1 x c1'],
  ])('%s: %s', (life, expected) => {
    expect(told(life)).toBe(expected);
  });
});
