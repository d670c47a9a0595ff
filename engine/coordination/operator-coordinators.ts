/**
 * All operator coordinators of the job, and the messages between them and their subtasks (rows C1, C18, C24, F4; Flink:
 * OperatorCoordinatorHandler, DefaultOperatorCoordinatorHandler).
 *
 * Owns: which vertex has a coordinator, and the conjunction of their snapshots. Does not own: executions (the job master).
 * What the job master must call, and when:
 *   - `deployedAs` when the whole job is deployed, with the graph as wide as that (Flink: OperatorCoordinator.Context.currentParallelism);
 *   - `resetToCheckpoint` before it deploys the whole job, also on a start from nothing (row C18b);
 *   - `subtaskReset` for each subtask of a region, when its restore is chosen and before it is deployed (rows C18a, F4);
 *   - `attemptReady` when an execution runs, `attemptFailed` when it has failed, is cancelled or gone;
 *   - `receive` for messages of current attempts, `handleTimer`.
 * Invariant I1: a snapshot of all is complete when each is; the first that fails, fails it, and gateways are opened again (row C1).
 */
import type { CheckpointId, ExecutionAttemptId, LeaderEpoch } from '../foundation/ids.ts';
import { checkpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { JobGraph, JobVertex } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage, OperatorEventMessage } from '../protocol/messages.ts';
import type { CheckpointMetadata, CoordinatorState } from '../protocol/metadata-file.ts';
import type { EventFromOperator } from '../protocol/operator-events.ts';
import type { CheckpointedCoordinators, CoordinatorStatesDone } from './checkpointed-coordinators.ts';
import type { OperatorCoordinator } from './operator-coordinator.ts';
import { OperatorCoordinatorHolder } from './operator-coordinator-holder.ts';
import type { DiscoveryHost } from './partition-discovery.ts';
import { SourceCoordinator } from './source-coordinator.ts';
import { probe } from '../protocol/probes.ts';

/** An execution attempt and whose it is. */
export interface VertexAttempt {
  readonly attempt: ExecutionAttemptId;
  readonly vertex: number;
  readonly subtask: number;
}

export interface OperatorCoordinatorsOptions {
  readonly graph: JobGraph;
  readonly parts: EngineParts;
  readonly epoch: LeaderEpoch;
  /** Without an acknowledgement for its time-out of requests, an event counts as lost (Flink: the RPC time-out). */
  readonly host: DiscoveryHost;
  readonly sendToTask: (attempt: ExecutionAttemptId, message: EngineMessage, out: Out) => void;
  /** The attempt could not be told something: it must be failed over (row C24). */
  readonly failTask: (attempt: ExecutionAttemptId, nowUs: Micros, out: Out) => void;
  /** `isProcessingBacklog` is another one than before (row C5). */
  readonly backlogChanged?: (nowUs: Micros, out: Out) => void;
  /** The coordinator of a vertex; undefined: it has none. Default: that of its source. */
  readonly create?: (
    vertex: JobVertex,
    parts: EngineParts,
  ) => { operator: string; coordinator: OperatorCoordinator } | undefined;
}

export class OperatorCoordinators implements CheckpointedCoordinators {
  readonly #options: OperatorCoordinatorsOptions;
  readonly #byVertex = new Map<number, OperatorCoordinatorHolder>();
  /** As `backlogChanged` said last. */
  #wasProcessingBacklog = false;

  constructor(options: OperatorCoordinatorsOptions) {
    this.#options = options;
    const create = options.create ?? ((vertex, parts) => sourceCoordinatorOf(vertex, parts, options.host));
    for (const vertex of options.graph.vertices) {
      const made = create(vertex, options.parts);
      if (made !== undefined) this.#byVertex.set(vertex.index, this.#hold(made));
    }
  }

  /* ---- checkpoints ---- */

  checkpoint(
    at: { readonly checkpointId: CheckpointId; readonly nowUs: Micros },
    out: Out,
    done: CoordinatorStatesDone,
  ): void {
    const states: CoordinatorState[] = [];
    let missing = this.#byVertex.size;
    if (missing === 0) return done(states, at.nowUs, out);
    for (const holder of this.#byVertex.values()) {
      holder.checkpoint(at, out, (bytes, nowUs, doneOut) => {
        if (missing <= 0) return;
        if (bytes === undefined) {
          missing = 0;
          return done(undefined, nowUs, doneOut);
        }
        states.push({ operator: holder.operator, bytes });
        missing -= 1;
        if (missing === 0) done(states.sort(byOperator), nowUs, doneOut);
      });
    }
  }

