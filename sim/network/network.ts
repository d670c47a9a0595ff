/**
 * The network: directed links between nodes, datagrams and connections over them, and the conditions faults impose.
 *
 * Owns: every message from the moment it was sent until it arrives. Does not own: mailboxes (the cluster does).
 * Nodes are known by index; names are looked up once per message.
 *
 * I1: what was sent before its sender crashed may still arrive; what had not departed by then never does.
 * I2: datagrams are independent; a cut, loss or a dead receiver drops them; a cut that holds lets them go on when it is healed.
 * I3: connections keep order (connections.ts); loss and the like cost them time only.
 * I4: messages within a node arrive when they depart, in order, and die with their incarnation.
 * I5: each link draws from its own site `network/<from>-><to>`, faults from theirs.
 * I6: a datagram that finds its receiver down is lost for that: a cut has changed something only if it kept it for one that is up again.
 */
import { assert, InvariantViolation } from '../../engine/foundation/assert.ts';
import type { MailboxId, NodeId } from '../../engine/foundation/ids.ts';
import type { Target } from '../../engine/protocol/actor.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { History } from '../history/history.ts';
import type { Choices } from '../kernel/choice.ts';
import type { EventLoop } from '../kernel/event-loop.ts';
import type { HardwareProfile } from '../node/hardware-profile.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import type { VirtualNode } from '../node/virtual-node.ts';
import { type ChainPriorities, NO_CHAIN } from './chain-priorities.ts';
import { Connections } from './connections.ts';
import { type Degradation, DegradationMap } from './degradation-map.ts';
import { type Carrier, type Envelope, EnvelopePool } from './envelope.ts';
import { Link } from './link.ts';
import type { Medium, Receiver } from './medium.ts';
import { messageBytes } from './message-size.ts';
import { NodeSides } from './node-sides.ts';
import { type EffectListener, PartitionMap } from './partition-map.ts';

export interface NetworkOptions {
  readonly loop: EventLoop<ScheduledEvent>;
  readonly choices: Choices;
  readonly history: History;
  readonly profile: HardwareProfile;
  readonly nodes: readonly VirtualNode[];
  readonly receiver: Receiver;
  /** Absent: no message waits for others. */
  readonly priorities?: ChainPriorities;
}

/** Is shown what nodes send over connections, before chance has its way with it. */
export interface TrafficWatcher {
  sent(to: MailboxId, message: EngineMessage): void;
}

/** The mailbox a message is sent from. */
export interface Origin {
  readonly nodeIndex: number;
  readonly id: MailboxId;
}

/** The sides of a cut, by node index. */
export interface CutSides {
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly oneWay: boolean;
  /** Datagrams wait until it is healed, instead of being lost. */
  readonly holds: boolean;
}

/** A datagram at a cut. */
interface Held {
  readonly envelope: Envelope;
  /** Faults that will have changed something if its receiver, which was down when it came, is up when it goes on. */
  readonly untold: readonly string[];
}

/** A degradation and the sides it lies between, by node index. */
export interface LinkDegradation extends Degradation {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

const MICROS_PER_SECOND = 1_000_000;

export class Network implements Carrier {
  readonly envelopes: EnvelopePool;
  readonly #loop: EventLoop<ScheduledEvent>;
  readonly #choices: Choices;
  readonly #history: History;
  readonly #profile: HardwareProfile;
  readonly #nodes: readonly VirtualNode[];
  readonly #receiver: Receiver;
  readonly #indexOf = new Map<NodeId, number>();
  /** By sender, then receiver. */
  readonly #links: (Link | undefined)[][];
  readonly #partitions = new PartitionMap();
  readonly #degradations: DegradationMap;
  readonly #connections: Connections;
  readonly #priorities: ChainPriorities | undefined;
  /** Chain of the input that is being handled. */
  #cause = NO_CHAIN;
  #isContinued = false;
  /** Datagrams that wait at cuts, in the order they came there. */
  #held: Held[] = [];
  readonly #effective = new Set<string>();
  #effectListener: EffectListener | undefined;
  #traffic: TrafficWatcher | undefined;
  readonly #tellEffective: EffectListener = (faultId) => {
    if (this.#effective.has(faultId)) return;
    this.#effective.add(faultId);
    this.#effectListener?.(faultId);
  };

