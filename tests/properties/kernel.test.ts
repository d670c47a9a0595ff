/** Laws of the simulator's kernel, over drawn inputs. Each property prints its seed when it fails. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choices, type ChoiceSite, TapeDivergence } from '../../sim/kernel/choice.ts';
import { Digest, firstDifference } from '../../sim/kernel/digest.ts';
import { exponential, lognormal, sampleUs, uniform } from '../../sim/kernel/distribution.ts';
import { EventQueue, NEVER_US } from '../../sim/kernel/event-queue.ts';
import { Tape } from '../../sim/kernel/tape.ts';

type QueueCommand =
  | { readonly kind: 'push'; readonly atUs: number }
  | { readonly kind: 'pop' }
  | { readonly kind: 'peek' }
  | { readonly kind: 'cancel'; readonly which: number };

interface ModelEvent {
  readonly atUs: number;
  readonly sequence: number;
  readonly handle: number;
}

/** A queue as one would draw it on paper: a sorted list. */
class SortedModel {
  readonly events: ModelEvent[] = [];

  push(event: ModelEvent): void {
    this.events.push(event);
    this.events.sort((a, b) => a.atUs - b.atUs || a.sequence - b.sequence);
  }

  cancel(handle: number): boolean {
    const index = this.events.findIndex((event) => event.handle === handle);
    if (index >= 0) this.events.splice(index, 1);
    return index >= 0;
  }
}

/** Few different times make many ties; the last range spreads them. */
const anyTime = fc.oneof(
  { weight: 3, arbitrary: fc.nat(5) },
  { weight: 2, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.nat(2_000_000_000) },
);
const anyPush = anyTime.map((atUs): QueueCommand => ({ kind: 'push', atUs }));
const anyPop = fc.constant<QueueCommand>({ kind: 'pop' });
const anyPeek = fc.constant<QueueCommand>({ kind: 'peek' });
const anyCancel = fc.nat().map((which): QueueCommand => ({ kind: 'cancel', which }));

/** Phases that fill, churn, cancel and drain, so that the heap grows, is swept, and runs empty. */
const anyCommands = fc
  .array(
    fc.oneof(
      fc.array(fc.oneof({ weight: 9, arbitrary: anyPush }, { weight: 1, arbitrary: anyPeek }), {
        maxLength: 400,
        size: 'max',
      }),
      fc.array(fc.oneof(anyPush, anyPop, anyPush, anyPop, anyPeek, anyCancel), { maxLength: 400, size: 'max' }),
      fc.array(fc.oneof(anyPush, anyCancel, anyCancel), { maxLength: 400, size: 'max' }),
      fc.array(fc.oneof({ weight: 9, arbitrary: anyPop }, { weight: 1, arbitrary: anyPush }), {
        maxLength: 400,
        size: 'max',
      }),
    ),
    { minLength: 1, maxLength: 6, size: 'max' },
  )
  .map((phases) => phases.flat());

/** Which handle to cancel: one of the latest, most of them live, or any ever given, most of them stale. */
function chosenHandle(handles: readonly number[], which: number): number {
  const among = which % 4 === 0 ? handles.length : Math.min(handles.length, 200);
  return handles[handles.length - 1 - (Math.floor(which / 4) % Math.max(1, among))] ?? 0;
}

/** Checks a queue against the model; answers how often its heap was swept of tombstones. */
function sweepsOf(commands: readonly QueueCommand[]): number {
  const queue = new EventQueue<number>();
  const model = new SortedModel();
  const handles: number[] = [];
  let sweeps = 0;
  for (const command of commands) {
    switch (command.kind) {
      case 'push': {
        const sequence = handles.length;
        const cancelledBefore = queue.cancelled;
        const handle = queue.push(command.atUs, sequence);
        // Only a sweep lets a push remove tombstones.
        if (queue.cancelled < cancelledBefore) sweeps += 1;
        expect(model.events.some((event) => event.handle === handle)).toBe(false);
        handles.push(handle);
        model.push({ atUs: command.atUs, sequence, handle });
        break;
      }
      case 'pop': {
        const event = model.events.shift();
        expect(queue.pop()).toBe(event?.sequence);
        if (event !== undefined) expect([queue.atUs, queue.sequence]).toEqual([event.atUs, event.sequence]);
        break;
      }
      case 'peek':
        expect(queue.peekAtUs()).toBe(model.events[0]?.atUs ?? NEVER_US);
        break;
      case 'cancel': {
        const handle = chosenHandle(handles, command.which);
        expect(queue.cancel(handle)).toBe(model.cancel(handle));
        break;
      }
    }
    expect(queue.size).toBe(model.events.length);
  }
  for (const event of model.events) expect(queue.pop()).toBe(event.sequence);
  expect(queue.pop()).toBeUndefined();
  return sweeps;
}

