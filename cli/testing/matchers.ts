/**
 * Matchers for vitest: `expect.extend(matchers)`, then `expect(liveTest(plan, world)).toBeExactlyOnce()`.
 *
 * They import nothing of vitest: a matcher is a function that answers `pass` and `message`.
 */
import { failureMessage, type TestLife } from './test-life.ts';

export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

const FOLDER = 'out';

export const matchers = {
  /** No judge found anything wrong; inconclusive lives do not pass. */
  toBeExactlyOnce(life: TestLife): MatcherResult {
    return {
      pass: life.signature === '',
      message: () =>
        life.signature === ''
          ? `${life.plan.job.use} is exactly-once with seed ${life.plan.seed}.`
          : failureMessage(life, FOLDER),
    };
  },
  /** The life ended well: the job ran, went on checkpointing after the storm and showed all its output. */
  toMakeProgress(life: TestLife): MatcherResult {
    const stuck = life.record.verdicts.filter(({ outcome }) => outcome === 'not-live' || outcome === 'inconclusive');
    return {
      pass: stuck.length === 0,
      message: () =>
        stuck.length === 0
          ? `${life.plan.job.use} makes progress with seed ${life.plan.seed}.`
          : failureMessage(life, FOLDER),
    };
  },
};
