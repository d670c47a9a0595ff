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
import { planHash } from '../../scenarios/plan-hash.ts';
import { isFinding } from '../../sim/judges/verdict.ts';
import type { SimulationPlan, TopicPlan } from '../../sim/plan.ts';
import { capsuleOf } from '../capsule.ts';
import { joinPath, packageVersion } from '../files.ts';
import { liveOnce } from '../life.ts';
import { writeCapsule } from '../result-store.ts';
import { ALL_RIGHT, type Question } from './question.ts';
import { smallestLife, type TestLife } from './test-life.ts';
import { testedWith } from './tested-with.ts';

export interface FailureTelling {
  /** Where the capsule goes. */
  readonly folder: string;
  /** What the life fails. */
  readonly question: Question;
  /** The code that lives a capsule again. */
  readonly again: (capsule: string) => string;
}

/** Sentences and rows that are shown; a smallest life seldom has more. */
const SENTENCES_MAX = 40;
const SENTENCES_FIRST = 8;
const ROWS_SHOWN = 12;

export function failureMessage(life: TestLife, { folder, question, again }: FailureTelling): string {
  const { life: small, isMinimal } = smallestLife(life, question);
  const { plan, world } = small;
  const { loadDataset, jobs } = world;
  const lived = liveOnce(plan, { loadDataset, keepHistory: false, relive: true }, (one, options) =>
    live(one, { ...options, jobs }),
  );
  const made = { ...capsuleOf(plan, lived, packageVersion()), testedWith: testedWith(plan, world) };
  const capsule = joinPath(folder, writeCapsule(folder, made));
  return [
    `${headlineOf(life, question)} with seed ${life.plan.seed} (plan ${planHash(life.plan)}).`,
    ...findingsOf(small, question),
    `Smallest plan with the same failure: ${plan.faults.length} of ${life.plan.faults.length} faults, ${sizeText(plan)}` +
      `${isMinimal ? '' : '; there may be a smaller one'}.`,
    ...planLines(small),
    ...storyOf(small, question),
    `Live it again: ${again(capsule)}`,
  ].join('\n');
}

/** A capsule that was lived again, as it is: nothing is shrunk, nothing is written. */
export function replayMessage(life: TestLife, file: string): string {
  const { plan } = life;
  return [
    `${headlineOf(life, ALL_RIGHT)} in ${file} (seed ${plan.seed}, plan ${planHash(plan)}).`,
    ...findingsOf(life, ALL_RIGHT),
    `The plan as it is: ${plan.faults.length} fault${plan.faults.length === 1 ? '' : 's'}, ${sizeText(plan)}.`,
    ...planLines(life),
    ...storyOf(life, ALL_RIGHT),
  ].join('\n');
}

const headlineOf = ({ plan, record }: TestLife, question: Question): string =>
  `${plan.job.use} ${question.headline(plan, record)}: ${question.signature(plan, record)}`;

function findingsOf({ record, thrown }: TestLife, question: Question): string[] {
  return [
    ...question.wrong(record).map(({ judge, anomaly, message }) => `  ${judge}/${anomaly}: ${message}`),
    ...(thrown === undefined ? [] : [`  ${thrown}`]),
  ];
}

const sizeText = ({ job, topics }: SimulationPlan): string =>
  `parallelism ${job.parallelism}, ${topics.map(recordsText).join(' and ')}`;

function planLines({ plan }: TestLife): string[] {
  if (plan.faults.length === 0) return [`  No fault of the plan is needed${coreText(plan)}.`];
  return plan.faults.map((fault) => `  ${fault.id}: ${faultSentence(fault)}`);
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
function storyOf({ plan, world }: TestLife, question: Question): string[] {
  const lived = live(plan, { ...world, keepHistory: true });
  const { history } = lived;
  const verdicts = question.wrong(lived);
  const told = narrative({ plan, history, verdicts, vertexName: vertexNames(plan, world.jobs), marked: new Map() });
  const sentences = told.slice(0, told.length - verdicts.filter(isFinding).length);
  const lines = sentences.map(
    ({ atUs, text, marks = [] }) =>
      `  ${(atUs / 1_000_000).toFixed(3)} s ${text}${marks.length === 0 ? '' : ` <- ${marks.join(', ')}`}`,
  );
  if (lines.length <= SENTENCES_MAX) return ['What happens in it:', ...lines];
  const last = lines.slice(SENTENCES_FIRST - SENTENCES_MAX);
  return ['What happens in it:', ...lines.slice(0, SENTENCES_FIRST), '  ...', ...last];
}
