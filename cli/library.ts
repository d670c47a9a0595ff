/**
 * `import ... from 'tidemark'`: the public face. A few names, for three tasks.
 *
 * 1. Write a job: `StreamExecutionEnvironment`, `Types`, state descriptors, functions in Flink's vocabulary.
 * 2. Live it: `parseScenario` or a plan of your own, `compile(scenario, seed)`, `live(plan, { loadDataset, jobs })`.
 * 3. Judge it: the `RunRecord` has verdicts and figures; `judgement` says whether the scenario's expectation held.
 *
 *     const parsed = parseScenario({ text, file: 'my.yaml', jobs: [myJob] });
 *     if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
 *     const plan = compile(parsed.scenario, 'any seed');
 *     const record = live(plan, { loadDataset, jobs: [myJob] });
 *     expect(judgement(plan.expect, record).verdict).toBe('passed');
 *
 * With `live(plan, { subtasks: true, ... })` the record has each subtask's part in each checkpoint, and `statisticsDocument` tells it
 * in the shapes of Flink's REST messages. `swarmChoices(scenario, seed)` says what a seed drew.
 *
 * A plan or capsule file from the command line is read by `decodePlan`. `loadDatasets` loads shipped data sets and files.
 */
import { datasetNeeds } from '../scenarios/live.ts';
import type { Dataset } from '../sim/judges/job-audit.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { DatasetStore } from './datasets.ts';

export {
  type Collector,
  type ElementContext,
  type FunctionSpec,
  type JobGraph,
  type KeyedCoProcessFunction,
  type KeyedProcessFunction,
  listState,
  mapState,
  reducingState,
  type RuntimeContext,
  type StateDescriptor,
  type StateKey,
  StreamExecutionEnvironment,
  Types,
  valueState,
} from '../engine/index.ts';
export {
  type BuiltJob,
  compile,
  decodePlan,
  encodePlan,
  type FileProblem,
  formatProblem,
  JOB_CATALOG,
  type JobDefinition,
  type JobInput,
  parseScenario,
  planHash,
  type Scenario,
  scenarioJsonSchema,
  type SwarmChoice,
  swarmChoices,
} from '../scenarios/index.ts';
export { type Judgement, judgement } from '../scenarios/expectation.ts';
export { type DatasetLoader, live, type LiveOptions } from '../scenarios/live.ts';
export type { Fault } from '../sim/faults/fault.ts';
export type { HistoryEvent } from '../sim/history/history-event.ts';
export type { Dataset, JobAudit } from '../sim/judges/job-audit.ts';
export type { RunVerdict, Verdict } from '../sim/judges/verdict.ts';
export type { SimulationPlan } from '../sim/plan.ts';
export type { CheckpointRecord, RunRecord } from '../sim/run-record.ts';
export type { CheckpointStatisticsDocument } from '../sim/statistics/rest-messages.ts';
export { statisticsDocument, type StatisticsInput } from '../sim/statistics/statistics-document.ts';
export { traceLine } from '../reports/index.ts';

/** Loads what a plan reads, so that `live`, which is synchronous, finds it. */
export async function loadDatasets(plan: Pick<SimulationPlan, 'topics'>): Promise<(name: string) => Dataset> {
  const store = new DatasetStore();
  await store.prepare(datasetNeeds(plan));
  return store.load;
}
