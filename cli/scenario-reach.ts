/**
 * `tidemark mutants --in SCENARIO`: what one scenario alone finds, and how the ones that it does not find escape.
 *
 * Owns: what is measured, and going on with it. Does not own: hunting (mutant-hunt.ts), the tables (reports/scenario-reach.ts).
 */
import { type MutantReach, REACH_MARKS, reachTable } from '../reports/index.ts';
import type { Mutant } from '../scenarios/mutants/mutant.ts';
import type { CommandCall } from './command.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { write } from './files.ts';
import { markedFile } from './marked-file.ts';
import { MeasuredRows } from './measured-rows.ts';
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
  let lives = 0;
  const hunt = new MutantHunt({
    seeds,
    elsewhere: [],
    livePlan: call.parts?.livePlan,
    scenarioOf: () => scenario,
    onLife: () => {
      lives += 1;
      progress.update(found.length, `${lives} lives`);
    },
  });
  try {
    for (const { slug, scenario: home } of mutants)
      found.push(await rows.row(slug, async () => ({ slug, home, ...(await hunt.reach(slug, name)) })));
  } finally {
    progress.stop();
    rows.close();
  }
  const text = reachTable(found, name, seeds);
  if (outFile !== undefined) write(outFile, markedFile(outFile, REACH_MARKS, text));
  if (options.json === true) terminal.out(JSON.stringify({ scenario: name, seeds, lives, mutants: found }, null, 2));
  else terminal.out(outFile === undefined ? text : `Table: ${outFile}`);
  return found.every(({ hunt: { find } }) => find !== undefined) ? EXIT.passed : EXIT.violated;
}
