/**
 * The plan of every bug, lived against the present engine.
 *
 * Owns: what a life says of the bug it is of. Does not own: what is done about it (commands), decoding (bug-base.ts).
 * I1: outcomes are a function of plans and engine, and come in the order of the bugs.
 */
import type { BugOutcome, BugRun } from '../../scenarios/bugs/bug-record.ts';
import { isFinding } from '../../sim/judges/verdict.ts';
import { type ExitCode, EXIT, exitCodeOf, gravest } from '../exit-codes.ts';
import { packageVersion } from '../files.ts';
import { Interrupted } from '../interruption.ts';
import type { LifeResult } from '../life-pool.ts';
import type { PlanLives } from '../plan-lives.ts';
import { type Bug, signatureOf } from './bug-base.ts';

export interface BugLife {
  readonly bug: Bug;
  readonly outcome: BugOutcome;
  /** `judge/anomaly` of this life; empty when it passed. */
  readonly signature: string;
  readonly digest: string;
  /** What the judges found, or why it could not be lived; of a life that passed, which faults did nothing. */
  readonly message: string;
  readonly exitCode: ExitCode;
}

/** Of work that was interrupted those that were lived. */
export async function liveBugs(bugs: readonly Bug[], lives: PlanLives): Promise<readonly BugLife[]> {
  const results = await Promise.all(bugs.map(async ({ plan }) => await unlessInterrupted(lives.result({ plan }))));
  return results.flatMap((result, index) => {
    const bug = bugs[index];
    return bug === undefined || result === undefined ? [] : [{ bug, ...verdictOn(bug, result) }];
  });
}

async function unlessInterrupted(result: Promise<LifeResult>): Promise<LifeResult | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Interrupted) return undefined;
    throw error;
  }
}

/** What goes into the bug's history. */
export const runOf = ({ outcome, signature, digest }: BugLife): BugRun => ({
  engineVersion: packageVersion(),
  outcome,
  signature,
  digest,
});

export const exitCodeOfBugs = (lives: readonly BugLife[], broken: number): ExitCode =>
  gravest([...lives.map(({ exitCode }) => exitCode), ...(broken > 0 ? [EXIT.usage] : [])]);

function verdictOn(bug: Bug, result: LifeResult): Omit<BugLife, 'bug'> {
  if (result.kind === 'infrastructure') {
    const [message = ''] = result.message.split('\n');
    return { outcome: 'not-lived', signature: '', digest: '', message, exitCode: EXIT.internal };
  }
  const { judgement, record } = result.life;
  const { verdict, signature } = judgement;
  const findings = record.verdicts.filter(isFinding).map(({ message }) => message);
  const idle = record.faultRecords.filter(({ effective }) => !effective);
  const message =
    verdict !== 'passed'
      ? findings.join('; ')
      : idle
          .map(({ id, startedAtUs }) => `${id} ${startedAtUs < 0 ? 'was not reached' : 'changed nothing'}`)
          .join(', ');
  return {
    outcome: outcomeOf(bug, verdict, signature),
    signature,
    digest: record.digest,
    message,
    exitCode: exitCodeOf(verdict),
  };
}

function outcomeOf(bug: Bug, verdict: string, signature: string): BugOutcome {
  if (verdict === 'passed') return 'gone';
  if (verdict === 'inconclusive') return 'inconclusive';
  return signature === signatureOf(bug) ? 'reproduces' : 'fails-otherwise';
}
