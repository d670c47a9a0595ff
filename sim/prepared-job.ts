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
      const records = content.slice({ partition, offset: 0 }, content.lengthOf(partition));
      input.push({ topic, partition, ...records, bounded: content.isBounded(partition) });
    }
  }
  return { graph, content, judged: { ...judgedJob(graph, audit, input), ...upgradable }, ...upgradable };
}
