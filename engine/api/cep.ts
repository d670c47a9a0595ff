/**
 * Patterns of events as the author of a job writes them (Flink: Pattern, CEP, PatternStream).
 *
 *     const pattern = Pattern.begin<Quote>('peak')
 *       .followedBy('fall').where((quote, matched) => quote.price < 0.8 * (matched('peak')[0]?.price ?? 0))
 *       .within(30 * MS_PER_DAY);
 *     CEP.pattern(quotes.keyBy((quote) => quote.symbol), pattern, Types.json).select((matched) => ...)
 *
 * Owns: how patterns are put together and refused. Does not own: what they mean (job/patterns.ts), how they are matched (operators/cep/).
 * Not here, unlike Flink: notNext, notFollowedBy, optional, until, groups of patterns, processing time.
 */
import type { OutputTag } from '../job/functions.ts';
import type { AfterMatch, Contiguity, Matched, PatternSpec, PatternStage } from '../job/patterns.ts';
import type { TypeSerializer } from '../state/type-serializer.ts';
import type { DataStream, KeyedStream } from './data-stream.ts';
import { InvalidJob } from './invalid-job.ts';

type Condition<T> = (event: T, matched: Matched<T>) => boolean;

/** One name of a pattern, which may stand for several stages. */
interface Part<T> {
  readonly name: string;
  readonly contiguity: Contiguity;
  readonly conditions: readonly Condition<T>[];
  /** Absent: once. */
  readonly times?: number | 'one-or-more';
  /** Between the events of one name. */
  readonly inner: Contiguity;
}

interface Settings {
  readonly withinUs?: number;
  readonly afterMatch: AfterMatch;
}

export class Pattern<T> {
  readonly #parts: readonly Part<T>[];
  readonly #settings: Settings;

  private constructor(parts: readonly Part<T>[], settings: Settings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  static begin<T>(name: string, afterMatch: AfterMatch = 'no-skip'): Pattern<T> {
    return new Pattern<T>([part(name, 'any')], { afterMatch });
  }

  /** The very next event of the key. */
  next(name: string): Pattern<T> {
    return this.#then(name, 'strict');
  }

  /** The first event behind for which the condition holds. */
  followedBy(name: string): Pattern<T> {
    return this.#then(name, 'relaxed');
  }

  /** Any event behind for which the condition holds: each makes a match of its own. */
  followedByAny(name: string): Pattern<T> {
    return this.#then(name, 'any');
  }

  /** What must hold for an event of the newest name; said twice, both must hold. */
  where(condition: Condition<T>): Pattern<T> {
    return this.#changed(({ conditions }) => ({ conditions: [...conditions, condition] }));
  }

  /** So many events of the newest name. */
  times(count: number): Pattern<T> {
    if (!Number.isInteger(count) || count < 1) throw new InvalidJob(`times(${count}) is not a positive integer.`);
    return this.#changed(() => ({ times: count }));
  }

  oneOrMore(): Pattern<T> {
    return this.#changed(() => ({ times: 'one-or-more' }));
  }

  /** Nothing may come between the events of the newest name. */
  consecutive(): Pattern<T> {
    return this.#changed(() => ({ inner: 'strict' }));
  }

  /** Events of the newest name may be left out. */
  allowCombinations(): Pattern<T> {
    return this.#changed(() => ({ inner: 'any' }));
  }

  /** A match takes less event time than this. */
  within(milliseconds: number): Pattern<T> {
    const withinUs = milliseconds * 1_000;
    if (!Number.isSafeInteger(withinUs) || withinUs < 1)
      throw new InvalidJob(`within(${milliseconds}) is not a whole number of microseconds of at least 1.`);
    return new Pattern<T>(this.#parts, { ...this.#settings, withinUs });
  }

  /** As the graph carries it, without what is made of a match. */
  spec(): Pick<PatternSpec, 'stages' | 'withinUs' | 'afterMatch'> {
    return { ...this.#settings, stages: this.#parts.flatMap(stagesOf) };
  }

  #then(name: string, contiguity: Contiguity): Pattern<T> {
    if (this.#parts.some((other) => other.name === name))
      throw new InvalidJob(`The pattern has two parts of the name '${name}': events are found by it.`);
    return new Pattern<T>([...this.#parts, part(name, contiguity)], this.#settings);
  }

  #changed(change: (newest: Part<T>) => Partial<Part<T>>): Pattern<T> {
    const parts = this.#parts.map((one, index) =>
      index === this.#parts.length - 1 ? { ...one, ...change(one) } : one,
    );
    return new Pattern<T>(parts, this.#settings);
  }
}

function part<T>(name: string, contiguity: Contiguity): Part<T> {
  return { name, contiguity, conditions: [], inner: 'relaxed' };
}

/** The graph carries no types: sound, as the operator hands conditions only what its stream carries. */
function stagesOf<T>({ name, contiguity, conditions, times = 1, inner }: Part<T>): PatternStage[] {
  const condition = ((event: T, matched: Matched<T>) =>
    conditions.every((holds) => holds(event, matched))) as PatternStage['condition'];
  if (times === 'one-or-more') return [{ name, contiguity, condition, repeats: inner }];
  return Array.from({ length: times }, (_, index) => ({
    name,
    contiguity: index === 0 ? contiguity : inner,
    condition,
  }));
}

export const CEP = {
  /** Looks for the pattern in each key of the stream, in event time. `events` is the type of its events, which wait in state. */
  pattern<T>(stream: KeyedStream<T>, pattern: Pattern<T>, events: TypeSerializer<T>): PatternStream<T> {
    return new PatternStream<T>(stream, { ...pattern.spec(), events: events as TypeSerializer<unknown> });
  },
};

export class PatternStream<T> {
  readonly #stream: KeyedStream<T>;
  readonly #pattern: Omit<PatternSpec, 'select'>;

  constructor(stream: KeyedStream<T>, pattern: Omit<PatternSpec, 'select'>) {
    this.#stream = stream;
    this.#pattern = pattern;
  }

  /** Partial matches whose time is over go into this side output (Flink: select with a PatternTimeoutFunction). */
  sideOutputTimedOut<Out>(tag: OutputTag<Out>, select: (matched: Matched<T>) => Out): PatternStream<T> {
    if (this.#pattern.withinUs === undefined)
      throw new InvalidJob('Partial matches never time out: the pattern has no within().');
    const timedOut = { tag: tag.id, select: select as PatternSpec['select'] };
    return new PatternStream<T>(this.#stream, { ...this.#pattern, timedOut });
  }

  /** One record for each match. */
  select<Out>(select: (matched: Matched<T>) => Out): DataStream<Out> {
    return this.#stream.match<Out>({ ...this.#pattern, select: select as PatternSpec['select'] });
  }
}
