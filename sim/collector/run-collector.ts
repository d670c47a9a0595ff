/**
 * Folds a history into the figures of a run: checkpoints, restarts, failovers, timeline, probes, output and its latency.
 *
 * Owns counting; judges nothing. Called by the simulation for each history event.
 *
 * I1: a checkpoint record is made when its checkpoint is triggered and ends at most once; one that never ends is `pending`.
 * I2: the timeline has the tasks of completed checkpoints only, in the order of their acknowledgements.
 * I3: a record's latency counts each time it becomes visible, from when it could be read at the log.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { sourceIndexOf } from '../../engine/protocol/stream-elements.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointRecord, LatencyRecord, RunRecord, TimelineRecord } from '../run-record.ts';
import { LatencyHistogram } from './latency-histogram.ts';

type Seen = HistoryEvent['event'];
type Of<K extends Seen['kind']> = Extract<Seen, { readonly kind: K }>;

export interface RunCollectorOptions {
  readonly graph: JobGraph;
  /** When a source record became readable at the log. */
  readonly readableAtUs: (sourceIndex: number) => number;
}

/** The part of a run record that comes from its history. */
export interface RunFigures {
  readonly checkpointRecords: readonly CheckpointRecord[];
  readonly checkpoints: RunRecord['checkpoints'];
  readonly restarts: number;
  readonly failovers: number;
  readonly timeline: readonly TimelineRecord[];
  readonly probes: Readonly<Record<string, number>>;
  /** `out`: visible records, repetitions included. */
  readonly records: RunRecord['records'];
  readonly latency: LatencyRecord;
  /** Of the last completed checkpoint; 0 when there is none. */
  readonly stateBytes: number;
  /** History index of the first effect of each fault, by fault id. */
  readonly effectiveFaults: ReadonlyMap<string, number>;
}

const NOTHING_READ = { in: 0, replayed: 0 } as const;

/** A checkpoint record in the making. */
type OpenRecord = { -readonly [K in keyof CheckpointRecord]: CheckpointRecord[K] } & {
  readonly parts: TimelineRecord[];
};

export class RunCollector {
  readonly #options: RunCollectorOptions;
  readonly #records: OpenRecord[] = [];
  readonly #open = new Map<number, OpenRecord>();
  readonly #timeline: TimelineRecord[] = [];
  readonly #probes = new Map<string, number>();
  readonly #latency = new LatencyHistogram();
  readonly #effectiveFaults = new Map<string, number>();
  #restarts = 0;
  #leaderships = 0;
  #recordsOut = 0;
  #stateBytes = 0;
  #declined = 0;

  constructor(options: RunCollectorOptions) {
    this.#options = options;
  }

