/**
 * A first-in, first-out queue that keeps its memory: an array emptied with `length = 0` gives its memory back and asks for
 * new with the next `push`, which a queue that fills and empties all the time pays for each time.
 *
 * Owns the order. Called wherever things wait for their turn: buffers of a channel, inputs of a mailbox.
 *
 * I1: items leave in the order they came.
 * I2: a ring of a power of two places, at least as many as items: `#first` is the place of the oldest.
 * I3: a place without an item holds undefined, so what has left can be collected.
 */

const INITIAL_PLACES = 4;

/** `T` excludes undefined, which is what an empty queue answers. */
export class Fifo<T extends NonNullable<unknown>> {
  #ring: (T | undefined)[] = [];
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.#length) & (this.#ring.length - 1)] = item;
    this.#length += 1;
  }

  /** The oldest item, which stays; undefined when there is none. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#first];
  }

  /** Takes the oldest item; undefined when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const first = this.#first;
    const item = this.#ring[first];
    this.#ring[first] = undefined;
    this.#first = (first + 1) & (this.#ring.length - 1);
    this.#length -= 1;
    return item;
  }

  /** Takes the oldest item for which `matches` holds, out of its turn; undefined when there is none. Costs the length of the queue. */
  take(matches: (item: T) => boolean): T | undefined {
    const mask = this.#ring.length - 1;
    for (let place = 0; place < this.#length; place += 1) {
      const item = this.#ring[(this.#first + place) & mask];
      if (item === undefined || !matches(item)) continue;
      for (let next = place + 1; next < this.#length; next += 1) {
        this.#ring[(this.#first + next - 1) & mask] = this.#ring[(this.#first + next) & mask];
      }
      this.#ring[(this.#first + this.#length - 1) & mask] = undefined;
      this.#length -= 1;
      return item;
    }
    return undefined;
  }

  /** Visits all items, the oldest first; the visitor must not change the queue. */
  forEach(visit: (item: T) => void): void {
    for (let place = 0; place < this.#length; place += 1) {
      const item = this.#ring[(this.#first + place) & (this.#ring.length - 1)];
      if (item !== undefined) visit(item);
    }
  }

  /** Doubles the ring, the oldest item first again. */
  #grow(): void {
    const old = this.#ring;
    const ring = old.slice(this.#first).concat(old.slice(0, this.#first));
    const places = Math.max(INITIAL_PLACES, old.length * 2);
    while (ring.length < places) ring.push(undefined);
    this.#ring = ring;
    this.#first = 0;
  }
}
