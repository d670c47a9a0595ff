import { describe, expect, it } from 'vitest';
import { decideRequest, type RequestSituation } from '../../../../engine/checkpoint/checkpoint-request-decider.ts';

const decide = (changes: Partial<RequestSituation>) =>
  decideRequest({
    nowUs: 1_000,
    minPauseUs: 300,
    lastCompletedUs: undefined,
    pending: 0,
    maxConcurrent: 1,
    cleaning: 0,
    ...changes,
  });

describe('request decider', () => {
  it('C2: with nothing in the way a checkpoint is triggered', () => {
    expect(decide({})).toEqual({ kind: 'trigger' });
  });

  it('C2: at the limit of concurrent checkpoints the request is postponed', () => {
    expect(decide({ pending: 1 })).toEqual({ kind: 'postpone' });
    expect(decide({ pending: 1, maxConcurrent: 2 })).toEqual({ kind: 'trigger' });
  });

  it('C2: more deletions under way than concurrent checkpoints allowed push back', () => {
    expect(decide({ cleaning: 1 })).toEqual({ kind: 'trigger' });
    expect(decide({ cleaning: 2 })).toEqual({ kind: 'postpone' });
  });

  it('C3: min-pause is measured from the last completion and waits for exactly what is left', () => {
    expect(decide({ lastCompletedUs: 900 })).toEqual({ kind: 'wait', afterUs: 200 });
    expect(decide({ lastCompletedUs: 701 })).toEqual({ kind: 'wait', afterUs: 1 });
    expect(decide({ lastCompletedUs: 700 })).toEqual({ kind: 'trigger' });
  });

  it('C3: before the first completion min-pause does not wait', () => {
    expect(decide({ nowUs: 0, lastCompletedUs: undefined })).toEqual({ kind: 'trigger' });
  });

  it('C2: what is pending comes before min-pause: its end asks again', () => {
    expect(decide({ pending: 1, lastCompletedUs: 900 })).toEqual({ kind: 'postpone' });
  });
});
