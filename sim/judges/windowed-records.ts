/**
 * How far event time can have come when a record of the input reaches its windows, whatever the schedule was.
 *
 * A watermark follows the records it is about on every channel. So behind those of its own partition that lie before it, less the bound of the
 * strategy, no record ever sees event time (rows B25, S11), however far other partitions are. Written from the meaning of watermarks: no
 * engine, no run.
 *
 * Owns what is known of each record of a job with windows of event time, by what its audit calls it. Called by the judge of what windows show.
 *
 * I1: of records that cannot be told apart, what holds for one is granted to all.
 * I2: a partition that may fall idle, or a watermark that is made within the graph, gives no bound.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { WatermarkSpec } from '../../engine/job/watermarks.ts';
import type { WindowSpec } from '../../engine/job/windows.ts';
import { END_OF_TIME_US, START_OF_TIME_US } from '../../engine/protocol/stream-elements.ts';
import type { JobAudit } from './job-audit.ts';
import type { InputIndex, JudgedPartition } from './reference-run.ts';
import { shareAnInstant, type Span, spansOf } from './reference-windows.ts';

export interface WindowedRecordsOptions {
  readonly graph: JobGraph;
  readonly index: InputIndex;
  readonly window: WindowSpec;
  readonly idOf: NonNullable<JobAudit['conserves']>['input'];
}

interface WindowedRecord {
  /** The furthest event time that it can meet. */
  furthestUs: number;
  /** By how much that lies behind the moment at which its last window is forgotten; negative: it cannot be late. */
  slackUs: number;
  /** Windows that it makes or belongs to. */
  readonly spans: Span[];
}

export class WindowedRecords {
  readonly #options: WindowedRecordsOptions;
  readonly #byId = new Map<string, WindowedRecord>();

  constructor(options: WindowedRecordsOptions) {
    this.#options = options;
    const { vertices } = options.graph;
    const isRemade = vertices.some(({ operators }) => operators.some(({ kind }) => kind === 'watermarks'));
    for (const input of options.index.input) {
      const reads = vertices.find(({ source }) => source?.partitions.includes(input.partition) === true);
      this.#add(input, reads?.source?.watermarks, isRemade);
    }
  }

  /** Whether a record can come when all its windows are forgotten. */
  mayBeLate(id: string): boolean {
    return (this.#byId.get(id)?.slackUs ?? 0) >= 0;
  }

  /** Whether a record can come when event time has passed an instant, or has nothing to do with a window: its own share no instant with that. */
  mayMiss(id: string, window: Span, passedUs: number): boolean {
    const record = this.#byId.get(id);
    if (record === undefined || record.furthestUs >= passedUs) return true;
    return !record.spans.some((own) => shareAnInstant(own, window));
  }

  /** Whether a record belongs into a window; where windows grow, into one that covers its own. */
  isOf(id: string, { from, to }: Span): boolean {
    return this.#byId.get(id)?.spans.some((own) => own.from >= from && own.to <= to) ?? true;
  }

  /** When a window is forgotten. */
  forgottenUs({ to }: Span): number {
    return Math.min(to - 1 + this.#options.window.allowedLatenessUs, END_OF_TIME_US);
  }

  #add({ values, timestampsUs }: JudgedPartition, spec: WatermarkSpec | undefined, isRemade: boolean): void {
    const { window, idOf } = this.#options;
    const boundUs = spec?.idlenessUs === undefined && !isRemade ? spec?.outOfOrdernessUs : undefined;
    let newestUs = START_OF_TIME_US;
    for (let offset = 0; offset < values.length; offset += 1) {
      const value = values[offset];
      const loggedUs = timestampsUs[offset] ?? 0;
      const atUs =
        spec?.timestampOf === undefined ? loggedUs : Math.round(spec.timestampOf(value, loggedUs / 1_000) * 1_000);
      const furthestUs = boundUs === undefined ? END_OF_TIME_US : newestUs - boundUs - 1;
      newestUs = Math.max(newestUs, atUs);
      const id = idOf(value);
      if (id === undefined) continue;
      const spans = spansOf(window.assigner, atUs);
      const last = spans.reduce((most, { to }) => Math.max(most, to), START_OF_TIME_US);
      this.#grant(id, { furthestUs, slackUs: furthestUs - this.forgottenUs({ from: 0, to: last }), spans });
    }
  }

  /** I1. */
  #grant(id: string, record: WindowedRecord): void {
    const known = this.#byId.get(id);
    if (known === undefined) {
      this.#byId.set(id, record);
      return;
    }
    known.furthestUs = Math.max(known.furthestUs, record.furthestUs);
    known.slackUs = Math.max(known.slackUs, record.slackUs);
    known.spans.push(...record.spans);
  }
}
