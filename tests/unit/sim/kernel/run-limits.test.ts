/** Unit tests of the run limits. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_RUN_LIMITS, exceeded } from '../../../../sim/kernel/run-limits.ts';

const LIMITS = { maxEvents: 10, maxVirtualUs: 1_000, maxQueueLength: 5 };

describe('run limits', () => {
  it('at every limit: nothing is exceeded', () => {
    expect(exceeded(LIMITS, { events: 10, nowUs: 1_000, queueLength: 5 })).toBeUndefined();
  });

  it('one beyond a limit: that limit is named', () => {
    expect(exceeded(LIMITS, { events: 11, nowUs: 0, queueLength: 0 })).toBe('events');
    expect(exceeded(LIMITS, { events: 0, nowUs: 1_001, queueLength: 0 })).toBe('virtual-time');
    expect(exceeded(LIMITS, { events: 0, nowUs: 0, queueLength: 6 })).toBe('queue-length');
  });

  it('the defaults: let an hour of a busy life pass', () => {
    const hour = { events: 10_000_000, nowUs: 3_600_000_000, queueLength: 100_000 };
    expect(exceeded(DEFAULT_RUN_LIMITS, hour)).toBeUndefined();
  });
});
