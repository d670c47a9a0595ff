/**
 * Keyed state that lies as objects, whose changes are told of as rows (Flink: ChangelogValueState, ChangelogListState, ChangelogMapState and
 * the loggers behind them).
 *
 * Owns what the user has in hand and may change in place: as it was when he got it, so that a change is found when the key changes or a
 * snapshot is taken (keyed-state.ts, I2). A map is told of entry by entry, everything else whole, timers by key.
 *
 * I1: after `settle`, the rows that were told of are what lies in the state; I2: what was only read is not told of.
 */
import { compareBytes } from '../foundation/byte-order.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import { encoded } from '../lsm/current-values.ts';
import { type ByteString, groupPrefix, lengthPrefixed, plain } from '../lsm/row-key.ts';
import type { MapState } from '../state/keyed-state.ts';
import type { StateChangeListener } from '../state/keyed-state-backend.ts';
import { createStateHandle, type StateHandleOfKind, UserMapSerializer } from '../state/keyed-state-handles.ts';
import type { MapStateDescriptor, StateDescriptor } from '../state/state-descriptor.ts';
import type { KeyContext, OpenTable, StateTable } from '../state/state-table.ts';
import { type KeyTimers, keyTimersSerializer, type TimerTable } from '../state/timer-queue.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';

export interface RecordedStatesOptions {
  readonly changes: StateChangeListener;
  readonly keySerializer: TypeSerializer<StateKey>;
  readonly firstKeyGroup: number;
  readonly context: KeyContext;
}

export class RecordedStates {
  readonly #options: RecordedStatesOptions;
  readonly #values: RecordedValues;

  constructor(options: RecordedStatesOptions) {
    this.#options = options;
    this.#values = new RecordedValues(options.changes);
  }

  /** I1. */
  settle(): void {
    this.#values.settle();
  }

