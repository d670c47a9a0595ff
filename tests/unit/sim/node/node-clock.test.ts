import { describe, expect, it } from 'vitest';
import { micros } from '../../../../engine/foundation/time.ts';
import { NodeClock } from '../../../../sim/node/node-clock.ts';

describe('node clock (row B13)', () => {
  it('shows the time when nothing is wrong with it', () => {
    expect([0, 1, 7_000_000].map((us) => new NodeClock().read(micros(us)))).toEqual([0, 1, 7_000_000]);
  });

  it('is ahead by its offset and gains by its drift', () => {
    const clock = new NodeClock({ offsetUs: 500, driftPpm: 100 });
    expect([0, 1_000_000, 60_000_000].map((us) => clock.read(micros(us)))).toEqual([500, 1_000_600, 60_006_500]);
  });

  it('loses by a negative drift and shows no time before its epoch', () => {
    const clock = new NodeClock({ offsetUs: -1_000, driftPpm: -1_000 });
    expect([0, 999, 1_000_000].map((us) => clock.read(micros(us)))).toEqual([0, 0, 998_000]);
  });

  it('goes on from where it was set', () => {
    const clock = new NodeClock({ offsetUs: 10, driftPpm: 0 });
    clock.step(90, 'f1');
    clock.step(-50, 'f2');
    expect(clock.read(micros(1_000))).toBe(1_050);
  });
});
