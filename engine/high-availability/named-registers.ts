/**
 * Versioned values that outlive a JobManager: checkpoint pointer, id counter, job result (rows F16-F18). What a leader may do to them,
 * whichever service keeps them (Flink: StateHandleStore, CheckpointIDCounter and JobResultStore over ZooKeeper or ConfigMaps).
 *
 * Owns: the contract. Does not own: the names (protocol/checkpoint-pointer.ts), what a value means (whoever writes it).
 * Invariants every implementation keeps:
 *   I1 a version rises by one with each change and is 0 when there is no value; a value that was removed is '' of a higher version
 *      or absent;
 *   I2 `done` and `conflict` are facts; `unknown` means that the write may or may not have happened, or may still happen;
 *   I3 each call is answered once, or never after `abandon`;
 *   I4 a write that arrives after another leader was elected has no effect where the service can tell (ZooKeeper, Kubernetes); where it
 *      cannot, the version is what fences (lease store: the new leader moves the pointer before it acts).
 */
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';

export interface RegisterReply {
  readonly outcome: 'done' | 'conflict' | 'unknown';
  /** After `done` the new version, after `conflict` and a read the current one; 0: absent, or the outcome is `unknown`. */
  readonly version: number;
  /** Value that belongs to the version; empty when there is none. */
  readonly value: string;
}

export interface RegisterWrite {
  readonly name: string;
  /** 0 creates; `ANY_VERSION` overwrites. */
  readonly expectedVersion: number;
  readonly value: string;
}

export type RegisterHandler = (reply: RegisterReply, nowUs: Micros, out: Out) => void;

export interface NamedRegisters {
  /** Highest number a counter may hold (row C8: Curator's shared count is an int). */
  readonly highestCount: number;
  /** Never `conflict`. */
  read(name: string, out: Out, then: RegisterHandler): void;
  compareAndSet(write: RegisterWrite, out: Out, then: RegisterHandler): void;
  /** Leaves no value under the name, if the version is still the expected one. */
  remove(name: string, expectedVersion: number, out: Out, then: RegisterHandler): void;
  /** Forgets every open call. */
  abandon(out: Out): void;
}

export const UNKNOWN: RegisterReply = { outcome: 'unknown', version: 0, value: '' };

/** ZooKeeper's -1: a write that nothing fences. Only an engine with that bug asks for it. */
export const ANY_VERSION = -1;
