import { describe, expect, it } from 'vitest';
import { leaderEpoch } from '../../../../engine/foundation/ids.ts';
import { encodePointer, FIRST_RUN, pointerKey } from '../../../../engine/protocol/checkpoint-pointer.ts';
import { encodeResult, type JobResult, resultKey } from '../../../../engine/protocol/job-result.ts';
import { currentResult } from '../../../../sim/judges/current-result.ts';

const JOB = 'counts';
const FIRST: JobResult = { status: 'canceled', state: 'clean', isResumable: true };
const SECOND: JobResult = { ...FIRST, run: 2 };

/** `run`: of the pointer; undefined: there is none. */
function found(result: JobResult | undefined, run: number | undefined): JobResult | undefined {
  const job = { ...FIRST_RUN, run: run ?? 1 };
  const values = new Map([
    [resultKey(JOB), result === undefined ? '' : encodeResult(result)],
    [pointerKey(JOB), run === undefined ? '' : encodePointer({ epoch: leaderEpoch(1), completed: [], job })],
  ]);
  return currentResult({ coordination: (key) => values.get(key) }, JOB);
}

describe('the result of the run that is judged', () => {
  it('is that of the run the pointer speaks of', () => {
    expect(found(FIRST, 1)).toEqual(FIRST);
    expect(found(SECOND, 2)).toEqual(SECOND);
  });

  it('is not that of the run before, which stays while the next one runs', () => {
    expect(found(FIRST, 2)).toBeUndefined();
  });

  it('is whatever there is when there is no pointer any more: the job is over', () => {
    expect(found(SECOND, undefined)).toEqual(SECOND);
    expect(found(undefined, undefined)).toBeUndefined();
  });

  it('is none of a job that runs', () => {
    expect(found(undefined, 1)).toBeUndefined();
  });
});