  abortCurrentTriggering(out: Out): void {
    for (const holder of this.#byVertex.values()) holder.abortCurrentTriggering(out);
  }

  notifyComplete(id: CheckpointId, out: Out): void {
    for (const holder of this.#byVertex.values()) holder.notifyComplete(id, out);
  }

  notifyAborted(id: CheckpointId, out: Out): void {
    for (const holder of this.#byVertex.values()) holder.notifyAborted(id, out);
  }

  /* ---- restore ---- */

  /** The whole job is deployed anew, perhaps with another parallelism; `resetToCheckpoint` follows. */
  deployedAs(graph: JobGraph): void {
    for (const { index, parallelism } of graph.vertices) this.#byVertex.get(index)?.deployedWith(parallelism);
  }

  /** The whole job begins again, from this checkpoint; undefined: from nothing. */
  resetToCheckpoint(metadata: CheckpointMetadata | undefined, out: Out): void {
    const id = metadata?.checkpointId ?? checkpointId(0);
    for (const holder of this.#byVertex.values()) {
      const found = metadata?.coordinators?.find(({ operator }) => operator === holder.operator)?.bytes;
      holder.resetToCheckpoint(id, this.#options.parts.coordinatorStateToRestore(found), out);
    }
  }

  /** One subtask begins again from a checkpoint (0: from nothing); its coordinator goes on where it stands. */
  subtaskReset(of: Pick<VertexAttempt, 'vertex' | 'subtask'>, restored: CheckpointId, out: Out): void {
    this.#byVertex.get(of.vertex)?.subtaskReset(of.subtask, restored, out);
  }

  /* ---- executions ---- */

  attemptReady(of: VertexAttempt, nowUs: Micros, out: Out): void {
    this.#byVertex.get(of.vertex)?.attemptReady(pick(of), nowUs, out);
  }

  attemptFailed(of: VertexAttempt, nowUs: Micros, out: Out): void {
    this.#byVertex.get(of.vertex)?.subtaskFailed(pick(of), nowUs, out);
    this.#tellBacklog(nowUs, out);
  }

  attemptFinished(of: VertexAttempt, nowUs: Micros, out: Out): void {
    this.#byVertex.get(of.vertex)?.subtaskFinished(pick(of));
    this.#tellBacklog(nowUs, out);
  }

  /** Row C5. */
  get isProcessingBacklog(): boolean {
    for (const holder of this.#byVertex.values()) if (holder.isProcessingBacklog) return true;
    return false;
  }

  #tellBacklog(nowUs: Micros, out: Out): void {
    const is = this.isProcessingBacklog;
    if (is === this.#wasProcessingBacklog) return;
    this.#wasProcessingBacklog = is;
    probe(out, is ? 'backlog-began' : 'backlog-over');
    this.#options.backlogChanged?.(nowUs, out);
  }

  /** `of` is a current attempt. An event of it is proof that it runs, should the report of that be late (Flink: RPCs keep order). */
  receive(of: VertexAttempt, message: OperatorEventMessage, nowUs: Micros, out: Out): void {
    const holder = this.#byVertex.get(of.vertex);
    if (holder === undefined || holder.operator !== message.operator) return;
    const { sequence } = message;
    if (message.kind === 'operator-event-acknowledged') return holder.acknowledged(pick(of), sequence, nowUs, out);
    holder.attemptReady(pick(of), nowUs, out);
    holder.receive(pick(of), { sequence, event: message.event as EventFromOperator }, out);
    this.#tellBacklog(nowUs, out);
  }

  /** What an outside system answers. False: no coordinator asked. */
  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    for (const holder of this.#byVertex.values()) if (holder.handleMessage(message, nowUs, out)) return true;
    return false;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    for (const holder of this.#byVertex.values()) if (holder.handleTimer(timer, nowUs, out)) return true;
    return false;
  }

  #hold({ operator, coordinator }: { operator: string; coordinator: OperatorCoordinator }): OperatorCoordinatorHolder {
    const { parts, host, epoch, sendToTask, failTask } = this.#options;
    return new OperatorCoordinatorHolder({
      operator,
      coordinator,
      parts,
      timeoutUs: host.requestTimeoutUs,
      host: {
        deliver: ({ attempt }, { sequence, event }, out) =>
          sendToTask(attempt, { kind: 'operator-event', epoch, attempt, operator, sequence, event }, out),
        acknowledge: ({ attempt }, sequence, out) =>
          sendToTask(attempt, { kind: 'operator-event-acknowledged', epoch, attempt, operator, sequence }, out),
        failTask,
      },
    });
  }
}

const pick = ({ subtask, attempt }: VertexAttempt): { subtask: number; attempt: ExecutionAttemptId } => ({
  subtask,
  attempt,
});

const byOperator = (a: CoordinatorState, b: CoordinatorState): number =>
  a.operator < b.operator ? -1 : a.operator > b.operator ? 1 : 0;

function sourceCoordinatorOf(
  vertex: JobVertex,
  parts: EngineParts,
  host: DiscoveryHost,
): { operator: string; coordinator: OperatorCoordinator } | undefined {
  const { source, parallelism } = vertex;
  if (source?.kind !== 'split-log') return undefined;
  return { operator: source.uid, coordinator: new SourceCoordinator({ source, host, parallelism, parts }) };
}
