/**
 * What a scenario file says under `swarm`, read and checked: every alternative has the form of what it replaces, and what can be drawn
 * together fits together.
 *
 * Owns: paths, alternatives, the combinations that are tried. Does not own: the draw (swarm.ts), what fits together (schema.ts).
 *
 * I1: an alternative is read by the same schema as if it stood in its place, so a plan that is drawn is a plan that could be written.
 * I2: up to `COMBINATIONS_MAX` combinations all are tried; beyond, every pair of alternatives of two dimensions and all combinations of
 *     those that decide about slots, the others at their first.
 */
import { canonicalJson } from './canonical-json.ts';
import { isAtHome } from './high-availability-problems.ts';
import type { JobCheck } from './job-check.ts';
import type { JobDefinition } from './jobs/job-definition.ts';
import type { LocateFile } from './located-files.ts';
import { completed, datasetProblems } from './qualify.ts';
import type { Swarm, SwarmAlternative, SwarmDimension } from './scenario.ts';
import { SUBSET } from './schema/swarm-schema.ts';
import { crossCheck, type ScenarioInput, type SectionProblem, scenarioSchema } from './schema.ts';
import { problemsOfIssue, type SchemaProblem, valueAt } from './schema-problem.ts';
import { FAULTS_PATH, stepsOf, withValueAt } from './swarm.ts';

export interface SwarmText {
  /** The file as a plain value. */
  readonly value: unknown;
  /** The same, read and completed. */
  readonly input: ScenarioInput;
  readonly jobs: readonly JobDefinition[];
  readonly jobCheck: JobCheck;
  readonly locateFile: LocateFile;
}

export type ReadSwarm =
  | { readonly ok: true; readonly swarm: Swarm }
  | { readonly ok: false; readonly problems: readonly SchemaProblem[] };

/** Parts of a file that one of its lives may have of its own. */
const ROOTS_REFUSED: ReadonlySet<string> = new Set([
  '$schema',
  'name',
  'description',
  'seed',
  'expect',
  'limits',
  'swarm',
  'notFor',
]);
const COMBINATIONS_MAX = 2_000;
/** What parallelism and slots are below. */
const SLOT_ROOTS: ReadonlySet<string> = new Set(['job', 'cluster']);
const PROBLEMS_SHOWN = 10;

/** A dimension in the making. */
interface Written extends SwarmDimension {
  readonly steps: readonly string[];
  /** As written, by alternative. */
  readonly raw: readonly unknown[];
}

export function readSwarm(text: SwarmText): ReadSwarm {
  const { swarm: written = {}, ...input } = text.input;
  const paths = Object.keys(written);
  const misplaced = paths.flatMap((path) => pathProblems(path, written[path], paths));
  if (misplaced.length > 0) return { ok: false, problems: misplaced };
  // Faults are read once: no alternative changes them, and they are the longest part of a file.
  const base = withValueAt(withValueAt(text.value, ['faults'], []), ['swarm'], {});
  const read = Object.entries(written)
    .filter(([path]) => path !== FAULTS_PATH)
    .map(([path, alternatives]) =>
      readDimension(path, Array.isArray(alternatives) ? alternatives : [], { base, text }),
    );
  const problems = read.flatMap((one) => ('problems' in one ? one.problems : []));
  if (problems.length > 0) return { ok: false, problems };
  const dimensions = read.flatMap((one) => ('problems' in one ? [] : [one]));
  const misfits = combinationProblems(dimensions, { base, text });
  if (misfits.length > 0) return { ok: false, problems: misfits };
  const swarm: Swarm = {
    input,
    dimensions: dimensions.map(({ path, alternatives }) => ({ path, alternatives })),
    faultSubset: written[FAULTS_PATH] === SUBSET,
  };
  return { ok: true, swarm };
}

