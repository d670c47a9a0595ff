/** Rows F6, F7, K10, S5 to S8, X31, X55: the parallelism changes while the job runs, and everything goes wrong around it. */
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf, restoresOf } from '../support/lives.ts';
import { story } from './story.ts';

/** Parallelism of the keyed vertex in each deployment, in order. */
const widths = ({ history }: RunRecord): number[] =>
  history.flatMap(({ event }) =>
    event.kind === 'task-deployed' && event.vertex === 2 && event.subtask === 0 ? [event.parallelism] : [],
  );
const firstIndex = (
  { history }: RunRecord,
  matches: (event: RunRecord['history'][number]['event']) => boolean,
): number => history.findIndex(({ event }) => matches(event));

describe('rescale on request', () => {
  it('X31: wider, then narrower, from the newest checkpoint each time: state and output stay exactly-once', () => {
    const record = story()
      .rescale(6, { point: 'completed', checkpoint: 2 })
      .rescale(1, { point: 'completed', checkpoint: 5 })
      .shows('operation-answered')
      .reaches('producer-of-other-parallelism-fenced')
      .passes();
    expect(widths(record)).toEqual([4, 6, 1]);
  });

  it('X30: stopped with a savepoint and started again as wide as somebody says: wider, then from a retained checkpoint narrower', () => {
    const begins = { from: 'what-it-left', claimMode: 'no-claim', allowNonRestored: false } as const;
    const stop = { kind: 'stop-with-savepoint', drain: false, format: 'canonical' } as const;
    const record = story()
      .asks({ ...stop, thenResume: { ...begins, parallelism: 6 } }, { point: 'completed', checkpoint: 2 })
      .asks({ kind: 'cancel', thenResume: { ...begins, parallelism: 2 } }, 12)
      .shows('job-submitted')
      .reaches('restored-at-other-parallelism')
      .passes();
    expect(widths(record)).toEqual([4, 6, 2]);
    const answered = record.history.flatMap(({ event }) =>
      event.kind === 'operation-answered' ? [`${event.operation} ${event.outcome}`] : [],
    );
    expect(answered).toEqual([
      'stop-with-savepoint done',
      'rescale done',
      'resume done',
      'cancel done',
      'rescale done',
      'resume done',
    ]);
    // Nobody restarted: each run began as wide as it should.
    expect(record.restarts).toBe(0);
  });

  it("C27: any snapshot that is still its user's will do: the job begins again from one that is older than the newest", () => {
    const begins = { claimMode: 'no-claim', allowNonRestored: false } as const;
    const record = story({ scenario: 'upsert-sink' })
      .asks({ kind: 'cancel', thenResume: { ...begins, from: 'what-it-left' } }, 5)
      .asks({ kind: 'cancel', thenResume: { ...begins, from: 'earliest-left', parallelism: 2 } }, 12)
      .crash('taskmanager-1', 16)
      .shows('job-submitted')
      .passes();
    const begun = record.history.flatMap(({ event }) => (event.kind === 'job-submitted' ? [event.location] : []));
    expect(begun).toHaveLength(2);
    // What was written since is written again; the table has it once.
    expect(begun[1]).toBe(begun[0]);
  });

  it('F7: before any checkpoint it starts from scratch, and what the wider job left open is aborted', () => {
    const record = story()
      .service('object-store', 'unavailable', { point: 'snapshot.taken', checkpoint: 1 }, 4)
      .rescale(2, 3)
      .shows('transaction-aborted')
      .passes();
    expect(restoresOf(record).slice(0, 2)).toEqual([0, 0]);
    const aborted = record.history.flatMap(({ event }) =>
      event.kind === 'transaction-aborted' ? [event.producer] : [],
    );
    expect([...new Set(aborted)].sort()).toEqual(['sink-0', 'sink-1', 'sink-2', 'sink-3']);
  });

  it('K7: transactions that a completed checkpoint left uncommitted are committed by whoever inherits them', () => {
    const record = story()
      .service('sink-store', 'unavailable', { point: 'all-acknowledged', checkpoint: 3 }, 1)
      .rescale(6, { point: 'completed', checkpoint: 3 })
      .shows('commit-failed')
      .passes();
    expect(widths(record)).toEqual([4, 6]);
  });

  it('F16: what was accepted by one leader binds the next', () => {
    const record = story()
      .rescale(2, 5)
      .crash('jobmanager-1', 5.2, 3)
      .crash('jobmanager-2', 5.2, 3)
      .shows('operation-answered')
      .passes();
    expect(widths(record).at(-1)).toBe(2);
  });

  it('F17: asked while nobody leads, the client goes on asking', () => {
    const record = story()
      .crash('jobmanager-1', 4, 5)
      .crash('jobmanager-2', 4, 5)
      .rescale(3, 5)
      .shows('operation-answered')
      .passes();
    expect(widths(record).at(-1)).toBe(3);
  });

  it('G6, K10: a zombie of a removed subtask writes and commits nothing', () => {
    const record = story().pause('taskmanager-2', 5, 12).rescale(1, 5.5).shows('message-discarded').passes();
    expect(widths(record).at(-1)).toBe(1);
  });
});

describe('rescale-storm', () => {
  it('really changes the parallelism between 1, 3 and 11, five times, whatever crashes meanwhile', () => {
    const changes = ['1', '3', '9'].map((seed) => {
      const record = liveIt(planOf('rescale-storm', seed), { keepHistory: true });
      expect(record.verdict, findings(record)).toBe('passed');
      const all = widths(record);
      return all.filter((width, index) => width !== all[index - 1]);
    });
    expect(changes.map((one) => one.slice(0, 4))).toEqual([
      [3, 11, 1, 3],
      [3, 11, 1, 3],
      [3, 11, 1, 3],
    ]);
    // The last two come in either order; where one overtakes the other while the job restarts, they are one change.
    expect(Math.max(...changes.map(({ length }) => length))).toBe(6);
    expect(Math.min(...changes.map(({ length }) => length))).toBeGreaterThanOrEqual(5);
  });
});

describe('adaptive scheduler', () => {
  it('F6: it starts with what is there, and takes what comes later at a completed checkpoint (X55)', () => {
    const record = story()
      .adapts({ least: 1, most: 6 })
      .crash('taskmanager-3', 0, 8)
      .reaches('scaling-stabilizing')
      .reaches('scaling-transitioning')
      .shows('restart-scheduled')
      .passes();
    expect(widths(record).slice(0, 2)).toEqual([4, 6]);
    const rescaledAt = firstIndex(record, (event) => event.kind === 'restart-scheduled' && event.cause === 'rescale');
    const before = record.history.slice(0, rescaledAt).map(({ event }) => event.kind);
    expect(before.lastIndexOf('checkpoint-completed')).toBeGreaterThan(rescaledAt - 12);
  });

  it('F6: when slots are lost it goes on with fewer, and never with fewer than its lower bound', () => {
    const record = story()
      .adapts({ least: 3, most: 6 })
      .crash('taskmanager-3', 6, 1_000)
      .crash('taskmanager-2', 20, 8)
      .shows('task-deployed')
      .passes();
    expect(widths(record)[0]).toBe(6);
    expect(Math.min(...widths(record))).toBeGreaterThanOrEqual(3);
    expect(widths(record)).toContain(4);
  });

  it('F7: a request moves its upper bound', () => {
    const record = story().adapts({ least: 1, most: 4 }).rescale(2, 8).shows('operation-answered').passes();
    expect(widths(record).slice(0, 2)).toEqual([4, 2]);
  });
});
