/**
 * Where a scenario or a plan asks for approximate local recovery (row F1) and it cannot be had, or the judges could not say what the job must
 * come to (decision 0123). Refused when the file is read. Pure.
 */
import { whyNotMissed } from '../sim/judges/lossy-jobs.ts';
import type { BuiltJob } from './jobs/job-definition.ts';
import type { SectionProblem } from './schema.ts';

export interface ApproximateQuestion {
  readonly isApproximate: boolean;
  /** Name of the job. */
  readonly use: string;
  readonly unaligned: boolean;
  readonly isExactlyOnce: boolean;
  readonly isAdaptive: boolean;
  /** Some input ends. */
  readonly isBounded: boolean;
  /** Whether a client does something to the job, by index of the fault. */
  readonly isOperation: readonly boolean[];
  /** Of a job that can be built; called only where it matters. */
  readonly build: () => BuiltJob;
  /** Where the option stands in the file. */
  readonly path: readonly string[];
}

export function approximateProblems(question: ApproximateQuestion): SectionProblem[] {
  if (!question.isApproximate) return [];
  const { path } = question;
  const operation = question.isOperation.indexOf(true);
  const expected = 'failover: region, or a job and settings that approximate recovery is for';
  const problems = reasonsAgainst(question).map(
    (why): SectionProblem => ({ path, message: `approximate recovery: ${why}`, expected }),
  );
  if (operation < 0) return problems;
  const message =
    'with approximate recovery nobody operates the job: which records were missed is not followed over runs';
  return [...problems, { path: ['faults', operation], message, expected: 'no operation and no rescale' }];
}

function reasonsAgainst({ use, build, ...question }: ApproximateQuestion): readonly string[] {
  const reasons: string[] = [];
  // Flink: StreamGraphGenerator.checkApproximateLocalRecoveryCompatibility.
  if (question.unaligned) reasons.push('not together with unaligned checkpoints, as in Flink');
  if (!question.isExactlyOnce) reasons.push('without aligned barriers it cannot be said what a subtask has missed');
  if (question.isAdaptive) reasons.push('an adaptive scheduler restarts the whole job');
  if (question.isBounded) reasons.push('the end of an input is sent once, and who misses it waits for ever');
  const { graph, audit } = build();
  const why = whyNotMissed(graph, audit);
  if (why !== undefined) reasons.push(`what ${use} comes to cannot be said: ${why}`);
  return reasons;
}
