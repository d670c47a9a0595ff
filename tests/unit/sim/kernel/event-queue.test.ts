/** Unit tests of the event queue; its order against a model is in tests/properties/kernel.test.ts. */
import { describe, expect, it } from 'vitest';
import { EventQueue, NEVER_US } from '../../../../sim/kernel/event-queue.ts';

function drained(queue: EventQueue<string>): string[] {
  const payloads: string[] = [];
  for (let payload = queue.pop(); payload !== undefined; payload = queue.pop()) payloads.push(payload);
  return payloads;
}

describe('event queue', () => {
  it('empty: pops nothing, peeks never, has no key yet', () => {
    const queue = new EventQueue<string>();
    expect(queue.pop()).toBeUndefined();
    expect(queue.peekAtUs()).toBe(NEVER_US);
    expect(queue.size).toBe(0);
    expect(queue.sequence).toBe(-1);
  });

  it('different times: the earliest comes first', () => {
    const queue = new EventQueue<string>();
    for (const atUs of [5, 3, 9, 1, 7, 0, 8, 2, 6, 4]) queue.push(atUs, `${atUs}`);
    expect(drained(queue).join('')).toBe('0123456789');
  });

  it('equal times: the order of pushing decides', () => {
    const queue = new EventQueue<string>();
    const names = Array.from({ length: 300 }, (_, index) => `event-${index}`);
    for (const name of names) queue.push(7, name);
    expect(drained(queue)).toEqual(names);
  });

  it('after a pop: the key of the popped event is told, peeking does not change it', () => {
    const queue = new EventQueue<string>();
    queue.push(20, 'late');
    queue.push(10, 'early');
    expect(queue.pop()).toBe('early');
    expect(queue.peekAtUs()).toBe(20);
    expect([queue.atUs, queue.sequence]).toEqual([10, 1]);
  });

  it('a push after a pop: may come first again', () => {
    const queue = new EventQueue<string>();
    queue.push(10, 'a');
    queue.push(30, 'c');
    expect(queue.pop()).toBe('a');
    queue.push(20, 'b');
    expect(queue.peekAtUs()).toBe(20);
    expect(drained(queue)).toEqual(['b', 'c']);
  });

  it('a cancelled event: never fires, and is counted until it leaves the heap', () => {
    const queue = new EventQueue<string>();
    queue.push(1, 'a');
    const handle = queue.push(2, 'b');
    queue.push(3, 'c');
    expect(queue.cancel(handle)).toBe(true);
    expect([queue.size, queue.cancelled]).toEqual([2, 1]);
    expect(drained(queue)).toEqual(['a', 'c']);
    expect([queue.size, queue.cancelled]).toEqual([0, 0]);
  });

  it('cancelling twice, or after firing: is refused', () => {
    const queue = new EventQueue<string>();
    const fired = queue.push(1, 'a');
    const cancelled = queue.push(2, 'b');
    queue.pop();
    expect(queue.cancel(fired)).toBe(false);
    expect(queue.cancel(cancelled)).toBe(true);
    expect(queue.cancel(cancelled)).toBe(false);
  });

  it('an old handle: does not cancel the event that reuses its slot', () => {
    const queue = new EventQueue<string>();
    const handles = new Set<number>();
    for (let round = 0; round < 1_000; round += 1) {
      const handle = queue.push(round, 'x');
      for (const old of handles) expect(queue.cancel(old)).toBe(false);
      if (handles.size === 10) handles.clear();
      handles.add(handle);
      expect(queue.pop()).toBe('x');
    }
  });

  it('a handle never given: cancels nothing', () => {
    const queue = new EventQueue<string>();
    const handle = queue.push(1, 'a');
    for (const wrong of [0, -1, 1, handle + 1, handle * 2, Number.NaN]) expect(queue.cancel(wrong)).toBe(false);
    expect(handle).not.toBe(0);
    expect(queue.size).toBe(1);
  });

  it('timers set and cancelled a million times: the heap stays small', () => {
    const queue = new EventQueue<string>();
    let most = 0;
    let cancelled = 0;
    for (let round = 0; round < 1_000_000; round += 1) {
      if (queue.cancel(queue.push(1_000_000 + round, 'timeout'))) cancelled += 1;
      most = Math.max(most, queue.cancelled);
    }
    expect(cancelled).toBe(1_000_000);
    expect(most).toBeLessThanOrEqual(64);
    expect(queue.pop()).toBeUndefined();
  });

  it('a sweep of tombstones: keeps the live events in order', () => {
    const queue = new EventQueue<string>();
    const expected: string[] = [];
    for (let index = 0; index < 1_000; index += 1) {
      const atUs = (index * 7_919) % 1_009;
      const handle = queue.push(atUs, `${atUs}`);
      if (index % 5 === 0) expected.push(`${atUs}`);
      else queue.cancel(handle);
    }
    expect(queue.size).toBe(200);
    expect(drained(queue)).toEqual(expected.sort((a, b) => Number(a) - Number(b)));
  });

  it.each([-1, 0.5, Number.NaN, NEVER_US, Number.POSITIVE_INFINITY])('a time of %d: is refused', (atUs) => {
    expect(() => new EventQueue<string>().push(atUs, 'a')).toThrow('the time of an event is');
  });
});
