import { parse } from 'csv-parse/sync';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CSV_TABLES, csvColumnsDocument, csvHeader, csvRows } from '../../../reports/index.ts';
import { lifeFigures, SUBTASK_RECORDS } from './life-fixture.ts';

const lives = [
  lifeFigures({ subtaskRecords: SUBTASK_RECORDS }),
  lifeFigures({ seed: 'a,"b"\nc', verdict: 'violated', duplicates: true, signature: 'x/y' }),
];

function roundTrip(file: string): Record<string, string>[] {
  const table = CSV_TABLES.find((one) => one.file === file);
  if (table === undefined) throw new Error(`no table ${file}`);
  return parse(csvHeader(table) + csvRows(table, lives), { columns: true }) as Record<string, string>[];
}

describe('CSV tables', () => {
  it('lives.csv: comes back from a CSV parser as it was, truth values as true and false', () => {
    const rows = roundTrip('lives.csv');
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      seed: '1',
      has_duplicates: 'false',
      latency_p50_us: '1500',
      faults_planned: '2',
      faults_effective: '1',
    });
    expect(rows[1]).toMatchObject({ seed: 'a,"b"\nc', has_duplicates: 'true', verdict: 'violated', signature: 'x/y' });
  });

  it('checkpoints.csv: an aborted checkpoint has a reason and no duration', () => {
    const rows = roundTrip('checkpoints.csv');
    expect(rows).toHaveLength(6);
    expect(rows[0]).toMatchObject({
      checkpoint_id: '1',
      outcome: 'completed',
      duration_us: '200001',
      triggered_at_us: '4000000',
      state_bytes: '3000',
    });
    expect(rows[1]).toMatchObject({ outcome: 'aborted', reason: 'checkpoint-declined', duration_us: '' });
  });

  it('7.2: subtasks.csv: who has not acknowledged has a place and no figures', () => {
    const rows = roundTrip('subtasks.csv');
    expect(rows).toHaveLength(6);
    expect(rows[0]).toMatchObject({
      checkpoint_id: '1',
      task: 'count <b>',
      subtask: '0',
      status: 'completed',
      end_to_end_us: '5000',
      start_delay_us: '1',
      async_us: '3000',
      unaligned: 'false',
    });
    expect(rows[3]).toMatchObject({ checkpoint_id: '2', subtask: '1', status: 'pending_or_failed', attempt: '8' });
    for (const name of ['acknowledged_at_us', 'end_to_end_us', 'sync_us', 'state_bytes', 'unaligned'])
      expect(rows[3]?.[name], name).toBe('');
  });

  it('faults.csv: a fault that never started has no times', () => {
    const rows = roundTrip('faults.csv');
    expect(rows[0]).toMatchObject({ started: 'true', effective: 'true', started_at_us: '5000000' });
    expect(rows[1]).toMatchObject({
      started: 'false',
      effective: 'false',
      started_at_us: '',
      ended_at_us: '',
      target: 'taskmanager-2, "x"',
    });
  });

  it('every row has a cell for every column', () => {
    for (const table of CSV_TABLES) {
      for (const cells of lives.flatMap(table.cells)) expect(cells, table.file).toHaveLength(table.columns.length);
    }
  });

  it('docs/csv-columns.md is current', () => {
    expect(readFileSync('docs/csv-columns.md', 'utf8'), 'write csvColumnsDocument() to docs/csv-columns.md').toBe(
      csvColumnsDocument(),
    );
  });
});
