/**
 * Whether a job under the adaptive scheduler is as wide as its slots allow, and restarts for another width only to get another one (rows F6, F7).
 *
 * A change of resources is acted upon behind the cooldown, when they have been stable for a while, at a checkpoint or at the latest at the longest
 * delay. So where nothing changes for longer than these three together, and than it takes to notice, the job is as wide as it can be.
 *
 * Owns: which TaskManagers there are, how wide the job is, since when nothing of it has changed. Does not own: faults (QuietStretch), the finding
 * (the judge of progress, which calls it).
 * Invariants:
 *   I1 a stretch is measured when something ends it, so that no clock is needed;
 *   I2 who asks for another parallelism, or ends a run, takes it out of this file's hands: for the rest of the life nothing is said. So does a subtask that
 *      finishes: where a vertex has finished in part the job stays as wide as it was (row C22);
 *   I3 memory is bounded by the TaskManagers.
 */
import { slotsNeeded, withParallelism } from '../../engine/job/scaled-graph.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { RuntimeConfiguration, SchedulerConfiguration } from '../../engine/protocol/configuration.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { type ClusterSize, taskManagerNodes } from '../node-names.ts';
import type { QuietStretch } from './quiet-stretch.ts';

export const WIDTH_KINDS = [
  'node-started',
  'node-crashed',
  'leadership-acquired',
  'leadership-lost',
  'job-status',
  'restart-scheduled',
  'task-deployed',
  'task-state',
  'operation-requested',
] as const;

export interface AdaptiveWidthOptions {
  readonly graph: JobGraph;
  readonly plan: {
    readonly cluster: ClusterSize & { readonly slots: number };
    readonly engine: {
      readonly scheduler: SchedulerConfiguration;
      readonly runtime: Pick<RuntimeConfiguration, 'heartbeatTimeoutUs' | 'requestTimeoutUs' | 'blocklist'>;
    };
  };
  /** How late a message may come. */
  readonly delayUs: number;
}

/** Without a change, and narrower than possible. */
export interface NarrowStretch {
  readonly fromUs: number;
  readonly untilUs: number;
  /** What is allowed. */
  readonly mostUs: number;
  readonly width: number;
  readonly possible: number;
}

type AdaptiveScheduler = Extract<SchedulerConfiguration, { mode: 'adaptive' }>;

export class AdaptiveWidth {
  readonly #options: AdaptiveWidthOptions;
  readonly #quiet: Pick<QuietStretch, 'sinceUs'>;
  /** Undefined: another scheduler, or I2. */
  #scheduler: AdaptiveScheduler | undefined;
  readonly #taskManagers: ReadonlySet<NodeId>;
  readonly #alive = new Set<NodeId>();
  #epoch = 0;
  /** Node of the leader whose job runs. */
  #leader: NodeId | undefined;
  #attempt = '';
  #width = 0;
  /** Before it restarts for another width; 0: it does not. */
  #widthBefore = 0;
  #changedUs = 0;

  /** `quiet` is shown each event before. */
  constructor(options: AdaptiveWidthOptions, quiet: Pick<QuietStretch, 'sinceUs'>) {
    this.#options = options;
    this.#quiet = quiet;
    const { cluster, engine } = options.plan;
    this.#taskManagers = new Set(taskManagerNodes(cluster));
    const isForAll = engine.scheduler.mode === 'adaptive' && engine.runtime.blocklist.failures === 0;
    this.#scheduler = isForAll ? engine.scheduler : undefined;
  }

  /** Behind the question what it ends. True: the job has restarted for another width, and has the same. */
  observe({ event, atUs, node }: HistoryEvent): boolean {
    if (this.#scheduler === undefined) return false;
    switch (event.kind) {
      case 'node-started':
      case 'node-crashed':
        this.#onNode(node, event.kind === 'node-started', atUs);
        return false;
      case 'leadership-acquired':
      case 'leadership-lost':
        this.#onLeader(event.epoch, undefined, atUs);
        return false;
      case 'job-status':
        this.#onLeader(event.epoch, event.status === 'running' ? node : undefined, atUs);
        return event.status === 'running' && this.#isForNothing();
      case 'restart-scheduled':
        this.#widthBefore = event.cause === 'rescale' && this.#isSettled(atUs) ? this.#width : 0;
        this.#changedUs = atUs;
        return false;
      case 'task-deployed':
        this.#onDeployed(`${String(event.epoch)}/${String(event.jobAttempt)}`, event.parallelism);
        return false;
      case 'task-state':
        if (event.state === 'finished') this.#scheduler = undefined;
        return false;
      case 'operation-requested':
        if (event.operation !== 'savepoint' && event.operation !== 'checkpoint') this.#scheduler = undefined;
        return false;
      default:
        return false;
    }
  }

  /** Undefined: the job is disturbed, or as wide as it can be. */
  narrow(untilUs: number): NarrowStretch | undefined {
    const quietUs = this.#quiet.sinceUs;
    const scheduler = this.#scheduler;
    if (scheduler === undefined || quietUs === undefined || this.#leader === undefined) return undefined;
    const fromUs = Math.max(this.#changedUs, quietUs);
    const mostUs = scheduler.cooldownUs + scheduler.stabilizationUs + scheduler.maxDelayUs + this.#noticedUs;
    if (untilUs - fromUs <= mostUs) return undefined;
    const possible = this.#possible(scheduler);
    return this.#width >= possible ? undefined : { fromUs, untilUs, mostUs, width: this.#width, possible };
  }

  get remembered(): number {
    return this.#alive.size;
  }

  /** What it takes until a leader knows which TaskManagers there are. */
  get #noticedUs(): number {
    const { heartbeatTimeoutUs, requestTimeoutUs } = this.#options.plan.engine.runtime;
    return heartbeatTimeoutUs + 2 * requestTimeoutUs + this.#options.delayUs;
  }

  #isSettled(atUs: number): boolean {
    const quietUs = this.#quiet.sinceUs;
    return quietUs !== undefined && atUs - Math.max(quietUs, this.#changedUs) > this.#noticedUs;
  }

  #possible({ maxParallelism }: AdaptiveScheduler): number {
    const { graph, plan } = this.#options;
    const parallelism = Math.max(1, Math.min(maxParallelism, this.#alive.size * plan.cluster.slots));
    return slotsNeeded(withParallelism(graph, parallelism).vertices);
  }

  #onNode(node: NodeId, isUp: boolean, atUs: number): void {
    if (node === this.#leader) this.#leader = undefined;
    if (!this.#taskManagers.has(node)) return;
    if (isUp) this.#alive.add(node);
    else this.#alive.delete(node);
    this.#changedUs = atUs;
    this.#widthBefore = 0;
  }

  #onLeader(epoch: number, runsOn: NodeId | undefined, atUs: number): void {
    if (epoch < this.#epoch) return;
    if (epoch > this.#epoch) this.#widthBefore = 0;
    if (epoch > this.#epoch || runsOn !== undefined) this.#changedUs = atUs;
    this.#epoch = epoch;
    this.#leader = runsOn;
  }

  #onDeployed(attempt: string, parallelism: number): void {
    this.#width = attempt === this.#attempt ? Math.max(this.#width, parallelism) : parallelism;
    this.#attempt = attempt;
  }

  #isForNothing(): boolean {
    const before = this.#widthBefore;
    this.#widthBefore = 0;
    return before !== 0 && before === this.#width && this.#quiet.sinceUs !== undefined;
  }
}
