/**
 * Folds a history into what is known of each checkpoint and of each subtask's part in it (row 7.2; Flink: CheckpointStatsTracker with
 * PendingCheckpointStats, TaskStateStats, SubtaskStateStats).
 *
 * Owns: the joining of what tasks and leaders report. Does not own: counts, summaries and the form in which they are told
 * (sim/statistics/). Flink keeps its tracker in the JobManager and loses it with it; this one watches all leaders, and ids are unique
 * over them.
 *
 * I1: a record is made when its checkpoint is triggered.
 * I2: only an acknowledgement that counted at the coordinator gives a subtask figures.
 * I3: what its leader said of a checkpoint's end stands. A checkpoint without end whose leader was replaced is failed, until a restore
 *     or that leader shows that it had become durable.
 * I4: the timeline has the tasks of completed checkpoints only, in the order of their acknowledgements.
 * I5: where subtasks are not asked for, what they did goes when their checkpoint is over: subsumed, or aborted by its leader. Then memory grows by
 *     one record for each checkpoint, which is part of the result.
 */
import type { CheckpointMetrics } from '../../engine/protocol/checkpoint-metrics.ts';
import type { SnapshotType } from '../../engine/protocol/checkpoint-options.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointRecord, RestoreRecord, SubtaskRecord, TimelineRecord } from '../run-record.ts';

type Seen = HistoryEvent['event'];
type Of<K extends Seen['kind']> = Extract<Seen, { readonly kind: K }>;

/** Reason of a checkpoint whose leader was replaced before it ended. */
export const LEADER_REPLACED = 'jobmanager-failover';

interface Vertex {
  readonly name: string;
  readonly parallelism: number;
}

/** A subtask's acknowledgement as it was sent. */
interface Acknowledgement {
  readonly attempt: number;
  readonly vertex: number;
  readonly subtask: number;
  readonly sentAtUs: number;
  readonly metrics: CheckpointMetrics;
  /** -1 until it counted. */
  acknowledgedAtUs: number;
}

interface Watched {
  readonly checkpointId: number;
  readonly epoch: number;
  readonly triggeredAtUs: number;
  readonly type: SnapshotType;
  readonly tasks: readonly number[];
  /** By attempt. */
  readonly sent: Map<number, Acknowledgement>;
  /** In order of arrival. */
  readonly acknowledged: Acknowledgement[];
  outcome: CheckpointRecord['outcome'];
  reason: string;
  endedAtUs: number;
  /** Its own leader said how it ended. */
  isEnded: boolean;
  /** What its leader says that it took; -1: it has not said. */
  endToEndUs: number;
  metadataBytes: number;
  externalPath: string;
  discarded: boolean;
  /** What is left of it when no subtask is asked for any more. */
  folded: CheckpointRecord | undefined;
}

export interface CheckpointCollectorOptions {
  readonly vertices: readonly Vertex[];
  /** Each subtask's part in each checkpoint is kept to the end; else only while its checkpoint is pending or retained. */
  readonly subtasks: boolean;
  readonly timeline: boolean;
}

export class CheckpointCollector {
  readonly #vertices: readonly Vertex[];
  readonly #keepsSubtasks: boolean;
  readonly #keepsTimeline: boolean;
  readonly #checkpoints = new Map<number, Watched>();
  readonly #deployed = new Map<number, { readonly vertex: number; readonly subtask: number }>();
  /** By vertex, as last deployed. */
  readonly #parallelism = new Map<number, number>();
  readonly #restores: RestoreRecord[] = [];
  readonly #timeline: TimelineRecord[] = [];

  constructor({ vertices, subtasks, timeline }: CheckpointCollectorOptions) {
    this.#vertices = vertices;
    this.#keepsSubtasks = subtasks;
    this.#keepsTimeline = timeline;
  }

  observe({ event, atUs }: HistoryEvent): void {
    switch (event.kind) {
      case 'task-deployed':
        this.#deployed.set(event.attempt, event);
        this.#parallelism.set(event.vertex, event.parallelism);
        return;
      case 'checkpoint-triggered':
        this.#onTriggered(event, atUs);
        return;
      case 'acknowledge-sent':
        this.#onSent(event, atUs);
        return;
      case 'acknowledge-received':
        this.#onReceived(event, atUs);
        return;
      case 'metadata-write-sent':
        this.#onMetadata(event);
        return;
      case 'checkpoint-completed':
      case 'savepoint-completed':
        this.#onCompleted(event, atUs);
        return;
      case 'checkpoint-aborted':
        this.#onAborted(event, atUs);
        return;
      case 'checkpoint-subsumed':
        this.#onSubsumed(event);
        return;
      case 'restore-chosen':
        this.#onRestore(event, atUs);
        return;
      case 'leadership-acquired':
        this.#onLeader(event.epoch, atUs);
        return;
      default:
    }
  }

