/**
 * Hunts mutants: lives a scenario with an engine that has one known bug, seed by seed, until a judge is not content.
 *
 * Owns: what counts as found. Does not own: words and files (commands/mutants.ts, reports/mutant-table.ts).
 *
 * I1: found means that the mutant's life fails and the standard engine's life of the same plan passes: else something else was found.
 * I2: the outcome is a function of mutants, scenarios and data: seeds go up from 1, one at a time.
 */
import type { HuntFigures, MutantFigures } from '../reports/index.ts';
import { compile } from '../scenarios/compile.ts';
import { datasetNeeds } from '../scenarios/live.ts';
import type { Mutant } from '../scenarios/mutants/mutant.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import { DatasetStore } from './datasets.ts';
import { type Life, liveOnce, type LivePlan } from './life.ts';

export interface HuntOptions {
  readonly scenarioOf: (name: string) => Scenario;
  /** Most seeds of one scenario. */
  readonly seeds: number;
  /** Scenarios that every mutant is looked for in, beside its own. */
  readonly elsewhere: readonly string[];
  readonly onLife: () => void;
  readonly livePlan?: LivePlan | undefined;
}

export class MutantHunt {
  readonly #options: HuntOptions;
  readonly #datasets = new DatasetStore();
  /** Whether the standard engine passes, by scenario and seed: all mutants ask the same seeds. */
  readonly #passes = new Map<string, boolean>();

  constructor(options: HuntOptions) {
    this.#options = options;
  }

  async hunt(mutant: Mutant): Promise<MutantFigures> {
    const { slug, bug, story, scenario } = mutant;
    const own = await this.#huntIn(slug, scenario);
    const elsewhere: HuntFigures[] = [];
    for (const name of this.#options.elsewhere)
      elsewhere.push(name === scenario ? own : await this.#huntIn(slug, name));
    return { slug, bug, story, own, elsewhere };
  }

  async #huntIn(slug: string, name: string): Promise<HuntFigures> {
    const scenario = this.#options.scenarioOf(name);
    let events = 0;
    for (let seed = 1; seed <= this.#options.seeds; seed += 1) {
      const plan = compile(scenario, String(seed));
      const { record, judgement } = await this.#live({ ...plan, variant: slug });
      events += record.events;
      const { verdict, signature } = judgement;
      if ((verdict !== 'violated' && verdict !== 'not-live') || !(await this.#standardPasses(plan))) continue;
      const wrong = record.verdicts.filter(({ outcome }) => outcome === 'violated' || outcome === 'not-live');
      const anomalies = [signature, ...wrong.map(({ judge, anomaly }) => `${judge}/${anomaly}`)];
      return {
        scenario: name,
        lives: seed,
        events,
        find: { seed: plan.seed, verdict, signature, anomalies: [...new Set(anomalies)] },
      };
    }
    return { scenario: name, lives: this.#options.seeds, events };
  }

  async #standardPasses(plan: SimulationPlan): Promise<boolean> {
    const key = JSON.stringify([plan.scenario, plan.seed]);
    const known = this.#passes.get(key);
    if (known !== undefined) return known;
    const passes = (await this.#live(plan)).judgement.verdict === 'passed';
    this.#passes.set(key, passes);
    return passes;
  }

  async #live(plan: SimulationPlan): Promise<Life> {
    await this.#datasets.prepare(datasetNeeds(plan));
    const options = { loadDataset: this.#datasets.load, keepHistory: false, relive: false };
    const life = liveOnce(plan, options, this.#options.livePlan);
    this.#options.onLife();
    return life;
  }
}
