/**
 * The queue of things to come: a 4-ary heap ordered by (atUs, sequence), so ties fire in the order they were pushed.
 *
 * Owns: order, handles, cancellation. Does not own: the clock (event-loop.ts) or what a payload means.
 * Heap keys live in three parallel typed arrays and payloads in a slab, so a push or pop allocates nothing.
 *
 * I1: pops are strictly ascending in (atUs, sequence) among the events that are queued at the time of the pop.
 * I2: a slot's generation is odd exactly while it holds a live event; a handle is (generation, slot), so it fits only
 *     the event it was made for. No handle is 0. Generations come round after 2^28 uses of one slot, which a handle
 *     kept for that long would not notice; default run limits end a run long before.
 * I3: a cancelled event stays in the heap as a tombstone until it reaches the root or a full heap is swept. A heap
 *     grows only when more than half of it is live, so memory follows the live events.
 * I4: after a pop the root stays an open hole that the next push fills: pop and push then cost one sift, not two.
 */
import { assert, InvariantViolation } from '../../engine/foundation/assert.ts';

const ARITY_LOG2 = 2;
const ARITY = 1 << ARITY_LOG2;
/** Room for a small cluster's pending events; doubling from here is cheap. */
const INITIAL_CAPACITY = 64;
/** A handle is `generation * SLOT_LIMIT + slot`: 24 bits of slot and 29 of generation fill a safe integer. */
const SLOT_LIMIT = 0x100_0000;
const GENERATION_MASK = 0x1fff_ffff;
assert(SLOT_LIMIT * (GENERATION_MASK + 1) - 1 === Number.MAX_SAFE_INTEGER, 'every handle is a safe integer');

/** What `peekAtUs` answers for an empty queue; later than any event. */
export const NEVER_US = Number.MAX_SAFE_INTEGER;

/** `T` excludes undefined, which is what an empty queue pops. */
export class EventQueue<T extends NonNullable<unknown>> {
  // The heap, index 0 the earliest; three columns of one table.
  #heapAtUs = new Float64Array(INITIAL_CAPACITY);
  #heapSequence = new Float64Array(INITIAL_CAPACITY);
  #heapSlot = new Int32Array(INITIAL_CAPACITY);
  #heapLength = 0;
  #rootIsHole = false;

  // The slab, indexed by slot; free slots are a stack.
  #payloads: (T | undefined)[] = [];
  #generations = new Int32Array(INITIAL_CAPACITY);
  #freeSlots = new Int32Array(INITIAL_CAPACITY);
  #freeCount = 0;

  #nextSequence = 0;
  #live = 0;
  #cancelled = 0;
  #atUs = 0;
  #sequence = -1;

  constructor() {
    this.#addSlots(0);
  }

  /** Time of the event popped last, in microseconds. */
  get atUs(): number {
    return this.#atUs;
  }

  /** Sequence number of the event popped last: its rank among all pushes, from 0; -1 before the first pop. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Events that will still fire. */
  get size(): number {
    return this.#live;
  }

  /** Tombstones that still occupy the heap. */
  get cancelled(): number {
    return this.#cancelled;
  }

