import { describe, expect, it } from 'vitest';
import { micros } from '../../../../engine/foundation/time.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { ConservedOutput } from '../../../../sim/judges/conserved-output.ts';
import { RecordTrail } from '../../../../sim/judges/record-trail.ts';
import { InputIndex } from '../../../../sim/judges/reference-run.ts';

const index = new InputIndex([
  {
    topic: 't',
    partition: 0,
    values: ['a', 'b', 'b'],
    timestampsUs: [1, 2, 3],
    sourceIndices: [0, 1, 2],
    bounded: true,
  },
]);
const END = { cause: 'quiescent', atUs: micros(9) } as never;

const asText = (value: unknown): string | undefined => String(value);

function judgedBy(
  input: typeof asText,
  outputs: readonly string[][],
): { readonly outcomes: string[]; readonly isComplete: boolean } {
  const judge = new ConservedOutput({
    conserves: { input, output: (value) => value as string[] },
    index,
    trail: new RecordTrail(index),
    hasFinished: () => true,
  });
  const event = { kind: 'output-appended', producer: 'sink', values: outputs, lineages: outputs.map(() => 1) };
  judge.observe({ event, index: 7 } as unknown as HistoryEvent);
  return {
    isComplete: judge.isComplete(),
    outcomes: judge.finish(END).map(({ outcome, message }) => `${outcome} ${message}`),
  };
}

const judged = (...outputs: string[][]) => judgedBy(asText, outputs);

describe('ConservedOutput (X5)', () => {
  it('passes when every input record is accounted for once, in whatever windows', () => {
    expect(judged(['b', 'a'], ['b'])).toEqual({
      isComplete: true,
      outcomes: ['passed Each of 3 input records is accounted for once'],
    });
    expect(judged(['a'], ['b', 'b']).isComplete).toBe(true);
  });

  it('output-lost: a record that nothing accounts for', () => {
    const { isComplete, outcomes } = judged(['a', 'b']);
    expect(isComplete).toBe(false);
    expect(outcomes.join()).toMatch(/^violated .*input record b is not visible/);
  });

  it('output-duplicated and output-invented', () => {
    expect(judged(['a', 'b', 'b'], ['a']).outcomes.join()).toMatch(/^violated .*a is accounted for again/);
    expect(judged(['a', 'b', 'b', 'x']).outcomes.join()).toMatch(/^violated .*x is not in the input/);
  });

  it('is silent about input records that no output need tell of, and holds one that does against the engine', () => {
    const onlyA = (value: unknown): string | undefined => (value === 'a' ? 'a' : undefined);
    expect(judgedBy(onlyA, [['a']])).toEqual({
      isComplete: true,
      outcomes: ['passed Each of 1 input records is accounted for once'],
    });
    expect(judgedBy(onlyA, [['a', 'b']]).outcomes.join()).toMatch(/^violated .*b is not in the input/);
    expect(judgedBy(onlyA, []).outcomes.join()).toMatch(/^violated .*input record a is not visible/);
  });
});
