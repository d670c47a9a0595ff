/**
 * That a run of the job has ended, and whether it was cleaned up after (row F18; Flink: JobResult, JobResultEntry): one value in the
 * coordination store. That it has ended is decided in the value of the pointer (decision 0019); this one follows it, and outlives it.
 */
import type { JobEnd, JobRun } from './checkpoint-pointer.ts';

/** Flink: the globally terminal states of JobStatus. */
export type EndStatus = JobEnd['status'];

export interface EndedRun extends JobRun {
  readonly ended: JobEnd;
}

export interface JobResult {
  readonly status: EndStatus;
  /** `dirty` until what the run left behind is cleaned up. */
  readonly state: 'dirty' | 'clean';
  /** Which run it is of; absent: the first. */
  readonly run?: number;
  /** Ids up to this one were taken by earlier runs (JobRun.floor). Absent: 0. */
  readonly floor?: number;
  /** What of these belongs to their users (JobRun.kept). Absent: nothing. */
  readonly kept?: readonly string[];
  /** A person may begin the next run, so pointer and counter stay. */
  readonly isResumable?: true;
}

export const resultKey = (jobId: string): string => `${jobId}/result`;
export const encodeResult = (result: JobResult): string => JSON.stringify(result);
export const decodeResult = (value: string): JobResult => JSON.parse(value) as JobResult;

/** A job that reached the end of its input by itself is over for good; whatever else ended it, its user may submit it again. */
export const isResumable = ({ status, by }: JobEnd): boolean => status !== 'finished' || by !== '';

export function resultOf({ run, ended, floor, kept }: EndedRun): JobResult {
  return {
    status: ended.status,
    state: 'dirty',
    ...(run === 1 ? {} : { run }),
    ...(floor === 0 ? {} : { floor }),
    ...(kept === undefined ? {} : { kept }),
    ...(isResumable(ended) ? { isResumable: true } : {}),
  };
}

export const runOf = ({ run }: JobResult): number => run ?? 1;
