/**
 * Replayable partitioned log: answers fetches from the content, holding those that find too little.
 *
 * Owns: the fetches it holds. Does not own: the records and when they become readable (log-content.ts), the readers' positions:
 * they fetch by offset and may read anything again. Asked and answered over datagrams.
 *
 * I1: one fetch is held per reader mailbox and partition, with one timer: a newer one replaces the older, which is never answered;
 * I2: a fetch that finds `minRecords` is answered at once; another is held until `maxRecords` of its records (or the last of the
 *     partition) are readable, `maxWaitUs` at most, and is answered with what is readable then, possibly nothing;
 * I3: beyond the end of a partition nothing will ever come: fetches there are held longer (8 x maxWaitUs, 5 s at most);
 * I4: at the end of a bounded partition a fetch is answered at once, and whoever is given its last record is told that it has ended.
 * I5: whoever stops at markers (row C25) is answered at once where one lies, and gets no record from behind it in the same answer;
 * I6: a partition that is a socket hands out each record once: a fetch gets what comes next, whatever offset it names, and who asks first
 *     gets it. What is lost on the way, or reaches a reader that is not heeded any more, is gone;
 * I7: a fetch from below the start of the log, which retention moves, is answered with that start and nothing else;
 * I8: a slow broker is late with whatever it is asked; what asks for a place or for markers finds what is there then.
 */
import { micros, type Micros } from '../../engine/foundation/time.ts';
import type { Input, Target } from '../../engine/protocol/actor.ts';
import type { LogFetch, LogListOffsets, LogMark, LogRecords } from '../../engine/protocol/messages.ts';
import { LATEST } from '../../engine/protocol/operator-events.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import type { LogContent, LogSlice } from './log-content.ts';
import { type LogMarker, LogMarkers } from './log-markers.ts';
import { ReplyTargets } from './reply-targets.ts';
import type { ServiceActor, ServiceOut } from './service-actor.ts';
import {
  REFUSED_OR_FAILED_AT_ONCE,
  REQUEST_EFFECTS,
  type ServiceConditions,
  type ServiceDecision,
  type ServiceEffect,
} from './service-conditions.ts';

export interface LogBrokerOptions {
  /** The durable part; also serves the broker that comes after a restart. */
  readonly content: LogContent;
  /** A fetch that finds so many records is answered at once; at least 1 (Kafka: fetch.min.bytes). */
  readonly minRecords: number;
  readonly conditions: ServiceConditions;
  /** Draws which requests a condition affects. */
  readonly conditionSite: ChoiceSite;
  /** Told of each answer with records: what was read, for the count of records read again. */
  readonly onRead?: (partition: number, offset: number, count: number) => void;
  /** How far each socket was read, by partition; outlives the broker. Absent: there are none. */
  readonly handedOut?: number[];
  /** Of checkpoints; outlives the broker. Default: there are none yet. */
  readonly markers?: LogMarkers;
}

/** How much longer a fetch is held at the end of its partition, and the limit of that. */
const END_WAIT_FACTOR = 8;
const END_WAIT_US_MAX = 5_000_000;
/** A slow broker delays its reply by this times the factor. */
const SLOW_UNIT_US = 10_000;
/** What keeps its answer to itself is not late. */
const AT_ONCE: readonly ServiceEffect[] = [...REFUSED_OR_FAILED_AT_ONCE, 'unknown-outcome'];

const NOTHING: LogSlice = { values: [], timestampsUs: [], sourceIndices: [] };

/** One reader mailbox and partition. It stays, so that a reader that fetches again and again costs one object. */
interface Reader {
  readonly timer: string;
  readonly target: Target;
  /** The fetch that is held; undefined: none. */
  held: LogFetch | undefined;
}

/** What is no fetch. */
interface Question {
  readonly message: LogMark | LogListOffsets;
  readonly target: Target;
}

/** How and to whom it is answered. */
interface Replying {
  readonly effect: ServiceDecision['effect'];
  readonly target: Target;
  readonly nowUs: Micros;
  readonly out: ServiceOut;
}

export class LogBroker implements ServiceActor {
  readonly #content: LogContent;
  readonly #minRecords: number;
  readonly #conditions: ServiceConditions;
  readonly #conditionSite: ChoiceSite;
  readonly #onRead: LogBrokerOptions['onRead'];
  readonly #handedOut: number[];
  readonly #markers: LogMarkers;
  readonly #targets = new ReplyTargets('datagram');
  /** By the reply's target, then by partition. */
  readonly #readers = new Map<Target, (Reader | undefined)[]>();
  /** The same readers by timer name, which says who reads which partition. */
  readonly #readerOfTimer = new Map<string, Reader>();
  /** By timer: what a slow broker has not looked at yet. */
  readonly #late = new Map<string, Question>();
  #questions = 0;

