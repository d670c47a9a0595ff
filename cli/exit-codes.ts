/**
 * The exit codes: the one thing about an outcome that scripts read.
 *
 * Owns: the numbers and the order of gravity. Does not own: what a verdict is (sim/judges).
 * I1: of several outcomes the gravest decides, in the order of `GRAVITY`.
 */
import type { RunVerdict } from '../sim/judges/verdict.ts';

export const EXIT = {
  /** Everything that was asked for held. */
  passed: 0,
  /** A safety property was violated. */
  violated: 1,
  /** A flag, file or scenario was wrong; nothing was judged. */
  usage: 2,
  /** Safe, but the job did not come back to life in time. */
  notLive: 3,
  /** A limit was hit or the work was interrupted: neither passed nor failed. */
  inconclusive: 4,
  /** The same plan took two courses: no other answer can be trusted. */
  notDeterministic: 5,
  /** A defect of this program itself. */
  internal: 70,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Gravest first. */
const GRAVITY: readonly ExitCode[] = [
  EXIT.usage,
  EXIT.notDeterministic,
  EXIT.violated,
  EXIT.internal,
  EXIT.notLive,
  EXIT.inconclusive,
  EXIT.passed,
];

/** The exit code of one verdict. */
export function exitCodeOf(verdict: RunVerdict): ExitCode {
  if (verdict === 'violated') return EXIT.violated;
  if (verdict === 'not-live') return EXIT.notLive;
  return verdict === 'inconclusive' ? EXIT.inconclusive : EXIT.passed;
}

/** The gravest of several exit codes; passed when there is none. */
export function gravest(codes: readonly ExitCode[]): ExitCode {
  return GRAVITY.find((code) => codes.includes(code)) ?? EXIT.passed;
}
