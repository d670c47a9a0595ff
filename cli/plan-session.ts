/**
 * What commands that live many plans have in common: workers that stay warm, data sets, progress on the screen, shrinking.
 *
 * I1: workers and progress end with the work, also when it fails.
 * I2: every one of them hears of an interrupt: shrinking ends with what it has, everything else with `Interrupted`.
 */
import { datasetNeeds } from '../scenarios/live.ts';
import { planHash } from '../scenarios/plan-hash.ts';
import { shrink } from '../scenarios/shrink/shrinker.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { type Capsule, capsuleOf } from './capsule.ts';
import type { CommandCall } from './command.ts';
import { DatasetStore } from './datasets.ts';
import { packageVersion } from './files.ts';
import { Interruption } from './interruption.ts';
import { type Life, liveOnce } from './life.ts';
import { PlanLives } from './plan-lives.ts';
import type { Progress } from './terminal.ts';
import { threadPool } from './workers.ts';

/** About a minute on two cores. */
const DEFAULT_SHRINK_EVENTS = 20_000_000;

export interface PlanSession {
  /** On worker threads. */
  readonly lives: PlanLives;
  /** To be stopped before results are told. */
  readonly progress: Progress;
  readonly interruption: Interruption;
  /** In this thread, and twice when it fails. */
  livePlan(plan: SimulationPlan): Promise<Life>;
  /** The smallest plan that fails with this signature; its note says whether it was interrupted. */
  shrunk(plan: SimulationPlan, signature: string): Promise<Capsule>;
}

/** `title` is what progress counts; `heard`: who listens already. */
export async function inPlanSession<Result>(
  call: CommandCall,
  title: string,
  work: (session: PlanSession) => Promise<Result>,
  heard?: Interruption,
): Promise<Result> {
  const { options, terminal, parts } = call;
  const datasets = new DatasetStore();
  const livePlan = async (plan: SimulationPlan): Promise<Life> => {
    await datasets.prepare(datasetNeeds(plan));
    return liveOnce(plan, { loadDataset: datasets.load, keepHistory: false, relive: true }, parts?.livePlan);
  };
  const progress = terminal.progress(title, 0);
  const interruption = heard ?? new Interruption(terminal);
  const lives = new PlanLives({
    workers: options.workers ?? terminal.parallelism,
    pool: parts?.pool ?? threadPool(),
    livePlan: parts?.livePlan,
    interruption,
    onLife: (count) => progress.update(count, ''),
    onNote: (note) => terminal.err(note),
  });
  const shrunk = async (plan: SimulationPlan, signature: string): Promise<Capsule> => {
    const search = shrink(plan, signature, {
      maxEvents: options.budget ?? DEFAULT_SHRINK_EVENTS,
      isInterrupted: () => interruption.hasHappened,
    });
    const found = await lives.answerUntilInterrupted(search);
    const { plan: small, ended, isMinimal, certificate, events, lives: count } = found;
    const note = {
      from: planHash(plan),
      faultsBefore: plan.faults.length,
      lives: count,
      events,
      ended,
      isMinimal,
      certificate,
    };
    return { ...capsuleOf(small, await livePlan(small), packageVersion()), shrunk: note };
  };
  try {
    return await work({ lives, progress, interruption, livePlan, shrunk });
  } finally {
    if (heard === undefined) interruption.stop();
    progress.stop();
    await lives.close();
  }
}
