/** Copies of state on the nodes: they are used, what cannot be used is fetched, and restores are shorter for them (row S22). */
import { describe, expect, it } from 'vitest';
import { compile, parseScenario } from '../../scenarios/index.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf, probesOf } from '../support/lives.ts';

/** The other process is lost, too, and comes back first. */
const BOTH = ', { crash: taskmanager-2, at: 5s, restartAfter: 100ms }';

/** One process is lost and comes back; there are no other slots, so each subtask returns to its own. */
function lived(localRecovery: string, more = ''): RunRecord {
  const text = `
name: local
description: One crash.
job: { use: keyed-count, parallelism: 4, parameters: { key: key } }
inputs: { numbers: { dataset: generated:3000x0, records: 8000, rate: 1000/s, partitions: 2 } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1, profile: cloud-small }
checkpointing: { interval: 500ms, inlineThreshold: 1KiB, localRecovery: ${localRecovery} }
runtime: { heartbeatInterval: 300ms, heartbeatTimeout: 1s }
faults: [{ crash: taskmanager-1, at: 5s, restartAfter: 300ms }${more}]
duration: 10s
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'local.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const record = liveIt(compile(parsed.scenario, '1'), { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
}

/** From the first restored attempt's begin to the last one's end, of the restart after the crash. */
function restoreUs({ history }: RunRecord): number {
  const restored = history.findIndex(({ event }) => event.kind === 'task-restored');
  const attempts = new Set(
    history.flatMap(({ event }) => (event.kind === 'task-restored' ? [event.attempt as number] : [])),
  );
  const ofRestored = history.filter(({ event }) => event.kind === 'task-state' && attempts.has(event.attempt));
  const begun = ofRestored.find(({ event }) => event.kind === 'task-state' && event.state === 'initializing');
  const ended = history.findLast(({ event }) => event.kind === 'task-restored');
  expect(restored).toBeGreaterThan(0);
  return (ended?.atUs ?? 0) - (begun?.atUs ?? 0);
}

const used = (record: RunRecord): number => probesOf(record).filter((probe) => probe === 'local-state-used').length;

describe('local recovery', () => {
  it('F20: when every process was lost, the new ones are known by their nodes: each subtask finds its place and state again', () => {
    const ofDirectory = lived('working-directory', BOTH);
    expect(used(ofDirectory)).toBe(4);
    expect(probesOf(ofDirectory)).not.toContain('local-state-missing');
    const ofProcess = lived('process', BOTH);
    expect(used(ofProcess)).toBe(0);
    expect(restoreUs(ofDirectory)).toBeLessThan(restoreUs(ofProcess));
  });

  it('S22: who returns to his slot is restored without the network, a restarted process only from a working directory', () => {
    const without = lived('none');
    const ofProcess = lived('process');
    const ofDirectory = lived('working-directory');
    expect(probesOf(without)).not.toContain('local-state-used');
    // All four subtasks; two of them lost their process.
    expect(used(ofDirectory)).toBe(4);
    expect(used(ofProcess)).toBe(2);
    expect(probesOf(ofProcess)).toContain('local-state-missing');
    expect(restoreUs(ofDirectory)).toBeLessThan(restoreUs(without));
  });

  it('S22: copies on a disk that has gone bad are seen by their checksum, and the files are fetched', () => {
    const rotten = lived('working-directory', ', { disk-damage: taskmanager-1, at: 4s, for: 1s }');
    const probes = probesOf(rotten);
    const times = (name: string): number => probes.filter((probe) => probe === name).length;
    // Two subtasks on the bad disk, two on the other.
    expect([times('local-state-damaged'), times('local-state-used')]).toEqual([2, 2]);
    expect(rotten.faults['disk-damage/taskmanager']).toEqual({ planned: 1, effective: 1 });
    // Whose copies nobody asks for, because nothing is restored from them, has not gone bad for anybody.
    const unread = lived('working-directory', ', { disk-damage: taskmanager-1, at: 8s, for: 1s }');
    expect(unread.faults['disk-damage/taskmanager']).toEqual({ planned: 1, effective: 0 });
  });

  it('S22: with a log as without, copies are used and nothing is wrong', () => {
    const probes = new Set<string>();
    for (let seed = 1; seed <= 6; seed += 1) {
      const record = liveIt(planOf('local-recovery', String(seed)), { keepHistory: true });
      expect(record.verdict, findings(record)).toBe('passed');
      for (const probe of probesOf(record)) probes.add(probe);
    }
    for (const probe of ['local-state-used', 'local-state-missing']) expect(probes).toContain(probe);
  });
});
