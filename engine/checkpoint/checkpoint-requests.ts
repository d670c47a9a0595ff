/**
 * The way of a request to the id of its checkpoint (rows C1, C2, C8; Flink: CheckpointCoordinator.startTriggeringCheckpoint, its first half).
 *
 * Owns: requests that wait, the counter of ids, the clock of the minimum pause. Does not own: which request is next (the decider), what
 * stands in the way of one and what becomes of it with its id (the host).
 * Invariants:
 *   I1 an id is taken from the durable counter before anything is triggered with it (G7), one at a time;
 *   I2 what was asked before the job stopped or restarted is not triggered after it (row C3);
 *   I3 every request that is not triggered is rejected, once.
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import { CheckpointIdCounter } from './checkpoint-id-counter.ts';
import type { CheckpointRequest } from './checkpoint-request.ts';
import { CheckpointRequestDecider, type RequestDecision, type RequestSituation } from './checkpoint-request-decider.ts';

export interface RequestsHost {
  situation(): Pick<RequestSituation, 'isTriggering' | 'pending' | 'cleaning'>;
  /** Changes with every start and stop. */
  generation(): number;
  /** Why this one cannot be triggered now. */
  refusalOf(request: CheckpointRequest): CheckpointFailure | undefined;
  trigger(id: CheckpointId, request: CheckpointRequest, nowUs: Micros, out: Out): void;
  rejected(request: CheckpointRequest, reason: CheckpointFailure, nowUs: Micros, out: Out): void;
  /** The periodic timer is to fire after this time instead. */
  rearm(nowUs: Micros, afterUs: number, out: Out): void;
}

export interface CheckpointRequestsOptions {
  readonly jobId: string;
  readonly coordination: NamedRegisters;
  readonly configuration: EngineConfiguration;
  /** Last id ever used and the version of the counter that says so. */
  readonly counter: { readonly value: number; readonly version: number };
  readonly host: RequestsHost;
}

export class CheckpointRequests {
  readonly #options: CheckpointRequestsOptions;
  readonly #decider = new CheckpointRequestDecider();
  readonly #counter: CheckpointIdCounter;
  #isTakingId = false;
  #lastCompletedUs: number | undefined;

  constructor(options: CheckpointRequestsOptions) {
    const { jobId, coordination, configuration } = options;
    this.#options = options;
    this.#counter = new CheckpointIdCounter({
      jobId,
      coordination,
      requestTimeoutUs: configuration.runtime.requestTimeoutUs,
      firstId: configuration.checkpoint.firstId,
      last: options.counter,
    });
  }

  /** Last id that was taken. */
  get lastId(): number {
    return this.#counter.last;
  }

  /** How many wait. */
  get queued(): number {
    return this.#decider.queued;
  }

  add(request: CheckpointRequest, nowUs: Micros, out: Out): void {
    this.#act(this.#decider.choose(request, this.#situation(nowUs)), nowUs, out);
  }

  /** Completion, abort and deletion all serve a request that had to wait (A4 in bugs.md). */
  askAgain(nowUs: Micros, out: Out): void {
    this.#act(this.#decider.chooseQueued(this.#situation(nowUs)), nowUs, out);
  }

  /** A checkpoint or savepoint did: the minimum pause begins. */
  completed(nowUs: Micros): void {
    this.#lastCompletedUs = nowUs;
  }

  /** All that wait. */
  rejectAll(reason: CheckpointFailure, nowUs: Micros, out: Out): void {
    for (const request of this.#decider.removeAll()) this.#options.host.rejected(request, reason, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#counter.handleTimer(timer, nowUs, out);
  }

  #situation(nowUs: Micros): RequestSituation {
    const { host, configuration } = this.#options;
    const { minPauseUs, maxConcurrent } = configuration.checkpoint;
    const { isTriggering, pending, cleaning } = host.situation();
    return {
      nowUs,
      isTriggering: this.#isTakingId || isTriggering,
      pending,
      maxConcurrent,
      cleaning,
      minPauseUs,
      lastCompletedUs: this.#lastCompletedUs,
    };
  }

  #act({ rejected, rearmAfterUs, execute }: RequestDecision, nowUs: Micros, out: Out): void {
    const { host } = this.#options;
    if (rearmAfterUs !== undefined) host.rearm(nowUs, rearmAfterUs, out);
    for (const { request, reason } of rejected) host.rejected(request, reason, nowUs, out);
    if (execute !== undefined) this.#takeId(execute, nowUs, out);
  }

  #takeId(request: CheckpointRequest, nowUs: Micros, out: Out): void {
    const { host } = this.#options;
    const refusal = host.refusalOf(request);
    if (refusal !== undefined) {
      out.report({ kind: 'probe', probe: `trigger-${refusal}` });
      return host.rejected(request, refusal, nowUs, out);
    }
    this.#isTakingId = true;
    const generation = host.generation();
    this.#counter.take(out, (taken, takenUs, takenOut) => {
      this.#isTakingId = false;
      const late = generation === host.generation() ? host.refusalOf(request) : 'checkpoint-coordinator-suspend';
      if (late !== undefined) takenOut.report({ kind: 'probe', probe: 'trigger-after-job-stopped' });
      const reason = late ?? (taken.kind === 'failed' ? 'io-exception' : undefined);
      if (reason !== undefined) host.rejected(request, reason, takenUs, takenOut);
      else host.trigger(taken.checkpointId, request, takenUs, takenOut);
      this.askAgain(takenUs, takenOut);
    });
  }
}
