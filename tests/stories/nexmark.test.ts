/**
 * Every Nexmark query, in a calm life and in one with crashes: what readers see in the end is the answer of plain loops over the events, which
 * know nothing of the engine (support/nexmark-answers.ts).
 */
import { describe, expect, it } from 'vitest';
import { NEXMARK_QUERIES } from '../../scenarios/jobs/nexmark/nexmark.ts';
import { canonicalJson, nexmarkDataset, type NexmarkRow } from '../../scenarios/index.ts';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';
import { ANSWERS, answerOf, type QueryName, standing } from '../support/nexmark-answers.ts';

const QUERIES = Object.keys(ANSWERS) as QueryName[];
/** Those that see their elements in the order of event time. */
const ORDERED: readonly QueryName[] = ['q4', 'q9', 'q18', 'q19', 'q20'];
function rowsOf(plan: SimulationPlan): readonly NexmarkRow[] {
  const [topic] = plan.topics;
  if (topic === undefined) throw new Error('no topic');
  const { dataset: name, records } = topic;
  const eventsPerSecond = Number(name.slice('nexmark:'.length));
  return nexmarkDataset({ name, seed: 'dataset', records, eventsPerSecond }).values as readonly NexmarkRow[];
}

function planFor(query: QueryName, faults: readonly Fault[]): SimulationPlan {
  const plan = planOf(query === 'q12' ? 'nexmark-processing-time' : 'nexmark', '1');
  return { ...plan, job: { ...plan.job, parameters: { ...plan.job.parameters, query } }, faults };
}

const crash = (node: string, atUs: number): Fault => ({
  kind: 'crash',
  id: `crash-${node}`,
  node: nodeId(node),
  restartAfterUs: 500_000,
  trigger: { atUs },
});
const CRASHES = [
  crash('taskmanager-1', 4_000_000),
  crash('jobmanager-1', 6_500_000),
  crash('taskmanager-3', 8_000_000),
];

const sorted = (values: readonly unknown[]): string[] => values.map((value) => canonicalJson(value)).sort();

describe('Nexmark', () => {
  it('has an answer for every query, and no query without one', () => {
    expect(Object.keys(NEXMARK_QUERIES).sort()).toEqual([...QUERIES].sort());
  });

  it.each(QUERIES.flatMap((query) => [[query, 'calm', []] as const, [query, 'with three crashes', CRASHES] as const]))(
    '%s, %s: what is visible is the answer',
    (query, _how, faults) => {
      expectTheAnswer(query, planFor(query, faults));
    },
  );

  it.each(ORDERED)('%s, with four events in each millisecond: position settles their order', (query) => {
    const plan = planFor(query, CRASHES);
    expectTheAnswer(query, { ...plan, topics: plan.topics.map((topic) => ({ ...topic, dataset: 'nexmark:4000' })) });
  });

  it('refuses a query that there is not', () => {
    const plan = planFor('q0', []);
    const unknown = { ...plan, job: { ...plan.job, parameters: { query: 'q6' } } };
    expect(() => liveIt(unknown)).toThrow(/The parameter query is 'q6'; it must be one of q0, q1/);
  });
});

function expectTheAnswer(query: QueryName, plan: SimulationPlan): void {
  const record = liveIt(plan, { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  for (const fault of record.faultRecords) expect(fault, fault.id).toMatchObject({ effective: true });
  const visible = record.history.flatMap(({ event }) =>
    event.kind === 'transaction-committed' || event.kind === 'output-appended' ? event.values : [],
  );
  const answer = sorted(answerOf(query, rowsOf(plan)));
  expect(answer.length).toBeGreaterThan(0);
  expect(sorted(standing(query, visible))).toEqual(answer);
}
