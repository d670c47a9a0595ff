/** A job that is drained finishes what it has read, and reads on only if somebody starts it again (rows C28, X35; decision 0041). */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { ThenResume } from '../../engine/protocol/client-operations.ts';
import { isOfFinish } from '../../engine/protocol/stream-elements.ts';
import { partsOf } from '../../scenarios/mutants/mutant-catalog.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

const RESUME: ThenResume = { from: 'what-it-left', claimMode: 'no-claim', allowNonRestored: false };
const RECORDS = 3_300;

const READING = { recordBytes: 100, fetchRecords: 500, fetchWaitUs: 500_000, sinkBatchRecords: 100 };
const TOTALS = {
  use: 'keyed-count',
  parallelism: 4,
  parameters: { key: 'origin', totals: true, guarantee: 'exactly-once', ...READING },
};

interface Told {
  readonly thenResume?: ThenResume;
  readonly faults?: readonly Fault[];
  readonly variant?: string;
}

/** Sources without an end, drained after 15 s, when about half of the input has come. */
function drained({ thenResume, faults = [], variant = 'standard' }: Told): RunRecord {
  const plan = { ...planOf('drain-under-faults', '1'), job: TOTALS };
  const command = { kind: 'stop-with-savepoint', drain: true, format: 'canonical' } as const;
  const stop: Fault = {
    id: 'stop',
    kind: 'operation',
    trigger: { atUs: 15_000_000 },
    command: thenResume === undefined ? command : { ...command, thenResume },
  };
  const topics = plan.topics.map((topic) => ({ ...topic, bounded: false }));
  return liveIt({ ...plan, topics, variant, faults: [stop, ...faults] }, { keepHistory: true });
}

function passed(record: RunRecord): { readonly records: number; readonly totals: number; readonly statuses: string[] } {
  expect(record.verdict, findings(record)).toBe('passed');
  const lineages = record.history.flatMap(({ event }) =>
    event.kind === 'transaction-committed' ? event.lineages : [],
  );
  const totals = lineages.filter((lineage) => isOfFinish(lineage)).length;
  const statuses = record.history.flatMap(({ event }) => (event.kind === 'job-status' ? [event.status] : []));
  return { records: lineages.length - totals, totals, statuses };
}

const crashAt = (point: 'all-acknowledged' | 'completed' | 'task.finished'): Fault => ({
  id: 'crash',
  kind: 'crash',
  node: nodeId('taskmanager-1'),
  restartAfterUs: 1_000_000,
  trigger: { point, occurrence: 1 },
});

describe('a job that is drained', () => {
  it('shows what it had read and what its operators emit in the end, and no more', () => {
    const { records, totals, statuses } = passed(drained({}));
    expect(records).toBeGreaterThan(500);
    expect(records).toBeLessThan(RECORDS);
    expect(totals).toBeGreaterThan(0);
    expect(statuses.at(-1)).toBe('finished');
  });

  it('and is started again reads on, and its operators do not finish twice', () => {
    const once = passed(drained({}));
    const { records, totals, statuses } = passed(drained({ thenResume: RESUME }));
    expect(records).toBe(RECORDS);
    expect(totals).toBe(once.totals);
    expect(statuses.at(-1)).toBe('running');
  });

  it('X35: a task dies between savepoint and end: the job fails, and is complete when its user starts it from there', () => {
    const only: ThenResume = { ...RESUME, onlyIfFailed: true };
    const { totals, statuses } = passed(drained({ thenResume: RESUME, faults: [crashAt('task.finished')] }));
    expect(statuses).toContain('failed');
    expect(totals).toBeGreaterThan(0);
    expect(passed(drained({ thenResume: only })).statuses.at(-1)).toBe('finished');
  });

  it('is judged: one whose operators forget that they have finished is found when its input ends again', () => {
    const record = liveDrainedTwice('finish-twice-emits-twice');
    expect(record.verdicts.filter(({ outcome }) => outcome === 'violated').map(({ anomaly }) => anomaly)).toContain(
      'output-duplicated',
    );
    expect(liveDrainedTwice('standard').verdict).toBe('passed');
    expect(partsOf('finish-twice-emits-twice').finishedOperators).toBe('forgotten');
  });
});

