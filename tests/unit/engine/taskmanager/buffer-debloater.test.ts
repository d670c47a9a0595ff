import { describe, expect, it } from 'vitest';
import { BufferDebloater } from '../../../../engine/taskmanager/buffer-debloater.ts';

const CONFIGURATION = {
  enabled: true,
  targetUs: 1_000_000,
  periodUs: 200_000,
  samples: 20,
  thresholdPercent: 25,
  minBufferBytes: 256,
};
const MAX = 32_768;
const PERIOD = 200_000;

/** A gate that consumes `bytesPerPeriod` and is never idle; what is announced in each of `periods`. */
function announced(
  debloater: BufferDebloater,
  gate: { bytes: number; buffers: number; from?: number },
  periods: number,
): (number | undefined)[] {
  return Array.from({ length: periods }, (_, count) => {
    const period = (gate.from ?? 0) + count;
    debloater.consume(gate.bytes, period * PERIOD);
    return debloater.recalculate(gate.buffers, (period + 1) * PERIOD);
  });
}

describe('buffer debloater', () => {
  it('B16: the size falls towards throughput times target by buffers in use, and is announced in steps of a quarter', () => {
    const sizes = announced(new BufferDebloater(CONFIGURATION, MAX), { bytes: 40_000, buffers: 20 }, 100);
    const told = sizes.filter((size) => size !== undefined);
    expect(told.length).toBeGreaterThan(2);
    for (let n = 1; n < told.length; n += 1) expect(told[n]! * 4).toBeLessThanOrEqual(told[n - 1]! * 3);
    expect(told.at(-1)).toBeGreaterThan(9_000);
    expect(told.at(-1)).toBeLessThan(14_000);
  });

  it('B16: it stays between the smallest and the configured buffer, and the bounds are always announced', () => {
    expect(
      announced(new BufferDebloater(CONFIGURATION, MAX), { bytes: 10, buffers: 20 }, 200).filter(Boolean).at(-1),
    ).toBe(256);
    const debloater = new BufferDebloater(CONFIGURATION, MAX);
    announced(debloater, { bytes: 10, buffers: 20 }, 200);
    expect(announced(debloater, { bytes: 100_000_000, buffers: 1, from: 200 }, 200).filter(Boolean).at(-1)).toBe(MAX);
  });

  it('B16: it at most doubles, whatever throughput says', () => {
    const debloater = new BufferDebloater({ ...CONFIGURATION, samples: 1, thresholdPercent: 0 }, MAX);
    announced(debloater, { bytes: 10, buffers: 20 }, 5);
    expect(announced(debloater, { bytes: 100_000_000, buffers: 1, from: 5 }, 3)).toEqual([512, 1_024, 2_048]);
  });

  it('B16: time without input or without room does not count', () => {
    const busy = new BufferDebloater({ ...CONFIGURATION, samples: 1 }, MAX);
    busy.consume(10_000, 0);
    busy.consume(0, 50_000);
    busy.pause();
    // 10,000 bytes in 50 ms are 200,000 a second.
    expect(busy.recalculate(20, PERIOD)).toBe(10_000);
    expect(busy.recalculate(20, 2 * PERIOD)).toBeUndefined();
  });
});
