/**
 * Whether a subtask goes on collecting the barriers of a checkpoint when a channel has told it that they will not all come (rows B1, B3): behind
 * a barrier or marker of a newer checkpoint that channel has none of the older one any more, so whoever waits for it blocks the others for nothing.
 * (Flink: SingleCheckpointBarrierHandler.processCancellationBarrier skips the current checkpoint, as does a newer barrier.)
 *
 * Owns: the first case, and how many there were. Is shown what subtasks wait for, since that is no fact of the history: it ends by itself with the
 * next checkpoint, and nothing but time is lost. The lifecycle judge makes findings of it.
 */
import type { Findings } from './findings.ts';

/** A barrier or marker that a subtask has read and does not take part in. */
export interface PassedOver {
  readonly checkpointId: number;
  readonly vertex: number;
  readonly subtask: number;
}

/** More are not counted. */
const SEEN_MAX = 100;

interface StaleAlignment {
  readonly moment: PassedOver;
  readonly aligning: number;
  readonly at: readonly number[];
}

export class StaleAlignments {
  static readonly anomalies =
    'aligned-in-vain: a subtask has read that a checkpoint is given up, and goes on waiting for barriers of that or an older one. ';
  /** Index of the history's next entry. */
  readonly #index: () => number;
  readonly #seen: StaleAlignment[] = [];

  constructor(index: () => number) {
    this.#index = index;
  }

  /** `aligning`: what it goes on collecting, 0: nothing. */
  passedOver(moment: PassedOver, aligning: number): void {
    if (aligning === 0 || aligning > moment.checkpointId || this.#seen.length >= SEEN_MAX) return;
    this.#seen.push({ moment, aligning, at: [Math.max(0, this.#index() - 1)] });
  }

  report(findings: Findings): void {
    for (const { moment, aligning, at } of this.#seen)
      findings.violated('aligned-in-vain', at, () => {
        const { checkpointId: id, vertex, subtask } = moment;
        const where = `Subtask ${String(subtask)} of vertex ${String(vertex)}`;
        return `${where} has read that checkpoint ${String(id)} is given up, and goes on waiting for barriers of ${String(aligning)}`;
      });
  }
}
