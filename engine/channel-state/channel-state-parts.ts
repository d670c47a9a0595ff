/**
 * Channel state as parts of a snapshot: one file for the input channels of a subtask, one for its output channels (row B17).
 *
 * Flink lets up to five subtasks share a file; here each has its own, so that a failed write concerns one subtask only.
 */
import { assert } from '../foundation/assert.ts';
import type { JobVertex } from '../job/job-graph.ts';
import type { StatePart } from '../taskmanager/async-part.ts';
import { type ChannelBuffers, encodeChannelState } from './channel-state-file.ts';
import type { ChannelState } from './channel-state-writer.ts';

/** Input state belongs to the head of the chain, output state to its tail (Flink: OperatorSubtaskState). */
export function channelStateParts({ input, output }: ChannelState, vertex: JobVertex): StatePart[] {
  const head = vertex.source?.uid ?? vertex.operators[0]?.uid;
  const tail = vertex.operators.at(-1)?.uid ?? vertex.source?.uid;
  assert(head !== undefined && tail !== undefined, 'a vertex has an operator or is a source', { vertex: vertex.name });
  const parts: StatePart[] = [];
  if (input.length > 0) parts.push(partOf(head, 'input-channel', input));
  if (output.length > 0) parts.push(partOf(tail, 'output-channel', output));
  return parts;
}

/** In-flight bytes as they were on the wire. */
export function inFlightBytes({ input, output }: ChannelState): number {
  let bytes = 0;
  for (const { buffers } of [...input, ...output]) for (const buffer of buffers) bytes += buffer.bytes;
  return bytes;
}

function partOf(
  operator: string,
  state: 'input-channel' | 'output-channel',
  channels: readonly ChannelBuffers[],
): StatePart {
  const { bytes, sections } = encodeChannelState(channels);
  return {
    operator,
    state,
    channels: sections,
    entryCount: 0,
    estimatedBytes: bytes.length,
    write: () => bytes,
    release: () => {},
  };
}
