/**
 * What a job says about a pattern of events: its stages, what must hold for each, how much time it may take (Flink: Pattern, NFA's states).
 *
 * Owns: the plain spec the graph carries, so that the engine and the judges' reference match the same pattern independently. Does not own:
 * how it is written (api/cep.ts), how it is matched (operators/cep/).
 *
 * The meaning, for the events of one key in their order (time, then bytes): a match is a row of events, one for each stage, each of which
 * fulfils its stage's condition, given those before it. A stage says how its event follows the one before:
 *   strict   it is the very next event;
 *   relaxed  it is the first event behind that fulfils the condition;
 *   any      it is any event behind that fulfils the condition.
 * A stage that repeats stands for one, two, three ... stages in a row: the matches are those of all these patterns. A match whose last event is
 * not less than `withinUs` behind its first is none.
 */
import type { TypeSerializer } from '../state/type-serializer.ts';

export type Contiguity = 'strict' | 'relaxed' | 'any';

/** The events that a match, or a partial one, has taken under a name so far, in order (Flink: IterativeCondition.Context). */
export type Matched<T> = (name: string) => readonly T[];

export interface PatternStage {
  /** Several stages may share one. */
  readonly name: string;
  /** To the event before; it means nothing for the first stage. */
  readonly contiguity: Contiguity;
  readonly condition: (event: unknown, matched: Matched<unknown>) => boolean;
  /** Present: the stage may be taken again and again, each event following the one before like this. */
  readonly repeats?: Contiguity;
}

/** What becomes of the other partial matches when there is a match (Flink: AfterMatchSkipStrategy). */
export type AfterMatch = 'no-skip' | 'skip-past-last-event';

export interface PatternSpec {
  readonly stages: readonly PatternStage[];
  /** Absent: a match may take for ever. */
  readonly withinUs?: number;
  readonly afterMatch: AfterMatch;
  /** Type of the events. */
  readonly events: TypeSerializer<unknown>;
  /** What is made of a match. */
  readonly select: (matched: Matched<unknown>) => unknown;
  /** What is made of a partial match whose time is over, and the side output it goes into; absent: it is dropped. */
  readonly timedOut?: { readonly tag: string; readonly select: (matched: Matched<unknown>) => unknown };
}
