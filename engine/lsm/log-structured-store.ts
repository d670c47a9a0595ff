/**
 * An embedded log-structured store: what is written goes into a memtable, a full memtable becomes an immutable sorted segment, segments
 * of one level are merged into one of the next (what RocksDB is to Flink; the shape is our own: tiered, four segments a level).
 *
 * Owns: memtable, segments, their order, compaction. Does not own: what rows mean (the backend), the files of segments (segment-directory.ts),
 * where they are stored beyond the node (the checkpoint).
 * Invariants:
 *   I1 of two rows of one key the newer decides: memtable, then lower levels, then within a level the one written later;
 *   I2 a segment never changes: a snapshot is the list of them, and keeps their files until it is released;
 *   I3 a deleted row is forgotten only where nothing older can be below it: in the last level that has segments;
 *   I4 what it cost is counted when it is done: blocks looked into, bytes written to the disk of the node.
 */
import { Memtable } from './memtable.ts';
import type { ByteString } from './row-key.ts';
import { SegmentDirectory, type WorkingDirectory } from './segment-directory.ts';
import { encodeSegment, type Row, type RowValue, type Segment } from './segment-file.ts';

/** What a store has done since it was asked; the subtask charges it. */
export interface StoreWork {
  /** Blocks of segments looked into. */
  blockReads: number;
  /** Bytes written to the local disk, by flushes and compactions, and read for compactions. */
  diskBytes: number;
}

/** A segment of a store. */
export interface StoredSegment<O> {
  /** Of this store, never used again. */
  readonly id: number;
  readonly level: number;
  readonly segment: Segment;
  /** Where it was restored from as it is. */
  readonly origin: O | undefined;
}

/** Whether a row may be dropped when segments are merged (RocksDB: a compaction filter). */
export type IsObsolete = (key: ByteString, value: Uint8Array) => boolean;

/** RocksDB: 64 MiB; simulated state is smaller by as much. */
const MEMTABLE_BYTES = 8_192;
/** Segments of a level that are merged. RocksDB: level0_file_num_compaction_trigger. */
const SEGMENTS_PER_LEVEL = 4;

export interface StoreOptions {
  readonly work: StoreWork;
  readonly directory: WorkingDirectory;
  /** Size at which the memtable becomes a segment. */
  readonly memtableBytes?: number | undefined;
  readonly isObsolete?: IsObsolete;
  /** How long a deleted row is remembered (I3): until nothing older can be below it, or, wrongly, until the level below has none. */
  readonly deletedRows?: DeletedRows | undefined;
}

export type DeletedRows = 'until-last-level' | 'until-next-level';

export class LogStructuredStore<O> {
  readonly #work: StoreWork;
  readonly #memtableBytes: number;
  readonly #isObsolete: IsObsolete | undefined;
  readonly #memtable = new Memtable();
  /** By level; within a level oldest first. */
  readonly #levels: StoredSegment<O>[][] = [];
  readonly #files: SegmentDirectory;
  readonly #deletedRows: DeletedRows;

  constructor({ work, directory, memtableBytes = MEMTABLE_BYTES, isObsolete, deletedRows }: StoreOptions) {
    this.#deletedRows = deletedRows ?? 'until-last-level';
    this.#work = work;
    this.#files = new SegmentDirectory(directory);
    this.#memtableBytes = memtableBytes;
    this.#isObsolete = isObsolete;
  }

  /** Bytes of memtable and segments. */
  get bytes(): number {
    let bytes = this.#memtable.bytes;
    for (const { segment } of this.segments()) bytes += segment.length;
    return bytes;
  }

  get(key: ByteString): Uint8Array | undefined {
    const written = this.#memtable.get(key);
    if (written !== undefined) return written === 'deleted' ? undefined : written;
    for (const level of this.#levels) {
      for (let at = level.length - 1; at >= 0; at -= 1) {
        const segment = level[at]?.segment;
        if (segment?.mayContain(key) !== true) continue;
        this.#work.blockReads += 1;
        const found = segment.get(key);
        if (found !== undefined) return found === 'deleted' ? undefined : found;
      }
    }
    return undefined;
  }

