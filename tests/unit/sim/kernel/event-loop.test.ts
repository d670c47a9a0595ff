/** Unit tests of the event loop. */
import { describe, expect, it } from 'vitest';
import { EventLoop } from '../../../../sim/kernel/event-loop.ts';

const LIMITS = { maxEvents: 1_000, maxVirtualUs: 1_000_000, maxQueueLength: 100 };
const never = (): boolean => false;

describe('event loop', () => {
  it('nothing scheduled: is empty at once', () => {
    const loop = new EventLoop<string>();
    expect(loop.run(() => undefined, never)).toBe('empty');
    expect([loop.nowUs, loop.events]).toEqual([0, 0]);
  });

  it('events: fire in order, each at its time', () => {
    const loop = new EventLoop<string>();
    const fired: string[] = [];
    loop.schedule(300, 'c');
    loop.schedule(100, 'a');
    loop.schedule(100, 'b');
    const dispatch = (name: string): void => {
      fired.push(`${name}@${loop.nowUs}#${loop.events}`);
      if (name === 'a') loop.scheduleIn(50, 'a2');
      if (name === 'b') loop.scheduleIn(0, 'b2');
    };
    expect(loop.run(dispatch, never)).toBe('empty');
    expect(fired).toEqual(['a@100#1', 'b@100#2', 'b2@100#3', 'a2@150#4', 'c@300#5']);
  });

  it('a stop condition: is asked before each event, and the run can go on', () => {
    const loop = new EventLoop<number>();
    const fired: number[] = [];
    for (const atUs of [1, 2, 3]) loop.schedule(atUs, atUs);
    expect(
      loop.run(
        (value) => fired.push(value),
        () => fired.length === 2,
      ),
    ).toBe('stopped');
    expect([fired, loop.pending]).toEqual([[1, 2], 1]);
    expect(loop.run((value) => fired.push(value), never)).toBe('empty');
    expect(fired).toEqual([1, 2, 3]);
  });

  it('a cancelled event: does not fire', () => {
    const loop = new EventLoop<string>();
    const fired: string[] = [];
    const handle = loop.schedule(5, 'timeout');
    loop.schedule(1, 'answer');
    loop.run((name) => {
      fired.push(name);
      expect(loop.cancel(handle)).toBe(true);
    }, never);
    expect(fired).toEqual(['answer']);
    expect(loop.nowUs).toBe(1);
  });

  it('the past: can not be scheduled', () => {
    const loop = new EventLoop<string>();
    loop.schedule(10, 'a');
    loop.run(() => undefined, never);
    expect(() => loop.schedule(9, 'b')).toThrow('now or later');
    expect(() => loop.scheduleIn(-1, 'b')).toThrow('now or later');
    expect(() => loop.schedule(Number.NaN, 'b')).toThrow('the time of an event is');
    expect(loop.schedule(10, 'b')).not.toBe(0);
  });

  it('a livelock: ends at the limit of events', () => {
    const loop = new EventLoop<string>({ limits: LIMITS });
    loop.schedule(0, 'again');
    expect(loop.run((name) => loop.scheduleIn(0, name), never)).toBe('limit-events');
    expect(loop.events).toBe(1_000);
  });

  it('an event beyond the limit of time: is not dispatched and not lost', () => {
    const loop = new EventLoop<string>({ limits: LIMITS });
    loop.schedule(1_000_000, 'at');
    loop.schedule(1_000_001, 'beyond');
    expect(loop.run(() => undefined, never)).toBe('limit-virtual-time');
    expect([loop.nowUs, loop.events, loop.pending]).toEqual([1_000_000, 1, 1]);
  });

  it('a flood: ends at the limit of the queue', () => {
    const loop = new EventLoop<string>({ limits: LIMITS });
    loop.schedule(0, 'twice');
    const twice = (name: string): void => {
      loop.scheduleIn(1, name);
      loop.scheduleIn(1, name);
    };
    expect(loop.run(twice, never)).toBe('limit-queue-length');
    expect(loop.pending).toBe(101);
  });

  it('the digest: tells time, order and what the handler folds', () => {
    const digestOf = (times: readonly number[], word: number): string => {
      const loop = new EventLoop<number>();
      for (const atUs of times) loop.schedule(atUs, atUs);
      loop.run(() => loop.digest.fold(word), never);
      return loop.digest.value();
    };
    expect(digestOf([1, 2], 0)).toBe(digestOf([1, 2], 0));
    const variants = [digestOf([1, 2], 0), digestOf([2, 1], 0), digestOf([1, 3], 0), digestOf([1, 2], 1)];
    expect(new Set(variants).size).toBe(variants.length);
  });

  it('the ladder: is marked once for each event', () => {
    const loop = new EventLoop<number>();
    for (let index = 0; index < 100; index += 1) loop.schedule(index, index);
    loop.run(() => undefined, never);
    expect(loop.digest.rungs().map((rung) => rung.event)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  it('a handler that throws: leaves its event counted and the rest scheduled', () => {
    const loop = new EventLoop<string>();
    loop.schedule(1, 'bad');
    loop.schedule(2, 'good');
    const dispatch = (name: string): void => {
      if (name === 'bad') throw new Error('finding');
    };
    expect(() => loop.run(dispatch, never)).toThrow('finding');
    expect([loop.events, loop.nowUs, loop.pending]).toEqual([1, 1, 1]);
    expect(loop.run(dispatch, never)).toBe('empty');
  });
});
