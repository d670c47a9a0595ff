/**
 * Flink's fault-injection tests, carried over (scenarios/flink-catalog.ts): each scenario is named after its class, says what it took over, and
 * its lives pass and really meet its faults, after the progress that makes them worth something (rows X1 to X56; X3 for the guard).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogPath, FLINK_SCENARIOS, type FlinkScenario } from '../../scenarios/index.ts';
import type { SimulationPlan } from '../../sim/plan.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

const SEEDS = ['1', '2'];
/** Size of a record on the wire, where a scenario says nothing else. */
const RECORD_BYTES = 100;
/** The first deployment lies before. */
const DEPLOYED_US = 500_000;

interface Lived {
  readonly plan: SimulationPlan;
  readonly record: RunRecord;
}
const lived = new Map<string, readonly Lived[]>();

/** The lives of a scenario, lived once for all tests. */
function livesOf(name: string): readonly Lived[] {
  let lives = lived.get(name);
  if (lives === undefined) {
    lives = SEEDS.map((seed) => {
      const plan = planOf(name, seed);
      return { plan, record: liveIt(plan) };
    });
    lived.set(name, lives);
  }
  return lives;
}

/** Restarts of tasks that the storm brought; at its end machines may go for good, which is none of a scenario's faults. */
function restoresInStorm({ plan, record }: Lived): number {
  return record.restoreRecords.filter(({ atUs }) => atUs > DEPLOYED_US && atUs < plan.liveness.stormUs).length;
}

const cases = FLINK_SCENARIOS.map((entry) => [entry.ported, entry] as const);

describe.each(cases)('%s', (_, entry: FlinkScenario) => {
  it('gives its scenario the name, and the file says what was taken over and what differs', () => {
    // A second scenario of a class says in between what it varies: `resume-checkpoint-manually-incremental-itcase`.
    const [ofClass = ''] = entry.ported.toLowerCase().split(/it(?:case|base)$/);
    const name = entry.name.replaceAll('-', '');
    expect(name.startsWith(ofClass) && /it-?(?:case|base)$/.test(entry.name), `${entry.name} for ${entry.ported}`).toBe(
      true,
    );
    const text = readFileSync(new URL(`../../scenarios/catalog/${catalogPath(entry)}`, import.meta.url), 'utf8');
    const head = text
      .split('\n')
      .filter((line) => line.startsWith('# '))
      .map((line) => line.slice(2))
      .join(' ');
    expect(head).toContain(`${entry.ported} (${entry.rows.join(', ')})`);
    for (const part of ['Topology: ', 'Fault: ', 'Invariant: ']) expect(head).toContain(part);
  });

  it('lives, and its faults change something', () => {
    let effective = 0;
    for (const { record } of livesOf(entry.name)) {
      expect(record.verdict, findings(record)).toBe('passed');
      effective += record.faultRecords.filter((fault) => fault.effective).length;
    }
    expect(effective).toBeGreaterThan(0);
  });

  it('X3: what strikes after the k-th completed checkpoint finds that many', () => {
    for (const { plan, record } of livesOf(entry.name)) {
      for (const { id, trigger } of plan.faults) {
        if (!('point' in trigger) || trigger.point !== 'completed' || trigger.checkpoint !== undefined) continue;
        const struck = record.faultRecords.find((fault) => fault.id === id);
        if (struck === undefined || struck.startedAtUs < 0) continue;
        const before = record.checkpointRecords.filter(
          ({ outcome, endedAtUs }) => outcome === 'completed' && endedAtUs <= struck.startedAtUs,
        );
        expect(before.length, `seed ${record.seed}, fault ${id}`).toBeGreaterThanOrEqual(trigger.occurrence);
      }
    }
  });
});

