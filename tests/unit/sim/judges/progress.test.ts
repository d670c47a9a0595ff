/** Progress: each thing that may be missing is named; all there, it is satisfied. */
import { describe, expect, it } from 'vitest';
import { leaderEpoch, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { encodeResult, resultKey } from '../../../../engine/protocol/job-result.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';
import { Progress } from '../../../../sim/judges/progress.ts';
import type { Verdict } from '../../../../sim/judges/verdict.ts';
import { countGraph, JOB_ID, KEYS, REST, rightLife, SMALL_PLAN, SmallLife, SmallWorld } from './small-life.ts';

const verdictsOf = (life: SmallLife, cause: Parameters<SmallLife['end']>[0]): Verdict[] =>
  life.end(cause).filter(({ judge }) => judge === 'progress');

function recovered(): SmallLife {
  const life = rightLife();
  life.checkpoint({ id: 3, offsets: [4, 4] });
  life.commit('out-0-3-2', REST);
  return life;
}

describe('progress', () => {
  it('everything there: satisfied and passed, whatever ended the life', () => {
    const life = recovered();
    expect(life.bench.isSatisfied()).toBe(true);
    for (const cause of ['liveness-reached', 'quiescent', 'liveness-bound'] as const) {
      expect(verdictsOf(life, cause)).toMatchObject([{ outcome: 'passed' }]);
    }
  });

  it.each<[string, (life: SmallLife) => void]>([
    [
      'no-job-running',
      (life) => life.tell({ kind: 'job-status', epoch: leaderEpoch(2), status: 'restarting', jobAttempt: 1 }),
    ],
    [
      'open-transaction',
      (life) => {
        life.world.open = [{ transaction: 't', producer: 'out-0', producerEpoch: 1, preCommitted: false, records: 1 }];
      },
    ],
  ])('%s: not live', (anomaly, spoil) => {
    const life = recovered();
    spoil(life);
    expect(life.bench.isSatisfied()).toBe(false);
    expect(verdictsOf(life, 'liveness-bound')).toMatchObject([{ outcome: 'not-live', anomaly }]);
    expect(verdictsOf(life, 'liveness-reached')).toMatchObject([{ outcome: 'not-live', anomaly }]);
  });

  it('a file that nobody needs keeps a life from ending well; the finding is that of the retention judge', () => {
    const life = recovered();
    life.world.files.set('checkpoints/job/stray', new Uint8Array(1));
    expect(life.bench.isSatisfied()).toBe(false);
    expect(verdictsOf(life, 'liveness-reached')).toMatchObject([{ outcome: 'passed' }]);
  });

  it('restarts without end after the storm: restart-loop, though the life reached its goal; a few are what the storm left', () => {
    const restart = (life: SmallLife): void => {
      life.tell({ kind: 'restart-scheduled', epoch: leaderEpoch(1), cause: 'connection-lost', delayUs: micros(1) });
    };
    const few = recovered();
    for (let n = 0; n < 8; n += 1) restart(few);
    expect(verdictsOf(few, 'liveness-reached')).toMatchObject([{ outcome: 'passed' }]);
    restart(few);
    expect(verdictsOf(few, 'liveness-reached')).toMatchObject([{ outcome: 'not-live', anomaly: 'restart-loop' }]);
  });

  it('restarts without end in a quiet stretch of the storm: restart-loop; a fault explains those behind it', () => {
    const stormOf = (between: (life: SmallLife) => void): SmallLife => {
      const life = new SmallLife(KEYS);
      for (let n = 0; n < 10; n += 1) {
        life.tell({ kind: 'restart-scheduled', epoch: leaderEpoch(1), cause: 'connection-lost', delayUs: micros(1) });
        between(life);
      }
      return life;
    };
    const names = (life: SmallLife): string[] => verdictsOf(life, 'liveness-bound').map(({ anomaly }) => anomaly);
    expect(names(stormOf(() => {}))).toContain('restart-loop');
    const struck = stormOf((life) => life.tell({ kind: 'fault-effective', fault: 'f', faultKind: 'throw' }));
    expect(names(struck)).not.toContain('restart-loop');
  });

  it('a failure when nothing has disturbed the job for long: restarted-without-cause; a fault, a lost machine, a client and a rescale are causes', () => {
    const { checkpoint, runtime } = SMALL_PLAN.engine;
    const longUs = checkpoint.timeoutUs + Math.max(runtime.heartbeatTimeoutUs, runtime.deploymentTimeoutUs);
    const restarted = (
      us: number,
      touch?: (life: SmallLife) => void,
      cause: 'connection-lost' | 'rescale' | 'checkpoint-failures' = 'connection-lost',
    ) => {
      const life = new SmallLife(KEYS);
      touch?.(life);
      life.atUs += us;
      life.tell({ kind: 'restart-scheduled', epoch: leaderEpoch(1), cause, delayUs: micros(1) });
      return verdictsOf(life, 'liveness-bound').map(({ anomaly }) => anomaly);
    };
    const crashed = (life: SmallLife): void => void life.tell({ kind: 'node-crashed', incarnation: 1 });
    const struck = (life: SmallLife): void =>
      void life.tell({ kind: 'fault-effective', fault: 'f', faultKind: 'throw' });
    expect(restarted(longUs + 1)).toContain('restarted-without-cause');
    expect(restarted(longUs - 20)).not.toContain('restarted-without-cause');
    expect(restarted(longUs + 1, struck)).not.toContain('restarted-without-cause');
    expect(restarted(longUs - 20, crashed)).not.toContain('restarted-without-cause');
    expect(restarted(longUs + 1, crashed)).toContain('restarted-without-cause');
    expect(restarted(longUs + 1, undefined, 'rescale')).not.toContain('restarted-without-cause');
    expect(restarted(longUs + 1, undefined, 'checkpoint-failures')).not.toContain('restarted-without-cause');
  });

  it('no checkpoint for long while nothing disturbs the job: checkpoint-starvation, in the storm, too', () => {
    const life = recovered();
    life.atUs += 1_000_000;
    expect(verdictsOf(life, 'liveness-reached')).toMatchObject([
      { outcome: 'not-live', anomaly: 'checkpoint-starvation' },
    ]);
  });

  it('one checkpoint after the storm: no-checkpoint-completed', () => {
    const life = rightLife();
    life.commit('out-0-3-2', REST);
    expect(verdictsOf(life, 'liveness-bound')).toMatchObject([{ anomaly: 'no-checkpoint-completed' }]);
  });

  it('a record not visible: output-incomplete names the first', () => {
    const life = rightLife();
    life.checkpoint({ id: 3, offsets: [4, 4] });
    const [verdict] = verdictsOf(life, 'liveness-bound');
    expect(verdict?.anomaly).toBe('output-incomplete');
    expect(verdict?.message).toContain('record 3 (topic words, partition 1, offset 1)');
  });

  it('nothing at all happened: all that is missing is named', () => {
    const found = verdictsOf(new SmallLife(KEYS), 'quiescent').map(({ anomaly }) => anomaly);
    expect(found).toEqual(['no-job-running', 'no-checkpoint-completed', 'output-incomplete']);
  });

  it('a process threw: inconclusive, and no limit is blamed (progress I2)', () => {
    const [verdict] = verdictsOf(recovered(), 'actor-threw');
    expect(verdict).toMatchObject({ outcome: 'inconclusive', anomaly: 'cut-off' });
    expect(verdict?.message).toMatch(/ended with an error that a process threw, \d+\.\d{3} s after it began/);
  });

  it('a limit was hit: inconclusive, and says which', () => {
    const life = recovered();
    expect(verdictsOf(life, 'limit')).toMatchObject([{ outcome: 'inconclusive', anomaly: 'limit' }]);
    expect(verdictsOf(life, 'limit')[0]?.message).toContain('1000 events');
    life.atUs = 1_000_000;
    expect(verdictsOf(life, 'limit')[0]?.message).toContain('virtual time');
  });

  it('the job gave up: not live, job-failed', () => {
    expect(verdictsOf(recovered(), 'job-failed')).toMatchObject([{ outcome: 'not-live', anomaly: 'job-failed' }]);
  });

  it('a status of a replaced leader does not count', () => {
    const life = recovered();
    life.tell({ kind: 'job-status', epoch: leaderEpoch(2), status: 'running', jobAttempt: 1 });
    life.tell({ kind: 'job-status', epoch: leaderEpoch(1), status: 'suspended', jobAttempt: 1 });
    expect(life.bench.isSatisfied()).toBe(true);
  });
});

describe('progress of a job that must finish, or that somebody operates', () => {
  function judged(
    result: string | undefined,
    changes: Partial<ConstructorParameters<typeof Progress>[0]> = {},
  ): Progress {
    const world = new SmallWorld();
    if (result !== undefined) world.values.set(resultKey(JOB_ID), result);
    const [topic] = SMALL_PLAN.topics;
    const bounded = { name: 'words', dataset: 'words', records: 1, partitions: 1, startUs: 0, ratePerSecond: 0 };
    return new Progress({
      graph: countGraph([0, 1]),
      plan: { ...SMALL_PLAN, topics: [{ ...bounded, ...topic, bounded: true }] },
      durable: world,
      output: { isComplete: () => true, isDecided: () => true, firstMissing: () => '' },
      retention: { firstOrphan: () => undefined },
      ...changes,
    });
  }
  const tell = (judge: Progress, event: HistoryEvent['event']): void =>
    judge.observe({ index: 4, atUs: 4, node: nodeId('jobmanager-1'), event });
  const anomalies = (judge: Progress): string[] =>
    judge.finish({ atUs: 9, cause: 'liveness-bound', historyLength: 9 }).map(({ anomaly }) => anomaly);
  const finished = { kind: 'job-status', epoch: leaderEpoch(1), status: 'finished', jobAttempt: 1 } as const;

  it('it goes on: job-not-finished; it has finished and that is not cleaned up after: result-not-clean', () => {
    expect(anomalies(judged(undefined))).toEqual(['job-not-finished']);
    for (const result of [undefined, encodeResult({ status: 'finished', state: 'dirty' })]) {
      const judge = judged(result);
      tell(judge, finished);
      expect(anomalies(judge)).toEqual(['result-not-clean']);
    }
  });

  it('all is visible, and no checkpoint has come to the end of the input: input-not-covered', () => {
    let isCovered = false;
    const judge = judged(undefined, { plan: SMALL_PLAN, isInputCovered: () => isCovered });
    tell(judge, { kind: 'phase', phase: 'liveness' });
    tell(judge, { kind: 'job-status', epoch: leaderEpoch(1), status: 'running', jobAttempt: 1 });
    const completed = { kind: 'checkpoint-completed' } as HistoryEvent['event'];
    for (let id = 1; id <= 2; id += 1) tell(judge, completed);
    expect(judge.satisfied()).toBe(false);
    expect(anomalies(judge)).toEqual(['input-not-covered']);
    isCovered = true;
    expect(judge.satisfied()).toBe(true);
  });

  it('somebody asked and was told nothing: operation-unanswered', () => {
    const judge = judged(encodeResult({ status: 'finished', state: 'clean' }));
    tell(judge, { kind: 'phase', phase: 'liveness' });
    tell(judge, finished);
    expect(judge.satisfied()).toBe(true);
    tell(judge, { kind: 'operation-requested', operation: 'savepoint', triggerId: 'f3', location: '' });
    expect(judge.satisfied()).toBe(false);
    expect(anomalies(judge)).toEqual(['operation-unanswered']);
  });
});
