import { describe, expect, it } from 'vitest';
import { executionAttemptId } from '../../../../engine/foundation/ids.ts';
import { EndOfDataListener, type EndedSubtask } from '../../../../engine/jobmanager/end-of-data-listener.ts';

const subtask = (attempt: number, state: EndedSubtask['state'], vertex = 0): EndedSubtask => ({
  attempt: executionAttemptId(attempt),
  vertex,
  subtask: 0,
  state,
});

describe('who has reached the end of data', () => {
  it('counts when the last one has, and who has finished needs no report (I2)', () => {
    const listener = new EndOfDataListener('cleared');
    const [first, second] = [subtask(1, 'finished'), subtask(2, 'running', 1)];
    expect(listener.isReachedByAll([first, second])).toBe(false);
    listener.endOfData(second);
    expect(listener.isReachedByAll([first, second])).toBe(true);
    expect(listener.isReachedByAll([first]), 'nobody waits').toBe(false);
  });

  it.each(['canceling', 'canceled', 'initializing'] as const)(
    'is nobody who is %s: a successor reads on (I1)',
    (state) => {
      const [waiting, restarting] = [subtask(1, 'running'), subtask(2, state, 1)];
      for (const [atRestart, counts] of [
        ['cleared', false],
        ['until-replaced', true],
      ] as const) {
        const listener = new EndOfDataListener(atRestart);
        listener.endOfData(waiting);
        listener.endOfData(restarting);
        expect(listener.isReachedByAll([waiting, restarting]), atRestart).toBe(counts);
      }
    },
  );

  it('counts for that attempt only (I1, FLINK-32945)', () => {
    const listener = new EndOfDataListener('cleared');
    listener.endOfData(subtask(1, 'running'));
    expect(listener.isReachedByAll([subtask(2, 'running')])).toBe(false);
  });
});
