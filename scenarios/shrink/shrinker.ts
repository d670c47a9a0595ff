/**
 * The smallest plan with the same failure: delta debugging over faults, options, topology, workload, schedule and triggers
 * (simulation testing's section 7; fast-check's word is shrinking).
 *
 * Owns: the order of passes and when it ends. Does not own: living plans: it is a generator that asks, so that whoever drives it may live
 * many plans side by side, with the same outcome.
 *
 * I1: a smaller plan counts only if its life has the same signature (judge/anomaly) as the failure.
 * I2: and only if, without its faults, the standard engine passes it: else it fails because it is impossible, not because of a bug. Held
 *     whenever something else than faults was changed, provided that it holds for the plan to begin with.
 * I3: it ends with a certificate: each remaining fault and choice, and what becomes of the life without it.
 * I4: what is asked, in which order, and what comes out are functions of plan and engine.
 * I5: a life much longer than that of the failure is given up: whatever it comes to, it is no smaller. Options that were drawn apart can make
 *     a world a hundred times as busy.
 */
import type { SimulationPlan } from '../../sim/plan.ts';
import { foundAt, type Inquiring, type LifeAnswer, NOTHING_SEEN } from '../inquiry.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { STANDARD_VARIANT } from '../mutants/mutant-catalog.ts';
import { planHash } from '../plan-hash.ts';
import { type CertificateEntry, certificateOf } from './certificate.ts';
import { fewerFixed, fewerSites, fixedDraws } from './chance-edits.ts';
import { choicesOf, withOnly } from './choices-of-plan.ts';
import { fewestOf } from './delta-debugging.ts';
import { milderFaults, weakerFaults, withFault } from './fault-edits.ts';
import { type Fault, faultLabel } from '../../sim/faults/fault.ts';
import { simplerSchedules } from './schedule-edits.ts';
import { firstOf, type Search } from './search.ts';
import { fewerRecords, fewerRows, SIZE_EDITS, shorterStorms } from './size-edits.ts';
import { pointTriggers, vaguerTriggers } from './trigger-edits.ts';

export interface ShrinkOptions {
  /** Events lived until it ends with what it has; the certificate comes on top. */
  readonly maxEvents: number;
  readonly jobs?: readonly JobDefinition[];
  /** Somebody wants it to end with what it has. */
  readonly isInterrupted?: () => boolean;
}

/**
 * Why it ended. `minimal`: no pass finds anything smaller, and all that is left is necessary. `unproven`: no pass finds anything smaller,
 * but it fails alike without something that is left. `budget`, `interrupted`: a smaller plan may be there.
 */
export type ShrinkEnd = 'minimal' | 'unproven' | 'budget' | 'interrupted';

export interface ShrinkResult {
  readonly plan: SimulationPlan;
  readonly signature: string;
  /** Empty if it was interrupted. */
  readonly certificate: readonly CertificateEntry[];
  readonly lives: number;
  readonly events: number;
  readonly ended: ShrinkEnd;
  /** It ended so that nothing is left to be tried. */
  readonly isMinimal: boolean;
}

export type Shrinking = Inquiring<ShrinkResult>;

/** Plans lived at once before the lowest that still fails is known: the same for any number of workers (I4). */
const SPECULATION = 4;
/** Lives may have so many times the events of the failure (I5), and these at any rate. */
const LONGER = 8;
const SHORT_LIFE_EVENTS = 20_000;

export function shrink(plan: SimulationPlan, signature: string, options: ShrinkOptions): Shrinking {
  return new Shrinker(plan, signature, options).run();
}

/** Of a question that nobody answered. */
const NO_LIFE: LifeAnswer = { signature: '', events: 0, ...NOTHING_SEEN };

type Pass = (plan: SimulationPlan) => Search<SimulationPlan | undefined>;

class Shrinker {
  readonly #signature: string;
  readonly #options: ShrinkOptions;
  /** By the hash of the plan. */
  readonly #answers = new Map<string, LifeAnswer>();
  #plan: SimulationPlan;
  #lives = 0;
  #events = 0;
  /** Whether I2 holds to begin with. */
  #isPossible = false;
  /** Of one life (I5). */
  #mostEvents = Number.POSITIVE_INFINITY;

  constructor(plan: SimulationPlan, signature: string, options: ShrinkOptions) {
    this.#plan = plan;
    this.#signature = signature;
    this.#options = options;
  }

