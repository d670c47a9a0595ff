/**
 * The history of a life: all that the engine reported and that happened to the world, in order.
 *
 * Owns: indices, times, the kept entries. Does not own: what entries mean. Judges, statistics and fault triggers
 * observe it; only a life that is to be explained keeps it.
 *
 * I1: indices count from 0 without gaps and times never fall.
 * I2: observers see each entry once, in order of registration, before the next entry is made.
 * I3: a history that is not kept does not grow.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { EngineEvent } from '../../engine/protocol/engine-events.ts';
import type { HistoryEvent, WorldEvent } from './history-event.ts';

export interface HistoryOptions {
  /** Keep all entries: memory grows with the life. */
  readonly keep: boolean;
  /** Tells virtual time; the event loop. */
  readonly clock: { readonly nowUs: number };
}

export type HistoryObserver = (entry: HistoryEvent) => void;

export class History {
  readonly #clock: { readonly nowUs: number };
  readonly #kept: HistoryEvent[] | undefined;
  readonly #observers: HistoryObserver[] = [];
  #length = 0;
  #isObserving = false;

  constructor(options: HistoryOptions) {
    this.#clock = options.clock;
    this.#kept = options.keep ? [] : undefined;
  }

  /** Entries recorded so far, kept or not. */
  get length(): number {
    return this.#length;
  }

  observe(observer: HistoryObserver): void {
    this.#observers.push(observer);
  }

  record(node: NodeId, event: EngineEvent | WorldEvent): void {
    assert(!this.#isObserving, 'no observer of the history records into it');
    const entry: HistoryEvent = { index: this.#length, atUs: this.#clock.nowUs, node, event };
    this.#length += 1;
    this.#kept?.push(entry);
    this.#isObserving = true;
    const observers = this.#observers;
    for (let index = 0; index < observers.length; index += 1) observers[index]?.(entry);
    this.#isObserving = false;
  }

  /** Everything since the start when it is kept, else nothing. */
  entries(): readonly HistoryEvent[] {
    return this.#kept ?? [];
  }
}
