/**
 * Patterns (CEP) against a brute-force matcher over small sequences: operator with snapshot and restore in the middle, and the judges'
 * reference, give the matches that the definition gives; engine and reference hold the same bytes at the snapshot.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AfterMatch,
  CEP,
  type Contiguity,
  type JobGraph,
  OutputTag,
  Pattern,
  StreamExecutionEnvironment,
  Types,
  WatermarkStrategy,
} from '../../engine/index.ts';
import { END_OF_TIME_US } from '../../engine/protocol/stream-elements.ts';
import { bytesOf, engineEntries, operatorOf, referenceEntries } from '../support/pattern-parts.ts';
import { PatternOperator, standardPatternRules } from '../../engine/operators/cep/pattern-operator.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';
import { ReferenceJob } from '../../sim/judges/reference-job.ts';
import { BACKENDS, type TestedBackend } from '../support/state-backends.ts';

interface Event {
  readonly id: number;
  readonly letter: string;
  readonly n: number;
  /** Milliseconds. */
  readonly at: number;
}

interface Part {
  readonly letters: string;
  readonly contiguity: Contiguity;
  readonly times: number | 'one-or-more';
  readonly inner: Contiguity;
  /** Its events are not smaller than the first of the match. */
  readonly isRising: boolean;
}

interface Case {
  readonly parts: readonly Part[];
  readonly within: number | undefined;
  readonly events: readonly Event[];
  /** Where the snapshot is taken. */
  readonly cutAt: number;
}

const contiguity = fc.constantFrom<Contiguity>('strict', 'relaxed', 'any');
const part = fc.record({
  letters: fc.constantFrom('a', 'b', 'ab', 'abc'),
  contiguity,
  times: fc.constantFrom<Part['times'][]>(1, 1, 2, 'one-or-more'),
  inner: contiguity,
  isRising: fc.boolean(),
});
const event = fc.record({ letter: fc.constantFrom('a', 'b', 'c'), n: fc.nat(3), at: fc.nat(9) });
const anyCase: fc.Arbitrary<Case> = fc.record({
  parts: fc.array(part, { minLength: 1, maxLength: 3 }),
  within: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
  events: fc.array(event, { maxLength: 7 }).map((events) => events.map((one, id) => ({ id, ...one }))),
  cutAt: fc.nat(9),
});

const LATE = new OutputTag<string>('timed-out');
const nameOf = (index: number): string => `part-${String(index)}`;

function holds({ letters, isRising }: Part, { letter, n }: Event, first: Event | undefined): boolean {
  return letters.includes(letter) && (!isRising || first === undefined || n >= first.n);
}

function graphOf({ parts, within }: Pick<Case, 'parts' | 'within'>, afterMatch: AfterMatch = 'no-skip'): JobGraph {
  let pattern = Pattern.begin<Event>(nameOf(0), afterMatch);
  for (const [index, one] of parts.entries()) {
    const { contiguity: follows, times, inner } = one;
    if (index > 0) {
      if (follows === 'strict') pattern = pattern.next(nameOf(index));
      else pattern = follows === 'relaxed' ? pattern.followedBy(nameOf(index)) : pattern.followedByAny(nameOf(index));
    }
    pattern = pattern.where((value, matched) => holds(one, value, matched(nameOf(0))[0]));
    pattern = times === 'one-or-more' ? pattern.oneOrMore() : pattern.times(times);
    if (inner !== 'relaxed') pattern = inner === 'strict' ? pattern.consecutive() : pattern.allowCombinations();
  }
  const env = new StreamExecutionEnvironment({ jobId: 'p', name: 'p', parallelism: 1 });
  const watermarks = WatermarkStrategy.forBoundedOutOfOrderness<Event>(100);
  const events = env.fromLog<Event>({ topic: 't', partitions: [0], uid: 's', watermarks }).keyBy(() => 'k');
  const show = (matched: (name: string) => readonly Event[]): string =>
    parts
      .map((_part, index) =>
        matched(nameOf(index))
          .map(({ id }) => id)
          .join(),
      )
      .join('/');
  const patterns = CEP.pattern(events, within === undefined ? pattern : pattern.within(within), Types.json as never);
  const found = within === undefined ? patterns : patterns.sideOutputTimedOut(LATE, show);
  const matches = found.select(show).uid('cep');
  matches.sinkTo({ guarantee: 'exactly-once' }).uid('sink');
  matches.getSideOutput(LATE).sinkTo({ guarantee: 'exactly-once' }).uid('late');
  return env.jobGraph();
}

/** The definition (engine/job/patterns.ts), tried on every subsequence. */
function bruteForce({ parts, within, events }: Case): string[] {
  const ordered = [...events].sort((a, b) => a.at - b.at || (bytesOf(a) < bytesOf(b) ? -1 : 1));
  const found: string[] = [];
  for (const stages of unrolled(parts, ordered.length)) {
    for (let taken = 1; taken < 2 ** ordered.length; taken += 1) {
      const places = ordered.map((_event, index) => index).filter((index) => (taken >> index) % 2 === 1);
      if (places.length === stages.length && isMatch(ordered, places, { stages, within }))
        found.push(
          parts
            .map((_part, of) =>
              places
                .filter((_place, i) => stages[i]?.of === of)
                .map((place) => ordered[place]?.id)
                .join(),
            )
            .join('/'),
        );
    }
  }
  return found.sort();
}

interface Unrolled {
  readonly of: number;
  readonly part: Part;
  readonly follows: Contiguity;
}

