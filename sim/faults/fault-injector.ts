/**
 * The fault injector: lets the faults of a plan strike when their time or their point has come, and ends them.
 *
 * Owns: triggers, the state of each fault, the end of the storm. Does not own: what a fault does (fault-actions.ts).
 * It draws nothing: a plan is resolved.
 *
 * I1: a fault strikes at most once, and none after the storm.
 * I2: a fault triggered by a point strikes at the same time, or so long after it as it says, after everything already due then: never
 *     inside a handler.
 * I3: the history says of each fault that it started, that it was effective (once, and only if so) and that it ended.
 * I4: events that are no points cost one comparison while no fault waits for a point.
 */
import { assert } from '../../engine/foundation/assert.ts';
import { type NodeId, nodeId } from '../../engine/foundation/ids.ts';
import type { History } from '../history/history.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { EventLoop } from '../kernel/event-loop.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import type { FaultRecord } from '../run-record.ts';
import { type FaultPoint, faultPointOf } from './checkpoint-point.ts';
import type { Fault } from './fault.ts';
import { FaultActions, type FaultableCluster, type FaultTargets } from './fault-actions.ts';
import { durationUs, type FaultDriver, FaultState, type PointTrigger } from './fault-state.ts';

export interface FaultInjectorOptions extends Omit<FaultTargets, 'nowUs'> {
  readonly faults: readonly Fault[];
  readonly loop: EventLoop<ScheduledEvent>;
  readonly history: History;
}

/** What is left of the cluster after the storm. */
export interface SufficientCore {
  /** These run from now on: down ones restart, paused ones resume. */
  readonly keep: readonly NodeId[];
  /** These are dead for good. */
  readonly lost: readonly NodeId[];
}

interface Waiting {
  readonly state: FaultState;
  readonly trigger: PointTrigger;
}

const WORLD = nodeId('world');
/** How long a node of the core takes to come back: a supervisor notices and starts the process. */
const RESTART_DELAY_US = 500_000;

export class FaultInjector implements FaultDriver {
  readonly #loop: EventLoop<ScheduledEvent>;
  readonly #history: History;
  readonly #cluster: FaultableCluster;
  readonly #actions: FaultActions;
  readonly #states = new Map<string, FaultState>();
  readonly #waiting = new Map<FaultPoint, Waiting[]>();
  #isStormOver = false;

  constructor(options: FaultInjectorOptions) {
    this.#loop = options.loop;
    this.#history = options.history;
    this.#cluster = options.cluster;
    this.#actions = new FaultActions({ ...options, nowUs: () => this.#loop.nowUs });
    for (const fault of options.faults) this.#plan(fault);
    options.cluster.onEffective((faultId) => this.markEffective(faultId));
    options.cluster.network.onEffective((faultId) => this.markEffective(faultId));
    this.#history.observe((entry) => this.#watch(entry));
  }

  /** A fault changed something for the first time; outside systems say so of theirs. Repeated calls are ignored. */
  markEffective(faultId: string): void {
    const state = this.#states.get(faultId);
    if (state === undefined || state.isEffective) return;
    state.isEffective = true;
    this.#history.record(WORLD, { kind: 'fault-effective', fault: faultId, faultKind: state.fault.kind });
  }

