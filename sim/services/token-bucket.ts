/**
 * So many requests a second, a second's worth of them at once: how a store that is asked too often decides whom to refuse.
 *
 * I1: in any time of t seconds it admits at most (t + 1) times its rate; all in whole numbers of millionths of a token.
 */
const TOKEN = 1_000_000;

export class TokenBucket {
  readonly #perSecond: number;
  #level: number;
  #atUs = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#level = perSecond * TOKEN;
  }

  /** True when there was a token for one more request. */
  take(nowUs: number): boolean {
    const full = this.#perSecond * TOKEN;
    this.#level = Math.min(full, this.#level + (nowUs - this.#atUs) * this.#perSecond);
    this.#atUs = nowUs;
    if (this.#level < TOKEN) return false;
    this.#level -= TOKEN;
    return true;
  }
}