describe('event queue', () => {
  it('any pushes, pops and cancels: it does what a sorted list does', () => {
    let longest = 0;
    let sweeps = 0;
    const property = fc.property(anyCommands, (commands) => {
      longest = Math.max(longest, commands.length);
      sweeps += sweepsOf(commands);
    });
    fc.assert(property, { numRuns: 200 });
    expect(longest).toBeGreaterThan(500);
    expect(sweeps).toBeGreaterThan(10);
  });

  it('held at hundreds of events with ties: pops never go back', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 300, maxLength: 600, size: 'max' }), (delays) => {
        const queue = new EventQueue<number>();
        for (const delay of delays) queue.push(delay, 0);
        let [lastAtUs, lastSequence] = [-1, -1];
        for (const delay of delays) {
          queue.pop();
          expect(queue.atUs > lastAtUs || (queue.atUs === lastAtUs && queue.sequence > lastSequence)).toBe(true);
          [lastAtUs, lastSequence] = [queue.atUs, queue.sequence];
          queue.push(queue.atUs + delay, 0);
        }
      }),
      { numRuns: 50 },
    );
  });
});

/** One use of a site. */
type Draw = { readonly site: string; readonly use: 'choose' | 'chance' | 'between'; readonly n: number };

const anyDraws = fc.array(
  fc.record<Draw>({
    site: fc.constantFrom('a', 'b', 'a/b', 'net/1->2', 'net/2->1'),
    use: fc.constantFrom('choose', 'chance', 'between'),
    n: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 0x1_0000_0000 })),
  }),
  { maxLength: 200, size: 'max' },
);

function drawn(site: ChoiceSite, { use, n }: Draw): number {
  if (use === 'choose') return site.choose(n);
  if (use === 'between') return site.between(100, 99 + n);
  return site.chance(1, n) ? 1 : 0;
}

function live(choices: Choices, draws: readonly Draw[]): number[] {
  return draws.map((draw) => drawn(choices.site(draw.site), draw));
}

describe('choices', () => {
  it('draws at other sites: shift no stream', () => {
    fc.assert(
      fc.property(fc.string(), anyDraws, anyDraws, (rootSeed, draws, others) => {
        const alone = live(new Choices({ rootSeed }), draws);
        const choices = new Choices({ rootSeed });
        const among = draws.map((draw, index) => {
          const other = others[index];
          if (other !== undefined) drawn(choices.site(`other/${other.site}`), other);
          return drawn(choices.site(draw.site), draw);
        });
        expect(among).toEqual(alone);
      }),
    );
  });

  it('first draws of similar names: are not correlated', () => {
    const sides = 16;
    for (const prefix of ['net/link-', 'net/', 's', '']) {
      const choices = new Choices({ rootSeed: '1' });
      const firsts = Array.from({ length: 4_097 }, (_, index) => choices.site(`${prefix}${index}`).choose(sides));
      // Pairs of neighbours fill a 16 x 16 table evenly: chi-square with 255 degrees of freedom, six deviations.
      const cells = new Array<number>(sides * sides).fill(0);
      for (let index = 0; index < 4_096; index += 1) {
        const cell = (firsts[index] ?? 0) * sides + (firsts[index + 1] ?? 0);
        cells[cell] = (cells[cell] ?? 0) + 1;
      }
      const chiSquare = cells.reduce((sum, count) => sum + (count - 16) * (count - 16), 0) / 16;
      expect(Math.abs(chiSquare - 255), prefix).toBeLessThan(136);
    }
  });

  it('recording: changes nothing; its replay, also from JSON and under another seed, is the same', () => {
    fc.assert(
      fc.property(fc.string(), anyDraws, (rootSeed, draws) => {
        const generated = live(new Choices({ rootSeed }), draws);
        const recording = new Choices({ rootSeed, mode: 'record' });
        expect(live(recording, draws)).toEqual(generated);
        const tape = Tape.fromJSON(JSON.parse(JSON.stringify(recording.tape)));
        expect(live(new Choices({ rootSeed: 'else', mode: 'replay', tape }), draws)).toEqual(generated);
      }),
    );
  });

  it('guided by any prefix of a recording: is the recording', () => {
    fc.assert(
      fc.property(fc.string(), anyDraws, fc.nat(200), (rootSeed, draws, kept) => {
        const recording = new Choices({ rootSeed, mode: 'record' });
        const recorded = live(recording, draws);
        const tape = Tape.fromJSON(JSON.parse(JSON.stringify(recording.tape)));
        tape.truncate(Math.min(kept, tape.length));
        const guided = new Choices({ rootSeed, mode: 'guided', tape });
        expect(live(guided, draws)).toEqual(recorded);
        expect(guided.tape?.toJSON()).toEqual(recording.tape?.toJSON());
      }),
    );
  });

  it('a replay that asks another question: diverges at that question', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 2, max: 99 }), { minLength: 1 }), fc.nat(), (widths, where) => {
        const changed = where % widths.length;
        const recording = new Choices({ rootSeed: 's', mode: 'record' });
        for (const width of widths) recording.site('a').choose(width);
        const tape = recording.tape ?? new Tape();
        const ask = (): void => {
          const replay = new Choices({ rootSeed: 's', mode: 'replay', tape });
          for (const [index, width] of widths.entries()) replay.site('a').choose(index === changed ? 100 : width);
        };
        expect(ask).toThrow(TapeDivergence);
        expect(ask).toThrow(`choice ${changed}:`);
      }),
    );
  });

  it('enumeration: lives every combination once, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }), (widths) => {
        const choices = new Choices({ rootSeed: 's', mode: 'enumerate' });
        const ranks: number[] = [];
        do {
          ranks.push(widths.reduce((rank, width, index) => rank * width + choices.site(`${index}`).choose(width), 0));
        } while (choices.nextPath());
        const combinations = widths.reduce((product, width) => product * width, 1);
        expect(ranks).toEqual(Array.from({ length: combinations }, (_, rank) => rank));
      }),
    );
  });
});

