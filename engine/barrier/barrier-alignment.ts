/**
 * What the options of a checkpoint mean for its barriers: which overtake, which may later, which edges allow it (rows B8, B10, B11;
 * Flink: CheckpointOptions, StreamEdge.supportsUnalignedCheckpoints). Pure.
 *
 * I1: only the options of this checkpoint decide, never the job's setting (FLINK-18252): a savepoint holds no channel state.
 * I2: an edge may downgrade a barrier to `forced-aligned`; the next task reverts that for its other edges, and what it reverts to is
 *     what the coordinator asked for: aligned with its time-out, or unaligned (FLINK-33693).
 */
import type { JobEdge, JobGraph } from '../job/job-graph.ts';
import type { CheckpointOptions } from '../protocol/checkpoint-options.ts';
import type { CheckpointBarrier } from '../protocol/stream-elements.ts';

/** The barrier jumps ahead of all data (row B5). */
export const overtakes = (options: CheckpointOptions): boolean =>
  options.alignment === 'unaligned' && options.snapshot === 'checkpoint';

/** The barrier keeps its place now and may be turned into one that overtakes (row B8; Flink: TIMEOUTABLE_ALIGNED...). */
export const isTimeoutable = (options: CheckpointOptions): boolean =>
  options.alignment === 'aligned' && options.alignedTimeoutUs > 0 && options.snapshot === 'checkpoint';

/** In-flight data may be part of the checkpoint somewhere behind this task. */
export const mayCarryChannelState = (options: CheckpointOptions): boolean => {
  const asked = withoutForce(options);
  return overtakes(asked) || isTimeoutable(asked);
};

/** What is left of the time-out by the wall clock of a node (row B13); 0 when it has passed. */
export const alignmentTimeLeftUs = (
  barrier: Pick<CheckpointBarrier, 'triggeredAtUs' | 'options'>,
  wallUs: number,
): number => Math.max(0, barrier.options.alignedTimeoutUs - (wallUs - barrier.triggeredAtUs));

/** It has overtaken, or overtakes here. */
export const isUnaligned = ({ options }: Pick<CheckpointBarrier, 'options'>): boolean =>
  options.alignment === 'unaligned';

/** The same barrier, overtaking. */
export const asUnaligned = <B extends Pick<CheckpointBarrier, 'options'>>(barrier: B): B => ({
  ...barrier,
  options: { ...barrier.options, alignment: 'unaligned' },
});

/** What the coordinator asked for, before an edge forced alignment (I2). */
export function withoutForce(options: CheckpointOptions): CheckpointOptions {
  if (options.alignment !== 'forced-aligned' || options.snapshot !== 'checkpoint') return options;
  return { ...options, alignment: options.alignedTimeoutUs > 0 ? 'aligned' : 'unaligned' };
}

/** The options a barrier has on an edge. */
export function optionsOnEdge(options: CheckpointOptions, supportsUnaligned: boolean): CheckpointOptions {
  const asked = withoutForce(options);
  if (supportsUnaligned || (!overtakes(asked) && !isTimeoutable(asked))) return asked;
  return { ...asked, alignment: 'forced-aligned' };
}

/**
 * Row B11. Within a sink (FLINK-36287): a committable belongs to the committer's snapshot of its checkpoint, not to a channel. Forward and rescale: no rule could re-route persisted buffers when the job is rescaled. Broadcast: subtasks stand at different
 * places, while what they build of it is restored once. Custom: the user's partitioner may say anything (FLINK-39162). One such edge forces all edges into the same vertex, which aligns as a whole.
 */
export function supportsUnaligned(graph: JobGraph, edge: JobEdge): boolean {
  for (const other of graph.edges) if (other.to === edge.to && !canOvertakeOn(other)) return false;
  return true;
}

const canOvertakeOn = ({ partitioning, sinkInternal }: JobEdge): boolean =>
  sinkInternal !== true && (partitioning === 'hash' || partitioning === 'rebalance' || partitioning === 'global');
