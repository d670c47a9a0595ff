/**
 * What one judge found: the first case of each anomaly in full, further ones counted.
 *
 * Owns the making of verdicts. Called by every judge; a message is formatted only when its anomaly is new, so that a life
 * with thousands of duplicates costs no more than one with a single one.
 *
 * I1: at least one verdict comes out, so that silence is never taken for a pass.
 */
import type { Verdict } from './verdict.ts';

interface Finding {
  readonly anomaly: string;
  readonly outcome: 'violated' | 'not-live' | 'inconclusive';
  readonly message: string;
  readonly at: readonly number[];
  count: number;
}

export class Findings {
  readonly #judge: string;
  readonly #byAnomaly = new Map<string, Finding>();

  constructor(judge: string) {
    this.#judge = judge;
  }

  get isEmpty(): boolean {
    return this.#byAnomaly.size === 0;
  }

  has(anomaly: string): boolean {
    return this.#byAnomaly.has(anomaly);
  }

  /** Counts one more case of an anomaly that was found before, which need not be explained again; false: it is the first. */
  again(anomaly: string): boolean {
    const known = this.#byAnomaly.get(anomaly);
    if (known !== undefined) known.count += 1;
    return known !== undefined;
  }

  /** A safety violation; `at` are the history indices that show it. */
  violated(anomaly: string, at: readonly number[], message: () => string): void {
    this.#add('violated', anomaly, { at, message });
  }

  /** Something that had to happen did not. */
  notLive(anomaly: string, at: readonly number[], message: () => string): void {
    this.#add('not-live', anomaly, { at, message });
  }

  /** The judge could not see enough. */
  inconclusive(anomaly: string, message: () => string): void {
    this.#add('inconclusive', anomaly, { at: [], message });
  }

  /** The verdicts; `passed` is the sentence when nothing was found (I1). */
  verdicts(passed: string): Verdict[] {
    if (this.isEmpty) return [{ judge: this.#judge, outcome: 'passed', message: passed, anomaly: '', at: [] }];
    return [...this.#byAnomaly.values()].map((finding) => ({
      judge: this.#judge,
      outcome: finding.outcome,
      message: finding.count === 1 ? finding.message : `${finding.message} (and ${String(finding.count - 1)} more)`,
      anomaly: finding.anomaly,
      at: finding.at,
    }));
  }

  #add(
    outcome: Finding['outcome'],
    anomaly: string,
    shown: { readonly at: readonly number[]; readonly message: () => string },
  ): void {
    if (!this.again(anomaly))
      this.#byAnomaly.set(anomaly, { anomaly, outcome, message: shown.message(), at: shown.at, count: 1 });
  }
}
