/**
 * Smaller worlds: fewer machines, subtasks, partitions, records, and a shorter storm. Faults on what is gone move to what is left.
 *
 * I1: a smaller plan names only nodes that its cluster has.
 * I2: a cluster that has the slots which the job needs keeps so many: a job that cannot begin fails alike, and for no reason of the larger plan's.
 */
import type { Fault } from '../../sim/faults/fault.ts';
import { fitted } from '../../sim/faults/fault-nodes.ts';
import { allNodes } from '../../sim/node-names.ts';
import type { ClusterPlan, SimulationPlan, TopicPlan } from '../../sim/plan.ts';
import { fewestOf } from './delta-debugging.ts';
import type { Search } from './search.ts';
import { leastNumber, shorterLengths, smallerNumbers } from './smaller-numbers.ts';

/** One number of a plan that can be smaller. */
export interface SizeEdit {
  readonly name: string;
  /** Smaller plans, boldest first. */
  candidates(plan: SimulationPlan): SimulationPlan[];
}

export const SIZE_EDITS: readonly SizeEdit[] = [
  { name: 'topics', candidates: (plan) => fewerTopics(plan) },
  {
    name: 'parallelism',
    candidates: (plan) => smallerNumbers(plan.job.parallelism, 1).map((n) => withParallelism(plan, n)),
  },
  { name: 'taskManagers', candidates: (plan) => clusters(plan, 'taskManagers') },
  { name: 'jobManagers', candidates: (plan) => clusters(plan, 'jobManagers') },
  { name: 'slots', candidates: (plan) => clusters(plan, 'slots') },
  {
    name: 'partitions',
    candidates: (plan) =>
      ofTopics(
        plan,
        ({ partitions }) => smallerNumbers(partitions, 1),
        (partitions) => ({ partitions }),
      ),
  },
  {
    name: 'startUs',
    candidates: (plan) =>
      ofTopics(
        plan,
        ({ startUs }) => shorterLengths(startUs),
        (startUs) => ({ startUs }),
      ),
  },
  { name: 'brokers', candidates: (plan) => fewerBrokers(plan) },
  { name: 'clocks', candidates: (plan) => fewerClocks(plan) },
];

/** Records of one topic among which those that matter are sought. */
const ROWS_MAX = 1_000;
/** Of more rows than this, single ones are not left out. */
const ROW_PARTS = 16;

/** Fewer records of each topic, the first ones of the data set: among hundreds of numbers the boundary is sought. */
export function* fewerRecords(plan: SimulationPlan): Search<SimulationPlan | undefined> {
  let smaller = plan;
  for (const [index, { records }] of plan.topics.entries()) {
    const of = (count: number): SimulationPlan => withRecords(smaller, index, count);
    const least = yield* leastNumber(0, records, of);
    if (least < records) smaller = of(least);
  }
  return smaller === plan ? undefined : smaller;
}

/** The records that matter, wherever in the data set they are. */
export function* fewerRows(plan: SimulationPlan): Search<SimulationPlan | undefined> {
  for (const [index, { records, rows }] of plan.topics.entries()) {
    if (records > ROWS_MAX) continue;
    const all = rows ?? Array.from({ length: records }, (_, row) => row);
    const of = (kept: readonly number[]): SimulationPlan =>
      withTopic(plan, index, { records: kept.length, rows: kept });
    const kept = yield* fewestOf(all, of, ROW_PARTS);
    // The first ones are said more simply.
    if (kept.length < records) return kept.every((row, place) => row === place) ? plain(of(kept), index) : of(kept);
  }
  return undefined;
}

function plain(plan: SimulationPlan, index: number): SimulationPlan {
  return { ...plan, topics: plan.topics.map((topic, at) => (at === index ? withoutRows(topic) : topic)) };
}

function withoutRows({ rows: _, ...topic }: TopicPlan): TopicPlan {
  return topic;
}

/** The storm ends just behind what was found, or earlier. */
export function shorterStorms(plan: SimulationPlan, lastFindingUs: number): SimulationPlan[] {
  const { stormUs } = plan.liveness;
  const behind = Math.ceil((lastFindingUs + 1) / 1_000_000) * 1_000_000;
  const lengths = [...shorterLengths(stormUs, 1_000_000), ...(behind < stormUs ? [behind] : [])];
  return lengths
    .sort((a, b) => a - b)
    .map((length) => ({
      ...plan,
      liveness: { ...plan.liveness, stormUs: length },
      faults: beginningBefore(plan.faults, length),
    }));
}