  /** The time of a fault has come; called by the event loop. */
  due(state: FaultState): void {
    if (state.phase === 'active') this.#end(state);
    else if (!this.#isStormOver) this.#begin(state);
  }

  /** Ends all faults and starts no more: from now on the core must be able to recover. */
  endStorm(core: SufficientCore): void {
    assert(!this.#isStormOver, 'a storm ends once');
    this.#isStormOver = true;
    this.#waiting.clear();
    for (const node of core.lost) this.#cluster.crashForGood(node);
    const revived = new Set(core.keep);
    for (const state of this.#states.values()) {
      if (state.phase === 'waiting') this.#loop.cancel(state.handle);
      if (state.phase !== 'active') continue;
      // Its node comes back with the core, after a moment.
      if (isCrash(state.fault) && state.fault.restartAfterUs >= 0) revived.add(state.fault.node);
      this.#loop.cancel(state.handle);
      this.#end(state);
    }
    for (const node of revived) {
      this.#cluster.resume(node);
      if (this.#cluster.machine(node).isDown) this.#loop.scheduleIn(RESTART_DELAY_US, new Restart(this.#cluster, node));
    }
  }

  /** What became of each fault of the plan, in its order, those that never struck included. */
  records(): FaultRecord[] {
    const records: FaultRecord[] = [];
    for (const state of this.#states.values()) records.push(state.toRecord());
    return records;
  }

  #plan(fault: Fault): void {
    assert(!this.#states.has(fault.id), 'a fault has an id of its own', { fault: fault.id });
    const state = new FaultState(this, fault);
    this.#states.set(fault.id, state);
    const trigger = fault.trigger;
    if ('atUs' in trigger) {
      state.handle = this.#loop.schedule(trigger.atUs, state);
      return;
    }
    const waiting = this.#waiting.get(trigger.point);
    if (waiting === undefined) this.#waiting.set(trigger.point, [{ state, trigger }]);
    else waiting.push({ state, trigger });
  }

  #watch(entry: HistoryEvent): void {
    if (this.#waiting.size === 0) return;
    const occurrence = faultPointOf(entry);
    if (occurrence === undefined) return;
    const waiting = this.#waiting.get(occurrence.point);
    if (waiting === undefined) return;
    let isStruck = false;
    for (const { state, trigger } of waiting) {
      if (trigger.since !== undefined && !this.#hasStruck(trigger.since)) continue;
      if (trigger.fromUs !== undefined && entry.atUs < trigger.fromUs) continue;
      if (!state.isTriggeredBy(trigger, occurrence, entry.node)) continue;
      state.handle = this.#loop.scheduleIn(trigger.afterUs ?? 0, state);
      isStruck = true;
    }
    if (isStruck) this.#forgetStruck(occurrence.point, waiting);
  }

  #hasStruck(faultId: string): boolean {
    return (this.#states.get(faultId)?.startedAtUs ?? -1) >= 0;
  }

  #forgetStruck(point: FaultPoint, waiting: readonly Waiting[]): void {
    const rest = waiting.filter(({ state }) => state.handle === 0);
    if (rest.length === 0) this.#waiting.delete(point);
    else this.#waiting.set(point, rest);
  }

  #begin(state: FaultState): void {
    const fault = state.fault;
    state.phase = 'active';
    state.startedAtUs = this.#loop.nowUs;
    this.#history.record(WORLD, { kind: 'fault-started', fault: fault.id, faultKind: fault.kind });
    const application = this.#actions.apply(fault);
    if (application === 'effective') this.markEffective(fault.id);
    const lengthUs = durationUs(fault);
    if (application === 'void') this.#end(state);
    else if (lengthUs >= 0) state.handle = this.#loop.scheduleIn(lengthUs, state);
  }

  #end(state: FaultState): void {
    const fault = state.fault;
    state.phase = 'over';
    state.endedAtUs = this.#loop.nowUs;
    // After the storm crashed nodes come back with the core, not one by one.
    if (!(this.#isStormOver && isCrash(fault))) this.#actions.lift(fault);
    this.#history.record(WORLD, { kind: 'fault-ended', fault: fault.id, faultKind: fault.kind });
  }
}

type Crash = Extract<Fault, { kind: 'crash' | 'power-loss' }>;
const isCrash = (fault: Fault): fault is Crash => fault.kind === 'crash' || fault.kind === 'power-loss';

class Restart implements ScheduledEvent {
  readonly #cluster: FaultableCluster;
  readonly #node: NodeId;

  constructor(cluster: FaultableCluster, node: NodeId) {
    this.#cluster = cluster;
    this.#node = node;
  }

  fire(): void {
    this.#cluster.restart(this.#node);
  }
}
