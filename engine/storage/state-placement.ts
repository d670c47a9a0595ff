/**
 * Where a piece of state of some size goes: into the acknowledgement and so into `_metadata`, into a file, or nowhere (rows T1, T3, X11;
 * Flink: FsCheckpointStateOutputStream, MemoryCheckpointOutputStream.checkSize).
 *
 * Owns: the limits. Called by the subtask that wrote the state, before it stores it, and before it acknowledges.
 */
import type { CheckpointConfiguration } from '../protocol/configuration.ts';
import type { StateHandle } from '../protocol/state-handle.ts';

type Limits = Pick<CheckpointConfiguration, 'inlineThresholdBytes' | 'storage'>;

export function placementOf(bytes: number, { inlineThresholdBytes, storage }: Limits): 'inline' | 'file' | 'too-large' {
  if (storage.kind !== 'jobmanager') return bytes <= inlineThresholdBytes ? 'inline' : 'file';
  return bytes <= storage.maxStateBytes ? 'inline' : 'too-large';
}

/** An acknowledgement beyond the frame of the RPC system is never sent: waiting for its answer would only end in a time-out. */
export function fitsFrame(handles: readonly StateHandle[], { storage }: Limits): boolean {
  let inlineBytes = 0;
  for (const { inline } of handles) inlineBytes += inline?.length ?? 0;
  return inlineBytes <= storage.frameBytes;
}
