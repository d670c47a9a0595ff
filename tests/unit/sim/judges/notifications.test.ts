/** Histories in which a subtask is told wrongly (rows C14, X4, X8), told to the judge alone. */
import { describe, expect, it } from 'vitest';
import { checkpointId, executionAttemptId, nodeId } from '../../../../engine/foundation/ids.ts';
import { Notifications } from '../../../../sim/judges/notifications.ts';

type Notice = readonly ['complete' | 'aborted', number];

/** What the judge makes of these notices to one attempt, and the same to another one before. */
function anomalies(...notices: readonly Notice[]): string[] {
  const judge = new Notifications();
  for (const attempt of [1, 2]) {
    notices.forEach(([what, id], index) => {
      const kind = what === 'complete' ? 'notify-complete-received' : 'notify-aborted-received';
      const task = { attempt: executionAttemptId(attempt), vertex: 0, subtask: 0, checkpointId: checkpointId(id) };
      judge.observe({ index, atUs: index, node: nodeId('taskmanager-1'), event: { kind, ...task } });
    });
  }
  return judge.finish().flatMap(({ outcome, anomaly }) => (outcome === 'violated' ? [anomaly] : []));
}

describe('notifications', () => {
  it.each([
    {
      name: 'in order, with gaps and aborts between',
      notices: [
        ['complete', 1],
        ['aborted', 2],
        ['complete', 4],
        ['aborted', 5],
      ],
    },
    {
      name: 'an older abort after a newer completion',
      notices: [
        ['complete', 4],
        ['aborted', 3],
      ],
    },
  ] as const)('content: $name', ({ notices }) => {
    expect(anomalies(...notices)).toEqual([]);
  });

  it.each([
    {
      anomaly: 'completion-told-again',
      notices: [
        ['complete', 3],
        ['complete', 3],
      ],
    },
    {
      anomaly: 'completion-told-again',
      notices: [
        ['complete', 3],
        ['complete', 2],
      ],
    },
    {
      anomaly: 'abort-told-again',
      notices: [
        ['aborted', 3],
        ['aborted', 3],
      ],
    },
    {
      anomaly: 'told-both',
      notices: [
        ['aborted', 3],
        ['complete', 3],
      ],
    },
    {
      anomaly: 'told-both',
      notices: [
        ['complete', 3],
        ['aborted', 3],
      ],
    },
  ] as const)('$anomaly: $notices', ({ anomaly, notices }) => {
    expect(anomalies(...notices)).toEqual([anomaly]);
  });
});
