/**
 * `tidemark mutants --strategy`: mutants by search strategies, all with the same budget of events.
 *
 * I1: hunts go on side by side, each in an order of its own; what is told and written is the same for any number of workers.
 */
import { markdownOf, type MutantScores, SCOREBOARD_MARKS, strategyTable } from '../reports/index.ts';
import type { Mutant } from '../scenarios/mutants/mutant.ts';
import { shrink } from '../scenarios/shrink/shrinker.ts';
import type { StrategyName } from '../scenarios/strategies/strategy-names.ts';
import { untold } from '../scenarios/strategies/untold.ts';
import type { CommandCall } from './command.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { plainParts } from './figures-table.ts';
import { checkWritable, joinPath, write } from './files.ts';
import { Interrupted, Interruption, untilInterrupted } from './interruption.ts';
import { markedFile } from './marked-file.ts';
import { keptOf, MeasuredRows } from './measured-rows.ts';
import { PlanLives } from './plan-lives.ts';
import { readScenario } from './scenario-source.ts';
import { type HuntOutcome, StrategyHunt } from './strategy-hunt.ts';
import { writeUnlived } from './result-store.ts';
import { shellWord } from './terminal.ts';
import { threadPool } from './workers.ts';

/** About 40 lives. */
const DEFAULT_BUDGET = 250_000;
const DEFAULT_REPEATS = 3;
/** Whose faults strike where no story is told. */
const STORM = 'standard';
/** Events for shrinking one kill: its number of faults is what is told, and that pass comes first. */
const SHRINK_EVENTS = 150_000;
/** Where the plan of each kill goes, beside the capsules of a sweep that names no other folder. */
const PLANS_FOLDER = 'out';

export async function scoreboard(
  call: CommandCall,
  mutants: readonly Mutant[],
  strategies: readonly StrategyName[],
): Promise<ExitCode> {
  const { options, terminal, parts } = call;
  const {
    outFile,
    rowsFile,
    faultsOf = STORM,
    huntBudget: budget = DEFAULT_BUDGET,
    repeats = DEFAULT_REPEATS,
    wall = false,
  } = options;
  // Before the hunt, which takes a while.
  if (outFile !== undefined) markedFile(outFile, SCOREBOARD_MARKS, '');
  checkWritable(PLANS_FOLDER, 'folder', 'The folder of plans');
  const workers = options.workers ?? terminal.parallelism;
  const storm = readScenario(faultsOf).scenario;
  const rows = new MeasuredRows<MutantScores>(rowsFile, {
    options: '--strategy',
    field: 'scores',
    setup: `--strategy ${strategies.join(',')} --events ${budget} --repeats ${repeats} --faults ${faultsOf}`,
  });
  const progress = terminal.progress('mutants', mutants.length);
  const interruption = new Interruption(terminal);
  let done = 0;
  const lives = new PlanLives({
    workers,
    pool: parts?.pool ?? threadPool(),
    livePlan: parts?.livePlan,
    interruption,
    onLife: (count) => progress.update(done, `${count} lives`),
    onNote: (note) => terminal.err(note),
  });
  const hunt = new StrategyHunt({ lives, budget, repeats });
  const board = new Map<number, MutantScores>();
  const hunted = async ({ slug, scenario: name }: Mutant): Promise<MutantScores> => {
    const scenario = untold(readScenario(name).scenario, storm);
    const outcomes: HuntOutcome[] = [];
    for (const strategy of strategies) outcomes.push(await hunt.hunt({ slug, scenario, strategy }));
    const scores = outcomes.map(({ score }) => score);
    return { slug, scenario: name, scores, ...(await cheapest(outcomes, lives)) };
  };
  const waiting = [...mutants.entries()];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, mutant] = next;
      board.set(index, await rows.row(mutant.slug, async () => await hunted(mutant)));
      done += 1;
      progress.update(done, '');
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, async () => await untilInterrupted(work)));
  } finally {
    interruption.stop();
    progress.stop();
    rows.close();
    await lives.close();
  }
  const scored = [...mutants.keys()].flatMap((index) => board.get(index) ?? []);
  const table = strategyTable(scored, { budget, wall });
  const interrupted = interruption.hasHappened;
  if (options.json === true) terminal.out(JSON.stringify({ budget, repeats, interrupted, mutants: scored }, null, 2));
  else {
    if (outFile === undefined || interrupted) terminal.out(plainParts(table));
    const planFile = scored.find(({ find }) => find?.planFile !== undefined)?.find?.planFile;
    if (planFile !== undefined) terminal.out(`Live one again: ${terminal.invocation} replay ${shellWord(planFile)}`);
  }
  if (interrupted) throw new Interrupted(keptOf(options, scored.length, mutants.length));
  if (outFile !== undefined) write(outFile, markedFile(outFile, SCOREBOARD_MARKS, markdownOf(table)));
  if (outFile !== undefined && options.json !== true) terminal.out(`Table: ${outFile}`);
  return scored.every(({ find }) => find !== undefined) ? EXIT.passed : EXIT.violated;
}

/** What finds the mutant with the fewest events, and how few faults it needs. */
async function cheapest(outcomes: readonly HuntOutcome[], lives: PlanLives): Promise<Pick<MutantScores, 'find'>> {
  let best: HuntOutcome | undefined;
  for (const outcome of outcomes) {
    if (outcome.plan === undefined) continue;
    const [own = Number.POSITIVE_INFINITY] = outcome.score.eventsToKill;
    if (own < (best?.score.eventsToKill[0] ?? Number.POSITIVE_INFINITY)) best = outcome;
  }
  if (best?.plan === undefined || best.signature === undefined) return {};
  const { plan, signature } = best;
  const small = await lives.answer(shrink(plan, signature, { maxEvents: SHRINK_EVENTS }));
  const find = {
    strategy: best.score.strategy,
    signature,
    faults: plan.faults.length,
    faultsShrunk: small.plan.faults.length,
    planFile: joinPath(PLANS_FOLDER, writeUnlived(PLANS_FOLDER, small.plan)),
  };
  return { find };
}
