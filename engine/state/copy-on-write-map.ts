/**
 * The table of a keyed state: a plain Map per key group that can be snapshotted in time independent of its size.
 *
 * Flink's CopyOnWriteStateMap is a hash table of its own whose bucket array a snapshot takes over, with entries copied
 * when written. A JavaScript Map cannot be taken over in O(1), so we turn it round: the Map goes on, and the newest
 * live snapshot keeps the pre-image of each entry the first time it is written after the snapshot, and the entries
 * removed since. An older snapshot reads through to the newer ones. The costs are the same: nothing while no snapshot
 * is live, one kept pre-image per entry and snapshot otherwise, and a copy where a mutable value is handed out. A kept
 * pre-image is three array elements: nothing is hashed or allocated for it (a Map from entries to values cost twice as much).
 *
 * Owns the entries and the live snapshots. Knows neither keys' hashes nor bytes. Called by the keyed state backend.
 *
 * I1: a live snapshot yields exactly the entries at the moment it was taken, in insertion order per group, whenever
 *     it is iterated and whatever was put, removed or cleared since.
 * I2: a value that a live snapshot may still yield is never handed out if it is mutable (row S15: reads copy, too).
 * I3: an entry is saved at most once per snapshot, and only if a live snapshot needs it: entry version <= highest required.
 * I4: releasing a snapshot gives back its memory and lowers the highest required version; what an older live
 *     snapshot still needs moves there.
 * I5: sequences grow along each group's Map, so that insertion order can be restored for removed entries.
 */

import { assert } from '../foundation/assert.ts';

/** What the map must know of its values. */
export interface ValueCopier<V> {
  readonly immutable: boolean;
  copy(value: V): V;
}

/** The map as it was at one moment. */
export interface CopyOnWriteSnapshot<K, V> {
  /** Number of entries in all groups. */
  readonly entryCount: number;
  /** Visits the entries of a group in insertion order. The visitor must not change the map or the values. */
  forEach(group: number, visit: (key: K, value: V) => void): void;
  /** Gives the memory back; a second release does nothing. */
  release(): void;
}

/** The cell of a key. Fields are written in one place, so that all cells have one hidden class. */
interface Entry<V> {
  value: V;
  /** The map version in which `value` was last handed out or written. */
  version: number;
  /** Insertion order over the whole map. */
  readonly sequence: number;
  /** Where its pre-image is in the newest live snapshot that has one; says nothing if another entry or none is there. */
  slot: number;
}

interface RemovedEntry<K, V> {
  readonly key: K;
  readonly entry: Entry<V>;
}

/** A snapshot that is not released, as the map sees it. */
interface LiveSnapshot<K, V> {
  /** Entries with a higher version were written after it. */
  readonly version: number;
  /** Entries with this or a higher sequence were inserted after it. */
  readonly firstYoungerSequence: number;
  /** What was overwritten since, until a newer snapshot was taken: entries, their pre-images, and their slots in older snapshots. */
  readonly overwritten: Entry<V>[];
  readonly preImages: V[];
  readonly olderSlots: number[];
  /** What was removed since, until a newer snapshot was taken, by group. */
  readonly removed: Map<number, RemovedEntry<K, V>[]>;
}

const NOTHING_REMOVED: readonly never[] = [];
/** The slot of an entry that was never overwritten: as good as any, for no snapshot has that entry there. */
const NO_SLOT = 0;
/** `highest required version` when no snapshot is live; below every entry version. */
const NOTHING_REQUIRED = -1;

export class CopyOnWriteMap<K, V> {
  readonly #groups: (Map<K, Entry<V>> | undefined)[];
  /** Stands for a group without a Map, so that loops see one kind of iterator. */
  readonly #noEntries: ReadonlyMap<K, Entry<V>> = new Map();
  readonly #copier: ValueCopier<V>;
  readonly #immutable: boolean;
  /** Oldest first. */
  readonly #live: LiveSnapshot<K, V>[] = [];
  #newest: LiveSnapshot<K, V> | undefined;
  #version = 0;
  #highestRequired = NOTHING_REQUIRED;
  #nextSequence = 0;
  #size = 0;
  /** Where the next sweep goes on. */
  #sweptGroup = 0;
  #swept: MapIterator<[K, Entry<V>]> | undefined;

  constructor(groupCount: number, copier: ValueCopier<V>) {
    assert(Number.isInteger(groupCount) && groupCount > 0, 'a map has at least one group', { groupCount });
    this.#groups = new Array<Map<K, Entry<V>> | undefined>(groupCount).fill(undefined);
    this.#copier = copier;
    this.#immutable = copier.immutable;
  }

  /** Number of entries in all groups. */
  get size(): number {
    return this.#size;
  }

  /** Number of snapshots that are not released. */
  get liveSnapshotCount(): number {
    return this.#live.length;
  }

  /** Number of pre-images and removed entries kept for live snapshots. */
  get retainedCount(): number {
    return this.#live.reduce((sum, snapshot) => sum + snapshot.overwritten.length + removedCount(snapshot), 0);
  }