  /** Subtasks' parts in checkpoints that are kept. */
  get remembered(): number {
    return [...this.#checkpoints.values()].reduce((sum, { sent }) => sum + sent.size, 0);
  }

  /** In the order of their triggers. */
  records(): CheckpointRecord[] {
    return [...this.#checkpoints.values()].map((watched) => watched.folded ?? recordOf(watched));
  }

  /** By checkpoint, in the order of triggers, then by vertex and subtask. */
  subtaskRecords(): SubtaskRecord[] {
    return [...this.#checkpoints.values()].flatMap((watched) =>
      watched.tasks
        .map((attempt) => this.#subtaskRecord(watched, attempt))
        .sort((a, b) => a.vertex - b.vertex || a.subtask - b.subtask || a.attempt - b.attempt),
    );
  }

  restores(): readonly RestoreRecord[] {
    return this.#restores;
  }

  timeline(): readonly TimelineRecord[] {
    return this.#timeline;
  }

  #onTriggered(event: Of<'checkpoint-triggered'>, atUs: number): void {
    this.#checkpoints.set(event.checkpointId, {
      checkpointId: event.checkpointId,
      epoch: event.epoch,
      triggeredAtUs: atUs,
      type: event.options.snapshot,
      tasks: event.tasks,
      sent: new Map(),
      acknowledged: [],
      outcome: 'pending',
      reason: '',
      endedAtUs: -1,
      isEnded: false,
      endToEndUs: -1,
      metadataBytes: 0,
      externalPath: '',
      discarded: false,
      folded: undefined,
    });
  }

  #onSent({ checkpointId, attempt, vertex, subtask, metrics }: Of<'acknowledge-sent'>, atUs: number): void {
    const watched = this.#checkpoints.get(checkpointId);
    if (watched === undefined || watched.folded !== undefined) return;
    watched.sent.set(attempt, { attempt, vertex, subtask, sentAtUs: atUs, metrics, acknowledgedAtUs: -1 });
  }

  #onReceived({ checkpointId, attempt, result }: Of<'acknowledge-received'>, atUs: number): void {
    if (result !== 'success') return;
    const watched = this.#checkpoints.get(checkpointId);
    const acknowledgement = watched?.sent.get(attempt);
    if (watched === undefined || acknowledgement === undefined || watched.isEnded) return;
    acknowledgement.acknowledgedAtUs = atUs;
    watched.acknowledged.push(acknowledgement);
  }

  #onMetadata({ checkpointId, path }: Of<'metadata-write-sent'>): void {
    const watched = this.#checkpoints.get(checkpointId);
    if (watched !== undefined) watched.externalPath = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  }

  #onCompleted(
    { checkpointId, metadataBytes, endToEndUs }: Of<'checkpoint-completed' | 'savepoint-completed'>,
    atUs: number,
  ): void {
    const watched = this.#checkpoints.get(checkpointId);
    if (watched === undefined || watched.isEnded) return;
    this.#complete(watched, atUs);
    watched.isEnded = true;
    watched.metadataBytes = metadataBytes;
    watched.endToEndUs = endToEndUs;
  }

  #onAborted({ checkpointId, reason }: Of<'checkpoint-aborted'>, atUs: number): void {
    const watched = this.#checkpoints.get(checkpointId);
    if (watched === undefined || watched.isEnded || watched.outcome === 'completed') return;
    watched.isEnded = true;
    watched.outcome = 'aborted';
    watched.reason = reason;
    watched.endedAtUs = atUs;
    this.#fold(watched);
  }

  #onSubsumed({ checkpointId }: Of<'checkpoint-subsumed'>): void {
    const watched = this.#checkpoints.get(checkpointId);
    if (watched === undefined) return;
    watched.discarded = true;
    if (watched.isEnded) this.#fold(watched);
  }

  /** I5. */
  #fold(watched: Watched): void {
    if (this.#keepsSubtasks) return;
    watched.folded = recordOf(watched);
    watched.sent.clear();
    watched.acknowledged.length = 0;
  }

  #onRestore({ checkpointId, epoch }: Of<'restore-chosen'>, atUs: number): void {
    if (checkpointId === 0) return;
    this.#restores.push({ checkpointId, epoch, atUs });
    const watched = this.#checkpoints.get(checkpointId);
    if (watched !== undefined && !watched.isEnded) this.#complete(watched, atUs);
  }

  #onLeader(epoch: number, atUs: number): void {
    for (const watched of this.#checkpoints.values()) {
      if (watched.epoch >= epoch || watched.outcome !== 'pending') continue;
      watched.outcome = 'aborted';
      watched.reason = LEADER_REPLACED;
      watched.endedAtUs = atUs;
    }
  }

  #complete(watched: Watched, atUs: number): void {
    if (watched.outcome === 'completed') return;
    watched.outcome = 'completed';
    watched.reason = '';
    watched.endedAtUs = atUs;
    if (!this.#keepsTimeline) return;
    for (const { vertex, subtask, sentAtUs } of watched.acknowledged) {
      this.#timeline.push({
        task: this.#taskName(vertex, subtask),
        checkpointId: watched.checkpointId,
        startUs: watched.triggeredAtUs,
        endUs: sentAtUs,
      });
    }
  }

  #subtaskRecord({ checkpointId, sent }: Watched, attempt: number): SubtaskRecord {
    const acknowledgement = sent.get(attempt);
    const { vertex = -1, subtask = -1 } = acknowledgement ?? this.#deployed.get(attempt) ?? {};
    const task = this.#vertices[vertex]?.name ?? `vertex ${vertex}`;
    const record = { checkpointId, vertex, task, subtask, attempt };
    return acknowledgement === undefined || acknowledgement.acknowledgedAtUs < 0
      ? { ...record, acknowledgedAtUs: -1 }
      : { ...record, acknowledgedAtUs: acknowledgement.acknowledgedAtUs, metrics: acknowledgement.metrics };
  }

  /** As in Flink's web interface: `count (2/4)`. */
  #taskName(vertex: number, subtask: number): string {
    const { name, parallelism: written } = this.#vertices[vertex] ?? { name: `vertex ${vertex}`, parallelism: 1 };
    const parallelism = this.#parallelism.get(vertex) ?? written;
    return `${name} (${subtask + 1}/${parallelism})`;
  }
}

