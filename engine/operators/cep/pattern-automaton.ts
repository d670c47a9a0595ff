/**
 * The automaton of a pattern: what one event makes of the partial matches of its key (Flink: NFA).
 *
 * Pure: called by the operator with one event after the other, in their order (job/patterns.ts says what must come out).
 * Invariants:
 *   I1 partial matches stay in the order in which they came up: what one becomes takes its place, first itself, then longer ones;
 *   I2 two partial matches never meet: each stands for one way to take events, so none is made twice.
 */
import type { PatternSpec, PatternStage } from '../../job/patterns.ts';
import { assert } from '../../foundation/assert.ts';
import { matchedOf, type PartialMatch } from './partial-match.ts';

export interface PatternStep {
  readonly partial: readonly PartialMatch[];
  /** Complete ones; their last event is the event at hand. */
  readonly complete: readonly PartialMatch[];
}

export function takeEvent(
  pattern: PatternSpec,
  before: readonly PartialMatch[],
  event: unknown,
  timestampUs: number,
): PatternStep {
  const partial: PartialMatch[] = [];
  const complete: PartialMatch[] = [];
  for (const match of before) {
    const stage = awaitedStage(match);
    const { condition, contiguity, repeats } = stageOf(pattern, stage);
    const follows = match.isRepeating ? repeats : contiguity;
    const isTaken = condition(event, matchedOf(pattern, match));
    if (follows === 'any' || (follows === 'relaxed' && !isTaken)) partial.push(match);
    if (isTaken) branch(pattern, longer(match, stage, event), { partial, complete });
  }
  const none: PartialMatch = { startUs: timestampUs, isRepeating: false, stages: [], events: [] };
  if (stageOf(pattern, 0).condition(event, matchedOf(pattern, none)))
    branch(pattern, longer(none, 0, event), { partial, complete });
  const [first] = complete;
  if (pattern.afterMatch === 'no-skip' || first === undefined) return { partial, complete };
  // All that is under way has begun at or before the last event of the match.
  return { partial: [], complete: [first] };
}

/** A match that has taken a stage goes on in two ways where that repeats. */
function branch(
  pattern: PatternSpec,
  match: PartialMatch,
  into: { readonly partial: PartialMatch[]; readonly complete: PartialMatch[] },
): void {
  const stage = match.stages.at(-1) ?? 0;
  if (stageOf(pattern, stage).repeats !== undefined) into.partial.push({ ...match, isRepeating: true });
  if (stage + 1 < pattern.stages.length) into.partial.push(match);
  else into.complete.push(match);
}

function awaitedStage({ stages, isRepeating }: PartialMatch): number {
  const newest = stages.at(-1) ?? -1;
  return isRepeating ? newest : newest + 1;
}

function longer({ startUs, stages, events }: PartialMatch, stage: number, event: unknown): PartialMatch {
  return { startUs, isRepeating: false, stages: [...stages, stage], events: [...events, event] };
}

function stageOf({ stages }: PatternSpec, index: number): PatternStage {
  const stage = stages[index];
  assert(stage !== undefined, 'a partial match waits for a stage of its pattern', { index, stages: stages.length });
  return stage;
}
