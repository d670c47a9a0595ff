/** What comes again and again is told once, and what somebody points at always. */
import { describe, expect, it } from 'vitest';
import { withoutRepetition } from '../../../../scenarios/explain/repetition.ts';
import type { Sentence } from '../../../../scenarios/explain/sentence.ts';

const say = (text: string, at: number, marks?: readonly string[]): Sentence => ({
  at,
  atUs: at * 1_000_000,
  text,
  ...(marks === undefined ? {} : { marks }),
});
const rounds = (count: number, from = 0): Sentence[] =>
  Array.from({ length: count }, (_, round) => [
    say(`Task ${round} fails.`, from + round * 2),
    say(`Attempt ${round} is deployed.`, from + round * 2 + 1),
  ]).flat();
const texts = (sentences: readonly Sentence[]): string[] => withoutRepetition(sentences).map(({ text }) => text);

describe('repetition', () => {
  it('tells a round once, and how often it comes again and until when', () => {
    expect(texts([say('It begins.', 0), ...rounds(17, 1), say('It ends.', 99)])).toEqual([
      'It begins.',
      'Task 0 fails.',
      'Attempt 0 is deployed.',
      'These 2 come 16 times more, until 34 s.',
      'It ends.',
    ]);
  });

  it('tells twice what comes twice', () => {
    expect(texts(rounds(2))).toHaveLength(4);
    expect(texts([say('A 1.', 0), say('A 2.', 1)])).toHaveLength(2);
  });

  it('never folds away what somebody points at', () => {
    const marked = rounds(9).map((one, index) => (index === 9 ? say(one.text, one.at, ['judge/anomaly']) : one));
    const told = withoutRepetition(marked);
    expect(told.filter(({ marks }) => marks !== undefined)).toHaveLength(1);
    expect(told.length).toBeLessThan(marked.length);
  });

  it('is not misled by words that differ', () => {
    expect(texts([say('A fails.', 0), say('B fails.', 1), say('C fails.', 2), say('D fails.', 3)])).toHaveLength(4);
  });
});
