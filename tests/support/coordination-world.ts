/**
 * The smallest world in which coordinator and subtasks can lose each other: one operator coordinator, its subtasks, a network that
 * delays and drops, checkpoints and failures. No cluster: what is tested is the protocol of events and checkpoints alone.
 *
 * Owns: time, the network, the driver of checkpoints, the restarts. The subtasks are the test's.
 * I1: operator events travel as datagrams, each with its own delay; barriers to one subtask keep their order, as on a channel;
 * I2: a checkpoint is complete when every subtask's snapshot has arrived; restores take the newest complete one.
 */
import {
  OperatorCoordinators,
  type OperatorCoordinatorsOptions,
} from '../../engine/coordination/operator-coordinators.ts';
import { type CheckpointId, checkpointId, type ExecutionAttemptId } from '../../engine/foundation/ids.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { JobVertex } from '../../engine/job/job-graph.ts';
import { micros } from '../../engine/foundation/time.ts';
import { type EngineParts, standardParts } from '../../engine/parts.ts';
import type { Out, Target, Work } from '../../engine/protocol/actor.ts';
import type { EngineEvent } from '../../engine/protocol/engine-events.ts';
import type { EngineMessage, OperatorEventMessage } from '../../engine/protocol/messages.ts';
import type { CoordinatorState } from '../../engine/protocol/metadata-file.ts';
import { attempt, EPOCH, JOB, SERVICES, NO_STORAGE } from './engine-values.ts';
import { jobGraph, sourceVertex } from './job-graphs.ts';
import { RecordingOut } from './recording-out.ts';

/** What a subtask is made of here; a `SplitReader` with its records, or a list of integers. */
export interface WorldTask {
  restore(state: unknown): void;
  start(out: Out): void;
  snapshot(id: CheckpointId, out: Out): unknown;
  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): void;
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
}

export interface TaskPlace {
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
  readonly toJobManager: (message: EngineMessage, out: Out) => void;
  readonly fail: () => void;
}

export interface WorldSource {
  readonly subtasks: number;
  readonly partitions?: readonly number[];
  readonly recordsPerSplit?: number;
  /** Its partitions end. */
  readonly bounded?: boolean;
  /** So many of its partitions are a bounded source of their own, the others one that is read behind it (row B24). */
  readonly first?: number;
}

export interface WorldOptions extends WorldSource {
  readonly create?: OperatorCoordinatorsOptions['create'];
  readonly parts?: Partial<EngineParts>;
  readonly task: (place: TaskPlace) => WorldTask;
  /** Delay of a message; undefined: it is lost. */
  readonly network: (message: EngineMessage, nowUs: number) => number | undefined;
  /** Delay of a barrier on its channel. */
  readonly barrierDelayUs?: () => number;
  readonly restart: 'job' | 'region';
  readonly checkpointEveryUs: number;
  readonly checkpointTimeoutUs: number;
  /** Pending checkpoints at a time. */
  readonly concurrent?: number;
}

interface Snapshot {
  readonly id: CheckpointId;
  readonly tasks: ReadonlyMap<number, unknown>;
  readonly coordinators: readonly CoordinatorState[];
}
interface Pending {
  readonly id: CheckpointId;
  readonly tasks: Map<number, unknown>;
  coordinators: readonly CoordinatorState[] | undefined;
}

export const EVENT_TIMEOUT_US = 5_000;
const RESTART_US = 500;

export class CoordinationWorld {
  readonly out: RecordingOut;
  readonly coordinators: OperatorCoordinators;
  readonly completed: Snapshot[] = [];
  readonly failures: number[] = [];
  readonly #options: WorldOptions;
  readonly #tasks = new Map<number, { readonly place: TaskPlace; readonly task: WorldTask; readonly out: Out }>();
  readonly #pending = new Map<CheckpointId, Pending>();
  readonly #calls = new Map<string, (nowUs: Micros) => void>();
  readonly #channelFreeUs = new Map<number, number>();
  #nextCall = 0;
  #nextAttempt = 1;
  #nextCheckpoint = 1;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.out = new RecordingOut((timer, nowUs) => this.#timer(timer, nowUs));
    const vertex = { ...sourceVertex(0, options.subtasks), source: splitSource(options) };
    this.coordinators = new OperatorCoordinators({
      graph: { ...jobGraph([vertex], []), jobId: JOB },
      parts: { ...standardParts, ...options.parts },
      epoch: EPOCH,
      host: { services: SERVICES, storage: NO_STORAGE, requestTimeoutUs: EVENT_TIMEOUT_US, firstRequestId: 1 },
      sendToTask: (to, message) => this.#network(message, (nowUs) => this.#toTask(to, message, nowUs)),
      failTask: (of) => this.#failAttempt(of),
      ...(options.create === undefined ? {} : { create: options.create }),
    });
    this.coordinators.resetToCheckpoint(undefined, this.out);
    for (let subtask = 0; subtask < options.subtasks; subtask += 1) this.#deploy(subtask);
    this.after(options.checkpointEveryUs, () => this.#tick());
  }