function pathProblems(path: string, entry: unknown, paths: readonly string[]): SchemaProblem[] {
  const problem = (message: string, expected: string): SchemaProblem[] => [
    { path: ['swarm', path], onKey: true, message, expected },
  ];
  const [root = ''] = stepsOf(path);
  if (ROOTS_REFUSED.has(root)) return problem(`"${root}" is the same for all lives of a scenario`, 'another path');
  if (root === FAULTS_PATH) {
    if (path === FAULTS_PATH && entry === SUBSET) return [];
    return problem('fault rules are drawn as a whole', '`faults: subset`');
  }
  if (entry === SUBSET) return problem('only faults can be a subset', 'a list of alternatives');
  if (path === 'job.use') return problem('a job comes with its parameters', '`job` with whole jobs as alternatives');
  const above = paths.find((other) => path.startsWith(`${other}.`));
  return above === undefined ? [] : problem(`it is drawn with "${above}" already`, 'one of the two');
}

interface Context {
  /** The file without faults and swarm. */
  readonly base: unknown;
  readonly text: SwarmText;
}

function readDimension(
  path: string,
  entries: readonly unknown[],
  { base, text }: Context,
): Written | { readonly problems: SchemaProblem[] } {
  const steps = stepsOf(path);
  const problems: SchemaProblem[] = [];
  const alternatives: SwarmAlternative[] = [];
  const raw: unknown[] = [];
  for (const [index, entry] of entries.entries()) {
    const place = ['swarm', path, index];
    const { value, weight, isWeighted } = weighted(entry);
    if (!Number.isInteger(weight) || weight < 1) {
      const expected = 'a whole number of at least 1';
      problems.push({ path: [...place, 'weight'], onKey: false, message: `${labelOf(weight)} is no weight`, expected });
      continue;
    }
    const inPlace = withValueAt(base, steps, value);
    const parsed = scenarioSchema.safeParse(inPlace);
    if (!parsed.success) {
      const found = parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, inPlace));
      problems.push(...found.map((one) => moved(one, steps, isWeighted ? [...place, 'value'] : place)));
      continue;
    }
    const input = completed(parsed.data, text.jobs, text.locateFile);
    if (steps[0] !== 'job' && !sameJob(input, text.input)) {
      const expected = 'the key as alternatives of `job.parameters.key`';
      problems.push({ path: place, onKey: false, message: 'it gives the job another key', expected });
      continue;
    }
    const readValue = valueAt(input, steps);
    if (readValue === undefined) {
      problems.push({
        path: ['swarm', path],
        onKey: true,
        message: 'the path leads nowhere',
        expected: 'keys of this file',
      });
      continue;
    }
    raw.push(value);
    alternatives.push({ value: readValue, label: labelOf(value), weight });
  }
  return problems.length > 0 ? { problems: unique(problems) } : { path, steps, alternatives, raw };
}

const sameJob = (a: ScenarioInput, b: ScenarioInput): boolean => canonicalJson(a.job) === canonicalJson(b.job);

/** What is wrong with the path is wrong with each of its alternatives, and said once. */
function unique(problems: readonly SchemaProblem[]): SchemaProblem[] {
  const byText = new Map(problems.map((one) => [canonicalJson([one.path.map(String), one.message]), one]));
  return [...byText.values()];
}

/** `{ value, weight }`, or the value alone with weight 1. */
function weighted(entry: unknown): { value: unknown; weight: number; isWeighted: boolean } {
  if (
    typeof entry === 'object' &&
    entry !== null &&
    Object.keys(entry).length === 2 &&
    'value' in entry &&
    'weight' in entry
  ) {
    const { value, weight } = entry as { readonly value: unknown; readonly weight: unknown };
    return { value, weight: typeof weight === 'number' ? weight : Number.NaN, isWeighted: true };
  }
  return { value: entry, weight: 1, isWeighted: false };
}

