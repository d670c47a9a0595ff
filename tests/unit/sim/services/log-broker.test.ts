import fc from 'fast-check';
import { expect, test } from 'vitest';
import { leaderEpoch, type MailboxId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { LogFetch, LogMark } from '../../../../engine/protocol/messages.ts';
import type { StartPosition } from '../../../../engine/protocol/start-position.ts';
import type { TopicPlan } from '../../../../sim/plan.ts';
import { LogBroker } from '../../../../sim/services/log-broker.ts';
import { LogContent, partitionsOf, sourceIndexBase } from '../../../../sim/services/log-content.ts';
import { CLIENT, CLIENT_MAILBOX, ServiceHarness } from './service-harness.ts';

const count = (length: number): number[] => Array.from({ length }, (_, index) => index);
const dataset = (name: string, records: number) => ({
  name,
  values: count(records).map((index) => `${name}${index}`),
  timestampsUs: count(records).map((index) => index * 7),
});
const DATASETS = new Map([dataset('a', 100), dataset('b', 100)].map((set) => [set.name, set]));

const topic = (changes: Partial<TopicPlan> = {}): TopicPlan => ({
  name: 'a',
  dataset: 'a',
  records: 10,
  partitions: 2,
  startUs: 1_000,
  ratePerSecond: 1_000,
  bounded: false,
  ...changes,
});

function bench(
  topics: readonly TopicPlan[],
  minRecords = 1,
): { harness: ServiceHarness; content: LogContent; restart: () => void } {
  const harness = new ServiceHarness();
  const content = new LogContent(topics, DATASETS);
  const { conditions } = harness;
  const conditionSite = harness.choices.site('condition');
  const restart = (): void => harness.start(new LogBroker({ content, minRecords, conditions, conditionSite }));
  restart();
  return { harness, content, restart };
}

const fetch = (changes: Partial<LogFetch> = {}): LogFetch => ({
  kind: 'log-fetch',
  requestId: 1,
  partition: 0,
  offset: 0,
  maxRecords: 3,
  maxWaitUs: micros(10_000),
  ...changes,
});

const TWO_TOPICS = [topic({ records: 5 }), topic({ name: 'b', dataset: 'b', records: 4, partitions: 3 })];

test('log content: partitions and source indices of the topics follow each other', () => {
  expect([...partitionsOf(TWO_TOPICS)]).toEqual([
    ['a', [0, 1]],
    ['b', [2, 3, 4]],
  ]);
  expect([...sourceIndexBase(TWO_TOPICS)]).toEqual([
    ['a', 0],
    ['b', 5],
  ]);
  const content = new LogContent(TWO_TOPICS, DATASETS);
  expect(content.totalRecords).toBe(9);
  expect(count(5).map((partition) => content.lengthOf(partition))).toEqual([3, 2, 2, 1, 1]);
  expect(content.slice({ partition: 2, offset: 0 }, 5)).toEqual({
    values: ['b0', 'b3'],
    timestampsUs: [0, 21],
    sourceIndices: [5, 8],
  });
  expect(content.sourceIndexAt({ partition: 2, offset: 1 })).toBe(8);
});

test('log content: an empty topic takes no source index', () => {
  const content = new LogContent([topic({ records: 0 }), topic({ name: 'b', dataset: 'b', records: 2 })], DATASETS);
  expect(content.sourceIndexAt({ partition: 2, offset: 0 })).toBe(0);
  expect(content.readableRecords(0, 1_000_000)).toBe(0);
});

test('log content: readable counts agree with the time of each record to the microsecond', () => {
  fc.assert(
    fc.property(
      fc.record({
        records: fc.integer({ min: 1, max: 60 }),
        partitions: fc.integer({ min: 1, max: 7 }),
        startUs: fc.integer({ min: 0, max: 5_000 }),
        ratePerSecond: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3_000_000 }), fc.constant(0.3)),
      }),
      fc.integer({ min: 0, max: 59 }),
      (changes, picked) => {
        const content = new LogContent([topic({ name: 'b', dataset: 'b', records: 3 }), topic(changes)], DATASETS);
        const sourceIndex = 3 + (picked % changes.records);
        const partition = 2 + ((picked % changes.records) % changes.partitions);
        const offset = Math.floor((picked % changes.records) / changes.partitions);
        expect(content.slice({ partition, offset }, 1).sourceIndices).toEqual([sourceIndex]);
        expect(content.sourceIndexAt({ partition, offset })).toBe(sourceIndex);
        const atUs = content.readableAtUs(sourceIndex);
        expect(content.readableRecords(partition, atUs)).toBeGreaterThan(offset);
        expect(content.readableRecords(partition, atUs - 1)).toBeLessThanOrEqual(offset);
      },
    ),
    { numRuns: 300, seed: 21 },
  );
});

