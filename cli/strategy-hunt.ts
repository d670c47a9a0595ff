/**
 * Hunts a mutant with a search strategy until a judge is not content or a budget of events is used up, several times.
 *
 * Owns: what counts as a kill, and what it cost. Does not own: strategies, words and files (commands/scoreboard.ts, reports/strategy-table.ts).
 *
 * I1: a kill is a life of the mutant that fails where the standard engine's life of the same plan passes. The second life is not in the budget.
 * I2: the outcome is a function of mutant, scenario, strategy, budget and data: the lives of one hunt are lived one after the other.
 *     Side by side are hunts.
 */
import { wallClockMs } from '../bench/index.ts';
import type { StrategyScore } from '../reports/index.ts';
import { planHash } from '../scenarios/plan-hash.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { ProposalFeed } from '../scenarios/strategies/proposal-feed.ts';
import type { StrategyName } from '../scenarios/strategies/strategy-names.ts';
import { strategyNamed } from '../scenarios/strategies/strategy-catalog.ts';
import type { SimulationPlan } from '../sim/plan.ts';
import type { PlanLives } from './plan-lives.ts';

export interface StrategyHuntOptions {
  readonly lives: Pick<PlanLives, 'live'>;
  /** Events of the mutant's lives, for each repeat. */
  readonly budget: number;
  /** Hunts with seeds of their own. */
  readonly repeats: number;
}

export interface Hunted {
  readonly slug: string;
  readonly scenario: Scenario;
  readonly strategy: StrategyName;
}

export interface HuntOutcome {
  readonly score: StrategyScore;
  /** The kill that cost least. */
  readonly plan?: SimulationPlan;
  readonly signature?: string;
}

interface Kill {
  readonly events: number;
  readonly wallMs: number;
  readonly plan: SimulationPlan;
  readonly signature: string;
}

export class StrategyHunt {
  readonly #options: StrategyHuntOptions;
  /** Whether the standard engine passes, by plan: strategies propose the same ones to many mutants. */
  readonly #passes = new Map<string, Promise<boolean>>();

  constructor(options: StrategyHuntOptions) {
    this.#options = options;
  }

  async hunt(hunted: Hunted): Promise<HuntOutcome> {
    const kills: Kill[] = [];
    let lives = 0;
    let events = 0;
    for (let repeat = 1; repeat <= this.#options.repeats; repeat += 1) {
      const once = await this.#huntOnce(hunted, repeat);
      lives += once.lives;
      events += once.events;
      if (once.kill !== undefined) kills.push(once.kill);
    }
    kills.sort((a, b) => a.events - b.events || (a.plan.seed < b.plan.seed ? -1 : 1));
    const score: StrategyScore = {
      strategy: hunted.strategy,
      repeats: this.#options.repeats,
      kills: kills.length,
      lives,
      events,
      eventsToKill: kills.map((kill) => kill.events),
      wallMsToKill: kills.map(({ wallMs }) => wallMs).sort((a, b) => a - b),
    };
    const [cheapest] = kills;
    return cheapest === undefined ? { score } : { score, plan: cheapest.plan, signature: cheapest.signature };
  }

  async #huntOnce(
    { slug, scenario, strategy }: Hunted,
    repeat: number,
  ): Promise<{ readonly lives: number; readonly events: number; readonly kill?: Kill }> {
    const startedMs = wallClockMs();
    // The first repeat has the seeds of a sweep.
    const seedAt = (index: number): string => (repeat === 1 ? String(index + 1) : `${repeat}-${index + 1}`);
    const feed = new ProposalFeed(strategyNamed(strategy)({ scenario, seedAt }));
    let events = 0;
    for (let number = 0; ; number += 1) {
      const proposal = feed.at(number);
      if (proposal === undefined) return { lives: number, events };
      const plan = { ...proposal.plan, variant: slug };
      const [answer] = await this.#options.lives.live([{ plan, gaze: proposal.gaze }]);
      events += answer?.events ?? 0;
      const { signature = '', sight } = answer ?? {};
      const lived = { signature, events: answer?.events ?? 0 };
      if (answer?.hasFailed === true && (await this.#standardPasses(proposal.plan)))
        return { lives: number + 1, events, kill: { events, wallMs: wallClockMs() - startedMs, plan, signature } };
      if (events >= this.#options.budget) return { lives: number + 1, events };
      feed.answer(number, sight === undefined ? lived : { ...lived, sight });
    }
  }

  async #standardPasses(plan: SimulationPlan): Promise<boolean> {
    const key = planHash(plan);
    const passes = this.#passes.get(key) ?? this.#lives(plan);
    this.#passes.set(key, passes);
    return await passes;
  }

  async #lives(plan: SimulationPlan): Promise<boolean> {
    const [answer] = await this.#options.lives.live([{ plan }]);
    return answer?.signature === '';
  }
}
