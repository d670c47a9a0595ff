/** Row K11: exactly-once with Kafka holds while downtimes are shorter than the time-out of its transactions. */
import { expect, it } from 'vitest';
import type { RunRecord } from '../../sim/run-record.ts';
import { liveIt } from '../support/lives.ts';
import { story } from './story.ts';

const awayFor = (seconds: number): RunRecord =>
  liveIt(
    story({ scenario: 'kafka-timeout-trap' })
      .crash('jobmanager-1', { point: 'completed', checkpoint: 3 }, seconds)
      .plan(),
    { keepHistory: true },
  );
const anomalies = ({ verdicts }: RunRecord): string[] => verdicts.map(({ anomaly }) => anomaly);

it('K11: a job that is back in time commits what it had pre-committed; one that is late says so and has lost it', () => {
  const [inTime, late] = [awayFor(4), awayFor(15)];
  expect(inTime.verdict).toBe('passed');
  expect(inTime.probes).toHaveProperty('committables-recovered');
  expect(late.probes).toHaveProperty('kafka-transaction-timed-out');
  expect(late.history.some(({ event }) => event.kind === 'commit-failed')).toBe(true);
  expect(anomalies(late)).toContain('output-lost');
  expect(anomalies(late)).not.toContain('output-duplicated');
});
