/** The same plan gives the same digest: twice, watched or not, and whatever else draws. */
import { describe, expect, it } from 'vitest';
import { Choices } from '../../sim/kernel/choice.ts';
import { firstDifference } from '../../sim/kernel/digest.ts';
import { liveIt, planOf } from '../support/lives.ts';

const SCENARIOS = ['standard', 'reordered-messages', 'zombie-jobmanager', 'negative-control'];

describe('determinism', () => {
  it.each(SCENARIOS)('%s lived twice gives one digest and the same record', (scenario) => {
    const plan = planOf(scenario, 'twice');
    const first = liveIt(plan, { keepHistory: true });
    const second = liveIt(plan, { keepHistory: true });
    expect(first.rungs.length).toBeGreaterThan(10);
    expect(firstDifference(first.rungs, second.rungs)).toBeUndefined();
    expect(second).toEqual(first);
  });

  it('judges and history only watch: without them the digest is that of the same events', () => {
    const plan = planOf('standard', 'watched');
    const watched = liveIt(plan, { keepHistory: true });
    expect(watched.history.length).toBeGreaterThan(100);
    expect(liveIt(plan).digest).toBe(watched.digest);
    const bare = liveIt(plan, { judges: false, keepHistory: true });
    const shared = Math.min(watched.events, bare.events);
    const upTo = (rungs: typeof bare.rungs): string[] =>
      rungs.filter(({ event }) => event < shared).map(({ event, digest }) => `${event}/${digest}`);
    const common = upTo(bare.rungs).filter((rung) => upTo(watched.rungs).includes(rung));
    expect(common.length).toBeGreaterThan(5);
  });

  it('another seed gives another digest', () => {
    expect(liveIt(planOf('standard', '1')).digest).not.toBe(liveIt(planOf('standard', '2')).digest);
  });

  it('a plan survives JSON: read back it is lived alike', () => {
    const plan = planOf('standard', 'json');
    expect(liveIt(JSON.parse(JSON.stringify(plan))).digest).toBe(liveIt(plan).digest);
  });

  it('a stream added somewhere shifts no other', () => {
    const draws = (choices: Choices): number[] =>
      Array.from({ length: 64 }, () => choices.site('network/a->b').choose(1_000));
    const plain = new Choices({ rootSeed: '7' });
    const busy = new Choices({ rootSeed: '7' });
    busy.site('something new').choose(10);
    const before = draws(plain);
    busy.site('something else').choose(10);
    expect(draws(busy)).toEqual(before);
  });

  it('a fault that never strikes changes nothing that is drawn', () => {
    const plan = planOf('quickstart', '3');
    const never = {
      id: 'never',
      kind: 'loss',
      a: [],
      b: [],
      chance: { numerator: 1, denominator: 2 },
      forUs: 1,
    } as const;
    const withFault = {
      ...plan,
      faults: [...plan.faults, { ...never, trigger: { point: 'aborted', checkpoint: 9_999, occurrence: 1 } } as const],
    };
    const [bare, more] = [liveIt(plan), liveIt(withFault)];
    expect(more.digest).toBe(bare.digest);
    expect(more.virtualUs).toBe(bare.virtualUs);
  });
});
