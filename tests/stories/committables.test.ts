/** Committables of a committer that is a task of its own: where they are when a machine goes, and at the end of input (row K5). */
import { describe, expect, it } from 'vitest';
import { compile, parseScenario } from '../../scenarios/index.ts';
import { findings, liveIt } from '../support/lives.ts';
import { type Story, story } from './story.ts';

/** One minute between checkpoints: the only one is that of the end. */
const bounded = `
name: committables
job: { use: audited-commits, parallelism: 2 }
inputs: { flights: { dataset: flights-20k, records: 600, rate: 120/s, partitions: 2, bounded: true } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1 }
sink: { kind: kafka, brokers: 2, partitions: 2, committer: separate }
checkpointing: { interval: 60s }
duration: 9s
expect: exactly-once
`;

describe('Cluster: committables', () => {
  it('K5: those of a checkpoint went ahead of its barrier: a restore finds them at the committer, and commits what nobody was told of', () => {
    const tale = (): Story =>
      story({ scenario: 'sink-topologies' }).crash('jobmanager-1', { point: 'pointer-write.done', checkpoint: 3 });
    const { history } = tale().reaches('committables-recovered').passes({ keepHistory: true });
    const committed = history.findIndex(({ event }) => event.kind === 'commit-sent' && event.checkpointId === 3);
    const chosen = history.findIndex(({ event }) => event.kind === 'restore-chosen' && event.checkpointId === 3);
    expect(chosen).toBeGreaterThan(0);
    expect(committed).toBeGreaterThan(chosen);
  });

  it('K5: what is written behind the last checkpoint goes to the committer at the end of input, and the final checkpoint commits it', () => {
    const parsed = parseScenario({ text: bounded, file: 'committables.yaml' });
    if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
    const record = liveIt(compile(parsed.scenario, '1'), { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    const commits = record.history.flatMap(({ event }) => (event.kind === 'commit-sent' ? [event.checkpointId] : []));
    expect(new Set(commits)).toEqual(new Set([1]));
    expect(record.records.out).toBe(600);
  });
});
