/**
 * Gathers what is under way on the channels of one subtask for one unaligned checkpoint (rows B5-B8, B17; Flink:
 * ChannelStateWriterImpl, ChannelStateCheckpointWriter). Buffers are immutable and kept by reference; bytes are made later, in the
 * asynchronous part.
 *
 * Owns: the open checkpoint, its buffers by channel, what is still awaited. Does not own: which buffers belong to it (input and result
 * partitions know), nor the file.
 * Invariants:
 *   I1 one checkpoint is here at a time (row B5): the result of the one before was taken, or it was aborted;
 *   I2 it is complete once, when all inputs delivered their barriers and every output said what its barrier overtook;
 *   I3 what concerns a checkpoint that is not the open one is dropped: it was aborted meanwhile.
 */
import { assert } from '../foundation/assert.ts';
import type { CheckpointId } from '../foundation/ids.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { DataBuffer } from '../protocol/stream-elements.ts';
import type { ChannelBuffers } from './channel-state-file.ts';

export interface ChannelState {
  readonly input: readonly ChannelBuffers[];
  readonly output: readonly ChannelBuffers[];
}

interface GatheredChannel {
  readonly edge: number;
  readonly peer: number;
  readonly buffers: DataBuffer[];
}

interface OpenCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly input: Map<number, GatheredChannel>;
  readonly output: GatheredChannel[];
  inputOpen: boolean;
  /** Barriers that wait in an output queue: until they left or overtook, their part is open. */
  outputsOpen: number;
  result: ChannelState | undefined;
}

export interface ChannelStateWriterOptions {
  readonly parts: Pick<EngineParts, 'channelNumber'>;
  /** All of it is known: to be taken. */
  readonly complete: (checkpointId: CheckpointId, out: Out) => void;
}

export class ChannelStateWriter {
  readonly #options: ChannelStateWriterOptions;
  #open: OpenCheckpoint | undefined;

  constructor(options: ChannelStateWriterOptions) {
    this.#options = options;
  }

  /** The checkpoint whose channel state is here; 0 when none. */
  get checkpointId(): number {
    return this.#open?.checkpointId ?? 0;
  }

  start(checkpointId: CheckpointId): void {
    if (this.#open?.checkpointId === checkpointId) return;
    assert(this.#open === undefined, 'I1: channel state of one checkpoint is here at a time', {
      open: this.checkpointId,
      checkpointId,
    });
    const open = { inputOpen: true, outputsOpen: 0, result: undefined };
    this.#open = { checkpointId, input: new Map(), output: [], ...open };
  }

  /** What the channel holds when the checkpoint starts here. `channel`: its number in the gate; `peer`: the producer's subtask. */
  inputQueued(channel: { number: number; edge: number; peer: number }, buffers: readonly DataBuffer[]): void {
    if (this.#open === undefined || buffers.length === 0) return;
    const { edge, peer } = channel;
    this.#open.input.set(this.#options.parts.channelNumber(channel), { edge, peer, buffers: [...buffers] });
  }

  /** What arrives before the channel's barrier (row B6: BARRIER_PENDING). */
  inputArrived(channel: { number: number; edge: number; peer: number }, buffer: DataBuffer): void {
    if (this.#open === undefined) return;
    const number = this.#options.parts.channelNumber(channel);
    const known = this.#open.input.get(number);
    if (known !== undefined) known.buffers.push(buffer);
    else this.#open.input.set(number, { edge: channel.edge, peer: channel.peer, buffers: [buffer] });
  }

  /** Every channel delivered its barrier. */
  finishInput(checkpointId: CheckpointId, out: Out): void {
    if (this.#open?.checkpointId !== checkpointId) return;
    this.#open.inputOpen = false;
    this.#closeIfDone(out);
  }

  /** A barrier that may be turned into an overtaking one waits in an output queue (row B8). */
  expectOutput(checkpointId: CheckpointId): void {
    if (this.#open?.checkpointId === checkpointId) this.#open.outputsOpen += 1;
  }

  /** The barrier left behind everything in front of it: nothing to persist. */
  outputLeft(checkpointId: CheckpointId, out: Out): void {
    if (this.#open?.checkpointId !== checkpointId) return;
    this.#open.outputsOpen -= 1;
    this.#closeIfDone(out);
  }

  /** What the barrier overtook in an output queue (row B7). */
  outputOvertaken(checkpointId: CheckpointId, channel: ChannelBuffers): void {
    if (this.#open?.checkpointId !== checkpointId || channel.buffers.length === 0) return;
    this.#open.output.push({ ...channel, buffers: [...channel.buffers] });
  }

  /** The result, once; undefined when it was aborted. */
  take(checkpointId: CheckpointId): ChannelState | undefined {
    if (this.#open?.checkpointId !== checkpointId) return undefined;
    const { result } = this.#open;
    assert(result !== undefined, 'I2: channel state is taken when it is complete', { checkpointId });
    this.#open = undefined;
    return result;
  }

  abort(checkpointId: CheckpointId): void {
    if (this.#open !== undefined && this.#open.checkpointId <= checkpointId) this.#open = undefined;
  }

  #closeIfDone(out: Out): void {
    const open = this.#open;
    if (open === undefined || open.inputOpen || open.outputsOpen > 0 || open.result !== undefined) return;
    const input = [...open.input.values()].sort(byChannel);
    const output = [...open.output].sort(byChannel);
    open.result = { input, output };
    this.#options.complete(open.checkpointId, out);
  }
}

function byChannel(a: GatheredChannel, b: GatheredChannel): number {
  return a.edge - b.edge || a.peer - b.peer;
}
