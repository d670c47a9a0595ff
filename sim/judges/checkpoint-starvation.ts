/**
 * Whether a job that could take checkpoints was left without, also in the quiet stretches of the storm.
 *
 * While nothing disturbs the job and as many checkpoints may begin as it wants, one is due within the longest distance that its options
 * leave between two: its interval (the longer one where it may lag), at least the minimum pause; and what it takes to ask the services for
 * an id and for a file to be deleted, which the time-outs of two requests allow for. At the limit of concurrent checkpoints the first of them to end
 * has its time-out, too; and behind a fault the stretch begins a time-out after its end, as what was late or refused then may take so long.
 *
 * Owns: what the leader says of job, tasks and pending checkpoints, and since when nothing of it has changed. Does not own: faults
 * (QuietStretch), the finding (the judge of progress, which calls it).
 * Invariants:
 *   I1 a stretch without a trigger is measured when something ends it, so that no clock is needed;
 *   I2 the job is undisturbed only if the leader and all current subtasks run, no fault is in effect, and nobody has asked it to stop;
 *   I3 memory is bounded by the subtasks and the checkpoints that are pending at a time.
 */
import { unreachable } from '../../engine/foundation/assert.ts';
import type { CheckpointConfiguration, RuntimeConfiguration } from '../../engine/protocol/configuration.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { QuietStretch } from './quiet-stretch.ts';

export const STARVATION_KINDS = [
  'leadership-acquired',
  'leadership-lost',
  'node-started',
  'node-crashed',
  'job-status',
  'restart-scheduled',
  'task-deployed',
  'task-state',
  'checkpoint-triggered',
  'checkpoint-completed',
  'savepoint-completed',
  'checkpoint-aborted',
  'operation-requested',
  'operation-answered',
  'object-deleted',
  'fault-effective',
  'fault-ended',
  'phase',
  'job-submitted',
] as const;

type Seen = Extract<HistoryEvent['event'], { readonly kind: (typeof STARVATION_KINDS)[number] }>;
type Of<K extends Seen['kind']> = Extract<Seen, { readonly kind: K }>;

/** Without a trigger, and without a disturbance. */
export interface Stretch {
  readonly fromUs: number;
  readonly untilUs: number;
  /** What is allowed. */
  readonly mostUs: number;
}

/** Below 0: a checkpoint was due. */
export const leftOf = ({ fromUs, untilUs, mostUs }: Stretch): number => mostUs - (untilUs - fromUs);

export interface CheckpointStarvationOptions {
  readonly engine: {
    readonly checkpoint: CheckpointConfiguration;
    readonly runtime: Pick<RuntimeConfiguration, 'requestTimeoutUs'>;
  };
}

/** Requests to the services that a trigger may wait for. */
const REQUESTS_OF_A_TRIGGER = 2;
const STOP = 'stop-with-savepoint';

export class CheckpointStarvation {
  readonly #options: CheckpointStarvationOptions;
  /** Undefined: the job takes none, or none while it lags, which nobody can see from here. */
  readonly #mostUs: number | undefined;
  readonly #quiet: Pick<QuietStretch, 'sinceUs'>;
  #epoch = 0;
  /** Node of the leader whose job runs; undefined: none does. */
  #leader: string | undefined;
  /** Subtasks that do not run. */
  readonly #down = new Set<string>();
  /** By subtask: its newest attempt. */
  readonly #attempts = new Map<string, number>();
  /** By subtask that has not ended: the node that it was deployed to. */
  readonly #nodes = new Map<string, string>();
  /** Subtasks whose node crashed under them. The leader may not know it for as long as a heartbeat may take. */
  readonly #lost = new Set<string>();
  /** By checkpoint: when it must have ended, as far as its time-out says. */
  readonly #pending = new Map<number, number>();
  /** Trigger ids of operations that switch checkpoints off. */
  readonly #stops = new Set<string>();
  /** When something of all this last changed. */
  #changedUs = 0;

  /** `quiet` is shown each event before. */
  constructor(options: CheckpointStarvationOptions, quiet: Pick<QuietStretch, 'sinceUs'>) {
    this.#quiet = quiet;
    this.#options = options;
    this.#mostUs = longestDistanceUs(options);
  }

