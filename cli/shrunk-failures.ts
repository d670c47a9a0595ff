/**
 * After a sweep: the first failure of each signature, shrunk.
 *
 * I1: which failures are shrunk, and to what, depends on the outcome of the sweep alone, not on the number of workers.
 */
import { datasetNeeds } from '../scenarios/live.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { decodeReplayable } from './capsule.ts';
import type { CommandCall } from './command.ts';
import { DatasetStore } from './datasets.ts';
import { packageVersion, readText, write } from './files.ts';
import { type Life, liveOnce } from './life.ts';
import { PlanLives } from './plan-lives.ts';
import { DEFAULT_SHRINK_EVENTS, runShrinking } from './shrink-run.ts';
import type { SweepFailure, SweepOutcome } from './sweep-run.ts';
import { threadPool } from './workers.ts';

/** Signatures shrunk after one sweep; more than these are rarely different bugs. */
const SHRUNK_MAX = 5;

export async function withShrunk(call: CommandCall, outcome: SweepOutcome): Promise<SweepOutcome> {
  const { options, terminal, parts } = call;
  const chosen = firstOfEach(outcome.failures);
  if (options.unshrunk === true || chosen.size === 0) return outcome;
  const progress = terminal.progress('plans of smaller failures', 0);
  const datasets = new DatasetStore();
  const livePlan = async (plan: SimulationPlan): Promise<Life> => {
    await datasets.prepare(datasetNeeds(plan));
    return liveOnce(plan, { loadDataset: datasets.load, keepHistory: false, relive: true }, parts?.livePlan);
  };
  const lives = new PlanLives({
    workers: options.workers ?? terminal.parallelism,
    pool: parts?.pool ?? threadPool(),
    livePlan: parts?.livePlan,
    onLife: (count) => progress.update(count, ''),
    onNote: (note) => terminal.err(note),
  });
  const failures: SweepFailure[] = [];
  try {
    for (const failure of outcome.failures) {
      if (!chosen.has(failure)) {
        failures.push(failure);
        continue;
      }
      const { signature, capsule } = failure;
      const { plan } = decodeReplayable(capsule, readText(capsule));
      const engineVersion = packageVersion();
      const small = await runShrinking({
        plan,
        signature,
        maxEvents: DEFAULT_SHRINK_EVENTS,
        lives,
        engineVersion,
        livePlan,
      });
      const shrunk = `${capsule.replace(/\.json$/, '')}.shrunk.json`;
      write(shrunk, `${JSON.stringify(small, null, 2)}\n`);
      failures.push({ ...failure, shrunk });
    }
  } finally {
    progress.stop();
    await lives.close();
  }
  return { ...outcome, failures };
}

/** Inconclusive lives hit a limit: there is no failure to be kept. */
function firstOfEach(failures: readonly SweepFailure[]): ReadonlySet<SweepFailure> {
  const first = new Map<string, SweepFailure>();
  for (const failure of failures) {
    if (failure.verdict === 'inconclusive' || first.size >= SHRUNK_MAX || failure.capsule === '') continue;
    if (!first.has(failure.signature)) first.set(failure.signature, failure);
  }
  return new Set(first.values());
}
