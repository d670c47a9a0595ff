/**
 * Whether the run of a job that the judges look at is over, as the coordination store says it (row F18).
 *
 * A result stays when the job is started again, until the next run has one: then it is that of an earlier run, and says nothing of this one. A
 * job without a pointer is over for good.
 */
import { decodePointer, FIRST_RUN, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import { decodeResult, type JobResult, resultKey, runOf } from '../../engine/protocol/job-result.ts';
import type { DurableState } from './judge.ts';

/** Undefined: the run is not over, or that is not durable. */
export function currentResult(durable: Pick<DurableState, 'coordination'>, jobId: string): JobResult | undefined {
  const value = durable.coordination(resultKey(jobId)) ?? '';
  if (value === '') return undefined;
  const result = decodeResult(value);
  const pointer = durable.coordination(pointerKey(jobId)) ?? '';
  if (pointer === '') return result;
  const { run } = decodePointer(pointer).job ?? FIRST_RUN;
  return runOf(result) === run ? result : undefined;
}