/** A problem found in the place of an alternative, moved to where the alternative is written. */
function moved(problem: SchemaProblem, steps: readonly string[], place: readonly PropertyKey[]): SchemaProblem {
  const isInside = steps.every((step, index) => String(problem.path[index]) === step);
  const isPath = problem.onKey && problem.path.length === steps.length;
  if (isInside && !isPath) return { ...problem, path: [...place, ...problem.path.slice(steps.length)] };
  // The path itself is wrong: a key on the way is unknown, or leads through a plain value.
  const isOnTheWay = problem.path.every((step, index) => String(step) === steps[index]);
  return isOnTheWay
    ? { ...problem, path: place.slice(0, 2), onKey: true }
    : { ...problem, path: place, onKey: false, message: `${problem.path.map(String).join('.')}: ${problem.message}` };
}

function combinationProblems(dimensions: readonly Written[], { base, text }: Context): SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>();
  for (const picks of combinations(dimensions)) {
    const value = dimensions.reduce<unknown>(
      (made, { steps, raw }, index) => withValueAt(made, steps, raw[picks[index] ?? 0]),
      base,
    );
    for (const { path, message, expected } of misfitsOf(value, text)) {
      const drawn = dimensions.map((one, index) => `${one.path}=${labelOf(one.raw[picks[index] ?? 0])}`).join(', ');
      const problem = `${path.map(String).join('.')}: ${message}`;
      if (problems.has(problem)) continue;
      // Shown at the alternative that what is wrong is about, else at the last one.
      const about = dimensions.findIndex(({ steps }) => steps.every((step, index) => String(path[index]) === step));
      const at = about < 0 ? dimensions.length - 1 : about;
      const place = ['swarm', dimensions[at]?.path ?? '', picks[at] ?? 0];
      problems.set(problem, { path: place, onKey: false, message: `drawn together, ${drawn}: ${problem}`, expected });
      if (problems.size >= PROBLEMS_SHOWN) return [...problems.values()];
    }
  }
  return [...problems.values()];
}

/** What is wrong with one combination, in its form or between its sections. */
function misfitsOf(
  value: unknown,
  { input, jobs, jobCheck, locateFile }: SwarmText,
): readonly Omit<SectionProblem, 'known'>[] {
  const parsed = scenarioSchema.safeParse(value);
  if (!parsed.success) return parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, value));
  const made = completed(parsed.data, jobs, locateFile);
  const faults = input.faults.filter(({ action }) => isAtHome(action, made.highAvailability.kind, made.sink.kind));
  const drawn = { ...made, faults };
  const misfits = [...crossCheck(drawn, jobs), ...datasetProblems(drawn)];
  return misfits.length > 0 ? misfits : jobCheck.problemsOf(drawn);
}

/** All of them, or where they are too many every pair of two dimensions, and all of those that must fit as three: subtasks and slots. */
function* combinations(dimensions: readonly Written[]): Generator<readonly number[]> {
  const sizes = dimensions.map(({ raw }) => raw.length);
  if (countOf(sizes) <= COMBINATIONS_MAX) return yield* allOf(sizes);
  for (const [a, sizeOfA] of sizes.entries()) {
    for (let b = a + 1; b < sizes.length; b += 1) {
      yield* allOf(sizes.map((size, index) => (index === a ? sizeOfA : index === b ? size : 1)));
    }
  }
  const slots = dimensions.map(({ steps, raw }) => (SLOT_ROOTS.has(steps[0] ?? '') ? raw.length : 1));
  if (countOf(slots) <= COMBINATIONS_MAX) yield* allOf(slots);
}

const countOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

/** Every choice of one index below each size. */
function* allOf(sizes: readonly number[]): Generator<readonly number[]> {
  for (let number = 0; number < countOf(sizes); number += 1) {
    let rest = number;
    yield sizes.map((size) => {
      const pick = rest % size;
      rest = Math.floor(rest / size);
      return pick;
    });
  }
}

/** As it would be written on one line. */
export function labelOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(labelOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${labelOf(field)}`);
  return `{ ${fields.join(', ')} }`;
}
