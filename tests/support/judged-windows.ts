/** The judge of output of a job with windows that fire again, told by hand what becomes visible. Times in milliseconds, of one key. */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { WindowAssignerSpec } from '../../engine/job/windows.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import { ConservedOutput } from '../../sim/judges/conserved-output.ts';
import { RecordTrail } from '../../sim/judges/record-trail.ts';
import { InputIndex } from '../../sim/judges/reference-run.ts';

export interface JudgedWindowsOptions {
  readonly assigner: WindowAssignerSpec;
  /** Of each partition the times of its records, in their order. */
  readonly input: readonly (readonly number[])[];
  readonly boundMs: number;
  readonly latenessMs: number;
  readonly idlenessMs?: number;
  /** What a record is called; absent: its time. */
  readonly nameOf?: (partition: number, offset: number) => string;
}

interface Shown {
  readonly start?: number;
  readonly end?: number;
  readonly ids: readonly string[];
}

const END = { cause: 'quiescent', atUs: 9 } as never;

export class JudgedWindows {
  readonly #judge: ConservedOutput;
  #at = 0;
  /** Event time of the operator, by checkpoint. */
  readonly #watermarkMs = new Map<number, number>();

  constructor({ assigner, input, boundMs, latenessMs, idlenessMs, nameOf }: JudgedWindowsOptions) {
    const idleness = idlenessMs === undefined ? {} : { idlenessUs: idlenessMs * 1_000 };
    const watermarks = { outOfOrdernessUs: boundMs * 1_000, intervalUs: 1, ...idleness };
    const window = { uid: 'windows', kind: 'window', window: { assigner, allowedLatenessUs: latenessMs * 1_000 } };
    const partitions = input.map((_, partition) => partition);
    const graph = {
      vertices: [
        { source: { partitions, watermarks }, operators: [], maxParallelism: 8 },
        { operators: [window], maxParallelism: 8 },
      ],
    } as unknown as JobGraph;
    let records = 0;
    const index = new InputIndex(
      input.map((times, partition) => ({
        ...{ topic: 't', partition, bounded: true },
        values: times.map((ms, offset) => nameOf?.(partition, offset) ?? String(ms)),
        timestampsUs: times.map((ms) => ms * 1_000),
        sourceIndices: times.map(() => records++),
      })),
    );
    this.#judge = new ConservedOutput({
      trail: new RecordTrail(index),
      conserves: {
        input: String,
        output: (value) => (value as Shown).ids,
        windows: {
          operator: 'windows',
          of(value) {
            const { start, end } = value as Shown;
            return start === undefined || end === undefined ? undefined : { key: 'k', startMs: start, endMs: end };
          },
        },
      },
      index,
      hasFinished: () => true,
      windows: {
        graph,
        fired: {
          before: (checkpointId) => (_operator, timer) =>
            timer.timestampUs <= (this.#watermarkMs.get(checkpointId) ?? Number.NEGATIVE_INFINITY) * 1_000,
        },
      },
    });
  }

  shows(start: number, end: number, ...ids: readonly (number | string)[]): this {
    return this.#see({ start, end, ids: ids.map(String) });
  }

  late(...ids: readonly (number | string)[]): this {
    return this.#see({ ids: ids.map(String) });
  }

  /** From a checkpoint at which event time had come so far. */
  restored(checkpointId: number, watermarkMs: number): this {
    this.#watermarkMs.set(checkpointId, watermarkMs);
    this.#judge.observe({ event: { kind: 'task-restored', checkpointId }, index: 0 } as unknown as HistoryEvent);
    return this;
  }

  /** Anomalies at the end; one that is empty: passed. */
  get found(): string[] {
    return this.verdicts.map(([anomaly = '']) => anomaly);
  }

  get verdicts(): string[][] {
    return this.#judge.finish(END).map(({ anomaly, message }) => [anomaly, message]);
  }

  #see(value: Shown): this {
    const event = { kind: 'output-appended', producer: 'sink', values: [value], lineages: [1] };
    this.#at += 1;
    this.#judge.observe({ event, index: this.#at } as unknown as HistoryEvent);
    return this;
  }
}
