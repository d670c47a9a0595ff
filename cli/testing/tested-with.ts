/**
 * What a life of a test was lived with: its job and its rows, as hashes. A capsule has only the plan, and says nothing of another job or other rows.
 *
 * I1: the hash of a job is that of its operators and of how they hang together, not of their code: a job whose functions were mended is the
 *     same one, so that a capsule can say whether that helped.
 * I2: the hash of the rows is that of those that the plan reads.
 */
import { buildJob } from '../../scenarios/build-job.ts';
import { canonicalJson } from '../../scenarios/canonical-json.ts';
import { datasetNeeds } from '../../scenarios/live.ts';
import { combineDigests } from '../../sim/kernel/digest.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { TestedWith } from '../capsule.ts';
import { ROWS } from './rows.ts';
import type { TestWorld } from './test-life.ts';

export function testedWith(plan: SimulationPlan, { jobs, loadDataset }: TestWorld): TestedWith {
  const { graph } = buildJob(plan, jobs);
  const job = {
    name: graph.name,
    vertices: graph.vertices.map(({ source, operators }) => ({
      source: source?.uid ?? null,
      operators: operators.map(({ uid, kind }) => [uid, kind]),
    })),
    edges: graph.edges.map(({ from, to, input, partitioning, sideOutput = '' }) => [
      from,
      to,
      input,
      partitioning,
      sideOutput,
    ]),
  };
  return { job: combineDigests([canonicalJson(job)]), input: combineDigests([inputText(plan, loadDataset)]) };
}

function inputText(plan: SimulationPlan, loadDataset: TestWorld['loadDataset']): string {
  const needed = datasetNeeds(plan).get(ROWS) ?? 0;
  if (needed === 0) return '';
  const { values, timestampsUs } = loadDataset(ROWS);
  return canonicalJson([values.slice(0, needed), [...timestampsUs.slice(0, needed)]]);
}
