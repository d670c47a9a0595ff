/** Row B25: what is no record keeps its place among records. */
import { expect, it } from 'vitest';
import { findings, liveIt, planOf } from '../support/lives.ts';

it('B25: a watermark that waits behind a barrier counts after it, as the records around it do', () => {
  const plan = planOf('watermarks-behind-barriers', '1');
  const record = liveIt(plan);
  expect(record.verdict, findings(record)).toBe('passed');
  expect(Math.max(...record.checkpointRecords.map(({ alignmentUsMax }) => alignmentUsMax))).toBeGreaterThan(100_000);
  const mutant = liveIt({ ...plan, variant: 'watermark-emitted-before-barrier' });
  expect(mutant.verdicts.map(({ anomaly }) => anomaly)).toContain('watermark-ahead');
});
