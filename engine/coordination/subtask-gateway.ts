/**
 * The way from a coordinator to one attempt of a subtask, which closes while a checkpoint is cut (row C24; Flink: SubtaskGatewayImpl,
 * FLINK-18641, FLINK-21996).
 *
 * Between the coordinator's cut for checkpoint n and the subtask's barrier n nothing may pass: it would be in the subtask's
 * snapshot and, as not yet sent, in the coordinator's too. So events are kept back until the subtask says that its barrier has left,
 * or the checkpoint has ended. Events of before the cut are no business of this file: the holder waits for their acknowledgements.
 *
 * Owns: what is kept back. Invariants:
 *   I1 events leave in the order they were sent, each once;
 *   I2 an event is kept back as long as any checkpoint that was cut before it is closed: with several, one list each;
 *   I3 checkpoint ids rise (a regressing id is refused);
 *   I4 it is bound to one attempt: after `close` nothing leaves.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Out } from '../protocol/actor.ts';
import type { EventToOperator } from '../protocol/operator-events.ts';
import type { EventSender, OnSettled } from './event-channel.ts';
import type { OperatorSubtask } from './operator-coordinator.ts';
import { probe } from '../protocol/probes.ts';

export interface SubtaskGatewayOptions {
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
  readonly sender: EventSender<EventToOperator>;
  /** An event was handed in, kept back or not; answers what is told of its end. */
  readonly sent: (event: EventToOperator, out: Out) => OnSettled;
}

interface Blocked {
  readonly event: EventToOperator;
  readonly settled: OnSettled;
}

export class SubtaskGateway implements OperatorSubtask {
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
  readonly #options: SubtaskGatewayOptions;
  readonly #marked = new Set<CheckpointId>();
  /** By checkpoint, rising. */
  readonly #blocked: { readonly checkpointId: CheckpointId; readonly events: Blocked[] }[] = [];
  #latest = 0;
  #closed = false;

  constructor(options: SubtaskGatewayOptions) {
    this.#options = options;
    this.subtask = options.subtask;
    this.attempt = options.attempt;
  }

  /** Whether events are kept back. */
  get isBlocked(): boolean {
    return this.#blocked.length > 0;
  }

  sendEvent(event: EventToOperator, out: Out): void {
    if (this.#closed) return;
    const { sender, sent } = this.#options;
    const settled = sent(event, out);
    const last = this.#blocked.at(-1);
    if (last === undefined) return sender.send(event, out, settled);
    last.events.push({ event, settled });
    probe(out, 'operator-event-kept-back');
  }

  /** The coordinator was asked for its snapshot. */
  markForCheckpoint(checkpointId: CheckpointId): void {
    assert(checkpointId > this.#latest, 'checkpoint ids of a gateway rise', { checkpointId, latest: this.#latest });
    this.#latest = checkpointId;
    this.#marked.add(checkpointId);
  }

  /** The coordinator's snapshot is taken. False: the checkpoint has ended meanwhile, or began before this attempt. */
  tryClose(checkpointId: CheckpointId): boolean {
    if (!this.#marked.has(checkpointId)) return false;
    if (!this.#blocked.some((list) => list.checkpointId === checkpointId)) {
      this.#blocked.push({ checkpointId, events: [] });
      this.#blocked.sort((a, b) => a.checkpointId - b.checkpointId);
    }
    return true;
  }

  /** The subtask's barrier has left, or the checkpoint has ended. What an older one still keeps back stays. */
  open(checkpointId: CheckpointId, out: Out): void {
    if (!this.#marked.delete(checkpointId)) return;
    const at = this.#blocked.findIndex((list) => list.checkpointId === checkpointId);
    const [list] = at < 0 ? [] : this.#blocked.splice(at, 1);
    if (list === undefined) return;
    const older = this.#blocked[at - 1];
    if (older === undefined)
      for (const { event, settled } of list.events) this.#options.sender.send(event, out, settled);
    else older.events.push(...list.events);
  }

  /** The checkpoint that is being triggered failed (row C1): else its events would be kept back for ever. */
  openLastMarked(out: Out): void {
    const last = [...this.#marked].at(-1);
    if (last !== undefined) this.open(last, out);
  }

  close(out: Out): void {
    this.#closed = true;
    this.#blocked.length = 0;
    this.#marked.clear();
    this.#options.sender.close(out);
  }
}
