/**
 * What runs on a machine of the cluster: the process and how to make it.
 *
 * I1: there is an actor exactly while its machine is not down.
 */
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { Micros } from '../../engine/foundation/time.ts';
import type { Input } from '../../engine/protocol/actor.ts';
import type { LocalDisk } from '../node/local-disk.ts';
import type { VirtualNode } from '../node/virtual-node.ts';
import type { HostedOut } from './effect-buffer.ts';

/** A role of the engine or an outside system. Every `Actor` of the engine is one. */
export interface HostedActor {
  handle(input: Input, nowUs: Micros, out: HostedOut): void;
}

export interface NodeSpec {
  readonly id: NodeId;
  /** Makes the process; incarnations count from 1. */
  readonly create: (incarnation: number, disk: LocalDisk) => HostedActor;
}

/** A machine and the process on it. */
export interface HostedProcess {
  readonly machine: VirtualNode;
  readonly spec: NodeSpec;
  actor: HostedActor | undefined;
}
