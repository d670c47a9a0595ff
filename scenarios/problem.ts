/**
 * What is wrong with a file, where it is written and what was expected. Problems are values: all of a file are collected and shown.
 */

export interface FileProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  /** Keys from the top, joined by dots: `faults.2.for`. Empty: the file as a whole. */
  readonly path: string;
  /** What is wrong, in a few words. */
  readonly message: string;
  /** What would be right; may be empty. */
  readonly expected: string;
  /** The nearest known name, where one is near. */
  readonly didYouMean?: string;
}

/** One line for people: `scenario.yaml:7:9 checkpointing.mode: "once" is not known; expected ...`. */
export function formatProblem(problem: FileProblem): string {
  const { file, line, column, path, message, expected } = problem;
  const subject = path === '' ? '' : `${path}: `;
  const hint = problem.didYouMean === undefined ? '' : `; did you mean "${problem.didYouMean}"?`;
  return `${file}:${line}:${column} ${subject}${message}${expected === '' ? '' : `; expected ${expected}`}${hint}`;
}
