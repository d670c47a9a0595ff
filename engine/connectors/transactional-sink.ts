/**
 * Two-phase commit towards the sink store (rows K5-K9, K13; Flink: TwoPhaseCommitSinkFunction, CommitterOperator).
 *
 * Owns: the open transaction, those pre-committed and not yet committed. Does not own: checkpoints (it is told).
 * Invariants:
 *   I1 everything written before the barrier of n is in transactions pre-committed for n or earlier, nothing after it is;
 *   I2 a transaction is committed only after notice that its checkpoint, or a later one, is complete, or at restore from it;
 *   I3 commits go out one at a time in order, so that the visible order per subtask is the written order;
 *   I4 the acknowledgement of n waits until the store has confirmed the pre-commit (I6 in bugs.md: flush, then check).
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { RequestClient } from '../clients/request-client.ts';
import { assert } from '../foundation/assert.ts';
import {
  type CheckpointId,
  checkpointId,
  type ExecutionAttemptId,
  MAIN_MAILBOX,
  type NodeId,
} from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { SinkSpec } from '../job/job-graph.ts';
import type { ElementConsumer } from '../operators/element-consumer.ts';
import type { EngineParts } from '../parts.ts';
import type { Out, Target } from '../protocol/actor.ts';
import type { SinkReply } from '../protocol/messages.ts';
import type { TaskFailure } from '../protocol/task.ts';

/** A transaction that was closed by a checkpoint and waits for its completion. */
export interface Committable {
  readonly transaction: string;
  readonly checkpointId: number;
}

/** Stands for the checkpoint that commits the rest of a job without checkpoints. */
const COMMIT_AT_END = checkpointId(Number.MAX_SAFE_INTEGER);

/** What the sink asks of the subtask it lives in. */
export interface SinkHost {
  /** The pre-commit for this checkpoint is confirmed: the acknowledgement may go. */
  preCommitted(checkpointId: CheckpointId, nowUs: Micros, out: Out): void;
  /** Restored transactions are committed, writing may begin. */
  initialized(out: Out): void;
  fail(failure: TaskFailure, out: Out): void;
  reportCommit(committable: Committable, out: Out): void;
  reportCommitFailure(committable: Committable, outcome: string, out: Out): void;
}

export interface TransactionalSinkOptions {
  readonly uid: string;
  readonly spec: SinkSpec;
  readonly subtask: number;
  readonly attempt: ExecutionAttemptId;
  readonly store: NodeId;
  readonly parts: EngineParts;
  readonly host: SinkHost;
  readonly recordBytes: number;
  readonly requestTimeoutUs: number;
  /** Longest wait of a record for its batch, at-least-once only. */
  readonly lingerUs: number;
  readonly firstRequestId: number;
}

export class TransactionalSink implements ElementConsumer {
  readonly #options: TransactionalSinkOptions;
  readonly #producer: string;
  readonly #control: RequestClient<SinkReply>;
  readonly #data: RequestClient<SinkReply>;
  readonly #later = new DelayedCalls();
  readonly #writeTarget: Target;
  #committables: Committable[] = [];
  /** Highest checkpoint known complete. */
  #completed = 0;
  #committing = false;
  /** How often the commit of the first committable was tried. */
  #tries = 0;
  /** Pre-commits sent and not confirmed, with the checkpoint that closed each; 0 records: an at-least-once flush. */
  readonly #unconfirmed = new Map<string, number>();
  /** Snapshots whose acknowledgement waits until everything they list is confirmed. */
  #waiting: CheckpointId[] = [];
  #values: unknown[] = [];
  #lineages: number[] = [];
  /** Highest checkpoint id seen; names the next transaction, as the Kafka sink does. */
  #lastCheckpoint = 0;
  #recordsWritten = 0;
  #initialized = false;
  /** All input has come. */
  #ended = false;
  #lingering = false;
  readonly #full: Batch[] = [];

