/**
 * A partition of the Kafka-like cluster against a log that keeps everything and looks all of it up (I1 to I5): producers, epochs, markers, what is
 * replicated, changes of leaders; and retention, which must show in nothing but the start of the log.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Lineage } from '../../../../engine/protocol/stream-elements.ts';
import { PartitionLog } from '../../../../sim/services/kafka/partition-log.ts';

interface Entry {
  readonly producer: number;
  readonly epoch: number;
  /** -1: not counted. */
  readonly sequence: number;
  readonly values: readonly number[];
  readonly marker: 'none' | 'commit' | 'abort';
  readonly offset: number;
}

/** Nothing is remembered but the entries. */
class WholeLog {
  entries: Entry[] = [];
  highWatermark = 0;
  readTo = 0;

  get end(): number {
    const last = this.entries.at(-1);
    return last === undefined ? 0 : last.offset + (last.marker === 'none' ? last.values.length : 1);
  }

  counted(producer: number): readonly Entry[] {
    return this.entries.filter(
      (entry) => entry.producer === producer && (entry.marker !== 'none' || entry.sequence >= 0),
    );
  }

  epochOf(producer: number): number {
    return this.counted(producer).at(-1)?.epoch ?? -1;
  }

  nextSequence(producer: number, epoch: number): number {
    return this.counted(producer).reduce((sum, entry) => sum + (entry.epoch === epoch ? entry.values.length : 0), 0);
  }

  /** Transactions of a producer: the first record, and the marker that ended it. */
  transactions(producer: number): { from: number; marker: Entry | undefined }[] {
    const found: { from: number; marker: Entry | undefined }[] = [];
    for (const entry of this.counted(producer)) {
      const last = found.at(-1);
      const isOpen = last !== undefined && last.marker === undefined;
      if (entry.marker === 'none') {
        if (!isOpen) found.push({ from: entry.offset, marker: undefined });
      } else if (isOpen) last.marker = entry;
    }
    return found;
  }

  lastStableOffset(producers: readonly number[]): number {
    const undecided = producers
      .flatMap((producer) => this.transactions(producer))
      .filter(({ marker }) => marker === undefined || marker.offset >= this.highWatermark);
    return Math.min(this.highWatermark, ...undecided.map(({ from }) => from));
  }

  visible(): number[] {
    return this.#read().flatMap(({ values, isAborted }) => (isAborted ? [] : values));
  }

  /** What readers passed over: each value with the place where it lies, and who wrote it. */
  aborted(): (readonly [number, { offset: number; producerId: number; producerEpoch: number }])[] {
    return this.#read().flatMap(({ values, isAborted, offset, producer: producerId, epoch: producerEpoch }) =>
      isAborted ? values.map((value, at) => [value, { offset: offset + at, producerId, producerEpoch }] as const) : [],
    );
  }

  #read(): (Entry & { readonly isAborted: boolean })[] {
    return this.entries.flatMap((entry) => {
      const { producer, sequence, offset, marker } = entry;
      if (marker !== 'none' || offset >= this.readTo) return [];
      const own = sequence < 0 ? undefined : this.transactions(producer).findLast(({ from }) => from <= offset);
      return [{ ...entry, isAborted: own?.marker?.marker === 'abort' }];
    });
  }
}

const PRODUCERS = [1, 2, 3, 9];
/** Who is not counted has no id (Kafka: -1). */
const NOBODY = -1;
const producer = fc.constantFrom<number>(1, 2, 3);
const command = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('append' as const), producer, count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('append-plain' as const), producer, count: fc.constant(1) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('end' as const), producer, commit: fc.boolean() }) },
  // The first batch of an epoch again: long deleted, in a long log.
  { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), producer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('next-epoch' as const), producer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('old-epoch' as const), producer }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('replicate' as const), behind: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('new-leader' as const) }) },
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

class Run {
  readonly log = new PartitionLog('last-stable-offset');
  readonly whole = new WholeLog();
  readonly epochs = new Map<number, number>();
  readonly shown: unknown[] = [];
  #values = 0;

