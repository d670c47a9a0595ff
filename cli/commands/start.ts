/** `tidemark start`: the whole thing in a few seconds. */
import { compile } from '../../scenarios/compile.ts';
import { planHash } from '../../scenarios/plan-hash.ts';
import type { CommandCall } from '../command.ts';
import { type ExitCode, gravest } from '../exit-codes.ts';
import { checkWritable, joinPath } from '../files.ts';
import { writeReport } from '../report-files.ts';
import { readScenario } from '../scenario-source.ts';
import { livePlanOnce } from '../single-life.ts';
import { shellWord } from '../terminal.ts';
import { sweepScenarios } from './sweep.ts';

const DEFAULT_FOLDER = 'out/start';
/** Seeds of the sweep; ends within seconds on two cores. */
const SEEDS = { from: 1, to: 60 };
const FLIGHTS_SEED = '1';

export async function start(call: CommandCall): Promise<ExitCode> {
  const { options, terminal } = call;
  const folder = options.out ?? DEFAULT_FOLDER;
  checkWritable(folder, 'folder', 'The folder of results');
  const swept = joinPath(folder, 'standard');
  const flights = joinPath(folder, 'flight-delays');
  const standard = readScenario('standard');
  const flightDelays = readScenario('flight-delays');
  const sweepOptions = {
    seeds: SEEDS,
    out: swept,
    ...(options.workers === undefined ? {} : { workers: options.workers }),
  };
  const say = (text: string): void => terminal.out(terminal.paint('strong', text));

  say(`1. ${SEEDS.to} lives of a keyed job on real flight data, each with its own faults`);
  const { code, interrupted } = await sweepScenarios({ ...call, options: sweepOptions }, [standard]);
  if (interrupted) return code;
  writeReport({
    folder: swept,
    title: 'standard',
    replayOf: ({ scenario, seed }) => `${terminal.invocation} run ${shellWord(scenario)} --seed ${shellWord(seed)}`,
  });

  say('2. one life of a job on 200,000 flights, three machines lost on the way');
  const plan = compile(flightDelays.scenario, FLIGHTS_SEED);
  terminal.out(`scenario ${plan.scenario}, seed ${plan.seed}: plan ${planHash(plan)}`);
  const again = `${terminal.invocation} run flight-delays --seed ${FLIGHTS_SEED}`;
  const single = await livePlanOnce({ ...call, options: { report: flights } }, { plan, again });

  say('What to look at');
  terminal.out(`  ${swept}/report.html                 all lives, verdicts, checkpoints, faults`);
  terminal.out(`  ${swept}/lives.csv                   one row per life; checkpoints.csv and faults.csv beside it`);
  terminal.out(`  ${flights}/timeline.log         a line per task and completed checkpoint`);
  say('What to type next');
  terminal.out(`  ${terminal.invocation} run standard --seed 7 --trace out/seed-7.trace`);
  terminal.out(`  ${terminal.invocation} sweep standard --seeds 1..10000 --out out/standard`);
  terminal.out(`  ${terminal.invocation} bench overhead --out out/bench`);
  terminal.out(`  ${terminal.invocation} list`);
  return gravest([code, single.code]);
}
