/** What an acknowledgement says of the files of a snapshot. Pure. */
import { assert } from '../foundation/assert.ts';
import { logicalFileKey, type SegmentHandle, type StateHandle } from '../protocol/state-handle.ts';
import type { AsyncPart } from './async-part.ts';

/** Of a snapshot whose files are all durable. */
export const acknowledgedHandles = (part: AsyncPart): readonly StateHandle[] =>
  sortedHandles(part.handles.map((handle) => withSegments(handle, part)));

/** Row S17: of what an earlier checkpoint wrote only the name is said. */
function withSegments(handle: StateHandle, part: AsyncPart): StateHandle {
  const segments = handle.state === 'keyed' ? part.segments.get(handle.operator) : undefined;
  if (segments === undefined) return handle;
  return {
    ...handle,
    segments: segments.map((segment) => {
      assert(segment !== undefined, 'every segment of an acknowledged snapshot is durable');
      return part.written.has(logicalFileKey(segment)) ? segment : placeholderOf(segment);
    }),
  };
}

const placeholderOf = ({ path, offset }: SegmentHandle): SegmentHandle => ({
  path,
  ...(offset === undefined ? {} : { offset }),
  bytes: 0,
  checksum: 0,
  isPlaceholder: true,
});

/** By operator, then kind: independent of the order in which writes were answered. */
function sortedHandles(handles: readonly StateHandle[]): readonly StateHandle[] {
  return handles.length < 2 ? handles : [...handles].sort(compareHandles);
}

function compareHandles(a: StateHandle, b: StateHandle): number {
  if (a.operator !== b.operator) return a.operator < b.operator ? -1 : 1;
  return a.state < b.state ? -1 : a.state > b.state ? 1 : 0;
}
