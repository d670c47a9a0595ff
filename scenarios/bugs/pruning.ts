/**
 * Which bugs of a base stay after all of them were lived, and why.
 *
 * Owns: the decision. Does not own: living and files (cli/bugs/).
 * I1: what a person wrote is never removed: a bug whose story is told becomes `fixed` when it is gone, and stays when it is a duplicate.
 * I2: of the bugs with one key that still reproduce, the one with the smallest plan stays; of equal plans the one that was there first.
 * I3: what is not known to be gone stays.
 */
import type { SimulationPlan } from '../../sim/plan.ts';
import { comparePlanSizes } from '../shrink/plan-size.ts';
import type { BugOutcome, BugStatus } from './bug-record.ts';

export interface LivedBug {
  readonly name: string;
  readonly status: BugStatus;
  /** Empty: nobody noted it. */
  readonly signature: string;
  readonly outcome: BugOutcome;
  /** A person has written its story. */
  readonly isTold: boolean;
  readonly plan: SimulationPlan;
  readonly age: BugAge;
}

/** What tells which of two equal bugs was there first. */
export interface BugAge {
  /** Length of its history. */
  readonly runs: number;
  /** Calendar day, YYYY-MM-DD; undefined: nobody noted it. */
  readonly firstSeen: string | undefined;
  /** It is called as the bug base calls it: copies have other names. */
  readonly hasOwnName: boolean;
}

export interface Pruning {
  readonly name: string;
  /** `fix`: it stays, as one that has to pass from now on. */
  readonly action: 'keep' | 'remove' | 'fix';
  readonly why: string;
}

/** What makes two failures one bug: how it fails, and the engine it fails on. */
export const bugKey = (signature: string, { variant }: Pick<SimulationPlan, 'variant'>): string =>
  `${signature} on ${variant}`;

/** One decision for each bug, in their order. */
export function pruningOf(bugs: readonly LivedBug[]): Pruning[] {
  const smallest = new Map<string, LivedBug>();
  for (const bug of bugs) {
    if (!isLive(bug)) continue;
    const key = bugKey(bug.signature, bug.plan);
    const best = smallest.get(key);
    if (best === undefined || isBefore(bug, best)) smallest.set(key, bug);
  }
  return bugs.map((bug) => ({ name: bug.name, ...decision(bug, smallest.get(bugKey(bug.signature, bug.plan))) }));
}

function isBefore(bug: LivedBug, other: LivedBug): boolean {
  const size = comparePlanSizes(bug.plan, other.plan);
  if (size !== 0) return size < 0;
  const [one, two] = [bug.age, other.age];
  if (one.runs !== two.runs) return one.runs > two.runs;
  const [day, otherDay] = [one.firstSeen ?? '', two.firstSeen ?? ''];
  if (day !== otherDay) return otherDay === '' || (day !== '' && day < otherDay);
  if (one.hasOwnName !== two.hasOwnName) return one.hasOwnName;
  return bug.name < other.name;
}

const isLive = ({ status, outcome }: LivedBug): boolean => status === 'open' && outcome === 'reproduces';

function decision(bug: LivedBug, smallest: LivedBug | undefined): Omit<Pruning, 'name'> {
  const { status, outcome, isTold } = bug;
  if (status === 'fixed') {
    const why = outcome === 'gone' ? 'fixed, and guarded by its plan' : 'it was fixed, and its plan does not pass';
    return { action: 'keep', why };
  }
  if (outcome === 'gone') {
    return isTold
      ? { action: 'fix', why: 'it no longer reproduces; its story is told, so its plan guards against it from now on' }
      : { action: 'remove', why: 'it no longer reproduces' };
  }
  if (outcome !== 'reproduces') return { action: 'keep', why: 'it is not known to be gone' };
  if (smallest === undefined || smallest.name === bug.name) return { action: 'keep', why: 'it reproduces' };
  const isSame = comparePlanSizes(bug.plan, smallest.plan) === 0;
  const why = `it fails like ${smallest.name}, whose plan is ${isSame ? 'the same, and was there first' : 'smaller'}`;
  return isTold
    ? { action: 'keep', why: `${why}; its story is told, move that before you remove it` }
    : { action: 'remove', why };
}
