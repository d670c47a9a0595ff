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
 *     checkpoint is pending at a time. What a client asks for, the checkpoint of the end of all input, and those that an adaptive scheduler wishes for
 *     wait for no pause and no period;
 * I4: memory is bounded by what is pending;
 * I5: a checkpoint whose id the coordination service does not confirm fails, too, and no event tells of it. That takes a request and its time-out,
 *     while there is room for one more: so many may have failed in this way as fit into that time. Where the service may refuse at once, or a connection to
 *     it is lost, as many as anybody likes, and how many failures are too few nobody can say;
 * I6: what a task does to the savepoint of a stop fails the job, whatever may be tolerated. It is no failure that counts, and those that do stay.
 */
import { CHECKPOINT_FAILURES } from '../../engine/protocol/checkpoint-failure.ts';
import { isSynchronous } from '../../engine/protocol/checkpoint-options.ts';
import type { EngineConfiguration } from '../../engine/protocol/configuration.ts';
import type { EventOf, HistoryEvent } from '../history/history-event.ts';
import { SERVICE_NODES } from '../node-names.ts';
import type { SimulationPlan } from '../plan.ts';
import type { Findings } from './findings.ts';
import { secondsText } from './seconds-text.ts';

export const LIMITED_KINDS = [
  'leadership-acquired',
  'checkpoint-triggered',
  'checkpoint-completed',
  'savepoint-completed',
  'checkpoint-aborted',
  'restart-scheduled',
  'job-status',
  'job-submitted',
  'end-of-data-reached',
  'operation-requested',
] as const;

interface Pending {
  readonly triggeredUs: number;
  readonly isSavepoint: boolean;
  /** The job is to stop with it. */
  readonly isSynchronous: boolean;
}

/** A timer may begin anywhere in its period, and a pause that is over makes up for what it held back. */
const TRIGGERS_AHEAD = 2;

export class CheckpointLimits {
  static readonly anomalies =
    'triggered-too-often: more checkpoints are triggered since the job began to run than its interval leaves room for. expired-too-soon: a checkpoint expires before its time-out. ' +
    'failed-too-soon: the job restarts for failed checkpoints though it may tolerate as many. too-many-pending: a checkpoint is triggered while as many are pending as may be. triggered-too-soon: a checkpoint is triggered before the minimum ' +
    'pause behind the last one is over. tolerated-too-many: a checkpoint is triggered though more have failed in a row than the job may tolerate.';
  readonly #configuration: Pick<EngineConfiguration, 'checkpoint' | 'scheduler' | 'runtime'>;
  readonly #findings: Findings;
  /** I5. */
  readonly #mayRefuse: boolean;
  readonly #pending = new Map<number, Pending>();
  #epoch = 0;
  /** When a checkpoint or savepoint of this leader completed last, and which was the newest. */
  #completedUs: number | undefined;
  #newest = 0;
  #failed = 0;
  /** With savepoints, of which nobody says here whether a task or the leader gave them up, and with those that may have failed before they had an id (I5). */
  #failedMost = 0;
  /** When the savepoint of a stop was given up last. */
  #stopFailedUs: number | undefined;
  /** Since when one more may be pending, as far as that was not looked at; undefined: no more may. */
  #roomFromUs: number | undefined = 0;
  /** Triggered since the job changed its status last, and when that was. */
  #periodic = 0;
  #sinceUs = 0;
  /** Not all checkpoints of this run are periodic: a client asks for some, or a subtask has come to the end of its input, which asks for one. */
  #isWished = false;

  constructor(
    configuration: Pick<EngineConfiguration, 'checkpoint' | 'scheduler' | 'runtime'>,
    findings: Findings,
    mayRefuse = false,
  ) {
    this.#configuration = configuration;
    this.#findings = findings;
    this.#mayRefuse = mayRefuse;
  }

