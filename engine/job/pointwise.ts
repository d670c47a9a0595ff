/**
 * Who feeds whom where not everybody feeds everybody (Flink: EdgeManagerBuildUtil.connectPointwise). Pure.
 *
 * Forward leads to the subtask of the same index. Rescale shares the wider side out among the narrower one, in contiguous ranges that
 * differ by one at most, so that as little as possible leaves its machine.
 *
 * I1: every producer feeds some consumer, and every consumer is fed.
 */
import { assert } from '../foundation/assert.ts';
import type { JobEdge } from './job-graph.ts';

/** Subtasks at both ends of an edge. */
export interface EdgeWidths {
  readonly producers: number;
  readonly consumers: number;
}

/** From `first` to before `end`. */
export interface SubtaskRange {
  readonly first: number;
  readonly end: number;
}

/** Such an edge cannot carry in-flight data: when it is rescaled, no rule would say whose that is (row B11). */
export const isPointwise = ({ partitioning }: Pick<JobEdge, 'partitioning'>): boolean =>
  partitioning === 'forward' || partitioning === 'rescale';

/** The consumers that a producer of a rescale edge writes to. */
export function consumersOf(producer: number, { producers, consumers }: EdgeWidths): SubtaskRange {
  assert(producer >= 0 && producer < producers && consumers >= 1, 'a producer is one of those there are', { producer });
  const end = Math.ceil(((producer + 1) * consumers) / producers);
  const first = producers >= consumers ? end - 1 : Math.ceil((producer * consumers) / producers);
  return { first, end };
}

/** Whether records of one subtask may reach another over this edge. */
export function feedsSubtask(
  edge: Pick<JobEdge, 'partitioning'>,
  producer: number,
  consumer: number,
  widths: () => EdgeWidths,
): boolean {
  if (edge.partitioning === 'forward') return producer === consumer;
  if (edge.partitioning !== 'rescale') return true;
  const { first, end } = consumersOf(producer, widths());
  return consumer >= first && consumer < end;
}
