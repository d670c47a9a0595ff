/** Each limit of checkpoints at its very edge: what keeps it is silent, what is one beyond is a finding. */
import { describe, expect, it } from 'vitest';
import { checkpointId, leaderEpoch } from '../../../../engine/foundation/ids.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { CheckpointLimits, mayRefuseIds } from '../../../../sim/judges/checkpoint-limits.ts';
import { Findings } from '../../../../sim/judges/findings.ts';
import { ALIGNED } from '../../../support/engine-values.ts';
import { planOf } from '../../../support/lives.ts';

const { engine } = planOf('quickstart', '1');
const INTERVAL_US = 1_000;
const PAUSE_US = 400;
const TIMEOUT_US = 5_000;

class Told {
  atUs = 0;
  readonly #findings = new Findings('bounds');
  readonly #judge: CheckpointLimits;
  #id = 0;

  constructor(options: object = {}, scheduler: object = engine.scheduler, mayRefuse = false) {
    const own = {
      intervalUs: INTERVAL_US,
      minPauseUs: PAUSE_US,
      timeoutUs: TIMEOUT_US,
      savepointTimeoutUs: 2 * TIMEOUT_US,
    };
    const limits = { maxConcurrent: 1, tolerableFailures: 1 };
    const checkpoint = { ...engine.checkpoint, ...own, ...limits, ...options };
    this.#judge = new CheckpointLimits({ ...engine, checkpoint, scheduler } as never, this.#findings, mayRefuse);
    this.tell({ kind: 'leadership-acquired', epoch: leaderEpoch(1) }).tell({ kind: 'job-status', status: 'running' });
  }

  tell(event: object): this {
    this.#judge.observe({ index: 5, atUs: this.atUs, node: 'jobmanager-1', event } as unknown as HistoryEvent);
    return this;
  }

  wait(us: number): this {
    this.atUs += us;
    return this;
  }