type Counting = { -readonly [K in keyof CheckpointRecord]: CheckpointRecord[K] };

function recordOf(watched: Watched): CheckpointRecord {
  const { checkpointId, epoch, triggeredAtUs, outcome, reason, endedAtUs, acknowledged, tasks, type } = watched;
  const record: Counting = {
    checkpointId,
    epoch,
    triggeredAtUs,
    outcome,
    reason,
    endedAtUs,
    endToEndUs: 0,
    alignmentUsMax: 0,
    syncUsMax: 0,
    asyncUsMax: 0,
    startDelayUsMax: 0,
    stateBytes: 0,
    recordsInFlight: 0,
    acknowledged: acknowledged.length,
    required: tasks.length,
    type,
    unaligned: false,
    latestAcknowledgedAtUs: -1,
    checkpointedBytes: 0,
    metadataBytes: watched.metadataBytes,
    bytesProcessed: 0,
    bytesProcessedMax: 0,
    bytesPersisted: 0,
    bytesPersistedMax: 0,
    externalPath: watched.externalPath,
    discarded: watched.discarded,
  };
  for (const { metrics, acknowledgedAtUs } of acknowledged) count(record, metrics, acknowledgedAtUs);
  // By the wall clock of the leader, as all that it shows (row B13).
  if (watched.endToEndUs >= 0) record.endToEndUs = watched.endToEndUs;
  return record;
}

function count(record: Counting, metrics: CheckpointMetrics, acknowledgedAtUs: number): void {
  record.latestAcknowledgedAtUs = Math.max(record.latestAcknowledgedAtUs, acknowledgedAtUs);
  record.endToEndUs = record.latestAcknowledgedAtUs - record.triggeredAtUs;
  record.alignmentUsMax = Math.max(record.alignmentUsMax, metrics.alignmentUs);
  record.syncUsMax = Math.max(record.syncUsMax, metrics.syncUs);
  record.asyncUsMax = Math.max(record.asyncUsMax, metrics.asyncUs);
  record.startDelayUsMax = Math.max(record.startDelayUsMax, metrics.startDelayUs);
  record.stateBytes += metrics.stateBytes;
  record.checkpointedBytes += metrics.checkpointedBytes;
  record.recordsInFlight += metrics.recordsInFlight;
  record.bytesProcessed += metrics.bytesProcessedDuringAlignment;
  record.bytesProcessedMax = Math.max(record.bytesProcessedMax, metrics.bytesProcessedDuringAlignment);
  record.bytesPersisted += metrics.bytesPersistedDuringAlignment;
  record.bytesPersistedMax = Math.max(record.bytesPersistedMax, metrics.bytesPersistedDuringAlignment);
  record.unaligned ||= metrics.unaligned;
}