  constructor(options: LogBrokerOptions) {
    this.#content = options.content;
    this.#minRecords = options.minRecords;
    this.#conditions = options.conditions;
    this.#conditionSite = options.conditionSite;
    this.#onRead = options.onRead;
    this.#handedOut = options.handedOut ?? [];
    this.#markers = options.markers ?? new LogMarkers();
  }

  handle(input: Input, nowUs: Micros, out: ServiceOut): void {
    if (input.kind === 'timer') this.#due(input.timer, nowUs, out);
    if (input.kind !== 'message') return;
    const { from, fromMailbox } = input;
    let { message } = input;
    if (message.kind === 'log-mark' || message.kind === 'log-list-offsets')
      return this.#question({ message, target: this.#targets.of(from, fromMailbox) }, nowUs, out);
    if (message.kind !== 'log-fetch') {
      out.report({ kind: 'message-discarded', message: message.kind, why: 'not for the log broker' });
      return;
    }
    const target = this.#targets.of(from, fromMailbox);
    const known = this.#readers.get(target)?.[message.partition];
    /* I1: whatever becomes of the newer fetch, the older one is over. */
    if (known?.held !== undefined) {
      out.cancelTimer(known.timer);
      known.held = undefined;
    }
    if (message.offset === LATEST)
      message = { ...message, offset: this.#content.readableRecords(message.partition, nowUs) };
    if (!this.#isAddressable(message)) {
      out.report({ kind: 'message-discarded', message: 'log-fetch', why: 'no such position in the log' });
      out.send(target, refusal(message));
      return;
    }
    const waitUs = this.#waitUs(message, nowUs);
    if (waitUs === 'no-reply') return;
    const logStart = this.#content.logStart(message.partition, nowUs);
    if (waitUs === 'refused') out.send(target, refusal(message));
    else if (message.offset < logStart) out.send(target, outOfRange(message, logStart));
    else if (waitUs === 0) this.#answer(message, target, nowUs, out);
    else {
      const reader = known ?? this.#newReader(target, message.partition);
      reader.held = message;
      out.setTimer(reader.timer, micros(waitUs));
    }
  }

  /** I8. */
  #question(question: Question, nowUs: Micros, out: ServiceOut): void {
    const { effect, factor } = this.#decide();
    if (effect !== 'slow') return this.#reply(question, effect, nowUs, out);
    const timer = `q/${this.#questions}`;
    this.#questions += 1;
    this.#late.set(timer, question);
    out.setTimer(timer, micros(Math.floor(factor * SLOW_UNIT_US)));
  }

