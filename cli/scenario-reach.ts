/**
 * `tidemark mutants --in SCENARIO`: what one scenario alone finds, and how the ones that it does not find escape.
 *
 * Owns: what is measured, and going on with it. Does not own: hunting (mutant-hunt.ts), the tables (reports/scenario-reach.ts).
 */
import { markdownOf, type MutantReach, REACH_MARKS, reachTable } from '../reports/index.ts';
import type { Mutant } from '../scenarios/mutants/mutant.ts';
import type { CommandCall } from './command.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { plainParts } from './figures-table.ts';
import { write } from './files.ts';
import { Interrupted, Interruption, untilInterrupted } from './interruption.ts';
import { markedFile } from './marked-file.ts';
import { keptOf, MeasuredRows } from './measured-rows.ts';
import { MutantHunt } from './mutant-hunt.ts';
import { readScenario } from './scenario-source.ts';

export interface ReachOptions {
  readonly mutants: readonly Mutant[];
  readonly scenario: string;
  /** Most lives of each mutant. */
  readonly seeds: number;
}

export async function reachOf(call: CommandCall, { mutants, scenario: name, seeds }: ReachOptions): Promise<ExitCode> {
  const { options, terminal } = call;
  const { outFile, rowsFile } = options;
  // Before the hunt, which takes a while.
  if (outFile !== undefined) markedFile(outFile, REACH_MARKS, '');
  const { scenario } = readScenario(name);
  const rows = new MeasuredRows<MutantReach>(rowsFile, {
    options: '--in',
    field: 'hunt',
    setup: `--in ${name} --seeds ${seeds}`,
  });
  const found: MutantReach[] = [];
  const progress = terminal.progress('mutants', mutants.length);
  const interruption = new Interruption(terminal);
  let lives = 0;
  const hunt = new MutantHunt({
    seeds,
    elsewhere: [],
    livePlan: call.parts?.livePlan,
    interruption,
    scenarioOf: () => scenario,
    onLife: () => {
      lives += 1;
      progress.update(found.length, `${lives} lives`);
    },
  });
  try {
    await untilInterrupted(async () => {
      for (const { slug, scenario: home } of mutants)
        found.push(await rows.row(slug, async () => ({ slug, home, ...(await hunt.reach(slug, name)) })));
    });
  } finally {
    interruption.stop();
    progress.stop();
    rows.close();
  }
  const table = reachTable(found, name, seeds);
  const interrupted = interruption.hasHappened && found.length < mutants.length;
  if (options.json === true)
    terminal.out(JSON.stringify({ scenario: name, seeds, lives, interrupted, mutants: found }, null, 2));
  else if (outFile === undefined || interrupted) terminal.out(plainParts(table));
  if (interrupted) throw new Interrupted(keptOf(options, found.length, mutants.length));
  if (outFile !== undefined) write(outFile, markedFile(outFile, REACH_MARKS, markdownOf(table)));
  if (outFile !== undefined && options.json !== true) terminal.out(`Table: ${outFile}`);
  return found.every(({ hunt: { find } }) => find !== undefined) ? EXIT.passed : EXIT.violated;
}
