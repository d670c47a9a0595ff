/** `tidemark crashpoints`: a crash at every point of a checkpoint's life. */
import { countOf, crashFigures, type CrashFigures } from '../../reports/index.ts';
import { compile } from '../../scenarios/compile.ts';
import { type Exploration, explore } from '../../scenarios/crashpoints/exploration.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { capsuleOf } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode, gravest } from '../exit-codes.ts';
import { plainTable } from '../figures-table.ts';
import { checkWritable, joinPath, packageVersion } from '../files.ts';
import { Interrupted } from '../interruption.ts';
import { knownVariant } from '../known-variant.ts';
import { inPlanSession, type PlanSession } from '../plan-session.ts';
import { writeCapsule } from '../result-store.ts';
import { readScenario } from '../scenario-source.ts';
import { shellWord } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const DEFAULT_FOLDER = 'out';
/** Capsules written of one exploration: the first case of each signature. */
const CAPSULES_MAX = 10;

export async function crashpoints(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const { shard, double = false } = options;
  if (shard !== undefined && !double)
    throw new UsageError('--shard is of second crashes: expected --double beside it.');
  const { scenario } = readScenario(operands[0] ?? '');
  const plan = { ...compile(scenario, options.seed ?? '1'), variant: knownVariant(options.variant) };
  const folder = options.out ?? DEFAULT_FOLDER;
  checkWritable(folder, 'folder', 'The folder of results');
  const say = options.json === true ? terminal.err : terminal.out;
  say(`scenario ${plan.scenario}, seed ${plan.seed}, without its faults`);
  const startedMs = terminal.wallMs();
  return await inPlanSession(call, 'lives', async (session) => {
    const { interruption } = session;
    const exploration = await session.lives.answerUntilInterrupted(
      explore(plan, {
        double,
        ...(shard === undefined ? {} : { shard }),
        isInterrupted: () => interruption.hasHappened,
      }),
    );
    session.progress.stop();
    if (interruption.hasHappened && exploration.outcomes.length === 0)
      throw new Interrupted('no crash was lived yet; nothing is kept');
    if (exploration.calmSignature !== '') {
      throw new UsageError(
        `${plan.scenario}: the life fails without any fault (${exploration.calmSignature}); expected one that passes. Live it with 'run'.`,
      );
    }
    const figures = crashFigures(exploration);
    const capsules = await keepFailures(exploration, { folder, session });
    const wallMs = terminal.wallMs() - startedMs;
    const interrupted = interruption.hasHappened;
    if (options.json === true) terminal.out(JSON.stringify({ ...figures, capsules, wallMs, interrupted }, null, 2));
    else tell(call, { figures, capsules, wallMs });
    if (interrupted)
      say(
        `Interrupted: these are the ${countOf(figures.cases + figures.secondCases, 'case')} lived until then${capsules.length === 0 ? '' : `, and the capsules of their failures are kept in ${folder}`}.`,
      );
    return gravest([...(figures.failed === 0 ? [] : [EXIT.violated]), ...(interrupted ? [EXIT.inconclusive] : [])]);
  });
}

/** A capsule of the first case of each signature. */
async function keepFailures(
  { outcomes, second }: Exploration,
  { folder, session }: { readonly folder: string; readonly session: PlanSession },
): Promise<string[]> {
  const first = new Map<string, SimulationPlan>();
  for (const { signature, case: one } of [...outcomes, ...second]) {
    if (signature !== '' && !first.has(signature) && first.size < CAPSULES_MAX) first.set(signature, one.plan);
  }
  const capsules: string[] = [];
  for (const plan of first.values()) {
    const life = await session.livePlan(plan);
    capsules.push(joinPath(folder, writeCapsule(folder, capsuleOf(plan, life, packageVersion()))));
  }
  return capsules;
}

function tell(
  { terminal }: CommandCall,
  {
    figures,
    capsules,
    wallMs,
  }: { readonly figures: CrashFigures; readonly capsules: readonly string[]; readonly wallMs: number },
): void {
  const rows = figures.perPoint.map(({ point, places, cases, recoveries, failed }) =>
    [point, places, cases, recoveries, failed].map(String),
  );
  terminal.out(plainTable(['point', 'places', 'cases', 'distinct recoveries', 'failed'], rows));
  const {
    points,
    cases,
    distinctRecoveries,
    secondCases,
    secondCasesOfAll,
    failed,
    coveragePercent,
    checkpoints,
    notPassed,
  } = figures;
  terminal.out(
    `${countOf(points, 'point')} of checkpoint ${checkpoints.join(' and ')}, ${Math.floor(coveragePercent)} % of them crashed at: ${countOf(cases, 'case')}, ${countOf(distinctRecoveries, 'distinct recovery', 'distinct recoveries')}` +
      `${secondCases === 0 ? '' : `, ${secondCases}${secondCases === secondCasesOfAll ? '' : ` of ${secondCasesOfAll}`} second crashes`}, ${failed} failed, ${(wallMs / 1_000).toFixed(1)} s.`,
  );
  if (notPassed.length > 0) terminal.out(`Not passed by this life: ${notPassed.join(', ')}.`);
  for (const { what, signature } of figures.failures.slice(0, CAPSULES_MAX))
    terminal.out(`${terminal.paint('bad', signature)}: ${what}`);
  for (const capsule of capsules) terminal.out(`${terminal.invocation} replay ${shellWord(capsule)}`);
}
