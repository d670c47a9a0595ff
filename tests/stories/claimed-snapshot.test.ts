/** What a run has claimed and does not need any more goes (row C27; decision 0115), and is left for ever where only a leader's memory knows of it. */
import { describe, expect, it } from 'vitest';
import { compile, parseScenario } from '../../scenarios/index.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { eventsOf, findings, liveIt } from '../support/lives.ts';

/** A snapshot is claimed at 7 s, checkpoint 6 where it is one; the next one drops it, and compaction of the second one after it frees segments. */
function planWith(faults: readonly string[], input = ''): SimulationPlan {
  const text = `
name: claimed
description: A run claims what the one before left.
job: { use: keyed-count, parallelism: 2, parameters: { key: origin } }
inputs: { flights: { dataset: flights-20k, records: 700, rate: 50/s, partitions: 2${input} } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 2 }
checkpointing: { interval: 1s, timeout: 8s, backend: lsm, incremental: true, retained: 1, inlineThreshold: 64B }
faults:
${faults.map((fault) => `  - ${fault}\n`).join('')}duration: 14s
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'claimed.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return compile(parsed.scenario, '1');
}

function passes(plan: SimulationPlan): RunRecord {
  const record = liveIt(plan, { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
}

/** The engine passes, and its mutant leaves something like this. */
function passesUnlike(variant: string, left: RegExp, plan: SimulationPlan): RunRecord {
  const record = passes(plan);
  const mutant = liveIt({ ...plan, variant });
  const [finding] = mutant.verdicts.filter(({ judge }) => judge === 'retention');
  expect(finding).toMatchObject({ anomaly: 'orphan-file', message: expect.stringMatching(left) });
  return record;
}

const deleted = (record: RunRecord): string[] =>
  eventsOf(record).flatMap((event) => (event.kind === 'object-deleted' ? [event.path] : []));

const CANCEL = '{ operation: cancel, at: 7s, thenResume: { claim: claim } }';
const STOP = '{ operation: stop-with-savepoint, format: native, at: 7s, thenResume: { claim: claim } }';
/** jobmanager-2 comes late, so that jobmanager-1 leads. */
const LATE = '{ crash: jobmanager-2, at: 0s, restartAfter: 3s }';
const OF_FIRST_RUN = /\/shared\/.*-[1-6]\.segment|\/chk-6\//;

describe('Cluster: what a run has claimed', () => {
  it.each([
    ['the claimed checkpoint', CANCEL, 6, 'earlier-runs-left-alone', OF_FIRST_RUN],
    ['the last checkpoint that used its segments', CANCEL, 8, 'earlier-runs-left-alone', OF_FIRST_RUN],
    ['the claimed savepoint', STOP, 7, 'claim-forgotten-by-next-leader', /^savepoints\//],
  ])('C27: a leader dies when it has dropped %s and deleted nothing: the next one deletes it', (...told) => {
    const [, operation, id, variant, left] = told;
    const crash = `{ crash: jobmanager-1, at: { point: subsumed, checkpoint: ${id} }, restartAfter: 1s }`;
    const record = passesUnlike(variant, left, planWith([LATE, operation, crash]));
    expect(eventsOf(record).filter(({ kind }) => kind === 'leadership-acquired').length).toBeGreaterThan(1);
    expect(deleted(record).some((path) => left.test(path))).toBe(true);
  });

  it.each([
    ['the run ends, and with it all that it has claimed', []],
    [
      'a leader dies when the end of the run is durable: whoever finds that cleans up',
      ['{ crash: jobmanagers, at: { point: job.finished }, restartAfter: 1s }'],
    ],
  ])('C27: %s', (_name, crash) => {
    const record = passes(planWith([CANCEL, ...crash], ', bounded: true'));
    const last = eventsOf(record).findLast(
      (event) => event.kind === 'coordination-updated' && event.key.endsWith('/checkpoints'),
    );
    expect(last).toMatchObject({ value: '' });
    expect(deleted(record)).toContain('checkpoints/keyed-count/chk-6/_metadata');
  });
});
