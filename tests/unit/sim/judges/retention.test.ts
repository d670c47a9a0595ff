/** Retention (judge 5): each way in which a file goes too early, or stays too long, on a minimal history; the right one is silent. */
import { describe, expect, it } from 'vitest';
import { checkpointId, leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import {
  encodePointer,
  FIRST_RUN,
  type JobRun,
  pointerKey,
  type RetainedCheckpoint,
} from '../../../../engine/protocol/checkpoint-pointer.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { Retention, type RetentionOptions } from '../../../../sim/judges/retention.ts';
import type { Verdict } from '../../../../sim/judges/verdict.ts';
import { JOB_ID, KEYS, metadataPath, REST, rightLife, SmallLife, statePath } from './small-life.ts';

const verdictsOf = (life: SmallLife, cause: Parameters<SmallLife['end']>[0] = 'liveness-bound'): Verdict[] =>
  life.end(cause).filter(({ judge }) => judge === 'retention');
const anomalies = (life: SmallLife): string[] => verdictsOf(life).map(({ anomaly }) => anomaly);

function recovered(): SmallLife {
  const life = rightLife();
  life.checkpoint({ id: 3, offsets: [4, 4] });
  life.commit('out-0-3-2', REST);
  return life;
}

function pointAt(life: SmallLife, completed: readonly RetainedCheckpoint[]): number {
  const value = encodePointer({ epoch: leaderEpoch(1), completed });
  life.world.values.set(pointerKey(JOB_ID), value);
  return life.tell({ kind: 'coordination-updated', key: pointerKey(JOB_ID), version: 9, value, by: nodeId('j') });
}

const directory = (id: number): string => metadataPath(id).slice(0, -'/_metadata'.length);
const asked = (life: SmallLife, operation: string, location: string): number =>
  life.tell({ kind: 'operation-requested', operation, triggerId: 't', location });
const told = (life: SmallLife, operation: string, location: string): number =>
  life.tell({ kind: 'operation-answered', operation, triggerId: 't', outcome: 'done', reason: '', location });

describe('retained checkpoints', () => {
  it('are complete as long as the pointer names them: passed', () => {
    expect(anomalies(recovered())).toEqual(['']);
  });

  it('the pointer names one without its files: retained-file-missing', () => {
    const life = new SmallLife(KEYS);
    life.lead(1);
    life.trigger(1);
    life.store({ id: 1, offsets: [0, 0] });
    life.world.files.delete(statePath(1, 0));
    const at = life.point(1);
    expect(verdictsOf(life)).toMatchObject([{ anomaly: 'retained-file-missing', at: [at] }]);
  });

  it.each([metadataPath(2), statePath(2, 1)])('%s of one deleted: retained-file-missing', (path) => {
    const life = rightLife();
    const at = life.remove(path);
    expect(verdictsOf(life)[0]).toMatchObject({ anomaly: 'retained-file-missing', at: [at] });
  });

  it('files of one that the pointer has dropped may go', () => {
    const life = recovered();
    life.world.files.set(statePath(2, 1), new Uint8Array(1));
    life.remove(statePath(2, 1));
    expect(anomalies(life)).toEqual(['']);
  });
});

describe('files that nobody needs', () => {
  it.each(['chk-2/left-over', 'stray'])('%s at the end: orphan-file, not live', (name) => {
    const withOrphan = (): SmallLife => {
      const life = recovered();
      life.world.files.set(`checkpoints/job/${name}`, new Uint8Array(1));
      expect(life.bench.isSatisfied()).toBe(false);
      return life;
    };
    for (const cause of ['liveness-bound', 'liveness-reached'] as const)
      expect(verdictsOf(withOrphan(), cause)).toMatchObject([{ outcome: 'not-live', anomaly: 'orphan-file' }]);
    // A life that was cut off proves nothing about what was still to be deleted.
    expect(verdictsOf(withOrphan(), 'limit')).toMatchObject([{ outcome: 'passed' }]);
  });

  it('a file of a checkpoint that is still being taken, or of another job: no orphan', () => {
    const life = recovered();
    life.world.files.set('checkpoints/job/chk-4/state', new Uint8Array(1));
    life.world.files.set('elsewhere/chk-1/state', new Uint8Array(1));
    expect(life.bench.isSatisfied()).toBe(true);
    expect(anomalies(life)).toEqual(['']);
  });
});

describe('snapshots of users', () => {
  /** Checkpoint 2 is what a client was told of when it canceled the job; the pointer goes on without it. */
  function handedOut(): SmallLife {
    const life = rightLife();
    told(life, 'cancel', directory(2));
    pointAt(life, []);
    return life;
  }

  it('a file of one that a client was told of is deleted: savepoint-lost', () => {
    const life = handedOut();
    const at = life.remove(statePath(2, 0));
    const [verdict] = verdictsOf(life);
    expect(verdict).toMatchObject({ outcome: 'violated', anomaly: 'savepoint-lost' });
    expect(verdict?.at.at(-1)).toBe(at);
  });

  it('after its user has disposed of it, or a run has claimed it, it may go', () => {
    const disposed = handedOut();
    asked(disposed, 'dispose-savepoint', directory(2));
    disposed.remove(statePath(2, 0));
    expect(anomalies(disposed)).not.toContain('savepoint-lost');
    const claimed = handedOut();
    pointAt(claimed, [{ id: checkpointId(2), metadata: metadataPath(2), owner: 'claimed' }]);
    pointAt(claimed, []);
    claimed.remove(statePath(2, 0));
    expect(anomalies(claimed)).not.toContain('savepoint-lost');

    // A client that heard of the end of the run before, late, does not get back what the next one has claimed.
    const late = rightLife();
    pointAt(late, [{ id: checkpointId(2), metadata: metadataPath(2), owner: 'claimed' }]);
    told(late, 'stop-with-savepoint', directory(2));
    pointAt(late, []);
    late.remove(statePath(2, 0));
    expect(anomalies(late)).not.toContain('savepoint-lost');
  });

  it('one that a run was restored from and did not claim stays when the pointer drops it: foreign-snapshot-touched', () => {
    const life = rightLife();
    pointAt(life, [{ id: checkpointId(2), metadata: metadataPath(2), owner: 'user' }]);
    pointAt(life, []);
    life.remove(metadataPath(2));
    expect(anomalies(life)).toContain('foreign-snapshot-touched');
  });

  it('a disposed one that left a file: disposed-file-remains', () => {
    const life = handedOut();
    asked(life, 'dispose-savepoint', directory(2));
    life.remove(statePath(2, 0));
    const at = told(life, 'dispose-savepoint', directory(2));
    expect(verdictsOf(life)).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ anomaly: 'disposed-file-remains', at: [at] })]),
    );
  });
});