test('log broker: a fetch that finds records is answered at once, up to its maximum', () => {
  const { harness } = bench([topic({ ratePerSecond: 0 })]);
  harness.runUntil(1_000);
  harness.receive(fetch({ offset: 1 }));
  expect(harness.sent).toEqual([
    {
      atUs: 1_000,
      to: { node: CLIENT, mailbox: CLIENT_MAILBOX, via: 'datagram' },
      message: {
        kind: 'log-records',
        requestId: 1,
        outcome: 'done',
        partition: 0,
        offset: 1,
        values: ['a2', 'a4', 'a6'],
        timestampsUs: [14, 28, 42],
        sourceIndices: [2, 4, 6],
        behind: 1,
        ended: false,
      },
    },
  ]);
});

test('log broker: a fetch that finds nothing is held until its maximum is readable', () => {
  const { harness } = bench([topic()]);
  harness.receive(fetch());
  harness.runFor(60_000);
  /* Record 4 is the third of partition 0. */
  expect(harness.sent).toMatchObject([{ atUs: 5_000, message: { values: ['a0', 'a2', 'a4'] } }]);
});

test('log broker: a held fetch is answered at its deadline with what is there', () => {
  const { harness } = bench([topic()]);
  harness.receive(fetch({ maxRecords: 100, maxWaitUs: micros(3_500) }));
  harness.receive(fetch({ partition: 1, maxWaitUs: micros(500) }));
  harness.runFor(60_000);
  expect(harness.sent).toMatchObject([
    { atUs: 500, message: { partition: 1, outcome: 'done', values: [] } },
    { atUs: 3_500, message: { partition: 0, values: ['a0', 'a2'] } },
  ]);
});

test('log broker: with a minimum, a fetch that finds fewer is held, but not for records that never come', () => {
  const { harness } = bench([topic()], 3);
  harness.runUntil(3_000);
  harness.receive(fetch({ maxRecords: 4 }));
  harness.runUntil(9_000);
  harness.receive(fetch({ offset: 4 }));
  expect(harness.sent).toMatchObject([
    { atUs: 7_000, message: { values: ['a0', 'a2', 'a4', 'a6'] } },
    { atUs: 9_000, message: { values: ['a8'] } },
  ]);
});

test('log broker: beyond the end of the partition a fetch is held longer, five seconds at most', () => {
  const { harness } = bench([topic()]);
  harness.receive(fetch({ offset: 5 }));
  harness.receive(fetch({ partition: 1, offset: 5, maxWaitUs: micros(1_000_000) }));
  harness.runFor(10_000_000);
  expect(harness.sent).toMatchObject([
    { atUs: 80_000, message: { partition: 0, values: [] } },
    { atUs: 5_000_000, message: { partition: 1, values: [] } },
  ]);
});

test('log broker: a newer fetch of the same reader replaces the held one, other readers keep theirs', () => {
  const { harness } = bench([topic()]);
  harness.receive(fetch({ requestId: 1, maxWaitUs: micros(100) }));
  harness.receive(fetch({ requestId: 1, maxWaitUs: micros(100) }), CLIENT, 9 as MailboxId);
  harness.receive(fetch({ requestId: 2, maxWaitUs: micros(200) }));
  expect(harness.armedTimers).toBe(2);
  harness.runFor(60_000);
  expect(harness.sent).toMatchObject([
    { atUs: 100, to: { mailbox: 9 }, message: { requestId: 1 } },
    { atUs: 200, to: { mailbox: CLIENT_MAILBOX }, message: { requestId: 2 } },
  ]);
});

test('log broker: the same offset can be read again and again', () => {
  const { harness } = bench([topic({ ratePerSecond: 0 })]);
  harness.runUntil(1_000);
  expect(harness.ask(fetch())).toEqual(harness.ask(fetch()));
});

test.each(['unavailable', 'fail'] as const)('log broker: %s refuses at once, without records', (effect) => {
  const { harness } = bench([topic({ ratePerSecond: 0 })]);
  harness.runUntil(1_000);
  harness.affect('f1', effect);
  harness.receive(fetch());
  expect(harness.sent).toMatchObject([{ atUs: 1_000, message: { requestId: 1, outcome: 'unavailable', values: [] } }]);
});

test('log broker: under unknown-outcome there is no reply, under slow a late one', () => {
  const { harness } = bench([topic({ ratePerSecond: 0 })]);
  harness.runUntil(1_000);
  harness.affect('f1', 'unknown-outcome');
  expect(harness.ask(fetch(), 9_000_000)).toEqual([]);
  harness.conditions.lift('f1');
  harness.affect('f2', 'slow', 3);
  const askedUs = harness.nowUs;
  harness.ask(fetch(), 1_000_000);
  expect(harness.sent).toMatchObject([{ atUs: askedUs + 30_000, message: { values: ['a0', 'a2', 'a4'] } }]);
  expect(harness.effective).toEqual(['f1', 'f2']);
});

