/**
 * What a scenario expects of its lives: turns what the judges saw into whether the expectation held.
 *
 * Owns: the one interpretation of `expect`. Used by every command, report and exit code.
 * `exactly-once`: as the judges say. `at-least-once` (the negative control): things that happened more than once are what
 * this mode allows, so they do not fail the life and are counted; anything lost, and everything else, does. `at-most-once` (the timeout
 * trap of row K11): the other way round, records may be missing, and that is all.
 *
 * I1: an anomaly is excused only if it is in `DUPLICATE_ANOMALIES` and the scenario expects at-least-once, or in
 *     `LOSS_ANOMALIES` and it expects at-most-once.
 */
import type { Expectation } from '../sim/plan.ts';
import { mergeVerdicts, type RunVerdict, failureSignature, type Verdict } from '../sim/judges/verdict.ts';
import type { RunRecord } from '../sim/run-record.ts';

/** What happens when records are processed again after a restart, or overtake a barrier, and nothing worse. */
export const DUPLICATE_ANOMALIES: ReadonlySet<string> = new Set([
  'output-duplicated',
  'state-duplicated',
  // State that holds records from behind the cut is what processes them twice.
  'cut-holds-too-much',
  'savepoint-holds-too-much',
  // Both follow from records that come again: their values count on, their order starts anew.
  'output-value-wrong',
  'order-broken',
  // Results of windows come again, and what follows them is shown anew.
  'window-repeated',
  'window-shrunk',
]);

/** What it means that output is missing, and nothing worse. */
export const LOSS_ANOMALIES: ReadonlySet<string> = new Set(['output-lost', 'output-incomplete']);

export interface Judgement {
  readonly verdict: RunVerdict;
  /** `judge/anomaly` of what failed the life; empty when it passed. */
  readonly signature: string;
  /** Something was seen twice, whether that is excused or not. */
  readonly duplicates: boolean;
}

export function judgement(
  expect: Expectation,
  record: Pick<RunRecord, 'verdicts' | 'verdict' | 'signature'>,
): Judgement {
  const duplicates = record.verdicts.some(isDuplicate);
  if (expect === 'exactly-once') return { verdict: record.verdict, signature: record.signature, duplicates };
  const counted = record.verdicts.filter((one) => !(expect === 'at-least-once' ? isDuplicate(one) : isLoss(one)));
  const verdict = mergeVerdicts(counted);
  return { verdict, signature: failureSignature(counted, verdict), duplicates };
}

const isDuplicate = (verdict: Verdict): boolean =>
  verdict.outcome === 'violated' && DUPLICATE_ANOMALIES.has(verdict.anomaly);

const isLoss = ({ outcome, anomaly }: Verdict): boolean =>
  (outcome === 'violated' || outcome === 'not-live') && LOSS_ANOMALIES.has(anomaly);
