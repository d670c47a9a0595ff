/**
 * What a schema found wrong, in our words. Knows the values, not the file: `path` and `onKey` say where to look.
 *
 * Our own schemas state only what they expect (`expected a duration ...`); what was found is added here.
 */
import type { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';
import type { FileProblem } from './problem.ts';

export interface SchemaProblem {
  readonly path: readonly PropertyKey[];
  /** The key itself is wrong, not its value: the last step of `path` is that key. */
  readonly onKey: boolean;
  readonly message: string;
  readonly expected: string;
  readonly didYouMean?: string;
}

type Issue = z.core.$ZodIssue;

/** How a file's own grammar reads its unions; `kindKeys` are the keys of which each entry below `kindPath` has exactly one. */
export interface UnionGrammar {
  readonly kindPath: string;
  readonly kindKeys: readonly string[];
}

const NO_GRAMMAR: UnionGrammar = { kindPath: '', kindKeys: [] };
const EXPECTED = /^expected /;

/** All problems of one issue: several unknown keys are one issue to zod. */
export function problemsOfIssue(issue: Issue, root: unknown, grammar: UnionGrammar = NO_GRAMMAR): SchemaProblem[] {
  const found = valueAt(root, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const expected = expectationOf(issue);
      const known = expected.replace(/^one of: /, '').split(', ');
      return issue.keys.map((key) =>
        withHint({ path: [...issue.path, key], onKey: true, message: `unknown key "${key}"`, expected }, key, known),
      );
    }
    case 'invalid_union':
      return unionProblems(issue, { root, found, grammar });
    case 'invalid_value': {
      const known = issue.values.map(String);
      const custom = EXPECTED.test(issue.message) ? expectationOf(issue) : `one of: ${known.join(', ')}`;
      const message =
        typeof found === 'string' && issue.path.at(-1) === 'point' ? unknownPoint(found) : describe(found);
      return [withHint({ path: issue.path, onKey: false, message, expected: custom }, String(found), known)];
    }
    case 'custom':
      return [
        {
          path: issue.path,
          onKey: false,
          message: found === undefined || typeof found === 'object' ? 'the keys do not fit together' : describe(found),
          expected: expectationOf(issue),
        },
      ];
    default:
      return [{ path: issue.path, onKey: false, message: describe(found), expected: expectationOf(issue) }];
  }
}

/** The option that was meant decides which problems are shown: the others would only confuse. */
function unionProblems(
  issue: Issue & { code: 'invalid_union' },
  context: { root: unknown; found: unknown; grammar: UnionGrammar },
): SchemaProblem[] {
  const { root, found, grammar } = context;
  const isKindEntry = issue.path.length === 2 && issue.path[0] === grammar.kindPath;
  if (isKindEntry && isRecord(found)) {
    const kinds = grammar.kindKeys.filter((kind) => Object.hasOwn(found, kind));
    const [kind] = kinds;
    if (kind === undefined || kinds.length > 1)
      return [kindProblem(issue.path, { found, kinds, kindKeys: grammar.kindKeys })];
    const meant = issue.errors[grammar.kindKeys.indexOf(kind)] ?? [];
    return nested(meant, issue, { root, grammar });
  }
  // Where no kind tells, the option meant is the one whose type fits: it finds fault deeper inside or names another reason.
  // Of several records it is the one with the keys that are there.
  const fitting = issue.errors.filter((errors) =>
    errors.every((error) => error.path.length > 0 || error.code !== 'invalid_type'),
  );
  const fewest = Math.min(...fitting.map((errors) => keysAmiss(errors, found)));
  const meant = fitting.find((errors) => keysAmiss(errors, found) === fewest);
  if (meant !== undefined && meant.length > 0) return nested(meant, issue, { root, grammar });
  const expectations = issue.errors
    .flatMap((errors) => errors.slice(0, 1).map(expectationOf))
    .filter((text) => text !== '');
  const expected = expectations.length > 0 ? [...new Set(expectations)].join(', or ') : expectationOf(issue);
  return [
    withHint(
      { path: issue.path, onKey: false, message: describe(found), expected },
      String(found),
      expected.split(/[^\w-]+/),
    ),
  ];
}

/** How many keys of a record are unknown to an option of a union, or missing for it. */
function keysAmiss(errors: readonly Issue[], found: unknown): number {
  let count = 0;
  for (const error of errors) {
    if (error.code === 'unrecognized_keys' && error.path.length === 0) count += error.keys.length;
    else if (error.path.length === 1 && valueAt(found, error.path) === undefined) count += 1;
  }
  return count;
}

function nested(
  errors: readonly Issue[],
  parent: Issue,
  context: { root: unknown; grammar: UnionGrammar },
): SchemaProblem[] {
  return errors.flatMap((error) =>
    problemsOfIssue({ ...error, path: [...parent.path, ...error.path] }, context.root, context.grammar),
  );
}

/** An entry that names no kind, or two. */
function kindProblem(
  path: readonly PropertyKey[],
  entry: { found: object; kinds: readonly string[]; kindKeys: readonly string[] },
): SchemaProblem {
  const expected = `exactly one of: ${entry.kindKeys.join(', ')}`;
  if (entry.kinds.length > 1)
    return { path, onKey: false, message: `${entry.kinds.join(' and ')} are two kinds`, expected };
  for (const key of Object.keys(entry.found)) {
    const hint = didYouMean(key, entry.kindKeys);
    if (hint !== undefined)
      return { path: [...path, key], onKey: true, message: `unknown kind "${key}"`, expected, didYouMean: hint };
  }
  return { path, onKey: false, message: 'no key names a kind', expected };
}

/** What a schema calls a type, as a person who writes files does. */
const WORDS_OF_TYPES: Readonly<Record<string, string>> = {
  record: 'a map of keys',
  object: 'a map of keys',
  array: 'a list',
  string: 'a text',
  int: 'a whole number',
};

function expectationOf(issue: Issue): string {
  if (EXPECTED.test(issue.message)) return issue.message.replace(EXPECTED, '');
  if (issue.code === 'invalid_type') return WORDS_OF_TYPES[issue.expected] ?? `a ${issue.expected}`;
  return issue.message;
}

const unknownPoint = (found: string): string => `there is no point "${found}"`;

function describe(found: unknown): string {
  if (found === undefined) return 'it is missing';
  if (found === null) return 'it is empty';
  if (Array.isArray(found)) return 'a list is not allowed here';
  if (isRecord(found)) return 'a map is not allowed here';
  return `${JSON.stringify(found)} is not allowed here`;
}

function withHint(problem: SchemaProblem, found: string, known: readonly string[]): SchemaProblem {
  const hint = didYouMean(found, known);
  return hint === undefined ? problem : { ...problem, didYouMean: hint };
}

/** The value at a path of a plain value; undefined where there is none. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[Number(step)];
    else if (isRecord(value) && Object.hasOwn(value, step)) value = value[String(step)];
    else return undefined;
  }
  return value;
}

/** As one reads; problems at one place keep the order in which they were found. */
export function inFileOrder(problems: readonly FileProblem[]): FileProblem[] {
  const numbered = problems.map((problem, index) => ({ problem, index }));
  numbered.sort((a, b) => a.problem.line - b.problem.line || a.problem.column - b.problem.column || a.index - b.index);
  return numbered.map(({ problem }) => problem);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
