/**
 * The sums of a sweep, folded life by life so that memory does not grow with their number.
 *
 * Owns: counting and the digest of digests. Used for the JSON document, the table on the screen and reports.
 * I1: lives are folded in the order of their seeds; then the digest is the same for any number of workers.
 */
import { combineDigests } from '../sim/kernel/digest.ts';
import type { Margin } from '../sim/judges/margins.ts';
import type { RunVerdict } from '../sim/judges/verdict.ts';
import type { LifeFigures } from './life-figures.ts';

export interface FaultCount {
  readonly planned: number;
  readonly effective: number;
}

/** Lives that drew a choice, and those of them that did not pass. */
export interface ChoiceCount {
  readonly lives: number;
  readonly failed: number;
}

/** Less is nearer (sim/judges/margins.ts). */
export interface NearestLife {
  readonly value: number;
  readonly scenario: string;
  readonly seed: string;
  /** Index in its history; -1: its end. */
  readonly at: number;
  readonly lives: number;
}

export interface SweepSums {
  readonly lives: number;
  readonly verdicts: Readonly<Record<RunVerdict, number>>;
  /** Lives in which something was seen twice. */
  readonly livesWithDuplicates: number;
  readonly virtualMs: number;
  readonly events: number;
  readonly records: { readonly in: number; readonly out: number; readonly replayed: number };
  readonly checkpoints: LifeFigures['checkpoints'];
  readonly restarts: number;
  readonly failovers: number;
  readonly faults: Readonly<Record<string, FaultCount>>;
  /** Nemeses and other patterns, by name: strikes. */
  readonly patterns: Readonly<Record<string, FaultCount>>;
  /** By probe: how often it was reached. */
  readonly probes: Readonly<Record<string, number>>;
  /** By probe: in how many lives. */
  readonly probeLives: Readonly<Record<string, number>>;
  /** By margin: the life that came nearest, and how many lives it applies to. */
  readonly margins: Readonly<Record<string, NearestLife>>;
  /** By path, then by what was drawn; empty unless a scenario is a swarm. */
  readonly swarm: Readonly<Record<string, Readonly<Record<string, ChoiceCount>>>>;
  /** Digest of all digests, in the order of the seeds. */
  readonly digest: string;
}

const US_PER_MS = 1_000;

export class SweepSummary {
  #lives = 0;
  #verdicts: Record<RunVerdict, number> = { passed: 0, violated: 0, 'not-live': 0, inconclusive: 0 };
  #livesWithDuplicates = 0;
  #virtualUs = 0;
  #events = 0;
  #records = { in: 0, out: 0, replayed: 0 };
  #checkpoints = { triggered: 0, completed: 0, aborted: 0, expired: 0, declined: 0 };
  #restarts = 0;
  #failovers = 0;
  readonly #faults = new Map<string, FaultCount>();
  readonly #patterns = new Map<string, FaultCount>();
  readonly #probes = new Map<string, number>();
  readonly #probeLives = new Map<string, number>();
  readonly #margins = new Map<string, NearestLife>();
  readonly #swarm = new Map<string, Map<string, ChoiceCount>>();
  #digest = combineDigests([]);

  add(life: LifeFigures): void {
    this.#lives += 1;
    this.#verdicts[life.verdict] += 1;
    this.#livesWithDuplicates += life.duplicates ? 1 : 0;
    this.#virtualUs += life.virtualUs;
    this.#events += life.events;
    this.#records = added(this.#records, life.records);
    this.#checkpoints = added(this.#checkpoints, life.checkpoints);
    this.#restarts += life.restarts;
    this.#failovers += life.failovers;
    for (const [sums, counts] of [
      [this.#faults, life.faults],
      [this.#patterns, life.patterns],
    ] as const)
      for (const [name, count] of Object.entries(counts))
        sums.set(name, added(sums.get(name) ?? { planned: 0, effective: 0 }, count));
    for (const [probe, count] of Object.entries(life.probes)) {
      this.#probes.set(probe, (this.#probes.get(probe) ?? 0) + count);
      this.#probeLives.set(probe, (this.#probeLives.get(probe) ?? 0) + 1);
    }
    for (const [name, margin] of Object.entries(life.margins)) this.#addMargin(name, margin, life);
    for (const { path, chosen } of life.swarm) this.#addChoices(path, chosen, life.verdict === 'passed' ? 0 : 1);
    this.#digest = combineDigests([this.#digest, life.digest]);
  }

  #addMargin(name: string, { value, at }: Margin, { scenario, seed }: LifeFigures): void {
    const known = this.#margins.get(name);
    const lives = (known?.lives ?? 0) + 1;
    const isNearer = known === undefined || value < known.value;
    this.#margins.set(name, isNearer ? { value, scenario, seed, at, lives } : { ...known, lives });
  }

  #addChoices(path: string, chosen: readonly string[], failed: number): void {
    const counts = this.#swarm.get(path) ?? new Map<string, ChoiceCount>();
    this.#swarm.set(path, counts);
    for (const choice of chosen)
      counts.set(choice, added(counts.get(choice) ?? { lives: 0, failed: 0 }, { lives: 1, failed }));
  }

  sums(): SweepSums {
    return {
      lives: this.#lives,
      verdicts: { ...this.#verdicts },
      livesWithDuplicates: this.#livesWithDuplicates,
      virtualMs: this.#virtualUs / US_PER_MS,
      events: this.#events,
      records: this.#records,
      checkpoints: this.#checkpoints,
      restarts: this.#restarts,
      failovers: this.#failovers,
      faults: Object.fromEntries(byName(this.#faults)),
      patterns: Object.fromEntries(byName(this.#patterns)),
      probes: Object.fromEntries(byName(this.#probes)),
      probeLives: Object.fromEntries(byName(this.#probeLives)),
      margins: Object.fromEntries(byName(this.#margins)),
      swarm: Object.fromEntries([...this.#swarm].map(([path, counts]) => [path, Object.fromEntries(byName(counts))])),
      digest: this.#digest,
    };
  }
}

function added<Sums extends { readonly [name in keyof Sums]: number }>(left: Sums, right: Sums): Sums {
  const names = Object.keys(left) as (keyof Sums)[];
  return Object.fromEntries(names.map((name) => [name, left[name] + right[name]])) as Sums;
}

function byName<Value>(entries: ReadonlyMap<string, Value>): [string, Value][] {
  return [...entries].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}
