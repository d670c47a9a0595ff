/**
 * What TaskManagers say, or no longer say, about the job's executions (rows F4, F19, G6; Flink: JobMaster with TaskManagerHeartbeatListener,
 * SchedulerNG.updateTaskExecutionState).
 *
 * Owns: what a report means for the executions it names. Does not own: which TaskManagers answer (their registry), one execution against
 * the list (heartbeat-reconciliation), what becomes of the job (the host).
 * Invariants:
 *   I1 what an earlier attempt still says changes nothing (row G6);
 *   I2 a message only makes it quick: whatever it says, the next heartbeat says too;
 *   I3 what ends by one event ends together: what failed of it is one failure.
 */
import type { ExecutionAttemptId, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { RestartCause } from '../protocol/engine-events.ts';
import type { ListedExecution, TaskManagerMessage } from '../protocol/messages.ts';
import type { Execution, ExecutionGraph } from './execution-graph.ts';
import { reconcile } from './heartbeat-reconciliation.ts';
import type { SlotPool } from './slot-pool.ts';
import type { TaskGateway } from './task-gateway.ts';
import { probe, sometimes } from '../protocol/probes.ts';
import type { WhyFailed } from '../protocol/task.ts';

type HeartbeatResponse = Extract<TaskManagerMessage, { kind: 'heartbeat-response' }>;
type TaskStateMessage = Extract<TaskManagerMessage, { kind: 'task-state' }>;

/** What becomes of the job by a report. */
export interface ReportedJob {
  /** Undefined: nothing is deployed. */
  executions(): ExecutionGraph | undefined;
  /** It never arrived. */
  deployAgain(execution: Execution, out: Out): void;
  /** May be no news. */
  progressed(execution: Execution, state: 'running' | 'finished', nowUs: Micros, out: Out): void;
  endOfData(attempt: ExecutionAttemptId, nowUs: Micros, out: Out): void;
  /** Together; what is being cancelled does not fail. */
  failed(executions: readonly Execution[], why: WhyTasksFail, nowUs: Micros, out: Out): void;
  /** There may be more or fewer slots. */
  resourcesChanged(nowUs: Micros, out: Out): void;
  /** What stood in the way of a deployment may be gone. */
  tryDeploy(nowUs: Micros, out: Out): void;
  /** What stood in the way of the end may be gone. */
  tryConclude(out: Out): void;
}

export interface WhyTasksFail {
  readonly cause: RestartCause;
  /** What somebody must mend (row S13), if the job ends by it. */
  readonly reason?: string | undefined;
}

export class TaskReports {
  readonly #slots: SlotPool;
  readonly #gateway: TaskGateway;
  readonly #job: ReportedJob;

  constructor(slots: SlotPool, gateway: TaskGateway, job: ReportedJob) {
    this.#slots = slots;
    this.#gateway = gateway;
    this.#job = job;
  }

  /** Those that were not heard since then are lost. */
  removeSilent(sinceUs: number, nowUs: Micros, out: Out): void {
    if (this.#slots.registry.removeSilent(sinceUs).length > 0) {
      probe(out, 'taskmanager-heartbeat-timeout');
    }
    this.#endOnUnregistered(nowUs, out);
  }

  heartbeatResponse(message: HeartbeatResponse, from: NodeId, nowUs: Micros, out: Out): void {
    const job = this.#job;
    const { incarnation, slots } = message;
    const { registry } = this.#slots;
    const before = registry.of(from);
    if (before !== undefined && before.incarnation > incarnation) return;
    const listed = new Map<ExecutionAttemptId, ListedExecution>();
    for (const execution of message.executions) listed.set(execution.attempt, execution);
    registry.heard({ node: from, incarnation, slots, heardUs: nowUs, executions: listed });
    for (const attempt of listed.keys())
      if (job.executions()?.of(attempt) === undefined) this.#gateway.cancel(attempt, from, out);
    const { gone, failed } = this.#reconcile({ from, incarnation, listed }, nowUs, out);
    this.#lost(gone, nowUs, out);
    for (const execution of failed) job.failed([execution], whyFailed(listed.get(execution.attempt)), nowUs, out);
    for (const { attempt, endOfData } of message.executions) if (endOfData === true) job.endOfData(attempt, nowUs, out);
    job.resourcesChanged(nowUs, out);
    job.tryDeploy(nowUs, out);
  }

  taskState(message: TaskStateMessage, from: NodeId, nowUs: Micros, out: Out): void {
    const { attempt, state } = message;
    this.#slots.registry.forgetBefore(from, message.incarnation);
    this.#endOnUnregistered(nowUs, out);
    if (state === 'canceled') this.#slots.registry.ended(from, attempt);
    const execution = this.#job.executions()?.of(attempt);
    if (execution === undefined) {
      out.report({ kind: 'message-discarded', message: 'task-state', why: 'of an attempt that is not current' });
      if (state === 'canceled') this.#job.tryDeploy(nowUs, out);
      return;
    }
    if (state === 'running' || state === 'finished') this.#job.progressed(execution, state, nowUs, out);
    if (state === 'failed') {
      const unreachable = (message.unreachable ?? []).flatMap((producer) => this.#job.executions()?.of(producer) ?? []);
      this.#job.failed([execution, ...unreachable], whyFailed(message), nowUs, out);
    }
    if (state === 'canceled') this.#lost([execution], nowUs, out);
  }

  /** What the list shows to have ended, one way or the other; what has not is brought along. */
  #reconcile(
    found: {
      readonly from: NodeId;
      readonly incarnation: number;
      readonly listed: ReadonlyMap<ExecutionAttemptId, ListedExecution>;
    },
    nowUs: Micros,
    out: Out,
  ): { readonly gone: readonly Execution[]; readonly failed: readonly Execution[] } {
    const job = this.#job;
    const gone: Execution[] = [];
    const failed: Execution[] = [];
    for (const execution of job.executions()?.on(found.from) ?? []) {
      switch (reconcile(execution, found)) {
        case 'missing':
          probe(out, 'deployment-repeated');
          job.deployAgain(execution, out);
          break;
        case 'gone':
          gone.push(execution);
          break;
        case 'failed':
          sometimes(execution.state !== 'canceling', out, 'failure-found-by-heartbeat');
          failed.push(execution);
          break;
        case 'runs':
          job.progressed(execution, 'running', nowUs, out);
          break;
        case 'finished':
          job.progressed(execution, 'finished', nowUs, out);
          break;
        default:
      }
    }
    return { gone, failed };
  }

  /** A TaskManager that is silent, or whose former process is gone, runs nothing of ours any more. */
  #endOnUnregistered(nowUs: Micros, out: Out): void {
    const { registry } = this.#slots;
    const gone: Execution[] = [];
    for (const execution of this.#job.executions()?.all() ?? [])
      if (registry.of(execution.node) === undefined) gone.push(execution);
    if (gone.length > 0) this.#lost(gone, nowUs, out);
  }

  /**
   * They have ended. Those that nobody cancelled failed, together: the regions of all of them restart. What has finished needs its
   * TaskManager no more.
   */
  #lost(gone: readonly Execution[], nowUs: Micros, out: Out): void {
    const job = this.#job;
    const executions = gone.filter(({ state }) => state !== 'finished');
    if (executions.length === 0) return;
    const failed = executions.filter(({ state }) => state !== 'canceling');
    for (const { attempt } of executions) job.executions()?.remove(attempt);
    for (const node of new Set(failed.map((execution) => execution.node))) {
      if (this.#slots.failed(node, nowUs)) probe(out, 'node-blocked');
    }
    job.failed(failed, { cause: 'taskmanager-lost' }, nowUs, out);
    job.tryDeploy(nowUs, out);
    job.tryConclude(out);
  }
}

const whyFailed = ({ failure = 'user-function', reason }: WhyFailed = {}): WhyTasksFail => ({ cause: failure, reason });
