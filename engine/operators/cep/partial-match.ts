/**
 * A match that is not complete yet, and its form in state (Flink: ComputationState, SharedBuffer).
 *
 * Unlike Flink each partial match holds its events itself: a buffer they share would save bytes where a pattern branches a lot, at the price of
 * reference counts in state.
 */
import type { Matched, PatternSpec } from '../../job/patterns.ts';
import { Types } from '../../state/type-information.ts';
import type { TypeSerializer } from '../../state/type-serializer.ts';

export interface PartialMatch {
  /** Event time of its first event. */
  readonly startUs: number;
  /** Whether it waits for one more event of its newest stage, which repeats; else it waits for one of the next stage. */
  readonly isRepeating: boolean;
  /** Numbers of the stages taken, as many as events. */
  readonly stages: readonly number[];
  readonly events: readonly unknown[];
}

export const partialMatches = (events: TypeSerializer<unknown>): TypeSerializer<PartialMatch[]> =>
  Types.list(
    Types.row<PartialMatch>({
      startUs: Types.int,
      isRepeating: Types.boolean,
      stages: Types.list(Types.int) as TypeSerializer<readonly number[]>,
      events: Types.list(events) as TypeSerializer<readonly unknown[]>,
    }),
  );

/** What conditions and `select` see of it. */
export function matchedOf({ stages }: PatternSpec, { stages: taken, events }: PartialMatch): Matched<unknown> {
  return (name) => events.filter((_event, index) => stages[taken[index] ?? -1]?.name === name);
}
