/**
 * What backpressure costs a checkpoint, on virtual time: aligned it waits until what is queued has been worked off, unaligned it takes
 * what is queued along (rows B5, B15, B21; published measurements of Flink show the same identity).
 */
import { describe, expect, it } from 'vitest';
import type { CheckpointMetrics } from '../../engine/protocol/checkpoint-metrics.ts';
import { compile, parseScenario } from '../../scenarios/index.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt } from '../support/lives.ts';

/** The count takes 5 ms for a record of 1,000 bytes: 200 records a second. */
const WORK_US = 5_000;
const RECORD_BYTES = 1_000;
const BYTES_PER_SECOND = (RECORD_BYTES * 1_000_000) / WORK_US;

interface Measured {
  readonly endToEndUs: number;
  readonly inFlightBytes: number;
  readonly alignmentUsMax: number;
  readonly unaligned: boolean;
}

function lived(options: { rate: number; records: number; checkpointing: string; runtime?: string }): RunRecord {
  const text = `
name: story
job: { use: keyed-count, parallelism: 1, parameters: { work: ${WORK_US} } }
inputs:
  flights-a: { dataset: flights-20k, records: ${options.records}, rate: ${options.rate}/s }
  flights-b: { dataset: flights-20k, records: ${options.records}, rate: ${options.rate}/s }
cluster: { taskManagers: 3, slots: 1, jobManagers: 1, profile: laptop }
checkpointing: { timeout: 20s, ${options.checkpointing} }
runtime: { recordSize: ${RECORD_BYTES}B, fetchRecords: 500, fetchWait: 50ms${options.runtime ?? ''} }
duration: 30s
liveness: { within: 120s }
`;
  const parsed = parseScenario({ text, file: 'story.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const record = liveIt(compile(parsed.scenario, '1'), { keepHistory: true });
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
}

/** Checkpoints completed in the storm, which is calm here; the first comes while queues fill. */
function measured(record: RunRecord): Measured[] {
  const metrics = new Map<number, CheckpointMetrics[]>();
  const found: Measured[] = [];
  for (const { event } of record.history) {
    if (event.kind === 'phase' && event.phase === 'liveness') break;
    if (event.kind === 'acknowledge-sent') {
      metrics.set(event.checkpointId, [...(metrics.get(event.checkpointId) ?? []), event.metrics]);
    }
    if (event.kind !== 'checkpoint-completed') continue;
    const parts = metrics.get(event.checkpointId) ?? [];
    found.push({
      endToEndUs: event.endToEndUs,
      inFlightBytes: parts.reduce((sum, { bytesPersistedDuringAlignment }) => sum + bytesPersistedDuringAlignment, 0),
      alignmentUsMax: Math.max(...parts.map(({ alignmentUs }) => alignmentUs)),
      unaligned: parts.some(({ unaligned }) => unaligned),
    });
  }
  return found.slice(1);
}

const busy = { rate: 200, records: 3_200 };
const calm = { rate: 20, records: 600 };

describe('Story: checkpoints under backpressure', () => {
  const aligned = measured(lived({ ...busy, checkpointing: 'unaligned: false, interval: 5s' }));
  const unaligned = measured(lived({ ...busy, checkpointing: 'unaligned: true, interval: 5s' }));

  it('B15: aligned, a checkpoint takes as long as the slowest subtask needs for what is queued in front of the barrier', () => {
    expect(aligned.length).toBeGreaterThanOrEqual(3);
    for (const { endToEndUs, inFlightBytes } of aligned) {
      expect(endToEndUs).toBeGreaterThan(2_000_000);
      expect(inFlightBytes).toBe(0);
    }
  });

  it('B5, B21: unaligned, it is done within 50 ms whatever is queued', () => {
    expect(unaligned.length).toBeGreaterThanOrEqual(4);
    for (const { endToEndUs } of unaligned) expect(endToEndUs).toBeLessThan(50_000);
  });

  it('B5: queued bytes by the rate at which they are worked off is what alignment takes, within a fifth', () => {
    const queued = unaligned.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0) / unaligned.length;
    const drainUs = (queued / BYTES_PER_SECOND) * 1_000_000;
    for (const { endToEndUs } of aligned) {
      expect(endToEndUs / drainUs).toBeGreaterThan(0.8);
      expect(endToEndUs / drainUs).toBeLessThan(1.2);
    }
  });

  it('B8: with a time-out it takes the time-out and little more', () => {
    for (const { endToEndUs, unaligned: overtook } of measured(
      lived({ ...busy, checkpointing: 'unaligned: true, alignedTimeout: 500ms, interval: 5s' }),
    )) {
      expect(overtook).toBe(true);
      expect(endToEndUs).toBeGreaterThan(500_000);
      expect(endToEndUs).toBeLessThan(560_000);
    }
  });

  it('B16: with buffer debloating alignment comes down to the target of a second', () => {
    const debloated = measured(
      lived({ ...busy, checkpointing: 'interval: 2s', runtime: ', bufferDebloat: { enabled: true }' }),
    );
    const settled = debloated.slice(-4);
    expect(settled.length).toBe(4);
    // A change of less than a quarter is not announced, and buffers announced smaller are behind those that are filled already.
    for (const { endToEndUs } of settled) {
      expect(endToEndUs).toBeGreaterThan(700_000);
      expect(endToEndUs).toBeLessThan(1_350_000);
    }
  });

  it('B5: without backpressure both take the same, and no time-out is reached', () => {
    const [a, u, t] = [
      'unaligned: false, interval: 5s',
      'unaligned: true, interval: 5s',
      'unaligned: true, alignedTimeout: 500ms, interval: 5s',
    ].map((checkpointing) => measured(lived({ ...calm, checkpointing })));
    a?.forEach(({ endToEndUs }, index) => {
      expect(Math.abs((u?.[index]?.endToEndUs ?? 0) - endToEndUs)).toBeLessThan(15_000);
      expect(t?.[index]).toMatchObject({ unaligned: false, inFlightBytes: 0 });
    });
  });
});
