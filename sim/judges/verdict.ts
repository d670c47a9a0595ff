/** A judge's answer. Inconclusive is never passed: a limit was hit or the judge could not see enough. */
export interface Verdict {
  readonly judge: string;
  readonly outcome: 'passed' | 'violated' | 'not-live' | 'inconclusive';
  /** One sentence; names the record, checkpoint, task or file. */
  readonly message: string;
  /** Short stable name of the anomaly, for deduplication: `output-lost`, `output-duplicated` ... Empty when passed. */
  readonly anomaly: string;
  /** History indices that show it: the last is where it went wrong, those before it what it is held against. */
  readonly at: readonly number[];
}

/** Of a judge that has seen nothing wrong in a life that a limit cut off: what was still to come may have been. */
const CUT_SHORT = 'cut-short';

/** Whether a judge has something to say of the life; not if it only cannot answer for the rest of one that was cut off. */
export const isFinding = ({ outcome, anomaly }: Verdict): boolean => outcome !== 'passed' && anomaly !== CUT_SHORT;

/** What is left of a verdict where a limit cut the life off. The judge of progress says which limit. */
export function cutShort(verdict: Verdict): Verdict {
  if (verdict.outcome !== 'passed') return verdict;
  const message = 'Nothing wrong was seen until the life was cut off';
  return { ...verdict, outcome: 'inconclusive', anomaly: CUT_SHORT, message };
}

export type RunVerdict = 'passed' | 'violated' | 'not-live' | 'inconclusive';

/** Worst answer wins: violated, not-live, inconclusive, passed. */
export function mergeVerdicts(verdicts: readonly Verdict[]): RunVerdict {
  for (const outcome of ['violated', 'not-live', 'inconclusive'] as const) {
    if (verdicts.some((verdict) => verdict.outcome === outcome)) return outcome;
  }
  return 'passed';
}

/** `judge/anomaly` of the first finding that makes it what it is; empty when it passed. */
export function failureSignature(verdicts: readonly Verdict[], merged: RunVerdict): string {
  const worst = verdicts.find((verdict) => isFinding(verdict) && verdict.outcome === merged);
  return worst === undefined ? '' : `${worst.judge}/${worst.anomaly}`;
}
