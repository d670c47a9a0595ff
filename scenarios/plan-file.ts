/**
 * Plans as files: JSON, one plan each. What was written is read back to an equal plan; what was edited is checked like any file of a user.
 */
import { strangerOf } from '../sim/faults/fault-nodes.ts';
import { allNodes } from '../sim/node-names.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { buildJob } from './build-job.ts';
import { givenUpProblems } from './given-up-problems.ts';
import { JOB_CATALOG, jobNamed } from './job-catalog.ts';
import { refusalOf } from './job-check.ts';
import { MUTANTS, STANDARD_VARIANT } from './mutants/mutant-catalog.ts';
import type { FileProblem } from './problem.ts';
import type { SectionProblem } from './schema.ts';
import { planSchema } from './schema/plan-schema.ts';
import { inFileOrder, problemsOfIssue } from './schema-problem.ts';
import { SourceDocument } from './source-document.ts';

const VARIANTS: readonly string[] = [STANDARD_VARIANT, ...MUTANTS.map(({ slug }) => slug)];

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
    return { ok: false, problems: [source.locate({ ...variant, expected: `one of ${VARIANTS.join(', ')}` })] };
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

function checkJob(plan: SimulationPlan, source: SourceDocument, path: readonly PropertyKey[]): DecodedPlan {
  // A capsule may come from a job of its user's own, which is not known here.
  if (jobNamed(plan.job.use, JOB_CATALOG) === undefined) return { ok: true, plan };
  const message = refusalOf(plan);
  const expected = 'parameters and topics the job can be built with';
  const problems = message === undefined ? givenUpIn(plan) : [{ path: ['job'], message, expected }];
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
