/**
 * `tidemark explain`: what decided a failure.
 *
 * I1: the life that is explained can be lived again: it is the one of the file, or the shrunk capsule that is kept beside it.
 */
import { explanationText } from '../../reports/index.ts';
import { type Explanation, explain as explained } from '../../scenarios/explain/explanation.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { readReplayable, type Replayable } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { checkWritable, write } from '../files.ts';
import { Interrupted } from '../interruption.ts';
import { inPlanSession, type PlanSession } from '../plan-session.ts';
import { knownSmallest, shrunkFileOf, writeShrunk } from '../shrunk-file.ts';
import { shellWord } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const DEFAULT_RUNS = 30;

/** The plan that is explained, and the file that has it; none where nothing can be written beside the input. */
interface Explained {
  readonly plan: SimulationPlan;
  readonly file: string | undefined;
}

export async function explain(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const file = operands[0] ?? '';
  const replayable = readReplayable(file);
  return await inPlanSession(call, 'lives', async (session) => {
    const small = await smallOf(call, { file, replayable, session });
    const explanation = await explanationOf(small, { runs: options.runs ?? DEFAULT_RUNS, session });
    session.progress.stop();
    const text = explanationText(explanation);
    terminal.out(options.json === true ? JSON.stringify({ ...explanation, file: small.file }, null, 2) : text);
    if (options.explanationFile !== undefined) write(options.explanationFile, text);
    const say = options.json === true ? terminal.err : terminal.out;
    if (small.file !== undefined)
      say(`#numbers are events of this life: ${terminal.invocation} replay ${shellWord(small.file)} --until NUMBER`);
    return EXIT.passed;
  });
}

interface Asked {
  readonly file: string;
  readonly replayable: Replayable;
  readonly session: PlanSession;
}

async function smallOf({ options, terminal }: CommandCall, { file, replayable, session }: Asked): Promise<Explained> {
  const { plan, isShrunk } = replayable;
  const { signature } = (await session.livePlan(plan)).judgement;
  if (signature === '') throw new UsageError(`${file}: the plan passes; expected one that fails.`);
  if (isShrunk || options.unshrunk === true) return { plan, file };
  const beside = shrunkFileOf(file);
  const known = knownSmallest(beside, plan);
  // The same version may be another engine by now, where somebody works on it.
  if (known !== undefined && (await session.livePlan(known)).judgement.signature === signature) {
    terminal.err(`${beside} has the smallest plan of this failure: it is explained.`);
    return { plan: known, file: beside };
  }
  const isKept = canKeep(beside, terminal);
  const capsule = await session.shrunk(plan, signature);
  const isWritten = isKept && writeShrunk(beside, capsule);
  if (session.interruption.hasHappened) {
    throw new Interrupted(
      isWritten
        ? `nothing is explained; ${beside} keeps the smallest plan so far, which may not be minimal`
        : 'nothing is explained, and nothing is kept',
    );
  }
  // A smaller one is there (shrunk-file.ts, I1).
  if (isKept && !isWritten) return { plan: readReplayable(beside).plan, file: beside };
  return { plan: capsule.plan, file: isKept ? beside : undefined };
}

async function explanationOf(
  { plan, file }: Explained,
  { runs, session }: { readonly runs: number; readonly session: PlanSession },
): Promise<Explanation> {
  try {
    return await session.lives.answer(explained(plan, { runs }));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const kept = file === undefined ? 'nothing is kept' : `${file} keeps the plan that was being explained`;
    throw new Interrupted(`there is no part of an explanation; ${kept}`);
  }
}

/** The capsule is a by-product: where it cannot be written, the failure is explained all the same. */
function canKeep(file: string, terminal: CommandCall['terminal']): boolean {
  try {
    checkWritable(file, 'file', 'The shrunk capsule is not kept:');
    return true;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(error.message);
    return false;
  }
}
