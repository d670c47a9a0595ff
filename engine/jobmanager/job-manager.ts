/**
 * The JobManager actor: stands by, leads when it holds the lease, and runs the job while it leads (Flink: JobManager process with
 * DefaultDispatcherRunner and JobMaster).
 *
 * Owns: leadership and the clients towards coordination store and storage. Does not own: the job (job-master).
 * Invariants: I1 without the lease nothing is sent to TaskManagers; I2 everything of a lost epoch is forgotten at once.
 */
import { retryDelayUs } from '../clients/delayed-calls.ts';
import { RequestClient } from '../clients/request-client.ts';
import { assert } from '../foundation/assert.ts';
import { type LeaderEpoch, MAIN_MAILBOX, type NodeId } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Actor, Input, Out, Target } from '../protocol/actor.ts';
import type { CoordinationReply, EngineMessage, StorageReply } from '../protocol/messages.ts';
import type { TaskEnvironment } from '../taskmanager/task-environment.ts';
import { JobMaster } from './job-master.ts';
import { LeaderElection } from './leader-election.ts';
import { LeaderTakeover } from './leader-takeover.ts';

const HEARTBEAT = 'heartbeat';
/** Request ids of one process start here times its incarnation; three clients share the range. */
const IDS_PER_INCARNATION = 1_000_000_000;

export interface JobManagerOptions {
  readonly environment: TaskEnvironment;
  readonly incarnation: number;
  readonly taskManagers: readonly NodeId[];
}

export class JobManager implements Actor {
  readonly #options: JobManagerOptions;
  readonly #taskManagers: readonly Target[];
  readonly #election: LeaderElection;
  readonly #lease: RequestClient<CoordinationReply>;
  readonly #coordination: RequestClient<CoordinationReply>;
  readonly #storage: RequestClient<StorageReply>;
  #takeover: LeaderTakeover | undefined;
  #master: JobMaster | undefined;
  #superseded = false;

  constructor(options: JobManagerOptions) {
    this.#options = options;
    const { environment, incarnation } = options;
    const { runtime } = environment.configuration;
    const firstId = incarnation * IDS_PER_INCARNATION;
    const common = { via: 'datagram', timeoutUs: runtime.requestTimeoutUs } as const;
    const { coordination, storage } = environment.services;
    this.#lease = new RequestClient({ ...common, node: coordination, name: 'lease', firstRequestId: firstId });
    this.#coordination = new RequestClient({
      ...common,
      node: coordination,
      name: 'coordination',
      firstRequestId: firstId + IDS_PER_INCARNATION / 2,
    });
    this.#storage = new RequestClient({ ...common, node: storage, name: 'storage', firstRequestId: firstId });
    this.#taskManagers = options.taskManagers.map((node) => ({ node, mailbox: MAIN_MAILBOX, via: 'datagram' }));
    this.#election = new LeaderElection({
      jobId: environment.graph.jobId,
      node: environment.node,
      incarnation,
      runtime,
      coordination: this.#lease,
      acquired: (epoch, _nowUs, out) => this.#acquired(epoch, out),
      lost: (_epoch, _nowUs, out) => this.#forget(out),
    });
  }

  handle(input: Input, nowUs: Micros, out: Out): void {
    if (input.kind === 'started') return this.#election.start(nowUs, out);
    this.#election.checkLease(nowUs, out);
    if (input.kind === 'timer') this.#timer(input.timer, nowUs, out);
    else this.#message(input.message, input.from, nowUs, out);
    if (this.#superseded) {
      this.#superseded = false;
      this.#forget(out);
    }
  }

  #timer(timer: string, nowUs: Micros, out: Out): void {
    if (timer === HEARTBEAT) return this.#heartbeat(nowUs, out);
    const handled =
      this.#election.handleTimer(timer, nowUs, out) ||
      this.#lease.handleTimer(timer, nowUs, out) ||
      this.#coordination.handleTimer(timer, nowUs, out) ||
      this.#storage.handleTimer(timer, nowUs, out) ||
      this.#takeover?.handleTimer(timer, nowUs, out) === true ||
      this.#master?.handleTimer(timer, nowUs, out) === true;
    if (!handled) out.report({ kind: 'message-discarded', message: 'timer', why: 'of an epoch that is over' });
  }

  #message(message: EngineMessage, from: NodeId, nowUs: Micros, out: Out): void {
    out.busy('message', 1);
    switch (message.kind) {
      case 'coordination-reply':
        this.#lease.handleReply(message, nowUs, out);
        return this.#coordination.handleReply(message, nowUs, out);
      case 'storage-reply':
        return this.#storage.handleReply(message, nowUs, out);
      case 'heartbeat-response':
      case 'task-state':
      case 'acknowledge-checkpoint':
      case 'decline-checkpoint':
        if (this.#master !== undefined && message.epoch === this.#election.epoch) {
          return this.#master.handle(message, from, nowUs, out);
        }
        return out.report({ kind: 'message-discarded', message: message.kind, why: 'of another leader epoch' });
      case 'client-request':
        return this.#master?.operations.handle(
          message,
          { node: from, mailbox: MAIN_MAILBOX, via: 'datagram' },
          nowUs,
          out,
        );
      case 'connection-lost':
        return;
      default:
        out.report({ kind: 'message-discarded', message: message.kind, why: 'not for a JobManager' });
    }
  }

  #acquired(epoch: LeaderEpoch, out: Out): void {
    assert(this.#master === undefined && this.#takeover === undefined, 'a new leader starts from nothing', { epoch });
    const { environment } = this.#options;
    const { configuration, graph } = environment;
    this.#takeover = new LeaderTakeover({
      jobId: graph.jobId,
      epoch,
      retained: configuration.checkpoint.retained,
      firstId: configuration.checkpoint.firstId,
      retryUs: retryDelayUs(configuration.runtime.requestTimeoutUs),
      coordination: this.#coordination,
      superseded: () => {
        this.#superseded = true;
      },
      done: (store, counter, nowUs, doneOut) => {
        this.#master = new JobMaster({
          environment,
          epoch,
          storage: this.#storage,
          coordination: this.#coordination,
          store,
          counter,
          taskManagers: this.#taskManagers.length,
          superseded: () => {
            this.#superseded = true;
          },
        });
        this.#master.start(doneOut);
        this.#heartbeat(nowUs, doneOut);
      },
    });
    this.#takeover.start(out);
  }

  #heartbeat(nowUs: Micros, out: Out): void {
    const epoch = this.#election.epoch;
    if (this.#master === undefined || epoch === undefined) return;
    for (const target of this.#taskManagers) out.send(target, { kind: 'heartbeat-request', epoch });
    this.#master.heartbeat(nowUs, out);
    out.setTimer(HEARTBEAT, micros(this.#options.environment.configuration.runtime.heartbeatIntervalUs));
  }

  /** Suspension, not termination: checkpoints and transactions stay for the next leader. */
  #forget(out: Out): void {
    out.cancelTimer(HEARTBEAT);
    this.#coordination.abandon(out);
    this.#storage.abandon(out);
    this.#takeover = undefined;
    this.#master = undefined;
  }
}
