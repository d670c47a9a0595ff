/**
 * Where a savepoint lies, and the paths inside a snapshot (rows C26, T2, T4; Flink: RelativeFileStateHandle).
 *
 * `_metadata` names the files of its own directory relative to that, so that the directory may be copied elsewhere as a whole. Files
 * that lie elsewhere, shared ones and those with entropy in their paths, have their whole path.
 * Invariant I1: a relative path begins with `./`, no other path does.
 */
import type { CheckpointId } from '../foundation/ids.ts';
import type { CheckpointMetadata } from './metadata-file.ts';
import type { StateHandle } from './state-handle.ts';

const HERE = './';

export const savepointDirectory = (directory: string, jobId: string, id: CheckpointId): string =>
  `${directory}/savepoint-${jobId}-${id}`;

const METADATA = '/_metadata';

/** Where a snapshot in this directory says what it is made of. */
export const metadataIn = (directory: string): string => `${directory}${METADATA}`;

export const isMetadata = (path: string): boolean => path.endsWith(METADATA);

/** `<directory>/_metadata` gives the directory. */
export const directoryOfMetadata = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** As it is written: files below `directory` by what follows it. */
export const relativeTo = (directory: string, metadata: CheckpointMetadata): CheckpointMetadata =>
  withPaths(metadata, (path) =>
    path.startsWith(`${directory}/`) ? `${HERE}${path.slice(directory.length + 1)}` : path,
  );

/** As it is read: relative files are those below `directory`, wherever that lies now. */
export const resolvedIn = (directory: string, metadata: CheckpointMetadata): CheckpointMetadata =>
  withPaths(metadata, (path) => (path.startsWith(HERE) ? `${directory}/${path.slice(HERE.length)}` : path));

/** Every file that state lies in, as the paths are written; of merged files as often as something lies in them. */
export const pathsIn = ({ states }: CheckpointMetadata): readonly string[] =>
  states.flatMap(({ handles }) =>
    handles.flatMap(({ path, segments = [] }) => [...(path === '' ? [] : [path]), ...segments.map((of) => of.path)]),
  );

/** What keeps its paths is shared, not copied: most state is inline and has none. */
function withPaths(metadata: CheckpointMetadata, change: (path: string) => string): CheckpointMetadata {
  const states = metadata.states.map((state) => {
    const handles = state.handles.map((handle) => withPath(handle, change));
    return handles.every((handle, index) => handle === state.handles[index]) ? state : { ...state, handles };
  });
  return states.every((state, index) => state === metadata.states[index]) ? metadata : { ...metadata, states };
}

function withPath(handle: StateHandle, change: (path: string) => string): StateHandle {
  if (handle.path === '' && handle.segments === undefined) return handle;
  const path = change(handle.path);
  if (handle.segments === undefined) return path === handle.path ? handle : { ...handle, path };
  return { ...handle, path, segments: handle.segments.map((segment) => ({ ...segment, path: change(segment.path) })) };
}
