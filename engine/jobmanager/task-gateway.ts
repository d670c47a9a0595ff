/**
 * What the JobManager tells TaskManagers about single attempts (Flink: TaskExecutorGateway). Repeating any of it changes nothing.
 */
import { type ExecutionAttemptId, type LeaderEpoch, MAIN_MAILBOX, type NodeId } from '../foundation/ids.ts';
import type { Out, Target } from '../protocol/actor.ts';
import type { AcknowledgeCheckpoint, DeclineCheckpoint } from '../protocol/messages.ts';
import type { Execution } from './execution-graph.ts';
import type { TaskDeployments } from './task-deployments.ts';

export class TaskGateway {
  readonly #epoch: LeaderEpoch;

  constructor(epoch: LeaderEpoch) {
    this.#epoch = epoch;
  }

  /** Repeated while the TaskManager does not list the attempt: the message may have been lost; one too many changes nothing. */
  deploy(execution: Execution, deployments: TaskDeployments, out: Out): void {
    const { node, incarnation } = execution;
    const deployment = deployments.of(execution);
    out.send(
      { node, mailbox: MAIN_MAILBOX, via: 'datagram' },
      { kind: 'deploy-task', epoch: this.#epoch, incarnation, deployment },
    );
  }

  cancel(attempt: ExecutionAttemptId, node: NodeId, out: Out): void {
    out.send({ node, mailbox: MAIN_MAILBOX, via: 'datagram' }, { kind: 'cancel-task', epoch: this.#epoch, attempt });
  }

  /** Row C11: it arrived; what it is worth the task need not know. */
  confirm({ attempt, checkpointId }: AcknowledgeCheckpoint | DeclineCheckpoint, from: Target, out: Out): void {
    const confirmed = { kind: 'acknowledge-confirmed', epoch: this.#epoch, attempt, checkpointId } as const;
    out.send(from, confirmed);
  }
}
