/** Crash points: all of them are crashed at, the standard engine survives, engines with a known bug do not. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { crashFigures } from '../../../../reports/index.ts';
import { calmPlan, crashCase, machinesOf, variantsOf } from '../../../../scenarios/crashpoints/crash-case.ts';
import { crashPoints, recoveryPoints } from '../../../../scenarios/crashpoints/crash-point.ts';
import { type Exploration, explore } from '../../../../scenarios/crashpoints/exploration.ts';
import { NOTHING_SEEN } from '../../../../scenarios/inquiry.ts';
import { recoveryHash, recoveryOf } from '../../../../scenarios/crashpoints/recovery.ts';
import { typicalPoints } from '../../../../scenarios/crashpoints/typical-checkpoint.ts';
import { findings, liveIt, planOf } from '../../../support/lives.ts';
import { answeredHere } from '../../../support/shrinking.ts';

const explored = (variant: string, every = 1): Exploration =>
  answeredHere(explore({ ...planOf('quickstart', '1'), variant }, { double: false }), every);

/** With second crashes. What is lived side by side is made up: all cases recover in one of two ways. */
function doubled(shard?: { readonly index: number; readonly count: number }): Exploration {
  const search = explore(planOf('quickstart', '1'), { double: true, ...(shard === undefined ? {} : { shard }) });
  let step = search.next();
  while (step.done !== true) {
    const inquiry = step.value;
    if (inquiry.kind === 'look') {
      const { history, signature, events } = liveIt(inquiry.life.plan, { keepHistory: true });
      step = search.next([{ ...NOTHING_SEEN, history, signature, events }]);
    } else {
      const passed = { ...NOTHING_SEEN, signature: '', events: 1 };
      step = search.next(inquiry.cases.map((_, index) => ({ ...passed, recovery: index % 2 === 0 ? 'a' : 'b' })));
    }
  }
  return step.value;
}

