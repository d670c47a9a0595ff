/**
 * The job's resource requirements as the coordination store has them (FLIP-291; Flink: JobGraphWriter.putJobResourceRequirements): what a
 * client asked of one leader binds the next one too.
 *
 * Owns: the value's last known content and version, and the writes. Does not own: what follows from it (job-scaling).
 * Invariants:
 *   I1 nobody is told that a change was accepted before it is durable;
 *   I2 a leader takes the value under its epoch before it acts on it, so that a leader that was replaced cannot change it any more;
 *   I3 an unanswered write is repeated or read back until it is known (row F17);
 *   I4 `highestParallelism` never falls: it bounds the producer ids that any deployment may have used (row K10).
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import { assert } from '../foundation/assert.ts';
import type { LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters, RegisterHandler, RegisterReply } from '../high-availability/named-registers.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import {
  decodeRequirements,
  encodeRequirements,
  requirementsKey,
  type ResourceRequirements,
  type StoredRequirements,
} from '../protocol/job-scale.ts';

type Then = (nowUs: Micros, out: Out) => void;

export interface RequirementsStoreOptions {
  readonly jobId: string;
  readonly epoch: LeaderEpoch;
  /** What the job starts with when nothing was ever asked. */
  readonly initial: ResourceRequirements;
  readonly registers: NamedRegisters;
  readonly retryUs: number;
  readonly lateRescale: EngineParts['lateRescale'];
  /** The requirements are known and ours. */
  readonly claimed: Then;
  /** A newer leader was there first. */
  readonly superseded: Then;
}

interface Change {
  readonly wanted: (before: StoredRequirements) => StoredRequirements;
  readonly then: Then;
}

export class RequirementsStore {
  readonly #options: RequirementsStoreOptions;
  readonly #later = new DelayedCalls();
  readonly #changes: Change[] = [];
  #current: StoredRequirements | undefined;
  #version = 0;

  constructor(options: RequirementsStoreOptions) {
    this.#options = options;
  }

  /** Undefined until they are claimed. */
  get current(): StoredRequirements | undefined {
    return this.#current;
  }

  claim(out: Out): void {
    const { registers, jobId, superseded, epoch } = this.#options;
    registers.read(requirementsKey(jobId), out, (reply, nowUs, replyOut) => {
      if (reply.outcome !== 'done') return this.#again(replyOut, (lateOut) => this.claim(lateOut));
      const found = this.#found(reply);
      if (found.epoch > epoch) return superseded(nowUs, replyOut);
      if (reply.value !== '' && found.epoch === epoch) return this.#claimed(found, reply.version, nowUs, replyOut);
      const ours = { ...found, epoch };
      this.#write(ours, reply.version, replyOut, (written, writtenUs, writtenOut) => {
        if (written.outcome === 'done') return this.#claimed(ours, written.version, writtenUs, writtenOut);
        this.#again(writtenOut, (lateOut) => this.claim(lateOut));
      });
    });
  }

  /** A request numbered at or below one that was obeyed changes nothing. `then` is called when the outcome is durable. */
  change(request: number, requirements: ResourceRequirements, out: Out, then: Then): void {
    const wanted = (before: StoredRequirements): StoredRequirements => {
      if (request <= before.request && this.#options.lateRescale === 'ignored') return before;
      const highestParallelism = Math.max(before.highestParallelism, requirements.upper);
      return { ...before, ...requirements, request, highestParallelism };
    };
    this.#changes.push({ wanted, then });
    if (this.#changes.length === 1 && this.#current !== undefined) this.#changeNext(out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #found(reply: RegisterReply): StoredRequirements {
    if (reply.value !== '') return decodeRequirements(reply.value);
    const { initial, epoch } = this.#options;
    return { ...initial, epoch, highestParallelism: initial.upper, request: 0 };
  }

  #claimed(requirements: StoredRequirements, version: number, nowUs: Micros, out: Out): void {
    this.#current = requirements;
    this.#version = version;
    this.#options.claimed(nowUs, out);
    if (this.#changes.length > 0) this.#changeNext(out);
  }

  #changeNext(out: Out): void {
    const change = this.#changes[0];
    const before = this.#current;
    assert(change !== undefined && before !== undefined, 'requirements are changed when they are known');
    const wanted = change.wanted(before);
    this.#write(wanted, this.#version, out, (reply, nowUs, replyOut) => {
      if (reply.outcome === 'done') return this.#changed(wanted, reply.version, nowUs, replyOut);
      if (reply.outcome === 'conflict') {
        const found = this.#found(reply);
        if (found.epoch > this.#options.epoch) return this.#options.superseded(nowUs, replyOut);
        if (found.request === wanted.request) return this.#changed(found, reply.version, nowUs, replyOut);
        this.#version = reply.version;
      }
      this.#again(replyOut, (lateOut) => this.#changeNext(lateOut));
    });
  }

  #changed(requirements: StoredRequirements, version: number, nowUs: Micros, out: Out): void {
    this.#current = requirements;
    this.#version = version;
    this.#changes.shift()?.then(nowUs, out);
    if (this.#changes.length > 0) this.#changeNext(out);
  }

  #write(requirements: StoredRequirements, expectedVersion: number, out: Out, then: RegisterHandler): void {
    const { registers, jobId } = this.#options;
    const value = encodeRequirements(requirements);
    registers.compareAndSet({ name: requirementsKey(jobId), expectedVersion, value }, out, then);
  }

  #again(out: Out, again: (out: Out) => void): void {
    this.#later.after(this.#options.retryUs, 'requirements', out, (_nowUs, lateOut) => again(lateOut));
  }
}
