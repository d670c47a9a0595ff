import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import type { CoordinationRequest } from '../../../../engine/protocol/messages.ts';
import { constant, uniform } from '../../../../sim/kernel/distribution.ts';
import {
  CoordinationDisk,
  CoordinationStore,
  type VersionedValue,
} from '../../../../sim/services/coordination-store.ts';
import type { ServiceEffect } from '../../../../sim/services/service-conditions.ts';
import { CLIENT, ServiceHarness } from './service-harness.ts';

function bench(
  latency = constant(100),
  seed = 'harness',
): { harness: ServiceHarness; disk: CoordinationDisk; restart: () => void } {
  const harness = new ServiceHarness(seed);
  const disk = new CoordinationDisk();
  const restart = (): void =>
    harness.start(
      new CoordinationStore({
        disk,
        latency,
        conditions: harness.conditions,
        latencySite: harness.choices.site('latency'),
        conditionSite: harness.choices.site('condition'),
      }),
    );
  restart();
  return { harness, disk, restart };
}

const get = (requestId: number, key: string): CoordinationRequest => ({ kind: 'coordination-get', requestId, key });
const set = (requestId: number, expectedVersion: number, value: string): CoordinationRequest => ({
  kind: 'coordination-compare-and-set',
  requestId,
  key: 'k',
  expectedVersion,
  value,
});

test('coordination store: version 0 creates, each change raises the version by one', () => {
  const { harness, disk } = bench();
  expect(harness.ask(get(1, 'k'))).toMatchObject([{ outcome: 'done', version: 0, value: '' }]);
  expect(harness.ask(set(2, 0, 'a'))).toMatchObject([{ outcome: 'done', version: 1, value: 'a' }]);
  expect(harness.ask(set(3, 1, 'b'))).toMatchObject([{ requestId: 3, outcome: 'done', version: 2, value: 'b' }]);
  expect(harness.events).toEqual([
    { kind: 'coordination-updated', key: 'k', version: 1, value: 'a', by: CLIENT },
    { kind: 'coordination-updated', key: 'k', version: 2, value: 'b', by: CLIENT },
  ]);
  expect(disk.coordination('k')).toBe('b');
  expect(disk.coordination('other')).toBeUndefined();
});

test('coordination store: a late or doubled compare-and-set conflicts and shows the current value', () => {
  const { harness } = bench();
  harness.receive(set(1, 0, 'a'));
  harness.receive(set(1, 0, 'a'));
  harness.runFor(1_000);
  expect(harness.sent.map(({ message }) => message)).toMatchObject([
    { outcome: 'done', version: 1 },
    { outcome: 'conflict', version: 1, value: 'a' },
  ]);
  expect(harness.events).toHaveLength(1);
});

test('coordination store: under unknown-outcome the value changes and nobody is told', () => {
  const { harness, disk } = bench();
  harness.affect('f1', 'unknown-outcome');
  expect(harness.ask(set(1, 0, 'a'))).toEqual([]);
  expect(disk.coordination('k')).toBe('a');
});

test.each(['fail', 'unavailable'] as const)('coordination store: %s answers failed and changes nothing', (effect) => {
  const { harness, disk } = bench();
  harness.affect('f1', effect);
  const failed = { kind: 'coordination-reply', requestId: 1, outcome: 'failed', key: 'k', version: 0, value: '' };
  expect(harness.ask(set(1, 0, 'a'))).toEqual([failed]);
  expect(harness.sent[0]?.atUs).toBe(effect === 'fail' ? 100 : 0);
  expect(disk.coordination('k')).toBeUndefined();
});

test('coordination store: a restart keeps versions and forgets requests in progress', () => {
  const { harness, restart } = bench();
  harness.ask(set(1, 0, 'a'));
  harness.receive(set(2, 1, 'b'));
  restart();
  expect(harness.ask(set(3, 1, 'c'))).toMatchObject([{ requestId: 3, outcome: 'done', version: 2, value: 'c' }]);
});

/* Linearizability. The updates, in order, give the value after each version; each request must be explained by one instant
   between its start and its reply. */