  /** The value, which the caller may change in place. */
  get(group: number, key: K): V | undefined {
    const entry = this.#groups[group]?.get(key);
    if (entry === undefined) return undefined;
    if (entry.version <= this.#highestRequired && !this.#immutable) this.#detach(entry);
    return entry.value;
  }

  /** The value, which the caller must neither change nor hand out. */
  peek(group: number, key: K): V | undefined {
    return this.#groups[group]?.get(key)?.value;
  }

  contains(group: number, key: K): boolean {
    return this.#groups[group]?.has(key) ?? false;
  }

  put(group: number, key: K, value: V): void {
    const map = this.#groups[group] ?? this.#openGroup(group);
    const entry = map.get(key);
    if (entry === undefined) {
      map.set(key, { value, version: this.#version, sequence: this.#nextSequence++, slot: NO_SLOT });
      this.#size++;
      return;
    }
    if (entry.version <= this.#highestRequired) this.#savePreImage(entry);
    entry.value = value;
    entry.version = this.#version;
  }

  remove(group: number, key: K): boolean {
    const map = this.#groups[group];
    const entry = map?.get(key);
    if (map === undefined || entry === undefined) return false;
    this.#buryIfNeeded(group, key, entry);
    map.delete(key);
    this.#size--;
    return true;
  }

  clear(): void {
    this.#groups.forEach((map, group) => {
      if (this.#newest !== undefined)
        map?.forEach((entry, key) => {
          this.#buryIfNeeded(group, key, entry);
        });
      this.#groups[group] = undefined;
    });
    this.#swept = undefined;
    this.#size = 0;
  }

  /** Visits the first `limit` present entries of a group; the visitor must neither change nor keep values. */
  forEachUpTo(group: number, limit: number, visit: (key: K, value: V) => void): void {
    const present = this.#groups[group];
    if (present === undefined) return;
    let visited = 0;
    for (const [key, entry] of present) {
      if (visited++ >= limit) return;
      visit(key, entry.value);
    }
  }

  /**
   * Replaces or drops the next `limit` entries, going round and round over all of them: `replace` gives the value itself, another or
   * undefined. The iterator of a Map stays valid whatever is put or removed meanwhile.
   */
  sweep(limit: number, replace: (value: V) => V | undefined): void {
    for (let visited = 0; visited < limit; visited++) {
      const next = this.#nextToSweep();
      if (next === undefined) return;
      const [key, { value }] = next;
      const left = replace(value);
      if (left === undefined) this.remove(this.#sweptGroup, key);
      else if (left !== value) this.put(this.#sweptGroup, key, left);
    }
  }

  /** Undefined: the end of a round. */
  #nextToSweep(): readonly [K, Entry<V>] | undefined {
    while (this.#sweptGroup < this.#groups.length) {
      this.#swept ??= (this.#groups[this.#sweptGroup] ?? this.#noEntries).entries();
      const next = this.#swept.next();
      if (next.done !== true) return next.value;
      this.#swept = undefined;
      this.#sweptGroup++;
    }
    this.#sweptGroup = 0;
    return undefined;
  }

  /** Takes a snapshot; the time does not depend on the number of entries. */
  snapshot(): CopyOnWriteSnapshot<K, V> {
    const taken: LiveSnapshot<K, V> = {
      version: this.#version,
      firstYoungerSequence: this.#nextSequence,
      overwritten: [],
      preImages: [],
      olderSlots: [],
      removed: new Map(),
    };
    this.#live.push(taken);
    this.#newest = taken;
    this.#highestRequired = taken.version;
    this.#version++;
    return {
      entryCount: this.#size,
      forEach: (group, visit) => {
        this.#visitSnapshot(taken, group, visit);
      },
      release: () => {
        this.#release(taken);
      },
    };
  }

  #openGroup(group: number): Map<K, Entry<V>> {
    assert(group >= 0 && group < this.#groups.length, 'an entry is put into one of the groups', { group });
    const map = new Map<K, Entry<V>>();
    this.#groups[group] = map;
    return map;
  }

  /** Leaves the value to the snapshots and gives the entry a copy of its own (I2). */
  #detach(entry: Entry<V>): void {
    this.#savePreImage(entry);
    entry.value = this.#copier.copy(entry.value);
    entry.version = this.#version;
  }

  #savePreImage(entry: Entry<V>): void {
    assert(this.#newest !== undefined, 'I3: a required version belongs to a live snapshot');
    entry.slot = keep(this.#newest, entry, entry.value, entry.slot);
  }

  /** A removed entry is never written again, so that it is its own pre-image. */
  #buryIfNeeded(group: number, key: K, entry: Entry<V>): void {
    const newest = this.#newest;
    if (newest !== undefined && entry.sequence < newest.firstYoungerSequence) bury(newest, group, { key, entry });
  }

  /** Merges the present and the removed entries by sequence (I1, I5). */
  #visitSnapshot(snapshot: LiveSnapshot<K, V>, group: number, visit: (key: K, value: V) => void): void {
    const from = this.#live.indexOf(snapshot);
    assert(from >= 0, 'a snapshot is iterated only before its release');
    const removed = this.#removedSince(snapshot, from, group);
    let nextRemoved = 0;
    const present = this.#groups[group];
    if (present === undefined && removed.length === 0) return;
    for (const [key, entry] of present ?? this.#noEntries) {
      if (entry.sequence >= snapshot.firstYoungerSequence) break;
      for (; nextRemoved < removed.length; nextRemoved++) {
        const older = removed[nextRemoved];
        if (older === undefined || older.entry.sequence > entry.sequence) break;
        visit(older.key, this.#valueAt(snapshot, from, older.entry));
      }
      visit(key, entry.version <= snapshot.version ? entry.value : this.#valueAt(snapshot, from, entry));
    }
    for (; nextRemoved < removed.length; nextRemoved++) {
      const older = removed[nextRemoved];
      if (older !== undefined) visit(older.key, this.#valueAt(snapshot, from, older.entry));
    }
  }

  /** What was in the group at the snapshot and is not any more, in insertion order. */
  #removedSince(snapshot: LiveSnapshot<K, V>, from: number, group: number): readonly RemovedEntry<K, V>[] {
    let found: RemovedEntry<K, V>[] | undefined;
    for (let i = from; i < this.#live.length; i++) {
      const buried = this.#live[i]?.removed.get(group);
      if (buried === undefined) continue;
      found ??= [];
      for (const removed of buried) if (removed.entry.sequence < snapshot.firstYoungerSequence) found.push(removed);
    }
    if (found === undefined) return NOTHING_REMOVED;
    return found.sort((a, b) => a.entry.sequence - b.entry.sequence);
  }

  /** The pre-image in the oldest snapshot that has one, from `snapshot` on: before it, the entry was not written since. */
  #valueAt(snapshot: LiveSnapshot<K, V>, from: number, entry: Entry<V>): V {
    if (entry.version <= snapshot.version) return entry.value;
    let { slot } = entry;
    let oldest: LiveSnapshot<K, V> | undefined;
    let oldestSlot = NO_SLOT;
    for (let i = this.#live.length - 1; i >= from; i--) {
      const live = this.#live[i];
      if (live?.overwritten[slot] !== entry) continue;
      oldest = live;
      oldestSlot = slot;
      slot = live.olderSlots[slot] ?? NO_SLOT;
    }
    assert(oldest !== undefined, 'I1: a live snapshot finds what was overwritten since');
    return oldest.preImages[oldestSlot] as V;
  }

  #release(snapshot: LiveSnapshot<K, V>): void {
    const index = this.#live.indexOf(snapshot);
    if (index < 0) return;
    this.#live.splice(index, 1);
    const older = this.#live[index - 1];
    if (older !== undefined) this.#inherit(older, snapshot, index);
    this.#newest = this.#live.at(-1);
    this.#highestRequired = this.#newest?.version ?? NOTHING_REQUIRED;
  }

  /** Moves to the older snapshot what it reads through the released one (I4); `newer` is where the live ones after it begin. */
  #inherit(older: LiveSnapshot<K, V>, released: LiveSnapshot<K, V>, newer: number): void {
    for (let slot = 0; slot < released.overwritten.length; slot++) {
      const entry = released.overwritten[slot] as Entry<V>;
      const olderSlot = released.olderSlots[slot] ?? NO_SLOT;
      const needed = entry.sequence < older.firstYoungerSequence && older.overwritten[olderSlot] !== entry;
      this.#relink(entry, newer, needed ? keep(older, entry, released.preImages[slot] as V, olderSlot) : olderSlot);
    }
    for (const [group, entries] of released.removed) {
      for (const removed of entries) {
        if (removed.entry.sequence < older.firstYoungerSequence) bury(older, group, removed);
      }
    }
  }

  /** Sets the slot that names the entry's pre-image in what is older than the live snapshots from `newer` on. */
  #relink(entry: Entry<V>, newer: number, slot: number): void {
    let holder: LiveSnapshot<K, V> | undefined;
    let held = entry.slot;
    let next = held;
    for (let i = this.#live.length - 1; i >= newer; i--) {
      const live = this.#live[i];
      if (live?.overwritten[next] !== entry) continue;
      holder = live;
      held = next;
      next = live.olderSlots[next] ?? NO_SLOT;
    }
    if (holder === undefined) entry.slot = slot;
    else holder.olderSlots[held] = slot;
  }
}

/** Keeps a pre-image and returns its slot. */
function keep<K, V>(snapshot: LiveSnapshot<K, V>, entry: Entry<V>, preImage: V, olderSlot: number): number {
  snapshot.preImages.push(preImage);
  snapshot.olderSlots.push(olderSlot);
  return snapshot.overwritten.push(entry) - 1;
}

function bury<K, V>(snapshot: LiveSnapshot<K, V>, group: number, removed: RemovedEntry<K, V>): void {
  const buried = snapshot.removed.get(group);
  if (buried === undefined) snapshot.removed.set(group, [removed]);
  else buried.push(removed);
}

function removedCount<K, V>(snapshot: LiveSnapshot<K, V>): number {
  let count = 0;
  for (const entries of snapshot.removed.values()) count += entries.length;
  return count;
}
