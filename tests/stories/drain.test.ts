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

interface Told {
  readonly thenResume?: ThenResume;
  readonly faults?: readonly Fault[];
  readonly variant?: string;
}

/** Sources without an end, drained after 15 s, when about half of the input has come. */
function drained({ thenResume, faults = [], variant = 'standard' }: Told): RunRecord {
  const plan = planOf('drain-under-faults', '1');
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
