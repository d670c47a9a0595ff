/**
 * What a nemesis makes of one strike: steps, each a fault with its place in the whole. They become plain faults of the plan, which knows of no
 * nemesis: it can be edited, shrunk and replayed fault by fault.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { FaultPoint } from '../../sim/faults/checkpoint-point.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { ChoiceSite } from '../../sim/kernel/choice.ts';
import type { Distribution } from '../../sim/kernel/distribution.ts';
import type { ClusterSize } from '../../sim/node-names.ts';
import type { Range, Ratio } from '../scenario.ts';

/** A fault without number and trigger. */
export type FaultBody = Fault extends infer F ? (F extends Fault ? Omit<F, 'id' | 'trigger'> : never) : never;

/** The next time that something happens behind an earlier step. */
export interface StepPoint {
  readonly point: FaultPoint;
  readonly node?: NodeId;
  readonly occurrence: number;
  /** Index of the step behind which it counts; absent: from the strike, if that has a time. */
  readonly since?: number;
}

export interface Step {
  /** From the strike, or from the point. */
  readonly afterUs: number;
  readonly at?: StepPoint;
  readonly fault: FaultBody;
}

/** How long durable writes are on their way. */
export interface WriteLatencies {
  /** Of state and metadata to the checkpoint storage. */
  readonly file: Distribution;
  /** Of the pointer to the coordination service. */
  readonly pointer: Distribution;
}

/** What decides how a strike looks. */
export interface NemesisContext {
  /** The rule's stream for a purpose. */
  readonly site: (purpose: string) => ChoiceSite;
  readonly cluster: ClusterSize;
  readonly leaseUs: number;
  readonly heartbeatTimeoutUs: number;
  readonly writes: WriteLatencies;
  readonly forUs: Range;
  /** Of times from published statistics. */
  readonly timeScale: Ratio;
}

/** How long one part lasts. */
export const lengthUs = ({ site, forUs }: Pick<NemesisContext, 'site' | 'forUs'>): number =>
  site('for').between(forUs.low, forUs.high);

/** Somewhere between the strike and so much later. */
export const withinUs = ({ site }: Pick<NemesisContext, 'site'>, us: number): number => site('gap').choose(us + 1);
