/**
 * What a search over plans asks of the world, and what it is told: shrinking and explaining are generators of inquiries, so that they
 * stay pure and whoever answers may live many cases side by side.
 */
import type { HistoryEvent } from '../sim/history/history-event.ts';
import type { Verdict } from '../sim/judges/verdict.ts';
import type { FixedChoice } from '../sim/kernel/choice.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { Branch } from '../sim/simulate.ts';
import type { Gaze, Sight } from './strategies/sight.ts';

export interface LifeCase {
  readonly plan: SimulationPlan;
  /** Where its chance takes another course; absent: nowhere. */
  readonly branch?: Branch;
  /** How it recovers is wanted (crashpoints/recovery.ts). */
  readonly wantsRecovery?: boolean;
  /** What its sites drew is wanted, where it is looked at. */
  readonly wantsChoices?: boolean;
  /** What a strategy wants to see of it. */
  readonly gaze?: Gaze | undefined;
}

export type Inquiry =
  /** Live these, and answer one for one. */
  | { readonly kind: 'live'; readonly cases: readonly LifeCase[] }
  /** Live this one and show all of it. */
  | { readonly kind: 'look'; readonly life: LifeCase };

/** What came of a life. */
export interface LifeAnswer {
  /** `judge/anomaly`; empty when it passed. */
  readonly signature: string;
  readonly events: number;
  /** Of a look: everything that happened, what the judges say, the sites that drew. Else empty. */
  readonly history: readonly HistoryEvent[];
  readonly verdicts: readonly Verdict[];
  readonly sites: readonly string[];
  /** Of a look where that was wanted: what was drawn and is not boring. Else empty. */
  readonly choices: readonly FixedChoice[];
  /** Hash of how it recovered, where that was wanted; else empty. */
  readonly recovery: string;
  /** A judge is not content; false also of a life that only hit a limit. */
  readonly hasFailed: boolean;
  /** What was to be seen. */
  readonly sight?: Sight | undefined;
}

/** Signature of a life that was not begun, as the work was interrupted: like no failure. */
export const NOT_BEGUN = 'not-begun';

export const NOTHING_SEEN: Omit<LifeAnswer, 'signature' | 'events'> = {
  history: [],
  verdicts: [],
  sites: [],
  choices: [],
  recovery: '',
  hasFailed: false,
};

/** A search that ends with a `Result`. */
export type Inquiring<Result> = Generator<Inquiry, Result, readonly LifeAnswer[]>;

/** History indices of what the judges found wrong. */
export const foundAt = (verdicts: readonly Verdict[]): readonly number[] =>
  verdicts.filter(({ outcome }) => outcome !== 'passed').flatMap(({ at }) => at);
