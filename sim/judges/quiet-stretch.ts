/**
 * Since when no fault disturbs the job: none is in effect, and what the last one changed is over.
 *
 * Owns: which faults are in effect, as the history says it (one that has started and changed nothing yet is not). Judges nothing. Called by
 * the judge of progress, for all that it asks of the storm, too. Memory is bounded by the faults of the plan.
 *
 * I1: a fault that never ends leaves no quiet before the storm does; at its end all have ended;
 * I2: where priorities of chains of messages (network/chain-priorities.ts) leave a request less than half of its time-out, it may go unanswered for as
 *     long as they last, which is the whole storm: then it is never quiet.
 */
import type { HistoryEvent } from '../history/history-event.ts';
import type { SimulationPlan } from '../plan.ts';

export interface QuietStretchOptions {
  readonly priorities?: SimulationPlan['priorities'];
  readonly engine: { readonly runtime: Pick<SimulationPlan['engine']['runtime'], 'requestTimeoutUs'> };
}

export class QuietStretch {
  readonly #inEffect = new Set<string>();
  readonly #ended = new Set<string>();
  /** 0: from the start. */
  #sinceUs = 0;
  /** By priorities, until the storm ends (I2). */
  #isSlowed: boolean;

  constructor(options?: QuietStretchOptions) {
    this.#isSlowed = options !== undefined && maySlowRequests(options);
  }

  /** True when a fault took effect, or one that had came to its end; one that ends without an effect disturbed nobody. */
  observe({ event, atUs }: HistoryEvent): boolean {
    if (event.kind === 'fault-effective') {
      if (!this.#ended.has(event.fault)) this.#inEffect.add(event.fault);
    } else if (event.kind === 'fault-ended') {
      this.#ended.add(event.fault);
      if (!this.#inEffect.delete(event.fault)) return false;
    } else if (event.kind === 'phase' && event.phase === 'liveness' && this.#isSlowed) {
      this.#isSlowed = false;
    } else return false;
    this.#sinceUs = atUs;
    return true;
  }

  /** Undefined: a fault is in effect, or priorities are. */
  get sinceUs(): number | undefined {
    return this.#inEffect.size > 0 || this.#isSlowed ? undefined : this.#sinceUs;
  }
}

/** How much later than its link has it a message may come: what was sent before a stretch began arrives within it. */
export function longestDelayUs({ priorities, faults }: Pick<SimulationPlan, 'priorities' | 'faults'>): number {
  const byFaults = faults.map((fault) => (fault.kind === 'delay' ? fault.extraUs.high : 0));
  return Math.max(0, ...byFaults) + delayByPriorityUs(priorities);
}

/** There and back. */
function maySlowRequests({ priorities, engine }: QuietStretchOptions): boolean {
  return 2 * delayByPriorityUs(priorities) > engine.runtime.requestTimeoutUs / 2;
}

const delayByPriorityUs = (priorities: SimulationPlan['priorities']): number =>
  priorities === undefined ? 0 : Math.max(priorities.windowUs, priorities.dropUs);
