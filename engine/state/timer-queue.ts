/**
 * The timers of one kind of a keyed operator: for each key group a set, over all own key groups one order (row S11; Flink:
 * KeyGroupedInternalPriorityQueue, HeapPriorityQueueSet).
 *
 * Owns: the order, and the set as it lies in a state table. The table is the truth: it is snapshotted, restored and clipped to the own
 * key groups as any keyed state, with its own kind in the file; an entry of it holds all timers of a key. The heap is only an index over it,
 * so any backend with a table can have it.
 * Invariants:
 *   I1 a timer (timestamp, key, namespace) is in the set once;
 *   I2 the order is (timestamp, key group, key, namespace): a function of the set, not of how it came about;
 *   I3 what is in the heap and not in the table is skipped; what is in the table is in the heap.
 */
import { assert } from '../foundation/assert.ts';
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import type { SerializerSnapshot, TypeSerializer } from './type-serializer.ts';

/** Flink: InternalTimer. */
export interface InternalTimer {
  readonly timestampUs: number;
  readonly keyGroup: number;
  readonly key: StateKey;
  /** What it belongs to within the key: a window, a pattern; empty for timers of user functions. */
  readonly namespace: string;
}

export interface TimerQueue {
  /** Timers of all own key groups. */
  readonly size: number;
  /** For the current key. False: it was there already. */
  add(namespace: string, timestampUs: number): boolean;
  /** For the current key. False: there was none. */
  remove(namespace: string, timestampUs: number): boolean;
  /** The first in order. */
  peek(): InternalTimer | undefined;
  /** Takes the first out. */
  poll(): InternalTimer | undefined;
}

/** The order of timers (I2): below zero when `a` comes first, 0 only for the same timer. */
export function compareTimers(a: InternalTimer, b: InternalTimer): number {
  if (a.timestampUs !== b.timestampUs) return a.timestampUs - b.timestampUs;
  if (a.keyGroup !== b.keyGroup) return a.keyGroup - b.keyGroup;
  if (a.key !== b.key) return a.key < b.key ? -1 : 1;
  if (a.namespace === b.namespace) return 0;
  return a.namespace < b.namespace ? -1 : 1;
}

/** One of a key's timers, as it lies in the table. */
export interface KeyTimer {
  readonly timestampUs: number;
  readonly namespace: string;
}

/** A key's timers in order; replaced, never changed. */
export type KeyTimers = readonly KeyTimer[];

/** The stored form: count, then timestamp and namespace of each, in order. */
export const keyTimersSerializer: TypeSerializer<KeyTimers> = {
  snapshot: { name: 'timers', version: 1 } satisfies SerializerSnapshot,
  immutable: true,
  serialize(timers: KeyTimers, out: ByteWriter): void {
    out.writeVarUint(timers.length);
    for (const { timestampUs, namespace } of timers) {
      out.writeVarInt(timestampUs);
      out.writeString(namespace);
    }
  },
  deserialize(input: ByteReader): KeyTimers {
    const timers: KeyTimer[] = [];
    for (let left = input.readVarUint(); left > 0; left -= 1) {
      timers.push({ timestampUs: input.readVarInt(), namespace: input.readString() });
    }
    return timers;
  },
  copy: (timers) => timers,
};

/** Where the timers of each key lie. `group` counts from the first own key group. */
export interface TimerTable {
  peek(group: number, key: StateKey): KeyTimers | undefined;
  put(group: number, key: StateKey, timers: KeyTimers): void;
  remove(group: number, key: StateKey): boolean;
  forEachUpTo(group: number, limit: number, visit: (key: StateKey, timers: KeyTimers) => void): void;
}

export interface HeapTimerQueueOptions {
  readonly table: TimerTable;
  /** Key and group of the moment; the group counts from the first own one. */
  readonly context: { readonly key: StateKey; readonly group: number };
  readonly firstKeyGroup: number;
  readonly groupCount: number;
}

export class HeapTimerQueue implements TimerQueue {
  readonly #options: HeapTimerQueueOptions;
  #heap: InternalTimer[] = [];
  #size = 0;
  #isBuilt = false;

  constructor(options: HeapTimerQueueOptions) {
    this.#options = options;
  }

  get size(): number {
    this.#build();
    return this.#size;
  }