interface Operation {
  readonly waitUs: number;
  readonly client: number;
  readonly expectedVersion: number | 'read';
}

const operation: fc.Arbitrary<Operation> = fc.record({
  waitUs: fc.integer({ min: 0, max: 150 }),
  client: fc.integer({ min: 0, max: 3 }),
  expectedVersion: fc.oneof(fc.constant('read' as const), fc.integer({ min: 0, max: 6 })),
});
const EFFECTS: readonly ServiceEffect[] = ['slow', 'unavailable', 'fail', 'unknown-outcome'];

/** When each version became current; the version is the index. */
interface Era extends VersionedValue {
  readonly fromUs: number;
  readonly by: string;
}

/** Replays the operations and notes the eras as the store reports them. */
function live(operations: readonly Operation[], effects: readonly ServiceEffect[], seed: string) {
  const { harness } = bench(uniform(10, 400), seed);
  for (const effect of effects) {
    harness.conditions.apply(effect, { effect, factor: 3, chance: { numerator: 1, denominator: 4 } });
  }
  const eras: Era[] = [{ version: 0, value: '', fromUs: 0, by: '' }];
  const startedUs: number[] = [];
  const note = (): void => {
    for (const { version, value, by } of harness.eventsOf('coordination-updated').slice(eras.length - 1)) {
      eras.push({ version, value, by, fromUs: harness.nowUs });
    }
  };
  const tick = (us: number): void => {
    for (let passed = 0; passed < us; passed += 1) {
      harness.runFor(1);
      note();
    }
  };
  operations.forEach(({ waitUs, client, expectedVersion }, requestId) => {
    tick(waitUs);
    startedUs.push(harness.nowUs);
    const request = expectedVersion === 'read' ? get(requestId, 'k') : set(requestId, expectedVersion, `v${requestId}`);
    harness.receive(request, nodeId(`c${client}`));
  });
  tick(1_300);
  return { harness, eras, startedUs };
}

test('coordination store: every history is linearizable, whatever fails', () => {
  let updates = 0;
  let conflicts = 0;
  fc.assert(
    fc.property(
      fc.array(operation, { minLength: 1, maxLength: 25 }),
      fc.subarray([...EFFECTS]),
      fc.string({ maxLength: 4 }),
      (operations, effects, seed) => {
        const { harness, eras, startedUs } = live(operations, effects, seed);
        expect(eras.map(({ version }) => version)).toEqual([...eras.keys()]);
        updates += eras.length - 1;
        /* No value is written twice: unknown outcomes included, each request took effect at most once. */
        expect(new Set(eras.map(({ value }) => value)).size).toBe(eras.length);
        for (const { version, value, by } of eras.slice(1)) {
          const asked = operations[Number(value.slice(1))];
          expect(asked?.expectedVersion).toBe(version - 1);
          expect(by).toBe(`c${asked?.client}`);
        }
        for (const { message, atUs } of harness.sent) {
          if (message.kind !== 'coordination-reply') throw new Error('a coordination store sends replies only');
          const { requestId, outcome, version, value } = message;
          const own = eras.find((era) => era.value === `v${requestId}`);
          if (outcome === 'failed') {
            expect(own).toBeUndefined();
            continue;
          }
          const era = eras[version];
          const nextFromUs = eras[version + 1]?.fromUs ?? Number.POSITIVE_INFINITY;
          expect(era?.value).toBe(value);
          expect(era?.fromUs).toBeLessThanOrEqual(atUs);
          expect(nextFromUs).toBeGreaterThanOrEqual(startedUs[requestId] ?? 0);
          const expected = operations[requestId]?.expectedVersion;
          if (outcome === 'conflict') {
            conflicts += 1;
            expect(own).toBeUndefined();
            expect(expected).not.toBe(version);
          } else if (expected !== 'read') {
            expect(own).toBe(era);
            expect(era?.fromUs).toBeGreaterThanOrEqual(startedUs[requestId] ?? 0);
          }
        }
      },
    ),
    { numRuns: 100, seed: 20 },
  );
  expect(updates).toBeGreaterThan(20);
  expect(conflicts).toBeGreaterThan(20);
});
