import { describe, expect, it } from 'vitest';
import { RestartBackoff } from '../../../../engine/jobmanager/restart-backoff.ts';
import type { RestartConfiguration } from '../../../../engine/protocol/configuration.ts';

const SECOND = 1_000_000;
const HOUR = 3_600 * SECOND;
/** Flink's defaults: initial 1 s, max 1 min, multiplier 1.5, reset after 1 h. */
const EXPONENTIAL: RestartConfiguration = {
  strategy: 'exponential-delay',
  initialUs: SECOND,
  maxUs: 60 * SECOND,
  multiplier: { numerator: 3, denominator: 2 },
  resetThresholdUs: HOUR,
  attemptsBeforeReset: 0,
};

/** Fails again right after each restart. */
function delaysOf(backoff: RestartBackoff, failures: number): (number | undefined)[] {
  let nowUs = 0;
  return Array.from({ length: failures }, () => {
    const delayUs = backoff.onFailure(nowUs);
    nowUs += (delayUs ?? 0) + 1;
    return delayUs;
  });
}

describe('restart backoff', () => {
  it('6.2: none never restarts', () => {
    expect(new RestartBackoff({ strategy: 'none' }).onFailure(0)).toBeUndefined();
  });

  it('6.2: fixed-delay counts all failures and gives up after its attempts', () => {
    const backoff = new RestartBackoff({ strategy: 'fixed-delay', attempts: 2, delayUs: SECOND });
    expect([0, 10 * HOUR, 20 * HOUR].map((nowUs) => backoff.onFailure(nowUs))).toEqual([SECOND, SECOND, undefined]);
  });

  it('6.2: exponential-delay grows by 1.5 from 1 s to 1 min and stays there', () => {
    expect(delaysOf(new RestartBackoff(EXPONENTIAL), 13)).toEqual([
      1_000_000, 1_500_000, 2_250_000, 3_375_000, 5_062_500, 7_593_750, 11_390_625, 17_085_937, 25_628_905, 38_443_357,
      57_665_035, 60_000_000, 60_000_000,
    ]);
  });

  it('6.2: jitter makes a delay longer or shorter by its share at most, and never shorter than the first or longer than the longest', () => {
    const jittered = { ...EXPONENTIAL, jitter: { numerator: 1, denominator: 10 } };
    const asked: number[] = [];
    const longer = new RestartBackoff(jittered, (upToUs) => {
      asked.push(upToUs);
      return upToUs;
    });
    expect(delaysOf(longer, 4)).toEqual([1_100_000, 1_650_000, 2_475_000, 3_712_500]);
    // What is added is not grown: the next delay is a multiple of the one without.
    expect(asked).toEqual([100_000, 150_000, 225_000, 337_500]);
    const shorter = new RestartBackoff(jittered, (upToUs) => -upToUs);
    expect(delaysOf(shorter, 3)).toEqual([SECOND, 1_350_000, 2_025_000]);
    expect(delaysOf(new RestartBackoff(jittered, (upToUs) => upToUs), 200).at(-1)).toBe(60 * SECOND);
    expect(delaysOf(new RestartBackoff(jittered, (upToUs) => -upToUs), 200).at(-1)).toBe(60 * SECOND);
  });

  it('6.2: without a jitter factor nobody is asked', () => {
    const backoff = new RestartBackoff(EXPONENTIAL, () => {
      throw new Error('asked');
    });
    expect(delaysOf(backoff, 2)).toEqual([SECOND, 1_500_000]);
  });

  it('FLIP-364: a failure before the restart is merged: it waits for the rest and is no new attempt', () => {
    const backoff = new RestartBackoff(EXPONENTIAL);
    expect(backoff.onFailure(0)).toBe(SECOND);
    expect(backoff.onFailure(400_000)).toBe(600_000);
    expect(backoff.onFailure(SECOND)).toBe(0);
    expect(backoff.onFailure(SECOND + 1)).toBe(1_500_000);
  });

  it('6.2: a run as long as the reset threshold starts from the initial delay, a shorter one does not', () => {
    const backoff = new RestartBackoff(EXPONENTIAL);
    backoff.onFailure(0);
    expect(backoff.onFailure(SECOND + HOUR - 1)).toBe(1_500_000);
    expect(backoff.onFailure(SECOND + HOUR - 1 + 1_500_000 + HOUR)).toBe(SECOND);
  });

  it('6.2: a first failure late in the life waits the initial delay', () => {
    expect(new RestartBackoff(EXPONENTIAL).onFailure(5 * HOUR)).toBe(SECOND);
  });

  it('6.2: exponential-delay with a limit gives up after its attempts; a quiet time begins the count anew', () => {
    const limited = { ...EXPONENTIAL, attemptsBeforeReset: 2 };
    expect(delaysOf(new RestartBackoff(limited), 3)).toEqual([SECOND, 1_500_000, undefined]);
    const quiet = new RestartBackoff(limited);
    expect([0, 2 * HOUR, 4 * HOUR].map((nowUs) => quiet.onFailure(nowUs))).toEqual([SECOND, SECOND, SECOND]);
  });

  it('FLIP-364: merged failures do not use up attempts', () => {
    const backoff = new RestartBackoff({ ...EXPONENTIAL, attemptsBeforeReset: 1 });
    expect([0, 1, 2, 3].map((nowUs) => backoff.onFailure(nowUs))).toEqual([SECOND, 999_999, 999_998, 999_997]);
    expect(backoff.onFailure(SECOND + 1)).toBeUndefined();
  });

  it('6.2: failure-rate fails when one failure more than allowed lies within the interval', () => {
    const rate = { strategy: 'failure-rate', maxFailures: 2, intervalUs: 60 * SECOND, delayUs: SECOND } as const;
    const fast = new RestartBackoff(rate);
    expect([0, 1, 60 * SECOND].map((nowUs) => fast.onFailure(nowUs))).toEqual([SECOND, SECOND, undefined]);
    const slow = new RestartBackoff(rate);
    const times = [0, 30, 61, 91, 122].map((seconds) => seconds * SECOND);
    expect(times.map((nowUs) => slow.onFailure(nowUs))).toEqual(times.map(() => SECOND));
  });
});
