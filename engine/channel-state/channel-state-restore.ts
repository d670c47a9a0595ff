/** Restored channel state, decoded: what goes back into the input and the output channels of one subtask (row B18; Flink: SequentialChannelStateReader). */
import type { RestoredState } from '../taskmanager/state-restore.ts';
import { type ChannelBuffers, decodeChannelState } from './channel-state-file.ts';

/** Throws `CorruptData`. */
export function restoredChannels(
  states: readonly RestoredState[],
  kind: 'input-channel' | 'output-channel',
): ChannelBuffers[] {
  return states.flatMap(({ handle, bytes }) =>
    handle.state === kind ? decodeChannelState(bytes, handle.channels ?? []) : [],
  );
}
