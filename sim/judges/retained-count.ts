/**
 * Whether as many checkpoints are retained as are configured (row C16; Flink: state.checkpoints.num-retained): none is dropped while there is
 * room for it, and none stays beyond that but the newest that is no savepoint, which the next one may build on (FLINK-21351). And whether the
 * end of a run keeps all of them or none, as is configured (row C16; execution.checkpointing.externalized-checkpoint-retention).
 *
 * Owns: what the pointer named last. Called by the lifecycle judge, whose findings it makes. Does not own: files (retention.ts).
 *
 * I1: judged within a run: with what the next one begins is for others;
 * I2: a run that fails keeps its checkpoints unless nothing is externalized, one that is canceled if that is configured, one that finishes none.
 */
import { type CheckpointPointer, FIRST_RUN, type JobEnd } from '../../engine/protocol/checkpoint-pointer.ts';
import type { EngineConfiguration } from '../../engine/protocol/configuration.ts';
import type { Findings } from './findings.ts';

/** The newest that is no savepoint, beside savepoints that fill the limit. */
const PASSED_OVER = 1;

type Retention = EngineConfiguration['checkpoint']['retention'];

export interface RetentionRules {
  readonly retained: number;
  readonly retention: Retention;
}

interface EndOfRun {
  /** The pointer until then. */
  readonly before: CheckpointPointer | undefined;
  readonly pointer: CheckpointPointer;
  readonly ended: JobEnd;
}

export class RetainedCount {
  static readonly anomalies =
    'dropped-within-limit: the pointer drops a checkpoint, though fewer are left than are to be retained. ' +
    'kept-beyond-limit: it names more than are to be retained. dropped-at-the-end: a run ends, and its pointer drops a checkpoint that the end was to ' +
    'keep. kept-at-the-end: the next run begins, and the pointer still had one that was to go with the run before. ';
  readonly #retained: number;
  readonly #retention: Retention;
  readonly #findings: Findings;
  #before: CheckpointPointer | undefined;

  constructor({ retained, retention }: RetentionRules, findings: Findings) {
    this.#retained = retained;
    this.#retention = retention;
    this.#findings = findings;
  }

  /** Undefined: it was removed. */
  onPointer(pointer: CheckpointPointer | undefined, at: number): void {
    const before = this.#before;
    this.#before = pointer;
    if (pointer === undefined) return;
    if (before !== undefined && runOf(before) !== runOf(pointer)) this.#onNextRun(before, at);
    const { completed } = pointer;
    const { ended } = pointer.job ?? FIRST_RUN;
    if (ended !== undefined) return this.#onEnd({ before, pointer, ended }, at);
    if (completed.length > this.#retained + PASSED_OVER)
      this.#findings.violated('kept-beyond-limit', [at], () => {
        return `The pointer names ${String(completed.length)} checkpoints, ${String(this.#retained)} are to be retained`;
      });
    if (before === undefined || before.job?.run !== pointer.job?.run || before.job?.ended !== undefined) return;
    if (completed.length >= this.#retained) return;
    const dropped = before.completed.find(({ id }) => completed.every((left) => left.id !== id));
    if (dropped === undefined) return;
    this.#findings.violated('dropped-within-limit', [at], () => {
      return `The pointer drops checkpoint ${String(dropped.id)} and names ${String(completed.length)}; ${String(this.#retained)} are to be retained`;
    });
  }

  /** I2. */
  #onEnd({ before, pointer, ended: { status } }: EndOfRun, at: number): void {
    if (!isKept(status, this.#retention) || before === undefined || runOf(before) !== runOf(pointer)) return;
    const dropped = before.completed.find(({ id }) => pointer.completed.every((left) => left.id !== id));
    if (dropped === undefined) return;
    this.#findings.violated('dropped-at-the-end', [at], () => {
      return `The run is ${status}, and the pointer drops checkpoint ${String(dropped.id)}`;
    });
  }

  /** I2. Not before: that a job stops with a savepoint is noted while it still runs, as a failure, which it may yet be (decision 0017). */
  #onNextRun({ completed, job }: CheckpointPointer, at: number): void {
    const status = job?.ended?.status;
    const [kept] = completed;
    if (status === undefined || kept === undefined || isKept(status, this.#retention)) return;
    this.#findings.violated('kept-at-the-end', [at], () => {
      return `The run was ${status}, and the pointer named checkpoint ${String(kept.id)} until the next one began`;
    });
  }
}

const runOf = ({ job = FIRST_RUN }: CheckpointPointer): number => job.run;

function isKept(status: JobEnd['status'], retention: Retention): boolean {
  if (status === 'finished' || retention === 'no-externalized') return false;
  return status === 'failed' || retention === 'retain-on-cancellation';
}
