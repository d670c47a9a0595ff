/**
 * The kinds of keyed state whose entries expire, over the same kinds of any backend (row S12; Flink: TtlStateFactory, TtlValueState,
 * TtlListState, TtlMapState, TtlReducingState, TtlAggregatingState).
 *
 * Owns what an access does: judge, renew, clear. Called by runtime-states.ts. Does not own: the stored form (time-to-live.ts).
 *
 * I1: an expired entry that is come upon is cleared, and given out only where the state says so;
 * I2: writing renews what is written; reading does only where the state says so;
 * I3: elements of a list and entries of a map expire one by one; an accumulator as a whole, and adding to an expired one begins anew.
 */
import { unreachable } from '../foundation/assert.ts';
import type { StateKey } from '../foundation/stable-hash.ts';
import type { AggregatingState, ListState, MapState, ReducingState, ValueState } from './keyed-state.ts';
import type { KeyedStateBackend } from './keyed-state-backend.ts';
import type { StateHandleOfKind } from './keyed-state-handles.ts';
import type { AggregatingStateDescriptor, ReducingStateDescriptor, StateDescriptor } from './state-descriptor.ts';
import {
  type Expiry,
  type ExpiryClock,
  hasExpired,
  type Stamped,
  StampedSerializer,
  type TimeToLive,
} from './time-to-live.ts';

/** Registers a state that has a time to live. */
export function expiringState(
  descriptor: StateDescriptor,
  timeToLive: TimeToLive,
  backend: KeyedStateBackend,
  clock: ExpiryClock,
): StateHandleOfKind {
  const { name } = descriptor;
  const access = new Access(timeToLive, clock, () => backend.cleanUp?.(name, timeToLive.cleanupEntries));
  const expiry = expiryOf(descriptor.kind, timeToLive, clock);
  const stamped = { name, expiry };
  switch (descriptor.kind) {
    case 'value': {
      const type = new StampedSerializer(descriptor.type, clock);
      return new ExpiringValueState(backend.getState({ kind: 'value', ...stamped, type }), access);
    }
    case 'list': {
      const type = new StampedSerializer(descriptor.type, clock);
      return new ExpiringListState(backend.getState({ kind: 'list', ...stamped, type }), access);
    }
    case 'map': {
      const { keyType } = descriptor;
      const valueType = new StampedSerializer(descriptor.valueType, clock);
      return new ExpiringMapState(backend.getState({ kind: 'map', ...stamped, keyType, valueType }), access);
    }
    case 'reducing': {
      const inner = { ...stamped, ...stampedReducing(descriptor, access, clock) };
      return new ExpiringReducingState(backend.getState(inner), access);
    }
    case 'aggregating': {
      const inner = { ...stamped, ...stampedAggregating(descriptor, access, clock) };
      return new ExpiringAggregatingState(backend.getState(inner), access, descriptor);
    }
    default:
      return unreachable(descriptor);
  }
}

/** What all kinds do at an access. */
class Access {
  readonly returnsExpired: boolean;
  readonly renewsOnRead: boolean;
  readonly #ttlUs: number;
  readonly #clock: ExpiryClock;
  readonly #cleanUp: () => void;

  constructor({ ttlUs, updateType, visibility }: TimeToLive, clock: ExpiryClock, cleanUp: () => void) {
    this.returnsExpired = visibility === 'return-expired-if-not-cleaned-up';
    this.renewsOnRead = updateType === 'on-read-and-write';
    this.#ttlUs = ttlUs;
    this.#clock = clock;
    this.#cleanUp = cleanUp;
  }

  /** With every access; before it, so that nothing that was handed out by it is cleaned up. */
  begin(): void {
    this.#cleanUp();
  }