  observe(entry: HistoryEvent): void {
    const { event, atUs } = entry;
    switch (event.kind) {
      case 'checkpoint-triggered':
        this.#onTriggered(event, atUs);
        return;
      case 'acknowledge-sent':
        this.#onAcknowledged(event, atUs);
        return;
      case 'checkpoint-completed':
      case 'savepoint-completed':
        this.#onCompleted(event, atUs);
        return;
      case 'checkpoint-aborted':
        this.#onAborted(event, atUs);
        return;
      case 'restart-scheduled':
        this.#restarts += 1;
        return;
      case 'leadership-acquired':
        this.#leaderships += 1;
        return;
      case 'probe':
        this.#probes.set(event.probe, (this.#probes.get(event.probe) ?? 0) + 1);
        return;
      case 'fault-effective':
        if (!this.#effectiveFaults.has(event.fault)) this.#effectiveFaults.set(event.fault, entry.index);
        return;
      case 'transaction-committed':
      case 'output-appended':
        this.#onVisible(event.lineages, atUs);
        return;
      default:
    }
  }

  /** `read` is what the log broker knows: records read at least once, and readings beyond the first. */
  figures(read: { readonly in: number; readonly replayed: number } = NOTHING_READ): RunFigures {
    const outcomes = (outcome: CheckpointRecord['outcome']): number =>
      this.#records.reduce((count, record) => count + (record.outcome === outcome ? 1 : 0), 0);
    const expired = this.#records.reduce((count, { reason }) => count + (reason === 'checkpoint-expired' ? 1 : 0), 0);
    return {
      checkpointRecords: this.#records.map(({ parts: _, ...record }) => record),
      checkpoints: {
        triggered: this.#records.length,
        completed: outcomes('completed'),
        aborted: outcomes('aborted'),
        expired,
        declined: this.#declined,
      },
      restarts: this.#restarts,
      failovers: Math.max(0, this.#leaderships - 1),
      timeline: this.#timeline,
      probes: Object.fromEntries(this.#probes),
      records: { in: read.in, out: this.#recordsOut, replayed: read.replayed },
      latency: this.#latency.toRecord(),
      stateBytes: this.#stateBytes,
      effectiveFaults: this.#effectiveFaults,
    };
  }

  #onTriggered(event: Of<'checkpoint-triggered'>, atUs: number): void {
    const record: OpenRecord = {
      checkpointId: event.checkpointId,
      epoch: event.epoch,
      triggeredAtUs: atUs,
      outcome: 'pending',
      reason: '',
      endedAtUs: -1,
      endToEndUs: 0,
      alignmentUsMax: 0,
      syncUsMax: 0,
      asyncUsMax: 0,
      startDelayUsMax: 0,
      stateBytes: 0,
      recordsInFlight: 0,
      acknowledged: 0,
      required: event.tasks.length,
      parts: [],
    };
    this.#records.push(record);
    this.#open.set(event.checkpointId, record);
  }

  #onAcknowledged(event: Of<'acknowledge-sent'>, atUs: number): void {
    const record = this.#open.get(event.checkpointId);
    if (record === undefined) return;
    const { metrics } = event;
    record.acknowledged += 1;
    record.alignmentUsMax = Math.max(record.alignmentUsMax, metrics.alignmentUs);
    record.syncUsMax = Math.max(record.syncUsMax, metrics.syncUs);
    record.asyncUsMax = Math.max(record.asyncUsMax, metrics.asyncUs);
    record.startDelayUsMax = Math.max(record.startDelayUsMax, metrics.startDelayUs);
    record.stateBytes += metrics.stateBytes;
    record.recordsInFlight += metrics.recordsInFlight;
    record.endToEndUs = atUs - record.triggeredAtUs;
    record.parts.push({
      task: this.#taskName(event.vertex, event.subtask),
      checkpointId: event.checkpointId,
      startUs: record.triggeredAtUs,
      endUs: atUs,
    });
  }

  #onCompleted(event: Of<'checkpoint-completed' | 'savepoint-completed'>, atUs: number): void {
    const record = this.#open.get(event.checkpointId);
    this.#stateBytes = event.stateBytes;
    if (record === undefined) return;
    this.#open.delete(event.checkpointId);
    record.outcome = 'completed';
    record.endedAtUs = atUs;
    record.endToEndUs = event.endToEndUs;
    record.stateBytes = event.stateBytes;
    this.#timeline.push(...record.parts);
  }

  #onAborted(event: Of<'checkpoint-aborted'>, atUs: number): void {
    const record = this.#open.get(event.checkpointId);
    if (record === undefined) return;
    this.#open.delete(event.checkpointId);
    record.outcome = 'aborted';
    record.reason = event.reason;
    record.endedAtUs = atUs;
    record.acknowledged = event.acknowledged;
    if (event.reason.startsWith('checkpoint-declined')) this.#declined += 1;
  }

  #onVisible(lineages: readonly number[], atUs: number): void {
    this.#recordsOut += lineages.length;
    const { readableAtUs } = this.#options;
    for (const lineage of lineages) this.#latency.add(atUs - readableAtUs(sourceIndexOf(lineage)));
  }

  /** As in Flink's web interface: `count (2/4)`. */
  #taskName(vertex: number, subtask: number): string {
    const { name, parallelism } = this.#options.graph.vertices[vertex] ?? {
      name: `vertex ${String(vertex)}`,
      parallelism: 1,
    };
    return `${name} (${String(subtask + 1)}/${String(parallelism)})`;
  }
}
