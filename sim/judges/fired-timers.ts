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
 *     and says nothing of those that follow;
 * I4: of old checkpoints what they said is folded together, for nobody asks of one of them alone. Only those are told apart that the job may
 *     still go on from: what a vertex was restored from last, what a version or a drained job began from, what clients were handed out.
 */
import type { EngineEvent, FiredTimers } from '../../engine/protocol/engine-events.ts';
import { START_OF_TIME_US } from '../../engine/protocol/stream-elements.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';
import { inFiringOrder, type ReferenceTimer } from './reference-timers.ts';

interface Position {
  watermarkUs: number;
  firing: ReferenceTimer | undefined;
}

/** What checkpoints said that follow each other. */
interface Era {
  /** The newest of them. */
  readonly upTo: number;
  readonly fired: Map<string, Position[]>;
}

export type HasFired = (operator: string, timer: ReferenceTimer) => boolean;

export class FiredTimersLog {
  /** By checkpoint, failed ones included: the newest. */
  readonly #reported = new Map<number, readonly FiredTimers[]>();
  /** Of those. */
  readonly #completed = new Set<number>();
  /** By checkpoint that the job was taken back behind (I3). */
  readonly #undone = new Map<number, readonly FiredTimers[]>();
  /** Of older ones that completed, oldest first (I4). */
  #eras: readonly Era[] = [];
  /** By place: a client was told of it. */
  readonly #handedOut = new Map<string, { readonly id: number; readonly reports: readonly FiredTimers[] }>();
  /** By vertex: the checkpoint that a subtask of it was restored from last. */
  readonly #restored = new Map<number, number>();
  /** What somebody asked to begin from. */
  readonly #begunFrom = new Set<number>();

  taken({ checkpointId, time }: Extract<EngineEvent, { kind: 'snapshot-taken' }>): void {
    if (time === undefined) return;
    this.#reported.set(checkpointId, [...(this.#reported.get(checkpointId) ?? []), ...time]);
    this.#foldOldest();
  }

  /** What its snapshots said. */
  completed(checkpointId: number): readonly FiredTimers[] {
    if (this.#reported.has(checkpointId)) this.#completed.add(checkpointId);
    return this.#saidOf(checkpointId);
  }

  /** What is restored was complete, a savepoint included that nobody reports or that was undone; what came behind it is undone. */
  restored({ checkpointId, vertex }: { readonly checkpointId: number; readonly vertex: number }): void {
    this.#restored.set(vertex, checkpointId);
    const reports = this.#saidOf(checkpointId);
    if (reports.length > 0) {
      this.#reported.set(checkpointId, reports);
      this.#completed.add(checkpointId);
    }
    for (const [id, undone] of this.#reported) {
      if (id <= checkpointId) continue;
      this.#undone.set(id, undone);
      this.#reported.delete(id);
      this.#completed.delete(id);
    }
    this.#eras = this.#eras.filter(({ upTo }) => upTo <= checkpointId);
    forgetOldest(this.#undone, EPISODES_KEPT);
  }

  /** A client was told of a snapshot, and may go back to it as long as it is there. */
  handedOut(location: string, id: number): void {
    this.#handedOut.set(location, { id, reports: this.#saidOf(id) });
  }

  /** Snapshots that were handed out and are gone: given up, or claimed and dropped. */
  forgetGone(isThere: (location: string) => boolean): void {
    for (const location of this.#handedOut.keys()) if (!isThere(location)) this.#handedOut.delete(location);
  }

  /** Entries of memory; bounded, whatever the length of the life, but for what was handed out and is there. */
  get remembered(): number {
    const known = this.#reported.size + this.#completed.size + this.#undone.size + this.#eras.length;
    return known + this.#handedOut.size + this.#restored.size + this.#begunFrom.size;
  }

  /**
   * Which timers have fired before a checkpoint (I2). `sinceId`: a snapshot that was drained or upgraded; what had fired before it is gone, and
   * a timer registered behind it may be of a time that had passed.
   */
  before(checkpointId: number, sinceId = 0): HasFired {
    if (sinceId > 0) this.#begunFrom.add(sinceId);
    const fired = new Map<string, Position[]>();
    for (const era of this.#eras) if (era.upTo > sinceId && era.upTo <= checkpointId) join(era.fired, fired);
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
    const known = this.#reported.get(checkpointId) ?? this.#undone.get(checkpointId);
    return known ?? [...this.#handedOut.values()].find(({ id }) => id === checkpointId)?.reports ?? [];
  }

  /** I4, I1. */
  #foldOldest(): void {
    for (const [id, reports] of this.#reported) {
      if (this.#reported.size <= EPISODES_KEPT) return;
      this.#reported.delete(id);
      if (!this.#completed.delete(id)) continue;
      const fired = new Map<string, Position[]>();
      for (const report of reports) add(report, fired);
      this.#append({ upTo: id, fired });
    }
  }

  /** Eras become one unless the job may go on from the end of the first. */
  #append(era: Era): void {
    const ends = new Set([...this.#restored.values(), ...this.#begunFrom]);
    for (const { id } of this.#handedOut.values()) ends.add(id);
    const eras: Era[] = [];
    for (const next of [...this.#eras, era]) {
      const last = eras.at(-1);
      const isApart = last === undefined || [...ends].some((id) => last.upTo <= id && id < next.upTo);
      if (!isApart) {
        join(last.fired, next.fired);
        eras.pop();
      }
      eras.push(next);
    }
    this.#eras = eras;
  }
}

function join(fired: ReadonlyMap<string, readonly Position[]>, into: Map<string, Position[]>): void {
  for (const [operator, positions] of fired) {
    positions.forEach(({ watermarkUs, firing }, keyGroup) => {
      const keyGroups = { start: keyGroup, end: keyGroup };
      add({ operator, keyGroups, watermarkUs, ...(firing && { firing }) }, into);
    });
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
