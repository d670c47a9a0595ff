/**
 * Records that restarted subtasks have missed, because their producers went on (row F1, `approximate`; Flink: FLIP-135,
 * ApproximateLocalRecoveryDownstreamITCase, decision 0123).
 *
 * A subtask that restarts from checkpoint n has the effect of what came to it before barrier n, and is sent what no earlier attempt was sent.
 * So what its producers sent in between is lost on that edge, and nothing else is. Both are seen on the network, as the messages themselves
 * say it, when they are sent: the reference then leaves these records out on that edge, and nowhere else.
 *
 * Owns: which records, edge by edge, and behind which checkpoint. Shown each event before any judge, and all traffic, where the job is
 * configured so.
 *
 * I1: a channel is a pair of subtasks, whatever attempts run them; only what current attempts of its producer send counts;
 * I2: a producer that restarts too writes anew from the checkpoint on: what was missed of it behind that checkpoint counts no more;
 * I3: memory holds, for each channel, what was sent behind the newest completed checkpoint, and what was lost.
 */
import { attemptOfMailbox, type MailboxId } from '../../engine/foundation/ids.ts';
import type { EngineMessage } from '../../engine/protocol/messages.ts';
import type { Lineage } from '../../engine/protocol/stream-elements.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { LeftOut, LostRecords } from './lost-records.ts';

type Of<K extends EngineMessage['kind']> = Extract<EngineMessage, { readonly kind: K }>;
type Restored = Extract<HistoryEvent['event'], { kind: 'restore-chosen' }>;

/** Data, or a barrier; in the order in which they were sent. */
type Sent = { readonly lineages: readonly Lineage[]; isMissed: boolean } | { readonly barrier: number };

interface Channel {
  readonly edge: number;
  /** Names of subtasks. */
  readonly producer: string;
  readonly consumer: string;
  /** Behind the newest completed checkpoint. */
  sent: Sent[];
}

/** What the state of checkpoints lacks that were triggered behind a restart. */
interface Stage {
  /** Highest id that had been triggered. */
  readonly behind: number;
  lost: LostRecords | undefined;
}

/** Nobody asks about checkpoints that so many restarts lie behind. */
const STAGES_KEPT = 8;

export class MissedRecords implements LeftOut {
  /** What was missed is different from before. */
  readonly #changed: (lost: LostRecords) => void;
  /** Name of the subtask by attempt, and the newest attempt of each. */
  readonly #subtaskOf = new Map<number, string>();
  readonly #current = new Map<string, number>();
  readonly #channels = new Map<string, Channel>();
  /** By attempt of the consumer, then by number of the channel in its gate. */
  readonly #gates = new Map<number, Channel[]>();
  /** Missed in front of the newest completed checkpoint: for good. By edge. */
  readonly #settled = new Map<number, Lineage[]>();
  readonly #stages: Stage[] = [];
  #isStale = false;
  #triggered = 0;
  #epoch = 0;

  constructor(changed: (lost: LostRecords) => void) {
    this.#changed = changed;
  }

  observe({ event }: HistoryEvent): void {
    if (event.kind === 'checkpoint-triggered') {
      this.#triggered = Math.max(this.#triggered, event.checkpointId);
    } else if (event.kind === 'checkpoint-completed') {
      this.#settle(event.checkpointId);
      this.#forgetOld();
      this.bringUpToDate();
    } else if (event.kind === 'restore-chosen' && event.epoch >= this.#epoch) {
      this.#epoch = event.epoch;
      this.#onRestore(event);
      this.bringUpToDate();
    } else if (event.kind === 'task-deployed' && event.epoch >= this.#epoch) {
      const subtask = nameOf(event.vertex, event.subtask);
      this.#subtaskOf.set(event.attempt, subtask);
      this.#current.set(subtask, event.attempt);
    }
  }

  sent(to: MailboxId, message: EngineMessage): void {
    if (message.kind === 'partition-request') this.#onRequest(message);
    else if (message.kind === 'buffer') this.#onBuffer(attemptOfMailbox(to) ?? -1, message);
  }

