/**
 * Whether as many checkpoints are retained as are configured (row C16; Flink: state.checkpoints.num-retained): none is dropped while there is
 * room for it, and none stays beyond that but the newest that is no savepoint, which the next one may build on (FLINK-21351).
 *
 * Owns: what the pointer named last. Called by the lifecycle judge, whose findings it makes. Does not own: files (retention.ts).
 *
 * I1: judged within a run that has not ended: with what a run begins, and what the end of one keeps, is for others.
 */
import type { CheckpointPointer } from '../../engine/protocol/checkpoint-pointer.ts';
import type { Findings } from './findings.ts';

/** The newest that is no savepoint, beside savepoints that fill the limit. */
const PASSED_OVER = 1;

export class RetainedCount {
  static readonly anomalies =
    'dropped-within-limit: the pointer drops a checkpoint, though fewer are left than are to be retained. ' +
    'kept-beyond-limit: it names more than are to be retained. ';
  readonly #retained: number;
  readonly #findings: Findings;
  #before: CheckpointPointer | undefined;

  constructor(retained: number, findings: Findings) {
    this.#retained = retained;
    this.#findings = findings;
  }

  /** Undefined: it was removed. */
  onPointer(pointer: CheckpointPointer | undefined, at: number): void {
    const before = this.#before;
    this.#before = pointer;
    if (pointer === undefined || pointer.job?.ended !== undefined) return;
    const { completed } = pointer;
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
}
