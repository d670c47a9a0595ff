/**
 * From a wish to an id: which request is next, whether it may still be granted, and the id it gets (rows C1, C2, C8; Flink: the first
 * stages of CheckpointCoordinator.startTriggeringCheckpoint).
 *
 * Owns: the queue and the stage of triggering, which one request is in at a time. Does not own: checkpoints (the coordinator).
 * Invariant I1: a request is refused before an id is taken for it, or again when the id is there: then the id is burnt.
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import type { CheckpointIdCounter } from './checkpoint-id-counter.ts';
import type { CheckpointRequest } from './checkpoint-request.ts';
import { CheckpointRequestDecider, type RequestDecision, type RequestSituation } from './checkpoint-request-decider.ts';
import { probe } from '../protocol/probes.ts';

/** Why none can be triggered now (row C1). */
export type TriggerRefusal = Extract<
  CheckpointFailure,
  'checkpoint-coordinator-suspend' | 'periodic-scheduler-shutdown' | 'not-all-required-tasks-running'
>;

export interface RequestsHost {
  /** Changes with every start and stop: what was begun under another one is void (row C3). */
  generation(): number;
  situation(nowUs: Micros): Omit<RequestSituation, 'isTriggering'>;
  refusalOf(request: CheckpointRequest): TriggerRefusal | undefined;
  /** It failed before it was a checkpoint. */
  rejected(request: CheckpointRequest, reason: CheckpointFailure, nowUs: Micros, out: Out): void;
  rearm(nowUs: Micros, afterUs: number, out: Out): void;
  trigger(id: CheckpointId, request: CheckpointRequest, nowUs: Micros, out: Out): void;
}

export class CheckpointRequests {
  readonly #decider = new CheckpointRequestDecider();
  readonly #counter: CheckpointIdCounter;
  readonly #host: RequestsHost;
  /** An id is being taken, or operator coordinators are asked. */
  isTriggering = false;

  constructor(counter: CheckpointIdCounter, host: RequestsHost) {
    this.#counter = counter;
    this.#host = host;
  }

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

  rejectAll(reason: CheckpointFailure, nowUs: Micros, out: Out): void {
    for (const request of this.#decider.removeAll()) this.#host.rejected(request, reason, nowUs, out);
  }

  #situation(nowUs: Micros): RequestSituation {
    return { isTriggering: this.isTriggering, ...this.#host.situation(nowUs) };
  }

  #act({ rejected, rearmAfterUs, execute }: RequestDecision, nowUs: Micros, out: Out): void {
    if (rearmAfterUs !== undefined) {
      probe(out, 'trigger-held-back-by-minimum-pause');
      this.#host.rearm(nowUs, rearmAfterUs, out);
    }
    for (const { request, reason } of rejected) this.#host.rejected(request, reason, nowUs, out);
    if (execute !== undefined) this.#takeId(execute, nowUs, out);
  }

  #takeId(request: CheckpointRequest, nowUs: Micros, out: Out): void {
    const host = this.#host;
    const refusal = host.refusalOf(request);
    if (refusal !== undefined) {
      probe(out, `trigger-${refusal}`);
      return host.rejected(request, refusal, nowUs, out);
    }
    this.isTriggering = true;
    const generation = host.generation();
    this.#counter.take(out, (taken, takenUs, takenOut) => {
      this.isTriggering = false;
      const late = generation === host.generation() ? host.refusalOf(request) : 'checkpoint-coordinator-suspend';
      if (late !== undefined) probe(takenOut, 'trigger-after-job-stopped');
      const reason = late ?? (taken.kind === 'failed' ? 'io-exception' : undefined);
      if (reason !== undefined) host.rejected(request, reason, takenUs, takenOut);
      else host.trigger(taken.checkpointId, request, takenUs, takenOut);
      this.askAgain(takenUs, takenOut);
    });
  }
}
