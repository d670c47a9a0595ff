/** Lives that were lived, told as if judges had found something in them. */
import { describe, expect, it } from 'vitest';
import { narrative } from '../../../../scenarios/explain/narrative.ts';
import type { Sentence } from '../../../../scenarios/explain/sentence.ts';
import { vertexNames } from '../../../../scenarios/explain/vertex-name.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import type { Verdict } from '../../../../sim/judges/verdict.ts';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { SimulationPlan } from '../../../../sim/plan.ts';
import { liveIt, planOf } from '../../../support/lives.ts';

const quickstart = planOf('quickstart', '1');
const crash = {
  id: 'f1',
  trigger: { point: 'all-acknowledged', checkpoint: 3, occurrence: 1 },
  kind: 'crash',
  node: nodeId('taskmanager-1'),
  restartAfterUs: 500_000,
} as const;

interface Told {
  readonly history: readonly HistoryEvent[];
  readonly sentences: readonly Sentence[];
  readonly texts: readonly string[];
}

function told(
  plan: SimulationPlan,
  finds: (history: readonly HistoryEvent[]) => readonly Pick<Verdict, 'message' | 'at'>[] = () => [],
  marks: (history: readonly HistoryEvent[]) => ReadonlyMap<number, readonly string[]> = () => new Map(),
): Told {
  const { history } = liveIt(plan, { keepHistory: true });
  const verdicts = finds(history).map(
    (found): Verdict => ({ judge: 'a-judge', outcome: 'violated', anomaly: 'wrong', ...found }),
  );
  const sentences = narrative({ plan, history, verdicts, vertexName: vertexNames(plan), marked: marks(history) });
  return { history, sentences, texts: sentences.map(({ text }) => text) };
}

const indexOf = (history: readonly HistoryEvent[], kind: string, checkpointId: number): number =>
  history.findIndex(
    ({ event }) => event.kind === kind && 'checkpointId' in event && event.checkpointId === checkpointId,
  );

describe('narrative', () => {
  const calm = { ...quickstart, faults: [] };

  it('a life in which nothing happened is told in few sentences, from its beginning to its end', () => {
    const { texts } = told(calm);
    expect(texts[0]).toBe('The life begins.');
    expect(texts.some((text) => /^Checkpoints 1 to \d+ are triggered, acknowledged and completed\.$/.test(text))).toBe(
      true,
    );
    expect(texts.at(-1)).toBe('The life ends.');
    expect(texts.length).toBeLessThan(30);
  });

  it('the checkpoint that a finding is about is told task by task, file by file; others are not', () => {
    const { texts, sentences, history } = told(calm, (events) => [
      { message: 'Checkpoint 2: something is missing', at: [indexOf(events, 'checkpoint-completed', 2)] },
    ]);
    expect(texts).toContain('Checkpoint 1 is triggered, acknowledged and completed.');
    const acknowledged = texts.filter((text) =>
      /^Count.*\/\d acknowledges checkpoint 2: \d+ bytes of state/.test(text),
    );
    expect(acknowledged).toHaveLength(calm.job.parallelism);
    expect(texts.some((text) => /^checkpoints\/\S+\/chk-2\/\S+ is stored, \d+ bytes\.$/.test(text))).toBe(true);
    expect(
      texts.some((text) =>
        /^The pointer names checkpoint (1 and )?2 \(version \d+, written by jobmanager-\d as epoch 1\)/.test(text),
      ),
    ).toBe(true);
    expect(texts.filter((text) => /acknowledges checkpoint [^2]/.test(text))).toEqual([]);
    const completed = sentences.find(({ at }) => at === indexOf(history, 'checkpoint-completed', 2));
    expect(completed?.marks).toEqual(['a-judge/wrong']);
    expect(texts.at(-1)).toBe('a-judge finds wrong: Checkpoint 2: something is missing.');
  });

  it('what the newest checkpoint has in the end is no story of that checkpoint', () => {
    const { texts } = told(calm, () => [{ message: 'Newest checkpoint 4: something is missing', at: [] }]);
    expect(texts.filter((text) => text.includes('acknowledges'))).toEqual([]);
  });

  it('a fault and what it does at once are one sentence; a checkpoint that was only begun is not routine', () => {
    const { texts } = told({ ...quickstart, faults: [crash] });
    expect(texts).toContain('Fault f1: taskmanager-1 crashes.');
    expect(texts.filter((text) => text.includes('taskmanager-1 crashes'))).toHaveLength(1);
    expect(texts.some((text) => text.startsWith('Checkpoint 3 is triggered;'))).toBe(true);
    expect(texts).toContain('Checkpoint 3 is acknowledged by all.');
    expect(texts.filter((text) => text.includes('to be restored')).length).toBeGreaterThan(0);
  });

  it('an event that somebody points at has a sentence, whatever kind it is (I2)', () => {
    const received = (events: readonly HistoryEvent[]): number => indexOf(events, 'barrier-received', 3);
    const { history, sentences } = told(calm, undefined, (events) => new Map([[received(events), ['decided here']]]));
    const sentence = sentences.find(({ at }) => at === received(history));
    expect(sentence?.marks).toEqual(['decided here']);
    expect(sentence?.text).toMatch(/barrier received of Count.* for checkpoint 3/);
  });
});