  /** Behind the question what it ends. */
  observe({ event, atUs, node }: HistoryEvent): void {
    if (this.#changes(event as Seen, atUs, node)) this.#changedUs = atUs;
  }

  /** Undefined: the job is disturbed, or takes no checkpoints. */
  stretch(untilUs: number): Stretch | undefined {
    const quietUs = this.#quiet.sinceUs;
    const mostUs = this.#mostUs;
    if (mostUs === undefined || quietUs === undefined || this.#leader === undefined) return undefined;
    if (this.#down.size > 0 || this.#lost.size > 0 || this.#stops.size > 0) return undefined;
    // What a fault left under way, late requests and files to be deleted, is over a time-out of a checkpoint after it.
    const settledUs = quietUs === 0 ? 0 : quietUs + this.#options.engine.checkpoint.timeoutUs;
    const fromUs = Math.max(this.#changedUs, settledUs, this.#blockedUntilUs());
    return { fromUs, untilUs, mostUs };
  }

  get remembered(): number {
    const subtasks = this.#attempts.size + this.#nodes.size + this.#down.size + this.#lost.size;
    return subtasks + this.#pending.size + this.#stops.size;
  }

  /** True: the stretch begins anew. */
  #changes(event: Seen, atUs: number, node: string): boolean {
    switch (event.kind) {
      case 'node-started':
      case 'phase':
      case 'job-submitted':
      case 'fault-effective':
      case 'fault-ended':
        return false;
      // A trigger waits for what is being deleted (row C2), and that may be many files, one by one.
      case 'object-deleted':
        return true;
      case 'leadership-acquired':
      case 'leadership-lost':
        return this.#onLeader(event.epoch);
      case 'node-crashed':
        return this.#onCrash(node);
      case 'job-status':
        return this.#onStatus(event, node);
      case 'restart-scheduled':
        for (const { vertex, subtask } of event.subtasks ?? []) this.#down.add(`${vertex}/${subtask}`);
        return true;
      case 'task-deployed':
      case 'task-state':
        return this.#onTask(event);
      case 'operation-requested':
        if (event.operation !== STOP) return false;
        this.#stops.add(event.triggerId);
        return true;
      case 'operation-answered':
        return this.#stops.delete(event.triggerId);
      case 'checkpoint-triggered':
        this.#pending.set(event.checkpointId, atUs + this.#timeoutUsOf(event));
        return true;
      case 'checkpoint-completed':
      case 'savepoint-completed':
      case 'checkpoint-aborted':
        return this.#pending.delete(event.checkpointId);
      default:
        return unreachable(event);
    }
  }

  /** Its pending checkpoints are nobody's. */
  #onLeader(epoch: number): boolean {
    if (epoch < this.#epoch) return false;
    this.#epoch = epoch;
    this.#leader = undefined;
    this.#pending.clear();
    return true;
  }

  #onCrash(node: string): boolean {
    for (const [name, place] of this.#nodes) if (place === node) this.#lost.add(name);
    if (node !== this.#leader) return false;
    this.#leader = undefined;
    return true;
  }

  #onStatus({ epoch, status }: Of<'job-status'>, node: string): boolean {
    if (epoch < this.#epoch) return false;
    this.#epoch = epoch;
    this.#leader = status === 'running' ? node : undefined;
    if (status === 'running') this.#down.clear();
    // All are deployed anew, and there may be fewer.
    if (status !== 'created') return true;
    this.#nodes.clear();
    this.#lost.clear();
    return true;
  }

  #onTask(event: Of<'task-deployed' | 'task-state'>): boolean {
    const name = `${event.vertex}/${event.subtask}`;
    if ((this.#attempts.get(name) ?? 0) > event.attempt) return false;
    this.#attempts.set(name, event.attempt);
    const isUp = event.kind === 'task-state' && (event.state === 'running' || event.state === 'finished');
    if (event.kind === 'task-deployed') {
      this.#nodes.set(name, event.node);
      this.#lost.delete(name);
    } else if (event.state === 'finished') this.#nodes.delete(name);
    if (isUp) return this.#down.delete(name);
    this.#down.add(name);
    return true;
  }

  #timeoutUsOf({ savepoint }: Of<'checkpoint-triggered'>): number {
    const { timeoutUs, savepointTimeoutUs } = this.#options.engine.checkpoint;
    return savepoint === undefined ? timeoutUs : savepointTimeoutUs;
  }

  /** At the limit: until the first of those that are pending must have ended. */
  #blockedUntilUs(): number {
    if (this.#pending.size < this.#options.engine.checkpoint.maxConcurrent) return 0;
    return Math.min(...this.#pending.values());
  }
}

function longestDistanceUs({ engine }: CheckpointStarvationOptions): number | undefined {
  const { checkpoint, runtime } = engine;
  const { intervalUs, intervalDuringBacklogUs = intervalUs, minPauseUs } = checkpoint;
  if (intervalUs === 0 || intervalDuringBacklogUs === 0) return undefined;
  const askingUs = REQUESTS_OF_A_TRIGGER * runtime.requestTimeoutUs;
  return Math.max(intervalUs, intervalDuringBacklogUs, minPauseUs) + askingUs;
}
