/** `tidemark explain`: what decided a failure. */
import { explanationText } from '../../reports/index.ts';
import { explain as explained } from '../../scenarios/explain/explanation.ts';
import { datasetNeeds } from '../../scenarios/live.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { decodeReplayable } from '../capsule.ts';
import type { CommandCall } from '../command.ts';
import { DatasetStore } from '../datasets.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { packageVersion, readText, write } from '../files.ts';
import { type Life, liveOnce } from '../life.ts';
import { PlanLives } from '../plan-lives.ts';
import { DEFAULT_SHRINK_EVENTS, runShrinking } from '../shrink-run.ts';
import { UsageError } from '../usage-error.ts';
import { threadPool } from '../workers.ts';

const DEFAULT_RUNS = 30;

export async function explain(call: CommandCall): Promise<ExitCode> {
  const { operands, options, terminal } = call;
  const file = operands[0] ?? '';
  const { plan, isShrunk } = decodeReplayable(file, readText(file));
  const datasets = new DatasetStore();
  const livePlan = async (one: SimulationPlan): Promise<Life> => {
    await datasets.prepare(datasetNeeds(one));
    return liveOnce(one, { loadDataset: datasets.load, keepHistory: false, relive: true }, call.parts?.livePlan);
  };
  const { signature } = (await livePlan(plan)).judgement;
  if (signature === '') throw new UsageError(`${file}: the plan passes; expected one that fails.`);
  const progress = terminal.progress('lives', 0);
  const lives = new PlanLives({
    workers: options.workers ?? terminal.parallelism,
    pool: call.parts?.pool ?? threadPool(),
    livePlan: call.parts?.livePlan,
    onLife: (count) => progress.update(count, ''),
    onNote: (note) => terminal.err(note),
  });
  try {
    const isSmall = isShrunk || options.unshrunk === true;
    const maxEvents = options.budget ?? DEFAULT_SHRINK_EVENTS;
    const shrinking = { plan, signature, maxEvents, lives, engineVersion: packageVersion(), livePlan };
    const small = isSmall ? plan : (await runShrinking(shrinking)).plan;
    const explanation = await lives.answer(explained(small, { runs: options.runs ?? DEFAULT_RUNS }));
    progress.stop();
    const text = explanationText(explanation);
    if (options.explanationFile !== undefined) write(options.explanationFile, text);
    terminal.out(options.json === true ? JSON.stringify(explanation, null, 2) : text);
    return EXIT.passed;
  } finally {
    progress.stop();
    await lives.close();
  }
}
