/** What file merging saves: files that a checkpoint creates (row S19). Figures are exact: no fault, one seed. */
import { describe, expect, it } from 'vitest';
import { compile, parseScenario } from '../../scenarios/index.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { eventsOf, findings, liveIt, planOf } from '../support/lives.ts';

/** A seed that draws all three cancellations. */
const SWITCHED_SEED = '3';

/** Two TaskManagers with six subtasks each, all of whose state lies in files. */
function lived(checkpointing: string): RunRecord {
  const text = `
name: many-small-files
description: Small state of many subtasks.
job: { use: keyed-count, parallelism: 6, parameters: { key: origin } }
inputs: { flights: { dataset: flights-20k, records: 2000, rate: 200/s, partitions: 6 } }
cluster: { taskManagers: 2, slots: 3, jobManagers: 1 }
checkpointing: { interval: 500ms, storage: filesystem, inlineThreshold: 0B, ${checkpointing} }
duration: 11s
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'many-small-files.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return liveIt(compile(parsed.scenario, '1'), { keepHistory: true });
}

/** Files of state that were begun, and pieces of state in them, per completed checkpoint. */
function perCheckpoint(record: RunRecord): { readonly files: number; readonly pieces: number } {
  const events = eventsOf(record);
  const completed = events.filter(({ kind }) => kind === 'checkpoint-completed').length;
  const files = events.filter((event) => event.kind === 'file-opened' && !event.path.includes('_metadata')).length;
  const pieces = events.reduce(
    (sum, event) =>
      sum + (event.kind === 'merged-write-sent' ? event.pieces : event.kind === 'state-write-sent' ? 1 : 0),
    0,
  );
  return { files: files / completed, pieces: pieces / completed };
}

describe('file merging: what it saves', () => {
  const off = lived('fileMerging: { enabled: false }');
  const within = lived('fileMerging: { enabled: true }');
  const across = lived('fileMerging: { enabled: true, acrossCheckpoints: true, maxFileSize: 64KiB }');

  it('S19: a file for each piece of state, one for each TaskManager, or one for many checkpoints', () => {
    for (const record of [off, within, across]) expect(record.verdict, findings(record)).toBe('passed');
    const { files, pieces } = perCheckpoint(off);
    expect(files).toBe(pieces);
    expect(pieces).toBeGreaterThan(14);
    // Two TaskManagers: the factor is the number of subtasks with state on each.
    expect(perCheckpoint(within).pieces).toBeGreaterThan(14);
    expect(perCheckpoint(within).files).toBe(2);
    expect(perCheckpoint(across).files).toBeLessThan(0.5);
  });

  it('S19: checkpoints are no longer for it', () => {
    const mean = ({ checkpointRecords }: RunRecord): number => {
      const completed = checkpointRecords.filter(({ outcome }) => outcome === 'completed');
      return (
        completed.reduce((sum, { triggeredAtUs, endedAtUs }) => sum + endedAtUs - triggeredAtUs, 0) / completed.length
      );
    };
    expect(mean(within)).toBeLessThan(1.5 * mean(off));
  });
});

describe('file merging: rare paths are reached', () => {
  it('X38: on, off and on again over the runs of a job, each restored from what the one before left', () => {
    const record = liveIt(planOf('file-merging-restores', SWITCHED_SEED), { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    let run = 1;
    const kinds = new Map<number, Set<string>>();
    for (const event of eventsOf(record)) {
      if (event.kind === 'job-submitted') run = event.run;
      if (event.kind !== 'merged-write-sent' && event.kind !== 'state-write-sent') continue;
      if (event.path.includes('/savepoint-')) continue;
      kinds.set(run, (kinds.get(run) ?? new Set()).add(event.kind));
    }
    // Unmerged, merged: of the third run and of the others.
    const merged = [...kinds].map(([of, sent]) => [of, [...sent]] as const);
    expect(merged.filter(([, sent]) => sent.length > 1)).toEqual([]);
    expect(merged.map(([, [sent]]) => sent)).toContain('state-write-sent');
    expect(merged.at(-1)?.[1]).toEqual(['merged-write-sent']);
    expect(merged.length).toBeGreaterThanOrEqual(3);
  });

  it('S19: TaskManagers die with their files, appends fail, files of the dead go; what is retained is whole', () => {
    const record = liveIt(planOf('file-merging', '3'), { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    const events = eventsOf(record);
    const deletedBy = new Set(events.flatMap((event) => (event.kind === 'object-deleted' ? [event.path] : [])));
    expect([...deletedBy].filter((path) => path.endsWith('.merged')).length).toBeGreaterThan(10);
    expect(events.some((event) => event.kind === 'probe' && event.probe === 'merged-append-failed')).toBe(true);
    expect(events.some((event) => event.kind === 'merged-write-sent' && event.pieces > 1)).toBe(true);
  });
});