  /** Queues a payload and answers its handle, which stays valid until the event has fired or is cancelled. */
  push(atUs: number, payload: T): number {
    if (!(Number.isSafeInteger(atUs) && atUs >= 0 && atUs < NEVER_US)) refuseTime(atUs);
    if (!this.#rootIsHole && this.#heapLength === this.#heapSlot.length) this.#makeRoom();
    this.#freeCount -= 1;
    const slot = this.#freeSlots[this.#freeCount] ?? 0;
    const generation = ((this.#generations[slot] ?? 0) + 1) & GENERATION_MASK;
    this.#generations[slot] = generation;
    this.#payloads[slot] = payload;
    const sequence = this.#nextSequence;
    this.#nextSequence = sequence + 1;
    this.#live += 1;
    if (this.#rootIsHole) {
      this.#rootIsHole = false;
      this.#siftDown(0, atUs, sequence, slot);
    } else {
      const end = this.#heapLength;
      this.#heapLength = end + 1;
      this.#siftUp(end, atUs, sequence, slot);
    }
    return generation * SLOT_LIMIT + slot;
  }

  /** Takes an event back. False when it has fired or was cancelled before, which is ordinary. */
  cancel(handle: number): boolean {
    const slot = handle % SLOT_LIMIT;
    const generation = (handle - slot) / SLOT_LIMIT;
    if ((generation & 1) === 0 || this.#generations[slot] !== generation) return false;
    this.#generations[slot] = (generation + 1) & GENERATION_MASK;
    this.#payloads[slot] = undefined;
    this.#live -= 1;
    this.#cancelled += 1;
    return true;
  }

  /** The earliest event's payload, or undefined when nothing is queued; `atUs` and `sequence` then tell its key. */
  pop(): T | undefined {
    this.#settleRoot();
    if (this.#heapLength === 0) return undefined;
    const slot = this.#heapSlot[0] ?? 0;
    const payload = this.#payloads[slot];
    this.#atUs = this.#heapAtUs[0] ?? 0;
    this.#sequence = this.#heapSequence[0] ?? 0;
    this.#payloads[slot] = undefined;
    this.#generations[slot] = ((this.#generations[slot] ?? 0) + 1) & GENERATION_MASK;
    this.#releaseSlot(slot);
    this.#live -= 1;
    this.#rootIsHole = true;
    return payload;
  }

  /** Time of the next event, or `NEVER_US`. */
  peekAtUs(): number {
    this.#settleRoot();
    return this.#heapLength === 0 ? NEVER_US : (this.#heapAtUs[0] ?? 0);
  }

  /** Closes the hole and removes tombstones until a live event is at the root or the heap is empty. */
  #settleRoot(): void {
    if (this.#rootIsHole) this.#removeRoot();
    while (this.#heapLength > 0) {
      const slot = this.#heapSlot[0] ?? 0;
      if (((this.#generations[slot] ?? 0) & 1) === 1) return;
      this.#releaseSlot(slot);
      this.#cancelled -= 1;
      this.#removeRoot();
    }
  }

  #removeRoot(): void {
    this.#rootIsHole = false;
    const end = this.#heapLength - 1;
    this.#heapLength = end;
    if (end === 0) return;
    this.#siftDown(0, this.#heapAtUs[end] ?? 0, this.#heapSequence[end] ?? 0, this.#heapSlot[end] ?? 0);
  }

  #releaseSlot(slot: number): void {
    this.#freeSlots[this.#freeCount] = slot;
    this.#freeCount += 1;
  }

  /** Moves the open place at `index` towards the root until the given key fits, and puts it there. */
  #siftUp(index: number, atUs: number, sequence: number, slot: number): void {
    const heapAtUs = this.#heapAtUs;
    const heapSequence = this.#heapSequence;
    const heapSlot = this.#heapSlot;
    let hole = index;
    while (hole > 0) {
      const parent = (hole - 1) >> ARITY_LOG2;
      const parentAtUs = heapAtUs[parent] ?? 0;
      // The key is the youngest of all, so on a tie it stays below.
      if (parentAtUs <= atUs) break;
      heapAtUs[hole] = parentAtUs;
      heapSequence[hole] = heapSequence[parent] ?? 0;
      heapSlot[hole] = heapSlot[parent] ?? 0;
      hole = parent;
    }
    heapAtUs[hole] = atUs;
    heapSequence[hole] = sequence;
    heapSlot[hole] = slot;
  }

  /** Moves the open place at `index` towards the leaves until the given key fits, and puts it there. */
  #siftDown(index: number, atUs: number, sequence: number, slot: number): void {
    const heapAtUs = this.#heapAtUs;
    const heapSequence = this.#heapSequence;
    const heapSlot = this.#heapSlot;
    const length = this.#heapLength;
    let hole = index;
    for (;;) {
      const first = (hole << ARITY_LOG2) + 1;
      if (first >= length) break;
      const least =
        first + ARITY <= length
          ? leastOfFour(heapAtUs, heapSequence, first)
          : leastOfSome(heapAtUs, heapSequence, first, length);
      const leastAtUs = heapAtUs[least] ?? 0;
      if (leastAtUs > atUs) break;
      const leastSequence = heapSequence[least] ?? 0;
      if (leastAtUs === atUs && leastSequence > sequence) break;
      heapAtUs[hole] = leastAtUs;
      heapSequence[hole] = leastSequence;
      heapSlot[hole] = heapSlot[least] ?? 0;
      hole = least;
    }
    heapAtUs[hole] = atUs;
    heapSequence[hole] = sequence;
    heapSlot[hole] = slot;
  }

  /** The heap is full: sweeps it when at least half is tombstones, else doubles it (I3). */
  #makeRoom(): void {
    if (this.#cancelled * 2 >= this.#heapLength) {
      this.#sweep();
      return;
    }
    const capacity = this.#heapSlot.length;
    assert(capacity < SLOT_LIMIT, 'the queue holds fewer events than a handle can name', { capacity });
    this.#heapAtUs = grown(this.#heapAtUs, new Float64Array(capacity * 2));
    this.#heapSequence = grown(this.#heapSequence, new Float64Array(capacity * 2));
    this.#heapSlot = grown(this.#heapSlot, new Int32Array(capacity * 2));
    this.#generations = grown(this.#generations, new Int32Array(capacity * 2));
    this.#freeSlots = new Int32Array(capacity * 2);
    this.#addSlots(capacity);
  }

  /** Makes all slots from `firstNew` on free, the lowest first; every older slot is in use. */
  #addSlots(firstNew: number): void {
    for (let slot = this.#generations.length - 1; slot >= firstNew; slot -= 1) this.#releaseSlot(slot);
    for (let slot = firstNew; slot < this.#generations.length; slot += 1) this.#payloads.push(undefined);
  }

  /** Drops all tombstones and restores the heap order from the leaves up. */
  #sweep(): void {
    let kept = 0;
    for (let index = 0; index < this.#heapLength; index += 1) {
      const slot = this.#heapSlot[index] ?? 0;
      if (((this.#generations[slot] ?? 0) & 1) === 0) {
        this.#releaseSlot(slot);
        continue;
      }
      this.#heapAtUs[kept] = this.#heapAtUs[index] ?? 0;
      this.#heapSequence[kept] = this.#heapSequence[index] ?? 0;
      this.#heapSlot[kept] = slot;
      kept += 1;
    }
    this.#heapLength = kept;
    this.#cancelled = 0;
    assert(kept === this.#live, 'a swept heap holds exactly the live events', { kept, live: this.#live });
    for (let index = (kept - 2) >> ARITY_LOG2; index >= 0; index -= 1) {
      this.#siftDown(index, this.#heapAtUs[index] ?? 0, this.#heapSequence[index] ?? 0, this.#heapSlot[index] ?? 0);
    }
  }
}

/**
 * The earliest of the four keys from `first` on. Which one wins is a coin toss that no branch predictor guesses, so the
 * comparisons are computed with, not branched on; ties are rare enough to branch for.
 */
function leastOfFour(atUs: Float64Array, sequence: Float64Array, first: number): number {
  const a = atUs[first] ?? 0;
  const b = atUs[first + 1] ?? 0;
  const c = atUs[first + 2] ?? 0;
  const d = atUs[first + 3] ?? 0;
  const left = first + Number(b < a);
  const right = first + 2 + Number(d < c);
  const leftAtUs = atUs[left] ?? 0;
  const rightAtUs = atUs[right] ?? 0;
  if (a === b || c === d || leftAtUs === rightAtUs) return leastOfSome(atUs, sequence, first, first + ARITY);
  return left + (right - left) * Number(rightAtUs < leftAtUs);
}

/** The earliest of the keys from `first` to before `end`. */
function leastOfSome(atUs: Float64Array, sequence: Float64Array, first: number, end: number): number {
  let least = first;
  for (let index = first + 1; index < end; index += 1) {
    const indexAtUs = atUs[index] ?? 0;
    const leastAtUs = atUs[least] ?? 0;
    if (indexAtUs > leastAtUs) continue;
    if (indexAtUs === leastAtUs && (sequence[index] ?? 0) > (sequence[least] ?? 0)) continue;
    least = index;
  }
  return least;
}

function grown<Column extends Float64Array | Int32Array>(from: Column, to: Column): Column {
  to.set(from);
  return to;
}

/** Kept apart so that the hot path carries no message. */
function refuseTime(atUs: number): never {
  throw new InvariantViolation('the time of an event is a whole, non-negative number of microseconds', { atUs });
}
