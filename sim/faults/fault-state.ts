/**
 * A fault of the plan during a life: waiting, active or over.
 *
 * Owns: times, occurrence count, whether it changed anything. Does not own: what it does (fault-actions.ts).
 *
 * I1: waiting -> active -> over, or waiting for ever; a fault strikes once.
 * I2: a trigger that asks for the n-th occurrence is counted by this fault alone.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import { CLIENT_NODE } from '../node-names.ts';
import type { FaultRecord } from '../run-record.ts';
import type { FaultPoint, PointOccurrence } from './checkpoint-point.ts';
import { type Fault, type FaultTrigger, faultLabel } from './fault.ts';

export type PointTrigger = Extract<FaultTrigger, { point: unknown }>;

/** Begins a waiting fault, ends an active one. */
export interface FaultDriver {
  due(state: FaultState): void;
}

export class FaultState implements ScheduledEvent {
  readonly fault: Fault;
  phase: 'waiting' | 'active' | 'over' = 'waiting';
  /** -1: not yet. */
  startedAtUs = -1;
  /** -1: not yet. */
  endedAtUs = -1;
  isEffective = false;
  /** Of its next step on the event loop; 0: none. */
  handle = 0;
  readonly #driver: FaultDriver;
  #occurrences = 0;

  constructor(driver: FaultDriver, fault: Fault) {
    this.#driver = driver;
    this.fault = fault;
  }

  fire(): void {
    this.handle = 0;
    this.#driver.due(this);
  }

  /** Counts what matches the trigger; true at the occurrence it asks for. */
  isTriggeredBy(trigger: PointTrigger, occurrence: PointOccurrence<FaultPoint>, node: NodeId): boolean {
    if (trigger.point !== occurrence.point) return false;
    if (trigger.node !== undefined && trigger.node !== node) return false;
    if (trigger.checkpoint !== undefined && trigger.checkpoint !== occurrence.checkpoint) return false;
    if (trigger.vertex !== undefined && trigger.vertex !== occurrence.vertex) return false;
    if (trigger.subtask !== undefined && trigger.subtask !== occurrence.subtask) return false;
    this.#occurrences += 1;
    return this.#occurrences === trigger.occurrence;
  }

  toRecord(): FaultRecord {
    return {
      id: this.fault.id,
      label: faultLabel(this.fault),
      target: targetText(this.fault),
      startedAtUs: this.startedAtUs,
      endedAtUs: this.endedAtUs,
      effective: this.isEffective,
    };
  }
}

/** How long a fault lasts in microseconds; negative: until someone ends it. */
export function durationUs(fault: Fault): number {
  switch (fault.kind) {
    case 'crash':
    case 'power-loss':
      return fault.restartAfterUs;
    case 'operation':
    case 'reset':
      return 0;
    case 'clock-step':
      return fault.forUs ?? 0;
    case 'throw':
    case 'hang':
    case 'out-of-memory':
      // Armed until it strikes, or the storm ends.
      return -1;
    default:
      return fault.forUs;
  }
}

function targetText(fault: Fault): string {
  if ('node' in fault) return fault.node;
  if (fault.kind === 'operation') return CLIENT_NODE;
  const isOneWay = 'oneWay' in fault && fault.oneWay;
  return `${fault.a.join(',')} ${isOneWay ? '->' : '<->'} ${fault.b.join(',')}`;
}
