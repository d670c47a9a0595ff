import { describe, expect, it } from 'vitest';
import { EPOCH_ORIGIN_MS } from '../../../engine/foundation/time.ts';
import { checkpointId, leaderEpoch, nodeId } from '../../../engine/foundation/ids.ts';
import { timelineLine, timelineLines, traceLine } from '../../../reports/index.ts';
import type { HistoryEvent } from '../../../sim/history/history-event.ts';

describe('timeline.log', () => {
  it('has epoch milliseconds and a duration with one decimal', () => {
    const startUs = (1_576_197_513_000 - EPOCH_ORIGIN_MS) * 1_000;
    const line = timelineLine({ task: 'my_task', checkpointId: 1, startUs, endUs: startUs + 1_000_000 });
    expect(line).toBe('my_task, start=1576197513000, end=1576197514000, duration=1000.0 ms');
  });

  it('ends each line, and is empty for no records', () => {
    expect(timelineLines([])).toBe('');
    expect(timelineLines([{ task: 'a', checkpointId: 1, startUs: 999, endUs: 2_260 }])).toBe(
      `a, start=${EPOCH_ORIGIN_MS}, end=${EPOCH_ORIGIN_MS + 2}, duration=2.0 ms\n`,
    );
  });
});

describe('trace', () => {
  const event: HistoryEvent = {
    index: 42,
    atUs: 1_250_000,
    node: nodeId('jobmanager-1'),
    event: { kind: 'checkpoint-subsumed', checkpointId: checkpointId(3) },
  };

  it('aligns index, time, node and kind', () => {
    expect(traceLine(event)).toBe('#000042     1.250000s jobmanager-1       checkpoint-subsumed        checkpointId=3');
  });

  it('quotes text with spaces and cuts long lists', () => {
    const threw: HistoryEvent = { ...event, event: { kind: 'actor-threw', fact: 'a fact holds', details: '{"a":1}' } };
    expect(traceLine(threw)).toContain('fact="a fact holds" details="{\\"a\\":1}"');
    const tasks = Array.from({ length: 12 }, (_, index) => index) as never[];
    const triggered: HistoryEvent = {
      ...event,
      event: {
        kind: 'checkpoint-triggered',
        checkpointId: checkpointId(1),
        epoch: leaderEpoch(1),
        jobAttempt: 1,
        tasks,
        options: { snapshot: 'checkpoint', alignment: 'aligned', alignedTimeoutUs: 0 },
      },
    };
    expect(traceLine(triggered)).toContain('tasks=[0,1,2,3,4,5,6,7,...12]');
  });
});
