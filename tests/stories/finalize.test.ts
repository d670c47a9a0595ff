/** Stories around the moment in which a checkpoint becomes one: metadata, pointer, notice (rows C12, C13, C14, F16, F17, G1). */
import { describe, expect, it } from 'vitest';
import { checkpointOf, restoresOf } from '../support/lives.ts';
import { type Story, story } from './story.ts';

const SECOND = 1_000_000;
/** Three at a time, and nobody repeats an acknowledgement soon. */
const concurrent = (): Story =>
  story({
    engine: (engine) => ({
      ...engine,
      runtime: { ...engine.runtime, requestTimeoutUs: 3 * SECOND },
      checkpoint: { ...engine.checkpoint, maxConcurrent: 3, intervalUs: SECOND, timeoutUs: 8 * SECOND },
    }),
  });

describe('Cluster: finalize', () => {
  it('JobManager crashes when all acknowledgements are in, metadata not written: the checkpoint never was (C12)', () => {
    const record = story().crash('jobmanager-1', { point: 'all-acknowledged', checkpoint: 2 }).passes();
    expect(record.failovers).toBeGreaterThanOrEqual(1);
    expect(checkpointOf(record, 2)?.outcome).not.toBe('completed');
  });

  it('JobManager crashes when the metadata is durable and the pointer is not: files without a pointer are no checkpoint (G1)', () => {
    const record = story().crash('jobmanager-1', { point: 'metadata-write.done', checkpoint: 2 }).passes();
    expect(checkpointOf(record, 2)?.outcome).not.toBe('completed');
  });

  it('JobManager crashes when the pointer is durable and nobody was told: the next leader restores it and sinks commit (G3, K7)', () => {
    const record = story()
      .crash('jobmanager-1', { point: 'pointer-write.done', checkpoint: 2 })
      .shows('restore-chosen')
      .passes();
    expect(restoresOf(record)[1]).toBe(2);
  });

  it('C12: a checkpoint that completes ends an older one that does not', () => {
    const record = concurrent()
      .deafen('taskmanager-1', 'jobmanager-1', 3.1, 0.5)
      .reaches('older-pending-subsumed')
      .passes();
    expect(checkpointOf(record, 3)).toMatchObject({ outcome: 'aborted', reason: 'checkpoint-subsumed' });
    expect(checkpointOf(record, 4)?.outcome).toBe('completed');
  });

  it('C12: a savepoint that completes ends nothing, and is not what is restored', () => {
    const record = concurrent()
      .asks({ kind: 'savepoint', format: 'canonical' }, 3.1)
      .crash('taskmanager-1', 3.5)
      .reaches('savepoint-beside-checkpoint')
      .shows('restore-chosen')
      .passes();
    const [checkpoint, savepoint] = [checkpointOf(record, 3), checkpointOf(record, 4)];
    expect(savepoint).toMatchObject({ type: 'savepoint', outcome: 'completed' });
    expect(checkpoint).toMatchObject({ type: 'checkpoint', outcome: 'completed' });
    expect(checkpoint?.endedAtUs).toBeGreaterThan(savepoint?.endedAtUs ?? Infinity);
    expect(restoresOf(record).slice(0, 2)).toEqual([0, 3]);
  });

  it('C14: the notice of a checkpoint is lost: whoever missed it commits with the next one', () => {
    const record = story()
      .deafen('jobmanager-1', 'taskmanager-1', { point: 'all-acknowledged', checkpoint: 2 }, 1)
      .reaches('commit-of-missed-notice')
      .passes();
    expect(record.restarts).toBe(0);
  });

  it('JobManager crashes before notifying: TaskManagers learn of the completion by recovery only (C14, G4)', () => {
    story().crash('jobmanager-1', { point: 'completed', checkpoint: 3 }).passes();
  });

  it('the reply to the pointer write is lost: asked again, the leader finds its own write, and no file was discarded (C13, F17)', () => {
    const tale = (): Story =>
      story().service('coordination-store', 'unknown-outcome', { point: 'pointer-write.sent', checkpoint: 2 }, 3);
    tale().reaches('pointer-write-unknown').reaches('pointer-write-found-done').passes();
    expect(tale().fails('unknown-write-is-failure')).toContain('retention');
  });

  it('the reply to the metadata write is lost: the same bytes under the same name are found (T5)', () => {
    story().service('object-store', 'unknown-outcome', { point: 'all-acknowledged', checkpoint: 2 }, 2).passes();
  });

  it('the leader sleeps over its lease while it writes the pointer: its write loses against the next leader (F14, F15, B6)', () => {
    const record = story()
      .pause('jobmanager-1', { point: 'pointer-write.sent', checkpoint: 3 }, 12)
      .shows('leadership-lost')
      .passes();
    expect(record.failovers).toBeGreaterThanOrEqual(1);
  });

  it('the leader is cut off from the coordination store: it steps down before another takes over (F14)', () => {
    story().isolate('jobmanager-1', { point: 'triggered', checkpoint: 3 }, 12).shows('leadership-lost').passes();
  });
});
