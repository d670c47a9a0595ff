/**
 * One operator coordinator with the ways to its subtasks, and their part in checkpoints (rows C18, C24, F4; Flink:
 * OperatorCoordinatorHolder).
 *
 * Owns: the gateways, and the order of a coordinator's checkpoint: mark the gateways, ask for the snapshot, close the gateways at the
 * moment it is there, wait until every event of before is acknowledged; only then may a source be triggered, and a trigger
 * cannot overtake what has been acknowledged. Does not own: what the coordinator does; messages (operator-coordinators.ts).
 * Invariants:
 *   I1 an event of before the cut is handled by its subtask before the barrier, one of after it after the barrier;
 *   I2 an event that is not acknowledged in time fails its subtask: nobody knows whether it was handled (FLINK-21996);
 *   I3 there is one gateway per subtask, of the attempt that is ready; what another attempt says is ignored.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { EventFromOperator, EventToOperator } from '../protocol/operator-events.ts';
import { EventReceiver, EventSender, type OnSettled } from './event-channel.ts';
import type { OperatorCoordinator, SnapshotDone, SubtaskAttempt } from './operator-coordinator.ts';
import { SubtaskGateway } from './subtask-gateway.ts';
import { UnconfirmedEvents } from './unconfirmed-events.ts';
import { probe } from '../protocol/probes.ts';

export interface HolderHost {
  deliver(to: SubtaskAttempt, numbered: { readonly sequence: number; readonly event: EventToOperator }, out: Out): void;
  acknowledge(to: SubtaskAttempt, sequence: number, out: Out): void;
  /** Row C24: it could not be told something. */
  failTask(attempt: ExecutionAttemptId, nowUs: Micros, out: Out): void;
}

export interface HolderOptions {
  /** Uid of the operator. */
  readonly operator: string;
  readonly coordinator: OperatorCoordinator;
  readonly parts: Pick<EngineParts, 'coordinatorSnapshot' | 'gatewayAtCheckpoint' | 'eventsOfEndedAttempt'>;
  readonly timeoutUs: number;
  readonly host: HolderHost;
}

interface ReadySubtask {
  readonly gateway: SubtaskGateway;
  readonly sender: EventSender<EventToOperator>;
  readonly receiver: EventReceiver<EventFromOperator>;
}

export class OperatorCoordinatorHolder {
  readonly operator: string;
  readonly #options: HolderOptions;
  readonly #ready = new Map<number, ReadySubtask>();
  readonly #unconfirmed = new UnconfirmedEvents();
  #started = false;

  constructor(options: HolderOptions) {
    this.#options = options;
    this.operator = options.operator;
  }

  /** Events handed in and not acknowledged. */
  get unconfirmed(): number {
    return this.#unconfirmed.count;
  }

