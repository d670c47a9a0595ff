/**
 * Barrier alignment against a tiny model: random interleavings of what k channels deliver. Each channel delivers barriers with rising
 * ids, some left out; a channel that is blocked delivers nothing; markers and aborts come in between.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BarrierHandler } from '../../engine/barrier/barrier-handler.ts';
import { id } from '../support/engine-values.ts';

/** A step: the channel that may deliver next, how far its id rises, or an id to be given up. */
type Step =
  | { readonly kind: 'deliver'; readonly channel: number; readonly rise: number }
  | { readonly kind: 'give-up'; readonly ahead: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      channel: fc.nat(3),
      rise: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('give-up' as const), ahead: fc.integer({ min: -1, max: 1 }) }),
  },
);
const interleaving = fc.record({
  channels: fc.integer({ min: 1, max: 4 }),
  steps: fc.array(step, { maxLength: 60, size: 'max' }),
});
const RUNS = { numRuns: 250, seed: 20_191_212 };

/** What must be true of a handler, kept apart from how it does it. */
class Model {
  readonly delivered: number[];
  readonly #blocked: boolean[];
  /** Aligned id, 0 when none. */
  current = 0;
  /** Highest id that completed or was given up. */
  settled = 0;
  readonly completed: number[] = [];

  constructor(channels: number) {
    this.delivered = new Array<number>(channels).fill(0);
    this.#blocked = new Array<boolean>(channels).fill(false);
  }

  isBlocked(channel: number): boolean {
    return this.#blocked[channel] === true;
  }

  barrier(channel: number, n: number): void {
    this.delivered[channel] = n;
    if (n <= this.settled || n < this.current) return;
    if (n > this.current) this.#release();
    this.current = n;
    this.#blocked[channel] = true;
    if (this.#blocked.includes(false)) return;
    this.completed.push(n);
    this.giveUp(n);
  }

  giveUp(n: number): void {
    this.settled = Math.max(this.settled, n);
    if (this.current <= n) this.#release();
  }

  #release(): void {
    this.settled = Math.max(this.settled, this.current);
    this.current = 0;
    this.#blocked.fill(false);
  }
}

interface Run {
  readonly handler: BarrierHandler;
  readonly delivered: readonly number[];
  readonly completed: readonly number[];
}

function expectRisingAndOnce(completed: readonly number[]): void {
  expect(completed).toEqual([...new Set(completed)].sort((a, b) => a - b));
}

function runAligned(channels: number, steps: readonly Step[]): Run {
  const handler = new BarrierHandler(channels, true);
  const model = new Model(channels);
  const completed: number[] = [];
  for (const next of steps) {
    if (next.kind === 'give-up') {
      const n = Math.max(1, model.current + next.ahead);
      handler.cancelMarker(id(n));
      model.giveUp(n);
    } else {
      const channel = next.channel % channels;
      if (handler.isBlocked(channel)) continue;
      const n = (model.delivered[channel] ?? 0) + next.rise;
      const decision = handler.barrier(channel, id(n));
      model.barrier(channel, n);
      if (decision.kind === 'complete') completed.push(decision.checkpointId);
    }
    for (let channel = 0; channel < channels; channel += 1) {
      expect(handler.isBlocked(channel), `channel ${channel}`).toBe(model.isBlocked(channel));
    }
    expect(handler.aligning).toBe(model.current);
    expect(completed).toEqual(model.completed);
  }
  return { handler, delivered: model.delivered, completed };
}

test('B1: a channel is blocked if and only if it delivered the barrier of the id being aligned; ids complete once, rising', () => {
  fc.assert(
    fc.property(interleaving, ({ channels, steps }) => expectRisingAndOnce(runAligned(channels, steps).completed)),
    RUNS,
  );
});

test('B1: when all channels deliver n and nothing newer, n completes', () => {
  fc.assert(
    fc.property(interleaving, fc.infiniteStream(fc.nat(3)), ({ channels, steps }, order) => {
      const { handler, delivered } = runAligned(channels, steps);
      const n = Math.max(...delivered, handler.aligning) + 5;
      const open = new Set(Array.from({ length: channels }, (_, channel) => channel));
      // Blocked channels deliver only when the older alignment is cancelled by the first barrier of n on an open one.
      const first = [...open].find((channel) => !handler.isBlocked(channel)) ?? 0;
      let last = handler.barrier(first, id(n));
      open.delete(first);
      while (open.size > 0) {
        const channel = [...open][(order.next().value ?? 0) % open.size] ?? 0;
        expect(handler.isBlocked(channel)).toBe(false);
        last = handler.barrier(channel, id(n));
        open.delete(channel);
      }
      expect(last).toMatchObject({ kind: 'complete', checkpointId: n });
    }),
    RUNS,
  );
});

test('B4: at-least-once never blocks; an id completes when every channel delivered it, once, rising', () => {
  fc.assert(
    fc.property(interleaving, ({ channels, steps }) => {
      const handler = new BarrierHandler(channels, false);
      const delivered = new Array<number>(channels).fill(0);
      const seen = new Map<number, Set<number>>();
      const completed: number[] = [];
      let settled = 0;
      for (const next of steps) {
        if (next.kind === 'give-up') {
          const n = Math.max(1, settled + next.ahead);
          handler.giveUp(id(n));
          settled = Math.max(settled, n);
          continue;
        }
        const channel = next.channel % channels;
        const n = (delivered[channel] ?? 0) + next.rise;
        delivered[channel] = n;
        const channelsOfN = (seen.get(n) ?? new Set()).add(channel);
        seen.set(n, channelsOfN);
        const isDue = n > settled && channelsOfN.size === channels;
        const decision = handler.barrier(channel, id(n));
        expect(decision.kind === 'complete').toBe(isDue);
        if (isDue) {
          settled = n;
          completed.push(n);
        }
        for (let other = 0; other < channels; other += 1) expect(handler.isBlocked(other)).toBe(false);
      }
      expectRisingAndOnce(completed);
    }),
    RUNS,
  );
});
