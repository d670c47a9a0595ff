/**
 * Event- and processing-time timers of one operator of the reference: plain lists per key, written independently of the engine's queue.
 *
 * Owns the timers as cells, so that they are part of the operator's state and its bytes; which of them are due, and in what order.
 * Invariants:
 *   I1 a timer (time, namespace) of a key is there once; the list of a key is in order of time, then namespace;
 *   I2 timers fire in the order of time, key group, key, namespace; what is registered meanwhile for the past fires in its place;
 *   I3 only event time passes in the reference: processing time depends on the schedule, and no answer that is compared may depend on it.
 */
import type { ByteReader } from '../../engine/foundation/byte-reader.ts';
import type { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import type { StateKey, TimerService } from '../../engine/job/functions.ts';
import { END_OF_TIME_US, START_OF_TIME_US } from '../../engine/protocol/stream-elements.ts';
import { StateCells } from './reference-cells.ts';
import type { ReferenceHandle } from './reference-handles.ts';

export type TimeDomain = 'event' | 'processing';

export interface ReferenceTimer {
  readonly timestampUs: number;
  readonly keyGroup: number;
  readonly key: StateKey;
  readonly namespace: string;
}

type OfKey = readonly { readonly timestampUs: number; readonly namespace: string }[];

/** Whether event time has passed a timer. */
export type IsDue = (timer: ReferenceTimer) => boolean;

export class ReferenceTimers {
  readonly #cells: Record<TimeDomain, StateCells>;
  readonly #keyGroupOf: (key: StateKey) => number;
  /** Something was registered since the list of due timers was made. */
  #isStale = false;
  /** Event time of the operator, as far as functions may ask. */
  watermarkUs = START_OF_TIME_US;

  constructor(keyGroupOf: (key: StateKey) => number) {
    this.#keyGroupOf = keyGroupOf;
    this.#cells = { event: new StateCells(write), processing: new StateCells(write) };
  }

  /** As states of the operator. */
  handle(domain: TimeDomain): ReferenceHandle {
    return { state: undefined, cells: this.#cells[domain], decode: read, load: read };
  }

  /** Of the current key. */
  add(domain: TimeDomain, namespace: string, timestampUs: number): void {
    const before = this.#ofKey(domain);
    if (before.some((timer) => timer.timestampUs === timestampUs && timer.namespace === namespace)) return;
    const after = [...before, { timestampUs, namespace }];
    this.#cells[domain].put(after.sort(byTimeAndNamespace));
    this.#isStale = true;
  }

  /** Of the current key. */
  remove(domain: TimeDomain, namespace: string, timestampUs: number): void {
    const before = this.#ofKey(domain);
    const after = before.filter((timer) => timer.timestampUs !== timestampUs || timer.namespace !== namespace);
    if (after.length === before.length) return;
    if (after.length === 0) this.#cells[domain].remove();
    else this.#cells[domain].put(after);
  }

  /** Fires every event-time timer that is due (I2); `fire` finds it taken out, with its key as the current one. */
  fire(isDue: IsDue, setKey: (key: StateKey) => void, fire: (timer: ReferenceTimer) => void): void {
    for (let due = this.#due(isDue); due.length > 0; due = this.#due(isDue)) {
      this.#isStale = false;
      for (const timer of due) {
        setKey(timer.key);
        if (!this.#ofKey('event').some((held) => byTimeAndNamespace(held, timer) === 0)) continue;
        this.remove('event', timer.namespace, timer.timestampUs);
        fire(timer);
        if (this.#isStale) break;
      }
    }
  }

  /** For user functions, whose timers have no namespace. */
  service(): TimerService {
    return {
      currentProcessingTime: () => 0,
      currentWatermark: () => this.watermarkUs / 1_000,
      registerEventTimeTimer: (ms) => this.add('event', '', Math.round(ms * 1_000)),
      registerProcessingTimeTimer: (ms) => this.add('processing', '', Math.round(ms * 1_000)),
      deleteEventTimeTimer: (ms) => this.remove('event', '', Math.round(ms * 1_000)),
      deleteProcessingTimeTimer: (ms) => this.remove('processing', '', Math.round(ms * 1_000)),
    };
  }

  #due(isDue: IsDue): ReferenceTimer[] {
    const due: ReferenceTimer[] = [];
    for (const { key, content } of this.#cells.event.all()) {
      for (const { timestampUs, namespace } of (content as OfKey | undefined) ?? []) {
        const timer = { timestampUs, keyGroup: this.#keyGroupOf(key), key, namespace };
        if (isDue(timer)) due.push(timer);
      }
    }
    return due.sort(inFiringOrder);
  }

  #ofKey(domain: TimeDomain): OfKey {
    return (this.#cells[domain].content(false) as OfKey | undefined) ?? [];
  }
}

/** Below zero when `a` fires first (I2). */
export function inFiringOrder(a: ReferenceTimer, b: ReferenceTimer): number {
  if (a.timestampUs !== b.timestampUs) return a.timestampUs - b.timestampUs;
  if (a.keyGroup !== b.keyGroup) return a.keyGroup - b.keyGroup;
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  return byTimeAndNamespace(a, b);
}

/** Everything is due: the end of all input. */
export const atTheEnd: IsDue = ({ timestampUs }) => timestampUs <= END_OF_TIME_US;

function byTimeAndNamespace(
  a: { readonly timestampUs: number; readonly namespace: string },
  b: { readonly timestampUs: number; readonly namespace: string },
): number {
  if (a.timestampUs !== b.timestampUs) return a.timestampUs - b.timestampUs;
  if (a.namespace === b.namespace) return 0;
  return a.namespace < b.namespace ? -1 : 1;
}

/** Count, then time and namespace of each. */
function write(content: unknown, out: ByteWriter): void {
  const timers = content as OfKey;
  out.writeVarUint(timers.length);
  for (const { timestampUs, namespace } of timers) {
    out.writeVarInt(timestampUs);
    out.writeString(namespace);
  }
}

function read(input: ByteReader): OfKey {
  return Array.from({ length: input.readVarUint() }, () => ({
    timestampUs: input.readVarInt(),
    namespace: input.readString(),
  }));
}
