/**
 * No high availability: the one JobManager leads from its start, and what would have to outlive it lies in its memory (row F13; Flink:
 * StandaloneHaServices, StandaloneCompletedCheckpointStore, StandaloneCheckpointIDCounter).
 *
 * Owns: those values. Invariants: I1 a process that is not the first one of its node knows of no job: it leads nothing, for a job that
 * began anew would send everything twice; I2 answers come with a later input, as those of a service do.
 */
import { DelayedCalls } from '../clients/delayed-calls.ts';
import { type LeaderEpoch, leaderEpoch, type NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { HighAvailabilityServices, ServicesOptions } from './high-availability-services.ts';
import type { NamedRegisters, RegisterHandler, RegisterReply, RegisterWrite } from './named-registers.ts';
import { probe } from '../protocol/probes.ts';

const FIRST_EPOCH = leaderEpoch(1);

export class StandaloneServices implements HighAvailabilityServices {
  readonly registers: MemoryRegisters;
  readonly #options: ServicesOptions;
  #epoch: LeaderEpoch | undefined;

  constructor(options: ServicesOptions) {
    this.#options = options;
    this.registers = new MemoryRegisters(options.node);
  }

  get epoch(): LeaderEpoch | undefined {
    return this.#epoch;
  }

  start(nowUs: Micros, out: Out): void {
    const { incarnation, contender } = this.#options;
    if (incarnation > 1) return probe(out, 'job-lost-with-jobmanager');
    this.#epoch = FIRST_EPOCH;
    out.report({ kind: 'leadership-acquired', epoch: FIRST_EPOCH });
    contender.acquired(FIRST_EPOCH, nowUs, out);
  }

  checkLeadership(): void {
    /* Nobody can take it. */
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.registers.handleTimer(timer, nowUs, out);
  }

  handleMessage(_message: EngineMessage): boolean {
    return false;
  }
}

class MemoryRegisters implements NamedRegisters {
  readonly highestCount = Number.MAX_SAFE_INTEGER;
  readonly #node: NodeId;
  readonly #values = new Map<string, { readonly version: number; readonly value: string }>();
  readonly #later = new DelayedCalls();
  #calls = 0;

  constructor(node: NodeId) {
    this.#node = node;
  }

  read(name: string, out: Out, then: RegisterHandler): void {
    this.#answer({ outcome: 'done', ...this.#valueOf(name) }, out, then);
  }

  compareAndSet({ name, expectedVersion, value }: RegisterWrite, out: Out, then: RegisterHandler): void {
    const found = this.#valueOf(name);
    if (found.version !== expectedVersion) return this.#answer({ outcome: 'conflict', ...found }, out, then);
    const next = { version: expectedVersion + 1, value };
    this.#values.set(name, next);
    out.report({ kind: 'coordination-updated', key: name, ...next, by: this.#node });
    this.#answer({ outcome: 'done', ...next }, out, then);
  }

  remove(name: string, expectedVersion: number, out: Out, then: RegisterHandler): void {
    this.compareAndSet({ name, expectedVersion, value: '' }, out, then);
  }

  abandon(out: Out): void {
    this.#later.clear(out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #valueOf(name: string): { readonly version: number; readonly value: string } {
    return this.#values.get(name) ?? { version: 0, value: '' };
  }

  #answer(reply: RegisterReply, out: Out, then: RegisterHandler): void {
    this.#calls += 1;
    this.#later.after(0, `register/${this.#calls}`, out, (nowUs, lateOut) => then(reply, nowUs, lateOut));
  }
}
