/**
 * A sweep: hands seeds to a pool, puts what comes back in order, sums it and stores it.
 *
 * Owns: which seed is whose, order, resuming. Does not own: threads (workers.ts), files (result-store.ts), words (commands).
 * I1: results are released in the order of the sweep (seed by seed, scenario by scenario), whatever order they came in: sums,
 *     digest and CSV files are the same for any number of workers.
 * I2: every job that was handed out is released, also after an interrupt: an interrupted sweep has no holes.
 * I3: with a strategy each scenario has a search of its own, and its n-th seed is the n-th plan that this one proposes.
 */
import { SweepSummary, type SweepSums } from '../reports/index.ts';
import { compile, strikesOf } from '../scenarios/compile.ts';
import { countPatterns } from '../scenarios/patterns.ts';
import { ProposalFeed } from '../scenarios/strategies/proposal-feed.ts';
import type { Observation, Strategy } from '../scenarios/strategies/strategy.ts';
import { swarmChoices } from '../scenarios/swarm.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { capsuleOf } from './capsule.ts';
import type { LifeJob, LifePool, LifeResult } from './life-pool.ts';
import { type LifeRow, lifeRow } from './life-row.ts';
import type { SeedRange, Shard } from './option-table.ts';
import { joinPath } from './files.ts';
import { type ResultStore, writeCapsule, writeUnlived } from './result-store.ts';
import type { NamedScenario } from './scenario-source.ts';

/** A life of an earlier sweep, without its long parts. */
export type StoredLife = Omit<LifeRow, LongPart>;
type LongPart = 'verdicts' | 'checkpointRecords' | 'subtaskRecords' | 'restoreRecords' | 'faultRecords' | 'timeline';

export const NO_LONG_PARTS: Pick<LifeRow, LongPart> = {
  verdicts: [],
  checkpointRecords: [],
  subtaskRecords: [],
  restoreRecords: [],
  faultRecords: [],
  timeline: [],
};

export interface SweepOptions {
  readonly scenarios: readonly NamedScenario[];
  readonly seeds: SeedRange;
  readonly shard: Shard;
  /** What makes the plans; absent: scenario and seed, in the workers. */
  readonly strategy?: Strategy;
  readonly workers: number;
  readonly engineVersion: string;
  /** Keep each subtask's part in each checkpoint. */
  readonly subtasks: boolean;
  /** Where capsules go. */
  readonly folder: string;
  /** Where rows go; absent: nowhere. */
  readonly store?: ResultStore;
  /** Lives that need not be lived again, by `resumeKey`. */
  readonly stored: ReadonlyMap<string, StoredLife>;
  /** No further seed is begun once this is true. */
  readonly isOver: () => boolean;
  readonly onProgress: (released: number, failed: number) => void;
  readonly onNote: (note: string) => void;
}

export interface SweepFailure {
  readonly scenario: string;
  readonly seed: string;
  readonly verdict: string;
  readonly signature: string;
  /** Path of the capsule. */
  readonly capsule: string;
  /** Path of the capsule of its smallest plan: of the first failure of each signature. */
  readonly shrunk?: string;
  /** Its name in the bug base, and whether it was put there now; of the first failure of each signature, with `--bugs`. */
  readonly bug?: string;
  readonly isNewBug?: boolean;
}

/** A life that broke off: of the simulator's or a worker's making, so that it says nothing of the job. */
export interface UnlivedSeed {
  readonly scenario: string;
  readonly seed: string;
  readonly message: string;
  /** Where its plan was put, which `replay` lives; absent when there is none. */
  readonly plan?: string;
}

export interface ScenarioOutcome {
  readonly scenario: string;
  readonly sums: SweepSums;
}

export interface SweepOutcome {
  readonly total: SweepSums;
  readonly perScenario: readonly ScenarioOutcome[];
  readonly failures: readonly SweepFailure[];
  readonly resumed: number;
  /** Seeds whose second living took another course. */
  readonly notDeterministic: readonly string[];
  readonly infrastructure: readonly UnlivedSeed[];
  /** Last seed released; below the range's end when the sweep stopped early. */
  readonly lastSeed: number;
}

/** Most jobs in a chunk: few enough that an interrupt is heard soon. */
const CHUNK_MAX = 8;
/** What a life that could not be lived is signed with. */
const NOT_LIVED = 'not-lived';
/** Chunks each worker gets at least, while there are jobs: even load at the end. */
const CHUNKS_PER_WORKER = 4;

