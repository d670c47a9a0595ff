/**
 * What checkpoints of a state log cost, in virtual time on `cloud-small` (row S20), and that rare paths are reached. Figures are exact: one
 * seed, no fault but the one of the story.
 */
import { describe, expect, it } from 'vitest';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { compile, parseScenario } from '../../scenarios/index.ts';
import { type JobDefinition, keyField, outputKey } from '../../scenarios/jobs/job-definition.ts';
import { readUnion, sinkOptions } from '../../scenarios/jobs/log-topics.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { eventsOf, findings, liveIt, planOf, probesOf } from '../support/lives.ts';

const PROFILE = 'x'.repeat(2_000);

/** Keeps two kilobytes for each key. */
const profiles: JobDefinition = {
  name: 'profiles',
  description: 'Keeps a profile of each key.',
  parameters: [],
  build(input) {
    const { parallelism } = input;
    const env = new StreamExecutionEnvironment({ jobId: 'profiles', name: 'Profiles', parallelism });
    readUnion(env, input, input.topics)
      .keyBy((row) => keyField(row, 'key'))
      .process({
        states: [valueState('profile', Types.string)],
        create: () => {
          let update: (profile: string) => void;
          return {
            open(runtime) {
              const state = runtime.value<string>('profile');
              update = (profile) => state.update(profile);
            },
            processElement(row, _context, out) {
              update(PROFILE);
              out.collect({ key: keyField(row, 'key') });
            },
          };
        },
      })
      .uid('profiles')
      .sinkTo(sinkOptions(input))
      .uid('sink');
    return {
      graph: env.jobGraph(),
      audit: { stateIsOrderInsensitive: true, outputValues: 'multiset', outputKey },
    };
  },
};

interface Life {
  /** Keys of the input: with many the state grows all the time, with few it is written over and over. */
  readonly keys: number;
  readonly backend: string;
}

function lived({ keys, backend }: Life): RunRecord {
  const text = `
name: cost
description: A large state, and one crash.
job: { use: profiles, parallelism: 2 }
inputs: { numbers: { dataset: generated:${keys}x0, records: 14000, rate: 2000/s, partitions: 2 } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1, profile: cloud-small }
checkpointing: { interval: 500ms, timeout: 8s, retained: 1, ${backend} }
runtime: { heartbeatInterval: 300ms, heartbeatTimeout: 1s }
faults: [{ crash: taskmanager, at: 7800ms, restartAfter: 200ms }]
duration: 8s
liveness: { within: 4s }
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'cost.yaml', jobs: [profiles] });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return liveIt(compile(parsed.scenario, '1'), { keepHistory: true, judges: false, jobs: [profiles] });
}

const completed = ({ checkpointRecords }: RunRecord) =>
  checkpointRecords.filter(({ outcome }) => outcome === 'completed');
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Longest time that a subtask took to be restored. */
function restoreUsMax({ history }: RunRecord): number {
  const since = new Map<number, number>();
  let longest = 0;
  let isRestart = false;
  for (const { event, atUs } of history) {
    isRestart ||= event.kind === 'task-restored';
    if (event.kind !== 'task-state') continue;
    if (event.state === 'initializing') since.set(event.attempt, atUs);
    if (event.state === 'running' && isRestart) longest = Math.max(longest, atUs - (since.get(event.attempt) ?? atUs));
  }
  return longest;
}

const HASHMAP = 'backend: hashmap';
const LOG_ONLY = 'backend: hashmap, changelog: { materializationInterval: 0s, preemptiveUpload: 200KiB }';
const WITH_SNAPSHOTS = 'backend: hashmap, changelog: { materializationInterval: 2s, preemptiveUpload: 200KiB }';

/** Of four checkpoints in a row while records come. */
const durationUs = (record: RunRecord, from: number): number =>
  mean(
    completed(record)
      .slice(from, from + 4)
      .map(({ endToEndUs }) => endToEndUs),
  );

describe('changelog: what a checkpoint costs (result 3 of the published ones, in shape)', () => {
  it('S20: while the state grows, a full checkpoint takes longer and longer, one of a log does not', () => {
    const full = lived({ keys: 200_000, backend: HASHMAP });
    const logged = lived({ keys: 200_000, backend: WITH_SNAPSHOTS });
    expect(durationUs(full, 9)).toBeGreaterThan(2 * durationUs(full, 1));
    expect(durationUs(logged, 9)).toBeLessThan(1.5 * durationUs(logged, 1));
    expect(durationUs(logged, 9) * 2.5).toBeLessThan(durationUs(full, 9));
    expect(probesOf(logged)).toContain('state-materialized');
  });

  it('S20: the price is a longer restore and more bytes, unless snapshots cut the log', () => {
    const full = lived({ keys: 1_500, backend: HASHMAP });
    const logged = lived({ keys: 1_500, backend: LOG_ONLY });
    const cut = lived({ keys: 1_500, backend: WITH_SNAPSHOTS });
    expect(restoreUsMax(logged)).toBeGreaterThan(2 * restoreUsMax(full));
    expect(restoreUsMax(cut) * 2).toBeLessThan(restoreUsMax(logged));
    const bytes = (record: RunRecord): number => completed(record)[12]?.stateBytes ?? 0;
    expect(bytes(logged)).toBeGreaterThan(8 * bytes(full));
    expect(bytes(cut)).toBeLessThan(5 * bytes(full));
  });
});

describe('changelog: rare paths are reached', () => {
  it('S20: stretches are written ahead, snapshots fail and nothing else does', () => {
    const probes = new Set<string>();
    for (let seed = 1; seed <= 8; seed += 1) {
      const record = liveIt(planOf('changelog', String(seed)), { keepHistory: true });
      expect(record.verdict, findings(record)).toBe('passed');
      for (const probe of probesOf(record)) probes.add(probe);
    }
    for (const probe of ['changelog-written-ahead', 'state-materialized', 'materialization-failed'])
      expect(probes).toContain(probe);
  });

  it('S20, C27: runs begin from logs of the run before under every claim mode', () => {
    const record = liveIt(planOf('changelog-runs', '2'), { keepHistory: true });
    expect(record.verdict, findings(record)).toBe('passed');
    const owners = eventsOf(record).flatMap((event) => (event.kind === 'job-submitted' ? [event.owner] : []));
    expect(owners).toEqual(['user', 'claimed', 'user', 'claimed']);
  });
});