  trigger({ epoch = 1, savepoint = '', snapshot = 'checkpoint' } = {}): this {
    this.#id += 1;
    const of = { checkpointId: checkpointId(this.#id), epoch: leaderEpoch(epoch), options: { ...ALIGNED, snapshot } };
    return this.tell({ kind: 'checkpoint-triggered', ...of, ...(savepoint === '' ? {} : { savepoint }) });
  }

  complete(kind = 'checkpoint-completed', id = this.#id): this {
    return this.tell({ kind, checkpointId: checkpointId(id) });
  }

  abort(reason = 'checkpoint-declined', id = this.#id): this {
    return this.tell({ kind: 'checkpoint-aborted', checkpointId: checkpointId(id), reason });
  }

  restart(cause = 'checkpoint-failures'): this {
    return this.tell({ kind: 'restart-scheduled', cause });
  }

  get remembered(): number {
    return this.#judge.remembered;
  }

  get findings(): readonly string[] {
    return this.#findings.verdicts('').map(({ anomaly }) => anomaly);
  }
}

const NONE = [''];
/** With time enough behind it, and a checkpoint, behind which failures are counted. */
const unhurried = (options: object = {}): Told =>
  new Told({ intervalUs: 1, minPauseUs: 0, ...options }).wait(9_000_000).trigger().complete();

describe('pending checkpoints', () => {
  it('one more than may be: too-many-pending; savepoints are forced, and count', () => {
    expect(unhurried({ maxConcurrent: 2 }).trigger().trigger().findings).toEqual(NONE);
    expect(unhurried({ maxConcurrent: 2 }).trigger().trigger().trigger().findings).toEqual(['too-many-pending']);
    expect(unhurried().trigger().trigger({ savepoint: 's' }).findings).toEqual(NONE);
    expect(unhurried().trigger({ savepoint: 's' }).trigger().findings).toEqual(['too-many-pending']);
  });

  it('what has ended is not pending, nor is what a leader before had begun', () => {
    expect(unhurried().trigger().complete().trigger().abort('checkpoint-subsumed').trigger().findings).toEqual(NONE);
    const next = unhurried()
      .trigger()
      .tell({ kind: 'leadership-acquired', epoch: leaderEpoch(2) });
    expect(next.trigger({ epoch: 2 }).findings).toEqual(NONE);
    expect(next.trigger({ epoch: 1 }).findings).toEqual(NONE);
    expect(next.remembered).toBe(1);
  });
});

describe('the minimum pause', () => {
  it.each(['checkpoint-completed', 'savepoint-completed'])(
    'behind %s it is over, or it is not: triggered-too-soon',
    (kind) => {
      const told = (us: number): Told =>
        new Told({ intervalUs: 1 }).wait(9_000).trigger().complete(kind).wait(us).trigger();
      expect(told(PAUSE_US).findings).toEqual(NONE);
      expect(told(PAUSE_US - 1).findings).toEqual(['triggered-too-soon']);
    },
  );

  it('holds up no savepoint, nothing that is wished for, and says nothing where several may be pending, or of a leader before', () => {
    const behind = (options: object = {}, scheduler?: object): Told =>
      new Told({ intervalUs: 1, ...options }, scheduler).wait(9_000).trigger().complete();
    expect(behind().trigger({ savepoint: 's' }).findings).toEqual(NONE);
    expect(behind().tell({ kind: 'end-of-data-reached' }).trigger().findings).toEqual(NONE);
    expect(behind().tell({ kind: 'operation-requested', operation: 'checkpoint' }).trigger().findings).toEqual(NONE);
    expect(behind().tell({ kind: 'operation-requested', operation: 'savepoint' }).trigger().findings).toEqual([
      'triggered-too-soon',
    ]);
    expect(behind({ maxConcurrent: 2 }).trigger().findings).toEqual(NONE);
    expect(behind({}, { mode: 'adaptive' }).trigger().findings).toEqual(NONE);
    const next = behind().tell({ kind: 'leadership-acquired', epoch: leaderEpoch(2) });
    expect(next.trigger({ epoch: 2 }).findings).toEqual(NONE);
  });
});

describe('the interval', () => {
  const often = (times: number, apartUs: number, options: object = {}): Told => {
    const told = new Told({ minPauseUs: 0, ...options });
    for (let time = 0; time < times; time += 1) told.trigger().complete().wait(apartUs);
    return told;
  };

  it('is kept: silent, two ahead of it as well; three ahead: triggered-too-often', () => {
    expect(often(20, INTERVAL_US).findings).toEqual(NONE);
    expect(often(2, 0).findings).toEqual(NONE);
    expect(often(3, 0).findings).toEqual(['triggered-too-often']);
    expect(often(20, INTERVAL_US / 2).findings[0]).toBe('triggered-too-often');
  });

  it('counts from the beginning when the job begins to run again, and goes by the shorter one of two', () => {
    expect(often(2, 0).tell({ kind: 'job-status', status: 'running' }).trigger().findings).toEqual(NONE);
    expect(often(20, INTERVAL_US / 2, { intervalDuringBacklogUs: INTERVAL_US / 2 }).findings).toEqual(NONE);
    expect(often(20, INTERVAL_US, { intervalDuringBacklogUs: 0 }).findings).toEqual(NONE);
  });
});

describe('failures in a row', () => {
  const failed = (times: number): Told => {
    const told = unhurried();
    for (let time = 0; time < times; time += 1) told.trigger().abort();
    return told;
  };

  it('as many as may be tolerated: silent; one more, and the next one is triggered: tolerated-too-many', () => {
    expect(failed(1).trigger().findings).toEqual(NONE);
    expect(failed(2).trigger().findings).toEqual(['tolerated-too-many']);
    expect(failed(2).restart().trigger().findings).toEqual(NONE);
    expect(failed(1).trigger().complete().trigger().abort().trigger().findings).toEqual(NONE);
  });

  it('the job restarts for as many as it may tolerate: failed-too-soon', () => {
    expect(failed(2).restart().findings).toEqual(NONE);
    expect(failed(1).restart().findings).toEqual(['failed-too-soon']);
    expect(failed(1).restart('task-exception').findings).toEqual(NONE);
    expect(failed(2).restart().restart().findings).toEqual(['failed-too-soon']);
  });

  it('the savepoint of a stop fails the job, for whatever reason a task has, and leaves the count as it is (I6)', () => {
    const stop = { savepoint: 's', snapshot: 'suspend-savepoint' };
    const stopped = (times: number): Told =>
      failed(times).trigger(stop).abort('checkpoint-declined-task-closing').restart();
    expect(stopped(0).findings).toEqual(NONE);
    expect(stopped(0).wait(1).restart().findings).toEqual(['failed-too-soon']);
    expect(stopped(1).wait(1).trigger().abort().restart().findings).toEqual(NONE);
    expect(stopped(1).wait(1).trigger().abort().trigger().findings).toEqual(['tolerated-too-many']);
    expect(failed(0).trigger(stop).abort().wait(1).trigger().abort().restart().findings).toEqual(['failed-too-soon']);
  });

  it('what failed before the job was submitted again does not count', () => {
    expect(failed(2).tell({ kind: 'job-submitted' }).trigger().findings).toEqual(NONE);
    expect(failed(2).tell({ kind: 'job-submitted' }).restart().findings).toEqual(['failed-too-soon']);
  });

  it('one whose id was never confirmed may be among them: that takes a request, and room', () => {
    const { requestTimeoutUs } = engine.runtime;
    expect(failed(1).wait(requestTimeoutUs).restart().findings).toEqual(NONE);
    expect(
      failed(1)
        .wait(requestTimeoutUs - 1)
        .restart().findings,
    ).toEqual(['failed-too-soon']);
    expect(failed(1).wait(requestTimeoutUs).trigger().abort().restart().findings).toEqual(NONE);
    const full = unhurried()
      .trigger()
      .wait(9 * requestTimeoutUs)
      .abort();
    expect(full.restart().findings).toEqual(['failed-too-soon']);
  });

  it('an id that was being taken when one completed may fail behind it, where there was room for it', () => {
    const oneFails = (told: Told): readonly string[] => told.trigger().abort().restart().findings;
    expect(oneFails(unhurried({ maxConcurrent: 2 }).trigger().complete())).toEqual(NONE);
    expect(oneFails(unhurried().trigger().complete())).toEqual(['failed-too-soon']);
  });

  it('where ids may be refused at once nobody knows how many were, as long as there is room for one', () => {
    const refused = (): Told =>
      new Told({ minPauseUs: 0 }, engine.scheduler, true).wait(9_000_000).trigger().complete();
    expect(refused().trigger().abort().wait(1).restart().findings).toEqual(NONE);
    const plan = planOf('limits-of-checkpoints', '1');
    const by = (faults: readonly object[], kind = 'lease-store'): boolean =>
      mayRefuseIds({ faults: faults as never, engine: { highAvailability: { kind } as never } });
    const service = { kind: 'service', node: 'coordination-store', effect: 'fail' };
    expect(mayRefuseIds(plan)).toBe(false);
    expect([by([service]), by([{ ...service, effect: 'slow' }]), by([{ ...service, node: 'sink-store' }])]).toEqual([
      true,
      false,
      false,
    ]);
    expect([by([{ kind: 'reset' }], 'zookeeper'), by([], 'zookeeper'), by([{ kind: 'reset' }])]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('what does not count, a savepoint, and what is older than the newest success', () => {
    expect(failed(1).trigger().abort('checkpoint-subsumed').trigger().findings).toEqual(NONE);
    expect(failed(1).trigger({ savepoint: 's' }).abort().trigger().findings).toEqual(NONE);
    expect(failed(1).trigger({ savepoint: 's' }).abort().restart().findings).toEqual(NONE);
    const stop = { savepoint: 's', snapshot: 'suspend-savepoint' };
    expect(unhurried().trigger(stop).abort().restart().findings).toEqual(NONE);
    const older = unhurried({ maxConcurrent: 9 }).trigger().trigger().trigger().complete('checkpoint-completed', 4);
    expect(older.abort('checkpoint-declined', 2).abort('checkpoint-declined', 3).trigger().findings).toEqual(NONE);
  });
});

describe('the time-out', () => {
  it('is over: silent; is not: expired-too-soon', () => {
    const expired = (us: number, of?: object): readonly string[] =>
      unhurried().trigger(of).wait(us).abort('checkpoint-expired').findings;
    expect(expired(TIMEOUT_US)).toEqual(NONE);
    expect(expired(TIMEOUT_US - 1)).toEqual(['expired-too-soon']);
    expect(expired(2 * TIMEOUT_US, { savepoint: 's' })).toEqual(NONE);
    expect(expired(TIMEOUT_US, { savepoint: 's' })).toEqual(['expired-too-soon']);
  });
});
