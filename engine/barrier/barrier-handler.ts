/**
 * What a barrier on a channel means, as a table of state x input (rows B1-B4; Flink: SingleCheckpointBarrierHandler with
 * WaitingForFirstBarrier / CollectingBarriers, and CheckpointBarrierTracker).
 *
 * Owns: which checkpoint is being aligned and which channels are blocked. Does not own: acting (the subtask does).
 * Invariants:
 *   I1 a channel is blocked from the barrier of n on it until all open channels delivered the barrier of n, or n is given up;
 *   I2 an id is completed at most once, ids complete in rising order, an id given up never completes;
 *   I3 in at-least-once mode no channel is ever blocked.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId } from '../foundation/ids.ts';

export type BarrierDecision =
  /** The barrier is of the past or of a checkpoint given up: go on reading the channel. */
  | { readonly kind: 'ignore' }
  /** Wait for the other channels. `first`: alignment begins here. `gaveUp`: an older alignment was cancelled by this barrier. */
  | {
      readonly kind: 'collect';
      readonly first: boolean;
      readonly block: boolean;
      readonly gaveUp: CheckpointId | undefined;
    }
  /** All channels delivered it: take the snapshot now, then all channels are open again. */
  | {
      readonly kind: 'complete';
      readonly checkpointId: CheckpointId;
      readonly first: boolean;
      readonly gaveUp: CheckpointId | undefined;
    }
  /** A checkpoint was given up by a marker: forward the marker, all channels are open again. */
  | { readonly kind: 'cancelled'; readonly checkpointId: CheckpointId };

const IGNORE: BarrierDecision = { kind: 'ignore' };
/** Flink: CheckpointBarrierTracker.MAX_CHECKPOINTS_TO_TRACK. */
const TRACKED_MAX = 50;

export class BarrierHandler {
  readonly #channels: number;
  readonly #blocking: boolean;
  readonly #blocked: boolean[];
  readonly #ended: boolean[];
  #open: number;
  /** Aligned mode: the checkpoint being collected, 0 when none. */
  #current = 0;
  #received = 0;
  /** Highest id completed or given up. */
  #settled = 0;
  /** Given up by the coordinator before anything of them came; older ones may still be on their way. */
  readonly #aborted = new Set<number>();
  /** At-least-once mode: barriers seen per pending id. */
  readonly #counts = new Map<number, Set<number>>();

  constructor(channels: number, exactlyOnce: boolean) {
    assert(channels >= 1, 'a barrier handler has at least one channel');
    this.#channels = channels;
    this.#blocking = exactlyOnce;
    this.#blocked = new Array<boolean>(channels).fill(false);
    this.#ended = new Array<boolean>(channels).fill(false);
    this.#open = channels;
  }

  isBlocked(channel: number): boolean {
    return this.#blocked[channel] === true;
  }

  /** The checkpoint being aligned; 0 when none. */
  get aligning(): number {
    return this.#blocking ? this.#current : 0;
  }

  barrier(channel: number, id: CheckpointId): BarrierDecision {
    assert(channel < this.#channels && this.#blocked[channel] === false, 'a barrier arrives on an open channel', {
      channel,
      id,
    });
    if (id <= this.#settled) return IGNORE;
    if (this.#aborted.has(id)) return this.#blocking ? this.cancelMarker(id) : IGNORE;
    return this.#blocking ? this.#align(channel, id) : this.#track(channel, id);
  }

  /** Row B3: the sender of the marker will not take part in checkpoint `id`. */
  cancelMarker(id: CheckpointId): BarrierDecision {
    if (id < this.#current) return IGNORE;
    return this.giveUp(id) ? { kind: 'cancelled', checkpointId: id } : IGNORE;
  }

  /** Row B2: counts as "barrier received" for this and every later checkpoint. */
  endOfPartition(channel: number): BarrierDecision {
    if (this.#ended[channel] === true) return IGNORE;
    this.#ended[channel] = true;
    this.#open -= 1;
    if (this.#current !== 0 && this.#received >= this.#open)
      return this.#complete(this.#current as CheckpointId, false, undefined);
    const newest = [...this.#counts].filter(([, seen]) => this.#hasAll(seen)).at(-1);
    return newest === undefined ? IGNORE : this.#complete(newest[0] as CheckpointId, false, undefined);
  }

  /**
   * The coordinator aborted `id`. That travels past the barriers, so an older checkpoint may be complete yet: only `id` itself is given
   * up, now or when its first barrier comes (Flink: SubtaskCheckpointCoordinatorImpl.abortedCheckpointIds). True: it was being aligned.
   */
  abort(id: CheckpointId): boolean {
    if (id <= this.#settled) return false;
    if (id === this.#current) return this.giveUp(id);
    this.#counts.delete(id);
    this.#aborted.add(id);
    return false;
  }

  /** `id`, and so every older one on this channel, is given up. Remembered even before its first barrier came. True when that was news. */
  giveUp(id: CheckpointId): boolean {
    if (id <= this.#settled) return false;
    this.#settle(id);
    if (this.#current !== 0 && this.#current <= id) this.#release();
    for (const pending of this.#counts.keys()) if (pending <= id) this.#counts.delete(pending);
    return true;
  }

  #align(channel: number, id: CheckpointId): BarrierDecision {
    // A checkpoint this subtask was never told to give up, but a newer one is being aligned already: it cannot complete here.
    if (id < this.#current) return IGNORE;
    let gaveUp: CheckpointId | undefined;
    if (this.#current !== 0 && id > this.#current) {
      gaveUp = this.#current as CheckpointId;
      this.#settle(this.#current);
      this.#release();
    }
    const first = this.#current === 0;
    this.#current = id;
    this.#received += 1;
    if (this.#received >= this.#open) return this.#complete(id, first, gaveUp);
    this.#blocked[channel] = true;
    return { kind: 'collect', first, block: true, gaveUp };
  }

  #track(channel: number, id: CheckpointId): BarrierDecision {
    let seen = this.#counts.get(id);
    const first = seen === undefined;
    if (seen === undefined) {
      seen = new Set();
      this.#counts.set(id, seen);
      const oldest = this.#counts.keys().next().value;
      if (this.#counts.size > TRACKED_MAX && oldest !== undefined) this.#counts.delete(oldest);
    }
    seen.add(channel);
    if (!this.#hasAll(seen)) return { kind: 'collect', first, block: false, gaveUp: undefined };
    return this.#complete(id, first, undefined);
  }

  /** At-least-once: every channel delivered the barrier or ended. */
  #hasAll(seen: ReadonlySet<number>): boolean {
    return this.#ended.every((ended, channel) => ended || seen.has(channel));
  }

  #complete(id: CheckpointId, first: boolean, gaveUp: CheckpointId | undefined): BarrierDecision {
    assert(id > this.#settled, 'checkpoints complete in rising order', { id, settled: this.#settled });
    this.#settle(id);
    this.#release();
    for (const pending of this.#counts.keys()) if (pending <= id) this.#counts.delete(pending);
    return { kind: 'complete', checkpointId: id, first, gaveUp };
  }

  #settle(id: number): void {
    this.#settled = id;
    for (const aborted of this.#aborted) if (aborted <= id) this.#aborted.delete(aborted);
  }

  #release(): void {
    this.#current = 0;
    this.#received = 0;
    this.#blocked.fill(false);
  }
}