  constructor(options: NetworkOptions) {
    this.#loop = options.loop;
    this.#choices = options.choices;
    this.#history = options.history;
    this.#profile = options.profile;
    this.#nodes = options.nodes;
    this.#receiver = options.receiver;
    this.#priorities = options.priorities;
    for (const node of options.nodes) this.#indexOf.set(node.id, node.index);
    assert(this.#indexOf.size === options.nodes.length, 'every node has a name of its own');
    this.#links = options.nodes.map(() => []);
    this.envelopes = new EnvelopePool(this);
    this.#degradations = new DegradationMap(options.choices, options.nodes, this.#tellEffective);
    this.#connections = new Connections(this.#medium());
  }

  /** The index of a node; an actor may send only to nodes of the cluster. */
  indexOf(node: NodeId): number {
    const index = this.#indexOf.get(node);
    return index === undefined ? refuseUnknown(node) : index;
  }

  /** What is sent from now on follows from an input of this chain; 0: from none. */
  follow(chain: number): void {
    this.#cause = chain;
    this.#isContinued = false;
  }

  /** Steps of chains so far; 0 without priorities. */
  get prioritySteps(): number {
    return this.#priorities?.steps ?? 0;
  }

  /** The chain that a timer armed now belongs to. */
  get cause(): number {
    return this.#cause;
  }

  /** Sends a message that leaves its node at `departUs`, now or later. */
  send(origin: Origin, target: Target, message: EngineMessage, departUs: number): void {
    const from = origin.nodeIndex;
    const to = this.indexOf(target.node);
    const envelope = this.envelopes.take();
    envelope.from = from;
    envelope.fromMailbox = origin.id;
    envelope.incarnation = this.#nodes[from]?.incarnation ?? 0;
    envelope.to = to;
    envelope.mailbox = target.mailbox;
    envelope.message = message;
    envelope.departUs = departUs;
    envelope.term = 0;
    envelope.chain = this.#cause;
    if (target.via === 'connection') this.#traffic?.sent(target.mailbox, message);
    if (from === to) {
      envelope.route = 'local';
      this.#loop.schedule(departUs, envelope);
      return;
    }
    envelope.route = target.via === 'connection' ? 'stream' : 'datagram';
    if (this.#priorities !== undefined) envelope.chain = this.#chainOf(this.#priorities, envelope);
    this.#transmit(envelope);
  }

  /** An envelope has come to the end of its way. */
  arrive(envelope: Envelope): void {
    const route = envelope.route;
    if (route === 'notice') {
      this.#connections.arrive(envelope);
      return;
    }
    if (this.#nodes[envelope.from]?.hasSent(envelope.incarnation, envelope.departUs) !== true) {
      this.envelopes.release(envelope);
    } else if (route === 'stream') {
      this.#connections.arrive(envelope);
    } else if (route === 'datagram') {
      this.#arriveDatagram(envelope);
    } else {
      this.#arriveLocal(envelope);
    }
  }

  /** Nothing passes from a to b any more, nor back unless one-way. */
  block(faultId: string, { a, b, oneWay, holds }: CutSides): void {
    this.#partitions.add(faultId, new NodeSides({ nodes: this.#nodes.length, a, b, oneWay }), holds);
  }

  /** Heals what a fault has cut. */
  unblock(faultId: string): void {
    this.#partitions.remove(faultId);
    this.#connections.healed();
    if (this.#held.length > 0) this.#release();
  }

  /** Resets connections between the sides; false when there is none in use. */
  reset(a: readonly number[], b: readonly number[]): boolean {
    return this.#connections.reset(new NodeSides({ nodes: this.#nodes.length, a, b, oneWay: false }));
  }

  degrade(faultId: string, degradation: LinkDegradation): void {
    const sides = new NodeSides({
      nodes: this.#nodes.length,
      a: degradation.a,
      b: degradation.b,
      oneWay: false,
    });
    this.#degradations.add(faultId, sides, degradation);
  }

  restore(faultId: string): void {
    this.#degradations.remove(faultId);
  }

  /** Shown each message over a connection when it is sent; a watcher changes nothing. */
  watchTraffic(watcher: TrafficWatcher): void {
    this.#traffic = watcher;
  }

  /** The listener hears once of each fault, when it first changed anything. */
  onEffective(listener: EffectListener): void {
    this.#effectListener = listener;
  }

  /** The cluster has just taken a node down. */
  nodeCrashed(node: number): void {
    this.#connections.nodeCrashed(node);
  }

  #chainOf(priorities: ChainPriorities, { from, to, route, message }: Envelope): number {
    if (isHeartbeat(message)) return NO_CHAIN;
    if (route === 'stream') return priorities.ofStream(from, to);
    const cause = this.#isContinued ? NO_CHAIN : this.#cause;
    this.#isContinued = true;
    return priorities.ofDatagram(cause, from, to);
  }

  #transmit(envelope: Envelope): void {
    const { from, to } = envelope;
    const isStream = envelope.route === 'stream';
    const nowUs = this.#loop.nowUs;
    const behindUs = this.#priorities === undefined ? 0 : this.#priorities.delayUs(envelope.chain, nowUs);
    const bytes = messageBytes(envelope.message);
    let transmissionUs = Math.ceil((bytes * MICROS_PER_SECOND) / this.#profile.bandwidthBytesPerSecond);
    if (this.#degradations.isEmpty) {
      const arrivalUs = this.#link(from, to).arrivalUs(nowUs, envelope.departUs, transmissionUs) + behindUs;
      if (isStream) this.#connections.send(envelope, arrivalUs);
      else this.#loop.schedule(arrivalUs, envelope);
      return;
    }
    transmissionUs *= this.#degradations.slowFactor(from, to);
    const fate = this.#degradations.disturb(from, to, isStream);
    const arrivalUs =
      this.#link(from, to).arrivalUs(nowUs, envelope.departUs, transmissionUs) + fate.extraUs + behindUs;
    if (isStream) {
      this.#connections.send(envelope, arrivalUs);
      return;
    }
    if (fate.copyAfterUs > 0) this.#loop.schedule(arrivalUs + fate.copyAfterUs, this.envelopes.copy(envelope));
    if (fate.lost) this.#dropped(envelope, 'loss');
    else this.#loop.schedule(arrivalUs, envelope);
  }

  #arriveDatagram(envelope: Envelope): void {
    const { from, to } = envelope;
    const isDown = this.#nodes[to]?.isDown === true;
    const isBlocked = this.#partitions.blocks(from, to);
    if (isBlocked && !this.#partitions.loses(from, to)) {
      this.#hold(envelope, isDown);
    } else if (isDown) {
      // I6: whatever else stands in its way.
      if (isHeartbeat(envelope.message)) this.envelopes.release(envelope);
      else this.#dropped(envelope, 'node-down');
    } else if (isBlocked) {
      this.#partitions.blame(from, to, this.#tellEffective, true);
      this.#dropped(envelope, 'partition');
    } else {
      this.#receiver.deliver(envelope);
    }
  }

  #hold(envelope: Envelope, isDown: boolean): void {
    const untold: string[] = [];
    this.#partitions.blame(envelope.from, envelope.to, isDown ? (fault) => untold.push(fault) : this.#tellEffective);
    this.#held.push({ envelope, untold });
  }

