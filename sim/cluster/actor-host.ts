/**
 * The cluster: machines, the actors on them, their mailboxes. It hosts actors by the contract of engine/protocol.
 *
 * Owns: when a handler runs, what becomes of its effects, life and death of machines. Does not own: messages under way
 * (sim/network) or why a machine crashes (sim/faults). Driven by the event loop; never runs two handlers at once.
 *
 * I1: a handler runs to completion; its effects are performed after it returned, in the order they were made.
 * I2: inputs of one mailbox are handled one at a time and in order; while it is busy or its node paused they wait.
 * I3: what a handler sends leaves at the end of its busy time; its timers count and its reports are dated from now.
 * I4: inputs that wait for a busy mailbox cost one wake-up, not one each.
 * I5: a crash takes actor, mailboxes and timers with it; the disk stays. A restart is a new incarnation that gets
 *     `started` before anything else.
 * I6: an actor that throws has done nothing by that handler; its node crashes and the history says why.
 * I7: code that hangs in a handler holds back what the handler did until it goes on, and the mailbox with it; a crash loses both.
 * I8: a process that runs out of memory ends in the middle of a handler, which has then done nothing.
 * I9: a process that exits has done all that its handler did before; its supervisor starts another one after a moment.
 */
import { assert, InvariantViolation } from '../../engine/foundation/assert.ts';
import { MAIN_MAILBOX, type MailboxId, type NodeId } from '../../engine/foundation/ids.ts';
import { type Micros, micros } from '../../engine/foundation/time.ts';
import type { Input } from '../../engine/protocol/actor.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { History } from '../history/history.ts';
import type { Choices } from '../kernel/choice.ts';
import type { EventLoop } from '../kernel/event-loop.ts';
import { ChainPriorities, NO_CHAIN } from '../network/chain-priorities.ts';
import type { Envelope } from '../network/envelope.ts';
import type { Receiver } from '../network/medium.ts';
import { Network } from '../network/network.ts';
import type { HardwareProfile } from '../node/hardware-profile.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import type { PrioritiesPlan } from '../plan.ts';
import type { DiskDamage } from '../node/disk-damage.ts';
import { VirtualNode } from '../node/virtual-node.ts';
import { EffectBuffer } from './effect-buffer.ts';
import type { HostedProcess, NodeSpec } from './hosted-actor.ts';
import { foldMessage } from './input-digest.ts';
import { MachineFaults, type MemoryLimit } from './machine-faults.ts';
import { Mailbox, type MailboxHost, type Timer } from './mailbox.ts';
import { thrownFacts } from './thrown.ts';

export interface ClusterOptions {
  /** Brings the clock and the digest. */
  readonly loop: EventLoop<ScheduledEvent>;
  readonly choices: Choices;
  readonly history: History;
  readonly profile: HardwareProfile;
  readonly nodes: readonly NodeSpec[];
  /** Absent: no message waits for others. */
  readonly priorities?: PrioritiesPlan & { readonly untilUs: number };
  /** Time for which code in the handler that just ran kept its thread without working; absent: none ever does. */
  readonly takeHangUs?: () => number;
}

/** Mailboxes belong to an incarnation: they are made at first mention and dropped by a crash. */
interface HostedNode extends HostedProcess {
  readonly mailboxes: Map<MailboxId, Mailbox>;
}

/** The inputs actors see: one object of each kind, changed between handlers. */
class MessageInput {
  readonly kind = 'message';
  from: NodeId;
  fromMailbox: MailboxId = MAIN_MAILBOX;
  mailbox: MailboxId = MAIN_MAILBOX;
  message: EngineMessage = { kind: 'continue' };

  constructor(from: NodeId) {
    this.from = from;
  }
}

class TimerInput {
  readonly kind = 'timer';
  mailbox: MailboxId = MAIN_MAILBOX;
  timer = '';
}

/** How long a supervisor takes to notice that a process has ended and to start it anew. */
const SUPERVISOR_DELAY_US = 2_000_000;

/** A thread that hangs on a paused node goes on so long after the node does, at most. */
const PAUSE_POLL_US = 10_000;

const STARTED: Input = { kind: 'started' };

export class Cluster implements Receiver, MailboxHost {
  readonly network: Network;
  readonly #loop: EventLoop<ScheduledEvent>;
  readonly #history: History;
  readonly #hosted: readonly HostedNode[];
  readonly #out: EffectBuffer;
  readonly #messageInput: MessageInput;
  readonly #timerInput = new TimerInput();
  readonly #takeHangUs: (() => number) | undefined;
  readonly #deadForGood = new Set<NodeId>();
  readonly #machineFaults: MachineFaults;
  #inputs = 0;
  #hasActorThrown = false;

