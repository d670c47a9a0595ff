/**
 * Patterns of the reference: for each key the events that wait and the ways begun to match, moved on by plain case analysis. Written from the
 * meaning of patterns (job/patterns.ts) and not from the engine's automaton; it shares the spec and the functions of the job.
 *
 * Owns state and timers of one operator, in the form in which state files hold them. Called by the reference job.
 *
 * I1: an event that waits has a timer at its time, a way that begins one where its time ends; both mean: what is due at this instant.
 * I2: no event is late here, as in reference-windows.ts.
 */
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import type { OperatorSpec } from '../../engine/job/job-graph.ts';
import type { Contiguity, Matched } from '../../engine/job/patterns.ts';
import { END_OF_TIME_US, type RecordValue, timerLineage } from '../../engine/protocol/stream-elements.ts';
import type { Children, Clock, Push, Stage } from './reference-functions.ts';
import { ReferenceOperatorState } from './reference-state.ts';
import { type MapState, type StateDescriptor, type TypeSerializer, Types, type ValueState } from './state-decoders.ts';

type PatternOperatorSpec = Extract<OperatorSpec, { readonly kind: 'pattern' }>;

/** A way to match that has begun. */
interface Way {
  readonly startUs: number;
  /** It wants one more of its last stage. */
  readonly isRepeating: boolean;
  readonly stages: number[];
  readonly events: unknown[];
}

/** As the engine names them in its files. */
const QUEUES = 'eventQueuesStateName';
const WAYS = 'nfaStateName';
const TIMERS = 'watermark-callbacks';

export interface ReferencePatternsOptions {
  readonly spec: PatternOperatorSpec;
  readonly maxParallelism: number;
  readonly children: Children;
  readonly clock: Clock;
}

export class ReferencePatterns {
  readonly state: ReferenceOperatorState;
  readonly #options: ReferencePatternsOptions;
  readonly #waiting: MapState<number, unknown[]>;
  readonly #ways: ValueState<Way[]>;

  constructor(options: ReferencePatternsOptions) {
    const { spec, maxParallelism } = options;
    const { uid, keySerializer, pattern } = spec;
    const way: TypeSerializer<Way> = Types.row<Way>({
      startUs: Types.int,
      isRepeating: Types.boolean,
      stages: Types.list(Types.int),
      events: Types.list(pattern.events),
    });
    const states: StateDescriptor[] = [
      { kind: 'map', name: QUEUES, keyType: Types.int, valueType: Types.list(pattern.events) },
      { kind: 'value', name: WAYS, type: Types.list(way) },
    ] as StateDescriptor[];
    this.#options = options;
    this.state = new ReferenceOperatorState({ uid, keySerializer, states, maxParallelism, timers: TIMERS });
    this.#waiting = this.state.map<number, unknown[]>(QUEUES);
    this.#ways = this.state.value<Way[]>(WAYS);
  }

  get push(): Push {
    const { spec, clock } = this.#options;
    return (value) => {
      this.state.setKey(spec.key(value));
      const atUs = Math.round(clock.timestampMs * 1_000);
      const hex = (event: unknown): string => hexOf(event, spec.pattern.events);
      const events = [...(this.#waiting.get(atUs) ?? []), value];
      this.#waiting.put(
        atUs,
        events
          .map((event) => ({ event, bytes: hex(event) }))
          .sort((a, b) => (a.bytes === b.bytes ? 0 : a.bytes < b.bytes ? -1 : 1))
          .map(({ event }) => event),
      );
      this.state.timers?.add('event', '', atUs);
    };
  }

  get stage(): Stage {
    const { spec, clock, children } = this.#options;
    return {
      uid: spec.uid,
      fire: (isDue) => {
        this.state.timers?.fire(
          isDue,
          (key) => this.state.setKey(key),
          ({ key, namespace, timestampUs }) => {
            const before = clock.timestampMs;
            clock.timestampMs = timestampUs / 1_000;
            this.#passed(
              timestampUs,
              children.of(timerLineage(spec.uid, key, { domain: 'event-time', namespace, timestampUs })),
            );
            clock.timestampMs = before;
          },
        );
      },
    };
  }

  #passed(atUs: number, out: Children): void {
    const { withinUs = Number.POSITIVE_INFINITY, timedOut, afterMatch, select } = this.#options.spec.pattern;
    const begun = this.#ways.value() ?? [];
    const over = begun.filter(({ startUs }) => atUs >= startUs + withinUs);
    if (timedOut !== undefined) for (const way of over) out.output(timedOut.tag, timedOut.select(this.#seen(way)));
    let ways = begun.filter((way) => !over.includes(way));
    for (const event of this.#waiting.get(atUs) ?? []) {
      const moved = [...ways.flatMap((way) => this.#movedOn(way, event)), ...this.#begun(atUs, event)];
      const matches = moved.filter((way) => this.#isComplete(way));
      ways = moved.filter((way) => !this.#isComplete(way));
      const isSkipping = afterMatch === 'skip-past-last-event' && matches.length > 0;
      for (const match of isSkipping ? matches.slice(0, 1) : matches) out.collect(select(this.#seen(match)));
      if (isSkipping) ways = [];
    }
    this.#waiting.remove(atUs);
    if (ways.length === 0) this.#ways.clear();
    else this.#ways.update(ways);
    const endUs = Math.min(atUs + withinUs, END_OF_TIME_US);
    if (Number.isFinite(withinUs) && ways.some(({ startUs }) => startUs === atUs))
      this.state.timers?.add('event', '', endUs);
  }

  #begun(atUs: number, event: RecordValue): Way[] {
    const holds = this.#options.spec.pattern.stages[0]?.condition(event, () => []) === true;
    return holds ? this.#on({ startUs: atUs, isRepeating: false, stages: [], events: [] }, 0, event) : [];
  }

  /** What one way becomes: itself where it may pass the event over, and on from there where it may take it. */
  #movedOn(way: Way, event: RecordValue): Way[] {
    const last = way.stages[way.stages.length - 1] ?? -1;
    const wanted = way.isRepeating ? last : last + 1;
    const stage = this.#options.spec.pattern.stages[wanted];
    if (stage === undefined) return [];
    const how: Contiguity | undefined = way.isRepeating ? stage.repeats : stage.contiguity;
    const holds = stage.condition(event, this.#seen(way));
    switch (how) {
      case 'strict':
        return holds ? this.#on(way, wanted, event) : [];
      case 'relaxed':
        return holds ? this.#on(way, wanted, event) : [way];
      case 'any':
        return holds ? [way, ...this.#on(way, wanted, event)] : [way];
      default:
        return [];
    }
  }

  #on({ startUs, stages, events }: Way, stage: number, event: RecordValue): Way[] {
    const further = { startUs, isRepeating: false, stages: [...stages, stage], events: [...events, event] };
    const mayRepeat = this.#options.spec.pattern.stages[stage]?.repeats !== undefined;
    return mayRepeat ? [{ ...further, isRepeating: true }, further] : [further];
  }

  #isComplete({ stages, isRepeating }: Way): boolean {
    return !isRepeating && stages[stages.length - 1] === this.#options.spec.pattern.stages.length - 1;
  }

  #seen({ stages, events }: Way): Matched<unknown> {
    const names = stages.map((stage) => this.#options.spec.pattern.stages[stage]?.name);
    return (name) => events.filter((_event, index) => names[index] === name);
  }
}

/** Texts of one alphabet compare as the bytes they stand for. */
function hexOf(event: unknown, type: TypeSerializer<unknown>): string {
  const out = new ByteWriter();
  type.serialize(event, out);
  return [...out.toBytes()].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
