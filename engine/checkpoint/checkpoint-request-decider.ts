/**
 * Which request is served next, and which never (rows C2, C3; Flink: CheckpointRequestDecider).
 *
 * Owns: the queue. Does not own: what is pending, triggering or being cleaned (the caller says, each time). Pure.
 * Invariants:
 *   I1 savepoints before forced before wished-for before periodic requests, the older first;
 *   I2 the minimum pause holds back a periodic request only, by ending it: it never stands at the head and blocks others;
 *   I3 at most `QUEUED_MAX` wait, and one a person asked for never gives way to a periodic one.
 */
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import { isSavepoint } from '../protocol/checkpoint-options.ts';
import type { CheckpointLimits } from '../parts.ts';
import type { CheckpointRequest } from './checkpoint-request.ts';

export interface RequestSituation {
  readonly nowUs: number;
  /** A request is between its choice and its trigger messages. */
  readonly isTriggering: boolean;
  readonly pending: number;
  /** Checkpoints whose files are being deleted: back-pressure from deletion. */
  readonly cleaning: number;
  readonly limits: Pick<CheckpointLimits, 'maxConcurrent' | 'minPauseUs'>;
  /** When the last checkpoint or savepoint completed; undefined when none did in this run. */
  readonly lastCompletedUs: number | undefined;
}

export interface RejectedRequest {
  readonly request: CheckpointRequest;
  readonly reason: CheckpointFailure;
}

export interface RequestDecision {
  /** To be triggered now. */
  readonly execute?: CheckpointRequest;
  readonly rejected: readonly RejectedRequest[];
  /** The minimum pause has not passed: the periodic timer fires after this time instead. */
  readonly rearmAfterUs?: number;
}

/** Flink: DEFAULT_MAX_QUEUED_REQUESTS. */
export const QUEUED_MAX = 1_000;
const NOTHING: RequestDecision = { rejected: [] };

export class CheckpointRequestDecider {
  readonly #queuedMax: number;
  /** In the order of I1. */
  readonly #queue: CheckpointRequest[] = [];

  constructor(queuedMax = QUEUED_MAX) {
    this.#queuedMax = queuedMax;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** A new request: itself or another may be the one to execute, or to go. */
  choose(request: CheckpointRequest, situation: RequestSituation): RequestDecision {
    const tail = this.#queue.at(-1);
    if (this.#queue.length >= this.#queuedMax && tail?.isPeriodic === false) {
      return { rejected: [{ request, reason: 'too-many-checkpoint-requests' }] };
    }
    this.#insert(request);
    const dropped = this.#queue.length > this.#queuedMax ? this.#queue.pop() : undefined;
    const decision = this.chooseQueued(situation);
    if (dropped === undefined) return decision;
    const overflow: RejectedRequest = { request: dropped, reason: 'too-many-checkpoint-requests' };
    return { ...decision, rejected: [overflow, ...decision.rejected] };
  }

  /** Something that stood in the way is gone. */
  chooseQueued(situation: RequestSituation): RequestDecision {
    const { nowUs, isTriggering, pending, cleaning, lastCompletedUs } = situation;
    const { maxConcurrent, minPauseUs } = situation.limits;
    const first = this.#queue[0];
    if (first === undefined || isTriggering || cleaning > maxConcurrent) return NOTHING;
    if (pending >= maxConcurrent && !first.properties.isForced) return NOTHING;
    this.#queue.shift();
    const waitUs = lastCompletedUs === undefined ? 0 : lastCompletedUs + minPauseUs - nowUs;
    if (waitUs > 0 && first.isPeriodic && !first.properties.isForced) {
      return { rejected: [{ request: first, reason: 'minimum-time-between-checkpoints' }], rearmAfterUs: waitUs };
    }
    return { execute: first, rejected: [] };
  }

  /** Empties the queue. */
  removeAll(): readonly CheckpointRequest[] {
    return this.#queue.splice(0);
  }

  #insert(request: CheckpointRequest): void {
    let at = this.#queue.length;
    while (at > 0 && precedes(request, this.#queue[at - 1])) at -= 1;
    this.#queue.splice(at, 0, request);
  }
}

/** Strictly: of equal requests the one that came first stays first. */
function precedes(a: CheckpointRequest, b: CheckpointRequest | undefined): boolean {
  if (b === undefined) return false;
  const [aRank, bRank] = [rankOf(a), rankOf(b)];
  return aRank === bRank ? a.atUs < b.atUs : aRank < bRank;
}

function rankOf({ properties, isPeriodic }: CheckpointRequest): number {
  const savepoint = isSavepoint(properties.snapshot) ? 0 : 4;
  const forced = properties.isForced ? 0 : 2;
  return savepoint + forced + (isPeriodic ? 1 : 0);
}
