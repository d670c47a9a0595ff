/** Unit tests of the choice tape. */
import { describe, expect, it } from 'vitest';
import { MAX_OPTIONS, Tape } from '../../../../sim/kernel/tape.ts';

describe('tape', () => {
  it('entries: are read as they were written, the widest included', () => {
    const tape = new Tape();
    tape.append({ site: 'net', options: 2, value: 1 });
    tape.append({ site: 'disk', options: MAX_OPTIONS, value: MAX_OPTIONS - 1 });
    expect(tape.length).toBe(2);
    expect(tape.at(0)).toEqual({ site: 'net', options: 2, value: 1 });
    expect(tape.at(1)).toEqual({ site: 'disk', options: MAX_OPTIONS, value: MAX_OPTIONS - 1 });
  });

  it('an index outside: has no entry', () => {
    const tape = new Tape();
    expect(tape.at(0)).toBeUndefined();
    expect(tape.at(-1)).toBeUndefined();
  });

  it('a long tape: survives growth and a JSON round trip', () => {
    const tape = new Tape();
    for (let index = 0; index < 1_000; index += 1) {
      tape.append({ site: `site-${index % 7}`, options: index + 1, value: index });
    }
    const copy = Tape.fromJSON(JSON.parse(JSON.stringify(tape)));
    expect(copy.toJSON()).toEqual(tape.toJSON());
    expect(copy.at(999)).toEqual({ site: 'site-5', options: 1_000, value: 999 });
    expect(tape.toJSON().siteNames).toHaveLength(7);
  });

  it('truncation: forgets the rest', () => {
    const tape = new Tape();
    for (const value of [0, 1, 2]) tape.append({ site: 's', options: 3, value });
    tape.truncate(1);
    expect(tape.toJSON().values).toEqual([0]);
    expect(() => tape.truncate(2)).toThrow('within its length');
  });

  it.each([
    { options: 0, value: 0 },
    { options: MAX_OPTIONS + 1, value: 0 },
    { options: 2, value: 2 },
    { options: 2, value: -1 },
    { options: 2, value: 0.5 },
  ])('a choice of $value among $options: is refused', ({ options, value }) => {
    expect(() => new Tape().append({ site: 's', options, value })).toThrow('a choice');
  });

  it('damaged JSON: is refused', () => {
    const whole = { siteNames: ['s'], sites: [0], options: [2], values: [1] };
    expect(() => Tape.fromJSON({ ...whole, sites: [1] })).toThrow('names a known site');
    expect(() => Tape.fromJSON({ ...whole, sites: [] })).toThrow('equally long');
    expect(() => Tape.fromJSON({ ...whole, values: [2] })).toThrow('one of its options');
  });
});
