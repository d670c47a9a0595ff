/**
 * Drives a search: hands out its proposals one by one, takes what became of them in any order, and gives the search its answers a batch
 * at a time, in order (strategy.ts I1).
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { Observation, Proposal, Searching } from './strategy.ts';

export class ProposalFeed {
  readonly #search: Searching;
  #batch: readonly Proposal[] = [];
  #answers: (Observation | undefined)[] = [];
  #open = 0;
  /** Number of the first proposal of the batch. */
  #first = 0;
  #isExhausted = false;

  constructor(search: Searching) {
    this.#search = search;
    this.#take(search.next());
  }

  /** Nothing more will be proposed. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** The n-th proposal, from 0; undefined: not known before more of the earlier ones are answered, or never. */
  at(number: number): Proposal | undefined {
    return this.#batch[number - this.#first];
  }

  /** True when more proposals are known now. */
  answer(number: number, observation: Observation): boolean {
    const index = number - this.#first;
    assert(index >= 0 && index < this.#batch.length, 'what is answered was proposed in this batch', { number });
    assert(this.#answers[index] === undefined, 'a proposal is answered once', { number });
    this.#answers[index] = observation;
    this.#open -= 1;
    if (this.#open > 0) return false;
    const answers = this.#answers.filter((one) => one !== undefined);
    this.#first += this.#batch.length;
    this.#take(this.#search.next(answers));
    return true;
  }

  #take(step: IteratorResult<readonly Proposal[], void>): void {
    let next = step;
    // An empty batch has no answers to wait for.
    while (next.done !== true && next.value.length === 0) next = this.#search.next([]);
    this.#isExhausted = next.done === true;
    this.#batch = next.done === true ? [] : next.value;
    this.#answers = this.#batch.map(() => undefined);
    this.#open = this.#batch.length;
  }
}
