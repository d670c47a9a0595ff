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
import type { EndOfLife } from '../../../../sim/judges/judge.ts';
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
    expect(verdictsOf(withOrphan(), 'liveness-reached')).toMatchObject([
      { outcome: 'not-live', anomaly: 'orphan-file' },
    ]);
    // A life that was cut off proves nothing about what was still to be deleted.
    expect(verdictsOf(withOrphan(), 'limit')).toMatchObject([{ outcome: 'inconclusive', anomaly: 'cut-short' }]);
  });

  it('a file of a checkpoint that is still being taken, or of another job: no orphan', () => {
    const life = recovered();
    life.world.files.set('checkpoints/job/chk-4/state', new Uint8Array(1));
    life.world.files.set('elsewhere/chk-1/state', new Uint8Array(1));
    expect(life.bench.isSatisfied()).toBe(true);
    expect(anomalies(life)).toEqual(['']);
  });
});

describe('files that nobody needs, when a life ends without a quiet moment', () => {
  const LEFT = `checkpoints/${JOB_ID}/chk-2/left`;
  const LIST_DELAY_US = 10;

  function judged(deletableFromUs: number | undefined, completedUs: readonly number[], isOver = false): Retention {
    const reader = { filesOf: () => [], retained: () => [], newest: () => ({ id: 9 }), floor: 0 };
    const durable = { object: () => new Uint8Array(1), objects: () => [LEFT], leftovers: () => [] };
    const files = { of: () => ({ says: '', at: [] }), deletableFromUs: () => deletableFromUs };
    const options = { jobId: JOB_ID, reader, durable, files, isOver: () => isOver, listDelayUs: LIST_DELAY_US };
    const judge = new Retention(options as unknown as RetentionOptions);
    for (const atUs of completedUs)
      judge.observe({ index: 0, atUs, node: nodeId('j'), event: { kind: 'checkpoint-completed' } } as HistoryEvent);
    return judge;
  }
  const endOf = (judge: Retention, cause: EndOfLife['cause'] = 'liveness-bound'): readonly (string | undefined)[] =>
    judge.finish({ cause, atUs: 999, historyLength: 1 } as EndOfLife).map(({ anomaly }) => anomaly);

  it('I4: what three sweeps have had before them is an orphan, what came behind the first of them is not', () => {
    expect(endOf(judged(100, [50, 110, 200, 300]))).toEqual(['orphan-file']);
    expect(endOf(judged(101, [50, 110, 200, 300]))).toEqual(['']);
    expect(judged(101, [50, 110, 200, 300]).firstOrphan()).toBe(LEFT);
  });

  it('I4: too few sweeps, a file of which nobody knows since when, a job that is over, a quiet moment: an orphan all the same', () => {
    expect(endOf(judged(101, [110, 200]))).toEqual(['orphan-file']);
    expect(endOf(judged(undefined, [110, 200, 300]))).toEqual(['orphan-file']);
    expect(endOf(judged(101, [110, 200, 300], true))).toEqual(['orphan-file']);
    expect(endOf(judged(101, [110, 200, 300]), 'liveness-reached')).toEqual(['orphan-file']);
  });

  it('remembers no more completions than it asks for', () => {
    const many = Array.from({ length: 100 }, (_, index) => index);
    expect(judged(0, many).remembered).toBe(3);
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

  it('what was deleted and came back by a write that was repeated is not left by the disposal', () => {
    const life = handedOut();
    asked(life, 'dispose-savepoint', directory(2));
    for (const path of [statePath(2, 0), statePath(2, 1), metadataPath(2)]) life.remove(path);
    life.put(statePath(2, 0), new Uint8Array(1));
    told(life, 'dispose-savepoint', directory(2));
    expect(anomalies(life)).not.toContain('disposed-file-remains');
  });
});

describe('what a run has claimed of an earlier one', () => {
  const segment = (creator: number): string => `checkpoints/${JOB_ID}/shared/count-0-3-1-${creator}.segment`;
  const LEFT = `checkpoints/${JOB_ID}/chk-2/left`;
  const RUN = { ...FIRST_RUN, run: 2, floor: 2 };
  const OWN = { id: checkpointId(3), metadata: metadataPath(3) };
  const CLAIMED = { id: checkpointId(2), metadata: metadataPath(2), owner: 'claimed' } as const;

  /** Checkpoint 2, of which the first segment is not the run's, then what the run makes of it. Nothing is deleted. */
  class Claim {
    readonly objects = new Set<string>();
    #retained: readonly RetainedCheckpoint[] = [];
    readonly #judge: Retention;
    readonly #filesOf = new Map<number, readonly string[]>([
      [1, [metadataPath(1), segment(1)]],
      [2, [metadataPath(2), segment(1), segment(2)]],
    ]);

    constructor() {
      const reader = {
        filesOf: ({ id }: { readonly id: number }) => this.#filesOf.get(id) ?? [metadataPath(id)],
        ...{ retained: () => this.#retained, newest: () => this.#retained.at(-1), floor: 2 },
      };
      const durable = { object: () => new Uint8Array(1), objects: () => [...this.objects], leftovers: () => [] };
      const options = { jobId: JOB_ID, reader, durable, isOver: () => false } as unknown as RetentionOptions;
      this.#judge = new Retention(options);
    }

    point(completed: readonly RetainedCheckpoint[], job: JobRun, made: readonly string[] = []): this {
      for (const { id } of completed) if (id > 2) this.#filesOf.set(id, [metadataPath(id), ...made]);
      this.#retained = completed;
      const value = encodePointer({ epoch: leaderEpoch(1), completed, job });
      return this.tell({ kind: 'coordination-updated', key: pointerKey(JOB_ID), version: 1, value, by: nodeId('j') });
    }

    tell(event: HistoryEvent['event']): this {
      this.#judge.observe({ index: 1, atUs: 1, node: nodeId('j'), event });
      return this;
    }

    get anomalies(): readonly (string | undefined)[] {
      return this.#judge.finish({ cause: 'limit' } as EndOfLife).map(({ anomaly }) => anomaly);
    }

    /** Of these files, which is an orphan. */
    orphan(...there: readonly string[]): string | undefined {
      this.objects.clear();
      for (const path of there) this.objects.add(path);
      return this.#judge.firstOrphan();
    }
  }

  const ALL = [metadataPath(2), segment(1), segment(2), LEFT];
  const OLD = { id: checkpointId(1), metadata: metadataPath(1) };
  const claim = (): Claim => new Claim().point([OLD], FIRST_RUN).point([CLAIMED], RUN);

  it('and a run that claims nothing begins with a full checkpoint, made of files of its own: foreign-file-used', () => {
    const unclaimed = { ...CLAIMED, owner: 'user' } as const;
    const begun = (fullFirst: boolean): Claim =>
      new Claim().point([OLD], FIRST_RUN).point([unclaimed], { ...RUN, fullFirst });
    const after = { ...RUN, fullFirst: false };
    expect(begun(true).point([OWN], after, [segment(2)]).anomalies).toContain('foreign-file-used');
    expect(begun(true).point([OWN], after, [segment(3)]).anomalies).not.toContain('foreign-file-used');
    expect(begun(false).point([OWN], after, [segment(2)]).anomalies).not.toContain('foreign-file-used');
    expect(claim().point([OWN], after, [segment(2)]).anomalies).not.toContain('foreign-file-used');
  });

  it('stays while the pointer names it, and what was never the run’s stays in any case', () => {
    expect(claim().orphan(...ALL)).toBeUndefined();
    expect(claim().point([OWN], RUN).orphan(metadataPath(1), segment(1))).toBeUndefined();
    const user = new Claim().point([{ ...CLAIMED, owner: 'user' }], { ...FIRST_RUN, run: 2, floor: 2 });
    expect(user.point([OWN], { ...FIRST_RUN, run: 2, floor: 2 }).orphan(...ALL)).toBeUndefined();
  });

  it('is an orphan when nothing retained is made of it, whoever leads: segments, directory and `_metadata`', () => {
    const dropped = claim()
      .point([OWN], RUN)
      .tell({ kind: 'leadership-acquired', epoch: leaderEpoch(2) });
    for (const path of [segment(2), LEFT, metadataPath(2)]) expect(dropped.orphan(path)).toBe(path);
  });

  it('what else an earlier run left is an orphan, when a checkpoint that is newer is retained', () => {
    const stray = segment(0);
    for (const path of [stray, `checkpoints/${JOB_ID}/chk-1/late`]) {
      const isOfUser = path !== stray;
      expect(claim().point([OWN], RUN).orphan(path)).toBe(isOfUser ? undefined : path);
      expect(new Claim().point([OWN], { ...FIRST_RUN, run: 2, floor: 2 }).orphan(path)).toBe(path);
    }
  });

  it('the run is over: what its checkpoints are made of is kept with them, the rest goes, when the next run has begun, too', () => {
    const ended = { status: 'canceled', by: 'c' } as const;
    const over = (): Claim =>
      claim()
        .point([OWN], RUN, [segment(2)])
        .point([OWN], { ...RUN, ended }, [segment(2)]);
    expect(over().orphan(segment(2))).toBeUndefined();
    expect(over().orphan(metadataPath(2), segment(2))).toBe(metadataPath(2));
    const none = over().point([], { ...RUN, ended });
    const next = { ...FIRST_RUN, run: 3, floor: 3 };
    const NEXT = { id: checkpointId(4), metadata: metadataPath(4) };
    // Kept for its user; the next run does not own it.
    expect(over().point([NEXT], next).orphan(segment(2))).toBeUndefined();
    expect(none.point([NEXT], next).orphan(segment(2))).toBe(segment(2));
    const kept = claim()
      .point([CLAIMED], { ...RUN, ended })
      .point([NEXT], next);
    expect(kept.orphan(...ALL)).toBeUndefined();
  });
});
