/**
 * What the JobManager tells TaskManagers about single attempts (Flink: TaskExecutorGateway). Repeating any of it changes nothing.
 */
import { type ExecutionAttemptId, type LeaderEpoch, MAIN_MAILBOX, type NodeId } from '../foundation/ids.ts';
import type { JobGraph } from '../job/job-graph.ts';
import type { Out } from '../protocol/actor.ts';
import type { Execution, ExecutionGraph } from './execution-graph.ts';
import { deploymentOf } from './task-deployments.ts';

export class TaskGateway {
  readonly #graph: JobGraph;
  readonly #epoch: LeaderEpoch;

  constructor(graph: JobGraph, epoch: LeaderEpoch) {
    this.#graph = graph;
    this.#epoch = epoch;
  }

  /** Repeated while the TaskManager does not list the attempt: the message may have been lost; one too many changes nothing. */
  deploy(execution: Execution, executions: ExecutionGraph, out: Out): void {
    const { node, incarnation, restored } = execution;
    const deployment = deploymentOf(execution, { graph: this.#graph, executions, restored });
    out.send(
      { node, mailbox: MAIN_MAILBOX, via: 'datagram' },
      { kind: 'deploy-task', epoch: this.#epoch, incarnation, deployment },
    );
  }

  cancel(attempt: ExecutionAttemptId, node: NodeId, out: Out): void {
    out.send({ node, mailbox: MAIN_MAILBOX, via: 'datagram' }, { kind: 'cancel-task', epoch: this.#epoch, attempt });
  }
}
