/**
 * The life of checkpoints: request, id, trigger, acknowledge, store, complete or abort, notify (rows C1, C3, C4, C8-C16, C20,
 * C29; Flink: CheckpointCoordinator, which is one large class; here deciders, pending checkpoint, store and cleaner are apart).
 *
 * Owns: pending checkpoints and the periodic scheduler of one leader. Does not own: executions (the host), files (the cleaner).
 * Invariants:
 *   I1 an id is taken from the durable counter before anything is triggered with it (G7);
 *   I2 complete = every acknowledgement of this attempt, then durable metadata, then durable pointer, then notification (G1);
 *   I3 while the pointer write is unanswered the checkpoint is neither completed nor discarded (row F17);
 *   I4 every checkpoint that was triggered ends once: completed or aborted.
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { RequestClient } from '../clients/request-client.ts';
import { assert } from '../foundation/assert.ts';
import { crc32c } from '../foundation/crc32c.ts';
import { type CheckpointId, checkpointId, type ExecutionAttemptId, type LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import { checkpointDirectory, type EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import {
  type CheckpointPointer,
  counterKey,
  decodePointer,
  encodePointer,
  pointerKey,
} from '../protocol/checkpoint-pointer.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type {
  AcknowledgeCheckpoint,
  CoordinationReply,
  DeclineCheckpoint,
  EngineMessage,
  StorageReply,
} from '../protocol/messages.ts';
import { encodeMetadata } from '../protocol/metadata-file.ts';
import { CheckpointCleaner } from './checkpoint-cleaner.ts';
import { CheckpointFailureManager } from './checkpoint-failure-manager.ts';
import { decideRequest } from './checkpoint-request-decider.ts';
import type { CompletedCheckpointStore } from './completed-checkpoint-store.ts';
import { PendingCheckpoint, type SubtaskOfAttempt } from './pending-checkpoint.ts';

/** A subtask of the running job, as far as checkpoints care. */
export interface CheckpointedSubtask extends SubtaskOfAttempt {
  readonly isSource: boolean;
  readonly isRunning: boolean;
}

export interface CoordinatorHost {
  readonly jobAttempt: number;
  subtasks(): readonly CheckpointedSubtask[];
  /** Any attempt this leader ever deployed. */
  subtaskOf(attempt: ExecutionAttemptId): SubtaskOfAttempt | undefined;
  sendToTask(attempt: ExecutionAttemptId, message: EngineMessage, out: Out): void;
  tooManyFailures(nowUs: Micros, out: Out): void;
  /** Another leader moved the pointer. */
  superseded(nowUs: Micros, out: Out): void;
  /** No pointer write is unanswered any more. */
  settled(nowUs: Micros, out: Out): void;
}

export interface CoordinatorOptions {
  readonly jobId: string;
  readonly epoch: LeaderEpoch;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  readonly host: CoordinatorHost;
  readonly storage: RequestClient<StorageReply>;
  readonly coordination: RequestClient<CoordinationReply>;
  readonly store: CompletedCheckpointStore;
  /** Last id ever used and the version of the counter that says so. */
  readonly counter: { readonly value: number; readonly version: number };
}

const TRIGGER = 'checkpoint-trigger';
/** Flink: recentExpiredCheckpoints. */
const EXPIRED_REMEMBERED = 16;

