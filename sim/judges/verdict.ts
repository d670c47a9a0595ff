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

export type RunVerdict = 'passed' | 'violated' | 'not-live' | 'inconclusive';

/** Worst answer wins: violated, not-live, inconclusive, passed. */
export function mergeVerdicts(verdicts: readonly Verdict[]): RunVerdict {
  for (const outcome of ['violated', 'not-live', 'inconclusive'] as const) {
    if (verdicts.some((verdict) => verdict.outcome === outcome)) return outcome;
  }
  return 'passed';
}
