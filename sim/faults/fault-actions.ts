/**
 * What each kind of fault does to the world, and how it is undone.
 *
 * Owns: the translation from fault to calls on cluster, network and services; who holds a node paused. Does not own:
 * when (fault-injector.ts).
 *
 * I1: undoing a fault undoes that fault only: what another one holds stays held.
 * I2: a crash or pause that finds its node down changes nothing, and then its end changes nothing either.
 */
import { assert, unreachable } from '../../engine/foundation/assert.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { CutSides, LinkDegradation } from '../network/network.ts';
import type { DiskDamage } from '../node/disk-damage.ts';
import { CLIENT_NODE } from '../node-names.ts';
import type { Fault } from './fault.ts';
import type { UserCodeFault } from './user-code-faults.ts';

/** The part of the cluster that faults act on. */
export interface FaultableCluster {
  crash(node: NodeId): boolean;
  crashForGood(node: NodeId): void;
  restart(node: NodeId): boolean;
  pause(node: NodeId): boolean;
  resume(node: NodeId): boolean;
  /** A message of the world to an actor; false when its node is down. */
  tell(node: NodeId, message: EngineMessage): boolean;
  /** Work on the node takes so many times as long. */
  slowCpu(faultId: string, node: NodeId, factor: number): void;
  quickenCpu(faultId: string): void;
  /** The process on the node ends with the handler that goes beyond the headroom. */
  limitMemory(limit: { faultId: string; node: NodeId; headroomBytes: number; restartAfterUs: number }): void;
  freeMemory(faultId: string): void;
  /** Files on the disk of the node rot, until it ends also those that are written. */
  damageDisk(faultId: string, node: NodeId, damage: DiskDamage): void;
  endDiskDamage(faultId: string, node: NodeId): void;
  /** The listener hears of each fault of these three that changed something. */
  onEffective(listener: (faultId: string) => void): void;
  machine(node: NodeId): { readonly incarnation: number; readonly isDown: boolean; readonly isUp: boolean };
  readonly network: FaultableNetwork;
}

/** The part of the network that faults act on. */
export interface FaultableNetwork {
  indexOf(node: NodeId): number;
  block(faultId: string, sides: CutSides): void;
  unblock(faultId: string): void;
  /** Resets what connections there are between the sides; false when there is none. */
  reset(a: readonly number[], b: readonly number[]): boolean;
  degrade(faultId: string, degradation: LinkDegradation): void;
  restore(faultId: string): void;
  onEffective(listener: (faultId: string) => void): void;
}

export type ServiceFault = Extract<Fault, { kind: 'service' }>;

/** The knob of an outside system. */
export interface ServiceConditionsLike {
  apply(faultId: string, condition: Pick<ServiceFault, 'effect' | 'factor' | 'chance'>): void;
  lift(faultId: string): void;
}

/** Where user functions are made to throw or to hang. */
export interface UserCodeLike {
  apply(fault: UserCodeFault): void;
  lift(fault: UserCodeFault): void;
}

/** A wall clock that can be set. */
export interface SettableClock {
  /** `faultId`: whom to name when somebody reads the clock. */
  step(byUs: number, faultId: string): void;
  /** Gains so much from now on, beside what it gains already. */
  drift(byPpm: number, nowUs: number, faultId: string): void;
}

/** What faults act on. */
export interface FaultTargets {
  readonly nowUs: () => number;
  readonly cluster: FaultableCluster;
  /** The knobs of the outside systems, by node. */
  readonly services: ReadonlyMap<NodeId, ServiceConditionsLike>;
  readonly userCode?: UserCodeLike;
  /** The disks of a node that has crashed lose what was not synced; true: something was not, or was being written. Absent: there are none. */
  readonly losePower?: (node: NodeId) => boolean;
  /** Wall clocks by node; absent: none can be set. */
  readonly clocks?: ReadonlyMap<NodeId, SettableClock>;
}

type LinkFault = Extract<Fault, { kind: 'delay' | 'loss' | 'duplicate' | 'reorder' | 'slow-link' }>;
type ClockFault = Extract<Fault, { kind: 'clock-step' | 'clock-drift' }>;
type NodeFault = Extract<Fault, { kind: 'crash' | 'power-loss' | 'pause' }>;

/**
 * `effective`: it changed something at once. `pending`: whether it does is seen later. `void`: it found nothing to change.
 */
export type Application = 'effective' | 'pending' | 'void';

export class FaultActions {
  readonly #cluster: FaultableCluster;
  readonly #targets: FaultTargets;
  /** Which faults hold a node paused. */
  readonly #pausedBy = new Map<NodeId, Set<string>>();
  /** By fault: the incarnation it crashed. */
  readonly #crashed = new Map<string, number>();

  constructor(targets: FaultTargets) {
    this.#cluster = targets.cluster;
    this.#targets = targets;
  }

