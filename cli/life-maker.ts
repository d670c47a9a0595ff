/**
 * What becomes of a job: its plan compiled, lived and judged; what came of it, small enough to be sent from a worker thread.
 *
 * Called by worker threads (life-worker.ts), and by whoever lives in his own. I1: whatever goes wrong is an answer; it says nothing of the plan.
 */
import { compile } from '../scenarios/compile.ts';
import { recoveryHash } from '../scenarios/crashpoints/recovery.ts';
import { datasetNeeds } from '../scenarios/live.ts';
import { sightOf } from '../scenarios/strategies/sight.ts';
import { DatasetStore } from './datasets.ts';
import { liveOnce } from './life.ts';
import type { LifeJob, LifePoolOptions, LifeResult } from './life-pool.ts';

/** Lives jobs of these scenarios one after the other. */
export function lifeMaker({
  scenarios,
  subtasks,
}: Pick<LifePoolOptions, 'scenarios' | 'subtasks'>): (job: LifeJob) => Promise<LifeResult> {
  const datasets = new DatasetStore();
  return async (job) => {
    try {
      const scenario = scenarios[job.scenario];
      const plan = job.plan ?? (scenario === undefined ? undefined : compile(scenario, job.seed));
      if (plan === undefined) return { kind: 'infrastructure', message: `There is no scenario ${job.scenario}` };
      await datasets.prepare(datasetNeeds(plan));
      const relive = job.plan === undefined || job.relive === true;
      const wantsRecovery = job.wantsRecovery === true;
      const keepHistory = wantsRecovery || job.gaze !== undefined;
      const life = liveOnce(plan, {
        loadDataset: datasets.load,
        keepHistory,
        subtasks,
        relive,
        branch: job.branch,
      });
      const slim = { ...life, record: { ...life.record, history: [] } };
      return {
        kind: 'life',
        life: slim,
        ...(life.judgement.verdict === 'passed' ? {} : { plan }),
        ...(wantsRecovery ? { recovery: recoveryHash(life.record.history) } : {}),
        ...(job.gaze === undefined ? {} : { sight: sightOf(job.gaze, life.record) }),
      };
    } catch (error) {
      return {
        kind: 'infrastructure',
        message: error instanceof Error ? (error.stack ?? error.message) : String(error),
      };
    }
  };
}
