/**
 * Which old subtasks' in-flight data a new subtask takes over when an exchange is rescaled (row B19; Flink: SubtaskStateMapper,
 * TaskStateAssignment). Pure. Flink has a second mapper for the output state of the producers; here that goes to the consumers, too, so
 * that the old consumer a channel led to decides for both of its ends (decision 0024).
 *
 * I1: no channel state is lost: every old subtask is named by some new one;
 * I2: where it is named by several (`isAmbiguous`), whoever reads it keeps a record only if the partitioner of the new topology sends it there.
 */
import { assert } from '../foundation/assert.ts';
import type { JobEdge } from '../job/job-graph.ts';
import { keyGroupRangeOf, MAX_PARALLELISM_UPPER_BOUND } from '../job/key-groups.ts';

/**
 * `range`: keyed, by overlapping key groups. `round-robin`: any subtask may take it. `first`: all to subtask 0. `full`: all to all.
 * `unsupported`: the data belongs to one pair of subtasks, there is no right place for it.
 */
export type SubtaskStateMapper = 'range' | 'round-robin' | 'first' | 'full' | 'unsupported';

export type Partitioning = JobEdge['partitioning'];

/** Where the consumers' side takes its input state from (Flink: StreamPartitioner.getDownstreamSubtaskStateMapper). */
export function downstreamMapper(partitioning: Partitioning): SubtaskStateMapper {
  switch (partitioning) {
    case 'hash':
      return 'range';
    case 'rebalance':
      return 'round-robin';
    case 'global':
      return 'first';
    case 'custom':
      return 'full';
    case 'forward':
    case 'rescale':
    case 'broadcast':
      return 'unsupported';
    default:
      throw new RangeError(`unknown partitioning ${String(partitioning satisfies never)}`);
  }
}

/** Whether a record may be taken over by several: then each filters. */
export function isAmbiguous(mapper: SubtaskStateMapper): boolean {
  return mapper === 'range' || mapper === 'full';
}

export interface MapQuestion {
  readonly mapper: SubtaskStateMapper;
  readonly newSubtask: number;
  readonly oldParallelism: number;
  readonly newParallelism: number;
}

/** Old subtasks, rising. Throws `InvariantViolation` for what cannot be rescaled. */
export function oldSubtasksOf(question: MapQuestion): readonly number[] {
  const { mapper, newSubtask, oldParallelism, newParallelism } = question;
  assert(newSubtask >= 0 && newSubtask < newParallelism, 'a subtask index is below the parallelism', { question });
  const old = Array.from({ length: oldParallelism }, (_, subtask) => subtask);
  switch (mapper) {
    case 'range':
      return old.filter((subtask) => overlaps(subtask, question));
    case 'round-robin':
      return old.filter((subtask) => subtask % newParallelism === newSubtask);
    case 'first':
      return newSubtask === 0 ? old : [];
    case 'full':
      return old;
    case 'unsupported':
      assert(oldParallelism === newParallelism, 'the in-flight data of this exchange cannot be rescaled', { question });
      return [newSubtask];
    default:
      throw new RangeError(`unknown mapper ${String(mapper satisfies never)}`);
  }
}

/** By the widest key-group space: finer than the job's own, so no overlap of the job's is missed (Flink uses the same bound). */
function overlaps(oldSubtask: number, { newSubtask, oldParallelism, newParallelism }: MapQuestion): boolean {
  const before = keyGroupRangeOf(oldSubtask, oldParallelism, MAX_PARALLELISM_UPPER_BOUND);
  const now = keyGroupRangeOf(newSubtask, newParallelism, MAX_PARALLELISM_UPPER_BOUND);
  return before.start <= now.end && now.start <= before.end;
}
