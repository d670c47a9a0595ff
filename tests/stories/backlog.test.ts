/** Rows C5, X15 (CheckpointIntervalDuringBacklogITCase): how many checkpoints there are while sources lag, and when they have caught up. */
import { describe, expect, it } from 'vitest';
import { nodeId } from '../../engine/foundation/ids.ts';
import type { Fault } from '../../sim/faults/fault.ts';
import { SERVICE_NODES } from '../../sim/node-names.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

const SECOND = 1_000_000;
const SLOW_FROM_US = 8 * SECOND;

/** The log answers late for 12 s, so that readers fall behind; `more`: what else goes wrong. */
function livedWith(
  intervalDuringBacklogUs: number | undefined,
  { more = [], variant = 'standard' }: { readonly more?: readonly Fault[]; readonly variant?: string } = {},
): RunRecord {
  const plan = planOf('interval-during-backlog', '1');
  const { intervalDuringBacklogUs: _, ...checkpoint } = plan.engine.checkpoint;
  const backlog = intervalDuringBacklogUs === undefined ? {} : { intervalDuringBacklogUs };
  const record = liveIt(
    {
      ...plan,
      variant,
      engine: { ...plan.engine, checkpoint: { ...checkpoint, ...backlog } },
      faults: [
        {
          id: 'f1',
          kind: 'service',
          node: SERVICE_NODES.log,
          effect: 'slow',
          factor: 150,
          chance: { numerator: 1, denominator: 1 },
          trigger: { atUs: SLOW_FROM_US },
          forUs: 12 * SECOND,
        },
        ...more,
      ],
    },
    { keepHistory: true },
  );
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
}

/** From the first reader that lags to the last that has caught up, and the triggers before, in and after that. */
function phases({ history }: RunRecord): { before: number[]; during: number[]; after: number[]; overUs: number } {
  const at = (probe: string): number[] =>
    history.flatMap(({ event, atUs }) => (event.kind === 'probe' && event.probe === probe ? [atUs] : []));
  const beganUs = at('backlog-began')[0] ?? -1;
  const overUs = at('backlog-over').at(-1) ?? -1;
  expect(beganUs).toBeGreaterThan(SLOW_FROM_US);
  expect(overUs - beganUs).toBeGreaterThan(8 * SECOND);
  const triggers = history.flatMap(({ event, atUs }) => (event.kind === 'checkpoint-triggered' ? [atUs] : []));
  return {
    before: triggers.filter((atUs) => atUs < beganUs),
    during: triggers.filter((atUs) => atUs >= beganUs && atUs < overUs),
    after: triggers.filter((atUs) => atUs >= overUs),
    overUs,
  };
}

describe('interval during backlog', () => {
  it('C5: a reader that dies while it lags is not waited for: nobody is left who could say that it has caught up', () => {
    const crash: Fault = {
      id: 'f2',
      kind: 'crash',
      node: nodeId('taskmanager-1'),
      restartAfterUs: SECOND,
      trigger: { atUs: 14 * SECOND },
    };
    const { after, overUs } = phases(livedWith(0, { more: [crash] }));
    expect((after[0] ?? 0) - overUs).toBeLessThan(1.1 * SECOND);
    const flagged = phases(livedWith(0, { more: [crash], variant: 'backlog-flag-survives-reader' }));
    // Not before another leader comes, whose coordinators know of no reader of before.
    expect((flagged.after[0] ?? Infinity) - (after[0] ?? 0)).toBeGreaterThan(10 * SECOND);
  });

  it('X15: of 0: none while a source lags, and again one interval after all have caught up', () => {
    const { before, during, after, overUs } = phases(livedWith(0));
    expect(before.length).toBeGreaterThan(6);
    expect(during).toEqual([]);
    expect((after[0] ?? 0) - overUs).toBeGreaterThanOrEqual(SECOND);
    expect((after[0] ?? 0) - overUs).toBeLessThan(1.1 * SECOND);
  });

  it('X15: of 4 s: one each 4 s while a source lags', () => {
    const { during, after } = phases(livedWith(4 * SECOND));
    const gaps = during.slice(1).map((atUs, index) => Math.round((atUs - (during[index] ?? 0)) / SECOND));
    expect(during.length).toBeGreaterThanOrEqual(3);
    expect(new Set(gaps)).toEqual(new Set([4]));
    expect(Math.round(((after[2] ?? 0) - (after[1] ?? 0)) / SECOND)).toBe(1);
  });

  it('X15: not said: a source may lag as it likes', () => {
    expect(phases(livedWith(undefined)).during.length).toBeGreaterThan(7);
  });
});