  do(one: Command): void {
    switch (one.do) {
      case 'append':
        return this.#append(
          one.producer,
          this.#epoch(one.producer),
          this.whole.nextSequence(one.producer, this.#epoch(one.producer)),
          one.count,
        );
      case 'append-plain':
        return this.#append(NOBODY, 0, -1, one.count);
      case 'again':
        return this.#append(one.producer, this.#epoch(one.producer), 0, 1);
      case 'next-epoch':
        return void this.epochs.set(one.producer, this.#epoch(one.producer) + 1);
      case 'old-epoch':
        return this.#append(one.producer, this.#epoch(one.producer) - 1, 0, 1);
      case 'end':
        return this.#end(one.producer, one.commit);
      case 'replicate': {
        // Batches are replicated as a whole.
        const to = this.whole.entries.at(-one.behind)?.offset ?? 0;
        const end = one.behind === 0 ? this.whole.end : to;
        const shown = this.log.replicatedTo(end);
        this.whole.highWatermark = Math.max(this.whole.highWatermark, end);
        this.whole.readTo = Math.max(this.whole.readTo, this.whole.lastStableOffset(PRODUCERS));
        this.shown.push(...(shown?.values ?? []));
        return;
      }
      case 'new-leader':
        this.log.truncateToHighWatermark();
        this.whole.entries = this.whole.entries.filter(({ offset }) => offset < this.whole.highWatermark);
        return;
      default:
        throw new RangeError(`unknown command ${String(one satisfies never)}`);
    }
  }

  check(): void {
    expect(this.log.logEnd).toBe(this.whole.end);
    expect(this.log.highWatermark).toBe(this.whole.highWatermark);
    expect(this.log.lastStableOffset).toBe(this.whole.lastStableOffset(PRODUCERS));
    expect(this.log.logStart).toBeLessThanOrEqual(this.whole.readTo);
    const open = PRODUCERS.filter((one) => {
      const last = this.whole.transactions(one).at(-1);
      return last !== undefined && last.marker === undefined;
    });
    expect([...this.log.openProducers()].sort()).toEqual(open);
  }

  #epoch(of: number): number {
    return this.epochs.get(of) ?? 0;
  }

  #append(of: number, epoch: number, sequence: number, count: number): void {
    if (epoch < 0) return;
    const { whole } = this;
    const values = Array.from({ length: count }, () => {
      this.#values += 1;
      return this.#values;
    });
    const offset = whole.end;
    const expected = whole.nextSequence(of, epoch);
    let outcome = 'appended';
    if (sequence >= 0 && epoch < whole.epochOf(of)) outcome = 'fenced';
    else if (sequence >= 0 && sequence !== expected)
      outcome = sequence < expected ? 'duplicate' : 'out-of-order-sequence';
    const batch = { producerId: of, producerEpoch: epoch, sequence, values, lineages: values as unknown as Lineage[] };
    expect(this.log.append(batch, true)).toBe(outcome);
    if (outcome === 'appended') whole.entries.push({ producer: of, epoch, sequence, values, marker: 'none', offset });
  }

  #end(of: number, commit: boolean): void {
    const { whole } = this;
    const epoch = this.#epoch(of);
    const last = whole.transactions(of).at(-1);
    const isOpen = last !== undefined && last.marker === undefined;
    const hasEnded = whole.counted(of).some((entry) => entry.marker !== 'none' && entry.epoch === epoch);
    let outcome = 'appended';
    if (epoch < whole.epochOf(of)) outcome = 'fenced';
    else if (epoch === whole.epochOf(of) && hasEnded && !isOpen) outcome = 'duplicate';
    const marker = commit ? 'commit' : 'abort';
    const offset = whole.end;
    expect(this.log.endTransaction(of, epoch, commit)).toBe(outcome);
    if (outcome === 'appended') whole.entries.push({ producer: of, epoch, sequence: -1, values: [], marker, offset });
  }
}

const QUIET = 9;
const REPLICATED: Command = { do: 'replicate', behind: 0 };
const COMMITTED: Command = { do: 'end', producer: QUIET, commit: true };

/** One producer writes at the start and then no more, so that all it did is deleted; its transaction may hold back the others. */
function around(commands: readonly Command[], isHeld: boolean): Command[] {
  const end = isHeld ? [] : [COMMITTED, REPLICATED];
  return [
    ...[{ do: 'append', producer: QUIET, count: 2 } as const, ...end, ...commands],
    // A new leader has to know of it; so it takes nothing twice, and ends what was held.
    ...([{ do: 'append', producer: 1, count: 1 }, { do: 'new-leader' }, { do: 'again', producer: QUIET }] as const),
    ...[COMMITTED, ...PRODUCERS.map((one): Command => ({ do: 'end', producer: one, commit: true })), REPLICATED],
  ];
}

it('I1 to I5: a partition that deletes what was read is like one that keeps everything, but for where it begins', () => {
  let deleted = 0;
  let aborted = 0;
  fc.assert(
    fc.property(
      fc.array(command, { minLength: 300, maxLength: 350, size: 'max' }),
      fc.boolean(),
      (commands, isHeld) => {
        const run = new Run();
        for (const one of around(commands, isHeld)) {
          run.do(one);
          run.check();
        }
        expect(run.shown).toEqual(run.whole.visible());
        for (const [value, place] of run.whole.aborted()) expect(run.log.aborted(value as Lineage)).toEqual(place);
        for (const value of run.whole.visible()) expect(run.log.aborted(value as Lineage)).toBeUndefined();
        aborted += run.whole.aborted().length;
        if (run.log.logStart > 0) deleted += 1;
      },
    ),
    { numRuns: 12, seed: 890 },
  );
  expect(deleted).toBeGreaterThan(3);
  expect(aborted).toBeGreaterThan(100);
});
