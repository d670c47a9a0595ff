/** Operators of a user's between writer and committer, and behind the committer (row K8; X61): what they count is what was written and committed. */
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../engine/foundation/byte-reader.ts';
import { decodePointer, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import { decodeMetadata } from '../../engine/protocol/metadata-file.ts';
import type { StateHandle } from '../../engine/protocol/state-handle.ts';
import { readKeyedStateEntries } from '../../engine/state/keyed-state-file.ts';
import { Types } from '../../engine/state/type-information.ts';
import { buildJob } from '../../scenarios/build-job.ts';
import { compile, parseScenario } from '../../scenarios/index.ts';
import type { RunRecord } from '../../sim/run-record.ts';
import { verticesOfSinks } from '../../sim/judges/sink-topology.ts';
import { findings, liveIt, planOf } from '../support/lives.ts';

/** A life without faults, and what its newest checkpoint says of the operators of its sink. */
function calm(committer: 'separate' | 'global'): {
  record: RunRecord;
  checkpoint: number;
  counts: Map<string, number>;
} {
  const text = `
name: calm
description: No fault.
job: { use: audited-commits, parallelism: 3 }
inputs: { flights: { dataset: flights-20k, records: 1200, rate: 120/s, partitions: 3 } }
cluster: { taskManagers: 2, slots: 2, jobManagers: 1 }
sink: { kind: kafka, brokers: 2, partitions: 2, committer: ${committer} }
checkpointing: { interval: 1s, inlineThreshold: 20KiB }
duration: 11s
expect: exactly-once
`;
  const parsed = parseScenario({ text, file: 'calm.yaml' });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const plan = compile(parsed.scenario, '1');
  const counts = new Map<string, number>();
  let checkpoint = 0;
  const record = liveIt(plan, {
    keepHistory: true,
    inspect: (durable) => {
      const { completed } = decodePointer(durable.coordination(pointerKey('audited-commits')) ?? '');
      const metadata = decodeMetadata(durable.object(completed.at(-1)?.metadata ?? '') ?? new Uint8Array());
      checkpoint = metadata.checkpointId;
      for (const handle of metadata.states.flatMap(({ handles }) => handles))
        if (handle.operator === 'written' || handle.operator === 'committed')
          counts.set(handle.operator, (counts.get(handle.operator) ?? 0) + sumOf(handle));
    },
  });
  return { record, checkpoint, counts };
}

function sumOf({ inline = new Uint8Array() }: StateHandle): number {
  let sum = 0;
  readKeyedStateEntries(inline, (_state, _keyGroup, _key, value) => {
    sum += Types.int.deserialize(new ByteReader(value));
  });
  return sum;
}

/** Transactions committed for checkpoints up to this one. */
const committedUpTo = ({ history }: RunRecord, checkpoint: number): number =>
  new Set(
    history.flatMap(({ event }) =>
      event.kind === 'commit-sent' && event.checkpointId <= checkpoint ? [event.transaction] : [],
    ),
  ).size;

describe.each(['separate', 'global'] as const)('operators around a %s committer', (committer) => {
  it('K8: before it they have counted what is in the snapshot, behind it what was committed before the snapshot', () => {
    const { record, checkpoint, counts } = calm(committer);
    expect(record.verdict, findings(record)).toBe('passed');
    expect(counts.get('written')).toBeGreaterThan(6);
    expect(counts.get('written')).toBe(committedUpTo(record, checkpoint));
    expect(counts.get('committed')).toBe(committedUpTo(record, checkpoint - 1));
  });
});

describe('the topology of a sink', () => {
  it('B11, X61: no edge of it carries in-flight data, all others may', () => {
    const { graph } = buildJob(planOf('sink-topologies', '1'));
    const inside = verticesOfSinks(graph);
    expect(inside.size).toBe(3);
    for (const { from, to, sinkInternal } of graph.edges)
      expect(sinkInternal === true, `${from} to ${to}`).toBe(inside.has(to));
  });

  it('K8: under faults what is committed is what was written, once', () => {
    for (const seed of ['1', '2']) {
      const record = liveIt(planOf('sink-topologies', seed));
      expect(record.verdict, findings(record)).toBe('passed');
    }
  });
});
