/** Files that checkpoints have in common, one retained: nobody deletes what another one uses (rows C7, C9, C16, C26, G5). */
import { describe, expect, it } from 'vitest';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { eventsOf } from '../support/lives.ts';
import { type Story, story } from './story.ts';

const SECOND = 1_000_000;
const keep = { keepHistory: true } as const;
const NATIVE = { kind: 'savepoint', format: 'native' } as const;

/** Segments are shared, and every piece of state is a file. */
const shared = (checkpointing: Partial<SimulationPlan['engine']['checkpoint']> = {}): Story =>
  story({
    scenario: 'lsm-incremental',
    engine: (engine) => ({ ...engine, checkpoint: { ...engine.checkpoint, ...checkpointing } }),
  });
const ids = (record: RunRecord, outcome: string): number[] =>
  record.checkpointRecords.filter((one) => one.outcome === outcome).map(({ checkpointId }) => checkpointId);

describe('Cluster: shared files', () => {
  it('C7: restored without claim: checkpoints use nothing of the snapshot until one is in the store, not until one was triggered', () => {
    const record = shared({ timeoutUs: 1.2 * SECOND, tolerableFailures: 9, maxConcurrent: 1 })
      .asks({ kind: 'cancel', thenResume: { from: 'what-it-left', claimMode: 'no-claim', allowNonRestored: false } }, 5)
      .pause('taskmanager-1', 5.2, 2)
      .reaches('full-checkpoint-forced')
      .passes(keep);
    const sharing = new Map(
      eventsOf(record).flatMap((event) =>
        event.kind === 'checkpoint-triggered' ? [[event.checkpointId as number, event.options.sharing] as const] : [],
      ),
    );
    // The first of the new run expires.
    expect(ids(record, 'aborted')).toContain(9);
    expect([9, 10, 11].map((id) => sharing.get(id))).toEqual(['forward', 'forward', undefined]);
  });

  it('C9, G5: files of a checkpoint that has expired are registered all the same: the task may build on them', () => {
    const tale = (): Story =>
      shared({ timeoutUs: 1.2 * SECOND, tolerableFailures: 9, maxConcurrent: 1 }).pause(
        'taskmanager-1',
        { point: 'acknowledge.sent', checkpoint: 8, vertex: 2 },
        2,
      );
    const record = tale().reaches('shared-files-registered-late').passes(keep);
    expect(ids(record, 'aborted')).toContain(8);
    expect(tale().fails('abort-discards-reused-files')).toContain('retention');
  });

  it('C16: a savepoint lets no checkpoint go, the next one builds on it', () => {
    const tale = (): Story => shared().asks(NATIVE, 9);
    tale().shows('savepoint-completed').passes();
    expect(tale().fails('savepoint-subsumes-base')).toContain('retention');
  });

  it('C26: no checkpoint uses a file of a savepoint: it is disposed of, and a restore finds everything', () => {
    const record = shared()
      .asks(NATIVE, 8)
      .asks({ kind: 'dispose-savepoint' }, 10)
      .crash('taskmanager-1', 12)
      .passes(keep);
    const events = eventsOf(record);
    const answered = events.flatMap((event) => (event.kind === 'operation-answered' ? [event.outcome] : []));
    expect(answered).toEqual(['done', 'done']);
    const written = new Set<string>();
    for (const event of events) {
      if (!('path' in event) || !event.path.includes('/savepoint-')) continue;
      if (event.kind === 'object-stored') written.add(event.path);
      if (event.kind === 'object-deleted') written.delete(event.path);
    }
    expect([...written]).toEqual([]);
    expect(record.restarts).toBeGreaterThanOrEqual(1);
  });
});
