/**
 * What decided a failure: its life in sentences, how likely it was event by event, and the pair of events whose order flips the verdict.
 *
 * Owns: putting the three together. Does not own: living (it asks, inquiry.ts), words for the terminal (reports/explanation-text.ts).
 * I1: the explanation is a function of plan, engine and number of runs.
 */
import type { SimulationPlan } from '../../sim/plan.ts';
import type { Branch } from '../../sim/simulate.ts';
import { foundAt, type Inquiring, type LifeAnswer, NOTHING_SEEN } from '../inquiry.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { fewestOf } from '../shrink/delta-debugging.ts';
import { type CriticalPair, parting } from './critical-pair.ts';
import { anyEventText } from './event-text.ts';
import { narrative } from './narrative.ts';
import {
  type Continuing,
  continuationSeed,
  type Outcome,
  type ProbabilityCurve,
  probabilityCurve,
} from './probability-curve.ts';
import type { Sentence } from './sentence.ts';
import { vertexNames } from './vertex-name.ts';

export interface Explanation {
  readonly plan: SimulationPlan;
  /** Empty: the plan passes, there is nothing to explain. */
  readonly signature: string;
  readonly sentences: readonly Sentence[];
  readonly curve: ProbabilityCurve;
  /** Undefined: no other chance leads past the failure, or their ways part without an order that differs. */
  readonly pair: (CriticalPair & { /** The two events in words. */ readonly says: readonly string[] }) | undefined;
  readonly lives: number;
}

export interface ExplainOptions {
  /** Continuations of each event that is asked. */
  readonly runs: number;
  readonly jobs?: readonly JobDefinition[];
}

export function* explain(plan: SimulationPlan, { runs, jobs }: ExplainOptions): Inquiring<Explanation> {
  const failing = yield* look(plan);
  const { signature, history, verdicts } = failing;
  const found = foundAt(verdicts);
  const lastEvent = found.length === 0 ? history.length - 1 : found.reduce((a, b) => Math.max(a, b), 0);
  const asked = new Asked(plan, signature);
  const curve = yield* asked.drive(probabilityCurve(plan, { lastEvent, runs }));
  const pair = signature === '' ? undefined : yield* criticalPair(plan, { failing, lastEvent, curve, runs, asked });
  const wording = { plan, vertexName: vertexNames(plan, jobs) };
  return {
    plan,
    signature,
    sentences: narrative({
      ...wording,
      history,
      verdicts,
      marked: marksOf(curve, pair),
    }),
    curve,
    pair:
      pair === undefined
        ? undefined
        : { ...pair, says: [pair.first, pair.second].map((one) => anyEventText(one, wording)) },
    lives: asked.lives + 1,
  };
}

/** The events that decide, by history index. */
function marksOf(curve: ProbabilityCurve, pair: CriticalPair | undefined): ReadonlyMap<number, readonly string[]> {
  const marks = new Map<number, string[]>();
  const mark = (index: number | undefined, what: string): void => {
    if (index !== undefined && index >= 0) marks.set(index, [...(marks.get(index) ?? []), what]);
  };
  mark(curve.decisive?.with.afterEvent, 'decided here');
  mark(pair?.first.index, 'comes first where it fails');
  // In place of another event it is one of the passing life, and has no place here.
  if (pair?.isSwap === true) mark(pair.second.index, 'comes first where it passes');
  return marks;
}

/** Answers whether branches of the plan fail in the same way. */
class Asked {
  readonly #plan: SimulationPlan;
  readonly #signature: string;
  lives = 0;

  constructor(plan: SimulationPlan, signature: string) {
    this.#plan = plan;
    this.#signature = signature;
  }

  *signatures(branches: readonly Branch[]): Inquiring<readonly string[]> {
    this.lives += branches.length;
    const answers = yield { kind: 'live', cases: branches.map((branch) => ({ plan: this.#plan, branch })) };
    return branches.map((_, index) => answers[index]?.signature ?? '');
  }

  *drive<Result>(search: Continuing<Result>): Inquiring<Result> {
    let step = search.next();
    while (step.done !== true) {
      const signatures = yield* this.signatures(step.value);
      step = search.next(signatures.map((one) => outcomeOf(one, this.#signature)));
    }
    return step.value;
  }
}

function outcomeOf(signature: string, failure: string): Outcome {
  if (signature === failure) return 'alike';
  return signature === '' ? 'passes' : 'otherwise';
}

function* look(plan: SimulationPlan, branch?: Branch): Inquiring<LifeAnswer> {
  const [answer] = yield { kind: 'look', life: branch === undefined ? { plan } : { plan, branch } };
  return answer ?? { signature: '', events: 0, ...NOTHING_SEEN };
}

interface PairInput {
  readonly failing: LifeAnswer;
  /** What comes behind it decides nothing any more. */
  readonly lastEvent: number;
  readonly curve: ProbabilityCurve;
  readonly runs: number;
  readonly asked: Asked;
}

/** A life that passes and parts as late as possible, with as few sites drawn anew as possible, beside the one that fails. */
function* criticalPair(
  plan: SimulationPlan,
  { failing, lastEvent, curve, runs, asked }: PairInput,
): Inquiring<CriticalPair | undefined> {
  const latest = curve.points.findLast(({ failed }) => failed < runs);
  if (latest === undefined) return undefined;
  const { afterEvent } = latest;
  const branches = Array.from({ length: runs }, (_, run) => ({
    afterEvent,
    rootSeed: continuationSeed(plan, afterEvent, run),
  }));
  const passing = branches[(yield* asked.signatures(branches)).indexOf('')];
  if (passing === undefined) return undefined;
  const { sites } = yield* look(plan, passing);
  const needed = yield* fewestSites(sites, passing, asked);
  const neighbour = yield* look(plan, { ...passing, sites: needed });
  const parted = parting(failing.history, neighbour.history);
  return parted === undefined || parted.first.index > lastEvent ? undefined : { ...parted, sites: needed };
}

/** The fewest sites whose other chance still passes. */
function* fewestSites(sites: readonly string[], passing: Branch, asked: Asked): Inquiring<readonly string[]> {
  const search = fewestOf(sites, (kept): Branch => ({ ...passing, sites: kept }));
  let step = search.next();
  while (step.done !== true) {
    const found = (yield* asked.signatures(step.value)).indexOf('');
    step = search.next(found < 0 ? undefined : found);
  }
  return step.value;
}