  #due(timer: string, nowUs: Micros, out: ServiceOut): void {
    const question = this.#late.get(timer);
    if (question === undefined) return this.#release(timer, nowUs, out);
    this.#late.delete(timer);
    this.#reply(question, 'none', nowUs, out);
  }

  #reply({ message, target }: Question, effect: ServiceDecision['effect'], nowUs: Micros, out: ServiceOut): void {
    const outcome = { effect, target, nowUs, out };
    if (message.kind === 'log-mark') this.#mark(message, outcome);
    else this.#listOffsets(message, outcome);
  }

  #listOffsets({ requestId, group, topic, at }: LogListOffsets, { effect, target, nowUs, out }: Replying): void {
    const partitions = this.#content.partitionsAt(topic, nowUs);
    if (effect === 'unknown-outcome') return;
    if (effect === 'unavailable' || effect === 'fail' || partitions === undefined)
      return out.send(target, {
        kind: 'log-offsets',
        requestId,
        group,
        outcome: 'unavailable',
        partitions: [],
        offsets: [],
      });
    const offsets = partitions.map((partition) => this.#content.startOffset(partition, at, nowUs));
    out.send(target, { kind: 'log-offsets', requestId, group, outcome: 'done', partitions, offsets });
  }

  #mark(command: LogMark, { effect, target, nowUs, out }: Replying): void {
    const { requestId, group, partitions, checkpointId } = command;
    if (effect === 'unavailable' || effect === 'fail' || !partitions.every((partition) => this.#isPartition(partition)))
      return out.send(target, { kind: 'log-marked', requestId, group, outcome: 'unavailable', offsets: [] });
    const answer = this.#markers.mark(command, (partition) => this.#content.readableRecords(partition, nowUs));
    const { outcome, offsets } = answer;
    if (answer.isNew && checkpointId > 0) {
      out.report({ kind: 'markers-put', group, checkpointId, partitions, offsets });
      for (const reader of this.#readerOfTimer.values()) {
        if (reader.held?.markersAfter === undefined || !partitions.includes(reader.held.partition)) continue;
        out.cancelTimer(reader.timer);
        this.#release(reader.timer, nowUs, out);
      }
    }
    if (effect !== 'unknown-outcome') out.send(target, { kind: 'log-marked', requestId, group, outcome, offsets });
  }

  #newReader(target: Target, partition: number): Reader {
    const reader: Reader = { timer: `f/${target.node}/${target.mailbox}/${partition}`, target, held: undefined };
    const ofTarget = this.#readers.get(target) ?? [];
    ofTarget[partition] = reader;
    this.#readers.set(target, ofTarget);
    this.#readerOfTimer.set(reader.timer, reader);
    return reader;
  }

  /** When to answer, as the broker's conditions have it. */
  #waitUs(fetch: LogFetch, nowUs: Micros): number | 'refused' | 'no-reply' {
    const { effect, factor } = this.#decide();
    if (effect === 'unknown-outcome') return 'no-reply';
    if (effect === 'unavailable' || effect === 'fail') return 'refused';
    return this.#holdUs(fetch, nowUs) + (effect === 'slow' ? Math.floor(factor * SLOW_UNIT_US) : 0);
  }

  #decide(): ServiceDecision {
    return this.#conditions.decide(this.#conditionSite, REQUEST_EFFECTS, AT_ONCE);
  }

  #release(timer: string, nowUs: Micros, out: ServiceOut): void {
    const reader = this.#readerOfTimer.get(timer);
    const fetch = reader?.held;
    if (reader === undefined || fetch === undefined) return;
    reader.held = undefined;
    this.#answer(fetch, reader.target, nowUs, out);
  }

  #answer(fetch: LogFetch, target: Target, nowUs: Micros, out: ServiceOut): void {
    const { requestId, partition, maxRecords } = fetch;
    const offset = this.#offsetOf(fetch);
    const readable = this.#content.readableRecords(partition, nowUs);
    const marker = this.#markerFor(fetch);
    const count = Math.min((marker?.offset ?? readable) - offset, maxRecords);
    const records = count > 0 ? this.#content.slice({ partition, offset }, count) : NOTHING;
    const next = offset + Math.max(0, count);
    if (count > 0) this.#onRead?.(partition, offset, count);
    if (count > 0 && this.#content.isSocket(partition)) this.#handedOut[partition] = offset + count;
    const isAtMarker = marker !== undefined && next === marker.offset;
    const isAtEnd = next >= this.#content.lengthOf(partition);
    const ended = this.#content.isBounded(partition) && isAtEnd && !isAtMarker;
    const behind = Math.max(0, readable - next);
    const { values, timestampsUs, sourceIndices, entrySizes } = records;
    const place = { requestId, outcome: 'done', partition, offset } as const;
    const reply: LogRecords = { kind: 'log-records', values, timestampsUs, sourceIndices, behind, ended, ...place };
    if (entrySizes === undefined && !isAtMarker) return out.send(target, reply);
    const sizes = entrySizes === undefined ? {} : { entrySizes };
    out.send(target, { ...reply, ...sizes, ...(isAtMarker ? { marker: marker.checkpointId } : {}) });
  }

  #markerFor({ partition, offset, markersAfter }: LogFetch): LogMarker | undefined {
    return markersAfter === undefined ? undefined : this.#markers.next(partition, offset, markersAfter);
  }

  /** I6. */
  #offsetOf({ partition, offset }: LogFetch): number {
    return this.#content.isSocket(partition) ? (this.#handedOut[partition] ?? 0) : offset;
  }

  #isAddressable({ partition, offset }: LogFetch): boolean {
    return this.#isPartition(partition) && Number.isInteger(offset) && offset >= 0;
  }

  #isPartition(partition: number): boolean {
    const isOne = Number.isInteger(partition) && partition >= 0 && partition < this.#content.partitions;
    return isOne && this.#content.isInLog(partition);
  }

  /** How long a fetch waits for records; 0: it is answered at once (I2, I3, I5). */
  #holdUs(fetch: LogFetch, nowUs: Micros): number {
    const { partition, maxRecords, maxWaitUs } = fetch;
    const offset = this.#offsetOf(fetch);
    if (this.#markerFor(fetch) !== undefined) return 0;
    const toCome = this.#content.lengthOf(partition) - offset;
    if (toCome <= 0)
      return this.#content.isBounded(partition) ? 0 : Math.min(maxWaitUs * END_WAIT_FACTOR, END_WAIT_US_MAX);
    const wanted = Math.max(1, Math.min(maxRecords, toCome));
    const readable = this.#content.readableRecords(partition, nowUs) - offset;
    if (readable >= Math.min(this.#minRecords, wanted)) return 0;
    const last = this.#content.sourceIndexAt({ partition, offset: offset + wanted - 1 });
    return Math.min(maxWaitUs, this.#content.readableAtUs(last) - nowUs);
  }
}

/** I7. */
const outOfRange = (fetch: LogFetch, offset: number): LogRecords => ({
  ...refusal(fetch),
  outcome: 'out-of-range',
  offset,
});

const refusal = ({ requestId, partition, offset }: LogFetch): LogRecords => ({
  kind: 'log-records',
  requestId,
  outcome: 'unavailable',
  partition,
  offset,
  ...NOTHING,
  behind: 0,
  ended: false,
});