function unrolled(parts: readonly Part[], longest: number): Unrolled[][] {
  let all: Unrolled[][] = [[]];
  for (const [of, one] of parts.entries()) {
    const counts = one.times === 'one-or-more' ? Array.from({ length: longest }, (_, i) => i + 1) : [one.times];
    all = all.flatMap((before) =>
      counts.map((count) => [
        ...before,
        ...Array.from({ length: count }, (_, i) => ({ of, part: one, follows: i === 0 ? one.contiguity : one.inner })),
      ]),
    );
  }
  return all.filter((stages) => stages.length <= longest);
}

function isMatch(
  ordered: readonly Event[],
  places: readonly number[],
  { stages, within }: { readonly stages: readonly Unrolled[]; readonly within: number | undefined },
): boolean {
  const first = ordered[places[0] ?? -1];
  const last = ordered[places.at(-1) ?? -1];
  if (first === undefined || last === undefined) return false;
  if (within !== undefined && last.at - first.at >= within) return false;
  return places.every((place, index) => {
    const stage = stages[index];
    const event_ = ordered[place];
    if (stage === undefined || event_ === undefined) return false;
    const before = index === 0 ? undefined : first;
    if (!holds(stage.part, event_, before)) return false;
    if (index === 0 || stage.follows === 'any') return true;
    const between = ordered.slice((places[index - 1] ?? 0) + 1, place);
    return stage.follows === 'strict'
      ? between.length === 0
      : !between.some((other) => holds(stage.part, other, first));
  });
}

interface Run {
  readonly out: string[];
  readonly timedOut: string[];
}

/** The operator, a snapshot and a restore in the middle; what channels deliver is the events in the order of their ids. */
function engineRun(tested: TestedBackend, graph: JobGraph, { events, cutAt }: Case): Run & { atCut: string[] } {
  const run: Run = { out: [], timedOut: [] };
  const deploy = (bytes?: Uint8Array): { operator: PatternOperator; backend: KeyedStateBackend } => {
    const backend = tested.create({
      keySerializer: Types.string,
      keyGroups: { start: 0, end: 127 },
      maxParallelism: 128,
    });
    if (bytes !== undefined) backend.restore(bytes);
    const operator = new PatternOperator(operatorOf(graph), {
      backend,
      subtask: 0,
      parallelism: 1,
      next: { process: (value) => run.out.push(String(value)) },
      side: { processSide: (_tag, value) => run.timedOut.push(String(value)) },
      rules: standardPatternRules,
    });
    return { operator, backend };
  };
  const before = deploy();
  for (const one of events) before.operator.process(one, one.at * 1_000, one.id);
  before.operator.timers.advanceWatermark(cutAt * 1_000, () => true);
  const snapshot = before.backend.snapshot().write();
  const after = deploy(snapshot);
  after.operator.timers.advanceWatermark(END_OF_TIME_US, () => true);
  if (operatorOf(graph).pattern.withinUs !== undefined) expect(after.backend.keyCount).toBe(0);
  return { ...run, atCut: engineEntries(snapshot) };
}

function referenceRun(graph: JobGraph, { events, cutAt }: Case): Run & { atCut: string[] } {
  const run: Run = { out: [], timedOut: [] };
  const job = new ReferenceJob(graph, (uid, value) => (uid === 'sink' ? run.out : run.timedOut).push(String(value)));
  for (const one of events) job.feed(0, { value: one, timestampUs: one.at * 1_000, lineage: one.id });
  job.fireTimers((_operator, { timestampUs }) => timestampUs <= cutAt * 1_000);
  const state = job.keyedStates.get('cep');
  const atCut = state === undefined ? [] : referenceEntries(state);
  job.finish(new Set());
  return { ...run, atCut };
}

describe.each(BACKENDS)('patterns against every subsequence: $name', (tested) => {
  it('the matches of the definition, over a restore; the reference agrees in output, time-outs and bytes', () => {
    let matches = 0;
    let timeOuts = 0;
    fc.assert(
      fc.property(anyCase, (one) => {
        const graph = graphOf(one);
        const engine = engineRun(tested, graph, one);
        const reference = referenceRun(graph, one);
        expect(engine.out.sort()).toEqual(bruteForce(one));
        expect(reference.out.sort()).toEqual(engine.out);
        expect(reference.timedOut.sort()).toEqual(engine.timedOut.sort());
        expect(reference.atCut).toEqual(engine.atCut);
        matches += engine.out.length;
        timeOuts += engine.timedOut.length;
      }),
      { numRuns: tested.name === 'hashmap' ? 400 : 60, seed: 20 },
    );
    expect(matches).toBeGreaterThan(10);
    expect(timeOuts).toBeGreaterThan(10);
  });
});

describe('after a match', () => {
  const once = { contiguity: 'relaxed', times: 1, inner: 'relaxed', isRising: false } as const;
  const parts: readonly Part[] = [
    { ...once, letters: 'a' },
    { ...once, letters: 'b' },
  ];
  const events = ['a', 'a', 'b', 'b', 'a', 'b'].map((letter, id) => ({ id, letter, n: 0, at: id }));
  const one: Case = { parts, within: undefined, events, cutAt: 1 };
  const [tested] = BACKENDS;

  it.each([
    ['no-skip', ['0/2', '1/2', '4/5']],
    ['skip-past-last-event', ['0/2', '4/5']],
  ] as const)('%s', (afterMatch, expected) => {
    const graph = graphOf(one, afterMatch);
    if (tested !== undefined) expect(engineRun(tested, graph, one).out).toEqual(expected);
    expect(referenceRun(graph, one).out).toEqual(expected);
  });
});
