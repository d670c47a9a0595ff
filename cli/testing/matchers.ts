/**
 * Matchers for vitest: `expect.extend(matchers)`, then `expect(liveTest(plan, world)).toBeExactlyOnce()`.
 *
 * They import nothing of vitest: a matcher is a function that answers `pass` and `message`.
 */
import { failureMessage } from './failure-message.ts';
import { ALL_RIGHT, PROGRESS } from './question.ts';
import type { TestLife } from './test-life.ts';

export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

const FOLDER = 'out';
const again = (capsule: string): string => `liveTest(readPlan('${capsule}'), world)`;

export const matchers = {
  /** No judge found anything wrong; inconclusive lives do not pass. */
  toBeExactlyOnce(life: TestLife): MatcherResult {
    checkLife('toBeExactlyOnce', life);
    return {
      pass: life.signature === '',
      message: () =>
        life.signature === ''
          ? `${life.plan.job.use} is exactly-once with seed ${life.plan.seed}.`
          : failureMessage(life, { folder: FOLDER, question: ALL_RIGHT, again }),
    };
  },
  /** The job runs, goes on checkpointing after the storm and shows all that is not lost; a life may be wrong and make progress. */
  toMakeProgress(life: TestLife): MatcherResult {
    checkLife('toMakeProgress', life);
    const pass = PROGRESS.signature(life.plan, life.record) === '';
    return {
      pass,
      message: () =>
        pass
          ? `${life.plan.job.use} makes progress with seed ${life.plan.seed}.`
          : failureMessage(life, { folder: FOLDER, question: PROGRESS, again }),
    };
  },
};

/** A plan, or the promise of a life, is what people hand over by mistake. */
function checkLife(matcher: string, life: unknown): void {
  const isLife = typeof life === 'object' && life !== null && 'record' in life && 'signature' in life;
  if (!isLife) throw new TypeError(`${matcher}: expected a life, as liveTest(plan, world) answers it.`);
}
