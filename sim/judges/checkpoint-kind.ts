/**
 * Whether each checkpoint is of the kind that was asked for: its options against the configuration, what its subtasks report against its
 * options (rows B5-B11, C7, C26; Flink: CheckpointOptions, StreamEdge.supportsUnalignedCheckpoints).
 *
 * Owns: the options of recent checkpoints, and whether a full one is due. Called by the lifecycle judge, whose findings it makes.
 *
 * I1: the configuration and the graph decide, by rules of its own: what the engine makes of them counts for nothing;
 * I2: what a replaced leader triggers is not held against a run it need not know of (row C7); its options are, as the configuration is the same;
 * I3: a subtask that hears of a checkpoint from the coordinator because its inputs have ended says that it overtook: nothing was there to
 *     wait for. So only a barrier with a time-out shows that a forced edge was overtaken on.
 */
import type { JobEdge, JobGraph } from '../../engine/job/job-graph.ts';
import { FIRST_RUN, type CheckpointPointer } from '../../engine/protocol/checkpoint-pointer.ts';
import type { CheckpointOptions } from '../../engine/protocol/checkpoint-options.ts';
import type { CheckpointConfiguration } from '../../engine/protocol/configuration.ts';
import type { EventOf } from '../history/history-event.ts';
import type { Findings } from './findings.ts';
import { secondsText } from './seconds-text.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';

export interface CheckpointKindsOptions {
  readonly configuration: Pick<CheckpointConfiguration, 'mode' | 'unaligned' | 'alignedTimeoutUs'>;
  /** Of the version of the job that took a checkpoint. */
  readonly graphOf: (checkpoint: number) => JobGraph;
}

interface Asked {
  readonly at: number;
  readonly options: CheckpointOptions;
}

export class CheckpointKinds {
  static readonly anomalies =
    'kind-not-as-configured: alignment, time-out, format or sharing of a checkpoint is not what the configuration or its kind says. ' +
    'reuse-without-claim: a checkpoint may build on a snapshot that its run was restored from without claiming it. overtook-though-aligned: a ' +
    'subtask has overtaken data where nothing may. kept-its-place: a subtask has aligned a checkpoint that overtakes.';
  readonly #options: CheckpointKindsOptions;
  readonly #findings: Findings;
  readonly #asked = new Map<number, Asked>();
  #run = FIRST_RUN.run;
  /** Row C7: until a checkpoint of the run is in the pointer. */
  #isFullDue = false;

  constructor(options: CheckpointKindsOptions, findings: Findings) {
    this.#options = options;
    this.#findings = findings;
  }

  get remembered(): number {
    return this.#asked.size;
  }

  /** A run says when it begins whether it may use what it was restored from; what counts then is its first checkpoint. */
  onPointer({ job = FIRST_RUN, completed }: CheckpointPointer): void {
    if (job.run !== this.#run) this.#isFullDue = job.fullFirst;
    this.#run = job.run;
    if (completed.some(({ id }) => id > job.floor)) this.#isFullDue = false;
  }

  /** `isReigning`: its leader was not replaced. */
  onTriggered({ checkpointId: id, options }: EventOf<'checkpoint-triggered'>, at: number, isReigning: boolean): void {
    this.#asked.set(id, { at, options });
    forgetOldest(this.#asked, EPISODES_KEPT);
    const wrong = this.#deviation(options);
    if (wrong !== undefined)
      this.#findings.violated('kind-not-as-configured', [at], () => `Checkpoint ${String(id)} ${wrong}`);
    if (!isReigning || !this.#isFullDue || options.snapshot !== 'checkpoint' || options.sharing === 'forward') return;
    this.#findings.violated('reuse-without-claim', [at], () => {
      return `Checkpoint ${String(id)} is not full, though run ${String(this.#run)} was restored without claim and has no checkpoint yet`;
    });
  }

  onAcknowledged({ checkpointId: id, vertex, subtask, metrics }: EventOf<'acknowledge-sent'>, at: number): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    const hasOvertaken = metrics.unaligned || metrics.bytesPersistedDuringAlignment > 0;
    const { edges } = this.#options.graphOf(id);
    const { options } = asked;
    if (hasOvertaken ? mayOvertake(options, edges, vertex, metrics) : !mustOvertake(options, edges, vertex)) return;
    this.#findings.violated(hasOvertaken ? 'overtook-though-aligned' : 'kept-its-place', [asked.at, at], () => {
      const did = hasOvertaken ? 'has overtaken data' : 'has aligned';
      return `Subtask ${String(subtask)} of vertex ${String(vertex)} ${did} for ${options.snapshot} ${String(id)} (${options.alignment})`;
    });
  }

  /** What is wrong, as the end of a sentence. */
  #deviation(options: CheckpointOptions): string | undefined {
    const isSavepoint = options.snapshot !== 'checkpoint';
    const { mode, unaligned, alignedTimeoutUs } = this.#options.configuration;
    const mayEverOvertake = unaligned && !isSavepoint;
    const timeoutUs = mayEverOvertake ? alignedTimeoutUs : 0;
    const aligned = mayEverOvertake && timeoutUs === 0 ? 'unaligned' : 'aligned';
    const alignment = mode === 'exactly-once' ? aligned : 'at-least-once';
    if (options.alignment !== alignment) return `is ${options.alignment}, expected ${alignment}`;
    if (options.alignedTimeoutUs !== timeoutUs)
      return `may overtake after ${secondsText(options.alignedTimeoutUs)}, expected ${secondsText(timeoutUs)}`;
    if ((options.format !== undefined) !== isSavepoint || (options.location !== undefined) !== isSavepoint)
      return `is a ${options.snapshot}, but its format and its place are not those of one`;
    if ((options.sharing === 'no-sharing') !== isSavepoint)
      return `is a ${options.snapshot}, but shares files as ${options.sharing ?? 'forward-backward'}`;
    return undefined;
  }
}

/** Whether data may have been overtaken into this vertex or out of it. */
function mayOvertake(
  { alignment, alignedTimeoutUs }: CheckpointOptions,
  edges: readonly JobEdge[],
  vertex: number,
  metrics: EventOf<'acknowledge-sent'>['metrics'],
): boolean {
  if (alignment === 'unaligned') return true;
  if (alignment !== 'aligned' || alignedTimeoutUs === 0) return false;
  const isInto = edges.some(({ to }) => to === vertex) && allMayOvertake(edges, vertex);
  const isOutOf = edges.some(({ from, to }) => from === vertex && allMayOvertake(edges, to));
  return isInto || (isOutOf && metrics.bytesPersistedDuringAlignment > 0);
}

/** Sources and whatever no edge forces: the first barrier is there ahead of all data, or there is nothing to overtake. */
const mustOvertake = ({ alignment }: CheckpointOptions, edges: readonly JobEdge[], vertex: number): boolean =>
  alignment === 'unaligned' && allMayOvertake(edges, vertex);

/** Row B11: one edge that may not forces all into the same vertex. */
export const allMayOvertake = (edges: readonly JobEdge[], vertex: number): boolean =>
  edges.every((edge) => edge.to !== vertex || (edge.sinkInternal !== true && OVERTAKEN_ON.has(edge.partitioning)));

const OVERTAKEN_ON: ReadonlySet<JobEdge['partitioning']> = new Set(['hash', 'rebalance', 'global']);
