/**
 * What checkpoints of a state log cost, in virtual time on `cloud-small` (row S20), and that rare paths are reached. Figures are exact: one
 * seed, no fault but the one of the story.
 */
import { describe, expect, it } from 'vitest';
import { median } from '../../bench/index.ts';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { compile, parseScenario } from '../../scenarios/index.ts';
import { type JobDefinition, keyField, outputKey } from '../../scenarios/jobs/job-definition.ts';
import { readUnion, sinkOptions } from '../../scenarios/jobs/log-topics.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { eventsOf, findings, liveIt, planOf, probesOf } from '../support/lives.ts';

const PROFILE = 'x'.repeat(4_000);

/** Keeps four kilobytes for each key. */
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

const STORM_US = 6_000_000;

interface Life {
  /** Keys of the input: with many the state grows all the time, with few it is written over and over. */
  readonly keys: number;
  readonly backend: string;
  /** When the one crash comes. */
  readonly crash?: string;
}

/** The put of an object takes little here, so that its bytes are what a checkpoint takes. */
function lived({ keys, backend, crash = '4800ms' }: Life): RunRecord {
  const text = `
name: cost
description: A large state, and one crash.
job: { use: profiles, parallelism: 2 }
inputs: { numbers: { dataset: generated:${keys}x0, records: 2500, rate: 500/s, partitions: 2 } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1, profile: cloud-small }
storage: { flavour: s3-express }
checkpointing: { interval: 500ms, timeout: 8s, retained: 1, ${backend} }
runtime: { heartbeatInterval: 300ms, heartbeatTimeout: 1s }
faults: [{ crash: taskmanager, at: ${crash}, restartAfter: 200ms }]
duration: ${STORM_US / 1_000}ms
liveness: { within: 2s }
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'cost.yaml', jobs: [profiles] });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  return liveIt(compile(parsed.scenario, '1'), { keepHistory: true, judges: false, jobs: [profiles] });
}

const completed = ({ checkpointRecords }: RunRecord) =>
  checkpointRecords.filter(({ outcome }) => outcome === 'completed');
/** Longest time that a subtask took to be restored, while the storm lasted: at its end machines are restarted. */
function restoreUsMax({ history }: RunRecord): number {
  const since = new Map<number, number>();
  let longest = 0;
  let isRestart = false;
  for (const { event, atUs } of history) {
    if (atUs >= STORM_US) break;
    isRestart ||= event.kind === 'task-restored';
    if (event.kind !== 'task-state') continue;
    if (event.state === 'initializing') since.set(event.attempt, atUs);
    if (event.state === 'running' && isRestart) longest = Math.max(longest, atUs - (since.get(event.attempt) ?? atUs));
  }
  return longest;
}

const HASHMAP = 'backend: hashmap';
const INCREMENTAL = 'backend: lsm, incremental: true';
const LOG_ONLY = 'backend: hashmap, changelog: { materializationInterval: 0s, preemptiveUpload: 200KiB }';
const WITH_SNAPSHOTS = 'backend: hashmap, changelog: { materializationInterval: 2s, preemptiveUpload: 200KiB }';

/** How long each checkpoint took while records came, but the first, which finds a log without anything below it. */
const durationsUs = (record: RunRecord): readonly number[] =>
  completed(record)
    .slice(1, 9)
    .map(({ endToEndUs }) => endToEndUs);

describe('changelog: what a checkpoint costs (result 3 of the published ones, in shape)', () => {
  it('S20: one of a log takes as long as any other, a full one longer and longer, an incremental one now and then', () => {
    const full = durationsUs(lived({ keys: 200_000, backend: HASHMAP }));
    const incremental = durationsUs(lived({ keys: 200_000, backend: INCREMENTAL }));
    const withLog = lived({ keys: 200_000, backend: LOG_ONLY });
    const logged = durationsUs(withLog);
    for (const durations of [full, incremental, logged]) expect(durations).toHaveLength(8);
    expect(full.at(-1)).toBeGreaterThan(3 * (full[0] ?? 0));
    expect(Math.max(...logged)).toBeLessThan(1.3 * Math.min(...logged));
    expect(median(full)).toBeGreaterThan(3 * median(logged));
    // Most upload what is new; who has merged segments uploads those, and all wait for him.
    expect(median(incremental)).toBeGreaterThan(2 * median(logged));
    expect(Math.max(...incremental)).toBeGreaterThan(2 * median(incremental));
    expect(Math.max(...incremental)).toBeGreaterThan(5 * Math.max(...logged));
  });

  it('S20: the price is a restore that grows with the age of the snapshot, and more bytes', () => {
    const full = lived({ keys: 300, backend: HASHMAP });
    const logged = lived({ keys: 300, backend: LOG_ONLY });
    const early = lived({ keys: 300, backend: LOG_ONLY, crash: '1800ms' });
    const cut = lived({ keys: 300, backend: WITH_SNAPSHOTS });
    const bytes = (record: RunRecord): number => completed(record)[8]?.stateBytes ?? 0;
    expect(probesOf(cut)).toContain('state-materialized');
    expect(restoreUsMax(logged)).toBeGreaterThan(1.7 * restoreUsMax(full));
    expect(restoreUsMax(logged)).toBeGreaterThan(1.5 * restoreUsMax(early));
    expect(restoreUsMax(cut) * 1.3).toBeLessThan(restoreUsMax(logged));
    expect(bytes(logged)).toBeGreaterThan(5 * bytes(full));
    expect(bytes(cut)).toBeLessThan(4 * bytes(full));
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
