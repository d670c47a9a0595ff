/** `tidemark bugs add`: a failure becomes a bug of a base. */
import { countOf } from '../../reports/index.ts';
import { planHash } from '../../scenarios/plan-hash.ts';
import { comparePlanSizes } from '../../scenarios/shrink/plan-size.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { BugBase, DEFAULT_BUG_FOLDER } from '../bugs/bug-base.ts';
import { readReplayable, type Replayable } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { checkWritable, packageVersion } from '../files.ts';
import { Interrupted } from '../interruption.ts';
import type { Life } from '../life.ts';
import { inPlanSession, type PlanSession } from '../plan-session.ts';
import { endText } from '../shrink-end.ts';
import { shellWord } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

/** What became of a failure: a bug of its own, the smaller plan of a known one, or nothing. */
type Addition = { readonly name: string; readonly kind: 'new' | 'smaller' | 'known' };

interface Failure {
  readonly replayable: Replayable;
  readonly plan: SimulationPlan;
  readonly life: Life;
  readonly isMinimal: boolean;
  /** Why it is not; for people. */
  readonly why: string;
}

export async function bugsAdd(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const [file = '', folder = DEFAULT_BUG_FOLDER] = operands;
  const replayable = readReplayable(file);
  const base = new BugBase(folder, terminal);
  base.wholeEntries();
  checkWritable(folder, 'folder', 'The bug base');
  const failure = await inPlanSession(call, 'plans', async (session) => await failureOf(call, replayable, session));
  const { name, kind } = added(base, failure);
  const { signature } = failure.life.judgement;
  const { isMinimal } = failure;
  if (options.json === true) {
    terminal.out(JSON.stringify({ name, kind, signature, isMinimal, plan: base.path(name, 'plan') }, null, 2));
    return EXIT.passed;
  }
  const faults = countOf(failure.plan.faults.length, 'fault');
  if (kind === 'new')
    terminal.out(`${name} is new: ${signature}, ${faults}. Its story waits for you in ${base.path(name, 'story')}.`);
  else if (kind === 'smaller')
    terminal.out(`${signature} is known as ${name}, which has this smaller plan now: ${faults}.`);
  else terminal.out(`${signature} is known as ${name}, whose plan is no larger. Nothing was changed.`);
  if (kind !== 'known' && !isMinimal)
    terminal.out(
      `Its plan is not proven minimal: ${failure.why} A smaller one replaces it: ${terminal.invocation} bugs add ${shellWord(base.path(name, 'plan'))} ${shellWord(folder)} --events N`,
    );
  return EXIT.passed;
}

async function failureOf(
  { operands, options }: CommandCall,
  replayable: Replayable,
  { livePlan, shrunk, interruption }: PlanSession,
): Promise<Failure> {
  const life = await livePlan(replayable.plan);
  const { signature, verdict } = life.judgement;
  if (verdict === 'passed' || verdict === 'inconclusive')
    throw new UsageError(`${operands[0]}: the plan's life is ${verdict}; expected one that fails.`);
  const { plan, isShrunk, isMinimal } = replayable;
  if (isShrunk || options.unshrunk === true)
    return {
      replayable,
      plan,
      life,
      isMinimal,
      why: isShrunk ? 'shrinking ended before that.' : 'it was not shrunk (--unshrunk).',
    };
  const small = await shrunk(plan, signature);
  if (interruption.hasHappened) throw new Interrupted("nothing is added; 'shrink' keeps what it has when interrupted");
  return {
    replayable,
    plan: small.plan,
    life: await livePlan(small.plan),
    isMinimal: small.shrunk?.isMinimal === true,
    why: endText(small.shrunk?.ended ?? 'minimal'),
  };
}

function added(base: BugBase, { replayable, plan, life, isMinimal }: Failure): Addition {
  const known = base.openBug(life.judgement.signature, plan);
  if (known !== undefined) {
    if (comparePlanSizes(plan, known.plan) >= 0) return { name: known.name, kind: 'known' };
    base.replacePlan(known, { plan, isMinimal });
    return { name: known.name, kind: 'smaller' };
  }
  const { plan: first, from } = replayable;
  const firstSeen = {
    scenario: first.scenario,
    seed: first.seed,
    engineVersion: packageVersion(),
    planHash: from?.planHash ?? planHash(first),
    faults: from?.faults ?? first.faults.length,
  };
  return { name: base.add({ plan, life, firstSeen, isMinimal }).name, kind: 'new' };
}
