/**
 * What a barrier on a channel means, as a table of state x input (rows B1-B5, B8; Flink: SingleCheckpointBarrierHandler with its
 * Waiting..., Collecting... and Alternating... states, and CheckpointBarrierTracker).
 *
 * Owns: which checkpoint is being collected, which channels are blocked, which barriers were seen. Does not own: acting (the input
 * does).
 * Invariants:
 *   I1 aligned: a channel is blocked from the barrier of n on until all open channels delivered the barrier of n, or n is given up;
 *   I2 an id is completed at most once, ids complete in rising order, an id given up never completes;
 *   I3 in at-least-once mode, and from the snapshot of an unaligned checkpoint on, no channel is blocked;
 *   I4 the snapshot of an id is due at most once: at the last barrier when aligned, at the first that overtakes, or when the
 *      alignment takes too long.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import { type EngineParts, standardParts } from '../parts.ts';

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
  /** Take the snapshot now, with the data that is under way on channels whose barrier is still to come; no channel is blocked. */
  | { readonly kind: 'overtake'; readonly first: boolean; readonly gaveUp: CheckpointId | undefined }
  /** All channels delivered it: take the snapshot now, unless it was `taken` at an earlier barrier; all channels are open again. */
  | {
      readonly kind: 'complete';
      readonly checkpointId: CheckpointId;
      readonly first: boolean;
      readonly gaveUp: CheckpointId | undefined;
      readonly taken: true | undefined;
    }
  /** A checkpoint was given up by a marker: forward the marker, all channels are open again. */
  | { readonly kind: 'cancelled'; readonly checkpointId: CheckpointId };

export type BarrierParts = Pick<EngineParts, 'newerBarrier' | 'hasDeliveredBarrier'>;

const IGNORE: BarrierDecision = { kind: 'ignore' };
/** Flink: CheckpointBarrierTracker.MAX_CHECKPOINTS_TO_TRACK. */
const TRACKED_MAX = 50;

export class BarrierHandler {
  readonly #channels: number;
  readonly #blocking: boolean;
  readonly #parts: BarrierParts;
  readonly #blocked: boolean[];
  readonly #ended: boolean[];
  /** Newest barrier each channel delivered (Flink: ChannelStatePersister.lastSeenBarrier). */
  readonly #seen: number[];
  #open: number;
  /** Exactly-once: the checkpoint being collected, 0 when none. */
  #current = 0;
  #received = 0;
  /** The snapshot of `#current` was taken before all its barriers were here. */
  #taken = false;
  /** Highest id completed or given up. */
  #settled = 0;
  /** Given up by the coordinator before anything of them came; older ones may still be on their way. */
  readonly #aborted = new Set<number>();
  /** At-least-once mode: barriers seen per pending id. */
  readonly #counts = new Map<number, Set<number>>();

  constructor(channels: number, exactlyOnce: boolean, parts: BarrierParts = standardParts) {
    assert(channels >= 1, 'a barrier handler has at least one channel');
    this.#channels = channels;
    this.#blocking = exactlyOnce;
    this.#parts = parts;
    this.#blocked = new Array<boolean>(channels).fill(false);
    this.#ended = new Array<boolean>(channels).fill(false);
    this.#seen = new Array<number>(channels).fill(0);
    this.#open = channels;
  }

  isBlocked(channel: number): boolean {
    return this.#blocked[channel] === true;
  }

  /** The checkpoint being collected; 0 when none. */
  get aligning(): number {
    return this.#blocking ? this.#current : 0;
  }

  /** The checkpoint whose snapshot was taken and whose barriers are still coming; 0 when none. */
  get overtaking(): number {
    return this.#taken ? this.#current : 0;
  }

  /** Neither completed nor given up. */
  isOpen(id: CheckpointId): boolean {
    return id > this.#settled && id >= this.#current && !this.#aborted.has(id);
  }

  /** What the channel delivers now is behind its barrier of `id` (row B6). */
  hasDelivered(channel: number, id: CheckpointId): boolean {
    return this.#ended[channel] === true || this.#parts.hasDeliveredBarrier(this.#seen[channel] ?? 0, id);
  }