test('log broker: a slow one is late with places and markers, too, and finds what is there by then', () => {
  const { harness } = bench([topic()]);
  harness.runUntil(1_000);
  harness.affect('f1', 'slow', 3);
  const list = { kind: 'log-list-offsets', requestId: 1, group: 'g', topic: 'a', at: 'latest' } as const;
  const epoch = leaderEpoch(1);
  const what = { kind: 'log-mark', requestId: 2, group: 'g', sequence: 1, takesBack: false } as const;
  const mark: LogMark = { ...what, epoch, partitions: [0, 1], checkpointId: 3 };
  harness.receive(list);
  harness.receive(mark);
  harness.conditions.lift('f1');
  harness.runFor(1_000_000);
  expect(harness.sent).toMatchObject([
    { atUs: 31_000, message: { kind: 'log-offsets', outcome: 'done', offsets: [5, 5] } },
    { atUs: 31_000, message: { kind: 'log-marked', outcome: 'done', offsets: [5, 5] } },
  ]);
  expect(harness.effective).toEqual(['f1', 'f1']);
});

test('log broker: what is refused, or not answered at all, was not slowed', () => {
  for (const effect of ['unavailable', 'fail', 'unknown-outcome'] as const) {
    const { harness } = bench([topic()]);
    harness.affect('f1', 'slow', 3);
    harness.affect('f2', effect);
    harness.receive(fetch());
    expect(harness.effective).toEqual(['f2']);
  }
});

test('log broker: a restart forgets held fetches and keeps the log', () => {
  const { harness, restart } = bench([topic()]);
  harness.receive(fetch());
  restart();
  harness.runFor(60_000);
  expect(harness.sent).toEqual([]);
  expect(harness.ask(fetch({ requestId: 2 }))).toMatchObject([{ requestId: 2, values: ['a0', 'a2', 'a4'] }]);
});

test('log broker: a position that is not in the log is refused and reported', () => {
  const { harness } = bench([topic()]);
  for (const wrong of [{ partition: 2 }, { partition: -1 }, { offset: -1 }]) {
    expect(harness.ask(fetch(wrong))).toMatchObject([{ outcome: 'unavailable' }]);
  }
  expect(harness.eventsOf('message-discarded')).toHaveLength(3);
});

test('log broker: the last record of a bounded partition comes with its end, and a fetch behind it is answered at once', () => {
  const { harness } = bench([topic({ ratePerSecond: 0, bounded: true })]);
  harness.runUntil(1_000);
  expect(harness.ask(fetch({ offset: 1 }))[0]).toMatchObject({ ended: false });
  expect(harness.ask(fetch({ requestId: 2, offset: 2 }))).toMatchObject([{ values: ['a4', 'a6', 'a8'], ended: true }]);
  expect(harness.ask(fetch({ requestId: 3, offset: 5 }), 0)).toMatchObject([{ values: [], ended: true }]);
});

test('log broker: a bounded partition has not ended while its last record is not readable', () => {
  const { harness } = bench([topic({ bounded: true })]);
  harness.runUntil(8_500);
  expect(harness.ask(fetch({ offset: 3, maxRecords: 9, maxWaitUs: micros(0) }), 0)[0]).toMatchObject({ ended: false });
});

test('a socket hands out each record once, in order, to whoever asks, and goes on behind a restart of its server', () => {
  const asked = fc.array(
    fc.record({
      mailbox: fc.constantFrom(1, 2),
      offset: fc.nat(20),
      maxRecords: fc.integer({ min: 1, max: 4 }),
      restarts: fc.boolean(),
    }),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(asked, (fetches) => {
      const harness = new ServiceHarness();
      const content = new LogContent([topic({ partitions: 1, socket: true })], DATASETS);
      const handedOut: number[] = [];
      const { conditions } = harness;
      const conditionSite = harness.choices.site('condition');
      const start = (): void =>
        harness.start(new LogBroker({ content, minRecords: 1, conditions, conditionSite, handedOut }));
      start();
      fetches.forEach(({ mailbox, offset, maxRecords, restarts }, requestId) => {
        if (restarts) start();
        const fetch: LogFetch = {
          kind: 'log-fetch',
          requestId,
          partition: 0,
          offset,
          maxRecords,
          maxWaitUs: micros(1_000),
        };
        harness.receive(fetch, CLIENT, mailbox as MailboxId);
        harness.runFor(2_000);
      });
      const got = harness.sent.flatMap(({ message }) => (message.kind === 'log-records' ? message.sourceIndices : []));
      expect(got).toEqual(count(got.length));
      expect(got.length).toBe(handedOut[0] ?? 0);
    }),
    { numRuns: 100, seed: 4 },
  );
});

