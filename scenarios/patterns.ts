/**
 * Patterns of faults that a sweep over everything has to show beside the classes of plain faults (sim/faults/fault-classes.ts): the nemeses, and
 * what the class of a fault does not tell. Plans know of none: strikes are drawn once more, as `compile` draws them.
 *
 * Owns: the names, what counts as a pattern that struck. Does not own: the sums (reports).
 *
 * I1: a nemesis has struck when two of its parts did, or its only one; what it is about lies between them;
 * I2: a crash within a write has struck when one machine died that had not heard what became of its own.
 */
import type { Fault } from '../sim/faults/fault.ts';
import type { FaultRecord } from '../sim/run-record.ts';
import type { Strike } from './fault-draws.ts';
import { NEMESIS_NAMES, type NemesisName } from './nemeses/nemesis-name.ts';

const PLAIN = {
  'crash-for-good': (fault: Fault) => fault.kind === 'crash' && fault.restartAfterUs < 0,
  'restore-from-older-snapshot': (fault: Fault) => {
    const from = thenResumeOf(fault)?.from;
    return from === 'earliest-left' || from === 'newest-savepoint';
  },
  'change-at-restore': (fault: Fault) => {
    const { parallelism, backend, fileMerging, version } = thenResumeOf(fault) ?? {};
    return [parallelism, backend, fileMerging, version].some((change) => change !== undefined);
  },
} as const;

type PlainName = keyof typeof PLAIN;
export type PatternName = NemesisName | PlainName;
const PLAIN_NAMES = Object.keys(PLAIN) as readonly PlainName[];
export const PATTERN_NAMES: readonly PatternName[] = [...NEMESIS_NAMES, ...PLAIN_NAMES];

export type PatternCounts = Readonly<
  Partial<Record<PatternName, { readonly planned: number; readonly effective: number }>>
>;

/** How often each pattern was in a plan, and how often it struck in the life of that plan. */
export function countPatterns(strikes: readonly Strike[], records: readonly FaultRecord[]): PatternCounts {
  const recordOf = new Map(records.map((record) => [record.id, record]));
  const counts: Partial<Record<PatternName, { planned: number; effective: number }>> = {};
  const count = (name: PatternName, hasStruck: boolean): void => {
    const { planned, effective } = counts[name] ?? { planned: 0, effective: 0 };
    counts[name] = { planned: planned + 1, effective: effective + (hasStruck ? 1 : 0) };
  };
  for (const { nemesis, faults } of strikes) {
    const effective = faults.flatMap(({ id }) => recordOf.get(id) ?? []).filter((record) => record.effective);
    if (nemesis !== undefined && faults.length > 0) count(nemesis, hasStruck(nemesis, faults.length, effective));
    for (const fault of faults)
      for (const name of PLAIN_NAMES)
        if (PLAIN[name](fault))
          count(
            name,
            effective.some(({ id }) => id === fault.id),
          );
  }
  return counts;
}

/** I1, I2. */
function hasStruck(nemesis: NemesisName, parts: number, effective: readonly FaultRecord[]): boolean {
  if (nemesis === 'crash-in-flight-write') return effective.some(({ inFlight }) => inFlight === true);
  return effective.length >= Math.min(2, parts);
}

function thenResumeOf(fault: Fault) {
  if (fault.kind !== 'operation' || !('thenResume' in fault.command)) return undefined;
  return fault.command.thenResume;
}
