/** `tidemark run`: one life of a scenario. */
import { compile } from '../../scenarios/compile.ts';
import { planHash } from '../../scenarios/plan-hash.ts';
import { retentionTrap } from '../../scenarios/retention-trap.ts';
import { timeoutTrap } from '../../scenarios/timeout-trap.ts';
import { swarmChoices, swarmText } from '../../scenarios/swarm.ts';
import type { CommandCall } from '../command.ts';
import type { ExitCode } from '../exit-codes.ts';
import { knownVariant } from '../known-variant.ts';
import { readScenario } from '../scenario-source.ts';
import { shellWord } from '../terminal.ts';
import { livePlanOnce } from '../single-life.ts';

const DEFAULT_SEED = '1';

export async function run(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const named = readScenario(operands[0] ?? '');
  const { scenario } = named;
  const seed = options.seed ?? scenario.seed ?? DEFAULT_SEED;
  const plan = { ...compile(scenario, seed), variant: knownVariant(options.variant) };
  const say = options.json === true ? terminal.err : terminal.out;
  say(`scenario ${scenario.name} (${named.file})`);
  say(`seed ${seed}`);
  say(`plan ${planHash(plan)}`);
  for (const trap of [timeoutTrap(scenario), retentionTrap(scenario)]) if (trap !== undefined) say(`warning: ${trap}`);
  const swarm = swarmChoices(scenario, seed);
  if (swarm.length > 0) say(`swarm ${swarmText(swarm)}`);
  const variant = options.variant === undefined ? '' : ` --variant ${options.variant}`;
  const again = `${terminal.invocation} run ${shellWord(named.asked)} --seed ${shellWord(seed)}${variant}`;
  return (await livePlanOnce(call, { plan, again, swarm })).code;
}
