/** Lives as data, for tests of what is told about them. */
import type { LifeFigures } from '../../../reports/index.ts';
import type { RunRecord, SubtaskRecord } from '../../../sim/run-record.ts';
import { METRICS } from '../../support/engine-values.ts';

/** A record of a life that passed; `over` replaces fields. */
export function runRecord(over: Partial<RunRecord> = {}): RunRecord {
  return {
    scenario: 'fixture',
    seed: '1',
    planHash: 'abcdef0123456789',
    digest: '0123456789abcdef',
    rungs: [{ event: 10, digest: '0123456789abcdef' }],
    verdict: 'passed',
    verdicts: [{ judge: 'exactly-once-output', outcome: 'passed', message: 'All is well', anomaly: '', at: [] }],
    signature: '',
    virtualUs: 20_000_000,
    events: 1_000,
    records: { in: 100, out: 100, replayed: 7 },
    checkpoints: { triggered: 3, completed: 2, aborted: 1, expired: 0, declined: 1 },
    faults: { 'crash/taskmanager': { planned: 2, effective: 1 } },
    restarts: 1,
    failovers: 0,
    latency: { count: 100, p50Us: 1_500, p99Us: 90_000, maxUs: 100_000 },
    checkpointRecords: [
      checkpointRecord(1, 'completed'),
      { ...checkpointRecord(2, 'aborted'), reason: 'checkpoint-declined' },
      checkpointRecord(3, 'completed'),
    ],
    subtaskRecords: [],
    restoreRecords: [],
    faultRecords: [
      {
        id: 'f1',
        label: 'crash/taskmanager',
        target: 'taskmanager-1',
        startedAtUs: 5_000_000,
        endedAtUs: 6_000_000,
        effective: true,
      },
      {
        id: 'f2',
        label: 'crash/taskmanager',
        target: 'taskmanager-2, "x"',
        startedAtUs: -1,
        endedAtUs: -1,
        effective: false,
      },
    ],
    timeline: [{ task: 'my_task', checkpointId: 1, startUs: 9_200_000_000, endUs: 9_201_000_000 }],
    probes: { rare: 2 },
    margins: { 'retention/deletion-after-release': { value: 1_500, at: 77 } },
    history: [],
    ...over,
  };
}

/** Parts of the fixture's checkpoints, for lives that are asked for them; one subtask did not acknowledge checkpoint 2. */
export const SUBTASK_RECORDS: readonly SubtaskRecord[] = [1, 2, 3].flatMap((checkpointId) =>
  [0, 1].map((subtask): SubtaskRecord => {
    const place = { checkpointId, vertex: 1, task: 'count <b>', subtask, attempt: 7 + subtask };
    return checkpointId === 2 && subtask === 1
      ? { ...place, acknowledgedAtUs: -1 }
      : { ...place, acknowledgedAtUs: checkpointId * 4_000_000 + 5_000, metrics: { ...METRICS, asyncUs: 3_000 } };
  }),
);

function checkpointRecord(
  checkpointId: number,
  outcome: 'completed' | 'aborted',
): RunRecord['checkpointRecords'][number] {
  return {
    checkpointId,
    epoch: 1,
    triggeredAtUs: checkpointId * 4_000_000,
    outcome,
    reason: '',
    endedAtUs: checkpointId * 4_000_000 + 250_000,
    endToEndUs: 200_000 + checkpointId,
    alignmentUsMax: 500,
    syncUsMax: 80,
    asyncUsMax: 7_000,
    startDelayUsMax: 400,
    stateBytes: 3_000,
    recordsInFlight: 12,
    acknowledged: 4,
    required: 4,
    type: 'checkpoint',
    unaligned: false,
    latestAcknowledgedAtUs: checkpointId * 4_000_000 + 200_000 + checkpointId,
    checkpointedBytes: 3_000,
    metadataBytes: outcome === 'completed' ? 500 : 0,
    bytesProcessed: 900,
    bytesProcessedMax: 500,
    bytesPersisted: 0,
    bytesPersistedMax: 0,
    externalPath: `checkpoints/job/chk-${checkpointId}`,
    discarded: false,
  };
}

export function lifeFigures(over: Partial<LifeFigures> = {}): LifeFigures {
  const { history: _history, rungs: _rungs, ...figures } = runRecord();
  return { ...figures, expect: 'exactly-once', swarm: [], patterns: {}, duplicates: false, ...over };
}
