/**
 * What a test asks of a life: whether it is all right, or only whether it makes progress. A failure is judged, told and shrunk by the question
 * that was asked; of another one that the same life fails as well nothing is said.
 */
import { judgement } from '../../scenarios/expectation.ts';
import type { Verdict } from '../../sim/judges/verdict.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';

type Lived = Pick<RunRecord, 'verdict' | 'verdicts' | 'signature'>;

export interface Question {
  /** `judge/anomaly` of the worst that is wrong; empty: nothing is. */
  signature(plan: SimulationPlan, record: Lived): string;
  /** All that is wrong. */
  wrong(record: Lived): readonly Verdict[];
  /** What the life is not. */
  headline(plan: SimulationPlan, record: Lived): string;
}

/** No judge found anything wrong that the plan does not expect. */
export const ALL_RIGHT: Question = {
  signature: ({ expect }, record) => judgement(expect, record).signature,
  wrong: ({ verdicts }) => verdicts.filter(({ outcome }) => outcome !== 'passed'),
  headline: ({ expect }, record) => {
    const { verdict } = judgement(expect, record);
    if (verdict === 'not-live') return 'does not make progress';
    return verdict === 'inconclusive' ? 'was cut off before it could be judged' : 'is not exactly-once';
  },
};

/**
 * The progress judge is content. Output that is lost is none of its business: nobody could wait for it, and that it is lost the judge of the
 * output says.
 */
export const PROGRESS: Question = {
  signature: (_plan, record) => {
    const [worst] = stuck(record);
    return worst === undefined ? '' : `${worst.judge}/${worst.anomaly}`;
  },
  wrong: stuck,
  headline: (_plan, record) =>
    stuck(record).some(({ outcome }) => outcome === 'not-live')
      ? 'does not make progress'
      : 'was cut off before it could make progress',
};

function stuck({ verdicts }: Lived): readonly Verdict[] {
  const isLost = verdicts.some(({ outcome, anomaly }) => outcome === 'violated' && anomaly === 'output-lost');
  return verdicts
    .filter(({ judge, outcome }) => judge === 'progress' && outcome !== 'passed')
    .filter(({ anomaly }) => !(isLost && anomaly === 'output-incomplete'));
}
