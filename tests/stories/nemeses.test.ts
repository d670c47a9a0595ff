/** What nemeses do to a job that lives through them: the very thing that they are named after happens, and the job keeps its promise. */
import { describe, expect, it } from 'vitest';
import { isMetadata } from '../../engine/protocol/savepoint-paths.ts';
import { compile, parseScenario } from '../../scenarios/index.ts';
import type { HistoryEvent } from '../../sim/history/history-event.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt } from '../support/lives.ts';

const SEEDS = ['1', '2', '3', '4', '5', '6'];
/** A cut takes nothing back that is on its way behind it: a write that the storage has is still worked off. */
const UNDER_WAY_US = 500_000;

function lifeWith(rule: string, seed: string): RunRecord {
  const text = `name: n
description: One nemesis.
job: { use: keyed-count, parallelism: 2 }
input: { dataset: flights-20k, records: 900, rate: 50/s }
cluster: { taskManagers: 3, slots: 2, jobManagers: 2 }
checkpointing: { interval: 1s, timeout: 5s, maxConcurrent: 4, inlineThreshold: 0B }
duration: 20s
liveness: { within: 60s }
faults: [{ ${rule} }]
`;
  const parsed = parseScenario({ text, file: 'n.yaml' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const record = liveIt(compile(parsed.scenario, seed), { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
}

/** What happened while the first fault of the kind was in force. */
function during({ history, faultRecords }: RunRecord, label: string): readonly HistoryEvent[] {
  const [fault] = faultRecords.filter((one) => one.label === label && one.effective);
  if (fault === undefined) return [];
  return history.filter(({ atUs }) => atUs > fault.startedAtUs + UNDER_WAY_US && atUs < fault.endedAtUs);
}

describe('a job under a nemesis', () => {
  it('coordinator-cut-from-storage: tasks go on writing state, no checkpoint gets metadata', () => {
    for (const seed of SEEDS.slice(0, 3)) {
      const events = during(
        lifeWith('nemesis: coordinator-cut-from-storage, at: 8s..9s, for: 4s', seed),
        'partition/pair',
      );
      const stored = events.flatMap(({ event }) => (event.kind === 'object-stored' ? event.path : []));
      expect(stored.length).toBeGreaterThan(0);
      expect(stored.filter(isMetadata)).toEqual([]);
      expect(events.filter(({ event }) => event.kind === 'checkpoint-completed')).toEqual([]);
    }
  });

  it('coordinator-cut-from-election: who led is replaced though all machines see it', () => {
    const elected = SEEDS.flatMap((seed) => {
      const record = lifeWith('nemesis: coordinator-cut-from-election, at: 8s..9s, for: 10s', seed);
      const [cut] = record.faultRecords;
      const led = record.history.filter(({ event }) => event.kind === 'leadership-acquired');
      const before = led.filter(({ atUs }) => atUs < (cut?.startedAtUs ?? 0)).at(-1)?.node;
      const next = during(record, 'partition/pair').find(({ event }) => event.kind === 'leadership-acquired');
      // Where it struck who did not lead, nobody is elected.
      expect(next === undefined).toBe(!cut?.target.startsWith(String(before)));
      return next === undefined ? [] : [next.node];
    });
    expect(elected.length).toBeGreaterThan(0);
  });

  it('append-after-abort: the last writes of the dead come when their producer is fenced, and are refused', () => {
    const late = SEEDS.flatMap((seed) => {
      const { history } = lifeWith('nemesis: append-after-abort, every: 3s..6s', seed);
      const released = history.find(({ event }) => event.kind === 'fault-ended' && event.faultKind === 'hold');
      return history.flatMap(({ event, atUs }) =>
        event.kind === 'message-discarded' && event.message === 'sink-write'
          ? [{ ...event, after: atUs - (released?.atUs ?? 0) }]
          : [],
      );
    });
    expect(late.length).toBeGreaterThan(0);
    for (const write of late) {
      expect(write.why).toBe('the producer is fenced');
      expect(write.after).toBeGreaterThan(0);
    }
  });
});
