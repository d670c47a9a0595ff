/** A worker thread of a sweep: compiles the plan of each seed, lives it, answers figures and, for failures, the plan. */
import { compile } from '../scenarios/compile.ts';
import { recoveryHash } from '../scenarios/crashpoints/recovery.ts';
import { datasetNeeds } from '../scenarios/live.ts';
import { sightOf } from '../scenarios/strategies/sight.ts';
import { DatasetStore } from './datasets.ts';
import { liveOnce } from './life.ts';
import type { LifeJob, LifeResult } from './life-pool.ts';
import { serveJobs, type WorkerSetup } from './workers.ts';

serveJobs(lifeMaker);

/** Lives jobs of these scenarios one after the other. */
function lifeMaker({ scenarios, subtasks }: WorkerSetup): (job: LifeJob) => Promise<LifeResult> {
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
