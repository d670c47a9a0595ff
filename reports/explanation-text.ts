/** An explanation as Markdown: sentences, the curve, the pair of events. Also what the terminal shows. */
import type { Explanation } from '../scenarios/explain/explanation.ts';
import type { CurvePoint } from '../scenarios/explain/probability-curve.ts';
import type { HistoryEvent } from '../sim/history/history-event.ts';
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
    '## What happened',
    '',
    ...sentences.map(({ at, atUs, text }) => `- ${(atUs / 1_000_000).toFixed(6)} s${at < 0 ? '' : ` #${at}`}: ${text}`),
    '',
    '## When it was decided',
    '',
    ...decided(curve, pair === undefined),
    '',
    '| kept up to event | fails alike | share |',
    '|---:|---:|---|',
    ...curve.points.map((point) => `| ${point.afterEvent} | ${point.failed} of ${point.runs} | ${bar(point)} |`),
    '',
    '## The order that matters',
    '',
    ...order(pair),
    '',
    `${lives} lives were lived for this.`,
    '',
  ].join('\n');
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
  return ['At no single event: its likelihood does not rise by a fifth anywhere.'];
}

function order(pair: Explanation['pair']): string[] {
  if (pair === undefined)
    return ['None: no other course of chance was found to pass, or it passes with every event in the same order.'];
  const { first, second, sites, isSwap } = pair;
  const where = sites.length === 0 ? 'nothing' : sites.join(', ');
  return [
    isSwap
      ? `It fails where ${short(first)} comes before ${short(second)}.`
      : `It fails where ${short(first)} comes; where it passes, ${short(second)} comes in its place.`,
    `The two lives differ in the chance of ${where} only.`,
    '',
    `    ${traceLine(first)}`,
    `    ${traceLine(second)}`,
  ];
}

function short({ node, event }: HistoryEvent): string {
  const checkpoint = 'checkpointId' in event ? ` of checkpoint ${event.checkpointId}` : '';
  const task = 'vertex' in event ? ` at task ${event.vertex}/${event.subtask}` : '';
  const [name] = ['path', 'key', 'transaction', 'message'].flatMap((field) =>
    Object.entries(event).filter(([key]) => key === field),
  );
  return `**${event.kind}**${name === undefined ? '' : ` (${String(name[1])})`}${checkpoint}${task} on ${node}`;
}

function bar({ failed, runs }: CurvePoint): string {
  const filled = Math.round((BAR_WIDTH * failed) / runs);
  return `${'█'.repeat(filled)}${'·'.repeat(BAR_WIDTH - filled)} ${Math.round((100 * failed) / runs)} %`;
}