  observe({ event, index, atUs }: HistoryEvent): void {
    switch (event.kind) {
      case 'leadership-acquired':
        return this.#onLeader(event.epoch);
      case 'checkpoint-triggered':
        if (event.epoch !== this.#epoch) return;
        this.#lookAtRoom(atUs);
        if (event.savepoint === undefined) this.#judge(event.checkpointId, index, atUs);
        this.#pending.set(event.checkpointId, {
          triggeredUs: atUs,
          isSavepoint: event.savepoint !== undefined,
          isSynchronous: isSynchronous(event.options.snapshot),
        });
        if (this.#isFull) this.#roomFromUs = undefined;
        return;
      case 'checkpoint-completed':
      case 'savepoint-completed':
        return this.#onCompleted(event.checkpointId, atUs);
      case 'checkpoint-aborted':
        return this.#onAborted(event, index, atUs);
      case 'restart-scheduled':
        if (event.cause === 'checkpoint-failures') this.#onFailed(index, atUs);
        return;
      case 'job-status':
        this.#periodic = 0;
        this.#sinceUs = atUs;
        return;
      case 'job-submitted':
        this.#isWished = false;
        this.#failed = 0;
        this.#failedMost = this.#roomFromUs === undefined ? 0 : 1;
        return;
      case 'end-of-data-reached':
        this.#isWished = true;
        return;
      case 'operation-requested':
        this.#isWished ||= event.operation === 'checkpoint';
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
    this.#failedMost = 0;
  }

  #onCompleted(id: number, atUs: number): void {
    if (!this.#pending.delete(id)) return;
    // An id may be being taken that no event tells of, and that fails behind this.
    const underWay = this.#roomFromUs === undefined ? 0 : 1;
    this.#roomFromUs = atUs;
    this.#completedUs = atUs;
    this.#newest = Math.max(this.#newest, id);
    this.#failed = 0;
    this.#failedMost = underWay;
  }

  /** Row C15. What becomes of savepoints is between them and who asked. */
  #onAborted({ checkpointId: id, reason }: EventOf<'checkpoint-aborted'>, at: number, atUs: number): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (pending === undefined) return;
    this.#roomFromUs ??= atUs;
    const { timeoutUs, savepointTimeoutUs } = this.#configuration.checkpoint;
    const lastedUs = atUs - pending.triggeredUs;
    if (reason === 'checkpoint-expired' && lastedUs < (pending.isSavepoint ? savepointTimeoutUs : timeoutUs))
      this.#findings.violated('expired-too-soon', [at], () => {
        return `Checkpoint ${String(id)} expires ${secondsText(lastedUs)} after its trigger`;
      });
    if (pending.isSynchronous) {
      this.#stopFailedUs = atUs;
      return;
    }
    if (!CHECKPOINT_FAILURES[reason].counted || id <= this.#newest) return;
    this.#failedMost += 1;
    if (!pending.isSavepoint) this.#failed += 1;
  }

  get #isFull(): boolean {
    return this.#pending.size >= this.#configuration.checkpoint.maxConcurrent;
  }

  /** I5. */
  #lookAtRoom(atUs: number): void {
    if (this.#roomFromUs === undefined) return;
    if (this.#mayRefuse) this.#failedMost = Number.POSITIVE_INFINITY;
    this.#failedMost += Math.floor((atUs - this.#roomFromUs) / this.#configuration.runtime.requestTimeoutUs);
    this.#roomFromUs = atUs;
  }

  #onFailed(at: number, atUs: number): void {
    // I6.
    if (this.#stopFailedUs === atUs) return;
    this.#lookAtRoom(atUs);
    const { tolerableFailures } = this.#configuration.checkpoint;
    const failed = this.#failedMost;
    if (failed <= tolerableFailures)
      this.#findings.violated('failed-too-soon', [at], () => {
        return `The job restarts for ${String(failed)} failed checkpoints in a row at most; ${String(tolerableFailures)} may be tolerated`;
      });
    this.#failed = 0;
    this.#failedMost = 0;
  }

  #judge(id: number, at: number, atUs: number): void {
    const { checkpoint, scheduler } = this.#configuration;
    const { maxConcurrent, minPauseUs, tolerableFailures } = checkpoint;
    if (this.#isFull)
      this.#findings.violated('too-many-pending', [at], () => {
        return `Checkpoint ${String(id)} is triggered while ${[...this.#pending.keys()].join(', ')} are pending; ${String(maxConcurrent)} may be at a time`;
      });
    if (this.#failed > tolerableFailures)
      this.#findings.violated('tolerated-too-many', [at], () => {
        return `Checkpoint ${String(id)} is triggered behind ${String(this.#failed)} failed ones in a row; ${String(tolerableFailures)} may be tolerated`;
      });
    this.#judgeRate(id, at, atUs);
    const pausedUs = this.#completedUs === undefined ? minPauseUs : atUs - this.#completedUs;
    if (pausedUs >= minPauseUs || maxConcurrent > 1 || this.#isWished || scheduler.mode === 'adaptive') return;
    this.#findings.violated('triggered-too-soon', [at], () => {
      return `Checkpoint ${String(id)} is triggered ${secondsText(pausedUs)} behind the last one that completed; the pause is ${secondsText(minPauseUs)} at least`;
    });
  }

  /** I3. */
  #judgeRate(id: number, at: number, atUs: number): void {
    const { checkpoint, scheduler } = this.#configuration;
    const { intervalUs, intervalDuringBacklogUs = intervalUs } = checkpoint;
    if (this.#isWished || scheduler.mode === 'adaptive') return;
    const periodUs = intervalDuringBacklogUs === 0 ? intervalUs : Math.min(intervalUs, intervalDuringBacklogUs);
    this.#periodic += 1;
    const count = this.#periodic;
    const runsUs = atUs - this.#sinceUs;
    if ((count - TRIGGERS_AHEAD) * periodUs <= runsUs) return;
    this.#findings.violated('triggered-too-often', [at], () => {
      return `Checkpoint ${String(id)} is the ${String(count)}th in ${secondsText(runsUs)}, with an interval of ${secondsText(periodUs)}`;
    });
  }
}

/** Whether a request to the service that hands out ids may fail before its time-out. */
export function mayRefuseIds({
  faults,
  engine,
}: Pick<SimulationPlan, 'faults'> & { engine: Pick<EngineConfiguration, 'highAvailability'> }): boolean {
  // Who keeps a connection to it learns at once that it is lost.
  if (engine.highAvailability.kind !== 'lease-store') return faults.length > 0;
  return faults.some(
    (fault) => fault.kind === 'service' && fault.node === SERVICE_NODES.coordination && fault.effect !== 'slow',
  );
}
