/** Unit tests of recording, replay, guidance and enumeration. */
import { describe, expect, it } from 'vitest';
import { Choices, TapeDivergence } from '../../../../sim/kernel/choice.ts';
import { Tape } from '../../../../sim/kernel/tape.ts';

function recordedTape(entries: readonly (readonly [string, number, number])[]): Tape {
  const tape = new Tape();
  for (const [site, options, value] of entries) tape.append({ site, options, value });
  return tape;
}

/** What a function throws. */
function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('recording', () => {
  it('real choices: are on the tape in order, a chance as one of two', () => {
    const choices = new Choices({ rootSeed: 's', mode: 'record' });
    const number = choices.site('number').choose(10);
    const coin = choices.site('coin').chance(1, 1_000);
    choices.site('number').choose(1);
    choices.site('coin').chance(0, 9);
    expect(choices.tape?.toJSON()).toEqual({
      siteNames: ['number', 'coin'],
      sites: [0, 1],
      options: [10, 2],
      values: [number, coin ? 1 : 0],
    });
  });

  it('generating: leaves no tape', () => {
    expect(new Choices({ rootSeed: 's' }).tape).toBeUndefined();
  });
});

describe('replay', () => {
  const tape = recordedTape([
    ['a', 10, 7],
    ['b', 2, 1],
  ]);
  const replay = (): Choices => new Choices({ rootSeed: 'another', tape, mode: 'replay' });

  it('the same questions: get the answers of the tape, whatever the seed', () => {
    const choices = replay();
    expect(choices.site('a').choose(10)).toBe(7);
    expect(choices.site('b').chance(1, 1_000_000)).toBe(true);
  });

  it('another site: diverges, with index and both sides', () => {
    const choices = replay();
    choices.site('a').choose(10);
    const error = thrownBy(() => choices.site('c').choose(2));
    expect(error).toBeInstanceOf(TapeDivergence);
    expect(error).toMatchObject({
      index: 1,
      taped: { site: 'b', options: 2, value: 1 },
      asked: { site: 'c', options: 2 },
      message: 'choice 1: the tape has b choosing of 2, the run asks c to choose of 2',
    });
  });

  it('another number of options: diverges', () => {
    expect(thrownBy(() => replay().site('a').choose(11))).toMatchObject({ index: 0, asked: { options: 11 } });
  });

  it('more questions than the tape has: diverges', () => {
    const choices = replay();
    choices.site('a').choose(10);
    choices.site('b').choose(2);
    expect(thrownBy(() => choices.site('a').choose(10))).toMatchObject({
      index: 2,
      taped: undefined,
      message: 'choice 2: the tape ends, the run asks a to choose of 10',
    });
  });

  it('no tape: is refused', () => {
    expect(() => new Choices({ rootSeed: 's', mode: 'replay' })).toThrow('a tape to follow');
  });
});

describe('guidance', () => {
  it('values: go to their own site in its own order, though sites ask in another order', () => {
    const tape = recordedTape([
      ['a', 10, 3],
      ['b', 10, 4],
      ['a', 10, 5],
    ]);
    const choices = new Choices({ rootSeed: 's', tape, mode: 'guided' });
    expect(choices.site('b').choose(10)).toBe(4);
    expect(choices.site('a').choose(10)).toBe(3);
    expect(choices.site('a').choose(10)).toBe(5);
    expect(choices.tape?.toJSON().values).toEqual([4, 3, 5]);
  });

  it('a value that does not fit: gives way to the own stream, and the next value is in step', () => {
    const tape = recordedTape([
      ['a', 1_000, 999],
      ['a', 1_000, 2],
    ]);
    const own = new Choices({ rootSeed: 's' }).site('a').choose(5);
    const site = new Choices({ rootSeed: 's', tape, mode: 'guided' }).site('a');
    expect(site.choose(5)).toBe(own);
    expect(site.choose(5)).toBe(2);
  });
});

describe('enumeration', () => {
  it('choices that depend on choices: every path is lived once, the boring one first', () => {
    const choices = new Choices({ rootSeed: 's', mode: 'enumerate' });
    const paths: string[] = [];
    do {
      const crash = choices.site('crash').chance(1, 100);
      const where = crash ? choices.site('where').choose(3) : choices.site('order').choose(2);
      paths.push(`${crash ? 'crash' : 'calm'} ${where}`);
    } while (choices.nextPath());
    expect(paths).toEqual(['calm 0', 'calm 1', 'crash 0', 'crash 1', 'crash 2']);
  });

  it('no choice at all: is one path', () => {
    expect(new Choices({ rootSeed: 's', mode: 'enumerate' }).nextPath()).toBe(false);
  });

  it('a run that does not repeat its prefix: is found out', () => {
    const choices = new Choices({ rootSeed: 's', mode: 'enumerate' });
    choices.site('a').choose(2);
    choices.nextPath();
    expect(() => choices.site('b').choose(2)).toThrow(TapeDivergence);
    const short = new Choices({ rootSeed: 's', mode: 'enumerate' });
    short.site('a').choose(2);
    short.nextPath();
    expect(() => short.nextPath()).toThrow('asks again for every choice');
  });

  it('other modes: have no next path', () => {
    const tape = new Tape();
    for (const mode of ['generate', 'record', 'replay', 'guided'] as const) {
      expect(new Choices({ rootSeed: 's', tape, mode }).nextPath()).toBe(false);
    }
  });
});
