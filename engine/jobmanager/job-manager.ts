/**
 * The JobManager actor: stands by, leads when it is elected, and runs the job while it leads (Flink: JobManager process with
 * DefaultDispatcherRunner and JobMaster).
 *
 * Owns: what becomes of the job when leadership comes and goes, the client towards storage. Does not own: the election and the values
 * that outlive it (engine/high-availability), the job (job-master).
 * Invariants: I1 without leadership nothing is sent to TaskManagers; I2 everything of a lost epoch is forgotten at once.
 */
import { retryDelayUs } from '../clients/delayed-calls.ts';
import { assert } from '../foundation/assert.ts';
import { ATTEMPTS_PER_EPOCH, type LeaderEpoch, MAIN_MAILBOX, type NodeId } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import { highAvailabilityServices } from '../high-availability/driver.ts';
import { JobCleanup } from '../high-availability/job-cleanup.ts';
import { JobResultStore } from '../high-availability/job-result-store.ts';
import { type EndedRun, resultOf } from '../protocol/job-result.ts';
import type { HighAvailabilityServices } from '../high-availability/high-availability-services.ts';
import type { MasterHookHost } from '../job/master-hook.ts';
import type { Actor, Input, Out, Target } from '../protocol/actor.ts';
import type { ClientRequest } from '../protocol/client-operations.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import { graphOfVersion, type TaskEnvironment } from '../taskmanager/task-environment.ts';
import type { DeploymentCount } from './job-versions.ts';
import { JobMaster } from './job-master.ts';
import { LeaderTakeover } from './leader-takeover.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { lateWriteUs } from '../storage/late-writes.ts';
import { openStorage } from '../storage/open-storage.ts';
import { probe } from '../protocol/probes.ts';

const HEARTBEAT = 'heartbeat';
/** Request ids of one process start here times its incarnation. */
const IDS_PER_INCARNATION = 1_000_000_000;

export interface JobManagerOptions {
  readonly environment: TaskEnvironment;
  readonly incarnation: number;
  readonly taskManagers: readonly NodeId[];
}

export class JobManager implements Actor {
  readonly #options: JobManagerOptions;
  readonly #taskManagers: readonly Target[];
  readonly #services: HighAvailabilityServices;
  readonly #storage: CheckpointStorage;
  readonly #results: JobResultStore;
  readonly #cleanup: JobCleanup;
  #takeover: LeaderTakeover | undefined;
  #master: JobMaster | undefined;
  #superseded = false;
  #count: DeploymentCount = { nextAttempt: 0, jobAttempt: 0, hookSequence: 0 };
  /** The next run is of another version of the job. */
  #isUpgraded = false;
  /** This leader found that the job is over for good. */
  #isOver = false;

