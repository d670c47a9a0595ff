/**
 * Plans as files: JSON, one plan each. What was written is read back to an equal plan; what was edited is checked like any file of a user.
 */
import type { SimulationPlan } from '../sim/plan.ts';
import type { FileProblem } from './problem.ts';
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

/** Reads the plan at a path of a larger file, such as a capsule. */
export function decodePlanIn(source: SourceDocument, path: readonly PropertyKey[]): DecodedPlan {
  const value = source.valueAt(path);
  const parsed = planSchema.safeParse(value);
  if (parsed.success) return { ok: true, plan: parsed.data };
  const found = parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, value));
  return {
    ok: false,
    problems: inFileOrder(found.map((problem) => source.locate({ ...problem, path: [...path, ...problem.path] }))),
  };
}