/** A fault at a time behind the end of the storm could not strike. */
const beginningBefore = (faults: readonly Fault[], stormUs: number): readonly Fault[] =>
  faults.filter(({ trigger }) => !('atUs' in trigger) || trigger.atUs < stormUs);

function clusters(plan: SimulationPlan, size: 'taskManagers' | 'jobManagers' | 'slots'): SimulationPlan[] {
  const needed = slotsNeeded(plan);
  const hadEnough = slotsOf(plan.cluster) >= needed;
  return smallerNumbers(plan.cluster[size], 1)
    .map((count) => ({ ...plan.cluster, [size]: count }))
    .filter((smaller) => !hadEnough || slotsOf(smaller) >= needed)
    .map((smaller) => withCluster(plan, smaller));
}

const slotsOf = ({ taskManagers, slots }: ClusterPlan): number => taskManagers * slots;

const slotsNeeded = ({ job, engine: { scheduler } }: SimulationPlan): number =>
  scheduler.mode === 'adaptive' ? Math.min(job.parallelism, scheduler.minParallelism) : job.parallelism;

function withCluster(plan: SimulationPlan, smaller: ClusterPlan): SimulationPlan {
  const known = allNodes(smaller);
  // A clock is that of a node; what is left of a wrong one on a node that is gone is nothing.
  const { clocks = [], ...rightly } = smaller;
  const wrong = clocks.filter(({ node }) => known.includes(node));
  const cluster = wrong.length === 0 ? rightly : { ...rightly, clocks: wrong };
  const { runtime } = plan.engine;
  return {
    ...plan,
    cluster,
    engine: { ...plan.engine, runtime: { ...runtime, slotsPerTaskManager: cluster.slots } },
    faults: plan.faults.flatMap((fault) => fitted(fault, known) ?? []),
  };
}

/** Triggers at a subtask that is gone wait for the last one. */
function withParallelism(plan: SimulationPlan, parallelism: number): SimulationPlan {
  const faults = plan.faults.map((fault): Fault => {
    const { trigger } = fault;
    if ('atUs' in trigger || trigger.subtask === undefined || trigger.subtask < parallelism) return fault;
    return { ...fault, trigger: { ...trigger, subtask: parallelism - 1 } };
  });
  const topics = plan.topics.map((topic) => ({ ...topic, partitions: Math.max(1, topic.partitions) }));
  return { ...plan, job: { ...plan.job, parallelism }, topics, faults };
}

function fewerTopics(plan: SimulationPlan): SimulationPlan[] {
  if (plan.topics.length < 2) return [];
  return plan.topics.map(({ name }) => ({
    ...plan,
    topics: plan.topics
      .filter((topic) => topic.name !== name)
      .map(({ after, ...topic }) => (after === undefined || after === name ? topic : { ...topic, after })),
  }));
}

function ofTopics(
  plan: SimulationPlan,
  smaller: (topic: TopicPlan) => readonly number[],
  change: (value: number, topic: TopicPlan) => Partial<TopicPlan>,
): SimulationPlan[] {
  return plan.topics.flatMap((topic, index) =>
    smaller(topic).map((value) => withTopic(plan, index, change(value, topic))),
  );
}

function withRecords(plan: SimulationPlan, index: number, records: number): SimulationPlan {
  const rows = plan.topics[index]?.rows?.slice(0, records);
  return withTopic(plan, index, { records, ...(rows === undefined ? {} : { rows }) });
}

const withTopic = (plan: SimulationPlan, index: number, change: Partial<TopicPlan>): SimulationPlan => ({
  ...plan,
  topics: plan.topics.map((other, at) => (at === index ? { ...other, ...change } : other)),
});

/** Without a Kafka-like sink none is needed. */
function fewerBrokers(plan: SimulationPlan): SimulationPlan[] {
  const { brokers = 0 } = plan.cluster;
  return smallerNumbers(brokers, plan.sink?.kind === 'kafka' ? 1 : 0).map((count) => {
    const { brokers: _, ...cluster } = plan.cluster;
    return withCluster(plan, count === 0 ? cluster : { ...cluster, brokers: count });
  });
}

/** Clocks that are right. */
function fewerClocks(plan: SimulationPlan): SimulationPlan[] {
  const { clocks = [], ...cluster } = plan.cluster;
  if (clocks.length === 0) return [];
  const one = clocks.map((wrong) => clocks.filter((other) => other !== wrong)).filter(({ length }) => length > 0);
  return [withCluster(plan, cluster), ...one.map((kept) => withCluster(plan, { ...plan.cluster, clocks: kept }))];
}
