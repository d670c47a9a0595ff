/** `tidemark bugs add`: a failure becomes a bug of a base. */
import { planHash } from '../../scenarios/plan-hash.ts';
import { comparePlanSizes } from '../../scenarios/shrink/plan-size.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { BugBase, DEFAULT_BUG_FOLDER } from '../bugs/bug-base.ts';
import { decodeReplayable, type Replayable } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { packageVersion, readText } from '../files.ts';
import type { Life } from '../life.ts';
import { inPlanSession } from '../plan-session.ts';
import { UsageError } from '../usage-error.ts';

/** What became of a failure: a bug of its own, the smaller plan of a known one, or nothing. */
type Addition = { readonly name: string; readonly kind: 'new' | 'smaller' | 'known' };

interface Failure {
  readonly replayable: Replayable;
  readonly plan: SimulationPlan;
  readonly life: Life;
}

export async function bugsAdd(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const [file = '', folder = DEFAULT_BUG_FOLDER] = operands;
  const replayable = decodeReplayable(file, readText(file));
  const base = new BugBase(folder, terminal);
  base.wholeEntries();
  const failure = await inPlanSession(call, 'plans', async ({ livePlan, shrunk }): Promise<Failure> => {
    const life = await livePlan(replayable.plan);
    const { signature, verdict } = life.judgement;
    if (verdict === 'passed' || verdict === 'inconclusive')
      throw new UsageError(`${file}: the plan's life is ${verdict}; expected one that fails.`);
    if (replayable.isShrunk || options.unshrunk === true) return { replayable, plan: replayable.plan, life };
    const { plan } = await shrunk(replayable.plan, signature);
    return { replayable, plan, life: await livePlan(plan) };
  });
  const { name, kind } = added(base, failure);
  const { signature } = failure.life.judgement;
  if (options.json === true) {
    terminal.out(JSON.stringify({ name, kind, signature, plan: base.path(name, 'plan') }, null, 2));
    return EXIT.passed;
  }
  const { length } = failure.plan.faults;
  const faults = length === 1 ? '1 fault' : `${length} faults`;
  if (kind === 'new')
    terminal.out(`${name} is new: ${signature}, ${faults}. Its story waits for you in ${base.path(name, 'story')}.`);
  else if (kind === 'smaller')
    terminal.out(`${signature} is known as ${name}, which has this smaller plan now: ${faults}.`);
  else terminal.out(`${signature} is known as ${name}, whose plan is no larger. Nothing was changed.`);
  return EXIT.passed;
}

function added(base: BugBase, { replayable, plan, life }: Failure): Addition {
  const known = base.openBug(life.judgement.signature, plan);
  if (known !== undefined) {
    if (comparePlanSizes(plan, known.plan) >= 0) return { name: known.name, kind: 'known' };
    base.replacePlan(known, plan);
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
  return { name: base.add({ plan, life, firstSeen }).name, kind: 'new' };
}
