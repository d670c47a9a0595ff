/**
 * What lives of the same job and input share: the job graph, the log's content, and what judges expect of them.
 *
 * Immutable but for the expectation, which is folded once, when the first judge asks. A sweep prepares once per worker.
 */
import type { JobGraph } from '../engine/job/job-graph.ts';
import type { Dataset, JobAudit } from './judges/job-audit.ts';
import type { JobVersions } from './judges/run-history.ts';
import { type JudgedJob, judgedJob } from './judges/judge-bench.ts';
import type { JudgedPartition } from './judges/reference-run.ts';
import type { TopicPlan } from './plan.ts';
import { LogContent, partitionsOf } from './services/log-content.ts';

export interface PreparedJob {
  readonly graph: JobGraph;
  readonly content: LogContent;
  readonly judged: JudgedJob;
  /** Row S24: the versions that somebody may submit, the one that the life begins with among them. Absent: there is no other. */
  readonly versions?: JobVersions;
}

/** Where a source must begin: at what lies there when the job begins. Who asks later than that, and begins later, has lost records. */
function startOf(partition: number, topics: readonly TopicPlan[], content: LogContent): number {
  const topic = topics.find(({ name }) => partitionsOf(topics).get(name)?.includes(partition) === true);
  const isThereFromTheStart = topic !== undefined && content.partitionsAt(topic.name, 0)?.includes(partition) === true;
  return isThereFromTheStart ? content.startOffset(partition, topic.startFrom ?? 'earliest', 0) : 0;
}

export function prepareJob(options: {
  readonly graph: JobGraph;
  readonly audit: JobAudit;
  readonly topics: readonly TopicPlan[];
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly versions?: JobVersions;
}): PreparedJob {
  const { graph, audit, topics, datasets, versions } = options;
  const upgradable = versions === undefined ? {} : { versions };
  const content = new LogContent(topics, datasets);
  const input: JudgedPartition[] = [];
  for (const [topic, partitions] of partitionsOf(topics)) {
    for (const partition of partitions) {
      const offset = startOf(partition, topics, content);
      const { values, timestampsUs, sourceIndices } = content.slice({ partition, offset }, content.lengthOf(partition));
      const records = { values, timestampsUs, sourceIndices };
      const before = content.recordsBefore(partition, offset);
      const recordsBefore = (at: number, sub: number): number => content.recordsBefore(partition, at, sub) - before;
      input.push({ topic, partition, ...records, recordsBefore, bounded: content.isBounded(partition) });
    }
  }
  return { graph, content, judged: { ...judgedJob(graph, audit, input), ...upgradable }, ...upgradable };
}
