/**
 * Which event-time timers have fired before a checkpoint: where it lies in event time, as its source offsets say where it lies in the input.
 *
 * Owns what subtasks said of their timers when they took their snapshots (`snapshot-taken`). Called by the judge of cuts, which looks
 * whether event time can have come so far (cut-audit.ts), and lets the reference fire the same timers: then its state must be the
 * checkpoint's, byte for byte. Watermarks are in no file (row B22), so there is no other trace of them.
 *
 * I1: only completed checkpoints count: what a failed attempt fired is undone.
 * I2: completed checkpoints follow each other: what has fired before one has fired before the next, though event time begins anew at a restore.
 * I3: a savepoint that is being completed when the job restarts from an older checkpoint still becomes one: what was said of it stays its own,
 *     and says nothing of those that follow.
 */
import type { EngineEvent, FiredTimers } from '../../engine/protocol/engine-events.ts';
import { START_OF_TIME_US } from '../../engine/protocol/stream-elements.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';
import { inFiringOrder, type ReferenceTimer } from './reference-timers.ts';

interface Position {
  watermarkUs: number;
  firing: ReferenceTimer | undefined;
}

export type HasFired = (operator: string, timer: ReferenceTimer) => boolean;

export class FiredTimersLog {
  /** By checkpoint, failed ones included. */
  readonly #reported = new Map<number, FiredTimers[]>();
  readonly #completed = new Set<number>();
  /** By checkpoint that the job was taken back behind (I3). */
  readonly #undone = new Map<number, readonly FiredTimers[]>();

  taken({ checkpointId, time }: Extract<EngineEvent, { kind: 'snapshot-taken' }>): void {
    if (time === undefined) return;
    this.#reported.set(checkpointId, [...(this.#reported.get(checkpointId) ?? []), ...time]);
  }

  /** What its snapshots said. */
  completed(checkpointId: number): readonly FiredTimers[] {
    this.#completed.add(checkpointId);
    return this.#saidOf(checkpointId);
  }

  /** What is restored was complete, a savepoint included that nobody reports; what came behind it is undone. */
  restored(checkpointId: number): void {
    this.#completed.add(checkpointId);
    for (const [id, reports] of this.#reported) {
      if (id <= checkpointId) continue;
      this.#undone.set(id, reports);
      this.#reported.delete(id);
    }
    forgetOldest(this.#undone, EPISODES_KEPT);
  }

  /**
   * Which timers have fired before a checkpoint (I2). `sinceId`: a snapshot that was drained or upgraded; what had fired before it is gone, and
   * a timer registered behind it may be of a time that had passed.
   */
  before(checkpointId: number, sinceId = 0): HasFired {
    const fired = new Map<string, Position[]>();
    for (const [id, reports] of this.#reported) {
      if (id <= sinceId || id >= checkpointId || !this.#completed.has(id)) continue;
      for (const report of reports) add(report, fired);
    }
    if (checkpointId > sinceId) for (const report of this.#saidOf(checkpointId)) add(report, fired);
    return (operator, timer) => {
      const position = fired.get(operator)?.[timer.keyGroup];
      if (position === undefined) return false;
      if (timer.timestampUs <= position.watermarkUs) return true;
      return position.firing !== undefined && inFiringOrder(timer, position.firing) <= 0;
    };
  }

  #saidOf(checkpointId: number): readonly FiredTimers[] {
    return this.#reported.get(checkpointId) ?? this.#undone.get(checkpointId) ?? [];
  }
}

function add({ operator, keyGroups, watermarkUs, firing }: FiredTimers, into: Map<string, Position[]>): void {
  const positions = into.get(operator) ?? [];
  into.set(operator, positions);
  for (let keyGroup = keyGroups.start; keyGroup <= keyGroups.end; keyGroup += 1) {
    const position = positions[keyGroup] ?? { watermarkUs: START_OF_TIME_US, firing: undefined };
    positions[keyGroup] = position;
    position.watermarkUs = Math.max(position.watermarkUs, watermarkUs);
    if (firing === undefined) continue;
    if (position.firing === undefined || inFiringOrder(position.firing, firing) < 0) position.firing = firing;
  }
}