  *run(): Shrinking {
    const [failure] = yield* this.#answered([this.#plan]);
    this.#mostEvents = LONGER * Math.max(SHORT_LIFE_EVENTS, failure?.events ?? 0);
    const twin = yield* this.#signatures([calmTwin(this.#plan)]);
    this.#isPossible = twin[0] === '';
    let isMinimal = false;
    while (!isMinimal && !this.#isSpent()) {
      const before = planHash(this.#plan);
      yield* this.#takeAll(FEWER_FAULTS);
      // Before worlds become smaller: a time is met in that one world only, a point in many.
      yield* this.#canonicalTriggers();
      yield* this.#takeAll(this.#smallerWorlds());
      yield* this.#takeOnce(fewerRecords);
      yield* this.#takeAll(WEAKER_FAULTS);
      if (planHash(this.#plan) !== before) continue;
      // What takes a life for each single draw or record comes when nothing else is left to do.
      yield* this.#lessChance();
      yield* this.#takeAll([fewerRows]);
      isMinimal = planHash(this.#plan) === before && !this.#isSpent();
    }
    const certificate = this.#isInterrupted() ? [] : yield* this.#certificate();
    // What is left out of and fails alike all the same is not necessary.
    const isProven = certificate.every(
      ({ signature, isImpossible }) => signature !== this.#signature || isImpossible === true,
    );
    const isWhole = !this.#isInterrupted();
    const ended = !isWhole ? 'interrupted' : !isMinimal ? 'budget' : isProven ? 'minimal' : 'unproven';
    return {
      plan: this.#plan,
      signature: this.#signature,
      // Of one that was interrupted some lives were not begun.
      certificate: isWhole ? certificate : [],
      lives: this.#lives,
      events: this.#events,
      ended,
      isMinimal: ended === 'minimal',
    };
  }

  #smallerWorlds(): Pass[] {
    return [
      (plan) => this.#fewerChoices(plan),
      (plan) => firstOf(simplerSchedules(plan)),
      ...SIZE_EDITS.map(
        ({ candidates }): Pass =>
          (plan) =>
            firstOf(candidates(plan)),
      ),
    ];
  }

  /** Each pass until it finds nothing more. */
  *#takeAll(passes: readonly Pass[]): Inquiring<void> {
    for (const pass of passes) while (yield* this.#takeOnce(pass));
  }

  /** False: it found nothing smaller. */
  *#takeOnce(pass: Pass): Inquiring<boolean> {
    if (this.#isSpent()) return false;
    const smaller = yield* this.#drive(pass(this.#plan));
    if (smaller === undefined || planHash(smaller) === planHash(this.#plan)) return false;
    this.#plan = smaller;
    return true;
  }

  *#fewerChoices(plan: SimulationPlan): Search<SimulationPlan | undefined> {
    const all = choicesOf(plan, this.#options.jobs);
    const kept = yield* fewestOf(all, (some) => withOnly(plan, all, some));
    return kept.length === all.length ? undefined : withOnly(plan, all, kept);
  }

  /** What only a look at the whole life shows: when it was over, which sites drew, near which points faults struck. */
  *#canonicalTriggers(): Inquiring<void> {
    if (this.#isSpent()) return;
    const look = yield* this.#look();
    const last = foundAt(look.verdicts).reduce((latest, index) => Math.max(latest, look.history[index]?.atUs ?? 0), 0);
    yield* this.#takeAll([(plan) => firstOf(shorterStorms(plan, last)), (plan) => fewerSites(plan, look.sites)]);
    for (const { id } of this.#plan.faults) {
      const fault = this.#plan.faults.find((one) => one.id === id);
      if (fault === undefined || this.#isSpent()) continue;
      const { history } = yield* this.#look();
      const plan = this.#plan;
      const named = yield* this.#drive(firstOf(pointTriggers(plan, fault, history)));
      this.#plan = named ?? plan;
      const pointed = this.#plan.faults.find((one) => one.id === id);
      if (pointed !== undefined)
        this.#plan = (yield* this.#drive(firstOf(vaguerTriggers(this.#plan, pointed)))) ?? this.#plan;
    }
  }

  /** Draws that need not be. */
  *#lessChance(): Inquiring<void> {
    const { drawnSites = [], branches = [] } = this.#plan;
    if (drawnSites.length + branches.length > 0 && !this.#isSpent()) {
      const { choices } = yield* this.#look(true);
      this.#plan = (yield* this.#drive(fixedDraws(this.#plan, choices))) ?? this.#plan;
    }
    yield* this.#takeAll([fewerFixed]);
  }

  *#look(wantsChoices = false): Inquiring<LifeAnswer> {
    const [answer] = yield { kind: 'look', life: { plan: this.#plan, wantsChoices } };
    this.#lives += 1;
    this.#events += answer?.events ?? 0;
    return answer ?? NO_LIFE;
  }

  /** Runs a pass, answering its questions. */
  *#drive<Result>(search: Search<Result>): Inquiring<Result> {
    let step = search.next();
    while (step.done !== true) step = search.next(yield* this.#lowest(step.value));
    return step.value;
  }

  /** The lowest of these plans that counts (I1, I2). */
  *#lowest(plans: readonly SimulationPlan[]): Inquiring<number | undefined> {
    for (let start = 0; start < plans.length; start += SPECULATION) {
      if (this.#isSpent()) return undefined;
      const some = plans.slice(start, start + SPECULATION);
      const signatures = yield* this.#signatures(some);
      for (const [index, plan] of some.entries()) {
        if (signatures[index] === this.#signature && (yield* this.#mayFail(plan))) return start + index;
      }
    }
    return undefined;
  }

  *#mayFail(plan: SimulationPlan): Inquiring<boolean> {
    if (!this.#isPossible) return true;
    const [twin] = yield* this.#signatures([calmTwin(plan)]);
    return twin === '';
  }

  *#signatures(plans: readonly SimulationPlan[]): Inquiring<readonly string[]> {
    const answers = yield* this.#answered(plans);
    return answers.map(({ signature }) => signature);
  }

  /** One for each plan; what has been lived is not lived again. */
  *#answered(plans: readonly SimulationPlan[]): Inquiring<readonly LifeAnswer[]> {
    const hashes = plans.map(planHash);
    const unknown = plans.filter((_, index) => !this.#answers.has(hashes[index] ?? ''));
    if (unknown.length > 0) {
      const answers = yield { kind: 'live', cases: unknown.map((plan) => ({ plan: this.#bounded(plan) })) };
      for (const [index, plan] of unknown.entries()) {
        const answer = answers[index] ?? NO_LIFE;
        this.#answers.set(planHash(plan), answer);
        this.#lives += 1;
        this.#events += answer.events;
      }
    }
    return hashes.map((hash) => this.#answers.get(hash) ?? NO_LIFE);
  }

  /** I5. As it is lived: what comes out keeps its limits. */
  #bounded(plan: SimulationPlan): SimulationPlan {
    const { limits } = plan;
    return { ...plan, limits: { ...limits, maxEvents: Math.min(limits.maxEvents, this.#mostEvents) } };
  }

  *#certificate(): Inquiring<readonly CertificateEntry[]> {
    const questions = certificateOf(this.#plan, this.#options.jobs);
    const signatures = yield* this.#signatures(questions.map(({ plan }) => plan));
    const entries: CertificateEntry[] = [];
    for (const [index, { without, plan }] of questions.entries()) {
      const signature = signatures[index] ?? '';
      const isAlike = signature === this.#signature;
      entries.push({
        without,
        signature,
        ...(isAlike && !(yield* this.#mayFail(plan)) ? { isImpossible: true as const } : {}),
      });
    }
    return entries;
  }

  #isSpent(): boolean {
    return this.#events >= this.#options.maxEvents || this.#isInterrupted();
  }

  #isInterrupted(): boolean {
    return this.#options.isInterrupted?.() === true;
  }
}

/** The same world without trouble, on the engine that has no known bug. */
function calmTwin(plan: SimulationPlan): SimulationPlan {
  return { ...plan, faults: plan.faults.filter(({ kind }) => kind === 'operation'), variant: STANDARD_VARIANT };
}

const FEWER_FAULTS: readonly Pass[] = [fewerFaultKinds, fewerFaults];
/** Behind the naming of points: what is barely strong enough strikes at one instant only, and no point has that. */
const WEAKER_FAULTS: readonly Pass[] = [
  (plan) => firstEdit(plan, milderFaults),
  (plan) => firstEdit(plan, weakerFaults),
];

function* fewerFaultKinds(plan: SimulationPlan): Search<SimulationPlan | undefined> {
  const labels = [...new Set(plan.faults.map(faultLabel))];
  const of = (kept: readonly string[]): SimulationPlan => ({
    ...plan,
    faults: plan.faults.filter((fault) => kept.includes(faultLabel(fault))),
  });
  const kept = yield* fewestOf(labels, of);
  return kept.length === labels.length ? undefined : of(kept);
}

function* fewerFaults(plan: SimulationPlan): Search<SimulationPlan | undefined> {
  const kept = yield* fewestOf(plan.faults, (faults) => ({ ...plan, faults }));
  return kept.length === plan.faults.length ? undefined : { ...plan, faults: kept };
}

function* firstEdit(
  plan: SimulationPlan,
  edits: (fault: Fault) => readonly Fault[],
): Search<SimulationPlan | undefined> {
  for (const fault of plan.faults) {
    const found = yield* firstOf(edits(fault).map((edited) => withFault(plan, edited)));
    if (found !== undefined) return found;
  }
  return undefined;
}
