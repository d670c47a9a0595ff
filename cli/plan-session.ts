/**
 * What commands that live many plans have in common: workers that stay warm, data sets, progress on the screen, shrinking.
 *
 * I1: workers and progress end with the work, also when it fails.
 */
import { datasetNeeds } from '../scenarios/live.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { Capsule } from './capsule.ts';
import type { CommandCall } from './command.ts';
import { DatasetStore } from './datasets.ts';
import { packageVersion } from './files.ts';
import { type Life, liveOnce } from './life.ts';
import { PlanLives } from './plan-lives.ts';
import { DEFAULT_SHRINK_EVENTS, runShrinking } from './shrink-run.ts';
import type { Progress } from './terminal.ts';
import { threadPool } from './workers.ts';

export interface PlanSession {
  /** On worker threads. */
  readonly lives: PlanLives;
  /** To be stopped before results are told. */
  readonly progress: Progress;
  /** In this thread, and twice when it fails. */
  livePlan(plan: SimulationPlan): Promise<Life>;
  /** The smallest plan that fails with this signature. */
  shrunk(plan: SimulationPlan, signature: string): Promise<Capsule>;
}

/** `title` is what progress counts. */
export async function inPlanSession<Result>(
  call: CommandCall,
  title: string,
  work: (session: PlanSession) => Promise<Result>,
): Promise<Result> {
  const { options, terminal, parts } = call;
  const datasets = new DatasetStore();
  const livePlan = async (plan: SimulationPlan): Promise<Life> => {
    await datasets.prepare(datasetNeeds(plan));
    return liveOnce(plan, { loadDataset: datasets.load, keepHistory: false, relive: true }, parts?.livePlan);
  };
  const progress = terminal.progress(title, 0);
  const lives = new PlanLives({
    workers: options.workers ?? terminal.parallelism,
    pool: parts?.pool ?? threadPool(),
    livePlan: parts?.livePlan,
    onLife: (count) => progress.update(count, ''),
    onNote: (note) => terminal.err(note),
  });
  const shrinking = {
    maxEvents: options.budget ?? DEFAULT_SHRINK_EVENTS,
    lives,
    engineVersion: packageVersion(),
    livePlan,
  };
  try {
    return await work({
      lives,
      progress,
      livePlan,
      shrunk: (plan, signature) => runShrinking({ ...shrinking, plan, signature }),
    });
  } finally {
    progress.stop();
    await lives.close();
  }
}
