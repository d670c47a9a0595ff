/**
 * Lives plans that somebody asks for one batch after the other, on workers that stay warm in between.
 *
 * Owns: the queue between who asks and the pool. Does not own: threads (workers.ts), what is asked (scenarios/shrink/, scenarios/explain/).
 * I1: answers come in the order of the plans, whatever order they were lived in.
 */
import { datasetNeeds } from '../scenarios/live.ts';
import { type Inquiring, type LifeAnswer, type LifeCase, NOTHING_SEEN } from '../scenarios/inquiry.ts';
import type { Choices } from '../sim/kernel/choice.ts';
import { DatasetStore } from './datasets.ts';
import { liveOnce, type LivePlan } from './life.ts';
import type { LifeJob, LifePool, LifeResult } from './life-pool.ts';

export interface PlanLivesOptions {
  readonly workers: number;
  readonly pool: LifePool;
  /** Lives the plans that are looked at, in this thread. */
  readonly livePlan?: LivePlan | undefined;
  readonly onLife?: (lives: number) => void;
  readonly onNote: (note: string) => void;
}

/** What a life that could not be lived is signed with: like no failure. */
const NOT_LIVED = 'not-lived';

export class PlanLives {
  readonly #options: PlanLivesOptions;
  readonly #datasets = new DatasetStore();
  readonly #open: LifeJob[] = [];
  readonly #answers = new Map<number, (result: LifeResult) => void>();
  /** Workers that wait for a job. */
  readonly #hungry: ((jobs: readonly LifeJob[]) => void)[] = [];
  readonly #run: Promise<void>;
  #count = 0;
  #isClosed = false;

  constructor(options: PlanLivesOptions) {
    this.#options = options;
    this.#run = options.pool.run({
      workers: options.workers,
      scenarios: [],
      subtasks: false,
      next: () => this.#next(),
      onLife: (job, result) => this.#answers.get(job.index)?.(result),
      onNote: options.onNote,
    });
  }

  /** Drives a search to its end. */
  async answer<Result>(search: Inquiring<Result>): Promise<Result> {
    let step = search.next();
    while (step.done !== true) {
      const inquiry = step.value;
      step = search.next(inquiry.kind === 'look' ? [await this.look(inquiry.life)] : await this.live(inquiry.cases));
    }
    return step.value;
  }

  async live(cases: readonly LifeCase[]): Promise<readonly LifeAnswer[]> {
    const results = cases.map((one) => this.result(one));
    return (await Promise.all(results)).map(answerOf);
  }

  /** In this thread, with its history and the sites of chance it asked. */
  async look({ plan, branch, wantsChoices }: LifeCase): Promise<LifeAnswer> {
    await this.#datasets.prepare(datasetNeeds(plan));
    let made: Choices | undefined;
    const { record, judgement } = liveOnce(
      plan,
      {
        loadDataset: this.#datasets.load,
        keepHistory: true,
        relive: false,
        branch,
        recordChoices: wantsChoices,
        watchChoices: (choices) => {
          made = choices;
        },
      },
      this.#options.livePlan,
    );
    const { events, history, verdicts } = record;
    const seen = { history, verdicts, sites: made?.askedSites() ?? [], choices: made?.takenChoices() ?? [] };
    const { signature, verdict } = judgement;
    return { ...NOTHING_SEEN, ...seen, signature, events, hasFailed: isFailure(verdict) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const feed of this.#hungry.splice(0)) feed([]);
    await this.#run;
  }

  /** A life with all its figures, without its history. */
  async result({ plan, branch, wantsRecovery, gaze }: LifeCase): Promise<LifeResult> {
    const index = this.#count;
    this.#count += 1;
    const result = await new Promise<LifeResult>((resolve) => {
      this.#answers.set(index, resolve);
      this.#open.push({ index, scenario: 0, seed: plan.seed, plan, branch, wantsRecovery, gaze });
      this.#hungry.shift()?.(this.#open.splice(0, 1));
    });
    this.#answers.delete(index);
    this.#options.onLife?.(this.#count);
    return result;
  }

  #next(): readonly LifeJob[] | Promise<readonly LifeJob[]> {
    if (this.#open.length > 0 || this.#isClosed) return this.#open.splice(0, 1);
    return new Promise((resolve) => this.#hungry.push(resolve));
  }
}

function answerOf(result: LifeResult): LifeAnswer {
  if (result.kind === 'infrastructure') return { ...NOTHING_SEEN, signature: NOT_LIVED, events: 0 };
  const { life, recovery = '', sight } = result;
  const { signature, verdict } = life.judgement;
  return {
    ...NOTHING_SEEN,
    signature,
    events: life.record.events,
    recovery,
    hasFailed: isFailure(verdict),
    sight,
  };
}

const isFailure = (verdict: string): boolean => verdict === 'violated' || verdict === 'not-live';
