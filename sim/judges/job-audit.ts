/** What a job says about itself so that it can be judged without knowing it. */
import type { StateKey } from '../../engine/job/functions.ts';
import type { RecordValue } from '../../engine/protocol/stream-elements.ts';

/** Of jobs without `stateIsOrderInsensitive`: the end of a sentence on what was looked at. */
export const NOT_COMPARED = 'their state depends on the order in which records came, and is not compared';

/** What a counter showed, and when by the clock that decides. */
export interface CounterAccess {
  readonly key: StateKey;
  readonly count: number;
  readonly atMs: number;
  /** What it did before it showed the count; absent: it added one. */
  readonly does?: 'add' | 'read' | 'clear';
}

/** The window that an output value is a result of. Event time in milliseconds; its end does not belong to it. */
export interface ShownWindow {
  readonly key: StateKey;
  readonly startMs: number;
  readonly endMs: number;
}

/** An outside system that a master hook of the job tells of its checkpoints (rows C18, C25). */
export interface AuditedLedger {
  /** Of the hook. */
  readonly identifier: string;
  /** Where it lies in the coordination service. */
  readonly key: string;
  /** Whether it will have nothing to do with this checkpoint. */
  readonly refuses: (checkpointId: number) => boolean;
}

export interface JobAudit {
  /**
   * True when keyed state does not depend on the order in which records of different partitions arrive (counts, sums, maxima).
   * Then every completed checkpoint's state is compared, byte for byte, with the reference folded over the records before the cut.
   */
  readonly stateIsOrderInsensitive: boolean;
  /** `multiset`: the bag of output values does not depend on arrival order; `lineage`: only which records came out is compared. */
  readonly outputValues: 'multiset' | 'lineage';
  /**
   * What lists of operator state mean together, by operator uid and state name, where it is not their bag of elements: numbers by name.
   * How elements lie on subtasks must not matter.
   */
  readonly mergeOperatorState?: Readonly<
    Record<string, Readonly<Record<string, (elements: readonly unknown[]) => ReadonlyMap<string, number>>>>
  >;
  /**
   * Where the answer depends on the schedule (late records, windows of processing time): what an input record is, and which of them an output
   * value accounts for. Then output is right when every input record is accounted for exactly once, whatever the values.
   */
  readonly conserves?: {
    /** Undefined: output need not tell of it. */
    readonly input: (value: RecordValue) => string | undefined;
    readonly output: (value: RecordValue) => readonly string[];
    /**
     * Present where an output value is the result of a window of event time, or tells of late records. A window may then fire again: its
     * results take each other's place, and a record that is in several of them is accounted for once.
     */
    readonly windows?: {
      /** Its uid. */
      readonly operator: string;
      /** Undefined: what the value accounts for was late. */
      readonly of: (value: RecordValue) => ShownWindow | undefined;
    };
  };
  /**
   * Where entries expire by the wall clock (row S12): every output value tells of one access to a counter of its key, which begins at 1 and
   * begins anew when the last access is `ttlMs` old: the last that wrote, or with `renewsOnRead` also that only read. Then that rule is judged on what is visible, whatever the times were.
   */
  readonly expires?: {
    readonly ttlMs: number;
    readonly access: (value: RecordValue) => CounterAccess;
    readonly renewsOnRead?: boolean;
  };
  /**
   * Of a version of a job (row S24): what it makes of the content of a state that another version left. A new value; lists and maps as
   * arrays and Maps. Of operator state all elements of a list together, and the entries of a broadcast map as pairs.
   */
  readonly upgraded?: (left: {
    /** The version that left it. */
    readonly from: number;
    readonly operator: string;
    readonly state: string;
    readonly content: unknown;
  }) => unknown;
  /**
   * Of a version of a job: the versions, besides its own, whose state it can read. That of any other is refused (row S13). Absent: nobody
   * looks whether it is.
   */
  readonly readsStateOf?: readonly number[];
  /**
   * True when nothing behind an operator with state looks at what that operator has made of a record: it sends on what came. Then a record
   * may be left out on any exchange, and everything else is what it was (rows X26, F1).
   */
  readonly sendsOnWhatCame?: true;
  /** In the order of the job's hooks; absent: it has none that can be judged. */
  readonly ledgers?: readonly AuditedLedger[];
  /** Key of an output value, for the order per key; absent: order is not judged. */
  readonly outputKey?: (value: RecordValue) => StateKey;
}

/** A loaded input: values and event times by position. */
export interface Dataset {
  readonly name: string;
  readonly values: readonly RecordValue[];
  readonly timestampsUs: readonly number[];
}
