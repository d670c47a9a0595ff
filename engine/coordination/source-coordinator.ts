/**
 * The coordinator of a source: an enumerator, the readers that are there, and what was assigned to them (rows K1-K3; Flink:
 * SourceCoordinator, SourceCoordinatorContext).
 *
 * Owns: the ways to the readers and the tracker. Does not own: which split goes where (split-enumerator.ts), which source of a chain is read
 * and what the log is asked (hybrid-enumerator.ts).
 * Invariants:
 *   I1 a split is recorded in the tracker when its assignment is handed to the gateway, kept back there or not;
 *   I2 the snapshot is one moment: enumerator state and the tracker's border are taken together.
 */
import { assert, unreachable } from '../foundation/assert.ts';
import type { CheckpointId, ExecutionAttemptId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import { chainOf, type SourceSpec } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import { type EventFromOperator, type LogSplit, sourceOf } from '../protocol/operator-events.ts';
import { HybridEnumerator } from './hybrid-enumerator.ts';
import type { OperatorCoordinator, OperatorSubtask, SnapshotDone, SubtaskAttempt } from './operator-coordinator.ts';
import type { DiscoveryHost } from './partition-discovery.ts';
import { SplitAssignmentTracker } from './split-assignment-tracker.ts';

export interface SourceCoordinatorOptions {
  readonly source: SourceSpec & { readonly uid: string };
  readonly host: DiscoveryHost;
  /** Until `deployedWith` says another one. */
  readonly parallelism: number;
  readonly parts: Pick<
    EngineParts,
    'splitsToGiveBack' | 'splitsToDoneReader' | 'backlogOfEndedReader' | 'startOfNewPartition' | 'assignmentsAtReset'
  >;
}

export class SourceCoordinator implements OperatorCoordinator {
  readonly #options: SourceCoordinatorOptions;
  readonly #gateways = new Map<number, OperatorSubtask>();
  readonly #registered = new Set<number>();
  /** Attempts whose readers lag (row C5). */
  readonly #lagging = new Set<ExecutionAttemptId>();
  readonly #enumerator: HybridEnumerator;
  #tracker = new SplitAssignmentTracker<LogSplit>();
  #parallelism: number;

  constructor(options: SourceCoordinatorOptions) {
    this.#options = options;
    this.#parallelism = options.parallelism;
    const context = {
      registered: this.#registered,
      parallelism: () => this.#parallelism,
      assignSplit: (subtask: number, split: LogSplit, out: Out) => {
        this.#tracker.record(subtask, split);
        this.#gatewayOf(subtask).sendEvent({ kind: 'assign-splits', splits: [split] }, out);
      },
      signalNoMoreSplits: (subtask: number, out: Out) =>
        this.#gatewayOf(subtask).sendEvent({ kind: 'no-more-splits' }, out),
      releaseSplit: (subtask: number, splitId: string, out: Out) =>
        this.#gatewayOf(subtask).sendEvent({ kind: 'release-split', splitId }, out),
      switchSource: (subtask: number, source: number, out: Out) =>
        this.#gatewayOf(subtask).sendEvent({ kind: 'switch-source', source }, out),
    };
    const { source, host, parts } = options;
    this.#enumerator = new HybridEnumerator({ uid: source.uid, sources: chainOf(source), context, host, parts });
  }

  /** Construction and reset have begun the enumerator; it waits for its readers. */
  start(): void {}

  checkpointCoordinator(
    { checkpointId, nowUs }: { readonly checkpointId: CheckpointId; readonly nowUs: Micros },
    out: Out,
    done: SnapshotDone,
  ): void {
    const bytes = this.#enumerator.snapshotState();
    this.#tracker.onCheckpoint(checkpointId);
    out.busy('byte', bytes.length);
    done(bytes, nowUs, out);
  }

  notifyCheckpointComplete(checkpointId: CheckpointId): void {
    this.#tracker.onCheckpointComplete(checkpointId);
  }

  notifyCheckpointAborted(): void {}

  deployedWith(parallelism: number): void {
    this.#parallelism = parallelism;
  }

  /** The readers fall back with it, so that nothing has to be given back. */
  resetToCheckpoint(_checkpointId: CheckpointId, bytes: Uint8Array | undefined, out: Out): void {
    this.#gateways.clear();
    this.#registered.clear();
    if (this.#options.parts.backlogOfEndedReader === 'cleared') this.#lagging.clear();
    if (this.#options.parts.assignmentsAtReset === 'forgotten') this.#tracker = new SplitAssignmentTracker();
    this.#enumerator.begin(bytes);
    this.#enumerator.restartDiscovery(out);
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    return this.#enumerator.handleMessage(message, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#enumerator.handleTimer(timer, nowUs, out);
  }

  executionAttemptReady(gateway: OperatorSubtask): void {
    this.#gateways.set(gateway.subtask, gateway);
  }

  handleEventFromOperator({ subtask, attempt }: SubtaskAttempt, event: EventFromOperator, out: Out): void {
    assert(this.#gatewayOf(subtask).attempt === attempt, 'events come from the attempt that is ready', { attempt });
    switch (event.kind) {
      case 'register-reader':
        this.#registered.add(subtask);
        return this.#enumerator.addReader(subtask, event.splits, event.hasFinished, out);
      case 'request-split':
        return this.#enumerator.handleSplitRequest(subtask, sourceOf(event), out);
      case 'split-finished':
        return this.#enumerator.handleFinished(subtask, event, out);
      case 'report-backlog':
        if (event.isProcessingBacklog) this.#lagging.add(attempt);
        else this.#lagging.delete(attempt);
        return;
      case 'acknowledge-checkpoint-event':
        return;
      default:
        unreachable(event);
    }
  }

  subtaskFailed({ subtask, attempt }: { subtask: number; attempt: ExecutionAttemptId }): void {
    if (this.#gateways.get(subtask)?.attempt !== attempt) return;
    this.#gateways.delete(subtask);
    this.#registered.delete(subtask);
    this.#forgetLag(attempt);
  }

  subtaskFinished({ attempt }: SubtaskAttempt): void {
    this.#forgetLag(attempt);
  }

  get isProcessingBacklog(): boolean {
    return this.#lagging.size > 0 || this.#enumerator.isProcessingBacklog;
  }

  /** Row C5: a reader that is gone can never say that it has caught up; its next attempt says anew how it stands. */
  #forgetLag(attempt: ExecutionAttemptId): void {
    if (this.#options.parts.backlogOfEndedReader === 'cleared') this.#lagging.delete(attempt);
  }

  /** Row K2: the coordinator is not rolled back; what the subtask has forgotten is given back. */
  subtaskReset(subtask: number, restored: CheckpointId, out: Out): void {
    const forgotten = this.#tracker.takeAssignedAfter(subtask, restored);
    const splits = this.#options.parts.splitsToGiveBack(forgotten, this.#enumerator.current);
    this.#enumerator.addSplitsBack(splits, subtask, out);
  }

  #gatewayOf(subtask: number): OperatorSubtask {
    const gateway = this.#gateways.get(subtask);
    assert(gateway !== undefined, 'only a reader that is there is sent something', { subtask });
    return gateway;
  }
}
