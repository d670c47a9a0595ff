/**
 * A checkpoint coordinator with a fake host and the fakes of both stores, two subtasks: attempt 1 is a source, attempt 2 is not.
 *
 * Owns: who answers when. By default nothing is answered; `answer` performs what is waiting and delivers the replies, `lose`
 * performs it or not and delivers nothing.
 */
import { CheckpointCoordinator } from '../../engine/checkpoint/checkpoint-coordinator.ts';
import type { MasterHooks } from '../../engine/checkpoint/master-hooks.ts';
import type { CheckpointedSubtask } from '../../engine/checkpoint/checkpoint-plan.ts';
import type { RequestEnd } from '../../engine/checkpoint/checkpoint-request.ts';
import { CompletedCheckpointStore } from '../../engine/checkpoint/completed-checkpoint-store.ts';
import { StoreRegisters } from '../../engine/high-availability/store-registers.ts';
import { RequestClient } from '../../engine/clients/request-client.ts';
import type { CheckpointedCoordinators } from '../../engine/coordination/checkpointed-coordinators.ts';
import type { ExecutionAttemptId } from '../../engine/foundation/ids.ts';
import { type Micros, micros } from '../../engine/foundation/time.ts';
import { type EngineParts, standardParts } from '../../engine/parts.ts';
import type { CheckpointFailure } from '../../engine/protocol/checkpoint-failure.ts';
import { savepointProperties } from '../../engine/protocol/checkpoint-properties.ts';
import { counterKey, encodePointer, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import { trueWallClock } from '../../engine/protocol/wall-clock.ts';
import type { CheckpointConfiguration, RuntimeConfiguration } from '../../engine/protocol/configuration.ts';
import type { CoordinationReply, EngineMessage, StorageReply } from '../../engine/protocol/messages.ts';
import {
  acknowledgement,
  attempt,
  COORDINATION,
  configuration,
  declination,
  EPOCH,
  id,
  JOB,
  REQUEST_TIMEOUT_US,
  RETRY_US,
  STORAGE,
} from './engine-values.ts';
import { FakeCoordination } from './fake-coordination.ts';
import { FakeStorage } from './fake-storage.ts';
import type { Out } from '../../engine/protocol/actor.ts';
import { RecordingOut } from './recording-out.ts';
import { ObjectStoreStorage } from '../../engine/storage/object-store-storage.ts';

export const INTERVAL_US = 100_000;
export const POINTER = pointerKey(JOB);
export const COUNTER = counterKey(JOB);
export const metadataPath = (n: number): string => `checkpoints/${JOB}/chk-${n}/_metadata`;

const subtask = (of: number, isSource: boolean): CheckpointedSubtask => ({
  attempt: attempt(of),
  vertex: of - 1,
  subtask: 0,
  isSource,
  isRunning: true,
  isFinished: false,
});

export class CoordinatorBench {
  readonly coordination = new FakeCoordination();
  readonly storage = new FakeStorage();
  readonly out: RecordingOut;
  readonly coordinator: CheckpointCoordinator;
  readonly store: CompletedCheckpointStore;
  /** What the tasks were sent, by attempt. */
  readonly toTasks: { readonly attempt: ExecutionAttemptId; readonly message: EngineMessage }[] = [];
  /** Calls of the host, in order. */
  readonly calls: string[] = [];
  /** Checkpoints that ended while the job ran: whether completed. */
  readonly ended: boolean[] = [];
  /** What the job master does when a checkpoint has ended. */
  whenEnded: (isCompleted: boolean, nowUs: Micros, out: Out) => void = () => {};
  subtasks: CheckpointedSubtask[] = [subtask(1, true), subtask(2, false)];
  readonly coordinationClient: RequestClient<CoordinationReply>;
  readonly storageClient: ObjectStoreStorage;
  /** Of parts a subclass adds. */
  protected furtherTimer: (timer: string) => boolean = () => false;
  #waiting: EngineMessage[] = [];

  constructor(
    checkpoint: Partial<CheckpointConfiguration> = {},
    {
      coordinators,
      hooks,
      runtime,
      ...parts
    }: Partial<EngineParts> & {
      readonly coordinators?: CheckpointedCoordinators;
      readonly hooks?: MasterHooks;
      readonly runtime?: Partial<RuntimeConfiguration>;
    } = {},
  ) {
    const client = { via: 'datagram', timeoutUs: REQUEST_TIMEOUT_US } as const;
    this.coordinationClient = new RequestClient({
      ...client,
      node: COORDINATION,
      name: 'coordination',
      firstRequestId: 1,
    });
    this.storageClient = new ObjectStoreStorage({ ...client, node: STORAGE, name: 'storage', firstRequestId: 1_000 });
    this.out = new RecordingOut(
      (timer, nowUs, out) =>
        this.coordinator.handleTimer(timer, nowUs, out) ||
        this.coordinationClient.handleTimer(timer, nowUs, out) ||
        this.storageClient.handleTimer(timer, nowUs, out) ||
        this.furtherTimer(timer),
    );
    const pointer = { epoch: EPOCH, completed: [] };
    this.coordination.put(POINTER, encodePointer(pointer));
    this.store = new CompletedCheckpointStore(checkpoint.retained ?? 1, pointer, 1);
    this.coordinator = new CheckpointCoordinator({
      wallClock: trueWallClock,
      jobId: JOB,
      graph: { vertices: [], edges: [{ index: 0, from: 0, to: 1, input: 0, partitioning: 'forward' }] },
      epoch: EPOCH,
      configuration: configuration({
        checkpoint: { intervalUs: INTERVAL_US, ...checkpoint },
        ...(runtime === undefined ? {} : { runtime }),
      }),
      parts: { ...standardParts, ...parts },
      host: {
        jobAttempt: 1,
        subtasks: () => this.subtasks,
        subtaskOf: (of) => this.subtasks.find((one) => one.attempt === of),
        sendToTask: (to, message) => this.toTasks.push({ attempt: to, message }),
        tooManyFailures: () => this.calls.push('too-many-failures'),
        superseded: () => this.calls.push('superseded'),
        settled: () => this.calls.push('settled'),
        checkpointEnded: (isCompleted, nowUs, out) => {
          this.ended.push(isCompleted);
          this.whenEnded(isCompleted, nowUs, out);
        },
        deployedScale: () => ({ operators: [], highestParallelism: 1 }),
      },
      storage: this.storageClient,
      coordination: new StoreRegisters(this.coordinationClient),
      store: this.store,
      counter: { value: 0, version: 0 },
      ...(coordinators === undefined ? {} : { coordinators }),
      ...(hooks === undefined ? {} : { hooks }),
    });
  }

  start(): this {
    this.coordinator.start(this.out.nowUs, this.out);
    return this;
  }

  /** Somebody asks for a savepoint; its end is noted in `calls`. */
  savepoint(snapshot: 'savepoint' | 'suspend-savepoint' = 'savepoint'): this {
    const request = {
      properties: savepointProperties(snapshot, 'native', false),
      isPeriodic: false,
      atUs: this.out.nowUs,
      ...(snapshot === 'savepoint' ? {} : { stopsJobFor: 'stop' }),
      ended: (end: RequestEnd) =>
        void this.calls.push(end.kind === 'completed' ? `completed ${end.location}` : `failed ${end.reason}`),
    };
    this.coordinator.request(request, this.out.nowUs, this.out);
    return this;
  }

  stop(reason: CheckpointFailure = 'checkpoint-coordinator-suspend'): void {
    this.coordinator.stop(reason, this.out.nowUs, this.out);
  }

  /** Performs and answers what waits, and what that makes the coordinator ask, or only requests of one kind. */
  answer(only?: EngineMessage['kind']): this {
    for (let next = this.#take(only); next !== undefined; next = this.#take(only)) this.#deliver(this.#perform(next));
    return this;
  }

  /** Performs the one request that waits, but its reply is lost; `reach: false` loses the request itself. */
  lose(kind: EngineMessage['kind'], options: { readonly reach: boolean } = { reach: true }): EngineMessage {
    const message = this.#take(kind);
    if (message === undefined) throw new Error(`no ${kind} waits`);
    if (options.reach) this.#perform(message);
    return message;
  }

  /** Delivers a reply the test made itself. */
  reply(reply: CoordinationReply | StorageReply): void {
    this.#deliver(reply);
  }

  /** Takes the waiting request of a kind without performing it. */
  take(kind: EngineMessage['kind']): EngineMessage {
    return this.lose(kind, { reach: false });
  }

  wait(us: number): this {
    this.out.advance(us);
    return this;
  }

  /** Lets time pass while both stores answer at once. */
  run(us: number): this {
    for (let left = us; left > 0; left -= RETRY_US) this.wait(Math.min(left, RETRY_US)).answer();
    return this;
  }

  /** From start to the trigger messages of the first checkpoint. */
  trigger(): this {
    return this.start().wait(INTERVAL_US).answer();
  }

  acknowledge(n: number, by: number): this {
    this.coordinator.acknowledge(acknowledgement(n, by), this.out.nowUs, this.out);
    return this;
  }

  acknowledgeAll(n: number): this {
    return this.acknowledge(n, 1).acknowledge(n, 2);
  }

  decline(n: number, by: number, reason: CheckpointFailure): void {
    this.coordinator.decline(declination(n, by, reason), micros(this.out.nowUs), this.out);
  }

  /** Kinds of messages one task was sent. */
  sentTo(of: number): string[] {
    return this.toTasks.filter((sent) => sent.attempt === attempt(of)).map((sent) => sent.message.kind);
  }

  completedIds(): number[] {
    return this.out.reported('checkpoint-completed').map((event) => event.checkpointId);
  }

  aborted(): string[] {
    return this.out.reported('checkpoint-aborted').map((event) => `${event.checkpointId} ${event.reason}`);
  }

  get newestId(): number | undefined {
    const newest = this.store.newest?.id;
    return newest === undefined ? undefined : id(newest);
  }

  #take(only: EngineMessage['kind'] | undefined): EngineMessage | undefined {
    const fresh = this.out.fresh().map(({ message }) => message);
    this.#waiting.push(...fresh.filter(({ kind }) => kind !== 'client-reply'));
    const at = only === undefined ? 0 : this.#waiting.findIndex(({ kind }) => kind === only);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  #perform(message: EngineMessage): CoordinationReply | StorageReply {
    return message.kind.startsWith('storage-') ? this.storage.perform(message) : this.coordination.perform(message);
  }

  #deliver(reply: CoordinationReply | StorageReply): void {
    if (reply.kind === 'storage-reply') this.storageClient.handleReply(reply, this.out.nowUs, this.out);
    else this.coordinationClient.handleReply(reply, this.out.nowUs, this.out);
  }
}
