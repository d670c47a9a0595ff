/**
 * Plans as files: JSON, one plan each. What was written is read back to an equal plan; what was edited is checked like any file of a user.
 */
import { strangerOf } from '../sim/faults/fault-nodes.ts';
import { allNodes } from '../sim/node-names.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { buildJob } from './build-job.ts';
import { approximateProblems } from './approximate-problems.ts';
import { DATASET_NAMES, parseDatasetName } from './datasets/dataset-name.ts';
import { didYouMean, namesLike } from './did-you-mean.ts';
import { givenUpProblems } from './given-up-problems.ts';
import { JOB_CATALOG, jobNamed } from './job-catalog.ts';
import { refusalOf } from './job-check.ts';
import { STANDARD_VARIANT, VARIANTS } from './mutants/mutant-catalog.ts';
import type { FileProblem } from './problem.ts';
import type { SectionProblem } from './schema.ts';
import { planSchema } from './schema/plan-schema.ts';
import { inFileOrder, problemsOfIssue } from './schema-problem.ts';
import { SourceDocument } from './source-document.ts';

export type DecodedPlan =
  | { readonly ok: true; readonly plan: SimulationPlan }
  | { readonly ok: false; readonly problems: readonly FileProblem[] };

/** Readable, with a line at the end: plans are compared and edited. */
export function encodePlan(plan: SimulationPlan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}

/** Reads a plan file; `file` is shown in messages. */
export function decodePlan(text: string, file: string): DecodedPlan {
  const source = new SourceDocument(text, file);
  if (source.problems.length > 0) return { ok: false, problems: source.problems };
  return decodePlanIn(source, []);
}

/** The same of a plan that is to be lived here. */
export function decodeKnownPlan(text: string, file: string): DecodedPlan {
  const source = new SourceDocument(text, file);
  if (source.problems.length > 0) return { ok: false, problems: source.problems };
  const decoded = decodePlanIn(source, []);
  const problems = decoded.ok ? strangersIn(decoded.plan, source, []) : [];
  return problems.length === 0 ? decoded : { ok: false, problems };
}

/** Reads the plan at a path of a larger file, such as a capsule. */
export function decodePlanIn(source: SourceDocument, path: readonly PropertyKey[]): DecodedPlan {
  const value = source.valueAt(path);
  const parsed = planSchema.safeParse(value);
  if (parsed.success) return checkNodes(parsed.data, source, path);
  const found = parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, value));
  return {
    ok: false,
    problems: inFileOrder(found.map((problem) => source.locate({ ...problem, path: [...path, ...problem.path] }))),
  };
}

/** A fault that names a node the cluster does not have could never strike; an engine there is none of cannot be lived. */
function checkNodes(plan: SimulationPlan, source: SourceDocument, path: readonly PropertyKey[]): DecodedPlan {
  if (!VARIANTS.includes(plan.variant)) {
    const variant = {
      path: [...path, 'variant'],
      onKey: false,
      message: `There is no engine variant '${plan.variant}'`,
    };
    const [near] = namesLike(plan.variant, VARIANTS, 1);
    const hint = near === undefined ? {} : { didYouMean: near };
    const expected = `${STANDARD_VARIANT} or a slug of docs/mutants.md, which 'tidemark list' shows`;
    return { ok: false, problems: [source.locate({ ...variant, expected, ...hint })] };
  }
  const nodes = allNodes(plan.cluster);
  const stranger = strangerOf(plan.faults, nodes);
  if (stranger === undefined) return checkJob(plan, source, path);
  const index = plan.faults.findIndex(({ id }) => id === stranger.fault);
  const problem = {
    path: [...path, 'faults', index],
    onKey: false,
    message: `Fault ${stranger.fault} names the node '${stranger.node}', which the cluster does not have`,
    expected: `one of ${nodes.join(', ')}`,
  };
  return { ok: false, problems: [source.locate(problem)] };
}

/**
 * Names in a plan that this package has no job or data set for: whoever lives plans of its own jobs does not ask, and is told when they
 * are lived.
 */
export function strangersIn(
  plan: SimulationPlan,
  source: SourceDocument,
  path: readonly PropertyKey[],
): readonly FileProblem[] {
  const { use } = plan.job;
  const jobs = JOB_CATALOG.map(({ name }) => name);
  const job = { message: `there is no job '${use}'`, expected: `one of: ${jobs.join(', ')}`, ...hintOf(use, jobs) };
  const strangeJob = jobs.includes(use) ? [] : [{ path: ['job', 'use'], ...job }];
  const strangeData = plan.topics.flatMap(({ dataset }, index) => {
    const name = parseDatasetName(dataset);
    if (name.ok) return [];
    const message = `there is no data set '${dataset}'`;
    return [
      { path: ['topics', index, 'dataset'], message, expected: name.expected, ...hintOf(dataset, DATASET_NAMES) },
    ];
  });
  return inFileOrder(
    [...strangeJob, ...strangeData].map((one) => source.locate({ ...one, path: [...path, ...one.path], onKey: false })),
  );
}

function hintOf(found: string, known: readonly string[]): { readonly didYouMean?: string } {
  const hint = didYouMean(found, known);
  return hint === undefined ? {} : { didYouMean: hint };
}

function checkJob(plan: SimulationPlan, source: SourceDocument, path: readonly PropertyKey[]): DecodedPlan {
  // A capsule may come from a job of its user's own, which is not known here.
  if (jobNamed(plan.job.use, JOB_CATALOG) === undefined) return { ok: true, plan };
  const message = refusalOf(plan);
  const expected = 'parameters and topics the job can be built with';
  const problems =
    message === undefined ? [...approximateIn(plan), ...givenUpIn(plan)] : [{ path: ['job'], message, expected }];
  if (problems.length === 0) return { ok: true, plan };
  const located = problems.map((problem) =>
    source.locate({ ...problem, path: [...path, ...problem.path], onKey: false }),
  );
  return { ok: false, problems: inFileOrder(located) };
}

function givenUpIn(plan: SimulationPlan): readonly SectionProblem[] {
  const { withoutChannelStateOf, firstId } = plan.engine.checkpoint;
  return givenUpProblems({
    use: plan.job.use,
    withoutChannelStateOf,
    firstId,
    commands: plan.faults.map((fault) => (fault.kind === 'operation' ? fault.command : undefined)),
    build: () => buildJob(plan),
    path: ['engine', 'checkpoint', 'withoutChannelStateOf'],
    resumePath: (fault) => ['faults', fault, 'command', 'thenResume'],
  });
}

function approximateIn(plan: SimulationPlan): readonly SectionProblem[] {
  const { checkpoint, runtime, scheduler } = plan.engine;
  return approximateProblems({
    isApproximate: runtime.failoverStrategy === 'approximate',
    use: plan.job.use,
    unaligned: checkpoint.unaligned,
    isExactlyOnce: checkpoint.mode === 'exactly-once',
    isAdaptive: scheduler.mode === 'adaptive',
    isBounded: plan.topics.some(({ bounded }) => bounded),
    isOperation: plan.faults.map(({ kind }) => kind === 'operation'),
    build: () => buildJob(plan),
    path: ['engine', 'runtime', 'failoverStrategy'],
  });
}
