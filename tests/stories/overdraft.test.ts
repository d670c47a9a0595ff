/** A record that gives more output than there are buffers: barriers wait until it is through, and overdraft buffers let it be (row B15). */
import { describe, expect, it } from 'vitest';
import { StreamExecutionEnvironment } from '../../engine/api/stream-execution-environment.ts';
import type { Collector } from '../../engine/job/functions.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import { compile, parseScenario } from '../../scenarios/index.ts';
import type { JobDefinition } from '../../scenarios/jobs/job-definition.ts';
import { readUnion, sinkOptions } from '../../scenarios/jobs/log-topics.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { findings, liveIt } from '../support/lives.ts';

/** Each record becomes this many; a buffer holds two. */
const CHILDREN = 40;

function emitAll(_row: unknown, out: Collector<number>): void {
  for (let number = 0; number < CHILDREN; number += 1) out.collect(number);
}

const burst: JobDefinition = {
  name: 'burst',
  description: 'Each record becomes many, which are counted slowly.',
  parameters: [],
  build(input) {
    const env = new StreamExecutionEnvironment({ jobId: 'burst', name: 'Burst', parallelism: input.parallelism });
    readUnion(env, input, input.topics)
      .rebalance()
      .flatMap(emitAll)
      .keyBy((number) => number % 7, Types.int)
      .process<{ key: string }>({
        states: [valueState('count', Types.int)],
        create: () => {
          let increment = (): void => {};
          return {
            open(runtime) {
              const count = runtime.value<number>('count');
              increment = () => count.update((count.value() ?? 0) + 1);
            },
            processElement(number, _context, out) {
              increment();
              out.collect({ key: String(number % 7) });
            },
          };
        },
      })
      .workPerRecord(2_000)
      .sinkTo(sinkOptions(input));
    return { graph: env.jobGraph(), audit: { stateIsOrderInsensitive: true, outputValues: 'lineage' } };
  },
};

function lived(overdraftBuffers: number): RunRecord {
  const text = `
name: overdraft
job: { use: burst, parallelism: 2 }
input: { dataset: flights-20k, records: 200, rate: 40/s }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1, profile: laptop }
checkpointing: { interval: 500ms, unaligned: true }
runtime: { bufferSize: 200B, exclusiveBuffers: 1, floatingBuffers: 1, overdraftBuffers: ${overdraftBuffers}, bufferTimeout: 10ms }
faults:
  - { crash: taskmanager, every: 2s..3s, restartAfter: 300ms }
duration: 7s
`;
  const parsed = parseScenario({ text, file: 'story.yaml', jobs: [burst] });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const record = liveIt(compile(parsed.scenario, '1'), { keepHistory: true, jobs: [burst] });
  expect(record.verdict, findings(record)).toBe('passed');
  return record;
}

/** Longest time from trigger to first barrier over completed checkpoints, microseconds. */
const startDelayUsMax = ({ checkpointRecords }: RunRecord): number =>
  Math.max(...checkpointRecords.filter(({ outcome }) => outcome === 'completed').map((one) => one.startDelayUsMax));

describe('Story: overdraft buffers', () => {
  const scarce = lived(0);
  const ample = lived(100);

  it('B15: without overdraft barriers wait for records that are stuck, and every cut is still exact', () => {
    expect(Object.keys(scarce.probes)).toContain('barrier-waited-for-record');
    expect(scarce.restarts).toBeGreaterThanOrEqual(1);
  });

  it('B15: with enough of it no barrier waits, and checkpoints start sooner', () => {
    expect(Object.keys(ample.probes)).not.toContain('barrier-waited-for-record');
    expect(startDelayUsMax(ample)).toBeLessThan(startDelayUsMax(scarce) / 2);
  });
});
