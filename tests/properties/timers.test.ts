/**
 * Timers against a plain model: any order of registering, deleting and advancing, with snapshots, restores and rescales in between (S11,
 * S8; the timer half of row X17, TimersSavepointITCase).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InternalTimerService } from '../../engine/event-time/internal-timer-service.ts';
import { keyGroupOf, keyGroupRangeOf } from '../../engine/job/key-groups.ts';
import { fromCanonical, toCanonical } from '../../engine/state/canonical-savepoint.ts';
import type { KeyedStateBackend } from '../../engine/state/keyed-state-backend.ts';
import type { InternalTimer } from '../../engine/state/timer-queue.ts';
import { Types } from '../../engine/state/type-information.ts';
import { BACKENDS, type TestedBackend } from '../support/state-backends.ts';

const MAX_PARALLELISM = 8;

interface Subtask {
  readonly backend: KeyedStateBackend;
  readonly timers: InternalTimerService;
  readonly clock: { nowUs: number };
}

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('register', 'delete'),
      domain: fc.constantFrom('event', 'processing'),
      key: fc.nat(11),
      at: fc.nat(30),
      namespace: fc.constantFrom('', 'a', 'b'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('advance'),
      domain: fc.constantFrom('event', 'processing'),
      to: fc.nat(30),
      slice: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restore'),
      parallelism: fc.integer({ min: 1, max: 4 }),
      canonical: fc.boolean(),
    }),
  },
);

function deployed(
  tested: TestedBackend,
  { parallelism, files, fired }: { parallelism: number; files: readonly Uint8Array[]; fired: string[] },
): Subtask[] {
  return Array.from({ length: parallelism }, (_, subtask) => {
    const keyGroups = keyGroupRangeOf(subtask, parallelism, MAX_PARALLELISM);
    const backend = tested.create({
      keySerializer: Types.string,
      keyGroups,
      maxParallelism: MAX_PARALLELISM,
    });
    for (const bytes of files) backend.restore(bytes);
    const clock = { nowUs: -1 };
    const fire = (domain: string) => (timer: InternalTimer) => {
      expect(backend.currentKey).toBe(timer.key);
      fired.push(textOf(domain, String(timer.key), timer.namespace, timer.timestampUs));
    };
    const target = { onEventTime: fire('event'), onProcessingTime: fire('processing') };
    return { backend, clock, timers: new InternalTimerService({ name: 'test', uid: 'op', backend, target, clock }) };
  });
}

const textOf = (domain: string, key: string, namespace: string, at: number): string =>
  `${String(at).padStart(3, '0')}/${domain}/${key}/${namespace}`;

describe.each(BACKENDS)('timers against a model: $name', (tested) => {
  it('S11: each fires once, in order of time, whatever is registered, deleted, snapshotted, restored and rescaled', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const fired: string[] = [];
        let subtasks = deployed(tested, { parallelism: 2, files: [], fired });
        const model = new Set<string>();
        for (const action of steps) {
          if (action.do === 'restore') {
            const { parallelism, canonical } = action as { parallelism: number; canonical: boolean };
            const files = subtasks.map(({ backend }) => {
              const bytes = backend.snapshot().write();
              return canonical ? fromCanonical(toCanonical(bytes)) : bytes;
            });
            subtasks = deployed(tested, { parallelism, files, fired });
          } else if (action.do === 'advance') {
            const { domain, to, slice } = action as { domain: string; to: number; slice: number };
            advance(subtasks, domain, to, slice);
            const due = [...model].filter((text) => text.split('/')[1] === domain && Number(text.split('/')[0]) <= to);
            for (const text of due) model.delete(text);
            expect([...fired].sort()).toEqual(due.sort());
            fired.length = 0;
          } else {
            const { domain, key, at, namespace } = action as {
              domain: string;
              key: number;
              at: number;
              namespace: string;
            };
            const name = `key-${String(key)}`;
            const owner = subtasks.find(({ backend }) => owns(backend, name));
            owner?.backend.setCurrentKey(name);
            const text = textOf(domain, name, namespace, at);
            const method = METHODS[`${action.do}/${domain}`];
            if (owner !== undefined && method !== undefined) owner.timers[method](namespace, at);
            if (action.do === 'register') model.add(text);
            else model.delete(text);
          }
        }
      }),
      { seed: 4, numRuns: 80 },
    );
  });
});

const METHODS: Record<
  string,
  'registerEventTimeTimer' | 'deleteEventTimeTimer' | 'registerProcessingTimeTimer' | 'deleteProcessingTimeTimer'
> = {
  'register/event': 'registerEventTimeTimer',
  'delete/event': 'deleteEventTimeTimer',
  'register/processing': 'registerProcessingTimeTimer',
  'delete/processing': 'deleteProcessingTimeTimer',
};

/** Of the subtask that has its key group; found by asking, as there is no other way in. */
function owns(backend: KeyedStateBackend, key: string): boolean {
  try {
    backend.setCurrentKey(key);
    return true;
  } catch {
    expect(keyGroupOf(key, MAX_PARALLELISM)).toBeGreaterThanOrEqual(0);
    return false;
  }
}

/** In slices (B21): each asks for a few timers only. */
function advance(subtasks: readonly Subtask[], domain: string, to: number, slice: number): void {
  for (const { timers, clock } of subtasks) {
    for (let isDone = false; !isDone; ) {
      let left = slice;
      const mayFire = (): boolean => {
        left -= 1;
        return left >= 0;
      };
      clock.nowUs = to;
      isDone =
        domain === 'event' ? timers.advanceWatermark(to, mayFire) === 'passed' : timers.onProcessingTime(mayFire);
    }
  }
}
