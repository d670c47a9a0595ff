/** `tidemark mutants`: engines with one known bug each, and what finds them. */
import { countOf, MUTANT_MARKS, type MutantFigures, mutantTable } from '../../reports/index.ts';
import { didYouMean } from '../../scenarios/did-you-mean.ts';
import type { Mutant } from '../../scenarios/mutants/mutant.ts';
import { MUTANTS } from '../../scenarios/mutants/mutant-catalog.ts';
import type { Scenario } from '../../scenarios/scenario.ts';
import type { CommandCall } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { plainTable } from '../figures-table.ts';
import { write } from '../files.ts';
import { Interrupted, Interruption, untilInterrupted } from '../interruption.ts';
import { markedFile } from '../marked-file.ts';
import { keptOf } from '../measured-rows.ts';
import { MutantHunt } from '../mutant-hunt.ts';
import { readScenario } from '../scenario-source.ts';
import { reachOf } from '../scenario-reach.ts';
import { scoreboard } from '../scoreboard.ts';
import { smallestFailuresOf } from '../smallest-failures.ts';
import { shellWord } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';

const DEFAULT_SEEDS = 100;
/** Scenarios that tell no mutant's story: how good chance alone is. */
const ELSEWHERE = ['standard', 'swarm'] as const;

export async function mutants(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const chosen = operands.length === 0 ? MUTANTS : operands.map(mutantNamed);
  const { outFile, hunted: seeds = DEFAULT_SEEDS } = options;
  if (outFile !== undefined && operands.length > 0)
    throw new UsageError('--out writes the table of all mutants: name none of them.');
  if (options.strategies !== undefined) return await scoreboard(call, chosen, options.strategies);
  if (options.huntedIn !== undefined)
    return await reachOf(call, { mutants: chosen, scenario: options.huntedIn, seeds });
  if (options.smallest === true) return await smallestFailuresOf(call, chosen);
  // Before the hunt, which takes a while.
  if (outFile !== undefined) markedFile(outFile, MUTANT_MARKS, '');
  const scenarios = new Map<string, Scenario>();
  let lives = 0;
  const progress = terminal.progress('mutants', chosen.length);
  const found: MutantFigures[] = [];
  const interruption = new Interruption(terminal);
  const hunt = new MutantHunt({
    seeds,
    elsewhere: ELSEWHERE,
    livePlan: call.parts?.livePlan,
    interruption,
    scenarioOf: (name) => {
      const scenario = scenarios.get(name) ?? readScenario(name).scenario;
      scenarios.set(name, scenario);
      return scenario;
    },
    onLife: () => {
      lives += 1;
      progress.update(found.length, `${lives} lives`);
    },
  });
  try {
    await untilInterrupted(async () => {
      for (const mutant of chosen) found.push(await hunt.hunt(mutant));
    });
  } finally {
    interruption.stop();
    progress.stop();
  }
  const interrupted = interruption.hasHappened && found.length < chosen.length;
  if (options.json === true) terminal.out(JSON.stringify({ seeds, lives, interrupted, mutants: found }, null, 2));
  else tell(call, { found, seeds, lives });
  if (interrupted) throw new Interrupted(keptOf(options, found.length, chosen.length));
  if (outFile !== undefined) write(outFile, markedFile(outFile, MUTANT_MARKS, mutantTable(found, seeds)));
  if (outFile !== undefined && options.json !== true) terminal.out(`Table: ${outFile}`);
  return found.every(({ own }) => own.find !== undefined) ? EXIT.passed : EXIT.violated;
}

function mutantNamed(slug: string): Mutant {
  const mutant = MUTANTS.find((one) => one.slug === slug);
  if (mutant !== undefined) return mutant;
  const slugs = MUTANTS.map((one) => one.slug);
  const near = didYouMean(slug, slugs);
  const hint = near === undefined ? `expected ${slugs.join(', ')}.` : `did you mean '${near}'?`;
  throw new UsageError(`There is no mutant '${slug}': ${hint}`);
}

function tell(
  { terminal }: CommandCall,
  { found, seeds, lives }: { readonly found: readonly MutantFigures[]; readonly seeds: number; readonly lives: number },
): void {
  const rows = found.map(({ slug, own, elsewhere }) => [
    slug,
    own.scenario,
    own.find?.seed ?? terminal.paint('bad', `not in ${own.lives}`),
    String(own.events),
    own.find?.signature ?? '',
    ...elsewhere.map(({ find, lives: lived }) => find?.seed ?? `not in ${lived}`),
  ]);
  const head = [
    'mutant',
    'scenario',
    'first seed',
    'events',
    'judge/anomaly',
    ...ELSEWHERE.map((name) => `in ${name}`),
  ];
  terminal.out(plainTable(head, rows));
  const missed = found.filter(({ own }) => own.find === undefined);
  terminal.out(
    `${found.length - missed.length} of ${found.length} found within ${countOf(seeds, 'seed')}, ${countOf(lives, 'life', 'lives')}.`,
  );
  const [first] = found.filter(({ own }) => own.find !== undefined);
  if (first?.own.find === undefined) return;
  const { own } = first;
  terminal.out(
    `Live one again: ${terminal.invocation} run ${shellWord(own.scenario)} --seed ${own.find?.seed ?? ''} --variant ${first.slug}`,
  );
}
