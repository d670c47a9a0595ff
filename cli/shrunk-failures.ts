/**
 * After a sweep: the first failure of each signature, shrunk, and put into the bug base where there is one.
 *
 * I1: which failures are shrunk, and to what, depends on the outcome of the sweep and on the bug base alone, not on the number of workers.
 */
import { planHash } from '../scenarios/plan-hash.ts';
import { BugBase } from './bugs/bug-base.ts';
import { decodeReplayable } from './capsule.ts';
import type { CommandCall } from './command.ts';
import { packageVersion, readText } from './files.ts';
import type { Interruption } from './interruption.ts';
import { inPlanSession, type PlanSession } from './plan-session.ts';
import { shrunkFileOf, writeShrunk } from './shrunk-file.ts';
import type { SweepFailure, SweepOutcome } from './sweep-run.ts';

/** Signatures shrunk after one sweep; more than these are rarely different bugs. */
const SHRUNK_MAX = 5;

export async function withShrunk(
  call: CommandCall,
  outcome: SweepOutcome,
  interruption: Interruption,
): Promise<SweepOutcome> {
  const { bugs: folder, unshrunk = false } = call.options;
  const base = folder === undefined ? undefined : new BugBase(folder, call.terminal);
  const chosen = firstOfEach(outcome.failures);
  if (chosen.size === 0 || (unshrunk && base === undefined)) return outcome;
  const work = async (session: PlanSession): Promise<SweepOutcome> => {
    const failures: SweepFailure[] = [];
    let shrunk = 0;
    for (const failure of outcome.failures) {
      if (!chosen.has(failure) || interruption.hasHappened) {
        failures.push(failure);
        continue;
      }
      const kept = await keep(failure, { base, session, shrinks: !unshrunk && shrunk < SHRUNK_MAX });
      if (kept.shrunk !== undefined) shrunk += 1;
      failures.push(kept);
    }
    return { ...outcome, failures };
  };
  return await inPlanSession(call, 'plans of smaller failures', work, interruption);
}

interface Keeping {
  readonly base: BugBase | undefined;
  readonly session: PlanSession;
  readonly shrinks: boolean;
}

async function keep(failure: SweepFailure, { base, session, shrinks }: Keeping): Promise<SweepFailure> {
  const { signature, capsule } = failure;
  const { plan } = decodeReplayable(capsule, readText(capsule));
  const known = base?.openBug(signature, plan);
  // It was shrunk when it was new.
  if (known !== undefined) return { ...failure, bug: known.name, isNewBug: false };
  const small = shrinks ? await session.shrunk(plan, signature) : undefined;
  const shrunk = shrunkFileOf(capsule);
  if (small !== undefined) writeShrunk(shrunk, small);
  const kept = small === undefined ? failure : { ...failure, shrunk };
  // What was interrupted is added by a later sweep, smaller.
  if (base === undefined || session.interruption.hasHappened) return kept;
  const life = await session.livePlan(small?.plan ?? plan);
  const bug = base.add({
    plan: small?.plan ?? plan,
    life,
    isMinimal: small?.shrunk?.isMinimal === true,
    firstSeen: {
      scenario: failure.scenario,
      seed: failure.seed,
      engineVersion: packageVersion(),
      planHash: planHash(plan),
      faults: plan.faults.length,
    },
  });
  return { ...kept, bug: bug.name, isNewBug: true };
}

/** Inconclusive lives hit a limit: there is no failure to be kept. */
function firstOfEach(failures: readonly SweepFailure[]): ReadonlySet<SweepFailure> {
  const first = new Map<string, SweepFailure>();
  for (const failure of failures) {
    if (failure.verdict === 'inconclusive' || failure.capsule === '') continue;
    if (!first.has(failure.signature)) first.set(failure.signature, failure);
  }
  return new Set(first.values());
}