/** Drained, started again, drained for good. */
function liveDrainedTwice(variant: string): RunRecord {
  const again: Fault = {
    id: 'again',
    kind: 'operation',
    trigger: { atUs: 25_000_000 },
    command: { kind: 'stop-with-savepoint', drain: true, format: 'native' },
  };
  return drained({ thenResume: RESUME, faults: [again], variant });
}

interface Count {
  readonly key: string;
  readonly end: number;
  readonly count: number;
}

interface Timed {
  /** Whether the sources come to an end after their 3,300 records. */
  readonly bounded: boolean;
  readonly faults: readonly Fault[];
  /** Of each topic; absent: 60. */
  readonly ratesPerSecond?: readonly number[];
  readonly variant?: string;
}

/** Counts per span of 600 ms of event time, of which half a second and more lies between the records at both sides of the drain. */
function counted({ bounded, faults, variant = 'standard', ratesPerSecond = [] }: Timed): RunRecord {
  const plan = planOf('drain-under-faults', '1');
  const job = { use: 'hourly-counts', parallelism: 3, parameters: EVENT_TIME };
  const topics = plan.topics.map((topic, index) => {
    return { ...topic, bounded, ratePerSecond: ratesPerSecond[index] ?? topic.ratePerSecond };
  });
  return liveIt({ ...plan, job, topics, variant, faults }, { keepHistory: true });
}

const EVENT_TIME = {
  ...{ key: 'origin', minutes: 0.01, time: 'log', outOfOrderness: 0, idleness: 0, watermarkInterval: 200 },
  ...{ guarantee: 'exactly-once', ...READING },
};

const stopAt = (seconds: number, drain: boolean): Fault => ({
  id: `stop-${seconds}`,
  kind: 'operation',
  trigger: { atUs: seconds * 1_000_000 },
  command: { kind: 'stop-with-savepoint', drain, format: 'canonical', thenResume: RESUME },
});

const countsOf = ({ history }: RunRecord): readonly Count[] =>
  history.flatMap(({ event }) => (event.kind === 'transaction-committed' ? (event.values as readonly Count[]) : []));

const spanOf = ({ key, end }: Count): string => `${key}/${end}`;

describe('a job of event time that is drained and started again (decision 0105)', () => {
  it('C28: every window comes out with what there was, and once more with what follows; no record is in two', () => {
    const record = counted({ bounded: true, faults: [stopAt(10, true)] });
    expect(record.verdict, findings(record)).toBe('passed');
    const counts = countsOf(record);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(RECORDS);
    const twice = counts.length - new Set(counts.map(spanOf)).size;
    expect(twice).toBeGreaterThan(0);
    const suspended = counted({ bounded: true, faults: [stopAt(10, false)] });
    expect(suspended.verdict, findings(suspended)).toBe('passed');
    expect(new Set(countsOf(suspended).map(spanOf)).size).toBe(countsOf(suspended).length);
    expect(countsOf(suspended).length).toBe(counts.length - twice);
  });

  it('can be drained once more: its timers fire again', () => {
    const record = counted({ bounded: false, faults: [stopAt(8, true), stopAt(14, true)] });
    expect(record.verdict, findings(record)).toBe('passed');
  });

  it('is judged behind the drain, too: event time that stays at its end is found', () => {
    const record = counted({ bounded: true, faults: [stopAt(10, true)], variant: 'restored-watermark-max' });
    expect(record.verdicts.filter(({ outcome }) => outcome === 'violated').map(({ judge }) => judge)).toContain(
      'consistent-cut',
    );
  });

  it('B22: restored when one side has nothing left to read, windows of input that does not end stay open', () => {
    const crash: Fault = { ...crashAt('completed'), trigger: { atUs: 20_000_000 } };
    // One topic has been read to its end after 15 s, the other after 25 s: event time goes as far as both have come.
    const ratesPerSecond = [120, 60];
    const calm = counted({ bounded: false, faults: [], ratesPerSecond });
    const restored = counted({ bounded: false, faults: [crash], ratesPerSecond });
    expect(calm.verdict, findings(calm)).toBe('passed');
    expect(restored.verdict, findings(restored)).toBe('passed');
    expect(countsOf(restored).length).toBeGreaterThan(0);
    expect(countsOf(restored).length).toBeLessThan(countsOf(calm).length);
  });
});
