/**
 * Judge 8, bounds: data in flight stays within credits, and what cannot be sent is not gathered without end (row B15); no slot is taken twice (row F5);
 * restarts keep their strategy (row F4), checkpoints the limits that are set for them (rows C2, C3, C15).
 *
 * Owns what each channel between two subtasks was granted and was sent, as the messages between them say it, not as either of them counts. Does not own:
 * slots (slot-use.ts), restarts (restart-delays.ts), checkpoints (checkpoint-limits.ts).
 * Shown every message that goes over a connection (the network's `TrafficWatcher`); from the history it learns which attempts have ended.
 * Invariants:
 *   I1 a channel is known by the consumer's request: what is sent before it, or behind the end of an attempt, is judged by nobody;
 *   I2 what is known of a channel goes with its consumer, be it that its node crashes, so memory is bounded by the subtasks that run;
 *   I3 a producer may gather what its pool has room for, and what one record in progress adds to that, which is the only one beyond
 *      (waiting-buffers.ts).
 */
import { attemptOfMailbox, type MailboxId, type NodeId } from '../../engine/foundation/ids.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { BufferMessage, DataPlaneMessage, EngineMessage } from '../../engine/protocol/messages.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { SimulationPlan } from '../plan.ts';
import { CheckpointLimits, LIMITED_KINDS } from './checkpoint-limits.ts';
import { Findings } from './findings.ts';
import type { Judge } from './judge.ts';
import type { Margins } from './margins.ts';
import { RESTART_KINDS, RestartDelays } from './restart-delays.ts';
import { SLOT_KINDS, SlotUse } from './slot-use.ts';
import type { Verdict } from './verdict.ts';
import { WaitingBuffers } from './waiting-buffers.ts';

const NAME = 'bounds';

interface Channel {
  readonly producer: number;
  readonly edge: number;
  readonly subpartition: number;
  granted: number;
  /** Data buffers. */
  sent: number;
  readonly waiting: WaitingBuffers;
}

type Of<K extends DataPlaneMessage['kind']> = Extract<DataPlaneMessage, { readonly kind: K }>;

export interface BoundsOptions {
  readonly graph: JobGraph;
  readonly engine: Pick<SimulationPlan['engine'], 'runtime' | 'checkpoint' | 'scheduler' | 'restart'>;
  readonly margins?: Margins;
  /** Checkpoint ids may be refused at once. */
  readonly mayRefuseIds?: boolean;
}

export class Bounds implements Judge {
  readonly name = NAME;
  readonly kinds = [...new Set([...SLOT_KINDS, ...RESTART_KINDS, ...LIMITED_KINDS])];
  readonly anomalies =
    'buffer-without-credit: a producer sends more data buffers than its consumer has granted. credit-beyond-buffers: a consumer grants more ' +
    'than it has buffers. queue-beyond-pool: more buffers wait for credit than the pool of their producer has, and what lies beyond is of more than one record. ' +
    'slot-taken-twice: subtasks of more indices are deployed on a TaskManager than it has slots. ' +
    RestartDelays.anomalies +
    CheckpointLimits.anomalies;
  readonly #options: BoundsOptions;
  readonly #findings = new Findings(NAME);
  /** By attempt of the consumer, then by number of the channel in its gate. */
  readonly #channels = new Map<number, (Channel | undefined)[]>();
  /** By attempt that has begun and not ended: where it runs. */
  readonly #nodes = new Map<number, NodeId>();
  /** By vertex: the most subtasks it was deployed with. */
  readonly #parallelism: number[] = [];
  readonly #slots = new SlotUse();
  readonly #restarts: RestartDelays;
  readonly #limits: CheckpointLimits;
  /** Of the last event that was seen. */
  #at = 0;
  #buffers = 0;
  #backlogMax = 0;

  constructor(options: BoundsOptions) {
    this.#options = options;
    this.#restarts = new RestartDelays(options.engine.restart, this.#findings);
    this.#limits = new CheckpointLimits(options.engine, this.#findings, options.mayRefuseIds);
  }