describe('distributions', () => {
  const anyDistribution = fc.oneof(
    fc
      .record({ medianUs: fc.integer({ min: 1, max: 60_000_000 }), sigma: fc.constantFrom('0.1', '0.3', '0.9', '1.2') })
      .map((options) => lognormal({ ...options, floorUs: Math.floor(options.medianUs / 3) })),
    fc.integer({ min: 0, max: 3_600_000_000 }).map((meanUs) => exponential({ meanUs })),
    fc.tuple(fc.nat(1_000_000), fc.nat(1_000_000_000)).map(([lowUs, spanUs]) => uniform(lowUs, lowUs + spanUs)),
  );

  it('any shape and seed: samples are whole numbers within the bounds', () => {
    fc.assert(
      fc.property(anyDistribution, fc.string(), (distribution, rootSeed) => {
        const site = new Choices({ rootSeed }).site('a');
        for (let count = 0; count < 100; count += 1) {
          const delayUs = sampleUs(distribution, site);
          expect(Number.isSafeInteger(delayUs)).toBe(true);
          expect(delayUs).toBeGreaterThanOrEqual(distribution.quantilesUs[0] ?? 0);
          expect(delayUs).toBeLessThanOrEqual(distribution.quantilesUs[255] ?? 0);
        }
      }),
    );
  });
});

describe('digest', () => {
  const anyWord = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.integer({ min: -3, max: 3 }));

  function digestOf(words: readonly number[]): string {
    const digest = new Digest();
    for (const word of words) digest.fold(word);
    return digest.value();
  }

  it('two sequences of words: equal digests exactly when equal', () => {
    const anyWords = fc.array(anyWord, { maxLength: 20 });
    fc.assert(
      fc.property(anyWords, anyWords, (a, b) => {
        const equal = a.length === b.length && a.every((word, index) => word === b[index]);
        expect(digestOf(a) === digestOf(b)).toBe(equal);
      }),
      { numRuns: 1_000 },
    );
  });

  it('two neighbours exchanged: another digest, unless they are equal', () => {
    fc.assert(
      fc.property(fc.array(anyWord, { minLength: 2, maxLength: 20 }), fc.nat(), (words, where) => {
        const index = where % (words.length - 1);
        const exchanged = words.with(index, words[index + 1] ?? 0).with(index + 1, words[index] ?? 0);
        expect(digestOf(exchanged) === digestOf(words)).toBe(words[index] === words[index + 1]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('one event that differs: lies in the bracket the ladders give, which is as narrow as a rung', () => {
    const anyLength = fc.integer({ min: 1, max: 20_000 });
    fc.assert(
      fc.property(anyLength, fc.nat(), (events, where) => {
        const changed = 1 + (where % events);
        const [a, b] = [new Digest(), new Digest()];
        for (let event = 1; event <= events; event += 1) {
          a.fold(event);
          b.fold(event === changed ? event + 1 : event);
          a.mark(event);
          b.mark(event);
        }
        const difference = firstDifference(a.rungs(), b.rungs()) ?? { sameUpTo: -1, differsAt: -1 };
        expect(difference.sameUpTo).toBeLessThan(changed);
        expect(difference.differsAt).toBeGreaterThanOrEqual(changed);
        expect(difference.differsAt - difference.sameUpTo).toBeLessThanOrEqual(Math.max(1, events / 64));
      }),
      { numRuns: 100 },
    );
  });
});
