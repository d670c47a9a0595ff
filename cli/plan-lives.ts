/**
 * Lives plans that somebody asks for one batch after the other, on workers that stay warm in between.
 *
 * Owns: the queue between who asks and the pool. Does not own: threads (workers.ts), what is asked (scenarios/shrink/, scenarios/explain/).
 * I1: answers come in the order of the plans, whatever order they were lived in.
 * I2: of interrupted work lives that were begun are answered, and no other is begun.
 */
import { datasetNeeds } from '../scenarios/live.ts';
import { type Inquiring, type LifeAnswer, type LifeCase, NOT_BEGUN, NOTHING_SEEN } from '../scenarios/inquiry.ts';
import type { Choices } from '../sim/kernel/choice.ts';
import { DatasetStore } from './datasets.ts';
import { Interrupted, type Interruption } from './interruption.ts';
import { liveOnce, type LivePlan } from './life.ts';
import type { LifeJob, LifePool, LifeResult } from './life-pool.ts';

export interface PlanLivesOptions {
  readonly workers: number;
  readonly pool: LifePool;
  /** Lives the plans that are looked at, in this thread. */
  readonly livePlan?: LivePlan | undefined;
  readonly interruption?: Interruption | undefined;
  readonly onLife?: (lives: number) => void;
  readonly onNote: (note: string) => void;
}

/** What a life that could not be lived is signed with: like no failure. */
const NOT_LIVED = 'not-lived';
/** What a search that ends by itself is told when the work was interrupted. */
const NO_LIFE: LifeAnswer = { ...NOTHING_SEEN, signature: NOT_BEGUN, events: 0 };

interface Waiting {
  readonly resolve: (result: LifeResult) => void;
  readonly reject: (why: Interrupted) => void;
}

export class PlanLives {
  readonly #options: PlanLivesOptions;
  readonly #datasets = new DatasetStore();
  readonly #open: LifeJob[] = [];
  readonly #answers = new Map<number, Waiting>();
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
      onLife: (job, result) => this.#answers.get(job.index)?.resolve(result),
      onNote: options.onNote,
    });
    options.interruption?.onHappened(() => this.#giveUp());
  }

  /** Drives a search to its end. Throws `Interrupted`. */
  async answer<Result>(search: Inquiring<Result>): Promise<Result> {
    let step = search.next();
    while (step.done !== true) {
      const inquiry = step.value;
      step = search.next(inquiry.kind === 'look' ? [await this.look(inquiry.life)] : await this.live(inquiry.cases));
    }
    return step.value;
  }

  /** The same for a search that ends by itself with what it has: lives that were not begun are answered, too. */
  async answerUntilInterrupted<Result>(search: Inquiring<Result>): Promise<Result> {
    let step = search.next();
    while (step.done !== true) {
      const inquiry = step.value;
      const answers =
        inquiry.kind === 'look' ? [this.look(inquiry.life)] : inquiry.cases.map(async (one) => await this.#answer(one));
      step = search.next(await Promise.all(answers.map(unlessBegun)));
    }
    return step.value;
  }

  /** Throws `Interrupted`, as all of these do. */
  async live(cases: readonly LifeCase[]): Promise<readonly LifeAnswer[]> {
    return await Promise.all(cases.map(async (one) => await this.#answer(one)));
  }

  /** In this thread, with its history and the sites of chance it asked. */
  async look({ plan, branch, wantsChoices }: LifeCase): Promise<LifeAnswer> {
    await this.#options.interruption?.listen();
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
    this.#options.interruption?.check();
    const index = this.#count;
    this.#count += 1;
    const result = await new Promise<LifeResult>((resolve, reject) => {
      this.#answers.set(index, { resolve, reject });
      this.#open.push({ index, scenario: 0, seed: plan.seed, plan, branch, wantsRecovery, gaze });
      this.#hungry.shift()?.(this.#open.splice(0, 1));
    });
    this.#answers.delete(index);
    this.#options.onLife?.(this.#count);
    return result;
  }

  async #answer(one: LifeCase): Promise<LifeAnswer> {
    return answerOf(await this.result(one));
  }

  /** I2. */
  #giveUp(): void {
    for (const { index } of this.#open.splice(0)) this.#answers.get(index)?.reject(new Interrupted());
  }

  #next(): readonly LifeJob[] | Promise<readonly LifeJob[]> {
    if (this.#open.length > 0 || this.#isClosed) return this.#open.splice(0, 1);
    return new Promise((resolve) => this.#hungry.push(resolve));
  }
}

async function unlessBegun(answer: Promise<LifeAnswer>): Promise<LifeAnswer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Interrupted) return NO_LIFE;
    throw error;
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