export const resumeKey = (scenario: string, seed: string): string => JSON.stringify([scenario, seed]);

/** The first seed of a shard, at or after the start of the range: seed k belongs to shard 1 + (k - from) mod count. */
export const firstSeed = (seeds: SeedRange, shard: Shard): number => seeds.from + shard.index - 1;

/** How many seeds of a range a shard has. */
export function seedsInShard(seeds: SeedRange, shard: Shard): number {
  return Math.max(0, Math.floor((seeds.to - firstSeed(seeds, shard)) / shard.count) + 1);
}

export async function runSweep(options: SweepOptions, pool: LifePool): Promise<SweepOutcome> {
  const sweep = new Sweep(options);
  await pool.run({
    workers: Math.min(options.workers, sweep.jobs),
    scenarios: options.scenarios.map(({ scenario }) => scenario),
    subtasks: options.subtasks,
    next: () => sweep.next(),
    onLife: (job, result) => sweep.take(job, result),
    onNote: options.onNote,
  });
  return sweep.outcome();
}

type Arrived = { readonly job: LifeJob } & ({ readonly result: LifeResult } | { readonly stored: StoredLife });

class Sweep {
  readonly jobs: number;
  readonly #options: SweepOptions;
  readonly #total = new SweepSummary();
  readonly #perScenario: readonly SweepSummary[];
  readonly #failures: SweepFailure[] = [];
  readonly #notDeterministic: string[] = [];
  readonly #infrastructure: UnlivedSeed[] = [];
  /** Arrived before those in front of them. */
  readonly #waiting = new Map<number, Arrived>();
  /** The searches of the scenarios; empty without a strategy. */
  readonly #feeds: readonly ProposalFeed[];
  /** Workers that wait for a search to propose more. */
  readonly #hungry: (() => void)[] = [];
  #handed = 0;
  #released = 0;
  #resumed = 0;
  #lastSeed: number;

  constructor(options: SweepOptions) {
    this.#options = options;
    this.jobs = seedsInShard(options.seeds, options.shard) * options.scenarios.length;
    this.#perScenario = options.scenarios.map(() => new SweepSummary());
    const { strategy, seeds, shard } = options;
    const seedAt = (index: number): string => String(firstSeed(seeds, shard) + index * shard.count);
    this.#feeds =
      strategy === undefined
        ? []
        : options.scenarios.map(({ scenario }) => new ProposalFeed(strategy({ scenario, seedAt })));
    this.#lastSeed = options.seeds.from - 1;
  }

  next(): readonly LifeJob[] | Promise<readonly LifeJob[]> {
    const chunk = this.#chunk();
    if (chunk.length > 0 || !this.#isLater()) return chunk;
    return new Promise<void>((resolve) => this.#hungry.push(resolve)).then(() => this.next());
  }

  /** More jobs will be known when lives that are under way have ended. */
  #isLater(): boolean {
    const feed = this.#feeds[this.#handed % this.#options.scenarios.length];
    return feed !== undefined && !feed.isExhausted && this.#handed < this.jobs && !this.#options.isOver();
  }

  #chunk(): readonly LifeJob[] {
    const { workers, isOver, stored, scenarios } = this.#options;
    const size = Math.min(
      CHUNK_MAX,
      Math.max(1, Math.floor((this.jobs - this.#handed) / (workers * CHUNKS_PER_WORKER))),
    );
    const chunk: LifeJob[] = [];
    while (chunk.length < size && this.#handed < this.jobs && !isOver()) {
      const job = this.#jobAt(this.#handed);
      if (job === undefined) break;
      this.#handed += 1;
      const known = stored.get(resumeKey(scenarios[job.scenario]?.scenario.name ?? '', job.seed));
      if (known === undefined) chunk.push(job);
      else this.#arrive({ job, stored: known });
    }
    return chunk;
  }

  take(job: LifeJob, result: LifeResult): void {
    this.#feeds[job.scenario]?.answer(this.#numberOf(job), observationOf(result));
    // Also those hear it who wait for a search that has ended, or for a sweep that is over.
    for (const wake of this.#hungry.splice(0)) wake();
    this.#arrive({ job, result });
  }

  outcome(): SweepOutcome {
    return {
      total: this.#total.sums(),
      perScenario: this.#perScenario.map((summary, index) => ({
        scenario: this.#options.scenarios[index]?.scenario.name ?? '',
        sums: summary.sums(),
      })),
      failures: this.#failures,
      resumed: this.#resumed,
      notDeterministic: this.#notDeterministic,
      infrastructure: this.#infrastructure,
      lastSeed: this.#lastSeed,
    };
  }

  /** Undefined: its plan is not known yet. */
  #jobAt(index: number): LifeJob | undefined {
    const { scenarios, seeds, shard } = this.#options;
    const scenario = index % scenarios.length;
    const job: LifeJob = { index, scenario, seed: '' };
    const number = this.#numberOf(job);
    const seed = String(firstSeed(seeds, shard) + number * shard.count);
    const feed = this.#feeds[scenario];
    if (feed === undefined) return { ...job, seed };
    const proposal = feed.at(number);
    return proposal === undefined ? undefined : { ...job, seed, ...proposal, relive: true };
  }