  isExpired(stored: Stamped<unknown>): boolean {
    return hasExpired(stored, this.#ttlUs, this.#clock.nowUs());
  }

  stamp<T>(value: T): Stamped<T> {
    return { accessedUs: this.#clock.nowUs(), value };
  }
}

class ExpiringValueState<T> implements ValueState<T> {
  readonly #inner: ValueState<Stamped<T>>;
  readonly #access: Access;

  constructor(inner: ValueState<Stamped<T>>, access: Access) {
    this.#inner = inner;
    this.#access = access;
  }

  value(): T | undefined {
    this.#access.begin();
    const stored = this.#inner.value();
    if (stored === undefined) return undefined;
    if (this.#access.isExpired(stored)) {
      this.#inner.clear();
      return this.#access.returnsExpired ? stored.value : undefined;
    }
    if (this.#access.renewsOnRead) this.#inner.update(this.#access.stamp(stored.value));
    return stored.value;
  }

  update(value: T): void {
    this.#access.begin();
    this.#inner.update(this.#access.stamp(value));
  }

  clear(): void {
    this.#inner.clear();
  }
}

class ExpiringListState<T> implements ListState<T> {
  readonly #inner: ListState<Stamped<T>>;
  readonly #access: Access;

  constructor(inner: ListState<Stamped<T>>, access: Access) {
    this.#inner = inner;
    this.#access = access;
  }

  get(): readonly T[] {
    const access = this.#access;
    access.begin();
    const stored = this.#inner.get();
    const alive = stored.filter((element) => !access.isExpired(element));
    const given = (access.returnsExpired ? stored : alive).map(({ value }) => value);
    if (access.renewsOnRead) this.#inner.update(alive.map(({ value }) => access.stamp(value)));
    else if (alive.length === 0) this.#inner.clear();
    return given;
  }

  add(element: T): void {
    this.#access.begin();
    this.#inner.add(this.#access.stamp(element));
  }

  addAll(elements: readonly T[]): void {
    this.#access.begin();
    this.#inner.addAll(elements.map((element) => this.#access.stamp(element)));
  }

  update(elements: readonly T[]): void {
    this.#access.begin();
    this.#inner.update(elements.map((element) => this.#access.stamp(element)));
  }

  clear(): void {
    this.#inner.clear();
  }
}

class ExpiringMapState<K extends StateKey, V> implements MapState<K, V> {
  readonly #inner: MapState<K, Stamped<V>>;
  readonly #access: Access;

  constructor(inner: MapState<K, Stamped<V>>, access: Access) {
    this.#inner = inner;
    this.#access = access;
  }

  get(key: K): V | undefined {
    this.#access.begin();
    const stored = this.#inner.get(key);
    if (stored === undefined || !this.#come(key, stored)) return undefined;
    return stored.value;
  }

  put(key: K, value: V): void {
    this.#access.begin();
    this.#inner.put(key, this.#access.stamp(value));
  }

  remove(key: K): void {
    this.#access.begin();
    this.#inner.remove(key);
  }

  contains(key: K): boolean {
    return this.get(key) !== undefined;
  }

  entries(): readonly (readonly [K, V])[] {
    this.#access.begin();
    const given: (readonly [K, V])[] = [];
    for (const [key, stored] of this.#inner.entries()) if (this.#come(key, stored)) given.push([key, stored.value]);
    return given;
  }

  keys(): readonly K[] {
    return this.entries().map(([key]) => key);
  }

  isEmpty(): boolean {
    return this.entries().length === 0;
  }

  clear(): void {
    this.#inner.clear();
  }

  /** I1, I2 for one entry; whether it is given out. */
  #come(key: K, stored: Stamped<V>): boolean {
    if (this.#access.isExpired(stored)) {
      this.#inner.remove(key);
      return this.#access.returnsExpired;
    }
    if (this.#access.renewsOnRead) this.#inner.put(key, this.#access.stamp(stored.value));
    return true;
  }
}

/** Added to an accumulator it only renews it. */
const RENEWAL = Symbol('renewal');

class ExpiringReducingState<T> implements ReducingState<T> {
  readonly #inner: ReducingState<Stamped<T | typeof RENEWAL>>;
  readonly #access: Access;

  constructor(inner: ReducingState<Stamped<T | typeof RENEWAL>>, access: Access) {
    this.#inner = inner;
    this.#access = access;
  }

  get(): T | undefined {
    const access = this.#access;
    access.begin();
    const stored = this.#inner.get();
    if (stored === undefined || stored.value === RENEWAL) return undefined;
    if (access.isExpired(stored)) {
      this.#inner.clear();
      return access.returnsExpired ? stored.value : undefined;
    }
    if (access.renewsOnRead) this.#inner.add(access.stamp(RENEWAL));
    return stored.value;
  }

  add(value: T): void {
    this.#access.begin();
    this.#inner.add(this.#access.stamp(value));
  }

  clear(): void {
    this.#inner.clear();
  }
}

/** I3. What lies in the table is never a renewal: one is only added to what has not expired. */
function stampedReducing(
  descriptor: ReducingStateDescriptor<unknown>,
  access: Access,
  clock: ExpiryClock,
): ReducingStateDescriptor<Stamped<unknown>> {
  return {
    kind: 'reducing',
    name: descriptor.name,
    type: new StampedSerializer(descriptor.type, clock),
    reduce: (current, added) => {
      if (added.value === RENEWAL) return access.stamp(current.value);
      if (access.isExpired(current)) return added;
      return access.stamp(descriptor.reduce(current.value, added.value));
    },
  };
}

class ExpiringAggregatingState<In, Acc, Out> implements AggregatingState<In, Out> {
  readonly #inner: AggregatingState<In | typeof RENEWAL, Stamped<Acc>>;
  readonly #access: Access;
  readonly #aggregate: AggregatingStateDescriptor<In, Acc, Out>;

  constructor(
    inner: AggregatingState<In | typeof RENEWAL, Stamped<Acc>>,
    access: Access,
    aggregate: AggregatingStateDescriptor<In, Acc, Out>,
  ) {
    this.#inner = inner;
    this.#access = access;
    this.#aggregate = aggregate;
  }

  get(): Out | undefined {
    const access = this.#access;
    access.begin();
    const stored = this.#inner.get();
    if (stored === undefined) return undefined;
    if (access.isExpired(stored)) {
      this.#inner.clear();
      return access.returnsExpired ? this.#aggregate.getResult(stored.value) : undefined;
    }
    if (access.renewsOnRead) this.#inner.add(RENEWAL);
    return this.#aggregate.getResult(stored.value);
  }

  add(value: In): void {
    this.#access.begin();
    this.#inner.add(value);
  }

  clear(): void {
    this.#inner.clear();
  }
}

/** I3. Its result is the stored form, so that the handle can judge it. */
function stampedAggregating(
  descriptor: AggregatingStateDescriptor<unknown, unknown, unknown>,
  access: Access,
  clock: ExpiryClock,
): AggregatingStateDescriptor<unknown, Stamped<unknown>, Stamped<unknown>> {
  return {
    kind: 'aggregating',
    name: descriptor.name,
    type: new StampedSerializer(descriptor.type, clock),
    createAccumulator: () => access.stamp(descriptor.createAccumulator()),
    add: (current, value) => {
      if (value === RENEWAL) return access.stamp(current.value);
      const alive = access.isExpired(current) ? descriptor.createAccumulator() : current.value;
      return access.stamp(descriptor.add(alive, value));
    },
    getResult: (stored) => stored,
    merge: (a, b) => access.stamp(descriptor.merge(a.value, b.value)),
  };
}

function expiryOf(kind: StateDescriptor['kind'], timeToLive: TimeToLive, clock: ExpiryClock): Expiry {
  const { ttlUs, filterFullSnapshots } = timeToLive;
  const isGone = (stored: Stamped<unknown>, nowUs: number): boolean => hasExpired(stored, ttlUs, nowUs);
  const shared = { filtersFullSnapshots: filterFullSnapshots, nowUs: () => clock.nowUs(), hasExpired: isGone };
  const left = <C>(whole: C, alive: C, was: number, is: number): C | undefined =>
    is === was ? whole : is === 0 ? undefined : alive;
  switch (kind) {
    case 'list':
      return {
        ...shared,
        unexpired: (stored, nowUs) => {
          const list = stored as readonly Stamped<unknown>[];
          const alive = list.filter((element) => !isGone(element, nowUs));
          return left(list, alive, list.length, alive.length);
        },
      };
    case 'map':
      return {
        ...shared,
        unexpired: (stored, nowUs) => {
          const map = stored as ReadonlyMap<StateKey, Stamped<unknown>>;
          const alive = new Map([...map].filter(([, value]) => !isGone(value, nowUs)));
          return left(map, alive, map.size, alive.size);
        },
      };
    default:
      return {
        ...shared,
        unexpired: (stored, nowUs) => (isGone(stored as Stamped<unknown>, nowUs) ? undefined : stored),
      };
  }
}