describe('crashpoints', () => {
  const standard = explored('standard');
  const figures = crashFigures(standard);

  it('every point that the calm life passes is crashed at, at every machine, in every variant (I1)', () => {
    expect(figures.coveragePercent).toBe(100);
    expect(figures.cases).toBe(figures.points * 3 * 5);
    const names = figures.perPoint.map(({ point }) => point);
    for (const point of [
      'triggered',
      'barrier.sent',
      'acknowledge.sent',
      'metadata-write.done',
      'pointer-write.done',
      'commit.sent',
    ])
      expect(names).toContain(point);
  });

  it('the standard engine survives all of them, in many different ways', () => {
    expect(figures.failures).toEqual([]);
    expect(figures.distinctRecoveries).toBeGreaterThan(20);
  });

  it('each fault strikes: the point that was found is reached again', () => {
    for (const { case: one } of standard.outcomes.filter((_, index) => index % 40 === 0)) {
      const record = liveIt(one.plan);
      for (const { id, startedAtUs } of record.faultRecords) expect(startedAtUs, id).toBeGreaterThan(0);
    }
  });

  it('an engine that aborts what it should commit is found, and what was done is said in words', () => {
    const { failed, failures } = crashFigures(explored('abort-includes-precommitted', 7));
    expect(failed).toBeGreaterThan(0);
    expect(failures[0]?.what).toMatch(/^(crash|crash-unsent|cut|zombie|unseen) of \S+ at \S+/);
  });

  it('variants are those that the storage of the plan can show', () => {
    const always = ['crash', 'crash-unsent', 'cut', 'zombie'];
    expect(variantsOf(planOf('crashpoints-aligned', '1'))).toEqual([...always, 'unseen']);
    expect(variantsOf(planOf('crashpoints-unaligned', '1'))).toEqual([...always, 'torn']);
    expect(variantsOf(planOf('storage-jobmanager', '1'))).toEqual(always);
  });

  it('torn: the beginning is left of files that were being written; an engine that acknowledges before it syncs is found', () => {
    const calm = calmPlan(planOf('crashpoints-unaligned', '1'));
    const { history } = liveIt(calm, { keepHistory: true });
    const node = nodeId('jobmanager-1');
    const torn = typicalPoints(history)
      .filter(({ trigger: { point } }) => point === 'state-write.begun' || point === 'metadata-write.begun')
      .map((point) => crashCase(calm, { point, node, variant: 'torn' }).plan);
    expect(torn.length).toBeGreaterThan(5);
    let left = 0;
    for (const plan of torn) {
      const record = liveIt(plan, { keepHistory: true });
      expect(record.verdict, findings(record)).toBe('passed');
      left += record.history.filter(({ event }) => event.kind === 'writes-lost' && event.left > 0).length;
    }
    expect(left).toBeGreaterThan(0);
    // Acknowledged, and only in the memory of the server.
    const [completed] = typicalPoints(history).filter(({ trigger: { point } }) => point === 'completed');
    if (completed === undefined) throw new Error('a checkpoint completes');
    const lives = (['torn', 'crash'] as const).map((variant) => {
      const { plan } = crashCase(calm, { point: completed, node, variant });
      return liveIt({ ...plan, variant: 'ack-before-fsync' }).verdict;
    });
    expect(lives).toEqual(['violated', 'passed']);
  });

  it('unseen: what is stored is missing from lists that somebody asks for', () => {
    const unseen = standard.outcomes.filter((outcome) => outcome.case.variant === 'unseen');
    const effective = unseen
      .filter((_, index) => index % 15 === 0)
      .filter(({ case: { plan } }) => {
        const [first] = liveIt(plan).faultRecords;
        return first?.effective === true;
      });
    expect(effective.length).toBeGreaterThan(0);
  });

  it('unseen: no list is further behind than deletions look for', () => {
    const stale = standard.outcomes.flatMap((outcome) =>
      outcome.case.plan.faults.flatMap((fault) =>
        fault.kind === 'service' && 'atUs' in fault.trigger ? [{ ...fault, atUs: fault.trigger.atUs }] : [],
      ),
    );
    const { engine, liveness } = planOf('quickstart', '1');
    expect(stale.length).toBeGreaterThan(20);
    for (const { atUs, forUs } of stale) {
      expect(forUs).toBeGreaterThan(0);
      expect(forUs).toBeLessThanOrEqual(2 * engine.runtime.heartbeatTimeoutUs);
      expect(atUs + forUs).toBeLessThanOrEqual(liveness.stormUs);
    }
    expect(new Set(stale.map(({ atUs }) => atUs)).size).toBeGreaterThan(5);
  });

  it('without high availability no JobManager is crashed: the job would end with it', () => {
    expect(machinesOf(planOf('without-high-availability', '1'))).toEqual([
      'taskmanager-1',
      'taskmanager-2',
      'taskmanager-3',
    ]);
    expect(machinesOf(planOf('quickstart', '1'))).toContain('jobmanager-1');
  });

  it('a recovery has points of its own, at which the second crash strikes', () => {
    const { plan } = standard.outcomes.find((outcome) => outcome.case.variant === 'crash')?.case ?? {};
    if (plan === undefined) throw new Error('a crash was lived');
    const { history } = liveIt(plan, { keepHistory: true });
    const names = recoveryPoints(history, () => true).map(({ trigger }) => trigger.point);
    expect(names).toEqual(expect.arrayContaining(['restarting', 'restore.chosen', 'deployed', 'restored']));
  });

  it('double: one case of each distinct recovery is crashed again, at each point of the recovery and at every machine', () => {
    const { distinctRecoveries, second, secondOfAll } = doubled();
    expect(secondOfAll).toBe(second.length);
    expect(distinctRecoveries).toBe(2);
    const again = second.map((outcome) => outcome.case.points[1]?.trigger.point);
    for (const point of ['elected', 'restore.chosen', 'deployed', 'restored', 'triggered'])
      expect(again).toContain(point);
    expect(new Set(second.map((outcome) => outcome.case.node)).size).toBe(3);
    const cases = second.map((outcome) => JSON.stringify([outcome.case.points, outcome.case.node]));
    expect(new Set(cases).size).toBe(cases.length);
    for (const { case: one } of second.filter((_, index) => index % 60 === 0)) {
      const record = liveIt(one.plan);
      expect(record.verdict, findings(record)).toBe('passed');
      expect(record.faultRecords.at(-1)?.startedAtUs, JSON.stringify(one.points)).toBeGreaterThan(0);
    }
  });

  it('shards of second crashes are all of them, each once', () => {
    const textsOf = ({ second }: Exploration): string[] =>
      second.map(({ case: { points, node } }) => JSON.stringify([points, node]));
    const parts = [1, 2, 3].map((index) => doubled({ index, count: 3 }));
    const whole = doubled();
    for (const { secondOfAll } of parts) expect(secondOfAll).toBe(whole.second.length);
    expect(parts.flatMap(textsOf).sort()).toEqual(textsOf(whole).sort());
    expect(parts[0]?.second[0]).toEqual(whole.second[0]);
  });

  it('an engine that fails in a calm life is not explored', () => {
    expect(explored('notify-before-durable')).toMatchObject({
      calmSignature: 'checkpoint-lifecycle/notified-before-durable',
      outcomes: [],
    });
  });

  it('a life without a fault recovers from nothing; points are numbered from the beginning of the life', () => {
    const { history } = liveIt({ ...planOf('quickstart', '1'), faults: [] }, { keepHistory: true });
    expect(recoveryOf(history)).toEqual([]);
    expect(recoveryHash(history)).toBe(recoveryHash([]));
    const keys = crashPoints(history, () => true).map(({ trigger }) => JSON.stringify(trigger));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