  /** Which of its scenario's lives it is, from 0. */
  #numberOf({ index, scenario }: LifeJob): number {
    return (index - scenario) / this.#options.scenarios.length;
  }

  #arrive(arrived: Arrived): void {
    this.#waiting.set(arrived.job.index, arrived);
    for (let next = this.#waiting.get(this.#released); next !== undefined; next = this.#waiting.get(this.#released)) {
      this.#waiting.delete(this.#released);
      this.#released += 1;
      this.#lastSeed = Number(next.job.seed);
      if ('stored' in next) this.#releaseStored(next.job, next.stored);
      else this.#releaseLife(next.job, next.result);
      this.#options.onProgress(this.#released, this.#failures.length);
    }
  }

  #releaseStored(job: LifeJob, life: StoredLife): void {
    this.#resumed += 1;
    this.#sum(job, { ...life, ...NO_LONG_PARTS });
  }

  #releaseLife(job: LifeJob, result: LifeResult): void {
    if (result.kind === 'infrastructure') return this.#releaseUnlived(job, result.message);
    const { life, plan } = result;
    const { engineVersion, folder, store, scenarios } = this.#options;
    const capsule = plan === undefined ? '' : writeCapsule(folder, capsuleOf(plan, life, engineVersion));
    const scenario = scenarios[job.scenario]?.scenario;
    const expect: SimulationPlan['expect'] = scenario?.expect ?? 'exactly-once';
    const swarm = scenario === undefined ? [] : swarmChoices(scenario, life.record.seed);
    const strikes = scenario === undefined || job.plan !== undefined ? [] : strikesOf(scenario, life.record.seed);
    const patterns = countPatterns(strikes, life.record.faultRecords);
    const row = lifeRow(life, { expect, swarm, patterns, engineVersion, capsule });
    store?.append(row);
    this.#sum(job, row);
  }

  #releaseUnlived({ scenario: index, seed, plan }: LifeJob, message: string): void {
    const { folder, scenarios, onNote } = this.#options;
    const scenario = scenarios[index]?.scenario;
    const unlived = plan ?? (scenario === undefined ? undefined : compile(scenario, seed));
    const path = unlived === undefined ? undefined : joinPath(folder, writeUnlived(folder, unlived));
    const name = scenario?.name ?? '';
    this.#infrastructure.push({ scenario: name, seed, message, ...(path === undefined ? {} : { plan: path }) });
    onNote(`${name}, seed ${seed}, could not be lived${path === undefined ? '' : ` (plan: ${path})`}: ${message}`);
  }

  #sum(job: LifeJob, row: LifeRow): void {
    this.#total.add(row);
    this.#perScenario[job.scenario]?.add(row);
    if (!row.deterministic) this.#notDeterministic.push(row.seed);
    if (row.verdict === 'passed') return;
    const { scenario, seed, verdict, signature, capsule } = row;
    this.#failures.push({ scenario, seed, verdict, signature, capsule: joinPath(this.#options.folder, capsule) });
  }
}

function observationOf(result: LifeResult): Observation {
  if (result.kind === 'infrastructure') return { signature: NOT_LIVED, events: 0 };
  const { life, sight } = result;
  const { signature } = life.judgement;
  return { signature, events: life.record.events, ...(sight === undefined ? {} : { sight }) };
}
