/**
 * Keyed state of the reference: plain maps from key to what the function stored, written independently of the engine's
 * backend, and able to show each entry as the bytes a keyed state file holds for it.
 *
 * Owns the state of one operator. Called by the reference job (through the state interfaces) and by the judges.
 *
 * I1: every operation concerns the current key.
 * I2: an entry whose bytes may have changed since the last look is in `#dirty`; so the sum over all entries costs only
 *     what was touched. Reading a mutable value counts as touching it: it may be changed in place.
 * I3: an empty list or map is no entry. Bytes: a value as its serializer writes it; a list as count and elements; a map as
 *     size and its pairs in the order of their key bytes.
 */
import { assert } from '../../engine/foundation/assert.ts';
import { ByteReader } from '../../engine/foundation/byte-reader.ts';
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import { javaStringHash } from '../../engine/foundation/stable-hash.ts';
import type { RuntimeContext, StateKey } from '../../engine/job/functions.ts';
import { keyGroupOf } from '../../engine/job/key-groups.ts';
import type {
  AggregatingState,
  ListState,
  MapState,
  ReducingState,
  StateDescriptor,
  TypeSerializer,
  ValueState,
} from './state-decoders.ts';
import { attempt } from './readable.ts';
import type { Cell, StateCells } from './reference-cells.ts';
import { bindReferenceState, type ReferenceHandle } from './reference-handles.ts';
import { ReferenceTimers } from './reference-timers.ts';
import { canonicalText, HashSum, TermHash } from './value-hash.ts';

/** One entry as bytes. */
export interface StateEntry {
  readonly state: string;
  readonly keyGroup: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface ReferenceOperatorOptions {
  readonly uid: string;
  readonly states: readonly StateDescriptor[];
  readonly keySerializer: TypeSerializer<StateKey>;
  readonly maxParallelism: number;
  /** Names its timers in state files; absent: the operator has none. */
  readonly timers?: string;
}

/** The keyed state of one operator, over all its key groups. */
export class ReferenceOperatorState implements RuntimeContext {
  readonly uid: string;
  /** The reference is one subtask that owns every key. */
  readonly subtask = 0;
  readonly parallelism = 1;
  readonly #tables = new Map<string, ReferenceHandle>();
  /** States that the function declared: all but timers. */
  readonly #declared: readonly ReferenceHandle[];
  readonly #cells: StateCells[] = [];
  readonly #sum = new HashSum();
  readonly #options: ReferenceOperatorOptions;
  /** Of an operator that has timers. */
  readonly timers: ReferenceTimers | undefined;
  #key: StateKey = '';
  #onKey: ((key: StateKey) => void) | undefined;

  constructor(options: ReferenceOperatorOptions) {
    this.uid = options.uid;
    this.#options = options;
    for (const descriptor of options.states) {
      const handle = bindReferenceState(descriptor);
      this.#tables.set(descriptor.name, handle);
      this.#cells.push(handle.cells);
    }
    this.#declared = [...this.#tables.values()];
    if (options.timers === undefined) return;
    this.timers = new ReferenceTimers((key) => keyGroupOf(key, options.maxParallelism));
    for (const domain of ['event', 'processing'] as const) {
      const handle = this.timers.handle(domain);
      this.#tables.set(`_timer_state/${domain}_${options.timers}`, handle);
      this.#cells.push(handle.cells);
    }
  }

  get currentKey(): StateKey {
    return this.#key;
  }

  /** Keys that have an entry in some state, each once. */
  keys(): readonly StateKey[] {
    const keys = new Set<StateKey>();
    for (const { cells } of this.#declared) {
      for (const cell of cells.all()) if (cell.content !== undefined) keys.add(cell.key);
    }
    return [...keys];
  }

