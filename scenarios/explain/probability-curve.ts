/**
 * How likely the failure still is, event by event: the life is kept up to an event and goes on with other chance behind it, many times
 * (FoundationDB and Antithesis do so by hand; ours keeps every continuation replayable).
 *
 * Owns: which events are asked and the bisection. Does not own: living continuations (whoever drives the explanation).
 * I1: continuations are numbered, and their seeds are made of plan, event and number: the curve is a function of the plan.
 */
import type { SimulationPlan } from '../../sim/plan.ts';
import type { Branch } from '../../sim/simulate.ts';

export interface CurvePoint {
  /** History index up to which the life was kept; -1: nothing of it. */
  readonly afterEvent: number;
  readonly runs: number;
  /** Continuations that fail with the same signature. */
  readonly failed: number;
  /** That pass; all others fail with another signature. */
  readonly passed: number;
}

export interface ProbabilityCurve {
  /** By event. */
  readonly points: readonly CurvePoint[];
  /** The last event of the steepest rise: with it the failure is near certain, or much likelier than before. Undefined: no event matters. */
  readonly decisive: { readonly before: CurvePoint; readonly with: CurvePoint } | undefined;
}

/** What a continuation came to: the same failure, another one, none. */
export type Outcome = 'alike' | 'otherwise' | 'passes';

/** Asks for continuations of the failing life and is told what each came to. */
export type Continuing<Result> = Generator<readonly Branch[], Result, readonly Outcome[]>;

/** Points of the first look, evenly over the life. */
const GRID = 9;
/** A rise smaller than this is noise. */
const RISE_MIN = 0.2;

export function* probabilityCurve(
  plan: SimulationPlan,
  { lastEvent, runs }: { readonly lastEvent: number; readonly runs: number },
): Continuing<ProbabilityCurve> {
  const points = new Map<number, CurvePoint>();
  const grid = Array.from({ length: GRID }, (_, index) => Math.round((index * (lastEvent + 1)) / (GRID - 1)) - 1);
  yield* measure(plan, { events: grid, runs, points });
  for (;;) {
    const found = steepest(inOrder(points));
    if (found === undefined || found.by < RISE_MIN) return { points: inOrder(points), decisive: undefined };
    const { low, high } = found;
    if (high.afterEvent - low.afterEvent <= 1)
      return { points: inOrder(points), decisive: { before: low, with: high } };
    yield* measure(plan, { events: [Math.floor((low.afterEvent + high.afterEvent) / 2)], runs, points });
  }
}

/** Seed of the `run`-th continuation behind an event. */
export const continuationSeed = (plan: SimulationPlan, afterEvent: number, run: number): string =>
  `${plan.seed}/after-${afterEvent}/run-${run}`;

function* measure(
  plan: SimulationPlan,
  {
    events,
    runs,
    points,
  }: { readonly events: readonly number[]; readonly runs: number; readonly points: Map<number, CurvePoint> },
): Continuing<void> {
  const fresh = [...new Set(events)].filter((event) => !points.has(event));
  const branches = fresh.flatMap((afterEvent) =>
    Array.from(
      { length: runs },
      (_, run): Branch => ({ afterEvent, rootSeed: continuationSeed(plan, afterEvent, run) }),
    ),
  );
  const outcomes = yield branches;
  for (const [index, afterEvent] of fresh.entries()) {
    const own = outcomes.slice(index * runs, (index + 1) * runs);
    const count = (outcome: Outcome): number => own.filter((one) => one === outcome).length;
    points.set(afterEvent, { afterEvent, runs, failed: count('alike'), passed: count('passes') });
  }
}

const inOrder = (points: ReadonlyMap<number, CurvePoint>): CurvePoint[] =>
  [...points.values()].sort((a, b) => a.afterEvent - b.afterEvent);

interface Rise {
  readonly low: CurvePoint;
  readonly high: CurvePoint;
  /** By so much the share that fails alike is higher behind `high`, for good. */
  readonly by: number;
}

/**
 * Neighbours with the greatest rise that lasts: what the share falls below again later decided nothing. The later ones of equals, since what is
 * decided last decides.
 */
function steepest(points: readonly CurvePoint[]): Rise | undefined {
  let best: Rise | undefined;
  let lasting = Number.POSITIVE_INFINITY;
  for (let index = points.length - 1; index > 0; index -= 1) {
    const [low, high] = [points[index - 1], points[index]];
    if (low === undefined || high === undefined) continue;
    lasting = Math.min(lasting, share(high));
    const by = lasting - Math.min(lasting, share(low));
    if (best === undefined || by > best.by) best = { low, high, by };
  }
  return best;
}

const share = ({ failed, runs }: CurvePoint): number => failed / runs;
