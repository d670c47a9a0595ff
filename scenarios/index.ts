/**
 * The door of the room: a scenario file becomes a `Scenario`, a scenario and a seed become a plan, a plan names its job.
 */
export type { BuiltJob, JobDefinition, JobInput, JobParameter, JobTopic } from './jobs/job-definition.ts';
export { buildJob, planTopics } from './build-job.ts';
export { canonicalJson } from './canonical-json.ts';
export { type CatalogEntry, catalogPath, SCENARIO_CATALOG } from './catalog.ts';
export { FLINK_SCENARIOS, type FlinkScenario } from './flink-catalog.ts';
export { compile } from './compile.ts';
export {
  type DatasetName,
  type DatasetSpec,
  formatDatasetName,
  parseDatasetName,
  SHIPPED_DATASETS,
} from './datasets/dataset-name.ts';
export { generatedDataset } from './datasets/generated-dataset.ts';
export { type Auction, type Bid, nexmarkDataset, type NexmarkRow, type Person } from './datasets/nexmark-dataset.ts';
export { JOB_CATALOG, jobNamed } from './job-catalog.ts';
export { type Judgement, judgement } from './expectation.ts';
export { type DatasetLoader, datasetNeeds, live, type LiveOptions } from './live.ts';
export { MUTANTS, partsOf, STANDARD_VARIANT } from './mutants/mutant-catalog.ts';
export { type ParsedScenario, parseScenario } from './parse.ts';
export { type DecodedPlan, decodePlan, encodePlan } from './plan-file.ts';
export { planHash } from './plan-hash.ts';
export { type FileProblem, formatProblem } from './problem.ts';
export type { Scenario } from './scenario.ts';
export { scenarioJsonSchema } from './schema.ts';
export { type SwarmChoice, swarmChoices, swarmText } from './swarm.ts';
