/** Folds what a subtask is told when it is deployed into the running digest: its place, its channels, its scale, its state. */
import type { SegmentHandle, StateHandle } from '../../engine/protocol/state-handle.ts';
import type { TaskDeployment } from '../../engine/protocol/task.ts';
import type { Digest } from '../kernel/digest.ts';

export function foldDeployment(digest: Digest, deployment: TaskDeployment): void {
  digest.fold(deployment.attempt);
  digest.fold(deployment.vertex);
  digest.fold(deployment.subtask);
  digest.fold(deployment.slot);
  for (const input of deployment.inputs) {
    digest.foldString(input.producerNode);
    digest.fold(input.producerAttempt);
  }
  if (deployment.scale !== undefined) {
    digest.fold(deployment.scale.highestParallelism);
    for (const { parallelism } of deployment.scale.vertices) digest.fold(parallelism);
  }
  if (deployment.restore === undefined) return;
  digest.fold(deployment.restore.checkpointId);
  if (deployment.restore.finished !== undefined) digest.foldString(deployment.restore.finished);
  for (const state of deployment.restore.state) foldHandles(digest, state.handles);
  if (deployment.restore.takenOver !== undefined) foldHandles(digest, deployment.restore.takenOver);
}

export function foldHandles(digest: Digest, handles: readonly StateHandle[]): void {
  digest.fold(handles.length);
  for (const handle of handles) {
    digest.foldString(handle.path);
    digest.fold(handle.bytes);
    digest.fold(handle.checksum);
    foldSegments(digest, handle.segments ?? []);
    for (const { offsets } of handle.lists ?? []) {
      digest.fold(offsets.length);
      digest.fold(offsets[0] ?? -1);
    }
  }
}

export function foldSegments(digest: Digest, segments: readonly SegmentHandle[]): void {
  for (const { path, checksum } of segments) {
    digest.foldString(path);
    digest.fold(checksum);
  }
}
