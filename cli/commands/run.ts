/** `tidemark run`: one life of a scenario. */
import { compile } from '../../scenarios/compile.ts';
import { planHash } from '../../scenarios/plan-hash.ts';
import type { CommandCall } from '../command.ts';
import type { ExitCode } from '../exit-codes.ts';
import { readScenario } from '../scenario-source.ts';
import { shellWord } from '../terminal.ts';
import { livePlanOnce } from '../single-life.ts';

const DEFAULT_SEED = '1';

export async function run(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const named = readScenario(operands[0] ?? '');
  const { scenario } = named;
  const seed = options.seed ?? scenario.seed ?? DEFAULT_SEED;
  const plan = compile(scenario, seed);
  const say = options.json === true ? terminal.err : terminal.out;
  say(`scenario ${scenario.name} (${named.file})`);
  say(`seed ${seed}`);
  say(`plan ${planHash(plan)}`);
  const again = `${terminal.invocation} run ${shellWord(named.asked)} --seed ${shellWord(seed)}`;
  return (await livePlanOnce(call, { plan, again })).code;
}
