/** An explanation as Markdown: sentences, the curve, the pair of events. Also what the terminal shows. */
import type { Explanation } from '../scenarios/explain/explanation.ts';
import type { CurvePoint } from '../scenarios/explain/probability-curve.ts';
import { chanceSentences } from './chance-sentences.ts';
import { faultSentence } from './fault-sentence.ts';
import { traceLine } from './trace-format.ts';

const BAR_WIDTH = 30;

export function explanationText({ plan, signature, sentences, curve, pair, lives }: Explanation): string {
  const faults = plan.faults.map((fault) => `- ${fault.id}: ${faultSentence(fault)}`);
  return [
    `# ${signature}`,
    '',
    `Scenario ${plan.scenario}, seed ${plan.seed}, engine ${plan.variant}. ${faults.length === 0 ? 'No fault is needed.' : 'Faults:'}`,
    ...(faults.length === 0 ? [] : ['', ...faults]),
    '',
    ...chanceSentences(plan),
    ...firstWrong(sentences),
    '',
    '## What happened',
    '',
    ...sentences.map(sentenceLine),
    '',
    '## When it was decided',
    '',
    ...decided(curve, pair === undefined),
    '',
    '| kept up to event | fails alike | fails otherwise | passes | share that fails alike |',
    '|---:|---:|---:|---:|---|',
    ...curve.points.map(pointRow),
    '',
    '## The order that matters',
    '',
    ...order(pair),
    '',
    `${lives} lives were lived for this.`,
    '',
  ].join('\n');
}

/** `judge/anomaly`: an event that is wrong, not one that it is held against. */
const FINDING = /^[a-z0-9-]+\/[a-z0-9-]+$/;

/** The event that some finding calls wrong and that comes before all others; none where findings are about the end alone. */
function firstWrong(sentences: Explanation['sentences']): string[] {
  for (const { at, atUs, text, marks = [] } of sentences) {
    const findings = marks.filter((mark) => FINDING.test(mark));
    if (findings.length === 0) continue;
    return ['', `The first event that is wrong is #${at}, at ${seconds(atUs)} s (${findings.join(', ')}): ${text}`];
  }
  return [];
}

const seconds = (us: number): string => (us / 1_000_000).toFixed(6);

function sentenceLine({ at, atUs, text, marks = [] }: Explanation['sentences'][number]): string {
  const pointed = marks.length === 0 ? '' : ` **<- ${marks.join(', ')}**`;
  return `- ${seconds(atUs)} s${at < 0 ? '' : ` #${at}`}: ${text}${pointed}`;
}

function pointRow(point: CurvePoint): string {
  const { afterEvent, runs, failed, passed } = point;
  const kept = afterEvent < 0 ? 'nothing' : afterEvent;
  return `| ${kept} | ${failed} of ${runs} | ${runs - failed - passed} | ${passed} | ${bar(point)} |`;
}

function decided({ points, decisive }: Explanation['curve'], hasNoPair: boolean): string[] {
  if (decisive !== undefined) {
    const { before, with: after } = decisive;
    return [
      `At event ${after.afterEvent}: with other chance behind event ${before.afterEvent} ${before.failed} of ${before.runs} lives fail in this way, behind event ${after.afterEvent} ${after.failed} of ${after.runs}.`,
    ];
  }
  const [first] = points;
  if (hasNoPair && first !== undefined && first.failed === first.runs)
    return ['From the start: whatever chance does, the plan fails in this way.'];
  const begin = first === undefined ? '' : ` From the start ${first.failed} of ${first.runs} lives fail in this way.`;
  return [`At no single event: its likelihood does not rise by a fifth anywhere.${begin}`];
}

function order(pair: Explanation['pair']): string[] {
  if (pair === undefined)
    return ['None: no other course of chance was found to pass, or it passes with every event in the same order.'];
  const { first, second, sites, isSwap, says } = pair;
  const where = sites.length === 0 ? 'nothing' : sites.join(', ');
  const [one = '', other = ''] = says;
  return [
    isSwap ? 'It fails where' : 'It fails where, at the place at which the two lives part, comes',
    '',
    `- ${one},`,
    '',
    isSwap ? 'comes before' : 'and passes where there comes',
    '',
    `- ${other}.`,
    '',
    `The two lives differ in the chance of ${where} only.`,
    '',
    `    ${traceLine(first)}`,
    `    ${traceLine(second)}`,
  ];
}

function bar({ failed, runs }: CurvePoint): string {
  const filled = Math.round((BAR_WIDTH * failed) / runs);
  return `${'█'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)} ${Math.round((100 * failed) / runs)} %`;
}
