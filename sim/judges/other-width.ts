/**
 * At which other parallelism a snapshot is restored for the audit (restore-audit.ts).
 *
 * Owns: the choice, by graph and id of the checkpoint. Does not own: the comparison. The arithmetic of key groups is written here once more,
 * as row S2 has it, so that the engine's own is not asked where its ranges end.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { slotsNeeded, withParallelism } from '../../engine/job/scaled-graph.ts';
import type { CheckpointMetadata } from '../../engine/protocol/metadata-file.ts';

/** Wide enough for ranges to touch, cheap enough for each life. */
const WIDEST = 24;
/** Ids of checkpoints that are tried at such a width. */
const EVERY_TOUCHING = 4;

/**
 * One subtask more or less, by the id, but never a single one, which clips no key groups; for some ids so many that a new subtask begins with
 * the last key group of an old one: a range that is taken too short by one is seen nowhere else. Undefined: the snapshot can be restored at its
 * own parallelism only (rows S9, C22).
 */
export function otherWidth(graph: JobGraph, { checkpointId, states }: CheckpointMetadata): JobGraph | undefined {
  const isFixed = states.some(
    ({ finished, handles }) =>
      finished !== undefined || handles.some(({ state, lists }) => state === 'operator' && lists === undefined),
  );
  if (isFixed) return undefined;
  const now = slotsNeeded(graph.vertices);
  const most = graph.vertices.reduce((least, { maxParallelism }) => Math.min(least, maxParallelism), WIDEST);
  const near = checkpointId % 2 === 0 || now <= 2 ? now + 1 : now - 1;
  const wanted = checkpointId % EVERY_TOUCHING === 0 ? (touchingWidth(graph, now, most) ?? near) : near;
  const rescaled = Math.min(wanted, most);
  return rescaled === now ? undefined : withParallelism(graph, rescaled);
}

/** The least parallelism above `now` at which some subtask begins with the last key group of an old one. */
export function touchingWidth({ vertices }: JobGraph, now: number, most: number): number | undefined {
  const keyGroups = vertices.reduce((largest, { maxParallelism }) => Math.max(largest, maxParallelism), 1);
  const begins = (subtask: number, width: number): number => Math.ceil((subtask * keyGroups) / width);
  const lasts = new Set(Array.from({ length: now }, (_, subtask) => begins(subtask + 1, now) - 1));
  for (let width = now + 1; width <= most; width += 1)
    for (let subtask = 1; subtask < width; subtask += 1) if (lasts.has(begins(subtask, width))) return width;
  return undefined;
}