  constructor(options: JobManagerOptions) {
    this.#options = options;
    const { environment, incarnation } = options;
    const { runtime } = environment.configuration;
    const firstId = incarnation * IDS_PER_INCARNATION;
    const timeoutUs = runtime.requestTimeoutUs;
    const { coordination, storage } = environment.services;
    this.#storage = openStorage({
      client: { node: storage, via: 'datagram', timeoutUs, name: 'storage', firstRequestId: firstId },
      writer: `${environment.node}/${incarnation}`,
      checkpoint: environment.configuration.checkpoint,
      parts: environment.parts,
    });
    this.#taskManagers = options.taskManagers.map((node) => ({ node, mailbox: MAIN_MAILBOX, via: 'datagram' }));
    this.#services = highAvailabilityServices({
      jobId: environment.graph.jobId,
      node: environment.node,
      incarnation,
      configuration: environment.configuration,
      parts: environment.parts,
      coordination,
      firstRequestId: firstId,
      contender: {
        acquired: (epoch, _nowUs, out) =>
          this.#acquired(epoch, { nextAttempt: epoch * ATTEMPTS_PER_EPOCH, jobAttempt: 0, hookSequence: firstId }, out),
        lost: (_epoch, _nowUs, out) => this.#forget(out),
      },
    });
    const { registers } = this.#services;
    const { jobId } = environment.graph;
    this.#results = new JobResultStore({ jobId, registers, retryUs: retryDelayUs(timeoutUs) });
    const { incremental, changelog, fileMerging } = environment.configuration.checkpoint;
    this.#cleanup = new JobCleanup({
      jobId,
      root: `${environment.configuration.checkpoint.directory}/${jobId}/`,
      registers,
      storage: this.#storage,
      results: this.#results,
      parts: environment.parts,
      hasSharedFiles: incremental || changelog !== undefined || fileMerging !== undefined,
      lateWriteUs: lateWriteUs(environment.configuration),
      done: (_nowUs, out) => probe(out, 'job-cleaned-up'),
    });
  }

  handle(input: Input, nowUs: Micros, out: Out): void {
    if (input.kind === 'started') return this.#services.start(nowUs, out);
    this.#services.checkLeadership(nowUs, out);
    if (input.kind === 'timer') this.#timer(input.timer, nowUs, out);
    else this.#message(input.message, { node: input.from, mailbox: input.fromMailbox, via: 'datagram' }, nowUs, out);
    if (this.#superseded) {
      this.#superseded = false;
      this.#forget(out);
    }
    if (this.#isUpgraded) this.#upgrade(out);
  }

  #timer(timer: string, nowUs: Micros, out: Out): void {
    if (timer === HEARTBEAT) return this.#heartbeat(nowUs, out);
    const handled =
      this.#services.handleTimer(timer, nowUs, out) ||
      this.#storage.handleTimer(timer, nowUs, out) ||
      this.#results.handleTimer(timer, nowUs, out) ||
      this.#cleanup.handleTimer(timer, nowUs, out) ||
      this.#takeover?.handleTimer(timer, nowUs, out) === true ||
      this.#master?.handleTimer(timer, nowUs, out) === true;
    if (!handled) out.report({ kind: 'message-discarded', message: 'timer', why: 'of an epoch that is over' });
  }

  #message(message: EngineMessage, from: Target, nowUs: Micros, out: Out): void {
    out.busy('message', 1);
    if (this.#services.handleMessage(message, nowUs, out)) return;
    switch (message.kind) {
      case 'storage-reply':
        return this.#storage.handleReply(message, nowUs, out);
      case 'heartbeat-response':
      case 'task-state':
      case 'end-of-data':
      case 'trigger-confirmed':
      case 'acknowledge-checkpoint':
      case 'decline-checkpoint':
        if (this.#master !== undefined && message.epoch === this.#services.epoch) {
          return this.#master.handle(message, from, nowUs, out);
        }
        return out.report({ kind: 'message-discarded', message: message.kind, why: 'of another leader epoch' });
      case 'log-marked':
      case 'log-offsets':
        if (this.#master?.hooks.handleMessage(message, nowUs, out) === true) return;
        if (this.#master?.operatorCoordinators.handleMessage(message, nowUs, out) === true) return;
        return out.report({ kind: 'message-discarded', message: message.kind, why: 'nobody waits for it' });
      case 'client-request':
        return this.#clientRequest(message, from, nowUs, out);
      case 'operator-event':
      case 'operator-event-acknowledged':
        if (message.epoch === this.#services.epoch) return this.#master?.operatorEvent(message, nowUs, out);
        return out.report({ kind: 'message-discarded', message: message.kind, why: 'of another leader epoch' });
      case 'connection-lost':
        return;
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a JobManager' });
    }
  }

  /** Row S24: a job master knows one version of the job. The next is made as a new leader makes it, from what is durable; the epoch stays. */
  #upgrade(out: Out): void {
    this.#isUpgraded = false;
    const { epoch } = this.#services;
    const count = this.#count;
    this.#forget(out);
    if (epoch !== undefined) this.#acquired(epoch, count, out);
  }

  #acquired(epoch: LeaderEpoch, count: DeploymentCount, out: Out): void {
    this.#count = count;
    assert(this.#master === undefined && this.#takeover === undefined, 'a new leader starts from nothing', { epoch });
    const { environment } = this.#options;
    const { configuration, graph } = environment;
    this.#takeover = new LeaderTakeover({
      jobId: graph.jobId,
      epoch,
      retained: configuration.checkpoint.retained,
      firstId: configuration.checkpoint.firstId,
      retryUs: retryDelayUs(configuration.runtime.requestTimeoutUs),
      parts: environment.parts,
      coordination: this.#services.registers,
      storage: this.#storage,
      superseded: () => {
        this.#superseded = true;
      },
      done: (store, counter, nowUs, doneOut) => {
        const { version } = store.run;
        const graph = graphOfVersion(environment, version);
        assert(graph !== undefined, 'a version that was submitted is known', { version });
        this.#master = new JobMaster({
          environment: graph === environment.graph ? environment : { ...environment, graph },
          versions: {
            count,
            graphOf: (asked) => graphOfVersion(environment, asked),
            upgraded: () => {
              this.#isUpgraded = true;
            },
          },
          epoch,
          storage: this.#storage,
          coordination: this.#services.registers,
          store,
          counter,
          taskManagers: this.#taskManagers.length,
          hookHost: this.#hookHost(epoch, count),
          superseded: () => {
            this.#superseded = true;
          },
          ended: (run, endOut) => this.#ended(run, endOut),
        });
        this.#master.start(doneOut);
        this.#heartbeat(nowUs, doneOut);
      },
    });
    const takeover = this.#takeover;
    this.#results.read(out, (result, _nowUs, readOut) => {
      if (result !== undefined) probe(readOut, `job-result-found-${result.state}`);
      // Whether a next run was begun is for the pointer to say.
      if (result === undefined || result.isResumable === true) return takeover.start(readOut);
      this.#takeover = undefined;
      this.#isOver = true;
      if (result.state === 'dirty') this.#cleanup.start(result, readOut);
    });
  }

  /** Row C25. */
  #hookHost(epoch: LeaderEpoch, count: DeploymentCount): MasterHookHost {
    const { environment, incarnation } = this.#options;
    return {
      services: environment.services,
      storage: this.#storage,
      registers: this.#services.registers,
      epoch,
      requestTimeoutUs: environment.configuration.runtime.requestTimeoutUs,
      firstRequestId: incarnation * IDS_PER_INCARNATION,
      nextSequence: () => {
        count.hookSequence += 1;
        return count.hookSequence;
      },
    };
  }

  /** Row F18: nobody may run it again, then everything it left may go. The job's tasks are canceled by the job master. */
  #ended(run: EndedRun, out: Out): void {
    this.#results.markDirty(resultOf(run), out, (result, _nowUs, dirtyOut) => {
      if (result.state === 'dirty') this.#cleanup.start(result, dirtyOut);
    });
  }

  /** Without a job: its result says all there is to say. */
  #clientRequest(request: ClientRequest, client: Target, nowUs: Micros, out: Out): void {
    const { triggerId, operation } = request;
    if (!this.#isOver && operation.kind === 'rescale') {
      const done = { kind: 'client-reply', triggerId, result: { kind: 'done' } } as const;
      return this.#master?.rescale(operation, out, (_nowUs, answerOut) => answerOut.send(client, done));
    }
    if (!this.#isOver) return this.#master?.operations.handle(request, client, nowUs, out);
    const isDone = operation.kind === 'cancel';
    const result = isDone ? ({ kind: 'done' } as const) : ({ kind: 'failed', reason: 'the job is over' } as const);
    out.send(client, { kind: 'client-reply', triggerId, result });
  }

  #heartbeat(nowUs: Micros, out: Out): void {
    const epoch = this.#services.epoch;
    if (this.#master === undefined || epoch === undefined) return;
    for (const target of this.#taskManagers) out.send(target, { kind: 'heartbeat-request', epoch });
    this.#master.heartbeat(nowUs, out);
    out.setTimer(HEARTBEAT, micros(this.#options.environment.configuration.runtime.heartbeatIntervalUs));
  }

  /** Suspension, not termination: checkpoints and transactions stay for the next leader. */
  #forget(out: Out): void {
    this.#isUpgraded = false;
    out.cancelTimer(HEARTBEAT);
    this.#services.registers.abandon(out);
    this.#storage.abandon(out);
    this.#results.forget(out);
    this.#cleanup.forget(out);
    this.#takeover = undefined;
    this.#master = undefined;
    this.#isOver = false;
  }
}