  observe(entry: HistoryEvent): void {
    const { event, index, node } = entry;
    this.#at = index;
    this.#judgeSlots(this.#slots.observe(entry), entry);
    this.#restarts.observe(entry);
    this.#limits.observe(entry);
    if (event.kind === 'task-deployed') {
      const { vertex, parallelism } = event;
      this.#parallelism[vertex] = Math.max(this.#parallelism[vertex] ?? 0, parallelism);
    } else if (event.kind === 'node-crashed') {
      for (const [attempt, where] of this.#nodes) if (where === node) this.#forget(attempt);
    } else if (event.kind === 'task-state') {
      if (event.state === 'canceled' || event.state === 'finished') this.#forget(event.attempt);
      else this.#nodes.set(event.attempt, node);
    }
  }

  sent(to: MailboxId, message: EngineMessage): void {
    switch (message.kind) {
      case 'partition-request':
        return this.#onRequest(message);
      case 'add-credit':
        return this.#onCredit(to, message);
      case 'buffer':
        return this.#onBuffer(to, message);
      default:
    }
  }

  finish(): Verdict[] {
    const { margins } = this.#options;
    if (this.#buffers > 0)
      margins?.near(
        'bounds/backlog-room',
        this.#poolOf(undefined) + this.#options.engine.runtime.overdraftBuffers - this.#backlogMax,
        -1,
      );
    return this.#findings.verdicts(
      `${String(this.#buffers)} buffers came against credits; at most ${String(this.#backlogMax)} waited in one queue`,
    );
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return (
      this.channels + this.#nodes.size + this.#slots.remembered + this.#restarts.remembered + this.#limits.remembered
    );
  }

  /** Channels that are remembered (I2). */
  get channels(): number {
    let channels = 0;
    for (const ofConsumer of this.#channels.values()) channels += ofConsumer.length;
    return channels;
  }

  /** An attempt that has ended asks for nothing and is granted nothing more. */
  #forget(attempt: number): void {
    this.#channels.delete(attempt);
    this.#nodes.delete(attempt);
  }

  /** Repeated until the producer is there: the first one counts. */
  #onRequest({ consumer, channel, producer, edge, subpartition, credit }: Of<'partition-request'>): void {
    let ofConsumer = this.#channels.get(consumer);
    if (ofConsumer === undefined) {
      ofConsumer = [];
      this.#channels.set(consumer, ofConsumer);
    }
    if (ofConsumer[channel] !== undefined) return;
    ofConsumer[channel] = { producer, edge, subpartition, granted: credit, sent: 0, waiting: new WaitingBuffers() };
    this.#judgeCredit(ofConsumer[channel], consumer);
  }

  #onCredit(to: MailboxId, { consumer, edge, subpartition, credit }: Of<'add-credit'>): void {
    const producer = attemptOfMailbox(to);
    for (const channel of this.#channels.get(consumer) ?? []) {
      if (channel === undefined || channel.producer !== producer) continue;
      if (channel.edge !== edge || channel.subpartition !== subpartition) continue;
      channel.granted += credit;
      this.#judgeCredit(channel, consumer);
      return;
    }
  }

  #judgeSlots(indices: ReadonlySet<number> | undefined, { event, index }: HistoryEvent): void {
    const { slotsPerTaskManager } = this.#options.engine.runtime;
    if (event.kind !== 'task-deployed' || indices === undefined || indices.size <= slotsPerTaskManager) return;
    this.#findings.violated('slot-taken-twice', [index], () => {
      return `Attempt ${String(event.attempt)} is deployed on ${event.node}, where subtasks ${[...indices].join(', ')} are then in ${String(slotsPerTaskManager)} slots`;
    });
  }

  #judgeCredit({ granted, sent, edge }: Channel, consumer: number): void {
    const { exclusiveBuffersPerChannel, floatingBuffersPerGate } = this.#options.engine.runtime;
    const most = exclusiveBuffersPerChannel + floatingBuffersPerGate;
    if (granted - sent <= most) return;
    this.#findings.violated('credit-beyond-buffers', [this.#at], () => {
      return `Attempt ${String(consumer)} has granted ${String(granted - sent)} buffers on edge ${String(edge)} and has ${String(most)}`;
    });
  }

  #onBuffer(to: MailboxId, message: BufferMessage): void {
    const { channel: number, producer, backlog, buffer } = message;
    const isData = buffer.kind === 'data';
    if (isData) this.#buffers += 1;
    if (isData && backlog > this.#backlogMax) this.#backlogMax = backlog;
    const channel = this.#channels.get(attemptOfMailbox(to) ?? -1)?.[number];
    if (channel === undefined || channel.producer !== producer) return;
    if (isData) this.#judgeSent(channel);
    const pool = this.#poolOf(channel.edge);
    const waited = channel.waiting.observe(buffer, backlog, pool);
    if (waited === undefined) return;
    this.#findings.violated('queue-beyond-pool', [this.#at], () => {
      return `${String(waited)} data buffers waited at attempt ${String(producer)} on edge ${String(channel.edge)}, whose pool has ${String(pool)}, and the last of them are of several records`;
    });
  }

  #judgeSent(channel: Channel): void {
    channel.sent += 1;
    if (channel.sent <= channel.granted) return;
    const { producer, edge, subpartition, sent, granted } = channel;
    this.#findings.violated('buffer-without-credit', [this.#at], () => {
      return `Attempt ${String(producer)} sends data buffer ${String(sent)} on edge ${String(edge)} to subpartition ${String(subpartition)} against ${String(granted)} credits`;
    });
  }

  /** Without the overdraft; undefined: the largest of all edges. */
  #poolOf(edge: number | undefined): number {
    const { graph, engine } = this.#options;
    const { runtime } = engine;
    const consumer = edge === undefined ? undefined : graph.edges[edge]?.to;
    const parallelism =
      consumer === undefined ? Math.max(1, ...this.#parallelism.filter(Boolean)) : (this.#parallelism[consumer] ?? 1);
    return parallelism * runtime.exclusiveBuffersPerChannel + runtime.floatingBuffersPerGate;
  }
}
