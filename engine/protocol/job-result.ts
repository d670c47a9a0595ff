/** That a job has ended (row F18; Flink: JobResult, JobResultEntry): one value in the coordination store. */

/** Flink: the globally terminal states of JobStatus. */
export type EndStatus = 'finished' | 'canceled' | 'failed';

export interface JobResult {
  readonly status: EndStatus;
  /** `dirty` until what the job left behind is cleaned up. */
  readonly state: 'dirty' | 'clean';
}

export const resultKey = (jobId: string): string => `${jobId}/result`;
export const encodeResult = (result: JobResult): string => JSON.stringify(result);
export const decodeResult = (value: string): JobResult => JSON.parse(value) as JobResult;
