/**
 * Logical points of a checkpoint's life at which a fault may strike, in the order they happen; those of the end of a bounded job; and those
 * of a recovery.
 * Each is one kind of history event; `.sent` points lie before the effect, `.done` points after it and before anyone was told.
 */
import { isMetadata } from '../../engine/protocol/savepoint-paths.ts';
import type { HistoryEvent } from '../history/history-event.ts';

export const CHECKPOINT_POINTS = [
  'triggered',
  'coordinator-snapshot.taken',
  'trigger.received',
  'barrier.received',
  'alignment.started',
  'alignment.done',
  'barrier.sent',
  'snapshot.taken',
  'state-write.sent',
  'state-write.begun',
  'state-write.done',
  'pre-commit.done',
  'acknowledge.sent',
  'acknowledge.received',
  'all-acknowledged',
  'metadata-write.sent',
  'metadata-write.begun',
  'metadata-write.done',
  'pointer-write.sent',
  'pointer-write.done',
  'completed',
  'notify.sent',
  'notify.received',
  'commit.sent',
  'commit.done',
  'aborted',
  'subsumed',
  'restored',
  'end-of-data',
  'task.finished',
  'job.finished',
  'job.remembered',
] as const;

export type CheckpointPoint = (typeof CHECKPOINT_POINTS)[number];

/** A recovery, in its order: a leader is there, the job is to be restarted, what it restores is chosen, a task is sent to a machine. */
export const RECOVERY_POINTS = ['elected', 'restarting', 'restore.chosen', 'deployed'] as const;
export const FAULT_POINTS = [...CHECKPOINT_POINTS, ...RECOVERY_POINTS] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

/** What happened, in terms of points; undefined for events that are none. */
export interface PointOccurrence<Point extends FaultPoint = CheckpointPoint> {
  readonly point: Point;
  /** 0 when the event does not tell. */
  readonly checkpoint: number;
  readonly vertex?: number;
  readonly subtask?: number;
}

const POINT_OF_KIND: ReadonlyMap<string, CheckpointPoint> = new Map<string, CheckpointPoint>([
  ['checkpoint-triggered', 'triggered'],
  ['coordinator-snapshot-taken', 'coordinator-snapshot.taken'],
  ['trigger-received', 'trigger.received'],
  ['barrier-received', 'barrier.received'],
  ['alignment-started', 'alignment.started'],
  ['alignment-done', 'alignment.done'],
  ['barrier-sent', 'barrier.sent'],
  ['snapshot-taken', 'snapshot.taken'],
  ['state-write-sent', 'state-write.sent'],
  ['merged-write-sent', 'state-write.sent'],
  ['file-opened', 'state-write.begun'],
  ['object-stored', 'state-write.done'],
  ['transaction-pre-committed', 'pre-commit.done'],
  ['acknowledge-sent', 'acknowledge.sent'],
  ['acknowledge-received', 'acknowledge.received'],
  ['all-acknowledged', 'all-acknowledged'],
  ['metadata-write-sent', 'metadata-write.sent'],
  ['pointer-write-sent', 'pointer-write.sent'],
  ['coordination-updated', 'pointer-write.done'],
  ['checkpoint-completed', 'completed'],
  ['notify-complete-sent', 'notify.sent'],
  ['notify-complete-received', 'notify.received'],
  ['commit-sent', 'commit.sent'],
  ['transaction-committed', 'commit.done'],
  ['checkpoint-aborted', 'aborted'],
  ['checkpoint-subsumed', 'subsumed'],
  ['task-restored', 'restored'],
  ['end-of-data-reached', 'end-of-data'],
]);

/** What `_metadata` is called on a storage that renames it. */
const TEMPORARY_METADATA = /\/\._metadata\.[^/]*$/;

/** Checkpoint id in a path `.../chk-<n>/...`, or the one a merged file was begun for; 0 when there is none. */
export function checkpointOfPath(path: string): number {
  const match = /\/chk-(\d+)\/|-(\d+)\.merged$/.exec(path);
  return Number(match?.[1] ?? match?.[2] ?? 0);
}

/** Checkpoint a pointer value names as its newest; the pointer is JSON `{ completed: [{ id }, ...] }`, newest last. */
function checkpointOfPointer(value: string): number {
  const match = /.*"id":(\d+)/.exec(value);
  return match?.[1] === undefined ? 0 : Number(match[1]);
}

/** Points of recovery among them. */
export function faultPointOf(entry: HistoryEvent): PointOccurrence<FaultPoint> | undefined {
  const { event } = entry;
  switch (event.kind) {
    case 'leadership-acquired':
      return { point: 'elected', checkpoint: 0 };
    case 'job-status':
      return event.status === 'restarting' ? { point: 'restarting', checkpoint: 0 } : pointOf(entry);
    case 'restore-chosen':
      return { point: 'restore.chosen', checkpoint: event.checkpointId };
    case 'task-deployed':
      return { point: 'deployed', checkpoint: 0, vertex: event.vertex, subtask: event.subtask };
    default:
      return pointOf(entry);
  }
}

export function pointOf(entry: HistoryEvent): PointOccurrence | undefined {
  const event = entry.event;
  if (event.kind === 'task-state' && event.state === 'finished') {
    return { point: 'task.finished', checkpoint: 0, vertex: event.vertex, subtask: event.subtask };
  }
  if (event.kind === 'job-status' && event.status === 'finished') return { point: 'job.finished', checkpoint: 0 };
  const point = POINT_OF_KIND.get(event.kind);
  if (point === undefined) return undefined;
  if (event.kind === 'object-stored' || event.kind === 'file-opened') {
    const isDone = event.kind === 'object-stored';
    const checkpoint = checkpointOfPath(event.path);
    if (isMetadata(event.path)) return { point: `metadata-write.${isDone ? 'done' : 'begun'}`, checkpoint };
    if (!TEMPORARY_METADATA.test(event.path)) return { point, checkpoint };
    // It is done when it has its name.
    return isDone ? undefined : { point: 'metadata-write.begun', checkpoint };
  }
  if (event.kind === 'coordination-updated') {
    if (event.key.endsWith('/result')) return { point: 'job.remembered', checkpoint: 0 };
    return event.key.endsWith('/checkpoints') ? { point, checkpoint: checkpointOfPointer(event.value) } : undefined;
  }
  const checkpoint = 'checkpointId' in event ? event.checkpointId : 0;
  return 'vertex' in event
    ? { point, checkpoint, vertex: event.vertex, subtask: event.subtask }
    : { point, checkpoint };
}