  put(key: ByteString, value: Uint8Array): void {
    this.#memtable.put(key, value);
    if (this.#memtable.bytes >= this.#memtableBytes) this.flush();
  }

  delete(key: ByteString): void {
    this.#memtable.put(key, undefined);
    if (this.#memtable.bytes >= this.#memtableBytes) this.flush();
  }

  /** The rows whose key begins with `prefix`, rising. */
  scan(prefix: ByteString): (readonly [key: ByteString, value: Uint8Array])[] {
    const newest = new Map<ByteString, RowValue>();
    const visit = (key: ByteString, value: RowValue): void => void newest.set(key, value);
    for (const { segment } of this.#oldestFirst()) this.#work.blockReads += segment.scan(prefix, visit);
    this.#memtable.scan(prefix, visit);
    return present(newest);
  }

  /** All segments, by level, within a level oldest first. */
  segments(): readonly StoredSegment<O>[] {
    return this.#levels.flat();
  }

  /** I2: the segments as they are now, without what is in the memtable. */
  hold(): readonly StoredSegment<O>[] {
    const held = this.segments();
    for (const { segment } of held) this.#files.retain(segment);
    return held;
  }

  /** I2. */
  giveBack(held: readonly StoredSegment<O>[]): void {
    for (const { segment } of held) this.#files.release(segment);
  }

  /** Nothing is left but what snapshots hold. */
  close(): void {
    this.#memtable.drain();
    for (const level of this.#levels) this.giveBack(level.splice(0));
  }

  /** The memtable becomes a segment. */
  flush(): void {
    if (this.#memtable.isEmpty) return;
    this.#add(this.#memtable.drain(), 0);
    this.#compactFrom(0);
  }

  /** One segment of all rows: none is left behind a newer one of its key. */
  compactFully(): void {
    this.flush();
    const rows = visibleRows(this.segments());
    for (const { segment } of this.segments()) this.#work.diskBytes += segment.length;
    const last = Math.max(0, this.#levels.length - 1);
    for (const level of this.#levels) this.giveBack(level.splice(0));
    if (rows.length > 0) this.#add(rows, last);
  }

  /** A segment of a snapshot, to be added oldest first within its level. The rows of two origins must not share a key. */
  restoreSegment(level: number, bytes: Uint8Array, origin: O | undefined): void {
    this.#level(level).push({ ...this.#files.create(bytes), level, origin });
  }

  /** What is left of a restored segment; it is written to the local disk anew. */
  restoreRows(level: number, rows: readonly Row[]): void {
    if (rows.length > 0) this.#add(rows, level);
  }

  #add(rows: readonly Row[], level: number): void {
    const created = this.#files.create(encodeSegment(rows));
    this.#work.diskBytes += created.segment.length;
    this.#level(level).push({ ...created, level, origin: undefined });
  }

  #level(level: number): StoredSegment<O>[] {
    while (this.#levels.length <= level) this.#levels.push([]);
    return this.#levels[level] ?? [];
  }

  #compactFrom(level: number): void {
    const full = this.#level(level);
    if (full.length < SEGMENTS_PER_LEVEL) return;
    const newest = new Map<ByteString, RowValue>();
    for (const { segment } of full) {
      segment.scan('', (key, value) => void newest.set(key, value));
      this.#work.diskBytes += segment.length;
    }
    this.giveBack(full.splice(0));
    this.#dropObsolete(newest);
    const deepest = this.#deletedRows === 'until-next-level' ? level + 1 : this.#levels.length;
    const isLast = this.#levels.every((deeper, at) => at <= level || at > deepest || deeper.length === 0);
    const rows: readonly Row[] = isLast ? present(newest) : inOrder(newest);
    if (rows.length > 0) this.#add(rows, level + 1);
    this.#compactFrom(level + 1);
  }

  /** A row that is obsolete counts as deleted from here on (I3): older rows of its key may lie below. */
  #dropObsolete(newest: Map<ByteString, RowValue>): void {
    const isObsolete = this.#isObsolete;
    if (isObsolete === undefined) return;
    for (const [key, value] of newest) if (value !== undefined && isObsolete(key, value)) newest.set(key, undefined);
  }

  #oldestFirst(): readonly StoredSegment<O>[] {
    return [...this.#levels].reverse().flat();
  }
}

/** The rows of a list of segments, as a snapshot has it: by level, within a level oldest first. */
export function visibleRows(segments: readonly StoredSegment<unknown>[]): (readonly [ByteString, Uint8Array])[] {
  const newest = new Map<ByteString, RowValue>();
  const oldestFirst = [...segments].sort((a, b) => b.level - a.level || a.id - b.id);
  for (const { segment } of oldestFirst) segment.scan('', (key, value) => void newest.set(key, value));
  return present(newest);
}

/** Keys differ, so the comparison never ties. */
function inOrder(rows: ReadonlyMap<ByteString, RowValue>): Row[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
}

function present(rows: ReadonlyMap<ByteString, RowValue>): [ByteString, Uint8Array][] {
  return inOrder(rows).flatMap(([key, value]): [ByteString, Uint8Array][] =>
    value === undefined ? [] : [[key, value]],
  );
}
