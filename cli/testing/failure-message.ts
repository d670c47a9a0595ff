/**
 * What a failing test says: findings, the smallest plan with the same failure in words, its life in sentences, the capsule, how to live it
 * again.
 *
 * I1: what it says can be lived again: it names the capsule that was written.
 * I2: it needs nothing but the test: the command line knows the jobs that come with the package, not the user's own.
 */
import { faultSentence } from '../../reports/index.ts';
import { narrative } from '../../scenarios/explain/narrative.ts';
import { vertexNames } from '../../scenarios/explain/vertex-name.ts';
import { live } from '../../scenarios/live.ts';
import { judgement } from '../../scenarios/expectation.ts';
import { planHash } from '../../scenarios/plan-hash.ts';
import type { SimulationPlan, TopicPlan } from '../../sim/plan.ts';
import { capsuleOf } from '../capsule.ts';
import { joinPath, packageVersion } from '../files.ts';
import { liveOnce } from '../life.ts';
import { writeCapsule } from '../result-store.ts';
import { smallestLife, type TestLife } from './test-life.ts';

export interface FailureTelling {
  /** Where the capsule goes. */
  readonly folder: string;
  /** What the life is not; absent: as its verdict says. */
  readonly headline?: string;
  /** The code that lives a capsule again. */
  readonly again: (capsule: string) => string;
}

/** Sentences and rows that are shown; a smallest life seldom has more. */
const SENTENCES_MAX = 40;
const SENTENCES_FIRST = 8;
const ROWS_SHOWN = 12;

export function failureMessage(life: TestLife, { folder, headline, again }: FailureTelling): string {
  const { life: small, isMinimal } = smallestLife(life);
  const { plan, record, world } = small;
  const { loadDataset, jobs } = world;
  const lived = liveOnce(plan, { loadDataset, keepHistory: false, relive: true }, (one, options) =>
    live(one, { ...options, jobs }),
  );
  const capsule = joinPath(folder, writeCapsule(folder, capsuleOf(plan, lived, packageVersion())));
  const wrong = record.verdicts.filter(({ outcome }) => outcome !== 'passed');
  return [
    `${life.plan.job.use} ${headline ?? headlineOf(life)}: ${life.signature} with seed ${life.plan.seed} (plan ${planHash(life.plan)}).`,
    ...wrong.map(({ judge, anomaly, message }) => `  ${judge}/${anomaly}: ${message}`),
    ...(small.thrown === undefined ? [] : [`  ${small.thrown}`]),
    `Smallest plan with the same failure: ${plan.faults.length} of ${life.plan.faults.length} faults, parallelism ${plan.job.parallelism}, ` +
      `${plan.topics.map(recordsText).join(' and ')}${isMinimal ? '' : '; there may be a smaller one'}.`,
    ...plan.faults.map((fault) => `  ${fault.id}: ${faultSentence(fault)}`),
    ...(plan.faults.length === 0 ? [`  No fault of the plan is needed${coreText(plan)}.`] : []),
    'What happens in it:',
    ...storyOf(small),
    `Live it again: ${again(capsule)}`,
  ].join('\n');
}

function headlineOf({ plan, record }: TestLife): string {
  const { verdict } = judgement(plan.expect, record);
  if (verdict === 'not-live') return 'does not make progress';
  return verdict === 'inconclusive' ? 'hit a limit before it could be judged' : 'is not exactly-once';
}

/** Which rows of the input they are, where they are not just the first ones. */
function recordsText({ records, rows }: TopicPlan): string {
  const count = `${records} record${records === 1 ? '' : 's'}`;
  if (rows === undefined) return count;
  return `${count} (rows ${rows.slice(0, ROWS_SHOWN).join(', ')}${rows.length > ROWS_SHOWN ? ' ...' : ''})`;
}

/** Without faults something happens all the same: after the storm as few machines stay as suffice. */
function coreText({ drawnSites, fixedChoices = [] }: SimulationPlan): string {
  const isDrawn = drawnSites?.includes('sufficient-core') ?? true;
  return isDrawn || fixedChoices.some(({ site }) => site === 'sufficient-core')
    ? ': it is enough that machines are taken away for good after the storm'
    : '';
}

/** The findings stand above already. */
function storyOf({ plan, world }: TestLife): string[] {
  const { history, verdicts } = live(plan, { ...world, keepHistory: true });
  const told = narrative({ plan, history, verdicts, vertexName: vertexNames(plan, world.jobs), marked: new Map() });
  const sentences = told.slice(0, told.length - verdicts.filter(({ outcome }) => outcome !== 'passed').length);
  const lines = sentences.map(
    ({ atUs, text, marks = [] }) =>
      `  ${(atUs / 1_000_000).toFixed(3)} s ${text}${marks.length === 0 ? '' : ` <- ${marks.join(', ')}`}`,
  );
  if (lines.length <= SENTENCES_MAX) return lines;
  return [...lines.slice(0, SENTENCES_FIRST), '  ...', ...lines.slice(SENTENCES_FIRST - SENTENCES_MAX)];
}