  constructor(options: ClusterOptions) {
    const { loop, choices, history, profile, nodes } = options;
    this.#loop = loop;
    this.#history = history;
    this.#hosted = nodes.map((spec, index) => ({
      machine: new VirtualNode(spec.id, index),
      spec,
      actor: undefined,
      mailboxes: new Map(),
    }));
    const machines = this.#hosted.map((hosted) => hosted.machine);
    const network = { loop, choices, history, profile, nodes: machines, receiver: this };
    this.network = new Network(
      options.priorities === undefined
        ? network
        : {
            ...network,
            priorities: new ChainPriorities({ ...options.priorities, choices, nodes: machines }),
          },
    );
    this.#out = new EffectBuffer(profile.nanoseconds);
    this.#takeHangUs = options.takeHangUs;
    this.#machineFaults = new MachineFaults((node) => this.#find(node).machine);
    const first = nodes[0];
    assert(first !== undefined, 'a cluster has at least one node');
    this.#messageInput = new MessageInput(first.id);
  }

  /** Inputs handled so far, by all actors. */
  get inputs(): number {
    return this.#inputs;
  }

  /** A broken assumption of an actor was found: the life is violated. */
  get hasActorThrown(): boolean {
    return this.#hasActorThrown;
  }

  /** Nodes that never start again. */
  get deadForGood(): ReadonlySet<NodeId> {
    return this.#deadForGood;
  }

  /** The machine of a node, to look at. */
  machine(node: NodeId): VirtualNode {
    return this.#find(node).machine;
  }

  /** Starts all nodes, in order. Called once, before the event loop runs. */
  startAll(): void {
    for (const hosted of this.#hosted) this.#start(hosted);
  }

  /** False when the node is down already. */
  crash(node: NodeId): boolean {
    const hosted = this.#find(node);
    if (hosted.machine.isDown) return false;
    if (!hosted.machine.isUp) this.resume(node);
    this.#crash(hosted);
    return true;
  }

  /** Crashes a node, unless it is down, and never lets it start again. */
  crashForGood(node: NodeId): void {
    this.crash(node);
    this.#deadForGood.add(node);
  }

  /** False when the node is not down, or dead for good. */
  restart(node: NodeId): boolean {
    const hosted = this.#find(node);
    if (!hosted.machine.isDown || this.#deadForGood.has(node)) return false;
    this.#start(hosted);
    return true;
  }

  /** Freezes a node: nothing is handled, nothing is lost. False when it is not running. */
  pause(node: NodeId): boolean {
    const hosted = this.#find(node);
    if (!hosted.machine.isUp) return false;
    hosted.machine.pause();
    this.#history.record(node, { kind: 'node-paused' });
    return true;
  }

  /** False when the node is not paused. Inputs and timers of the meantime come in order, late. */
  resume(node: NodeId): boolean {
    const hosted = this.#find(node);
    if (hosted.machine.state !== 'paused') return false;
    hosted.machine.resume();
    this.#history.record(node, { kind: 'node-resumed' });
    for (const mailbox of hosted.mailboxes.values()) if (mailbox.length > 0) this.#armWake(mailbox);
    return true;
  }

  /** All work on the node takes so many times as long; of several faults the worst decides. */
  slowCpu(faultId: string, node: NodeId, factor: number): void {
    this.#machineFaults.slowCpu(faultId, node, factor);
  }

  quickenCpu(faultId: string): void {
    this.#machineFaults.quickenCpu(faultId);
  }

  /** The process on the node ends with the handler that allocates more than is left. */
  limitMemory(limit: MemoryLimit): void {
    this.#machineFaults.limitMemory(limit);
  }

  freeMemory(faultId: string): void {
    this.#machineFaults.freeMemory(faultId);
  }

  damageDisk(faultId: string, node: NodeId, damage: DiskDamage): void {
    this.#find(node).machine.disk.damage(faultId, damage);
  }

  endDiskDamage(faultId: string, node: NodeId): void {
    this.#find(node).machine.disk.endDamage(faultId);
  }

  /** The listener hears of each slow CPU that cost time, each lack of memory that ended a process, each damage to a disk that was read. */
  onEffective(listener: (faultId: string) => void): void {
    this.#machineFaults.onEffective(listener);
    for (const { machine } of this.#hosted) machine.disk.onEffective(listener);
  }

  /** The world speaks to an actor: it hears its own node. False when the node is down. */
  tell(node: NodeId, message: EngineMessage): boolean {
    const { machine } = this.#find(node);
    if (machine.isDown) return false;
    this.network.follow(NO_CHAIN);
    const self = { node, mailbox: MAIN_MAILBOX, via: 'datagram' } as const;
    this.network.send({ nodeIndex: machine.index, id: MAIN_MAILBOX }, self, message, this.#loop.nowUs);
    return true;
  }

  /** A message has arrived; called by the network. */
  deliver(envelope: Envelope): void {
    const hosted = this.#hosted[envelope.to];
    if (hosted === undefined || hosted.machine.isDown) refuseDelivery(envelope);
    const mailbox = hosted.mailboxes.get(envelope.mailbox) ?? this.#openMailbox(hosted, envelope.mailbox);
    this.#accept(mailbox, envelope);
  }

  /** A timer has come due; called by the event loop. */
  timerDue(timer: Timer): void {
    timer.handle = 0;
    timer.isWaiting = true;
    this.#accept(timer.mailbox, timer);
  }

  /** A busy mailbox with waiting inputs is free again; called by the event loop. */
  wake(mailbox: Mailbox): void {
    mailbox.wakeHandle = 0;
    const nowUs = this.#loop.nowUs;
    while (mailbox.process.machine.isUp && !mailbox.isClosed && mailbox.busyUntilUs <= nowUs) {
      const input = mailbox.shift();
      if (input === undefined) return;
      this.#handle(mailbox, input);
    }
    if (!mailbox.isClosed && mailbox.length > 0) this.#armWake(mailbox);
  }

  #accept(mailbox: Mailbox, input: Envelope | Timer): void {
    if (mailbox.busyUntilUs <= this.#loop.nowUs && mailbox.length === 0 && mailbox.process.machine.isUp) {
      this.#handle(mailbox, input);
      return;
    }
    mailbox.push(input);
    this.#armWake(mailbox);
  }

  #armWake(mailbox: Mailbox): void {
    if (mailbox.wakeHandle !== 0 || !mailbox.process.machine.isUp) return;
    const nowUs = this.#loop.nowUs;
    const atUs = mailbox.busyUntilUs > nowUs ? mailbox.busyUntilUs : nowUs;
    mailbox.wakeHandle = this.#loop.schedule(atUs, mailbox);
  }

  #handle(mailbox: Mailbox, waiting: Envelope | Timer): void {
    const digest = this.#loop.digest;
    if (waiting.isTimer) {
      if (waiting.isVoid) return;
      waiting.isWaiting = false;
      this.#timerInput.mailbox = mailbox.id;
      this.#timerInput.timer = waiting.name;
      this.network.follow(waiting.chain);
      digest.fold(mailbox.nodeIndex);
      digest.fold(mailbox.id);
      digest.foldString(waiting.name);
      this.#run(mailbox, this.#timerInput);
      return;
    }
    const input = this.#messageInput;
    input.from = this.#hosted[waiting.from]?.machine.id ?? input.from;
    input.fromMailbox = waiting.fromMailbox;
    input.mailbox = mailbox.id;
    input.message = waiting.message;
    digest.fold(mailbox.nodeIndex);
    digest.fold(mailbox.id);
    digest.fold(waiting.from);
    foldMessage(digest, waiting.message);
    this.network.follow(waiting.chain);
    this.network.envelopes.release(waiting);
    this.#run(mailbox, input);
  }

  #run(mailbox: Mailbox, input: Input): void {
    const actor = mailbox.process.actor;
    if (actor === undefined) refuseRun(mailbox.process.machine.id);
    this.#inputs += 1;
    const out = this.#out;
    out.clear();
    const nowUs = micros(this.#loop.nowUs);
    try {
      actor.handle(input, nowUs, out);
    } catch (thrown) {
      this.#buryThrower(mailbox.process.machine.id, thrown);
      return;
    }
    const { machine } = mailbox.process;
    const busyUs = out.busyUs;
    mailbox.busyUntilUs = nowUs + busyUs * machine.slowness;
    if (machine.slowness > 1 && busyUs > 0) this.#machineFaults.slowed(machine.id);
    if (this.#machineFaults.limitsMemory) {
      const exhausted = this.#machineFaults.exhaustedBy(machine.id, out);
      if (exhausted !== undefined) return this.#endForMemory(exhausted);
    }
    const hangUs = this.#takeHangUs?.() ?? 0;
    if (hangUs > 0) this.#hang(mailbox, hangUs, out.copy());
    else if (out.length > 0) this.#perform(mailbox, out, nowUs);
  }

  #hang(mailbox: Mailbox, hangUs: number, effects: EffectBuffer): void {
    mailbox.busyUntilUs += hangUs;
    const goOn = (): void => {
      if (mailbox.isClosed) return;
      this.network.follow(NO_CHAIN);
      if (mailbox.process.machine.isUp) return this.#perform(mailbox, effects, micros(this.#loop.nowUs));
      mailbox.busyUntilUs = this.#loop.nowUs + PAUSE_POLL_US;
      this.#loop.schedule(mailbox.busyUntilUs, { fire: goOn });
    };
    this.#loop.schedule(mailbox.busyUntilUs, { fire: goOn });
  }

  #perform(mailbox: Mailbox, out: EffectBuffer, nowUs: Micros): void {
    const length = out.length;
    let exit: string | undefined;
    for (let index = 0; index < length; index += 1) {
      const effect = out.at(index);
      switch (effect.kind) {
        case 'send':
          this.network.send(mailbox, effect.target, effect.message, mailbox.busyUntilUs);
          break;
        case 'set-timer':
          this.#setTimer(mailbox, effect.timer, nowUs + effect.afterUs);
          break;
        case 'cancel-timer':
          this.#cancelTimer(mailbox, effect.timer);
          break;
        case 'exit':
          exit = effect.timer;
          break;
        default:
          this.#history.record(mailbox.process.machine.id, effect.event);
      }
    }
    if (exit !== undefined) this.#exit(mailbox.process.machine.id, exit);
  }

  #exit(node: NodeId, why: string): void {
    this.#history.record(node, { kind: 'process-exited', why });
    this.#crash(this.#find(node));
    this.#loop.scheduleIn(SUPERVISOR_DELAY_US, { fire: () => this.restart(node) });
  }

  #endForMemory({ node, restartAfterUs }: MemoryLimit): void {
    const { machine } = this.#find(node);
    this.#history.record(node, { kind: 'process-exited', why: 'out of memory' });
    this.#crash(this.#find(node));
    const { incarnation } = machine;
    const startAgain = (): void => {
      if (machine.incarnation === incarnation) this.restart(node);
    };
    this.#loop.scheduleIn(restartAfterUs, { fire: startAgain });
  }

  #setTimer(mailbox: Mailbox, name: string, atUs: number): void {
    const known = mailbox.timer(name);
    if (known !== undefined && known.handle !== 0) this.#loop.cancel(known.handle);
    const timer = known === undefined || known.isWaiting ? mailbox.makeTimer(name) : known;
    timer.chain = this.network.cause;
    timer.handle = this.#loop.schedule(atUs, timer);
  }

  #cancelTimer(mailbox: Mailbox, name: string): void {
    const known = mailbox.timer(name);
    if (known === undefined) return;
    if (known.isWaiting) {
      mailbox.voidTimer(known);
    } else if (known.handle !== 0) {
      this.#loop.cancel(known.handle);
      known.handle = 0;
    }
  }

  #start(hosted: HostedNode): void {
    const { machine, spec } = hosted;
    machine.start();
    hosted.actor = spec.create(machine.incarnation, machine.disk);
    this.#history.record(spec.id, { kind: 'node-started', incarnation: machine.incarnation });
    const main = this.#openMailbox(hosted, MAIN_MAILBOX);
    this.#loop.digest.fold(machine.index);
    this.#loop.digest.fold(machine.incarnation);
    this.network.follow(NO_CHAIN);
    this.#run(main, STARTED);
  }

  #crash(hosted: HostedNode): void {
    const { machine, mailboxes } = hosted;
    for (const mailbox of mailboxes.values()) this.#closeMailbox(mailbox);
    mailboxes.clear();
    hosted.actor = undefined;
    this.#machineFaults.processEnded(machine.id);
    machine.crash(this.#loop.nowUs);
    this.#history.record(machine.id, { kind: 'node-crashed', incarnation: machine.incarnation });
    this.network.nodeCrashed(machine.index);
  }

  #buryThrower(node: NodeId, thrown: unknown): void {
    this.#hasActorThrown = true;
    this.#history.record(node, { kind: 'actor-threw', ...thrownFacts(thrown) });
    this.#crash(this.#find(node));
  }

  #openMailbox(hosted: HostedNode, id: MailboxId): Mailbox {
    const mailbox = new Mailbox(this, hosted, id);
    hosted.mailboxes.set(id, mailbox);
    return mailbox;
  }

  #closeMailbox(mailbox: Mailbox): void {
    mailbox.isClosed = true;
    this.#loop.cancel(mailbox.wakeHandle);
    for (const timer of mailbox.timers()) this.#loop.cancel(timer.handle);
    for (let input = mailbox.shift(); input !== undefined; input = mailbox.shift()) {
      if (!input.isTimer) this.network.envelopes.release(input);
    }
  }

  #find(node: NodeId): HostedNode {
    const hosted = this.#hosted[this.network.indexOf(node)];
    assert(hosted !== undefined, 'a node of the cluster has an index in it', { node });
    return hosted;
  }
}

function refuseDelivery(envelope: Envelope): never {
  throw new InvariantViolation('a message is delivered to a node that is not down', { to: envelope.to });
}

function refuseRun(node: NodeId): never {
  throw new InvariantViolation('a handler runs only on a node that is not down', { node });
}