  /** `typeOf`: how values of a registered state are written, which a restored form may have decided. */
  handle(
    descriptor: StateDescriptor,
    open: OpenTable,
    typeOf: (state: string) => TypeSerializer<unknown>,
  ): StateHandleOfKind {
    const { context } = this.#options;
    if (descriptor.kind === 'map') return this.#mapOf(descriptor, open, typeOf);
    return createStateHandle(descriptor, context, (opened, type) => {
      const table = open(opened, type);
      const written = typeOf(opened.name) as typeof type;
      return new RecordedTable({ table, type: written, values: this.#values, rows: this.#rowsOf(opened.name) });
    });
  }

  timers(name: string, table: TimerTable): TimerTable {
    return new RecordedTimers({ table, type: keyTimersSerializer, values: this.#values, rows: this.#rowsOf(name) });
  }

  #mapOf(
    descriptor: MapStateDescriptor<StateKey, unknown>,
    open: OpenTable,
    typeOf: (state: string) => TypeSerializer<unknown>,
  ): MapState<StateKey, unknown> {
    const { context } = this.#options;
    const map = createStateHandle(descriptor, context, open) as MapState<StateKey, unknown>;
    const written = typeOf(descriptor.name);
    const valueType = written instanceof UserMapSerializer ? written.valueType : descriptor.valueType;
    const rows = this.#rowsOf(descriptor.name);
    const row = (): ByteString => rows.of(context.group, context.key);
    return new RecordedMapState({ map, row, values: this.#values, keyType: descriptor.keyType, valueType });
  }

  #rowsOf(state: string): RowsOfState {
    const { keySerializer, firstKeyGroup } = this.#options;
    return new RowsOfState(state, keySerializer, firstKeyGroup);
  }
}

/** The rows of one state; that of a key is often asked for again at once. */
class RowsOfState {
  readonly #state: string;
  readonly #keySerializer: TypeSerializer<StateKey>;
  readonly #firstKeyGroup: number;
  readonly #prefixes = new Map<number, ByteString>();
  #key: StateKey | undefined;
  #group = -1;
  #row: ByteString = '';

  constructor(state: string, keySerializer: TypeSerializer<StateKey>, firstKeyGroup: number) {
    this.#state = state;
    this.#keySerializer = keySerializer;
    this.#firstKeyGroup = firstKeyGroup;
  }

  of(group: number, key: StateKey): ByteString {
    if (group === this.#group && key === this.#key) return this.#row;
    let prefix = this.#prefixes.get(group);
    if (prefix === undefined) {
      prefix = groupPrefix(group + this.#firstKeyGroup, this.#state);
      this.#prefixes.set(group, prefix);
    }
    this.#group = group;
    this.#key = key;
    this.#row = prefix + lengthPrefixed((out) => this.#keySerializer.serialize(key, out));
    return this.#row;
  }
}

interface InHand {
  readonly value: unknown;
  readonly type: TypeSerializer<unknown>;
  /** As the log has it. */
  readonly bytes: Uint8Array;
}

class RecordedValues {
  readonly #changes: StateChangeListener;
  readonly #inHand = new Map<ByteString, InHand>();

  constructor(changes: StateChangeListener) {
    this.#changes = changes;
  }

  handOut<T>(row: ByteString, value: T, type: TypeSerializer<T>): void {
    if (type.immutable || this.#inHand.has(row)) return;
    this.#inHand.set(row, { value, type, bytes: encoded(value, type) });
  }

  put<T>(row: ByteString, value: T, type: TypeSerializer<T>): void {
    const bytes = encoded(value, type);
    this.#changes.changed(row, bytes);
    if (!type.immutable) this.#inHand.set(row, { value, type, bytes });
  }

  removed(row: ByteString): void {
    this.#inHand.delete(row);
    this.#changes.changed(row, undefined);
  }

  /** All entries of a map: what of them is in hand is nobody's any more. */
  removedAll(row: ByteString): void {
    for (const known of this.#inHand.keys()) if (known.startsWith(row)) this.#inHand.delete(known);
    this.#changes.changed(row, undefined);
  }

  settle(): void {
    if (this.#inHand.size === 0) return;
    for (const [row, { value, type, bytes }] of this.#inHand) {
      const now = encoded(value, type);
      if (compareBytes(now, bytes) !== 0) this.#changes.changed(row, now);
    }
    this.#inHand.clear();
  }
}

/** What every table of a state has, that of timers, too. */
type Entries<V> = Pick<StateTable<V>, 'peek' | 'put' | 'remove'>;

interface Recorded<T, V> {
  readonly table: T;
  readonly type: TypeSerializer<V>;
  readonly values: RecordedValues;
  readonly rows: RowsOfState;
}

class RecordedEntries<T extends Entries<V>, V> implements Entries<V> {
  protected readonly of: Recorded<T, V>;

  constructor(of: Recorded<T, V>) {
    this.of = of;
  }

  peek(group: number, key: StateKey): V | undefined {
    return this.of.table.peek(group, key);
  }

  put(group: number, key: StateKey, value: V): void {
    const { table, type, values, rows } = this.of;
    table.put(group, key, value);
    values.put(rows.of(group, key), value, type);
  }

  remove(group: number, key: StateKey): boolean {
    const { table, values, rows } = this.of;
    const wasThere = table.remove(group, key);
    if (wasThere) values.removed(rows.of(group, key));
    return wasThere;
  }
}

class RecordedTable<V> extends RecordedEntries<StateTable<V>, V> implements StateTable<V> {
  get(group: number, key: StateKey): V | undefined {
    const { table, type, values, rows } = this.of;
    const value = table.get(group, key);
    if (value !== undefined) values.handOut(rows.of(group, key), value, type);
    return value;
  }

  contains(group: number, key: StateKey): boolean {
    return this.of.table.contains(group, key);
  }
}

class RecordedTimers extends RecordedEntries<TimerTable, KeyTimers> implements TimerTable {
  forEachUpTo(group: number, limit: number, visit: (key: StateKey, timers: KeyTimers) => void): void {
    this.of.table.forEachUpTo(group, limit, visit);
  }
}

interface RecordedMapOptions {
  readonly map: MapState<StateKey, unknown>;
  /** Of the current key. */
  readonly row: () => ByteString;
  readonly values: RecordedValues;
  readonly keyType: TypeSerializer<StateKey>;
  readonly valueType: TypeSerializer<unknown>;
}

class RecordedMapState implements MapState<StateKey, unknown> {
  readonly #options: RecordedMapOptions;

  constructor(options: RecordedMapOptions) {
    this.#options = options;
  }

  get(key: StateKey): unknown {
    const { map, values, valueType } = this.#options;
    const value = map.get(key);
    if (value !== undefined && !valueType.immutable) values.handOut(this.#rowOf(key), value, valueType);
    return value;
  }

  put(key: StateKey, value: unknown): void {
    const { map, values, valueType } = this.#options;
    map.put(key, value);
    values.put(this.#rowOf(key), value, valueType);
  }

  remove(key: StateKey): void {
    const { map, values } = this.#options;
    if (!map.contains(key)) return;
    map.remove(key);
    values.removed(this.#rowOf(key));
  }

  contains(key: StateKey): boolean {
    return this.#options.map.contains(key);
  }

  entries(): readonly (readonly [StateKey, unknown])[] {
    const { map, values, valueType } = this.#options;
    const entries = map.entries();
    if (!valueType.immutable) for (const [key, value] of entries) values.handOut(this.#rowOf(key), value, valueType);
    return entries;
  }

  keys(): readonly StateKey[] {
    return this.#options.map.keys();
  }

  isEmpty(): boolean {
    return this.#options.map.isEmpty();
  }

  clear(): void {
    const { map, row, values } = this.#options;
    if (map.isEmpty()) return;
    map.clear();
    values.removedAll(row());
  }

  #rowOf(key: StateKey): ByteString {
    return this.#options.row() + plain((out) => this.#options.keyType.serialize(key, out));
  }
}
