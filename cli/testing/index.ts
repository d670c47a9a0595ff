/**
 * `import ... from 'tidemark/testing'`: the same lives and judges in somebody's own vitest or fast-check suite.
 *
 *     await expectExactlyOnce(myJob, { input: rows, seeds: 500 });
 *
 * For more: `faultPlan(scenario)`, `scenario({ job, records })` and `job()` are fast-check arbitraries, `liveTest(plan, world)` lives a plan, and
 * `expect.extend(matchers)` adds `toBeExactlyOnce()` and `toMakeProgress()`, whose messages have the shrunk plan and a capsule to replay.
 */
export { JobError } from './job-error.ts';
export type { ExactlyOnceOptions } from './exactly-once-options.ts';
export { expectExactlyOnce, type ExactlyOnceResult } from './expect-exactly-once.ts';
export type { FaultedPlan } from './fault-kinds.ts';
export { faultPlan, type FaultPlanOptions } from './fault-plans.ts';
export { type MatcherResult, matchers } from './matchers.ts';
export {
  job,
  randomJob,
  type RandomRecord,
  randomRows,
  type RandomStep,
  type RandomTopology,
  topology,
} from './random-jobs.ts';
export { compileOnRows, type InputRow, ROWS, rowsDataset } from './rows.ts';
export { scenario, type ScenarioOptions } from './scenarios.ts';
export { stormScenario, type StormOptions } from './storm.ts';
export { liveTest, readPlan, shrunkLife, type TestLife, type TestWorld } from './test-life.ts';
