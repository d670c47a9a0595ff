/**
 * Hunts mutants: lives a scenario with an engine that has one known bug, seed by seed, until a judge is not content.
 *
 * Owns: what counts as found. Does not own: words and files (commands/mutants.ts, reports/mutant-table.ts).
 *
 * I1: found means that the mutant's life fails and the standard engine's life of the same plan passes: else something else was found.
 * I2: the outcome is a function of mutants, scenarios and data: seeds go up from 1, one at a time.
 */
import type { HuntFigures, MutantFigures, MutantReach } from '../reports/index.ts';
import { compile } from '../scenarios/compile.ts';
import { datasetNeeds } from '../scenarios/live.ts';
import type { Mutant } from '../scenarios/mutants/mutant.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { DatasetStore } from './datasets.ts';
import type { Interruption } from './interruption.ts';
import { type Life, liveOnce, type LivePlan } from './life.ts';

export interface HuntOptions {
  readonly scenarioOf: (name: string) => Scenario;
  /** Most seeds of one scenario. */
  readonly seeds: number;
  /** Scenarios that every mutant is looked for in, beside its own. */
  readonly elsewhere: readonly string[];
  readonly onLife: () => void;
  readonly livePlan?: LivePlan | undefined;
  /** Heard between lives, which are lived in this thread. */
  readonly interruption: Interruption;
}

interface StandardLife {
  readonly passes: boolean;
  readonly digest: string;
}

export type Reach = Pick<MutantReach, 'hunt' | 'changed'>;

export class MutantHunt {
  readonly #options: HuntOptions;
  readonly #datasets = new DatasetStore();
  /** What the standard engine makes of it, by scenario and seed: all mutants ask the same seeds. */
  readonly #standard = new Map<string, StandardLife>();

  constructor(options: HuntOptions) {
    this.#options = options;
  }

  async hunt(mutant: Mutant): Promise<MutantFigures> {
    const { slug, bug, story, scenario } = mutant;
    const own = (await this.#huntIn(slug, scenario, false)).hunt;
    const elsewhere: HuntFigures[] = [];
    for (const name of this.#options.elsewhere)
      elsewhere.push(name === scenario ? own : (await this.#huntIn(slug, name, false)).hunt);
    return { slug, bug, story, own, elsewhere };
  }

  /** As in `hunt`, in one scenario, and in how many lives the mutant was another engine than the standard one. */
  async reach(slug: string, name: string): Promise<Reach> {
    return await this.#huntIn(slug, name, true);
  }

  /** `compares`: each life with that of the standard engine, which costs a life of that for every seed. */
  async #huntIn(slug: string, name: string, compares: boolean): Promise<Reach> {
    const scenario = this.#options.scenarioOf(name);
    let events = 0;
    let changed = 0;
    for (let seed = 1; seed <= this.#options.seeds; seed += 1) {
      const plan = compile(scenario, String(seed));
      const { record, judgement } = await this.#live({ ...plan, variant: slug });
      events += record.events;
      if (compares && (await this.#standardLife(plan)).digest !== record.digest) changed += 1;
      const { verdict, signature } = judgement;
      if ((verdict !== 'violated' && verdict !== 'not-live') || !(await this.#standardLife(plan)).passes) continue;
      const wrong = record.verdicts.filter(({ outcome }) => outcome === 'violated' || outcome === 'not-live');
      const anomalies = [signature, ...wrong.map(({ judge, anomaly }) => `${judge}/${anomaly}`)];
      const find = { seed: plan.seed, verdict, signature, anomalies: [...new Set(anomalies)] };
      return { hunt: { scenario: name, lives: seed, events, find }, changed };
    }
    return { hunt: { scenario: name, lives: this.#options.seeds, events }, changed };
  }

  async #standardLife(plan: SimulationPlan): Promise<StandardLife> {
    const key = JSON.stringify([plan.scenario, plan.seed]);
    const known = this.#standard.get(key);
    if (known !== undefined) return known;
    const { record, judgement } = await this.#live(plan);
    const life = { passes: judgement.verdict === 'passed', digest: record.digest };
    this.#standard.set(key, life);
    return life;
  }

  async #live(plan: SimulationPlan): Promise<Life> {
    await this.#options.interruption.listen();
    await this.#datasets.prepare(datasetNeeds(plan));
    const options = { loadDataset: this.#datasets.load, keepHistory: false, relive: false };
    const life = liveOnce(plan, options, this.#options.livePlan);
    this.#options.onLife();
    return life;
  }
}
