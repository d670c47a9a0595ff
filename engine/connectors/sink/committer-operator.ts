/**
 * Commits what completed checkpoints hold (rows K5 to K7; Flink: CommitterOperator).
 *
 * Owns: the collector, the one commit that is under way, what follows from its answer. Does not own: how to commit (the connector's
 * `Committer`), what is written (the writer).
 * Invariants:
 *   I1 a committable is committed only after notice that its checkpoint, or a later one, is complete, or at restore from it;
 *   I2 commits go out one at a time, in the collector's order; tries are counted over notices;
 *   I3 what comes to no good end is never passed over in silence: it is tried again, or fails the job, or is reported as dropped.
 */
import { DelayedCalls } from '../../clients/delayed-calls.ts';
import type { CheckpointId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import type { TaskFailure } from '../../protocol/task.ts';
import { CommittableCollector, type CommittableRow } from './committable-collector.ts';
import type {
  CommitAnswer,
  CommittableMessage,
  CommittableWithLineage,
  Committer,
  CommitRequest,
} from './sink-contract.ts';
import { probe, sometimes } from '../../protocol/probes.ts';

/** What a commit is called and belongs to, for facts. */
export interface CommitFact {
  readonly transaction: string;
  readonly checkpointId: number;
}

export interface CommitterHost {
  fail(failure: TaskFailure, out: Out): void;
  reportCommit(fact: CommitFact, out: Out): void;
  reportCommitFailure(fact: CommitFact, reason: string, out: Out): void;
  /** It has come to its end; `isDropped`: that is not to be seen. */
  committed(request: CommittableWithLineage, isDropped: boolean, out: Out): void;
}

export interface CommitterOperatorOptions {
  readonly committer: Committer;
  readonly host: CommitterHost;
  readonly parts: Pick<EngineParts, 'afterCommit' | 'isGroupComplete'>;
  readonly retryDelayUs: number;
  /** The only one behind all writers. */
  readonly isGlobal: boolean;
}

export class CommitterOperator {
  readonly #options: CommitterOperatorOptions;
  readonly #collector: CommittableCollector;
  readonly #later = new DelayedCalls();
  /** Highest checkpoint known complete. */
  #completed = 0;
  #committing = false;
  /** Before that, notices are only remembered: earlier attempts may not be fenced yet. */
  #hasStarted = false;
  /** Called once when nothing is left to commit of the restored checkpoint. */
  #recovered: ((out: Out) => void) | undefined;

  constructor(options: CommitterOperatorOptions) {
    this.#options = options;
    const { isGlobal, parts } = options;
    this.#collector = new CommittableCollector({ isGlobal, isComplete: parts.isGroupComplete });
  }

  restore(rows: readonly CommittableRow[], restoredCheckpoint: number): void {
    this.#collector.restore(rows);
    this.#completed = restoredCheckpoint;
  }

  /** Row K7: commits everything of the restored checkpoint, then calls back. */
  recover(recovered: (out: Out) => void, out: Out): void {
    this.#recovered = recovered;
    this.#hasStarted = true;
    sometimes(this.#collector.next(this.#completed) !== undefined, out, 'committables-recovered');
    this.#commitNext(out);
  }

  receive(message: CommittableMessage): void {
    this.#collector.add(message);
  }

  /** Row K6: everything up to this checkpoint, for a notice may have been lost. */
  notifyComplete(checkpointId: CheckpointId, out: Out): void {
    if (checkpointId <= this.#completed) return;
    const told = this.#completed;
    const oldest = this.#collector.next(checkpointId);
    this.#completed = checkpointId;
    sometimes(
      oldest !== undefined && oldest.checkpointId > told && oldest.checkpointId < checkpointId,
      out,
      'commit-of-missed-notice',
    );
    this.#commitNext(out);
  }

  rows(): readonly CommittableRow[] {
    return this.#collector.rows();
  }

  /** Nothing of a complete checkpoint is left to commit. */
  get isSettled(): boolean {
    return !this.#committing && this.#collector.next(this.#completed) === undefined;
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    this.#options.committer.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out) || this.#options.committer.handleTimer(timer, nowUs, out);
  }

  #commitNext(out: Out): void {
    if (this.#committing || !this.#hasStarted) return;
    const request = this.#collector.next(this.#completed);
    if (request === undefined) {
      const recovered = this.#recovered;
      this.#recovered = undefined;
      return recovered?.(out);
    }
    this.#committing = true;
    this.#options.host.reportCommit(this.#factOf(request), out);
    this.#options.committer.commit(request, (answer, answerOut) => this.#answered(request, answer, answerOut), out);
  }

  #answered(request: CommitRequest, answer: CommitAnswer, out: Out): void {
    const { host, parts, retryDelayUs } = this.#options;
    this.#committing = false;
    sometimes(answer.outcome === 'already-committed', out, 'commit-found-done');
    const decision = parts.afterCommit(answer.outcome, request.tries + 1);
    if (answer.outcome !== 'committed' && answer.outcome !== 'already-committed') {
      host.reportCommitFailure(this.#factOf(request), answer.reason, out);
    }
    switch (decision) {
      case 'done':
      case 'drop':
        this.#collector.settle(request, decision === 'done' ? 'committed' : 'failed');
        host.committed(request, decision === 'drop', out);
        return this.#commitNext(out);
      case 'retry':
        probe(out, 'commit-retried');
        this.#collector.settle(request, 'retry');
        return this.#later.after(retryDelayUs, 'commit', out, (_nowUs, lateOut) => this.#commitNext(lateOut));
      case 'fail':
        this.#collector.settle(request, 'retry');
        return host.fail(answer.failure, out);
      default:
        throw new RangeError(`unknown decision ${String(decision satisfies never)}`);
    }
  }

  #factOf({ committable, checkpointId }: CommittableWithLineage): CommitFact {
    return { transaction: this.#options.committer.transactionOf(committable), checkpointId };
  }
}