  /** Entries of memory besides what was lost (I3). */
  get remembered(): number {
    let sent = 0;
    for (const channel of this.#channels.values()) sent += channel.sent.length;
    return (
      sent + this.#subtaskOf.size + this.#current.size + this.#channels.size + this.#gates.size + this.#stages.length
    );
  }

  before(checkpointId: number): LostRecords | undefined {
    return this.#stages.findLast(({ behind }) => behind < checkpointId)?.lost;
  }

  /** Says what was missed since it was last said. */
  bringUpToDate(): void {
    const stage = this.#stages.at(-1);
    if (stage === undefined || !this.#isStale) return;
    this.#isStale = false;
    const lost = new Map<number, Map<Lineage, number>>();
    for (const [edge, lineages] of this.#settled) add(lost, edge, lineages);
    for (const { edge, sent } of this.#channels.values())
      for (const one of sent) if ('lineages' in one && one.isMissed) add(lost, edge, one.lineages);
    stage.lost = lost;
    this.#changed(lost);
  }

  /** Repeated until the producer is there. An old attempt may ask, too: what it is sent is missed. */
  #onRequest({ producer, consumer, edge, channel: number }: Of<'partition-request'>): void {
    const [from, to] = [this.#subtaskOf.get(producer), this.#subtaskOf.get(consumer)];
    if (from === undefined || to === undefined) return;
    const name = `${String(edge)}:${from}:${to}`;
    const channel = this.#channels.get(name) ?? { edge, producer: from, consumer: to, sent: [] };
    this.#channels.set(name, channel);
    const gate = this.#gates.get(consumer) ?? [];
    this.#gates.set(consumer, gate);
    gate[number] = channel;
  }

  #onBuffer(consumer: number, { producer, channel: number, buffer }: Of<'buffer'>): void {
    const channel = this.#gates.get(consumer)?.[number];
    if (channel === undefined || this.#current.get(channel.producer) !== producer) return;
    if (buffer.kind === 'barrier') channel.sent.push({ barrier: buffer.checkpointId });
    if (buffer.kind !== 'data') return;
    const isMissed = this.#current.get(channel.consumer) !== consumer;
    channel.sent.push({ lineages: buffer.lineages, isMissed });
    if (isMissed) this.#isStale = true;
  }

  #onRestore({ checkpointId, subtasks }: Restored): void {
    this.#settle(checkpointId);
    const restarted = subtasks && new Set(subtasks.map(({ vertex, subtask }) => nameOf(vertex, subtask)));
    for (const channel of this.#channels.values()) {
      if (restarted === undefined || restarted.has(channel.producer)) channel.sent = [];
      else if (restarted.has(channel.consumer))
        for (const one of channel.sent) if ('lineages' in one) one.isMissed = true;
    }
    this.#isStale = true;
    this.#stages.push({ behind: this.#triggered, lost: this.#stages.at(-1)?.lost });
    if (this.#stages.length > STAGES_KEPT) this.#stages.shift();
  }

  /** Its barriers have come to all current attempts: nothing goes to earlier ones any more. */
  #forgetOld(): void {
    for (const [attempt, subtask] of this.#subtaskOf) {
      if (this.#current.get(subtask) === attempt) continue;
      this.#subtaskOf.delete(attempt);
      this.#gates.delete(attempt);
    }
  }

  /** This checkpoint is what may be restored from now on: what lies before its barriers is as it is. */
  #settle(id: number): void {
    for (const channel of this.#channels.values()) {
      const at = channel.sent.findIndex((one) => 'barrier' in one && one.barrier === id);
      for (const one of channel.sent.slice(0, at + 1)) {
        if (!('lineages' in one) || !one.isMissed) continue;
        const lineages = this.#settled.get(channel.edge) ?? [];
        this.#settled.set(channel.edge, lineages);
        lineages.push(...one.lineages);
      }
      channel.sent = channel.sent.slice(at + 1);
    }
  }
}

const nameOf = (vertex: number, subtask: number): string => `${String(vertex)}/${String(subtask)}`;

function add(lost: Map<number, Map<Lineage, number>>, edge: number, lineages: readonly Lineage[]): void {
  const onEdge = lost.get(edge) ?? new Map<Lineage, number>();
  lost.set(edge, onEdge);
  for (const lineage of lineages) onEdge.set(lineage, (onEdge.get(lineage) ?? 0) + 1);
}
