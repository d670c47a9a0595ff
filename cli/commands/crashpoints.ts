/** `tidemark crashpoints`: a crash at every point of a checkpoint's life. */
import { crashFigures, type CrashFigures } from '../../reports/index.ts';
import { compile } from '../../scenarios/compile.ts';
import { type Exploration, explore } from '../../scenarios/crashpoints/exploration.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { capsuleOf } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { plainTable } from '../figures-table.ts';
import { joinPath, packageVersion } from '../files.ts';
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
  const plan = {
    ...compile(scenario, options.seed ?? '1'),
    ...(options.variant === undefined ? {} : { variant: options.variant }),
  };
  const say = options.json === true ? terminal.err : terminal.out;
  say(`scenario ${plan.scenario}, seed ${plan.seed}, without its faults`);
  const startedMs = terminal.wallMs();
  return await inPlanSession(call, 'lives', async (session) => {
    const exploration = await session.lives.answer(
      explore(plan, { double, ...(shard === undefined ? {} : { shard }) }),
    );
    session.progress.stop();
    if (exploration.calmSignature !== '') {
      throw new UsageError(
        `${plan.scenario}: the life fails without any fault (${exploration.calmSignature}); expected one that passes. Live it with 'run'.`,
      );
    }
    const figures = crashFigures(exploration);
    const capsules = await keepFailures(call, exploration, session);
    if (options.json === true)
      terminal.out(JSON.stringify({ ...figures, capsules, wallMs: terminal.wallMs() - startedMs }, null, 2));
    else tell(call, { figures, capsules, wallMs: terminal.wallMs() - startedMs });
    return figures.failed === 0 ? EXIT.passed : EXIT.violated;
  });
}

/** A capsule of the first case of each signature. */
async function keepFailures(
  call: CommandCall,
  { outcomes, second }: Exploration,
  session: PlanSession,
): Promise<string[]> {
  const first = new Map<string, SimulationPlan>();
  for (const { signature, case: one } of [...outcomes, ...second]) {
    if (signature !== '' && !first.has(signature) && first.size < CAPSULES_MAX) first.set(signature, one.plan);
  }
  const folder = call.options.out ?? DEFAULT_FOLDER;
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
    `${points} points of checkpoint ${checkpoints.join(' and ')}, ${coveragePercent} % of them crashed at: ${cases} cases, ${distinctRecoveries} distinct recoveries` +
      `${secondCases === 0 ? '' : `, ${secondCases}${secondCases === secondCasesOfAll ? '' : ` of ${secondCasesOfAll}`} second crashes`}, ${failed} failed, ${(wallMs / 1_000).toFixed(1)} s.`,
  );
  if (notPassed.length > 0) terminal.out(`Not passed by this life: ${notPassed.join(', ')}.`);
  for (const { what, signature } of figures.failures.slice(0, CAPSULES_MAX))
    terminal.out(`${terminal.paint('bad', signature)}: ${what}`);
  for (const capsule of capsules) terminal.out(`${terminal.invocation} replay ${shellWord(capsule)}`);
}