  /** `overtakes`: it jumped ahead of the data of its channel. */
  barrier(channel: number, id: CheckpointId, overtakes = false): BarrierDecision {
    assert(
      channel < this.#channels && (overtakes || this.#blocked[channel] === false),
      'a barrier comes on an open channel',
      {
        channel,
        id,
      },
    );
    this.#seen[channel] = Math.max(this.#seen[channel] ?? 0, id);
    if (id <= this.#settled) return IGNORE;
    if (this.#aborted.has(id)) return this.#blocking ? this.cancelMarker(id) : IGNORE;
    return this.#blocking ? this.#collect(channel, id, overtakes) : this.#track(channel, id);
  }

  /** Row B8: the alignment of `id` takes too long, whether or not one of its barriers was read already. */
  timeOut(id: CheckpointId): BarrierDecision {
    if (!this.isOpen(id) || this.#taken) return IGNORE;
    const { first, gaveUp } = this.#begin(id);
    return this.#take(first, gaveUp);
  }

  /**
   * The coordinator triggered it here: no producer runs any more, so every open channel counts as if its barrier had come (row C21;
   * Flink: processBarrier with isRpcTriggered, which never blocks).
   */
  triggered(id: CheckpointId): BarrierDecision {
    if (id <= this.#settled || id < this.#current) return IGNORE;
    if (this.#aborted.has(id)) return this.cancelMarker(id);
    const gaveUp = this.#current !== 0 && id > this.#current ? (this.#current as CheckpointId) : undefined;
    return this.#complete(id, this.#current !== id, gaveUp);
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
    // An unaligned checkpoint does not block the channel: it may end behind its barrier, which then counts no more.
    if (this.#current !== 0 && this.#seen[channel] === this.#current) this.#received -= 1;
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
    if (this.#current !== 0 && id > this.#current && this.#parts.newerBarrier === 'is-ignored') return false;
    this.#settle(id);
    if (this.#current !== 0 && this.#current <= id) this.#release();
    return true;
  }

  #collect(channel: number, id: CheckpointId, overtakes: boolean): BarrierDecision {
    // A checkpoint this subtask was never told to give up, but a newer one is being collected already: it cannot complete here.
    if (id < this.#current) return IGNORE;
    if (this.#current !== 0 && id > this.#current && this.#parts.newerBarrier === 'is-ignored') return IGNORE;
    const { first, gaveUp } = this.#begin(id);
    this.#received += 1;
    if (this.#received >= this.#open) return this.#complete(id, first, gaveUp);
    if (overtakes && !this.#taken) return this.#take(first, gaveUp);
    const block = !this.#taken;
    if (block) this.#blocked[channel] = true;
    return { kind: 'collect', first, block, gaveUp };
  }

  /** From here on `id` is the one being collected; an older one is given up. */
  #begin(id: CheckpointId): { readonly first: boolean; readonly gaveUp: CheckpointId | undefined } {
    let gaveUp: CheckpointId | undefined;
    if (this.#current !== 0 && id > this.#current) {
      gaveUp = this.#current as CheckpointId;
      this.#settle(this.#current);
      this.#release();
    }
    const first = this.#current === 0;
    this.#current = id;
    return { first, gaveUp };
  }

  /** What blocked channels hold lies behind their barriers: with the snapshot taken it may be read. */
  #take(first: boolean, gaveUp: CheckpointId | undefined): BarrierDecision {
    this.#taken = true;
    this.#blocked.fill(false);
    return { kind: 'overtake', first, gaveUp };
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
    const taken = this.#taken ? true : undefined;
    this.#release();
    return { kind: 'complete', checkpointId: id, first, gaveUp, taken };
  }

  #settle(id: number): void {
    this.#settled = id;
    for (const aborted of this.#aborted) if (aborted <= id) this.#aborted.delete(aborted);
    for (const pending of this.#counts.keys()) if (pending <= id) this.#counts.delete(pending);
  }

  #release(): void {
    this.#current = 0;
    this.#received = 0;
    this.#taken = false;
    this.#blocked.fill(false);
  }
}
