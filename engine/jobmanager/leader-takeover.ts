/**
 * What a new leader must do before it may act: take the checkpoint pointer under its epoch, so that the pointer writes of every
 * earlier leader fail, read the id counter, and read the metadata of all retained checkpoints (rows C8, C19, F16, F17; B3, B6 in
 * bugs.md). A job whose result is there already is not run again (row F18).
 *
 * Every request is repeated until answered; an unanswered write is read back.
 */
import { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import { DelayedCalls } from '../clients/delayed-calls.ts';
import type { LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters, RegisterReply } from '../high-availability/named-registers.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import {
  type CheckpointPointer,
  counterKey,
  decodePointer,
  encodePointer,
  pointerKey,
} from '../protocol/checkpoint-pointer.ts';
import type { CheckpointMetadata } from '../protocol/metadata-file.ts';
import { RetainedMetadata } from './retained-metadata.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { probe } from '../protocol/probes.ts';

export interface TakeoverOptions {
  readonly jobId: string;
  readonly epoch: LeaderEpoch;
  readonly retained: number;
  /** What a counter begins with that was never written. */
  readonly firstId: number;
  readonly retryUs: number;
  readonly parts: EngineParts;
  readonly coordination: NamedRegisters;
  readonly storage: CheckpointStorage;
  readonly done: (
    store: CompletedCheckpointStore,
    counter: { readonly value: number; readonly version: number },
    nowUs: Micros,
    out: Out,
  ) => void;
  /** A newer leader was there first. */
  readonly superseded: (nowUs: Micros, out: Out) => void;
}

export class LeaderTakeover {
  readonly #options: TakeoverOptions;
  readonly #later = new DelayedCalls();
  readonly #metadata: RetainedMetadata;

  constructor(options: TakeoverOptions) {
    this.#options = options;
    this.#metadata = new RetainedMetadata(options);
  }

  start(out: Out): void {
    this.#read(pointerKey(this.#options.jobId), out, (reply, nowUs, replyOut) => this.#claim(reply, nowUs, replyOut));
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out) || this.#metadata.handleTimer(timer, nowUs, out);
  }

  #claim(found: RegisterReply, nowUs: Micros, out: Out): void {
    const { epoch, coordination, jobId } = this.#options;
    const before: CheckpointPointer = found.value === '' ? { epoch, completed: [] } : decodePointer(found.value);
    if (before.epoch > epoch) {
      probe(out, 'takeover-superseded');
      return this.#options.superseded(nowUs, out);
    }
    if (found.value !== '' && before.epoch === epoch) return this.#readCounter(before, found.version, out);
    const pointer = { ...before, epoch };
    const write = { name: pointerKey(jobId), expectedVersion: found.version, value: encodePointer(pointer) };
    coordination.compareAndSet(write, out, (reply, _nowUs, replyOut) => {
      if (reply.outcome === 'done') return this.#readCounter(pointer, reply.version, replyOut);
      this.#later.after(this.#options.retryUs, 'takeover', replyOut, (_lateUs, lateOut) => this.start(lateOut));
    });
  }

  #readCounter(pointer: CheckpointPointer, version: number, out: Out): void {
    this.#read(counterKey(this.#options.jobId), out, (reply, nowUs, replyOut) => {
      const taken = reply.value === '' ? this.#options.firstId - 1 : Number(reply.value);
      const newest = pointer.completed.at(-1)?.id;
      const value = this.#options.parts.firstIdOfLeader === 'after-last-taken' ? taken : (newest ?? taken);
      const counter = { value, version: reply.version };
      this.#metadata.readAll(pointer.completed, nowUs, replyOut, (metadata, readUs, readOut) => {
        const store = this.#storeOf(pointer, version, metadata);
        this.#options.done(store, counter, readUs, readOut);
      });
    });
  }

  #storeOf(
    pointer: CheckpointPointer,
    version: number,
    metadata: readonly CheckpointMetadata[],
  ): CompletedCheckpointStore {
    const read = new Set(metadata.map(({ checkpointId }) => checkpointId));
    const completed = pointer.completed.filter(({ id }) => read.has(id));
    const { retained, parts } = this.#options;
    const store = new CompletedCheckpointStore(retained, { ...pointer, completed }, version, parts);
    for (const one of metadata) store.remember(one);
    return store;
  }

  #read(name: string, out: Out, then: (reply: RegisterReply, nowUs: Micros, out: Out) => void): void {
    this.#options.coordination.read(name, out, (reply, nowUs, replyOut) => {
      if (reply.outcome === 'done') return then(reply, nowUs, replyOut);
      this.#later.after(this.#options.retryUs, 'takeover', replyOut, (_lateUs, lateOut) =>
        this.#read(name, lateOut, then),
      );
    });
  }
}
