/** What an exploration of crash points came to: a line per point, and the sums, like a report of coverage. */
import type { CaseOutcome, Exploration } from '../scenarios/crashpoints/exploration.ts';
import { pointsNotPassed } from '../scenarios/crashpoints/crash-point.ts';

export interface CrashFigures {
  readonly scenario: string;
  readonly seed: string;
  readonly checkpoints: readonly number[];
  /** Places in the life: a point at a subtask and occurrence. */
  readonly points: number;
  readonly cases: number;
  /** Share of points crashed at, percent: 100, or something is wrong. */
  readonly coveragePercent: number;
  readonly distinctRecoveries: number;
  readonly secondCases: number;
  /** With those of other shards. */
  readonly secondCasesOfAll: number;
  readonly failed: number;
  readonly notPassed: readonly string[];
  readonly perPoint: readonly {
    readonly point: string;
    readonly places: number;
    readonly cases: number;
    readonly recoveries: number;
    readonly failed: number;
  }[];
  readonly failures: readonly { readonly what: string; readonly signature: string }[];
}

export function crashFigures({
  plan,
  checkpoints,
  points,
  outcomes,
  distinctRecoveries,
  second,
  secondOfAll,
}: Exploration): CrashFigures {
  const names = [...new Set(points.map(({ trigger }) => trigger.point))];
  const struck = new Set(outcomes.map((outcome) => outcome.case.points[0]));
  const perPoint = names.map((point) => {
    const own = outcomes.filter((outcome) => outcome.case.points[0]?.trigger.point === point);
    return {
      point,
      places: points.filter(({ trigger }) => trigger.point === point).length,
      cases: own.length,
      recoveries: new Set(own.map(({ recovery }) => recovery)).size,
      failed: own.filter(({ signature }) => signature !== '').length,
    };
  });
  const failing = [...outcomes, ...second].filter(({ signature }) => signature !== '');
  return {
    scenario: plan.scenario,
    seed: plan.seed,
    checkpoints,
    points: points.length,
    cases: outcomes.length,
    coveragePercent: points.length === 0 ? 0 : (100 * struck.size) / points.length,
    distinctRecoveries,
    secondCases: second.length,
    secondCasesOfAll: secondOfAll,
    failed: failing.length,
    notPassed: pointsNotPassed(points),
    perPoint,
    failures: failing.map((outcome) => ({ what: caseText(outcome), signature: outcome.signature })),
  };
}

/** For example `crash of taskmanager-1 at acknowledge.sent of checkpoint 3 at 2/0`. */
export function caseText({ case: { variant, node, points } }: CaseOutcome): string {
  const places = points.map(({ trigger: { point, checkpoint, vertex, subtask, occurrence } }) => {
    const of = checkpoint === undefined ? '' : ` of checkpoint ${checkpoint}`;
    const task = vertex === undefined ? '' : ` at ${vertex}/${subtask ?? ''}`;
    return `${point}${of}${task}${occurrence === 1 ? '' : `, time ${occurrence}`}`;
  });
  return `${variant} of ${node} at ${places.join(', and then at ')}`;
}
