/**
 * Whom a checkpoint triggers, waits for and notifies when some subtasks have finished (row C21; Flink: DefaultCheckpointPlanCalculator).
 * Pure.
 *
 * I1: every subtask that has not finished is waited for, and told of the completion;
 * I2: triggered are exactly those of them that no barrier will reach: none of their producers runs any more;
 * I3: who had finished is noted; its mark goes into the checkpoint in place of state.
 */
import type { JobEdge, JobGraph } from '../job/job-graph.ts';
import { feedsSubtask } from '../job/pointwise.ts';
import type { EngineParts } from '../parts.ts';
import type { SubtaskOfAttempt } from './pending-checkpoint.ts';

/** A subtask of the running job, as far as checkpoints care. */
export interface CheckpointedSubtask extends SubtaskOfAttempt {
  readonly isSource: boolean;
  readonly isRunning: boolean;
  readonly isFinished: boolean;
}

export interface CheckpointPlan {
  readonly trigger: readonly CheckpointedSubtask[];
  readonly waitFor: readonly CheckpointedSubtask[];
  readonly finished: readonly CheckpointedSubtask[];
}

/** Undefined when some subtask neither runs nor has finished, or all have: there is nothing to checkpoint (row C4). */
export function planCheckpoint(
  graph: Pick<JobGraph, 'edges'>,
  subtasks: readonly CheckpointedSubtask[],
  { triggered, mayTrigger }: Pick<EngineParts, 'triggered' | 'mayTrigger'>,
): CheckpointPlan | undefined {
  const finished = subtasks.filter(({ isFinished }) => isFinished);
  const waitFor = subtasks.filter(({ isFinished }) => !isFinished);
  if (waitFor.length === 0 || !mayTrigger(subtasks)) return undefined;
  if (finished.length === 0 || triggered === 'sources') {
    return { trigger: waitFor.filter(({ isSource }) => isSource), waitFor, finished };
  }
  const trigger = waitFor.filter(
    (subtask) => !graph.edges.some((edge) => hasRunningProducer(edge, subtask, { subtasks, running: waitFor })),
  );
  return { trigger, waitFor, finished };
}

function hasRunningProducer(
  edge: JobEdge,
  consumer: SubtaskOfAttempt,
  { subtasks, running }: Readonly<Record<'subtasks' | 'running', readonly CheckpointedSubtask[]>>,
): boolean {
  if (edge.to !== consumer.vertex) return false;
  const width = (index: number): number => subtasks.filter(({ vertex }) => vertex === index).length;
  const widths = () => ({ producers: width(edge.from), consumers: width(edge.to) });
  return running.some(
    (producer) => producer.vertex === edge.from && feedsSubtask(edge, producer.subtask, consumer.subtask, widths),
  );
}
