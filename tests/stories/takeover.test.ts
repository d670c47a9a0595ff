/** What a leader finds that its predecessor left, and what it must not do about it (rows C8, C17, C19, F13). */
import { describe, expect, it } from 'vitest';
import { eventsOf, restoresOf } from '../support/lives.ts';
import { type Story, story } from './story.ts';

describe('Cluster: another leader', () => {
  it('C8: takes no id again that one before had taken, whatever became of its checkpoint', () => {
    const tale = (): Story => story().crash('jobmanager-1', { point: 'all-acknowledged', checkpoint: 2 });
    const record = tale().passes({ keepHistory: true });
    const ids = eventsOf(record).flatMap((event) =>
      event.kind === 'checkpoint-triggered' ? [event.checkpointId as number] : [],
    );
    expect(restoresOf(record).slice(0, 2)).toEqual([0, 1]);
    expect(ids.slice(0, 3)).toEqual([1, 2, 3]);
    expect(tale().fails('ids-from-newest-checkpoint')).toContain('checkpoint-lifecycle');
  });

  it('C19: cannot read the newest checkpoint: it waits until it can, and takes no older one', () => {
    const tale = (): Story =>
      story({ engine: (engine) => ({ ...engine, checkpoint: { ...engine.checkpoint, retained: 3 } }) })
        .crash('jobmanager-1', { point: 'completed', checkpoint: 3 }, 3)
        .service('object-store', 'unavailable', { point: 'completed', checkpoint: 3 }, 9);
    const record = tale().reaches('retained-metadata-unreadable').passes({ keepHistory: true });
    expect(restoresOf(record).slice(0, 2)).toEqual([0, 3]);
    expect(tale().fails('unreadable-checkpoint-skipped')).toContain('checkpoint-lifecycle');
  });

  it.each(['jobmanager-crash-before-notify', 'zookeeper-jobmanager-crash', 'kubernetes-jobmanager-crash'])(
    'F13: whatever it is that remembers, a pointer that was moved is found by the next leader (%s)',
    (scenario) => {
      const record = story({ scenario })
        .crash('jobmanager-1', { point: 'pointer-write.done', checkpoint: 2 })
        .crash('jobmanager-2', { point: 'pointer-write.done', checkpoint: 2 })
        .passes({ keepHistory: true });
      expect(restoresOf(record).slice(0, 2)).toEqual([0, 2]);
    },
  );

  it('C17: a leader that is suspended deletes nothing, though nothing is to be kept of a job that is over', () => {
    const record = story({
      engine: (engine) => ({ ...engine, checkpoint: { ...engine.checkpoint, retention: 'no-externalized' } }),
    })
      .pause('jobmanager-1', { point: 'completed', checkpoint: 3 }, 12)
      .shows('leadership-lost')
      .passes({ keepHistory: true });
    expect(restoresOf(record).slice(0, 2)).toEqual([0, 3]);
  });
});
