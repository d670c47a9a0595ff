/**
 * Folds a history into the figures of a run: checkpoints, restarts, failovers, timeline, probes, output and its latency.
 *
 * Owns counting; judges nothing. What is known of single checkpoints is checkpoint-collector's. Called by the simulation for each
 * history event.
 *
 * A crash that finds a durable write on its way is a rare situation of the world: it is counted here, and no event says so.
 *
 * I1: a record's latency counts each time it becomes visible, from when it could be read at the log; what comes of no record has none.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { isOfFinish, sourceIndexOf } from '../../engine/protocol/stream-elements.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { WorldProbe } from '../probes.ts';
import type {
  CheckpointRecord,
  LatencyRecord,
  RestoreRecord,
  RunRecord,
  SubtaskRecord,
  TimelineRecord,
} from '../run-record.ts';
import { CheckpointCollector } from './checkpoint-collector.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { type DurableWrite, WritesInFlight } from './writes-in-flight.ts';

export interface RunCollectorOptions {
  readonly graph: JobGraph;
  /** When a source record became readable at the log. */
  readonly readableAtUs: (sourceIndex: number) => number;
  /** What is to be told at the end: each subtask's part in each checkpoint, and the timeline. Default: both. */
  readonly subtasks?: boolean;
  readonly timeline?: boolean;
}

/** The part of a run record that comes from its history. */
export interface RunFigures {
  readonly checkpointRecords: readonly CheckpointRecord[];
  readonly restoreRecords: readonly RestoreRecord[];
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
  /** Crashes that came when the node did not know what became of something that it had written. */
  readonly faultsInFlight: ReadonlySet<string>;
}

const PROBE_OF: Readonly<Record<DurableWrite, WorldProbe>> = {
  state: 'crash-with-state-in-flight',
  metadata: 'crash-with-metadata-in-flight',
  pointer: 'crash-with-pointer-in-flight',
};

const NOTHING_READ = { in: 0, replayed: 0 } as const;

export class RunCollector {
  readonly #options: RunCollectorOptions;
  readonly #checkpoints: CheckpointCollector;
  readonly #probes = new Map<string, number>();
  readonly #latency = new LatencyHistogram();
  readonly #effectiveFaults = new Map<string, number>();
  readonly #writes = new WritesInFlight();
  readonly #faultsInFlight = new Set<string>();
  /** The fault that began last: what crashes at once is its doing. */
  #begun = { fault: '', atUs: -1 };
  #restarts = 0;
  #leaderships = 0;
  #recordsOut = 0;
  #stateBytes = 0;

  constructor(options: RunCollectorOptions) {
    this.#options = options;
    const { graph, subtasks = true, timeline = true } = options;
    this.#checkpoints = new CheckpointCollector({ vertices: graph.vertices, subtasks, timeline });
  }

  observe(entry: HistoryEvent): void {
    const { event, atUs } = entry;
    this.#checkpoints.observe(entry);
    for (const what of this.#writes.observe(entry)) this.#onStruckWrite(what, atUs);
    switch (event.kind) {
      case 'checkpoint-completed':
      case 'savepoint-completed':
        this.#stateBytes = event.stateBytes;
        return;
      case 'restart-scheduled':
        this.#restarts += 1;
        return;
      case 'leadership-acquired':
        this.#leaderships += 1;
        return;
      case 'probe':
        this.#reached(event.probe);
        return;
      case 'fault-started':
        this.#begun = { fault: event.fault, atUs };
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
    const checkpointRecords = this.#checkpoints.records();
    const count = (counts: (record: CheckpointRecord) => boolean): number => checkpointRecords.filter(counts).length;
    return {
      checkpointRecords,
      restoreRecords: this.#checkpoints.restores(),
      checkpoints: {
        triggered: checkpointRecords.length,
        completed: count(({ outcome }) => outcome === 'completed'),
        aborted: count(({ outcome }) => outcome === 'aborted'),
        expired: count(({ reason }) => reason === 'checkpoint-expired'),
        declined: count(({ reason }) => reason.startsWith('checkpoint-declined')),
      },
      restarts: this.#restarts,
      failovers: Math.max(0, this.#leaderships - 1),
      timeline: this.#checkpoints.timeline(),
      probes: Object.fromEntries(this.#probes),
      records: { in: read.in, out: this.#recordsOut, replayed: read.replayed },
      latency: this.#latency.toRecord(),
      stateBytes: this.#stateBytes,
      effectiveFaults: this.#effectiveFaults,
      faultsInFlight: this.#faultsInFlight,
    };
  }

  /** One per checkpoint and subtask. */
  subtaskRecords(): SubtaskRecord[] {
    return this.#checkpoints.subtaskRecords();
  }

  #reached(probe: string): void {
    this.#probes.set(probe, (this.#probes.get(probe) ?? 0) + 1);
  }

  #onStruckWrite(what: DurableWrite, atUs: number): void {
    this.#reached(PROBE_OF[what]);
    // A crash that no fault makes at this moment: a process that ends itself, or what is lost with the storm.
    if (this.#begun.atUs === atUs) this.#faultsInFlight.add(this.#begun.fault);
  }

  #onVisible(lineages: readonly number[], atUs: number): void {
    this.#recordsOut += lineages.length;
    const { readableAtUs } = this.#options;
    for (const lineage of lineages)
      if (!isOfFinish(lineage)) this.#latency.add(atUs - readableAtUs(sourceIndexOf(lineage)));
  }
}
