/**
 * A crash at every point of a checkpoint's life: each point x machine x variant is a life; with `double`, each distinct recovery is crashed
 * at each of its own points once more.
 *
 * Owns: what is lived and in which order. Does not own: living (it asks, inquiry.ts), the table (reports/crash-table.ts).
 * I1: every point that the calm life passes is crashed at, at every machine, in every variant: 100 %, or the exploration throws.
 * I2: what is lived is a function of the plan.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import { type Inquiring, type LifeAnswer, NOT_BEGUN, NOTHING_SEEN } from '../inquiry.ts';
import { calmPlan, type CrashCase, crashCase, machinesOf, variantsOf } from './crash-case.ts';
import { type CrashPoint, crashPoints, recoveryPoints } from './crash-point.ts';
import { recoveryOf } from './recovery.ts';
import { during, typicalCheckpoint } from './typical-checkpoint.ts';

export interface CaseOutcome {
  readonly case: CrashCase;
  /** `judge/anomaly`; empty when it passed. */
  readonly signature: string;
  /** How it recovered; empty of second crashes. */
  readonly recovery: string;
}

export interface Exploration {
  readonly plan: SimulationPlan;
  /** Of the life without any crash; not empty: it fails already, and nothing was explored. */
  readonly calmSignature: string;
  /** Checkpoints whose life is explored. */
  readonly checkpoints: readonly number[];
  readonly points: readonly CrashPoint[];
  readonly outcomes: readonly CaseOutcome[];
  readonly distinctRecoveries: number;
  /** Of second crashes; empty unless asked for. */
  readonly second: readonly CaseOutcome[];
  /** Second crashes of all shards together. */
  readonly secondOfAll: number;
}

export interface ExplorationOptions {
  /** The checkpoints; absent: the third that completes. */
  readonly checkpoints?: readonly number[];
  readonly double: boolean;
  /** Of second crashes only every `count`-th, beginning with the `index`-th, from 1; absent: all. */
  readonly shard?: { readonly index: number; readonly count: number };
  readonly onPlan?: (lives: number) => void;
  /** Somebody wants it to end with what it has: then I1 does not hold. */
  readonly isInterrupted?: () => boolean;
}

const NOT_LIVED: LifeAnswer = { signature: 'not-lived', events: 0, ...NOTHING_SEEN };
/** Cases asked at once. */
const BATCH = 64;

export function* explore(written: SimulationPlan, options: ExplorationOptions): Inquiring<Exploration> {
  const plan = calmPlan(written);
  const calm = yield* look(plan);
  const nothing = {
    plan,
    checkpoints: [],
    points: [],
    outcomes: [],
    distinctRecoveries: 0,
    second: [],
    secondOfAll: 0,
  };
  if (calm.signature !== '') return { ...nothing, calmSignature: calm.signature };
  const checkpoints = options.checkpoints ?? typicalCheckpoint(calm.history);
  const points = crashPoints(calm.history, during(checkpoints, calm.history));
  const variants = variantsOf(plan);
  const cases = points.flatMap((point) =>
    machinesOf(plan).flatMap((node) => variants.map((variant) => crashCase(plan, { point, node, variant }))),
  );
  assert(cases.length === points.length * machinesOf(plan).length * variants.length, 'I1: every point is crashed at');
  options.onPlan?.(cases.length);
  const outcomes = yield* outcomesOf(cases, { ...options, wantsRecovery: true });
  // The first case of each recovery stands for all of them.
  const representatives = new Map<string, CrashCase>();
  for (const { recovery, case: one } of outcomes)
    if (!representatives.has(recovery)) representatives.set(recovery, one);
  const twice = options.double ? yield* secondCrashes([...representatives.values()], options) : { cases: [], ofAll: 0 };
  options.onPlan?.(twice.cases.length);
  const second = yield* outcomesOf(twice.cases, { ...options, wantsRecovery: false });
  const distinctRecoveries = representatives.size;
  return {
    plan,
    calmSignature: '',
    checkpoints,
    points,
    outcomes,
    distinctRecoveries,
    second,
    secondOfAll: twice.ofAll,
  };
}

/** Each recovery, crashed again at each of its own points, at every machine. */
function* secondCrashes(
  recoveries: readonly CrashCase[],
  { shard = { index: 1, count: 1 }, isInterrupted = () => false }: ExplorationOptions,
): Inquiring<{ readonly cases: readonly CrashCase[]; readonly ofAll: number }> {
  const cases: CrashCase[] = [];
  let ofAll = 0;
  for (const first of recoveries) {
    if (isInterrupted()) break;
    const { history } = yield* look(first.plan);
    const recovery = recoveryOf(history);
    // Behind the storm no fault strikes: a case there would be the first crash alone once more.
    const liveness = history.find(({ event }) => event.kind === 'phase' && event.phase === 'liveness');
    const [begin, last] = [recovery[0]?.index ?? 0, recovery.at(-1)?.index ?? -1];
    const end = Math.min(last, (liveness?.index ?? Number.POSITIVE_INFINITY) - 1);
    for (const point of recoveryPoints(history, ({ index }) => index >= begin && index <= end)) {
      for (const node of machinesOf(first.plan)) {
        ofAll += 1;
        if (ofAll % shard.count !== shard.index % shard.count) continue;
        const twice = crashCase(first.plan, { point, node, variant: 'crash' });
        cases.push({ ...twice, points: [...first.points, point] });
      }
    }
  }
  return { cases, ofAll };
}

function* outcomesOf(
  cases: readonly CrashCase[],
  {
    wantsRecovery,
    isInterrupted = () => false,
  }: Pick<ExplorationOptions, 'isInterrupted'> & { readonly wantsRecovery: boolean },
): Inquiring<CaseOutcome[]> {
  const outcomes: CaseOutcome[] = [];
  for (let start = 0; start < cases.length && !isInterrupted(); start += BATCH) {
    const some = cases.slice(start, start + BATCH);
    const answers = yield { kind: 'live', cases: some.map(({ plan }) => ({ plan, wantsRecovery })) };
    for (const [index, one] of some.entries()) {
      const { signature, recovery } = answers[index] ?? NOT_LIVED;
      if (signature !== NOT_BEGUN) outcomes.push({ case: one, signature, recovery });
    }
  }
  return outcomes;
}

function* look(plan: SimulationPlan): Inquiring<LifeAnswer> {
  const [answer] = yield { kind: 'look', life: { plan } };
  return answer ?? NOT_LIVED;
}