export class CheckpointCoordinator {
  readonly #options: CoordinatorOptions;
  readonly #pending = new Map<CheckpointId, PendingCheckpoint>();
  readonly #failures: CheckpointFailureManager;
  readonly #cleaner: CheckpointCleaner;
  readonly #later = new DelayedCalls();
  #expired: CheckpointId[] = [];
  #counter: { value: number; version: number };
  #nextTriggerUs = 0;
  #lastCompletedUs: number | undefined;
  /** Changes with every start and stop: what was begun under another one is void (row C3). */
  #generation = 0;
  #isActive = false;
  #triggering = false;
  #postponed = false;
  #startedBefore = false;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#counter = { ...options.counter };
    this.#failures = new CheckpointFailureManager(options.configuration.checkpoint.tolerableFailures);
    const root = `${options.configuration.checkpoint.directory}/${options.jobId}/`;
    this.#cleaner = new CheckpointCleaner(options.storage, root, (nowUs, out) => this.#askAgain(nowUs, out));
  }

  /** False while a pointer write is unanswered: then it is not known what the newest checkpoint is. */
  get isSettled(): boolean {
    for (const pending of this.#pending.values()) if (pending.phase === 'storing-pointer') return false;
    return true;
  }

  /** Row C4: all subtasks run. First trigger after the interval, after a restart after min-pause (row C3, without the random part). */
  start(nowUs: Micros, out: Out): void {
    const { intervalUs, minPauseUs } = this.#options.configuration.checkpoint;
    if (intervalUs === 0) return;
    this.#generation += 1;
    this.#isActive = true;
    this.#postponed = false;
    this.#nextTriggerUs = nowUs + (this.#startedBefore ? minPauseUs : intervalUs);
    this.#startedBefore = true;
    this.#armTrigger(nowUs, out);
  }

  /** Row C20: the job leaves RUNNING. Only a checkpoint whose pointer write is unanswered lives on until that is known. */
  stop(reason: CheckpointFailure, nowUs: Micros, out: Out): void {
    this.#generation += 1;
    this.#isActive = false;
    this.#postponed = false;
    this.#later.cancel(TRIGGER, out);
    this.#later.cancel('min-pause', out);
    if (this.#options.parts.pendingAtRestart === 'keep') return;
    for (const pending of [...this.#pending.values()]) {
      if (pending.phase !== 'storing-pointer') this.#abort(pending, reason, nowUs, out);
    }
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  acknowledge(message: AcknowledgeCheckpoint, nowUs: Micros, out: Out): void {
    const { host, parts } = this.#options;
    const pending = this.#pending.get(message.checkpointId);
    const result = pending?.acknowledge(message, host.subtaskOf(message.attempt), nowUs) ?? 'unknown';
    out.report({ kind: 'acknowledge-received', checkpointId: message.checkpointId, attempt: message.attempt, result });
    if (pending === undefined) {
      if (this.#expired.includes(message.checkpointId)) out.report({ kind: 'probe', probe: 'late-acknowledgement' });
      return;
    }
    if (result !== 'success' || !pending.isFullyAcknowledged) return;
    out.report({ kind: 'all-acknowledged', checkpointId: pending.checkpointId });
    if (parts.notifyComplete === 'when-acknowledged') this.#notifyComplete(pending, out);
    pending.phase = 'writing-metadata';
    this.#writeMetadata(pending, out);
  }

  decline(message: DeclineCheckpoint, nowUs: Micros, out: Out): void {
    const { checkpointId: id, attempt, reason } = message;
    out.report({ kind: 'decline-received', checkpointId: id, attempt, reason });
    const pending = this.#pending.get(id);
    if (pending === undefined || pending.phase !== 'collecting' || !pending.required.includes(attempt)) return;
    this.#abort(pending, reason, nowUs, out);
  }

  /* ---- request and trigger ---- */

  #armTrigger(nowUs: Micros, out: Out): void {
    this.#later.after(Math.max(0, this.#nextTriggerUs - nowUs), TRIGGER, out, (firedUs, firedOut) => {
      const { intervalUs } = this.#options.configuration.checkpoint;
      this.#nextTriggerUs = Math.max(this.#nextTriggerUs + intervalUs, firedUs);
      this.#armTrigger(firedUs, firedOut);
      this.#request(firedUs, firedOut);
    });
  }

  #request(nowUs: Micros, out: Out): void {
    if (!this.#isActive) return;
    if (this.#triggering) {
      this.#postponed = true;
      return;
    }
    const { minPauseUs, maxConcurrent } = this.#options.configuration.checkpoint;
    const decision = decideRequest({
      nowUs,
      minPauseUs,
      lastCompletedUs: this.#lastCompletedUs,
      pending: this.#pending.size,
      maxConcurrent,
      cleaning: this.#cleaner.cleaning,
    });
    this.#postponed = decision.kind === 'postpone';
    if (decision.kind === 'wait') {
      this.#later.after(decision.afterUs, 'min-pause', out, (lateUs, lateOut) => this.#request(lateUs, lateOut));
    }
    if (decision.kind === 'trigger') this.#takeId(out);
  }

  /** Row C8. An unanswered write may have burnt the id: the counter is read again before the next try. */
  #takeId(out: Out): void {
    this.#triggering = true;
    const generation = this.#generation;
    const id = checkpointId(this.#counter.value + 1);
    const { coordination, jobId } = this.#options;
    const key = counterKey(jobId);
    coordination.request(
      (requestId) => ({
        kind: 'coordination-compare-and-set',
        requestId,
        key,
        expectedVersion: this.#counter.version,
        value: String(id),
      }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.outcome !== 'done') return this.#readCounter(id, generation, replyOut);
        this.#counter = { value: id, version: reply.version };
        this.#triggering = false;
        this.#trigger(id, generation, nowUs, replyOut);
      },
    );
  }

  #readCounter(failedId: CheckpointId, generation: number, out: Out): void {
    const { coordination, jobId } = this.#options;
    const key = counterKey(jobId);
    coordination.request(
      (requestId) => ({ kind: 'coordination-get', requestId, key }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.outcome !== 'done') {
          this.#later.after(this.#retryUs(), 'counter', replyOut, (_at, lateOut) =>
            this.#readCounter(failedId, generation, lateOut),
          );
          return;
        }
        this.#counter = { value: Number(reply.value === '' ? 0 : reply.value), version: reply.version };
        this.#triggering = false;
        if (generation !== this.#generation) return;
        if (this.#failures.failed(failedId, 'io-exception')) this.#options.host.tooManyFailures(nowUs, replyOut);
        else this.#askAgain(nowUs, replyOut);
      },
    );
  }

  #trigger(id: CheckpointId, generation: number, nowUs: Micros, out: Out): void {
    const { host, epoch, configuration, parts } = this.#options;
    const subtasks = host.subtasks();
    if (generation !== this.#generation || !this.#isActive || subtasks.some(({ isRunning }) => !isRunning)) {
      out.report({ kind: 'probe', probe: 'trigger-after-job-stopped' });
      return;
    }
    const pending = new PendingCheckpoint({
      checkpointId: id,
      triggeredAtUs: nowUs,
      subtasks,
      accepts: parts.acceptsAcknowledgement,
    });
    this.#pending.set(id, pending);
    this.#later.after(configuration.checkpoint.timeoutUs, `expire/${id}`, out, (lateUs, lateOut) =>
      this.#expire(pending, lateUs, lateOut),
    );
    out.report({
      kind: 'checkpoint-triggered',
      checkpointId: id,
      epoch,
      jobAttempt: host.jobAttempt,
      tasks: pending.required,
    });
    for (const { attempt, isSource } of subtasks) {
      if (isSource)
        host.sendToTask(
          attempt,
          { kind: 'trigger-checkpoint', epoch, attempt, checkpointId: id, triggeredAtUs: nowUs },
          out,
        );
    }
  }

  /** Row C29. */
  #expire(pending: PendingCheckpoint, nowUs: Micros, out: Out): void {
    if (this.#pending.get(pending.checkpointId) !== pending || pending.phase === 'storing-pointer') return;
    this.#expired = [...this.#expired, pending.checkpointId].slice(-EXPIRED_REMEMBERED);
    this.#abort(pending, 'checkpoint-expired', nowUs, out);
  }

  /* ---- finalize ---- */

  /** An unanswered write is repeated: under NO_OVERWRITE the first one is found by its checksum. */
  #writeMetadata(pending: PendingCheckpoint, out: Out): void {
    const { configuration, jobId, storage } = this.#options;
    const id = pending.checkpointId;
    const path = `${checkpointDirectory(configuration.checkpoint.directory, jobId, id)}/_metadata`;
    const metadata = { checkpointId: id, jobId, triggeredAtUs: pending.triggeredAtUs, states: pending.states() };
    const bytes = encodeMetadata(metadata);
    const checksum = crc32c(bytes);
    out.report({ kind: 'metadata-write-sent', checkpointId: id, path });
    out.busy('byte', bytes.length);
    storage.request(
      (requestId) => ({ kind: 'storage-put', requestId, path, bytes, overwrite: false }),
      out,
      (reply, nowUs, replyOut) => {
        if (this.#pending.get(id) !== pending) return;
        if (reply?.outcome === 'done' || (reply?.outcome === 'already-exists' && reply.checksum === checksum)) {
          this.#options.store.remember(metadata);
          pending.phase = 'storing-pointer';
          this.#later.cancel(`expire/${id}`, replyOut);
          return this.#storePointer(pending, { path, metadataBytes: bytes.length }, replyOut);
        }
        if (reply?.outcome === 'already-exists')
          return this.#abort(pending, 'finalize-checkpoint-failure', nowUs, replyOut);
        this.#later.after(this.#retryUs(), `metadata/${id}`, replyOut, (_lateUs, lateOut) => {
          if (this.#pending.get(id) === pending) this.#writeMetadata(pending, lateOut);
        });
      },
    );
  }

  #storePointer(pending: PendingCheckpoint, file: { path: string; metadataBytes: number }, out: Out): void {
    const { store, epoch, coordination, jobId, parts, host } = this.#options;
    const id = pending.checkpointId;
    const pointer = store.pointerWith({ id, metadata: file.path }, epoch);
    const expectedVersion = store.version;
    const key = pointerKey(jobId);
    out.report({ kind: 'pointer-write-sent', checkpointId: id });
    coordination.request(
      (requestId) => ({
        kind: 'coordination-compare-and-set',
        requestId,
        key,
        expectedVersion,
        value: encodePointer(pointer),
      }),
      out,
      (reply, nowUs, replyOut) => {
        if (reply?.outcome === 'done')
          return this.#complete(pending, { pointer, version: reply.version, ...file }, nowUs, replyOut);
        if (reply?.outcome === 'conflict') {
          if (isOurs(reply, pointer)) {
            replyOut.report({ kind: 'probe', probe: 'pointer-write-found-done' });
            return this.#complete(pending, { pointer, version: reply.version, ...file }, nowUs, replyOut);
          }
          return host.superseded(nowUs, replyOut);
        }
        if (reply === undefined && parts.unknownPointerWrite === 'failure') {
          return this.#abort(pending, 'finalize-checkpoint-failure', nowUs, replyOut);
        }
        replyOut.report({ kind: 'probe', probe: 'pointer-write-unknown' });
        this.#later.after(this.#retryUs(), `pointer/${id}`, replyOut, (_lateUs, lateOut) =>
          this.#storePointer(pending, file, lateOut),
        );
      },
    );
  }

  /** Row C12. */
  #complete(
    pending: PendingCheckpoint,
    stored: { pointer: CheckpointPointer; version: number; metadataBytes: number },
    nowUs: Micros,
    out: Out,
  ): void {
    const { store, epoch, host, parts } = this.#options;
    const id = pending.checkpointId;
    assert(this.#pending.get(id) === pending, 'a checkpoint completes once', { id });
    const dropped = store.stored(stored.pointer, stored.version);
    this.#failures.succeeded(id);
    this.#lastCompletedUs = nowUs;
    this.#pending.delete(id);
    out.report({
      kind: 'checkpoint-completed',
      checkpointId: id,
      epoch,
      triggeredAtUs: pending.triggeredAtUs,
      stateBytes: pending.stateBytes,
      metadataBytes: stored.metadataBytes,
      endToEndUs: pending.lastAcknowledgedUs - pending.triggeredAtUs,
    });
    for (const checkpoint of dropped) out.report({ kind: 'checkpoint-subsumed', checkpointId: checkpoint.id });
    if (parts.notifyComplete === 'when-durable') this.#notifyComplete(pending, out);
    this.#cleaner.sweep(stored.pointer, out);
    if (!this.#isActive) host.settled(nowUs, out);
    this.#askAgain(nowUs, out);
  }

  #notifyComplete(pending: PendingCheckpoint, out: Out): void {
    const { host, epoch } = this.#options;
    const id = pending.checkpointId;
    out.report({ kind: 'notify-complete-sent', checkpointId: id, epoch });
    for (const attempt of pending.required) {
      host.sendToTask(attempt, { kind: 'notify-checkpoint-complete', epoch, attempt, checkpointId: id }, out);
    }
  }

  #abort(pending: PendingCheckpoint, reason: CheckpointFailure, nowUs: Micros, out: Out): void {
    const { host, epoch } = this.#options;
    const id = pending.checkpointId;
    this.#pending.delete(id);
    this.#later.cancel(`expire/${id}`, out);
    this.#later.cancel(`metadata/${id}`, out);
    out.report({
      kind: 'checkpoint-aborted',
      checkpointId: id,
      epoch,
      triggeredAtUs: pending.triggeredAtUs,
      reason,
      acknowledged: pending.acknowledged,
      required: pending.required.length,
    });
    this.#cleaner.discard(id, out);
    if (this.#isActive) {
      for (const attempt of pending.required) {
        host.sendToTask(attempt, { kind: 'notify-checkpoint-aborted', epoch, attempt, checkpointId: id }, out);
      }
    }
    if (this.#failures.failed(id, reason)) host.tooManyFailures(nowUs, out);
    else this.#askAgain(nowUs, out);
  }

  /** The abort and completion paths both serve a request that had to wait (A4 in bugs.md). */
  #askAgain(nowUs: Micros, out: Out): void {
    if (this.#postponed) this.#request(nowUs, out);
  }

  #retryUs(): number {
    return retryDelayUs(this.#options.configuration.runtime.requestTimeoutUs);
  }
}

/** The stored pointer is the one we meant to write: an earlier try took effect. */
function isOurs(reply: CoordinationReply, pointer: CheckpointPointer): boolean {
  if (reply.value === '') return false;
  const found = decodePointer(reply.value);
  return found.epoch === pointer.epoch && found.completed.at(-1)?.id === pointer.completed.at(-1)?.id;
}