  constructor(options: TransactionalSinkOptions) {
    this.#options = options;
    this.#producer = `${options.uid}-${options.subtask}`;
    const common = { node: options.store, timeoutUs: options.requestTimeoutUs };
    this.#control = new RequestClient({
      ...common,
      via: 'datagram',
      name: 'sink',
      firstRequestId: options.firstRequestId,
    });
    this.#data = new RequestClient({
      ...common,
      via: 'connection',
      name: 'sink-data',
      firstRequestId: options.firstRequestId + 500_000_000,
    });
    this.#writeTarget = { node: options.store, mailbox: MAIN_MAILBOX, via: 'connection' };
  }

  get uid(): string {
    return this.#options.uid;
  }

  get store(): NodeId {
    return this.#options.store;
  }

  /** Fences earlier attempts, then commits what the restored checkpoint says (row K7). */
  initialize(restored: readonly Committable[], restoredCheckpoint: number, out: Out): void {
    this.#committables = [...restored];
    this.#lastCheckpoint = restoredCheckpoint;
    this.#completed = restoredCheckpoint;
    const keep = this.#options.parts.transactionsToKeep(restored.map(({ transaction }) => transaction));
    this.#control.request(
      (requestId) => ({
        kind: 'sink-initialize',
        requestId,
        producer: this.#producer,
        producerEpoch: this.#options.attempt,
        keep,
      }),
      out,
      (reply, _nowUs, replyOut) => {
        if (reply?.outcome === 'done') return this.#commitNext(replyOut);
        if (reply?.outcome === 'fenced') return this.#options.host.fail('sink-fenced', replyOut);
        this.#retry('initialize', replyOut, (lateOut) => this.initialize(restored, restoredCheckpoint, lateOut));
      },
    );
  }

  process(value: unknown, _timestampUs: number, lineage: number): void {
    this.#values.push(value);
    this.#lineages.push(lineage);
    if (this.#values.length >= this.#options.spec.batchRecords) this.#closeBatch();
  }

  /**
   * Sends what is full; called by the subtask at the end of each action. Output that is visible when written does not wait long
   * for its batch to fill; output in a transaction is not seen before the commit and may wait for the barrier.
   */
  sendFullBatches(out: Out): void {
    if (this.#values.length > 0 && this.#options.spec.guarantee === 'at-least-once' && !this.#lingering) {
      this.#lingering = true;
      this.#later.after(this.#options.lingerUs, 'linger', out, (_nowUs, lateOut) => {
        this.#lingering = false;
        if (this.#values.length > 0) this.#closeBatch();
        this.sendFullBatches(lateOut);
      });
    }
    for (const batch of this.#full) out.send(this.#writeTarget, { kind: 'sink-write', ...batch });
    this.#full.length = 0;
  }

  /**
   * Before the barrier of `checkpointId`: closes the transaction and pre-commits it. Returns the committables that belong to
   * the snapshot, and whether the acknowledgement must wait for `preCommitted`.
   */
  snapshot(checkpointId: CheckpointId, out: Out): { committables: readonly Committable[]; waits: boolean } {
    assert(this.#initialized, 'a sink is initialized before its first barrier', { checkpointId });
    if (this.#values.length > 0) this.#closeBatch();
    this.sendFullBatches(out);
    const transaction = this.#transaction();
    const records = this.#recordsWritten;
    this.#lastCheckpoint = checkpointId;
    if (this.#options.spec.guarantee === 'at-least-once') {
      this.#preCommit({ transaction, checkpointId }, () => this.#recordsWritten, out);
    } else if (records > 0) {
      this.#recordsWritten = 0;
      const committable = { transaction, checkpointId };
      this.#committables.push(committable);
      this.#preCommit(committable, () => records, out);
    }
    if (this.#ended && this.#options.parts.transactionAfterFinish === 'begun') this.#openTransaction(out);
    const waits = this.#unconfirmed.size > 0;
    if (waits) this.#waiting.push(checkpointId);
    return { committables: [...this.#committables], waits };
  }

  /**
   * All input has come. Without checkpoints that could commit it, what was written is committed now (row K5; Flink:
   * CommitterOperator.endInput).
   */
  endInput(isCheckpointing: boolean, out: Out): void {
    this.#ended = true;
    if (isCheckpointing) return;
    this.snapshot(COMMIT_AT_END, out);
    this.#completed = COMMIT_AT_END;
  }

  /** Nothing is under way: no pre-commit without confirmation, no transaction of a complete checkpoint that is not committed. */
  get isSettled(): boolean {
    const next = this.#committables[0];
    const mustCommit = next !== undefined && next.checkpointId <= this.#completed;
    return this.#initialized && !this.#committing && !mustCommit && this.#unconfirmed.size === 0;
  }

  /** Rows K6, G3: commits every transaction of this or an earlier checkpoint. */
  notifyComplete(checkpointId: CheckpointId, out: Out): void {
    if (checkpointId <= this.#completed) return;
    this.#completed = checkpointId;
    if (this.#initialized) this.#commitNext(out);
  }

  handleReply(reply: SinkReply, nowUs: Micros, out: Out): void {
    this.#control.handleReply(reply, nowUs, out);
    this.#data.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return (
      this.#later.handleTimer(timer, nowUs, out) ||
      this.#control.handleTimer(timer, nowUs, out) ||
      this.#data.handleTimer(timer, nowUs, out)
    );
  }

  /** `<uid>-<subtask>-<attempt>-<n>`: opened after checkpoint n - 1, so it belongs to checkpoint n or a later one. */
  #transaction(): string {
    if (this.#options.spec.guarantee === 'at-least-once') return '';
    return `${this.#producer}-${this.#options.attempt}-${this.#lastCheckpoint + 1}`;
  }

  #openTransaction(out: Out): void {
    const transaction = this.#transaction();
    const { attempt } = this.#options;
    const nothing = { values: [], lineages: [], bytes: 0 };
    out.send(this.#writeTarget, {
      kind: 'sink-write',
      producer: this.#producer,
      producerEpoch: attempt,
      transaction,
      ...nothing,
    });
  }

  #closeBatch(): void {
    this.#full.push({
      producer: this.#producer,
      producerEpoch: this.#options.attempt,
      transaction: this.#transaction(),
      values: this.#values,
      lineages: this.#lineages,
      bytes: this.#values.length * this.#options.recordBytes,
    });
    this.#recordsWritten += this.#values.length;
    this.#values = [];
    this.#lineages = [];
  }

  /** `records` is asked anew for a repeated flush: what was written meanwhile is in front of it on the connection. */
  #preCommit(committable: Committable, records: () => number, out: Out): void {
    const { transaction, checkpointId } = committable;
    const name = `${transaction}/${checkpointId}`;
    this.#unconfirmed.set(name, checkpointId);
    this.#data.request(
      (requestId) => ({
        kind: 'sink-pre-commit',
        requestId,
        producer: this.#producer,
        producerEpoch: this.#options.attempt,
        transaction,
        records: records(),
      }),
      out,
      (reply, nowUs, replyOut) => {
        const outcome = reply?.outcome;
        if (outcome === 'done') return this.#confirmed(name, nowUs, replyOut);
        if (outcome === 'fenced') return this.#options.host.fail('sink-fenced', replyOut);
        if (outcome === 'aborted') return this.#options.host.fail('transaction-lost', replyOut);
        if (outcome === 'incomplete') return this.#options.host.fail('sink-unavailable', replyOut);
        this.#retry(`pre-commit/${name}`, replyOut, (lateOut) => this.#preCommit(committable, records, lateOut));
      },
    );
  }

  /**
   * A snapshot lists the transactions of checkpoints that were given up, too: it is acknowledged only when every one of them is
   * confirmed, else their commit would meet a transaction that is still open.
   */
  #confirmed(name: string, nowUs: Micros, out: Out): void {
    this.#unconfirmed.delete(name);
    const oldest = Math.min(...this.#unconfirmed.values(), Number.MAX_SAFE_INTEGER);
    const free = this.#waiting.filter((id) => id < oldest);
    this.#waiting = this.#waiting.filter((id) => id >= oldest);
    for (const id of free) this.#options.host.preCommitted(id, nowUs, out);
    if (this.#completed === COMMIT_AT_END && this.#unconfirmed.size === 0) this.#commitNext(out);
  }

  #commitNext(out: Out): void {
    if (this.#committing) return;
    const committable = this.#committables[0];
    if (committable === undefined || committable.checkpointId > this.#completed) {
      if (!this.#initialized) {
        this.#initialized = true;
        this.#options.host.initialized(out);
      }
      return;
    }
    this.#committing = true;
    this.#tries += 1;
    this.#options.host.reportCommit(committable, out);
    const { transaction } = committable;
    this.#control.request(
      (requestId) => ({
        kind: 'sink-commit',
        requestId,
        producer: this.#producer,
        producerEpoch: this.#options.attempt,
        transaction,
      }),
      out,
      (reply, _nowUs, replyOut) => this.#afterCommit(committable, reply?.outcome ?? 'no-reply', replyOut),
    );
  }

  #afterCommit(committable: Committable, outcome: SinkReply['outcome'] | 'no-reply', out: Out): void {
    this.#committing = false;
    const decision = this.#options.parts.afterCommit(outcome, this.#tries);
    if (outcome !== 'done') this.#options.host.reportCommitFailure(committable, outcome, out);
    switch (decision) {
      case 'done':
        this.#committables.shift();
        this.#tries = 0;
        this.#commitNext(out);
        return;
      case 'retry':
        this.#retry('commit', out, (lateOut) => this.#commitNext(lateOut));
        return;
      case 'fail':
        this.#options.host.fail(
          outcome === 'aborted' ? 'transaction-lost' : outcome === 'fenced' ? 'sink-fenced' : 'commit-failed',
          out,
        );
        return;
      default:
        throw new RangeError(`unknown decision ${String(decision satisfies never)}`);
    }
  }

  #retry(name: string, out: Out, again: (out: Out) => void): void {
    this.#later.after(retryDelayUs(this.#options.requestTimeoutUs), name, out, (_nowUs, lateOut) => again(lateOut));
  }
}

interface Batch {
  readonly producer: string;
  readonly producerEpoch: number;
  readonly transaction: string;
  readonly values: readonly unknown[];
  readonly lineages: readonly number[];
  readonly bytes: number;
}