  add(namespace: string, timestampUs: number): boolean {
    assert(Number.isSafeInteger(timestampUs), 'a timer has a whole number of microseconds', { timestampUs });
    this.#build();
    const { table, context, firstKeyGroup } = this.#options;
    const { key, group } = context;
    assert(group >= 0, 'a timer is registered with a current key');
    const timers = table.peek(group, key) ?? [];
    const at = positionOf(timers, timestampUs, namespace);
    if (isAt(timers, at, timestampUs, namespace)) return false;
    table.put(group, key, [...timers.slice(0, at), { timestampUs, namespace }, ...timers.slice(at)]);
    this.#size += 1;
    push(this.#heap, { timestampUs, keyGroup: firstKeyGroup + group, key, namespace });
    return true;
  }

  remove(namespace: string, timestampUs: number): boolean {
    this.#build();
    const { key, group } = this.#options.context;
    assert(group >= 0, 'a timer is deleted with a current key');
    if (!this.#take(group, key, { timestampUs, namespace })) return false;
    if (this.#heap.length > 2 * this.#size + HEAP_SLACK) this.#rebuild();
    return true;
  }

  peek(): InternalTimer | undefined {
    this.#build();
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (this.#holds(first)) return first;
      pop(this.#heap);
    }
    return undefined;
  }

  poll(): InternalTimer | undefined {
    const first = this.peek();
    if (first === undefined) return undefined;
    pop(this.#heap);
    this.#take(first.keyGroup - this.#options.firstKeyGroup, first.key, first);
    return first;
  }

  /** I3. */
  #holds({ keyGroup, key, timestampUs, namespace }: InternalTimer): boolean {
    const timers = this.#options.table.peek(keyGroup - this.#options.firstKeyGroup, key);
    return timers !== undefined && isAt(timers, positionOf(timers, timestampUs, namespace), timestampUs, namespace);
  }

  #take(group: number, key: StateKey, { timestampUs, namespace }: KeyTimer): boolean {
    const { table } = this.#options;
    const timers = table.peek(group, key) ?? [];
    const at = positionOf(timers, timestampUs, namespace);
    if (!isAt(timers, at, timestampUs, namespace)) return false;
    if (timers.length === 1) table.remove(group, key);
    else table.put(group, key, [...timers.slice(0, at), ...timers.slice(at + 1)]);
    this.#size -= 1;
    return true;
  }

  #build(): void {
    if (this.#isBuilt) return;
    this.#isBuilt = true;
    this.#rebuild();
  }

  #rebuild(): void {
    const { table, firstKeyGroup, groupCount } = this.#options;
    const all: InternalTimer[] = [];
    for (let group = 0; group < groupCount; group += 1) {
      table.forEachUpTo(group, Number.POSITIVE_INFINITY, (key, timers) => {
        for (const { timestampUs, namespace } of timers) {
          all.push({ timestampUs, keyGroup: firstKeyGroup + group, key, namespace });
        }
      });
    }
    // A sorted array is a heap.
    this.#heap = all.sort(compareTimers);
    this.#size = all.length;
  }
}

/** Entries of the heap that may be out of date before it is made anew. */
const HEAP_SLACK = 64;

/** Where a timer is, or would be, among those of its key. */
function positionOf(timers: KeyTimers, timestampUs: number, namespace: string): number {
  let at = timers.length;
  while (at > 0) {
    const before = timers[at - 1];
    if (before === undefined || before.timestampUs < timestampUs) break;
    if (before.timestampUs === timestampUs && before.namespace < namespace) break;
    at -= 1;
  }
  return at;
}

function isAt(timers: KeyTimers, at: number, timestampUs: number, namespace: string): boolean {
  const found = timers[at];
  return found !== undefined && found.timestampUs === timestampUs && found.namespace === namespace;
}

function push(heap: InternalTimer[], timer: InternalTimer): void {
  let at = heap.length;
  heap.push(timer);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || compareTimers(parent, timer) <= 0) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = timer;
}

function pop(heap: InternalTimer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    const left = heap[below];
    if (left === undefined) break;
    const right = heap[below + 1];
    let child = left;
    if (right !== undefined && compareTimers(right, left) < 0) {
      child = right;
      below += 1;
    }
    if (compareTimers(last, child) <= 0) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = last;
}
