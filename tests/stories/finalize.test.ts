/** Stories around the moment in which a checkpoint becomes one: metadata, pointer, notice (rows C12, C13, F16, F17, G1). */
import { describe, expect, it } from 'vitest';
import { story } from './story.ts';

describe('Cluster: finalize', () => {
  it('JobManager crashes when all acknowledgements are in, metadata not written: the checkpoint never was (C12)', () => {
    const record = story().crash('jobmanager-1', { point: 'all-acknowledged', checkpoint: 2 }).passes();
    expect(record.failovers).toBeGreaterThanOrEqual(1);
    expect(record.checkpointRecords.find(({ checkpointId }) => checkpointId === 2)?.outcome).not.toBe('completed');
  });

  it('JobManager crashes when the metadata is durable and the pointer is not: files without a pointer are no checkpoint (G1)', () => {
    const record = story().crash('jobmanager-1', { point: 'metadata-write.done', checkpoint: 2 }).passes();
    expect(record.checkpointRecords.find(({ checkpointId }) => checkpointId === 2)?.outcome).not.toBe('completed');
  });

  it('JobManager crashes when the pointer is durable and nobody was told: the next leader restores it and sinks commit (G3, K7)', () => {
    const record = story()
      .crash('jobmanager-1', { point: 'pointer-write.done', checkpoint: 2 })
      .shows('restore-chosen')
      .passes();
    const restored = record.history.filter(({ event }) => event.kind === 'restore-chosen').at(1)?.event;
    expect(restored).toMatchObject({ kind: 'restore-chosen', checkpointId: 2 });
  });

  it('JobManager crashes before notifying: TaskManagers learn of the completion by recovery only (C14, G4)', () => {
    story().crash('jobmanager-1', { point: 'completed', checkpoint: 3 }).passes();
  });

  it('the reply to the pointer write is lost: asked again, the leader finds its own write (F17)', () => {
    story()
      .service('coordination-store', 'unknown-outcome', { point: 'pointer-write.sent', checkpoint: 2 }, 3)
      .reaches('pointer-write-unknown')
      .reaches('pointer-write-found-done')
      .passes();
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
