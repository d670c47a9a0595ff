/**
 * The real job on all 200,000 real flights with three crashes: what the last checkpoint holds is what a plain loop over the file
 * gives. The loop knows nothing of engine, jobs or judges.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DatasetStore } from '../../cli/datasets.ts';
import { decodePointer, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import { decodeMetadata } from '../../engine/protocol/metadata-file.ts';
import { directoryOfMetadata, resolvedIn } from '../../engine/protocol/savepoint-paths.ts';
import { HashMapStateBackend } from '../../engine/state/hashmap-state-backend.ts';
import { mapState, valueState } from '../../engine/state/state-descriptor.ts';
import type { StateKey } from '../../engine/job/functions.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import { Types } from '../../engine/state/type-information.ts';
import { compile } from '../../scenarios/index.ts';
import { datasetNeeds, live } from '../../scenarios/live.ts';
import type { DurableState } from '../../sim/judges/judge.ts';
import { findings, shippedScenario } from '../support/lives.ts';

interface Answer {
  flights: number;
  delaySum: number;
  delayMax: number;
  readonly byHour: Map<string, number>;
}

/** Straight from the file. */
function answers(): ReadonlyMap<string, Answer> {
  const data = join(
    dirname(createRequire(import.meta.url).resolve('vega-datasets')),
    '..',
    'data',
    'flights-200k.json',
  );
  const rows = JSON.parse(readFileSync(data, 'utf8')) as { delay: number; distance: number; time: number }[];
  expect(rows).toHaveLength(200_000);
  const byDistance = new Map<string, Answer>();
  for (const { delay, distance, time } of rows) {
    let answer = byDistance.get(String(distance));
    if (answer === undefined) {
      answer = { flights: 0, delaySum: 0, delayMax: -1_000_000, byHour: new Map() };
      byDistance.set(String(distance), answer);
    }
    answer.flights += 1;
    answer.delaySum += delay;
    answer.delayMax = Math.max(answer.delayMax, delay);
    const hour = String(Math.floor(time));
    answer.byHour.set(hour, (answer.byHour.get(hour) ?? 0) + delay);
  }
  return byDistance;
}

/** All keyed state of the newest checkpoint, read from its files into one backend. */
function restored(durable: DurableState): HashMapStateBackend {
  const backend = new HashMapStateBackend({
    keySerializer: Types.string as TypeSerializer<StateKey>,
    keyGroups: { start: 0, end: 127 },
    maxParallelism: 128,
  });
  const pointer = decodePointer(durable.coordination(pointerKey('flight-delays')) ?? '');
  const path = pointer.completed.at(-1)?.metadata ?? '';
  const metadata = resolvedIn(directoryOfMetadata(path), decodeMetadata(durable.object(path) ?? new Uint8Array(0)));
  for (const { handles } of metadata.states) {
    for (const handle of handles) {
      if (handle.state !== 'keyed') continue;
      backend.restore(handle.inline ?? durable.object(handle.path) ?? new Uint8Array(0));
    }
  }
  return backend;
}

describe('flight-delays over all 200,000 flights', () => {
  it('with three crashes ends passed and holds the answer computed straight from the file', async () => {
    const plan = compile(shippedScenario('flight-delays-200k'), '1');
    const datasets = new DatasetStore();
    await datasets.prepare(datasetNeeds(plan));
    let backend: HashMapStateBackend | undefined;
    const record = live(plan, {
      loadDataset: datasets.load,
      inspect: (durable) => {
        backend = restored(durable);
      },
    });
    expect(record.verdict, findings(record)).toBe('passed');
    expect(record.records).toMatchObject({ in: 200_000, out: 200_000 });
    const effective = Object.values(record.faults).reduce((sum, count) => sum + count.effective, 0);
    expect(effective).toBe(3);
    if (backend === undefined) throw new Error('the life was not inspected');
    const statistics = backend.getState(
      valueState(
        'statistics',
        Types.row({
          flights: Types.int,
          delaySum: Types.int,
          delayMax: Types.int,
          worstGroup: Types.string,
          worstGroupDelaySum: Types.int,
        }),
      ),
    );
    const groups = backend.getState(mapState('delay-sum-by-group', Types.string, Types.int));
    const expected = answers();
    for (const [distance, answer] of expected) {
      backend.setCurrentKey(distance);
      const worst = [...answer.byHour].reduce((a, b) => (b[1] > a[1] || (b[1] === a[1] && b[0] < a[0]) ? b : a));
      expect(statistics.value(), distance).toEqual({
        flights: answer.flights,
        delaySum: answer.delaySum,
        delayMax: answer.delayMax,
        worstGroup: worst[0],
        worstGroupDelaySum: worst[1],
      });
      expect(new Map(groups.entries()), distance).toEqual(answer.byHour);
    }
    expect(backend.keyCount).toBe(expected.size * 2);
  });
});
