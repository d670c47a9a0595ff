/**
 * Which subtasks a failure restarts (row F1; Flink: FailoverStrategy, RestartPipelinedRegionFailoverStrategy,
 * RestartAllFailoverStrategy). Pure.
 *
 * `region`: the regions of the failed subtasks, with all consumers. Flink adds the regions that produce partitions which are gone, and
 * walks on to consumers over blocking edges; over pipelined ones both lie in the region (pipelined-regions.ts).
 * `approximate`: the failed subtasks and everything behind them; no producer that runs is restarted for its consumers' sake (FLIP-135).
 */
import type { FailoverStrategyName } from '../protocol/configuration.ts';
import type { ExecutionVertexId, PipelinedRegions } from './pipelined-regions.ts';

/** By vertex, then by subtask. */
export function tasksToRestart(
  strategy: FailoverStrategyName,
  regions: PipelinedRegions,
  failed: readonly ExecutionVertexId[],
): readonly ExecutionVertexId[] {
  const affected = new Set(failed.map((subtask) => regions.regionOf(subtask)));
  // A set hands out what is added while it is walked.
  for (const region of affected) for (const consumer of regions.consumersOf(region)) affected.add(consumer);
  const tasks: ExecutionVertexId[] = [];
  for (let region = 0; region < regions.count; region += 1) {
    if (strategy === 'full' || affected.has(region)) tasks.push(...regions.members(region));
  }
  return tasks.sort((a, b) => a.vertex - b.vertex || a.subtask - b.subtask);
}
