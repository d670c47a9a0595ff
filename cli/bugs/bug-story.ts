/**
 * The story of a bug, as Markdown that a person goes on writing.
 *
 * Owns: how it begins, and how to tell that a person has been there. What a person wrote is never rewritten.
 */
import { countOf, faultSentence } from '../../reports/index.ts';
import type { FirstSeen } from '../../scenarios/bugs/bug-record.ts';
import { isFinding } from '../../sim/judges/verdict.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { Life } from '../life.ts';

/** As long as this stands in a story, nobody has told it. */
const UNTOLD = 'Not understood yet:';

export interface StoryBeginning {
  readonly plan: SimulationPlan;
  readonly life: Life;
  readonly firstSeen: FirstSeen;
  /** Shrinking came to its end. */
  readonly isMinimal: boolean;
}

export function beginningOfStory({ plan, life, firstSeen }: StoryBeginning): string {
  const { judgement, record } = life;
  const findings = record.verdicts.filter(isFinding);
  const engine = plan.variant === 'standard' ? '' : `, on the engine ${plan.variant}`;
  const { scenario, seed, engineVersion, faults } = firstSeen;
  return [
    `# ${judgement.signature}`,
    '',
    `First seen in \`${scenario}\` with seed ${seed} and ${countOf(faults, 'fault')}${engine} (version ${engineVersion}). The plan beside this has ${countOf(plan.faults.length, 'fault')}${plan.faults.length === 0 ? '.' : ':'}`,
    '',
    ...plan.faults.map((fault) => `- ${fault.id}: ${faultSentence(fault)}`),
    ...(plan.faults.length === 0 ? [] : ['']),
    ...findings.map(({ judge, anomaly, message }) => `- \`${judge}\` finds \`${anomaly}\`: ${message}.`),
    '',
    `${UNTOLD} put what happens here, in which order, and what is wrong in the engine (\`tidemark explain\` helps).`,
    '',
  ].join('\n');
}

/** A person has written it. */
export const isTold = (story: string): boolean => story.trim() !== '' && !story.includes(UNTOLD);

/** Its first heading; empty when it has none. */
export const titleOf = (story: string): string => /^# +(.+)$/m.exec(story)?.[1] ?? '';