  /** Every state operation until the next call concerns this key (I1). */
  setKey(key: StateKey): void {
    this.#key = key;
    for (const cells of this.#cells) cells.setKey(key);
    if (this.#onKey !== undefined) this.#onKey(key);
  }

  /** Tells which keys are used, for explanations. */
  watchKeys(onKey: (key: StateKey) => void): void {
    this.#onKey = onKey;
  }

  value<T>(name: string): ValueState<T> {
    return this.#table(name).state as ValueState<T>;
  }

  list<T>(name: string): ListState<T> {
    return this.#table(name).state as ListState<T>;
  }

  map<K extends StateKey, V>(name: string): MapState<K, V> {
    return this.#table(name).state as MapState<K, V>;
  }

  reducing<T>(name: string): ReducingState<T> {
    return this.#table(name).state as ReducingState<T>;
  }

  aggregating<In, Out>(name: string): AggregatingState<In, Out> {
    return this.#table(name).state as AggregatingState<In, Out>;
  }

  /** The sum of the hashes of all entries now (I2); valid until the next change. */
  sum(): HashSum {
    for (const [name, table] of this.#tables) {
      const nameHash = javaStringHash(name);
      for (const cell of table.cells.takeDirty()) this.#rehash(nameHash, table.cells, cell);
    }
    return this.#sum;
  }

  /** As `sum`, over the entries in key groups that pass. Walks all entries. */
  sumWhere(isCounted: (keyGroup: number) => boolean): HashSum {
    const sum = new HashSum();
    for (const { state, keyGroup, key, value } of this.entries()) {
      if (!isCounted(keyGroup)) continue;
      term.ofEntry(entrySalt(javaStringHash(state), keyGroup), key, value);
      sum.add(term);
    }
    return sum;
  }

  /** Every entry, by state, then in the order in which keys came. For exact differences. */
  entries(): StateEntry[] {
    const found: StateEntry[] = [];
    for (const [name, table] of this.#tables) {
      for (const cell of table.cells.all()) {
        const value = table.cells.bytesOf(cell)?.slice();
        if (value === undefined) continue;
        found.push({ state: name, keyGroup: this.#keyGroupOf(cell), key: this.#keyBytes(cell), value });
      }
    }
    return found;
  }

  declares(name: string): boolean {
    return this.#tables.has(name);
  }

  /** Whether a state is the timers of the operator. */
  isOfTimers(name: string): boolean {
    return this.timers !== undefined && !this.#declared.some((declared) => declared === this.#tables.get(name));
  }

  /** What every state holds, by state, then in the order in which keys came. */
  contents(): { readonly name: string; readonly key: StateKey; readonly content: unknown }[] {
    return [...this.#tables].flatMap(([name, { cells }]) =>
      [...cells.all()].flatMap(({ key, content }) => (content === undefined ? [] : [{ name, key, content }])),
    );
  }

  /** Takes a content that is this state's from now on. */
  adopt(name: string, key: StateKey, content: unknown): void {
    const { cells } = this.#table(name);
    cells.setKey(key);
    cells.put(content);
  }

  /** Takes an entry as a state file holds it; throws `CorruptData`, or says why it cannot be. */
  load({ state, key, value }: StateEntry): string | undefined {
    const table = this.#tables.get(state);
    if (table === undefined) return `${this.uid} declares no state ${state}`;
    table.cells.setKey(this.#options.keySerializer.deserialize(new ByteReader(key)));
    if (table.cells.content(false) !== undefined) return `state ${state} of ${this.uid} holds a key twice`;
    table.cells.put(table.load(new ByteReader(value)));
    return undefined;
  }

  /** What an entry of a state file stands for; undefined: of a state that is not declared. Throws `CorruptData`. */
  decode({ state, key, value }: Omit<StateEntry, 'keyGroup'>): { key: StateKey; content: unknown } | undefined {
    const table = this.#tables.get(state);
    if (table === undefined) return undefined;
    const content = table.load(new ByteReader(value));
    return { key: this.#options.keySerializer.deserialize(new ByteReader(key)), content };
  }

  /** The bytes of a key as state files hold it. */
  keyBytesOf(key: StateKey): Uint8Array {
    scratch.truncate(0);
    this.#options.keySerializer.serialize(key, scratch);
    return scratch.toBytes();
  }

  /** A key's bytes for people. */
  showKey(key: Uint8Array): string {
    return show(() => this.#options.keySerializer.deserialize(new ByteReader(key)));
  }

  /** A value's bytes for people. */
  showValue(state: string, value: Uint8Array | undefined): string {
    if (value === undefined) return 'nothing';
    const table = this.#tables.get(state);
    if (table === undefined) return `${String(value.length)} bytes of a state the function does not declare`;
    return show(() => table.decode(new ByteReader(value)));
  }

  #rehash(nameHash: number, cells: StateCells, cell: Cell): void {
    if (cell.summed) this.#sum.remove(cell);
    const bytes = cells.bytesOf(cell);
    cell.summed = bytes !== undefined;
    if (bytes === undefined) return;
    term.ofEntry(entrySalt(nameHash, this.#keyGroupOf(cell)), this.#keyBytes(cell), bytes);
    cell.low = term.low;
    cell.high = term.high;
    this.#sum.add(cell);
  }

  #keyGroupOf(cell: Cell): number {
    if (cell.keyGroup < 0) cell.keyGroup = keyGroupOf(cell.key, this.#options.maxParallelism);
    return cell.keyGroup;
  }

  #keyBytes(cell: Cell): Uint8Array {
    cell.keyBytes ??= this.keyBytesOf(cell.key);
    return cell.keyBytes;
  }

  #table(name: string): ReferenceHandle {
    const table = this.#tables.get(name);
    assert(table !== undefined, 'a function asks for states it declared', { name, operator: this.uid });
    return table;
  }
}

function show(decode: () => unknown): string {
  const read = attempt('state', decode);
  return read.kind === 'read' ? canonicalText(read.value) : `unreadable bytes (${read.reason})`;
}

/** What stands for state and key group in the hash of an entry. */
export function entrySalt(nameHash: number, keyGroup: number): number {
  return (Math.imul(nameHash, 31) + keyGroup) | 0;
}

const term = new TermHash();
/** Keys are written here. */
const scratch = new ByteWriter();
