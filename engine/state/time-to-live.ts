/**
 * How long an entry of keyed state lives, and the form in which it is stored (row S12; Flink: StateTtlConfig, TtlValue,
 * TtlStateFactory.TtlSerializer, TtlAwareSerializer).
 *
 * Owns the settings of a state, the rule of expiry, and the stored form: the wall-clock time of the last access, then the value. Does not
 * own: what the kinds do with it (expiring-states.ts), when a backend looks for what has expired (each backend).
 *
 * I1: the time lies in the snapshot, the setting does not: a restored entry expires by the setting of the job that restores it;
 * I2: the description of the stored form says that there is a time, so turning it on or off is a migration; turned on, what was there
 *     counts as accessed when it is read;
 * I3: whether an entry has expired depends on its time and the present one alone, and an expired entry stays so until it is written.
 */
import { assert } from '../foundation/assert.ts';
import type { ByteReader } from '../foundation/byte-reader.ts';
import type { ByteWriter } from '../foundation/byte-writer.ts';
import { INCOMPATIBLE, readerOf, resolveComposite, resolveSchema, STAMPED } from './schema-compatibility.ts';
import { Types } from './type-information.ts';
import type { SchemaCompatibility, SerializerSnapshot, TypeSerializer } from './type-serializer.ts';

/** Qualified once, when a state is declared (`withTimeToLive`). */
export interface TimeToLive {
  readonly ttlUs: number;
  /** What renews an entry. */
  readonly updateType: 'on-create-and-write' | 'on-read-and-write';
  /** Whether an expired entry that is still there is given out, once. */
  readonly visibility: 'never-return-expired' | 'return-expired-if-not-cleaned-up';
  /** Entries looked at with each access, where the backend keeps objects; 0: none. */
  readonly cleanupEntries: number;
  /** Whether full snapshots leave out what has expired. */
  readonly filterFullSnapshots: boolean;
}

export interface TimeToLiveOptions extends Partial<Omit<TimeToLive, 'ttlUs'>> {
  /** Milliseconds of the node's wall clock. */
  readonly ttlMs: number;
}

/** What any keyed state may have (row S12). */
export interface MayExpire {
  /** Absent: entries live until they are cleared. Set by `withTimeToLive`. */
  readonly timeToLive?: TimeToLive;
  /** How a backend finds what has expired in the stored form; set where a state is bound, never by a job. */
  readonly expiry?: Expiry;
}

/** Flink: StateTtlConfig.IncrementalCleanupStrategy, 5 entries. */
const CLEANUP_ENTRIES = 5;

/** The same state, whose entries expire: single elements of a list, single entries of a map, the whole of the other kinds. */
export function withTimeToLive<D extends MayExpire & { readonly name: string }>(
  descriptor: D,
  options: TimeToLiveOptions,
): D {
  const { ttlMs, ...rest } = options;
  assert(ttlMs > 0, 'a time to live is positive', { state: descriptor.name, ttlMs });
  const timeToLive: TimeToLive = {
    ttlUs: Math.round(ttlMs * 1_000),
    updateType: 'on-create-and-write',
    visibility: 'never-return-expired',
    cleanupEntries: CLEANUP_ENTRIES,
    filterFullSnapshots: false,
    ...rest,
  };
  return { ...descriptor, timeToLive };
}

/** The clock that entries are judged by. */
export interface ExpiryClock {
  /** The node's wall clock; stands still during a mailbox action, so that all of it sees the same entries. */
  nowUs(): number;
  /** The time of last access of an entry that was read from a file. */
  restoredUs(writtenUs: number): number;
}

/** Shows the start of time, where nothing expires. */
export const STOPPED_CLOCK: ExpiryClock = { nowUs: () => 0, restoredUs: (writtenUs) => writtenUs };

/** What is stored; never changed, only replaced. Its value may be changed in place, as that of any state. */
export interface Stamped<T> {
  readonly accessedUs: number;
  readonly value: T;
}

/** Flink: TtlUtils.expired. */
export const hasExpired = ({ accessedUs }: Stamped<unknown>, ttlUs: number, nowUs: number): boolean =>
  accessedUs + ttlUs <= nowUs;

/** What a backend must know to drop what has expired. */
export interface Expiry {
  readonly filtersFullSnapshots: boolean;
  nowUs(): number;
  /** What is left of a stored value: itself, a new one, or undefined. Never changes it. */
  unexpired(stored: unknown, nowUs: number): unknown;
  /** Whether one row has expired, where a backend stores map entries apart. */
  hasExpired(stored: Stamped<unknown>, nowUs: number): boolean;
}

export class StampedSerializer<T> implements TypeSerializer<Stamped<T>> {
  readonly snapshot: SerializerSnapshot;
  readonly immutable: boolean;
  readonly #inner: TypeSerializer<T>;
  readonly #clock: ExpiryClock;

  constructor(inner: TypeSerializer<T>, clock: ExpiryClock) {
    this.#inner = inner;
    this.#clock = clock;
    this.immutable = inner.immutable;
    const fields = [
      { name: 'accessed', serializer: Types.int.snapshot },
      { name: 'value', serializer: inner.snapshot },
    ];
    this.snapshot = { name: STAMPED, version: 1, fields };
  }

  serialize({ accessedUs, value }: Stamped<T>, out: ByteWriter): void {
    out.writeVarInt(accessedUs);
    this.#inner.serialize(value, out);
  }

  deserialize(input: ByteReader): Stamped<T> {
    const accessedUs = this.#clock.restoredUs(input.readVarInt());
    return { accessedUs, value: this.#inner.deserialize(input) };
  }

  copy({ accessedUs, value }: Stamped<T>): Stamped<T> {
    return { accessedUs, value: this.#inner.copy(value) };
  }

  /** I2. */
  resolveSchema(written: SerializerSnapshot): SchemaCompatibility<Stamped<T>> {
    if (written.name !== STAMPED) {
      const found = resolveSchema(this.#inner, written);
      if (found.kind === 'incompatible') return INCOMPATIBLE;
      const read = readerOf(this.#inner, found);
      return {
        kind: 'compatible-after-migration',
        read: (input) => ({ accessedUs: this.#clock.nowUs(), value: read(input) }),
      };
    }
    return resolveComposite<Stamped<T>>({
      parts: [Types.int, this.#inner],
      written: [written.fields?.[0]?.serializer, written.fields?.[1]?.serializer],
      rebuilt: ([, inner]) => new StampedSerializer(inner as TypeSerializer<T>, this.#clock),
      read: (input, [, read]) => {
        const accessedUs = this.#clock.restoredUs(input.readVarInt());
        return { accessedUs, value: read?.(input) as T };
      },
    });
  }
}
