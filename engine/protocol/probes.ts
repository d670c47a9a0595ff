/**
 * How the engine says that it has reached a rare situation of the table (probe-table.ts).
 */
import type { Out } from './actor.ts';
import type { ProbeName } from './probe-table.ts';

/** Reached. */
export function probe(out: Pick<Out, 'report'>, name: ProbeName): void {
  out.report({ kind: 'probe', probe: name });
}

/** Reached, where the condition holds. */
export function sometimes(condition: boolean, out: Pick<Out, 'report'>, name: ProbeName): void {
  if (condition) probe(out, name);
}