  /** Calls `done` once, unless everything was reset meanwhile. */
  checkpoint(at: { readonly checkpointId: CheckpointId; readonly nowUs: Micros }, out: Out, done: SnapshotDone): void {
    const { coordinator, parts } = this.#options;
    const { checkpointId } = at;
    for (const { gateway } of this.#ready.values()) gateway.markForCheckpoint(checkpointId);
    coordinator.checkpointCoordinator(at, out, (bytes, nowUs, takenOut) => {
      if (bytes === undefined) return done(undefined, nowUs, takenOut);
      if (parts.gatewayAtCheckpoint === 'closes') {
        for (const { gateway } of this.#ready.values()) gateway.tryClose(checkpointId);
      }
      takenOut.report({
        kind: 'coordinator-snapshot-taken',
        checkpointId,
        operator: this.operator,
        bytes: bytes.length,
        unconfirmed: this.#unconfirmed.count,
        waitsFor: this.#unconfirmed.attempts,
      });
      if (parts.coordinatorSnapshot === 'at-once') return done(bytes, nowUs, takenOut);
      if (this.#unconfirmed.count > 0) probe(takenOut, 'checkpoint-waits-for-operator-events');
      this.#unconfirmed.whenConfirmed(nowUs, takenOut, (isConfirmed, lateUs, lateOut) =>
        done(isConfirmed ? bytes : undefined, lateUs, lateOut),
      );
    });
  }

  abortCurrentTriggering(out: Out): void {
    for (const { gateway } of this.#ready.values()) gateway.openLastMarked(out);
  }

  notifyComplete(checkpointId: CheckpointId, out: Out): void {
    for (const { gateway } of this.#ready.values()) gateway.open(checkpointId, out);
    this.#options.coordinator.notifyCheckpointComplete(checkpointId, out);
  }

  notifyAborted(checkpointId: CheckpointId, out: Out): void {
    for (const { gateway } of this.#ready.values()) gateway.open(checkpointId, out);
    this.#options.coordinator.notifyCheckpointAborted(checkpointId, out);
  }

  /** The whole job begins again (row C18): every attempt has ended. */
  deployedWith(parallelism: number): void {
    this.#options.coordinator.deployedWith?.(parallelism);
  }

  resetToCheckpoint(checkpointId: CheckpointId, bytes: Uint8Array | undefined, out: Out): void {
    for (const { gateway } of this.#ready.values()) gateway.close(out);
    this.#ready.clear();
    this.#unconfirmed.clear();
    this.#options.coordinator.resetToCheckpoint(checkpointId, bytes, out);
    if (!this.#started) this.#options.coordinator.start(out);
    this.#started = true;
  }

  /** Unconfirmed events of the attempt are settled as lost: a checkpoint that waits for them fails. */
  subtaskFailed(of: SubtaskAttempt, nowUs: Micros, out: Out): void {
    const ready = this.#ready.get(of.subtask);
    if (ready?.gateway.attempt !== of.attempt) return;
    this.#ready.delete(of.subtask);
    ready.gateway.close(out);
    this.#options.coordinator.subtaskFailed(of, out);
    if (this.#options.parts.eventsOfEndedAttempt === 'lost') this.#unconfirmed.loseAll(of.attempt, nowUs, out);
  }

  subtaskFinished(of: SubtaskAttempt): void {
    this.#options.coordinator.subtaskFinished?.(of);
  }

  get isProcessingBacklog(): boolean {
    return this.#options.coordinator.isProcessingBacklog === true;
  }

  /** Only this subtask begins again, from `restored`; 0: from nothing. Comes before its next attempt is ready (row F4). */
  subtaskReset(subtask: number, restored: CheckpointId, out: Out): void {
    assert(!this.#ready.has(subtask), 'a subtask is reset when its attempt has ended and before the next is ready', {
      operator: this.operator,
      subtask,
    });
    this.#options.coordinator.subtaskReset(subtask, restored, out);
  }

  /** The attempt runs. Told more than once; the first time counts. */
  attemptReady(of: SubtaskAttempt, nowUs: Micros, out: Out): void {
    const before = this.#ready.get(of.subtask);
    if (before?.gateway.attempt === of.attempt) return;
    if (before !== undefined) this.subtaskFailed({ subtask: of.subtask, attempt: before.gateway.attempt }, nowUs, out);
    const { host, timeoutUs } = this.#options;
    const sender = new EventSender<EventToOperator>({
      name: `${this.operator}/${of.attempt}`,
      timeoutUs,
      deliver: (sequence, event, sentOut) => host.deliver(of, { sequence, event }, sentOut),
    });
    const gateway = new SubtaskGateway({ ...of, sender, sent: (event, sentOut) => this.#sent(of, event, sentOut) });
    this.#ready.set(of.subtask, { gateway, sender, receiver: new EventReceiver() });
    this.#options.coordinator.executionAttemptReady(gateway, out);
  }

  /** An event of the attempt has arrived: it and what it was waited for are handled, then acknowledged. */
  receive(
    from: SubtaskAttempt,
    numbered: { readonly sequence: number; readonly event: EventFromOperator },
    out: Out,
  ): void {
    const ready = this.#readyOf(from);
    if (ready === undefined) return;
    const { due, again } = ready.receiver.receive(numbered.sequence, numbered.event);
    if (again) this.#options.host.acknowledge(from, numbered.sequence, out);
    if (!again && due.length === 0) probe(out, 'operator-event-out-of-order');
    for (const { sequence, event } of due) {
      if (event.kind === 'acknowledge-checkpoint-event') ready.gateway.open(event.checkpointId, out);
      else this.#options.coordinator.handleEventFromOperator(from, event, out);
      this.#options.host.acknowledge(from, sequence, out);
    }
  }

  /** The attempt has handled an event. */
  acknowledged(by: SubtaskAttempt, sequence: number, nowUs: Micros, out: Out): void {
    this.#readyOf(by)?.sender.acknowledged(sequence, nowUs, out);
  }

  /** What an outside system answers. */
  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    return this.#options.coordinator.handleMessage?.(message, nowUs, out) === true;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    if (this.#options.coordinator.handleTimer?.(timer, nowUs, out) === true) return true;
    for (const { sender } of this.#ready.values()) if (sender.handleTimer(timer, nowUs, out)) return true;
    return false;
  }

  #readyOf({ subtask, attempt }: SubtaskAttempt): ReadySubtask | undefined {
    const ready = this.#ready.get(subtask);
    return ready?.gateway.attempt === attempt ? ready : undefined;
  }

  #sent(to: SubtaskAttempt, event: EventToOperator, out: Out): OnSettled {
    const number = this.#unconfirmed.add(to.attempt);
    out.report({ kind: 'operator-event-sent', operator: this.operator, ...to, event: describeEvent(event) });
    return (outcome, nowUs, settledOut) => {
      if (outcome === 'lost') {
        probe(settledOut, 'operator-event-lost');
        this.#options.host.failTask(to.attempt, nowUs, settledOut);
      }
      this.#unconfirmed.settle(number, outcome === 'acknowledged', nowUs, settledOut);
    };
  }
}

/** For people: `assign-splits 3@100`. */
function describeEvent(event: EventToOperator): string {
  if (event.kind === 'assign-splits') return `${event.kind} ${event.splits.map(({ splitId }) => splitId).join(' ')}`;
  return event.kind === 'release-split' ? `${event.kind} ${event.splitId}` : event.kind;
}