  /** A test's own doing, later. */
  after(us: number, call: (nowUs: Micros) => void): void {
    const name = `call|${this.#nextCall}`;
    this.#nextCall += 1;
    this.#calls.set(name, call);
    this.out.setTimer(name, micros(us));
  }

  run(us: number): this {
    this.out.advance(us);
    return this;
  }

  task(subtask: number): WorldTask | undefined {
    return this.#tasks.get(subtask)?.task;
  }

  /** The subtask dies, if it lives. */
  failTask(subtask: number): void {
    const found = this.#tasks.get(subtask);
    if (found !== undefined) this.#failAttempt(found.place.attempt);
  }

  /* ---- checkpoints ---- */

  #tick(): void {
    const { checkpointEveryUs, subtasks, concurrent = 1 } = this.#options;
    this.after(checkpointEveryUs, () => this.#tick());
    if (this.#tasks.size < subtasks || this.#pending.size >= concurrent) return;
    if ([...this.#pending.values()].some(({ coordinators }) => coordinators === undefined)) return;
    const id = checkpointId(this.#nextCheckpoint);
    this.#nextCheckpoint += 1;
    const pending: Pending = { id, tasks: new Map(), coordinators: undefined };
    this.#pending.set(id, pending);
    this.after(this.#options.checkpointTimeoutUs, () => this.#abort(pending));
    this.coordinators.checkpoint({ checkpointId: id, nowUs: this.out.nowUs }, this.out, (states) => {
      if (this.#pending.get(id) !== pending) return;
      if (states === undefined) return this.#abort(pending);
      pending.coordinators = states;
      for (const [subtask, { place }] of this.#tasks) this.#barrier(pending, subtask, place.attempt);
    });
  }

  /** I1. */
  #barrier(pending: Pending, subtask: number, of: ExecutionAttemptId): void {
    const delayUs = this.#options.barrierDelayUs?.() ?? 50;
    const atUs = Math.max(this.out.nowUs + delayUs, (this.#channelFreeUs.get(subtask) ?? 0) + 1);
    this.#channelFreeUs.set(subtask, atUs);
    this.after(atUs - this.out.nowUs, () => {
      const found = this.#tasks.get(subtask);
      if (found === undefined || found.place.attempt !== of) return;
      const state = found.task.snapshot(pending.id, found.out);
      this.after(delayUs, () => this.#acknowledged(pending, subtask, of, state));
    });
  }

  #acknowledged(pending: Pending, subtask: number, of: ExecutionAttemptId, state: unknown): void {
    const { id, tasks, coordinators } = pending;
    if (this.#pending.get(id) !== pending || this.#tasks.get(subtask)?.place.attempt !== of) return;
    tasks.set(subtask, state);
    if (tasks.size < this.#options.subtasks || coordinators === undefined) return;
    for (const older of [...this.#pending.values()]) if (older.id < id) this.#abort(older);
    this.#pending.delete(id);
    this.completed.push({ id, tasks, coordinators });
    this.coordinators.notifyComplete(id, this.out);
  }

  #abort(pending: Pending): void {
    if (this.#pending.get(pending.id) !== pending) return;
    this.#pending.delete(pending.id);
    if (pending.coordinators === undefined) this.coordinators.abortCurrentTriggering(this.out);
    this.coordinators.notifyAborted(pending.id, this.out);
  }

  /* ---- failures ---- */

  #failAttempt(of: ExecutionAttemptId): void {
    const [subtask] = [...this.#tasks].find(([, { place }]) => place.attempt === of) ?? [];
    if (subtask === undefined) return;
    this.failures.push(subtask);
    for (const pending of [...this.#pending.values()]) this.#abort(pending);
    const lost = this.#options.restart === 'region' ? [subtask] : [...this.#tasks.keys()];
    for (const index of lost) {
      const found = this.#tasks.get(index);
      this.#tasks.delete(index);
      if (found !== undefined) this.coordinators.attemptFailed({ ...found.place, vertex: 0 }, this.out.nowUs, this.out);
    }
    const newest = this.completed.at(-1);
    const id = newest?.id ?? checkpointId(0);
    if (this.#options.restart === 'region') this.coordinators.subtaskReset({ vertex: 0, subtask }, id, this.out);
    else {
      const metadata = newest && {
        checkpointId: id,
        jobId: JOB,
        triggeredAtUs: 0,
        states: [],
        operators: [],
        highestParallelism: 0,
        coordinators: newest.coordinators,
      };
      this.coordinators.resetToCheckpoint(metadata, this.out);
    }
    for (const index of lost) this.after(RESTART_US, () => this.#deploy(index, newest?.tasks.get(index)));
  }

  #deploy(subtask: number, state?: unknown): void {
    if (this.#tasks.has(subtask)) return;
    const number = attempt(this.#nextAttempt);
    this.#nextAttempt += 1;
    const out = new ScopedOut(this.out, `task-${number}`, (message) =>
      this.#network(message, (nowUs) => this.#toTask(number, message, nowUs)),
    );
    const place: TaskPlace = {
      subtask,
      attempt: number,
      toJobManager: (message) => this.#network(message, (nowUs) => this.#toJobManager(place, message, nowUs)),
      fail: () => this.#failAttempt(number),
    };
    const task = this.#options.task(place);
    this.#tasks.set(subtask, { place, task, out });
    if (state !== undefined) task.restore(state);
    this.coordinators.attemptReady({ ...place, vertex: 0 }, this.out.nowUs, this.out);
    task.start(out);
  }

  /* ---- network ---- */

  #network(message: EngineMessage, deliver: (nowUs: Micros) => void): void {
    const delayUs = this.#options.network(message, this.out.nowUs);
    if (delayUs !== undefined) this.after(delayUs, deliver);
  }

  #toTask(to: ExecutionAttemptId, message: EngineMessage, nowUs: Micros): void {
    for (const { place, task, out } of this.#tasks.values())
      if (place.attempt === to) task.handleMessage(message, nowUs, out);
  }

  #toJobManager(place: TaskPlace, message: EngineMessage, nowUs: Micros): void {
    if (this.#tasks.get(place.subtask)?.place.attempt !== place.attempt) return;
    this.coordinators.receive({ ...place, vertex: 0 }, message as OperatorEventMessage, nowUs, this.out);
  }

  #timer(timer: string, nowUs: Micros): void {
    const call = this.#calls.get(timer);
    this.#calls.delete(timer);
    if (call !== undefined) return call(nowUs);
    if (this.coordinators.handleTimer(timer, nowUs, this.out)) return;
    for (const { place, task, out } of this.#tasks.values()) {
      const scope = `task-${place.attempt}|`;
      if (timer.startsWith(scope)) task.handleTimer(timer.slice(scope.length), nowUs, out);
    }
  }
}

/** What its subtasks read, as the coordinator and the readers are told. */
export function splitSource({
  subtasks,
  partitions,
  recordsPerSplit,
  bounded,
  first,
}: WorldSource): NonNullable<JobVertex['source']> {
  const { source } = sourceVertex(0, subtasks, partitions);
  if (source === undefined) throw new Error('a source vertex has a source');
  const whole = {
    ...source,
    kind: 'split-log' as const,
    fetchRecords: 3,
    ...(recordsPerSplit === undefined ? {} : { recordsPerSplit }),
    ...(bounded === true ? { bounded } : {}),
  };
  if (first === undefined) return whole;
  const chain = [
    { ...whole, partitions: whole.partitions.slice(0, first), bounded: true as const },
    { ...whole, partitions: whole.partitions.slice(first) },
  ];
  return { ...whole, chain };
}

/** A mailbox of its own on the one clock: its timers do not meet those of others. */
class ScopedOut implements Out {
  readonly #out: RecordingOut;
  readonly #scope: string;
  readonly #sent: (message: EngineMessage) => void;

  constructor(out: RecordingOut, scope: string, sent: (message: EngineMessage) => void) {
    this.#out = out;
    this.#scope = scope;
    this.#sent = sent;
  }

  /** Only the log is asked, and it answers at once: the test's network says when that arrives. */
  send(_to: Target, message: EngineMessage): void {
    this.#sent(message);
  }
  setTimer(timer: string, afterUs: Micros): void {
    this.#out.setTimer(`${this.#scope}|${timer}`, afterUs);
  }
  cancelTimer(timer: string): void {
    this.#out.cancelTimer(`${this.#scope}|${timer}`);
  }
  busy(work: Work, amount: number): void {
    this.#out.busy(work, amount);
  }
  report(event: EngineEvent): void {
    this.#out.report(event);
  }
  exit(): void {
    throw new RangeError('no task of this world ends its process');
  }
}
