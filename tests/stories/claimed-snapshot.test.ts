/** What a run has claimed and does not need any more goes (row C27; decision 0115), and is left for ever where only a leader's memory knows of it. */
import { describe, expect, it } from 'vitest';
import { compile, parseScenario } from '../../scenarios/index.ts';
import { creatorOf } from '../../engine/protocol/checkpoint-paths.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { eventsOf, findings, liveIt } from '../support/lives.ts';

/** Checkpoint 6 is claimed at 7 s; the next one drops it, and compaction of the second one after it frees segments. */
function planWith(faults: readonly string[], input = ''): SimulationPlan {
  const text = `
name: claimed
description: A run claims what the one before left.
job: { use: keyed-count, parallelism: 2, parameters: { key: origin } }
inputs: { flights: { dataset: flights-20k, records: 700, rate: 50/s, partitions: 2${input} } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 2 }
checkpointing: { interval: 1s, timeout: 8s, backend: lsm, incremental: true, retained: 1, inlineThreshold: 64B }
faults:
  - { operation: cancel, at: 7s, thenResume: { claim: claim } }
${faults.map((fault) => `  - ${fault}\n`).join('')}duration: 14s
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'claimed.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return compile(parsed.scenario, '1');
}

/** The engine passes, and its mutant leaves something like this. */
function passes(plan: SimulationPlan, left: RegExp): RunRecord {
  const record = liveIt(plan, { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  const mutant = liveIt({ ...plan, variant: 'claim-forgotten-by-next-leader' });
  const [finding] = mutant.verdicts.filter(({ judge }) => judge === 'retention');
  expect(finding).toMatchObject({ anomaly: 'orphan-file', message: expect.stringMatching(left) });
  return record;
}

const deleted = (record: RunRecord): string[] =>
  eventsOf(record).flatMap((event) => (event.kind === 'object-deleted' ? [event.path] : []));

describe('Cluster: what a run has claimed', () => {
  it.each([
    ['the claimed snapshot', 6, /\/chk-6\//],
    ['the last checkpoint that used its segments', 8, /\/shared\/.*-[1-6]\.segment/],
  ])('C27: a leader dies when it has dropped %s and deleted nothing: the next one deletes it', (_name, id, left) => {
    const crash = `{ crash: jobmanager-1, at: { point: subsumed, checkpoint: ${id} }, restartAfter: 1s }`;
    // jobmanager-2 comes late, so that jobmanager-1 leads.
    const record = passes(planWith(['{ crash: jobmanager-2, at: 0s, restartAfter: 3s }', crash]), left);
    expect(eventsOf(record).filter(({ kind }) => kind === 'leadership-acquired').length).toBeGreaterThan(1);
    expect(deleted(record).some((path) => creatorOf(path) <= 6)).toBe(true);
  });

  it('C27: the run ends, and with it all that it has claimed', () => {
    const record = passes(planWith([], ', bounded: true'), /\/shared\/.*-[1-6]\.segment/);
    const events = eventsOf(record);
    const last = events.findLast(
      (event) => event.kind === 'coordination-updated' && event.key.endsWith('/checkpoints'),
    );
    expect(last).toMatchObject({ value: '' });
    expect(deleted(record)).toContain('checkpoints/keyed-count/chk-6/_metadata');
  });

  it('C27: a leader dies when the end of the run is durable: whoever finds that cleans up', () => {
    const crash = '{ crash: jobmanagers, at: { point: job.finished }, restartAfter: 1s }';
    passes(planWith([crash], ', bounded: true'), /\/shared\/.*-[1-6]\.segment/);
  });
});
