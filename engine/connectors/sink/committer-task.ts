/**
 * A committer in a vertex of its own: takes the committables of the writers in front (row K8; Flink: CommitterOperator, GlobalCommitterOperator).
 *
 * Owns: nothing but the place. Barriers on the exchange in front are always aligned (row B11), so whatever belongs to a checkpoint is here when
 * its snapshot is taken.
 */
import { assert } from '../../foundation/assert.ts';
import type { CheckpointId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { ElementConsumer } from '../../operators/element-consumer.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import { probe } from '../../protocol/probes.ts';
import type { SinkState } from './committable-rows.ts';
import type { CommitterOperator } from './committer-operator.ts';
import { type CommittableWithLineage, isCommittableMessage } from './sink-contract.ts';
import type { SinkTask } from './sink-task.ts';

export interface CommitterTaskOptions {
  readonly uid: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly committer: CommitterOperator;
  /** Takes what is committed. */
  readonly behind: ElementConsumer;
  readonly initialized: (out: Out) => void;
}

export class CommitterTask implements SinkTask, ElementConsumer {
  readonly gate = undefined;
  readonly #options: CommitterTaskOptions;
  #hasEnded = false;

  constructor(options: CommitterTaskOptions) {
    this.#options = options;
  }

  get uid(): string {
    return this.#options.uid;
  }

  get head(): ElementConsumer {
    return this;
  }

  process(value: unknown): void {
    assert(isCommittableMessage(value), 'a writer sends committables to its committer');
    this.#options.committer.receive(value);
  }

  /** It has come to its end. Nothing goes behind the end of data, which has left already. */
  committed({ checkpointId, subtask, committable }: CommittableWithLineage, out: Out): void {
    if (this.#hasEnded) return probe(out, 'committed-behind-the-end');
    this.#options.behind.process({ kind: 'committable', checkpointId, subtask, committable }, 0, 0);
  }

  keepsConnectionTo(): boolean {
    return false;
  }

  initialize(restored: SinkState, restoredCheckpoint: number, out: Out): void {
    const { committer, subtask, parallelism, initialized } = this.#options;
    const rows = restored.committables.filter((row) => row.subtask % parallelism === subtask);
    committer.restore(rows, restoredCheckpoint);
    committer.recover(initialized, out);
  }

  sendBatches(): void {
    // It writes nothing.
  }

  prepareSnapshotPreBarrier(): void {
    // What is to be in the snapshot came before the barriers.
  }

  snapshot(): SinkState & { readonly waits: boolean } {
    return { committables: this.#options.committer.rows(), writers: [], waits: false };
  }

  endInput(): void {
    this.#hasEnded = true;
    // The writers' last committables carry an id that the final checkpoint covers.
  }

  get isSettled(): boolean {
    return this.#options.committer.isSettled;
  }

  notifyComplete(id: CheckpointId, out: Out): void {
    this.#options.committer.notifyComplete(id, out);
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    this.#options.committer.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#options.committer.handleTimer(timer, nowUs, out);
  }
}