describe('what a class asserts beside exactly-once', () => {
  const records = (name: string): RunRecord[] => livesOf(name).map(({ record }) => record);

  it('X9 CheckpointFailureManagerITCase: the job is restarted for its failed checkpoints', () => {
    for (const { restarts, checkpoints } of records('checkpoint-failure-manager-itcase')) {
      expect(checkpoints.aborted).toBeGreaterThan(0);
      expect(restarts).toBeGreaterThan(0);
    }
  });

  it('X8 NotifyCheckpointAbortedITCase: a checkpoint fails, no task does, and a later one completes', () => {
    for (const life of livesOf('notify-checkpoint-aborted-itcase')) {
      const { checkpointRecords } = life.record;
      const failed = checkpointRecords.findIndex(({ outcome }) => outcome === 'aborted');
      expect(failed).toBeGreaterThanOrEqual(0);
      expect(checkpointRecords.slice(failed).some(({ outcome }) => outcome === 'completed')).toBe(true);
      expect(restoresInStorm(life)).toBe(0);
    }
  });

  it('X24 UnalignedCheckpointFailureHandlingITCase (B17): in-flight data cannot be written, and no task restarts', () => {
    for (const life of livesOf('unaligned-checkpoint-failure-handling-itcase')) {
      const { checkpoints } = life.record;
      expect(checkpoints.aborted).toBeGreaterThan(0);
      expect(checkpoints.completed).toBeGreaterThan(0);
      expect(restoresInStorm(life)).toBe(0);
    }
  });

  it('X11 CheckpointAcknowledgeFailureITCase: what does not fit into a message fails its checkpoint soon, and not by the time-out', () => {
    for (const { checkpoints, checkpointRecords, probes } of records('checkpoint-acknowledge-failure-itcase')) {
      expect(probes['acknowledgement-exceeds-frame']).toBeGreaterThan(0);
      expect(checkpoints.expired).toBe(0);
      const declined = checkpointRecords.filter(({ reason }) => reason === 'checkpoint-async-exception');
      expect(declined.length).toBeGreaterThan(0);
      for (const { endedAtUs, triggeredAtUs } of declined) expect(endedAtUs - triggeredAtUs).toBeLessThan(2_000_000);
    }
  });

  it('X22 UnalignedCheckpointRescaleWithMixedExchangesITCase: three checkpoints hold in-flight data, and some of it is dealt out anew', () => {
    const all = records('unaligned-checkpoint-rescale-with-mixed-exchanges-itcase');
    for (const { checkpointRecords } of all) {
      const held = checkpointRecords.filter(
        ({ outcome, bytesPersisted }) => outcome === 'completed' && bytesPersisted > 0,
      );
      expect(held.length).toBeGreaterThanOrEqual(3);
    }
    expect(all.some(({ probes }) => (probes['in-flight-data-taken-over'] ?? 0) > 0)).toBe(true);
  });

  it('X26 IgnoreInFlightDataITCase: the result is less than the whole, and only by what was in flight in one checkpoint', () => {
    for (const { records: seen, probes, checkpointRecords } of records('ignore-in-flight-data-itcase')) {
      expect(probes['in-flight-data-given-up']).toBeGreaterThan(0);
      const held = checkpointRecords.find(({ checkpointId }) => checkpointId === 3)?.bytesPersisted ?? 0;
      expect(held).toBeGreaterThan(0);
      expect((seen.in - seen.out) * RECORD_BYTES).toBe(held);
    }
  });

  it('X18 ApproximateLocalRecoveryDownstreamITCase: producers go on, and what they had sent is missing in the end', () => {
    for (const { records: seen, probes, restarts } of records('approximate-local-recovery-downstream-itcase')) {
      expect(probes['consumer-reconnected']).toBeGreaterThan(0);
      expect(restarts).toBeGreaterThan(0);
      expect(seen.out).toBeLessThan(seen.in);
    }
  });

  it('X53 RestartStrategyITCase: the job restarts as often as it fails, and no more than its strategy allows', () => {
    for (const { restarts, faultRecords } of records('restart-strategy-itcase')) {
      expect(restarts).toBeGreaterThan(0);
      expect(restarts).toBeLessThanOrEqual(faultRecords.filter(({ effective }) => effective).length);
    }
  });
});

describe('docs/flink-tests.md', () => {
  const lines = readFileSync('docs/flink-tests.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| X'));
  const rowsOf = (line: string): readonly string[] => (line.split('|')[1] ?? '').trim().split(', ');

  it('names each scenario in its row', () => {
    for (const { name, rows } of FLINK_SCENARIOS)
      for (const row of rows) {
        const line = lines.find((one) => rowsOf(one).includes(row)) ?? '';
        expect(line, `row ${row}`).toContain(`\`${name}\``);
      }
  });

  it('has every row of the list', () => {
    const upTo = [
      [1, 18],
      [20, 28],
      [30, 41],
      [45, 48],
      [50, 56],
      [60, 64],
    ] as const;
    const listed = upTo.flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, index) => `X${first + index}`),
    );
    expect(lines.flatMap(rowsOf)).toEqual(listed);
  });
});
