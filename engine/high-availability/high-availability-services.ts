/**
 * What a JobManager needs so that another one may take its place: an election, and values that outlive it (rows F13-F15; Flink:
 * HighAvailabilityServices, LeaderElectionDriver).
 *
 * Owns: the contract between the JobManager and a service. Drivers: lease-store, zookeeper, kubernetes, standalone.
 * Invariants every driver keeps:
 *   I1 epochs of one job rise from leader to leader, none is granted twice;
 *   I2 `checkLeadership` is called before every input; after it, `epoch` is set only if nobody else can have been elected unless the
 *      service itself revoked the leadership unasked;
 *   I3 `acquired` and `lost` of one epoch come in this order, once each; nothing of an epoch is answered after `lost`.
 */
import type { LeaderEpoch, NodeId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import type { NamedRegisters } from './named-registers.ts';

/** Who wants to lead (Flink: LeaderContender). */
export interface LeaderContender {
  acquired(epoch: LeaderEpoch, nowUs: Micros, out: Out): void;
  lost(epoch: LeaderEpoch, nowUs: Micros, out: Out): void;
}

export interface ServicesOptions {
  readonly jobId: string;
  readonly node: NodeId;
  /** Process that contends: a restarted JobManager is another contender. */
  readonly incarnation: number;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  /** Node of the service. */
  readonly coordination: NodeId;
  readonly contender: LeaderContender;
  /** Request ids of this process start here. */
  readonly firstRequestId: number;
}

export interface HighAvailabilityServices {
  /** Set while this process leads. */
  readonly epoch: LeaderEpoch | undefined;
  readonly registers: NamedRegisters;
  start(nowUs: Micros, out: Out): void;
  checkLeadership(nowUs: Micros, out: Out): void;
  /** True when the timer was one of these. */
  handleTimer(timer: string, nowUs: Micros, out: Out): boolean;
  /** True when the message came from the service, or is the loss of the connection to it. */
  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean;
}
