import { describe, expect, it } from 'vitest';
import { DelayedCalls } from '../../../../engine/clients/delayed-calls.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

function bench() {
  const calls = new DelayedCalls();
  const called: string[] = [];
  const out = new RecordingOut((timer, nowUs, self) => calls.handleTimer(timer, nowUs, self), 0);
  const later = (delayUs: number, name: string, word = name): void =>
    calls.after(delayUs, name, out, (nowUs) => called.push(`${word} at ${nowUs}`));
  return { calls, called, out, later };
}

describe('delayed calls', () => {
  it('each is called once, at its time', () => {
    const { called, out, later } = bench();
    later(20, 'b');
    later(10, 'a');
    out.advance(50);
    expect(called).toEqual(['a at 10', 'b at 20']);
  });

  it('a second one of the same name replaces the first', () => {
    const { called, out, later } = bench();
    later(10, 'a', 'first');
    later(30, 'a', 'second');
    out.advance(50);
    expect(called).toEqual(['second at 30']);
  });

  it('a cancelled one is never called', () => {
    const { calls, called, out, later } = bench();
    later(10, 'a');
    later(10, 'b');
    calls.cancel('a', out);
    out.advance(50);
    expect(called).toEqual(['b at 10']);
  });

  it('cleared ones are never called, and no timer is left', () => {
    const { calls, called, out, later } = bench();
    later(10, 'a');
    later(20, 'b');
    calls.clear(out);
    expect(out.armedTimers).toEqual([]);
    expect(calls.handleTimer('after#a', out.nowUs, out)).toBe(false);
    expect(called).toEqual([]);
  });
});
