/**
 * Windows of the reference: for each key a plain list of windows with what was folded into them, evaluated when event time has passed their
 * end. Written from the meaning of windows and not from the engine's operator; it shares the specs and the functions of the job.
 *
 * Owns the contents and timers of one operator, in the form in which state files hold them. Called by the reference job.
 *
 * I1: only windows of event time that are evaluated at their end have an answer that does not depend on the schedule; and those by count,
 *     where they do not merge, tell only how many they hold and are asked by windows alone. Of others the reference says nothing: a job with
 *     such windows says in its audit what their output accounts for.
 * I2: no record is late here: event time passes when all records before a cut were folded. A job whose records can be late is judged by what
 *     its output accounts for, too.
 */
import type { Collector } from '../../engine/job/functions.ts';
import type { OperatorSpec } from '../../engine/job/job-graph.ts';
import type { WindowAssignerSpec } from '../../engine/job/windows.ts';
import { type Lineage, type RecordValue, timerLineage } from '../../engine/protocol/stream-elements.ts';
import type { Children, Clock, Push, Stage } from './reference-functions.ts';
import { ReferenceOperatorState } from './reference-state.ts';
import { type MapState, type StateDescriptor, Types } from './state-decoders.ts';

type WindowOperatorSpec = Extract<OperatorSpec, { readonly kind: 'window' }>;

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** As the engine names them in its files. */
const CONTENTS = 'window-contents';
const COUNTS = 'trigger-counts';
const TIMERS = 'window-timers';

export interface ReferenceWindowsOptions {
  readonly spec: WindowOperatorSpec;
  readonly maxParallelism: number;
  readonly children: Children;
  readonly clock: Clock;
}

export class ReferenceWindows {
  readonly state: ReferenceOperatorState;
  readonly #options: ReferenceWindowsOptions;
  readonly #contents: MapState<string, unknown>;
  readonly #counts: MapState<string, number>;

  constructor(options: ReferenceWindowsOptions) {
    const { spec, maxParallelism } = options;
    const { contents } = spec.window;
    const states: StateDescriptor[] = [
      { kind: 'map', name: CONTENTS, keyType: Types.string, valueType: contents },
      { kind: 'map', name: COUNTS, keyType: Types.string, valueType: Types.int },
    ];
    const { uid, keySerializer } = spec;
    this.#options = options;
    this.state = new ReferenceOperatorState({ uid, keySerializer, states, maxParallelism, timers: TIMERS });
    this.#contents = this.state.map<string, unknown>(CONTENTS);
    this.#counts = this.state.map<string, number>(COUNTS);
  }

  /** I1. */
  get push(): Push {
    const { assigner, trigger } = this.#options.spec.window;
    const isCounting = trigger.kind === 'count' && assigner.kind !== 'session';
    const hasAnswer = assigner.domain === 'event-time' && (trigger.kind === 'event-time' || isCounting);
    return hasAnswer ? (value, lineage) => this.#fold(value, lineage) : () => undefined;
  }

  get stage(): Stage {
    const { spec, children } = this.#options;
    const { timers } = this.state;
    return {
      uid: spec.uid,
      fire: (isDue) => {
        timers?.fire(
          isDue,
          (key) => this.state.setKey(key),
          ({ key, namespace, timestampUs }) => {
            const lineage = timerLineage(spec.uid, key, { domain: 'event-time', namespace, timestampUs });
            this.#passed(namespace, timestampUs, children.of(lineage));
          },
        );
      },
    };
  }

  #fold(value: RecordValue, lineage: Lineage): void {
    const { spec, clock, children } = this.#options;
    const { aggregate, assigner } = spec.window;
    const out = children.of(lineage);
    this.state.setKey(spec.key(value));
    const atUs = Math.round(clock.timestampMs * 1_000);
    for (const span of spansOf(assigner, atUs)) {
      const name = assigner.kind === 'session' ? this.#unite(span) : nameOf(span);
      const known = this.#contents.get(name);
      this.#contents.put(name, aggregate.add(known ?? aggregate.createAccumulator(), value));
      for (const timestampUs of this.#timersOf(spanOf(name))) this.state.timers?.add('event', name, timestampUs);
      this.#count(name, out);
    }
  }