  /** What no cut holds any more goes on, each a latency later. */
  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const one of held) {
      const { from, to } = one.envelope;
      if (this.#partitions.blocks(from, to)) {
        this.#held.push(one);
        continue;
      }
      if (this.#nodes[to]?.isDown !== true) for (const fault of one.untold) this.#tellEffective(fault);
      this.#loop.scheduleIn(this.#link(from, to).latencyUs(), one.envelope);
    }
  }

  #arriveLocal(envelope: Envelope): void {
    const node = this.#nodes[envelope.to];
    if (node === undefined || node.isDown || node.incarnation !== envelope.incarnation)
      this.envelopes.release(envelope);
    else this.#receiver.deliver(envelope);
  }

  #dropped(envelope: Envelope, why: 'loss' | 'partition' | 'node-down'): void {
    const from = this.#nodes[envelope.from];
    const to = this.#nodes[envelope.to];
    assert(from !== undefined && to !== undefined, 'a message is between nodes of the cluster');
    this.#history.record(from.id, { kind: 'message-dropped', to: to.id, message: envelope.message.kind, why });
    this.envelopes.release(envelope);
  }

  #link(from: number, to: number): Link {
    return this.#links[from]?.[to] ?? this.#newLink(from, to);
  }

  #newLink(from: number, to: number): Link {
    const row = this.#links[from];
    assert(row !== undefined && this.#nodes[to] !== undefined, 'a link is between nodes of the cluster', { from, to });
    const site = this.#choices.site(`network/${this.#nodes[from]?.id}->${this.#nodes[to]?.id}`);
    const link = new Link(this.#profile.linkLatency, site);
    row[to] = link;
    return link;
  }

  #medium(): Medium {
    return {
      loop: this.#loop,
      history: this.#history,
      nodes: this.#nodes,
      receiver: this.#receiver,
      envelopes: this.envelopes,
      partitions: this.#partitions,
      streamTimeoutUs: this.#profile.streamTimeoutUs,
      onEffective: this.#tellEffective,
      linkOf: (from, to) => this.#link(from, to),
    };
  }
}

function isHeartbeat(message: EngineMessage): boolean {
  return message.kind === 'heartbeat-request' || message.kind === 'heartbeat-response';
}

function refuseUnknown(node: NodeId): never {
  throw new InvariantViolation('a message is sent to a node of the cluster', { node });
}
