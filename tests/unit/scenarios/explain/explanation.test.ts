/** What decided a failure: the curve on made-up odds, and the explanation of a real mutant. */
import { describe, expect, it } from 'vitest';
import { explanationText } from '../../../../reports/index.ts';
import { parting } from '../../../../scenarios/explain/critical-pair.ts';
import { explain, type Explanation } from '../../../../scenarios/explain/explanation.ts';
import { type ProbabilityCurve, probabilityCurve } from '../../../../scenarios/explain/probability-curve.ts';
import type { Choices } from '../../../../sim/kernel/choice.ts';
import type { Branch } from '../../../../sim/simulate.ts';
import { liveIt, planOf } from '../../../support/lives.ts';
import { answeredHere, shrunkHere, signatureOf } from '../../../support/shrinking.ts';

const QUICK = planOf('quickstart', '1');

function curveOf(fails: (branch: Branch, index: number) => boolean, lastEvent: number): ProbabilityCurve {
  const search = probabilityCurve(QUICK, { lastEvent, runs: 10 });
  let step = search.next();
  while (step.done !== true)
    step = search.next(step.value.map((branch, index) => (fails(branch, index) ? 'alike' : 'passes')));
  return step.value;
}

describe('probability curve', () => {
  it.each([0, 17, 499, 500])('what is decided at event %i is found there, to the event', (at) => {
    const { decisive } = curveOf(({ afterEvent }) => afterEvent >= at, 500);
    expect(decisive?.before).toEqual({ afterEvent: at - 1, runs: 10, failed: 0, passed: 10 });
    expect(decisive?.with).toEqual({ afterEvent: at, runs: 10, failed: 10, passed: 0 });
  });

  it('what becomes likely and then unlikely again was not decided there', () => {
    const failing = ({ afterEvent }: Branch, index: number): boolean =>
      afterEvent >= 400 || (afterEvent >= 120 && afterEvent < 260 && index % 10 < 8);
    const { decisive } = curveOf(failing, 500);
    expect(decisive?.before.afterEvent).toBe(399);
    expect(decisive?.with).toEqual({ afterEvent: 400, runs: 10, failed: 10, passed: 0 });
  });

  it('what fails whatever chance does is decided nowhere', () => {
    const { decisive, points } = curveOf(() => true, 500);
    expect(decisive).toBeUndefined();
    expect(points.every(({ failed, runs }) => failed === runs)).toBe(true);
  });

  it('noise below a fifth decides nothing', () => {
    expect(curveOf((_, index) => index % 10 === 0, 500).decisive).toBeUndefined();
  });
});

describe('a branch of a life', () => {
  it('is the life up to its event, and only then another one', () => {
    const plan = planOf('standard', '5');
    const life = liveIt(plan, { keepHistory: true });
    const branched = liveIt(plan, { keepHistory: true, branch: { afterEvent: 120, rootSeed: 'other' } });
    expect(branched.history.slice(0, 121)).toEqual(life.history.slice(0, 121));
    expect(branched.digest).not.toBe(life.digest);
    const again = liveIt(plan, { branch: { afterEvent: 120, rootSeed: 'other' } });
    expect(again.digest).toBe(branched.digest);
  });

  it('with no site drawn anew it is the life itself', () => {
    const plan = planOf('standard', '5');
    expect(liveIt(plan, { branch: { afterEvent: 120, rootSeed: 'other', sites: [] } }).digest).toBe(
      liveIt(plan).digest,
    );
  });

  it('what its sites drew, fixed in the plan, is the same life without any stream of chance', () => {
    let made: Choices | undefined;
    const watchChoices = (choices: Choices): void => {
      made = choices;
    };
    const plan = planOf('standard', '5');
    const life = liveIt(plan, { recordChoices: true, watchChoices });
    const fixedChoices = made?.takenChoices() ?? [];
    expect(fixedChoices.length).toBeGreaterThan(100);
    expect(liveIt({ ...plan, seed: 'other', drawnSites: [], fixedChoices }).digest).toBe(life.digest);
  });

  it('sites that a plan keeps boring draw nothing: the same life from any seed', () => {
    const plan = { ...planOf('quickstart', '1'), drawnSites: [] };
    expect(liveIt({ ...plan, seed: 'a' }).digest).toBe(liveIt({ ...plan, seed: 'b' }).digest);
  });
});

describe('explain', () => {
  const plan = { ...planOf('zombie-jobmanager-writes', '1'), variant: 'zombie-jm-can-subsume' };
  const small = shrunkHere(plan, signatureOf(plan)).plan;
  const explained = (): Explanation => answeredHere(explain(small, { runs: 10 }));
  const explanation = explained();

  it('names the event at which the outcome was decided, and what is wrong in the end', () => {
    const { curve, sentences, signature } = explanation;
    expect(signature).toBe('checkpoint-lifecycle/zombie-leader-wrote');
    const { decisive } = curve;
    expect(decisive).toBeDefined();
    expect((decisive?.with.failed ?? 0) - (decisive?.before.failed ?? 0)).toBeGreaterThanOrEqual(2);
    expect((decisive?.with.afterEvent ?? 0) - (decisive?.before.afterEvent ?? 0)).toBe(1);
    const last = sentences.at(-1);
    expect(last?.text).toMatch(/zombie-leader-wrote: Epoch 1 writes the pointer after a higher epoch did/);
    expect(sentences.map(({ text }) => text).join('\n')).toMatch(/jobmanager-1 crashes.*leads, epoch 2/s);
    // The decisive event is told, whatever kind it is.
    expect(sentences.some(({ at }) => at === decisive?.with.afterEvent)).toBe(true);
  });

  it('names the pair of events whose order decides, and the chance in which the lives differ', () => {
    const { pair } = explanation;
    expect(pair?.sites.length).toBeGreaterThanOrEqual(1);
    expect(pair?.first.event.kind).toBeDefined();
    expect(parting([], [])).toBeUndefined();
  });

  it('as text it begins with the earliest event that a finding points at, in words', () => {
    const wrong = explanation.sentences.find(({ marks = [] }) => marks.some((mark) => mark.includes('/')));
    expect(wrong).toBeDefined();
    const [beginning = ''] = explanationText(explanation).split('## What happened');
    expect(beginning).toContain(`The first event that is wrong is #${wrong?.at}`);
    expect(beginning).toContain(wrong?.text);
  });

  it('as text it has all parts; made twice it is the same', () => {
    const text = explanationText(explanation);
    expect(text).toMatch(/## What happened.*## When it was decided.*## The order that matters/s);
    expect(explanationText(explained())).toBe(text);
  });
});