  /** By count it is evaluated for the record that makes it full, and counts from 0 again. */
  #count(name: string, out: Collector<RecordValue>): void {
    const { trigger } = this.#options.spec.window;
    if (trigger.kind !== 'count') return;
    const count = (this.#counts.get(name) ?? 0) + 1;
    if (count < trigger.count) return this.#counts.put(name, count);
    this.#counts.remove(name);
    this.#evaluate(name, out);
    if (trigger.purging === true) this.#contents.remove(name);
  }

  /** All sessions that share an instant with `span` become one with it; its name. */
  #unite(span: Span): string {
    const { aggregate } = this.#options.spec.window;
    let { from, to } = span;
    let united: unknown;
    for (const name of this.#contents.keys()) {
      const other = spanOf(name);
      if (!shareAnInstant(other, span)) continue;
      from = Math.min(from, other.from);
      to = Math.max(to, other.to);
      const contents = this.#contents.get(name);
      united = united === undefined ? contents : aggregate.merge(united, contents);
      this.#contents.remove(name);
      for (const timestampUs of this.#timersOf(other)) this.state.timers?.remove('event', name, timestampUs);
    }
    const name = nameOf({ from, to });
    if (united !== undefined) this.#contents.put(name, united);
    return name;
  }

  /** At its end it is evaluated, if not by count; behind the allowed lateness it is forgotten. */
  #timersOf({ to }: Span): readonly number[] {
    const { trigger, allowedLatenessUs } = this.#options.spec.window;
    const cleanUp = to - 1 + allowedLatenessUs;
    return trigger.kind === 'count' ? [cleanUp] : [to - 1, cleanUp];
  }

  #passed(name: string, timestampUs: number, out: Collector<RecordValue>): void {
    const { trigger } = this.#options.spec.window;
    const { to } = spanOf(name);
    const isEnd = timestampUs === to - 1 && trigger.kind !== 'count';
    if (isEnd) this.#evaluate(name, out);
    if (isEnd && trigger.purging === true) this.#contents.remove(name);
    if (timestampUs !== this.#timersOf(spanOf(name)).at(-1)) return;
    this.#contents.remove(name);
    this.#counts.remove(name);
  }

  #evaluate(name: string, out: Collector<RecordValue>): void {
    const { spec, clock } = this.#options;
    const { aggregate, evaluate } = spec.window;
    const { from, to } = spanOf(name);
    const contents = this.#contents.get(name);
    if (contents === undefined) return;
    const before = clock.timestampMs;
    clock.timestampMs = (to - 1) / 1_000;
    const place = { key: this.state.currentKey, start: from / 1_000, end: to / 1_000 };
    evaluate(place, aggregate.getResult(contents), out);
    clock.timestampMs = before;
  }
}

/** Each window of the assigner that contains the instant. */
export function spansOf(assigner: WindowAssignerSpec, atUs: number): Span[] {
  if (assigner.kind === 'session') return [{ from: atUs, to: atUs + assigner.gapUs }];
  const { sizeUs, offsetUs } = assigner;
  const everyUs = assigner.kind === 'tumbling' ? sizeUs : assigner.slideUs;
  const spans: Span[] = [];
  const newest = Math.floor((atUs - offsetUs) / everyUs);
  for (let number = newest; number * everyUs + offsetUs + sizeUs > atUs; number -= 1) {
    const from = number * everyUs + offsetUs;
    spans.push({ from, to: from + sizeUs });
  }
  return spans;
}

export const shareAnInstant = (a: Span, b: Span): boolean => a.from < b.to && b.from < a.to;

/** The namespace of a window's timers and contents, as the engine writes it. */
export const nameOf = ({ from, to }: Span): string => `${String(from)}/${String(to)}`;

function spanOf(name: string): Span {
  const slash = name.indexOf('/');
  return { from: Number(name.slice(0, slash)), to: Number(name.slice(slash + 1)) };
}