  apply(fault: Fault): Application {
    switch (fault.kind) {
      case 'crash':
        return this.#crash(fault);
      case 'power-loss': {
        const application = this.#crash(fault);
        if (application === 'void') return application;
        // Where all was synced and closed it is a crash, which has a kind of its own.
        return this.#targets.losePower?.(fault.node) === true ? 'effective' : 'pending';
      }
      case 'pause':
        return this.#pause(fault);
      case 'slow-cpu':
        this.#cluster.slowCpu(fault.id, fault.node, fault.factor);
        return 'pending';
      case 'out-of-memory':
        this.#cluster.limitMemory({ faultId: fault.id, ...fault });
        return 'pending';
      case 'disk-damage':
        this.#cluster.damageDisk(fault.id, fault.node, fault);
        return 'pending';
      case 'partition':
      case 'hold':
        this.#cluster.network.block(fault.id, {
          a: this.#indices(fault.a),
          b: this.#indices(fault.b),
          oneWay: fault.oneWay,
          holds: fault.kind === 'hold',
        });
        return 'pending';
      case 'reset':
        return this.#cluster.network.reset(this.#indices(fault.a), this.#indices(fault.b)) ? 'effective' : 'void';
      case 'delay':
      case 'loss':
      case 'duplicate':
      case 'reorder':
      case 'slow-link':
        this.#cluster.network.degrade(fault.id, this.#degradation(fault));
        return 'pending';
      case 'service':
        this.#service(fault.node).apply(fault.id, fault);
        return 'pending';
      case 'throw':
      case 'hang':
        this.#targets.userCode?.apply(fault);
        return 'pending';
      case 'clock-step':
      case 'clock-drift':
        return this.#wrongClock(fault, 1);
      case 'operation': {
        const { id, command } = fault;
        return this.#cluster.tell(CLIENT_NODE, { kind: 'client-command', id, command }) ? 'effective' : 'void';
      }
      default:
        return unreachable(fault);
    }
  }

  lift(fault: Fault): void {
    switch (fault.kind) {
      case 'crash':
      case 'power-loss':
        if (this.#isStillDown(fault)) this.#cluster.restart(fault.node);
        return;
      case 'pause':
        this.#release(fault);
        return;
      case 'slow-cpu':
        this.#cluster.quickenCpu(fault.id);
        return;
      case 'out-of-memory':
        this.#cluster.freeMemory(fault.id);
        return;
      case 'disk-damage':
        this.#cluster.endDiskDamage(fault.id, fault.node);
        return;
      case 'partition':
      case 'hold':
        this.#cluster.network.unblock(fault.id);
        return;
      case 'delay':
      case 'loss':
      case 'duplicate':
      case 'reorder':
      case 'slow-link':
        this.#cluster.network.restore(fault.id);
        return;
      case 'service':
        this.#service(fault.node).lift(fault.id);
        return;
      case 'operation':
      case 'reset':
        return;
      case 'clock-step':
      case 'clock-drift':
        this.#wrongClock(fault, -1);
        return;
      case 'throw':
      case 'hang':
        this.#targets.userCode?.lift(fault);
        return;
      default:
        unreachable(fault);
    }
  }

  /** Whether it changes anything shows when the clock is read. A step without an end is not taken back. */
  #wrongClock(fault: ClockFault, sign: 1 | -1): Application {
    const clock = this.#targets.clocks?.get(fault.node);
    if (clock === undefined) return 'void';
    if (fault.kind === 'clock-drift') clock.drift(sign * fault.driftPpm, this.#targets.nowUs(), fault.id);
    else if (sign > 0 || fault.forUs !== undefined) clock.step(sign * fault.byUs, fault.id);
    return 'pending';
  }

  #crash(fault: NodeFault): Application {
    const incarnation = this.#cluster.machine(fault.node).incarnation;
    if (!this.#cluster.crash(fault.node)) return 'void';
    this.#crashed.set(fault.id, incarnation);
    this.#pausedBy.delete(fault.node);
    return 'effective';
  }

  /** Somebody else may have restarted the node, and it may be down again for another reason. */
  #isStillDown(fault: NodeFault): boolean {
    const machine = this.#cluster.machine(fault.node);
    return machine.isDown && machine.incarnation === this.#crashed.get(fault.id);
  }

  #pause(fault: NodeFault): Application {
    const machine = this.#cluster.machine(fault.node);
    if (machine.isDown) return 'void';
    const known = this.#pausedBy.get(fault.node);
    if (known === undefined || machine.isUp) this.#pausedBy.set(fault.node, new Set([fault.id]));
    else known.add(fault.id);
    return this.#cluster.pause(fault.node) ? 'effective' : 'pending';
  }

  #release(fault: NodeFault): void {
    const holders = this.#pausedBy.get(fault.node);
    if (holders === undefined || !holders.delete(fault.id) || holders.size > 0) return;
    this.#pausedBy.delete(fault.node);
    this.#cluster.resume(fault.node);
  }

  #degradation(fault: LinkFault): LinkDegradation {
    const a = this.#indices(fault.a);
    const b = this.#indices(fault.b);
    switch (fault.kind) {
      case 'delay':
        return { a, b, extraUs: fault.extraUs };
      case 'loss':
        return { a, b, loss: fault.chance };
      case 'duplicate':
        return { a, b, duplicate: fault.chance };
      case 'reorder':
        return { a, b, reorder: fault.chance };
      case 'slow-link':
        return { a, b, slowFactor: fault.factor };
      default:
        return unreachable(fault);
    }
  }

  #indices(nodes: readonly NodeId[]): number[] {
    return nodes.map((node) => this.#cluster.network.indexOf(node));
  }

  #service(node: NodeId): ServiceConditionsLike {
    const service = this.#targets.services.get(node);
    assert(service !== undefined, 'a service fault names an outside system', { node });
    return service;
  }
}
