/**
 * `tidemark mutants --shrink`: how long the default strategy of a sweep takes to kill each mutant in its scenario, what is left of the failure
 * when it is shrunk, and how long that takes.
 *
 * Owns: what is timed. Does not own: hunting (strategy-hunt.ts), shrinking (plan-session.ts), the table (reports/smallest-failures.ts), what was
 * measured before (measured-rows.ts).
 *
 * I1: one mutant after the other: nothing else runs while one is timed. Everything but the times is the same for any number of workers.
 */
import { markdownOf, type SmallestFailure, SMALLEST_MARKS, smallestFailures } from '../reports/index.ts';
import type { Mutant } from '../scenarios/mutants/mutant.ts';
import { DEFAULT_STRATEGY } from '../scenarios/strategies/strategy-names.ts';
import type { CommandCall } from './command.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { plainParts } from './figures-table.ts';
import { write } from './files.ts';
import { Interrupted, untilInterrupted } from './interruption.ts';
import { markedFile } from './marked-file.ts';
import { keptOf, MeasuredRows } from './measured-rows.ts';
import { inPlanSession, type PlanSession } from './plan-session.ts';
import { readScenario } from './scenario-source.ts';
import { StrategyHunt } from './strategy-hunt.ts';
import type { Terminal } from './terminal.ts';

/** Some hundred lives; all mutants of the catalog fall within a fiftieth of it. */
const HUNT_EVENTS = 5_000_000;

export async function smallestFailuresOf(call: CommandCall, mutants: readonly Mutant[]): Promise<ExitCode> {
  const { options, terminal } = call;
  const { outFile, rowsFile } = options;
  // Before the hunt, which takes a while.
  if (outFile !== undefined) markedFile(outFile, SMALLEST_MARKS, '');
  const rows = new MeasuredRows<SmallestFailure>(rowsFile, { options: '--shrink', field: 'lives' });
  const workers = options.workers ?? terminal.parallelism;
  const found: SmallestFailure[] = [];
  let interrupted = false;
  try {
    await inPlanSession(call, 'lives', async (session) => {
      await untilInterrupted(async () => {
        for (const mutant of mutants)
          found.push(await rows.row(mutant.slug, async () => await timed(mutant, session, terminal)));
      });
      interrupted = session.interruption.hasHappened;
    });
  } finally {
    rows.close();
  }
  const table = smallestFailures(found, workers);
  if (options.json === true) terminal.out(JSON.stringify({ workers, interrupted, mutants: found }, null, 2));
  else if (outFile === undefined || interrupted) terminal.out(plainParts(table));
  if (interrupted) throw new Interrupted(keptOf(options, found.length, mutants.length));
  if (outFile !== undefined) write(outFile, markedFile(outFile, SMALLEST_MARKS, markdownOf(table)));
  if (outFile !== undefined && options.json !== true) terminal.out(`Table: ${outFile}`);
  return found.every(({ kill }) => kill !== undefined) ? EXIT.passed : EXIT.violated;
}

async function timed(mutant: Mutant, session: PlanSession, terminal: Terminal): Promise<SmallestFailure> {
  const { slug, scenario: name } = mutant;
  const { scenario } = readScenario(name);
  const hunt = new StrategyHunt({ lives: session.lives, budget: HUNT_EVENTS, repeats: 1 });
  const { score, plan, signature } = await hunt.hunt({ slug, scenario, strategy: DEFAULT_STRATEGY });
  const hunted = { slug, scenario: name, lives: score.lives, events: score.events };
  if (plan === undefined || signature === undefined) return hunted;
  const startedMs = terminal.wallMs();
  const { plan: small, shrunk } = await session.shrunk(plan, signature);
  // A row is of work that came to its end.
  session.interruption.check();
  return {
    ...hunted,
    kill: { seed: plan.seed, signature, wallMs: score.wallMsToKill[0] ?? 0, faults: plan.faults.length },
    shrunk: {
      faults: small.faults.length,
      wallMs: terminal.wallMs() - startedMs,
      lives: shrunk?.lives ?? 0,
      events: shrunk?.events ?? 0,
      isMinimal: shrunk?.isMinimal ?? false,
    },
  };
}
