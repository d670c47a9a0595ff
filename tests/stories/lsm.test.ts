/** What incremental checkpoints cost, in virtual time and bytes on `cloud-small` (rows C6, C7, S17). Figures are exact: no fault, one seed. */
import { describe, expect, it } from 'vitest';
import { compile, parseScenario } from '../../scenarios/index.ts';
import { decodePointer } from '../../engine/protocol/checkpoint-pointer.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { eventsOf, findings, liveIt, planOf, probesOf } from '../support/lives.ts';

/** 3,000 keys, of which a checkpoint interval touches a few hundred. */
function lived(backend: string, faults = ''): RunRecord {
  const text = `
name: cost
description: Many keys, few of them written between two checkpoints.
job: { use: keyed-count, parallelism: 2, parameters: { key: key } }
inputs: { numbers: { dataset: generated:3000x0, records: 8000, rate: 1000/s, partitions: 2 } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1, profile: cloud-small }
checkpointing: { interval: 500ms, ${backend} }
faults: [${faults}]
duration: 9s
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'cost.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return liveIt(compile(parsed.scenario, '1'), { keepHistory: faults !== '' });
}

const completed = (record: RunRecord) => record.checkpointRecords.filter(({ outcome }) => outcome === 'completed');
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('lsm: what a checkpoint costs', () => {
  it('S17: an incremental checkpoint writes what changed, a full one everything; the rest of its state is named', () => {
    const incremental = lived('backend: lsm, incremental: true');
    const full = lived('backend: lsm');
    for (const record of [incremental, full]) expect(record.verdict, findings(record)).toBe('passed');
    // The last ten that records came between: the state has all its keys by then.
    const last = completed(incremental).slice(-14, -4);
    const written = sum(last.map(({ checkpointedBytes }) => checkpointedBytes));
    const whole = sum(last.map(({ stateBytes }) => stateBytes));
    const full10 = sum(
      completed(full)
        .slice(-14, -4)
        .map(({ checkpointedBytes }) => checkpointedBytes),
    );
    expect(written * 4).toBeLessThan(whole);
    expect(written).toBeLessThan(full10);
    // Nothing changed any more: nothing but the manifests is written.
    expect(completed(incremental).at(-1)?.checkpointedBytes).toBeLessThan(300);
  });
});

describe('lsm: a full checkpoint that somebody asks for', () => {
  it('C6: reuses nothing, and those behind it build on it', () => {
    const record = lived('backend: lsm, incremental: true', '{ operation: checkpoint, type: full, at: 5s }');
    expect(record.verdict, findings(record)).toBe('passed');
    const full = eventsOf(record).findIndex(
      (event) => event.kind === 'checkpoint-triggered' && event.options.sharing === 'forward',
    );
    const event = eventsOf(record)[full];
    const id = event !== undefined && 'checkpointId' in event ? event.checkpointId : 0;
    const newShares = record.checkpointRecords
      .filter(({ checkpointId }) => Math.abs(checkpointId - id) <= 1)
      .map(({ checkpointedBytes, stateBytes }) => checkpointedBytes / stateBytes);
    expect(newShares).toHaveLength(3);
    expect(newShares[0]).toBeLessThan(0.7);
    expect(newShares[1]).toBe(1);
    // A checkpoint behind a full one uses nothing that is older.
    expect(newShares[2]).toBeLessThan(0.7);
  });
});

describe('lsm: rare paths are reached', () => {
  it('S16: a subtask that missed a notice names a file that is gone; the checkpoint fails, and the next ones are good', () => {
    const record = liveIt(planOf('lsm-incremental', '2'), { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(probesOf(record)).toContain('placeholder-of-missing-file');
  });

  it('C27, S24: runs begin from segments of the run before under every claim mode, and with another backend', () => {
    const record = liveIt(planOf('lsm-savepoints', '3'), { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    const owners = eventsOf(record).flatMap((event) => (event.kind === 'job-submitted' ? [event.owner] : []));
    expect(owners).toEqual(['user', 'claimed', 'user', 'claimed']);
  });
});

describe('lsm: the backend of a later run', () => {
  it('S24: a job that began on the heap goes on in segments, and what it leaves is restorable', () => {
    const text = `
name: later
description: The second run has another backend than the first.
job: { use: keyed-count, parallelism: 2, parameters: { key: key } }
inputs: { numbers: { dataset: generated:300x0, records: 1600, rate: 400/s, partitions: 2 } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1, profile: cloud-small }
checkpointing: { interval: 500ms, backend: hashmap, incremental: true }
faults: [{ operation: stop-with-savepoint, format: canonical, at: 2s, thenResume: { claim: claim, backend: lsm } }]
duration: 9s
expect: exactly-once
`;
    const parsed = parseScenario({ text, file: 'later.yaml' });
    if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
    const record = liveIt(compile(parsed.scenario, '1'), { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    const shared = eventsOf(record).filter(
      (event) => event.kind === 'object-stored' && event.path.includes('/shared/'),
    );
    expect(shared).not.toHaveLength(0);
  });
});

/** The disk of one machine goes bad for a while. */
function withRot(ms: number, restart: string, further = ''): RunRecord {
  const text = `
name: rot
description: The disk of one machine goes bad for a while.
job: { use: keyed-count, parallelism: 2, parameters: { key: key } }
inputs: { numbers: { dataset: generated:300x0, records: 1600, rate: 400/s, partitions: 2 } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1, profile: cloud-small }
checkpointing: { interval: 500ms, backend: lsm, incremental: true }
restart: { ${restart} }
faults: [{ disk-damage: taskmanager-1, chance: 1/1, at: 2s, for: ${ms}ms }${further}]
duration: 9s
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'rot.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return liveIt(compile(parsed.scenario, '1'), { keepHistory: true });
}

