/**
 * The text of a scenario file -> a `Scenario`, or everything that is wrong with it, each with line, column and what was expected.
 *
 * Reads YAML and, as YAML contains it, JSON. Five rounds, each only when the one before found nothing: is it YAML, does it have the form,
 * do its sections fit together, can its job be built, does the same hold of what a swarm may draw.
 */
import { JOB_CATALOG } from './job-catalog.ts';
import type { JobDefinition } from './jobs/job-definition.ts';
import { didYouMean } from './did-you-mean.ts';
import { JobCheck } from './job-check.ts';
import type { FileProblem } from './problem.ts';
import { AS_WRITTEN, type LocateFile } from './located-files.ts';
import { completed, datasetProblems, qualify } from './qualify.ts';
import type { Scenario } from './scenario.ts';
import { FAULT_KINDS } from './schema/fault-schema.ts';
import { crossCheck, scenarioSchema, type SectionProblem } from './schema.ts';
import { inFileOrder, problemsOfIssue } from './schema-problem.ts';
import { SourceDocument } from './source-document.ts';
import { readSwarm } from './swarm-reader.ts';

export type ParsedScenario =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

export interface ScenarioText {
  readonly text: string;
  /** Shown in messages. */
  readonly file: string;
  /** The jobs it may name. Default: those that come with the package. */
  readonly jobs?: readonly JobDefinition[];
  /** Where its data files lie. Default: as written. */
  readonly locateFile?: LocateFile;
}

const FAULT_GRAMMAR = { kindPath: 'faults', kindKeys: FAULT_KINDS } as const;

export function parseScenario(scenario: ScenarioText): ParsedScenario {
  const { text, file, jobs = JOB_CATALOG, locateFile = AS_WRITTEN } = scenario;
  const source = new SourceDocument(text, file);
  if (source.problems.length > 0) return { ok: false, problems: source.problems };
  const parsed = scenarioSchema.safeParse(source.value);
  if (!parsed.success) {
    const found = parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, source.value, FAULT_GRAMMAR));
    return { ok: false, problems: inFileOrder(found.map((problem) => source.locate(problem))) };
  }
  const misfits = [...crossCheck(parsed.data, jobs), ...datasetProblems(parsed.data)];
  if (misfits.length > 0) return { ok: false, problems: inFileOrder(misfits.map((misfit) => located(misfit, source))) };
  const input = completed(parsed.data, jobs, locateFile);
  const jobCheck = new JobCheck(jobs);
  const unbuildable = jobCheck.problemsOf(input);
  if (unbuildable.length > 0) return { ok: false, problems: unbuildable.map((problem) => located(problem, source)) };
  if (input.swarm === undefined) return { ok: true, scenario: qualify(input, jobs) };
  const read = readSwarm({ value: source.value, input, jobs, jobCheck, locateFile });
  if (!read.ok) return { ok: false, problems: inFileOrder(read.problems.map((problem) => source.locate(problem))) };
  return { ok: true, scenario: { ...qualify(input, jobs), swarm: read.swarm } };
}

function located({ path, message, expected, known, found }: SectionProblem, source: SourceDocument): FileProblem {
  const hint = known === undefined || found === undefined ? undefined : didYouMean(found, known);
  return source.locate({ path, onKey: false, message, expected, ...(hint === undefined ? {} : { didYouMean: hint }) });
}
