/**
 * The sink at the end of a chain: a writer, and behind it, by direct call, the committer, unless that is a vertex of its own
 * (committer-task.ts; rows K5 to K8, K13; Flink: SinkWriterOperator, CommitterOperator).
 *
 * Owns: what becomes of committables between the two, the order of things around a barrier, the state of both. Does not own: writing and
 * committing (the connector), checkpoints (it is told).
 * Invariants:
 *   I1 before the barrier of n the writer flushes, and its committables are in the committer's snapshot of n;
 *   I2 at the end of input they are handed over under the id behind the last one known, once; no later snapshot finds more;
 *   I3 restored committables are committed before the subtask is handed a record.
 */
import { assert } from '../../foundation/assert.ts';
import { type CheckpointId, checkpointId, type NodeId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { ElementConsumer } from '../../operators/element-consumer.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import type { CommittableRow } from './committable-collector.ts';
import type { SinkState } from './committable-rows.ts';
import type { CommitterOperator } from './committer-operator.ts';
import type { CommittableMessage, SinkWriter } from './sink-contract.ts';
import type { SinkTask } from './sink-task.ts';

export interface SinkOperatorOptions {
  readonly uid: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly writer: SinkWriter;
  /** Beside the writer; undefined: behind it, and `behind` takes what it is to commit. */
  readonly committer: CommitterOperator | undefined;
  readonly behind: ElementConsumer;
  /** Restored committables are committed, writing may begin. */
  readonly initialized: (out: Out) => void;
  /** Losing the connection to it loses what was written: the subtask fails. Absent: the writer sees to it. */
  readonly store?: NodeId;
}

export class SinkOperator implements SinkTask {
  readonly #options: SinkOperatorOptions;
  readonly #writer: SinkWriter;
  readonly #committer: CommitterOperator | undefined;
  #state: 'restoring' | 'initialized' = 'restoring';
  #ended = false;
  /** Highest checkpoint seen. */
  #lastCheckpoint = 0;
  /** What the end of input stands for in a job without checkpoints: committed as soon as it is flushed. */
  #commitWhenFlushed: CheckpointId | undefined;

  constructor(options: SinkOperatorOptions) {
    this.#options = options;
    this.#writer = options.writer;
    this.#committer = options.committer;
  }

  get uid(): string {
    return this.#options.uid;
  }

  /** Records go straight to the writer. */
  get head(): ElementConsumer {
    return this.#writer;
  }

  keepsConnectionTo(peer: NodeId): boolean {
    return this.#options.store === peer;
  }

  /** Present where input may have to wait for the writer. */
  get gate(): { readonly isAvailable: boolean } | undefined {
    return this.#writer.isGated ? this.#writer : undefined;
  }

  /** `restored`: of all subtasks; what belongs to writers of other subtasks is left to them. */
  initialize(restored: SinkState, restoredCheckpoint: number, out: Out): void {
    const { subtask, parallelism } = this.#options;
    const rows = restored.committables.filter((row) => row.subtask % parallelism === subtask);
    this.#lastCheckpoint = restoredCheckpoint;
    this.#committer?.restore(rows, restoredCheckpoint);
    this.#writer.initialize(
      { checkpointId: restoredCheckpoint, states: restored.writers, committables: rows.flatMap(committablesOf) },
      out,
    );
  }

  /** The writer is ready. */
  ready(out: Out): void {
    const initialized = (recoveredOut: Out): void => {
      this.#state = 'initialized';
      this.#options.initialized(recoveredOut);
    };
    if (this.#committer === undefined) initialized(out);
    else this.#committer.recover(initialized, out);
  }

  /** Called by the subtask at the end of each action. */
  sendBatches(out: Out): void {
    this.#writer.sendBatches(out);
  }

  /** I1. In the mailbox action of the barrier, before it leaves. */
  prepareSnapshotPreBarrier(id: CheckpointId, out: Out): void {
    assert(this.#state === 'initialized', 'a sink is initialized before its first barrier', { checkpointId: id });
    if (this.#ended) this.#writer.snapshotAfterEnd(id, out);
    else this.#handOver(id, false, out);
    this.#lastCheckpoint = id;
  }

  snapshot(): SinkState & { readonly waits: boolean } {
    const committables = this.#committer?.rows() ?? [];
    return { committables, writers: this.#writer.snapshotState(), waits: !this.#writer.isFlushed };
  }

  /**
   * All input has come (I2). Without checkpoints that could commit it, what was written is committed when it is flushed (Flink:
   * CommitterOperator.endInput).
   */
  endInput(isCheckpointing: boolean, out: Out): void {
    const id = checkpointId(this.#lastCheckpoint + 1);
    this.#handOver(id, true, out);
    this.#ended = true;
    if (isCheckpointing) return;
    this.#commitWhenFlushed = id;
    if (this.#writer.isFlushed) this.#committer?.notifyComplete(id, out);
  }

  allFlushed(out: Out): void {
    if (this.#commitWhenFlushed !== undefined) this.#committer?.notifyComplete(this.#commitWhenFlushed, out);
  }

  /** Nothing is under way: all is flushed, and committed as far as it may be. */
  get isSettled(): boolean {
    return this.#state === 'initialized' && this.#writer.isFlushed && this.#committer?.isSettled !== false;
  }

  notifyComplete(id: CheckpointId, out: Out): void {
    this.#committer?.notifyComplete(id, out);
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    this.#writer.handleReply(reply, nowUs, out);
    this.#committer?.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#committer?.handleTimer(timer, nowUs, out) === true || this.#writer.handleTimer(timer, nowUs, out);
  }

  /** I1. */
  #handOver(id: CheckpointId, isEnd: boolean, out: Out): void {
    const { subtask, parallelism } = this.#options;
    const committables = this.#writer.prepareCommit(id, isEnd, out);
    // Nothing to commit is news only to a committer that waits for all writers.
    if (committables.length === 0 && this.#committer !== undefined) return;
    const group = { checkpointId: id, subtask };
    this.#emit({ kind: 'committable-summary', ...group, subtasks: parallelism, count: committables.length });
    for (const committable of committables) this.#emit({ kind: 'committable', ...group, committable });
  }

  #emit(message: CommittableMessage): void {
    if (this.#committer === undefined) this.#options.behind.process(message, 0, 0);
    else this.#committer.receive(message);
  }
}

function committablesOf({ checkpointId: id, subtask, committable }: CommittableRow) {
  return committable === '' ? [] : [{ kind: 'committable' as const, checkpointId: id, subtask, committable }];
}
