/**
 * Whether checkpoints keep the limits that are configured for them: how many are pending at a time, how soon one may follow the last, how many
 * may fail in a row (rows C2, C3, C15; Flink: CheckpointRequestDecider, CheckpointFailureManager).
 *
 * Owns what is pending of the newest leader, when it last completed one, and how many failed since. Called by the judge of bounds, whose findings it
 * makes.
 *
 * I1: the configuration decides, and what a leader reports that was replaced counts for nothing; a new one counts from the beginning;
 * I2: savepoints are forced: no limit holds them up. Where one is pending, it counts;
 * I3: a request is chosen before its checkpoint has an id. So the pause is judged where nothing can have completed in between: where one
 *     checkpoint is pending at a time. The checkpoint of the end of all input, and those that an adaptive scheduler wishes for, wait for no pause;
 * I4: memory is bounded by what is pending.
 */
import { CHECKPOINT_FAILURES } from '../../engine/protocol/checkpoint-failure.ts';
import type { EngineConfiguration } from '../../engine/protocol/configuration.ts';
import type { EventOf, HistoryEvent } from '../history/history-event.ts';
import type { Findings } from './findings.ts';

export const LIMITED_KINDS = [
  'leadership-acquired',
  'checkpoint-triggered',
  'checkpoint-completed',
  'savepoint-completed',
  'checkpoint-aborted',
  'restart-scheduled',
  'job-status',
  'end-of-data-reached',
] as const;

export class CheckpointLimits {
  static readonly anomalies =
    'too-many-pending: a checkpoint is triggered while as many are pending as may be. triggered-too-soon: a checkpoint is triggered before the minimum ' +
    'pause behind the last one is over. tolerated-too-many: a checkpoint is triggered though more have failed in a row than the job may tolerate.';
  readonly #configuration: Pick<EngineConfiguration, 'checkpoint' | 'scheduler'>;
  readonly #findings: Findings;
  /** By id: whether it is a savepoint. */
  readonly #pending = new Map<number, boolean>();
  #epoch = 0;
  /** When a checkpoint or savepoint of this leader completed last, and which was the newest. */
  #completedUs: number | undefined;
  #newest = 0;
  #failed = 0;
  /** A subtask has come to the end of its input: the next checkpoint may be the one that this asks for. */
  #mayBeFinal = false;

  constructor(configuration: Pick<EngineConfiguration, 'checkpoint' | 'scheduler'>, findings: Findings) {
    this.#configuration = configuration;
    this.#findings = findings;
  }

  observe({ event, index, atUs }: HistoryEvent): void {
    switch (event.kind) {
      case 'leadership-acquired':
        return this.#onLeader(event.epoch);
      case 'checkpoint-triggered':
        if (event.epoch !== this.#epoch) return;
        if (event.savepoint === undefined) this.#judge(event.checkpointId, index, atUs);
        this.#pending.set(event.checkpointId, event.savepoint !== undefined);
        return;
      case 'checkpoint-completed':
      case 'savepoint-completed':
        return this.#onCompleted(event.checkpointId, atUs);
      case 'checkpoint-aborted':
        return this.#onAborted(event);
      case 'restart-scheduled':
        if (event.cause === 'checkpoint-failures') this.#failed = 0;
        return;
      case 'job-status':
        this.#mayBeFinal = false;
        return;
      case 'end-of-data-reached':
        this.#mayBeFinal = true;
        return;
      default:
    }
  }

  get remembered(): number {
    return this.#pending.size;
  }

  #onLeader(epoch: number): void {
    if (epoch <= this.#epoch) return;
    this.#epoch = epoch;
    this.#pending.clear();
    this.#completedUs = undefined;
    this.#newest = 0;
    this.#failed = 0;
  }

  #onCompleted(id: number, atUs: number): void {
    if (!this.#pending.delete(id)) return;
    this.#completedUs = atUs;
    this.#newest = Math.max(this.#newest, id);
    this.#failed = 0;
  }

  /** Row C15. What becomes of savepoints is between them and who asked. */
  #onAborted({ checkpointId: id, reason }: EventOf<'checkpoint-aborted'>): void {
    const isSavepoint = this.#pending.get(id);
    this.#pending.delete(id);
    if (isSavepoint === false && CHECKPOINT_FAILURES[reason].counted && id > this.#newest) this.#failed += 1;
  }

  #judge(id: number, at: number, atUs: number): void {
    const { checkpoint, scheduler } = this.#configuration;
    const { maxConcurrent, minPauseUs, tolerableFailures } = checkpoint;
    if (this.#pending.size >= maxConcurrent)
      this.#findings.violated('too-many-pending', [at], () => {
        return `Checkpoint ${String(id)} is triggered while ${[...this.#pending.keys()].join(', ')} are pending; ${String(maxConcurrent)} may be at a time`;
      });
    if (this.#failed > tolerableFailures)
      this.#findings.violated('tolerated-too-many', [at], () => {
        return `Checkpoint ${String(id)} is triggered behind ${String(this.#failed)} failed ones in a row; ${String(tolerableFailures)} may be tolerated`;
      });
    const pausedUs = this.#completedUs === undefined ? minPauseUs : atUs - this.#completedUs;
    if (pausedUs >= minPauseUs || maxConcurrent > 1 || this.#mayBeFinal || scheduler.mode === 'adaptive') return;
    this.#findings.violated('triggered-too-soon', [at], () => {
      return `Checkpoint ${String(id)} is triggered ${String(pausedUs)} us behind the last one that completed; the pause is ${String(minPauseUs)} us at least`;
    });
  }
}