describe('lsm: the disk of the node', () => {
  it('a segment that has rotted fails its subtask, which names file and offset, and is restored from the checkpoint', () => {
    const record = withRot(1_000, 'strategy: exponential-delay');
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.faults['disk-damage/taskmanager']).toEqual({ planned: 1, effective: 1 });
    const events = eventsOf(record);
    const rotten = events.find((event) => event.kind === 'corrupt-file');
    expect(rotten?.path).toMatch(/^lsm\/\d+\/[^/]+\/\d+\.segment$/);
    const failed = events.find((event) => event.kind === 'task-state' && event.state === 'failed');
    expect(failed).toMatchObject({
      failure: 'corrupt-state',
      reason: `${rotten?.path}: ${rotten?.problem} (at byte ${rotten?.offset})`,
    });
    expect(events.slice(events.indexOf(failed as never)).some(({ kind }) => kind === 'task-restored')).toBe(true);
  });

  it('what ended the job is said of it, and not what a restart had mended before', () => {
    const endOf = (record: RunRecord) => {
      const written = eventsOf(record).findLast(
        (event) => event.kind === 'coordination-updated' && event.key === 'keyed-count/checkpoints',
      );
      return written?.kind === 'coordination-updated' ? decodePointer(written.value).job?.ended : undefined;
    };
    const causes = (record: RunRecord) =>
      eventsOf(record).flatMap((event) => (event.kind === 'restart-scheduled' ? [event.cause] : []));
    const rot = withRot(1_000, 'strategy: none');
    expect([causes(rot), endOf(rot)]).toMatchObject([
      [],
      { status: 'failed', reason: expect.stringMatching(/^lsm\//) },
    ]);
    const once = 'strategy: fixed-delay, delay: 200ms, attempts: 1';
    const crash = withRot(100, once, ', { crash: taskmanager-2, at: 6s, restartAfter: 1s }');
    expect([causes(crash), endOf(crash)?.status, endOf(crash)?.reason]).toEqual([
      ['corrupt-state'],
      'failed',
      undefined,
    ]);
  });
});