describe('shared files of an earlier run', () => {
  const SEGMENT = `checkpoints/${JOB_ID}/shared/count-0-3-1-2.segment`;
  /** A run that began behind checkpoint 2 is made of a segment of it, then, with checkpoint 4, no more. */
  const left = (changes: Partial<JobRun>, between?: HistoryEvent['event']): string | undefined => {
    const retained = [{ id: checkpointId(4), metadata: metadataPath(4) }];
    const reader = {
      filesOf: ({ id }: { readonly id: number }) => (id < 4 ? [SEGMENT] : []),
      ...{ retained: () => retained, newest: () => retained[0], floor: 2 },
    };
    const durable = { object: () => new Uint8Array(1), objects: () => [SEGMENT], leftovers: () => [] };
    const options = { jobId: JOB_ID, reader, durable, isOver: () => false } as unknown as RetentionOptions;
    const judge = new Retention(options);
    const tell = (event: HistoryEvent['event']): void => judge.observe({ index: 1, atUs: 1, node: nodeId('j'), event });
    const job = { ...FIRST_RUN, run: 2, floor: 2, ...changes };
    for (const id of [3, 4]) {
      const completed = [{ id: checkpointId(id), metadata: metadataPath(id) }];
      const value = encodePointer({ epoch: leaderEpoch(1), completed, job });
      tell({ kind: 'coordination-updated', key: pointerKey(JOB_ID), version: id, value, by: nodeId('j') });
      if (id === 3 && between !== undefined) tell(between);
    }
    return judge.firstOrphan();
  };

  it('that the run has claimed, and that nothing is made of any more: an orphan', () => {
    expect(left({ notClaimed: 0 })).toBe(SEGMENT);
  });

  it('that it has not claimed, or that its leader never needed: no orphan', () => {
    expect(left({})).toBeUndefined();
    expect(left({ notClaimed: 2 })).toBeUndefined();
    expect(left({ notClaimed: 0 }, { kind: 'leadership-acquired', epoch: leaderEpoch(2) })).toBeUndefined();
    expect(left({ notClaimed: 0 }, { kind: 'object-deleted', path: SEGMENT })).toBeUndefined();
  });
});