test('log content: partitions that come later share what comes from then on, and no record is lost or twice', () => {
  fc.assert(
    fc.property(
      fc.record({ atUs: fc.integer({ min: 0, max: 20_000 }), more: fc.integer({ min: 1, max: 4 }) }),
      fc.integer({ min: 1, max: 5 }),
      ({ atUs, more }, entryRecords) => {
        const grows = { atUs, partitions: 2 + more };
        const content = new LogContent([topic({ records: 40, grows, entryRecords, before: 5 })], DATASETS);
        const seen: number[] = [];
        for (let partition = 0; partition < grows.partitions; partition += 1) {
          const entries = content.lengthOf(partition);
          const { sourceIndices, entrySizes } = content.slice({ partition, offset: 0 }, entries);
          seen.push(...sourceIndices);
          const sizes = entrySizes ?? sourceIndices.map(() => 1);
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(sourceIndices.length);
          for (let offset = 0; offset < entries; offset += 1) {
            const readableUs = content.readableAtUs(content.sourceIndexAt({ partition, offset }));
            expect(content.readableRecords(partition, readableUs)).toBeGreaterThan(offset);
            if (readableUs > 0) expect(content.readableRecords(partition, readableUs - 1)).toBeLessThanOrEqual(offset);
            if (partition >= 2) expect(readableUs).toBeGreaterThanOrEqual(Math.min(atUs, readableUs));
          }
          if (partition >= 2) expect(content.readableRecords(partition, atUs - 1)).toBe(0);
          expect(content.recordsBefore(partition, entries)).toBe(sourceIndices.length);
        }
        expect(seen.sort((a, b) => a - b)).toEqual(count(40));
        expect(content.partitionsAt('a', atUs - 1)).toEqual([0, 1]);
        expect(content.partitionsAt('a', atUs)).toHaveLength(grows.partitions);
      },
    ),
    { numRuns: 100, seed: 288 },
  );
});

test('log broker: says which partitions there are and where to begin in each', () => {
  const { harness } = bench([
    topic({ before: 5, startUs: 9_000, committed: 3, grows: { atUs: 8_000, partitions: 3 } }),
  ]);
  const ask = (at: StartPosition): unknown => {
    harness.receive({ kind: 'log-list-offsets', requestId: 1, group: 'source', topic: 'a', at });
    const { message } = harness.sent.at(-1) ?? {};
    return message?.kind === 'log-offsets' ? [message.partitions, message.offsets] : message;
  };
  harness.runUntil(1_000);
  expect(ask('earliest')).toEqual([
    [0, 1],
    [0, 0],
  ]);
  expect(ask('latest')).toEqual([
    [0, 1],
    [3, 2],
  ]);
  expect(ask('committed')).toEqual([
    [0, 1],
    [2, 1],
  ]);
  // Records have times 0, 7, 14, 21, 28: those of partition 0 are 0, 14, 28.
  expect(ask({ timestampUs: 8 })).toEqual([
    [0, 1],
    [1, 1],
  ]);
  expect(ask({ timestampUs: 1_000 })).toEqual([
    [0, 1],
    [3, 2],
  ]);
  harness.runUntil(8_000);
  expect(ask('earliest')).toEqual([
    [0, 1, 2],
    [0, 0, 0],
  ]);
});

test('K1, I7: a record is deleted so long after it became readable, and who wants it is told where the log begins', () => {
  // One record a millisecond over two partitions, from 1 ms on: entry n of partition 0 is readable at 1 + 2n ms.
  const { harness, content } = bench([topic({ retentionUs: 4_000 })]);
  expect([4_999, 5_001, 7_001, 60_000].map((atUs) => content.logStart(0, atUs))).toEqual([0, 1, 2, 5]);
  expect(content.startOffset(0, 'earliest', 7_001)).toBe(2);
  expect(content.startOffset(0, { timestampUs: 0 }, 7_001)).toBe(2);
  expect(bench([topic()]).content.logStart(0, 60_000)).toBe(0);
  harness.runUntil(7_001);
  expect(harness.ask(fetch({ offset: 1 }), 0)).toMatchObject([{ outcome: 'out-of-range', offset: 2, values: [] }]);
  expect(harness.ask(fetch({ offset: 2, maxRecords: 1 }), 0)).toMatchObject([
    { outcome: 'done', offset: 2, values: ['a4'] },
  ]);
});
