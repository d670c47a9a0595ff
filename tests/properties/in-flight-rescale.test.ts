/** Rows B18, B19: in-flight data of any checkpoint, restored at any parallelism, is there exactly once, where it belongs, in its order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeChannelState } from '../../engine/channel-state/channel-state-file.ts';
import { takenOverData } from '../../engine/channel-state/taken-over-data.ts';
import { InFlightAssignment } from '../../engine/checkpoint/in-flight-assignment.ts';
import { crc32c } from '../../engine/foundation/crc32c.ts';
import type { JobEdge, JobGraph } from '../../engine/job/job-graph.ts';
import { keyGroupOf, subtaskOf } from '../../engine/job/key-groups.ts';
import { operatorScales } from '../../engine/job/scaled-graph.ts';
import { UserCode } from '../../engine/operators/user-code.ts';
import { standardParts } from '../../engine/parts.ts';
import type { StateHandle, SubtaskState } from '../../engine/protocol/state-handle.ts';
import { edge, jobGraph, sourceVertex, vertex } from '../support/job-graphs.ts';

const MAX_PARALLELISM = 128;

function graphOf(producers: number, consumers: number, partitioning: JobEdge['partitioning']): JobGraph {
  const map = { kind: 'map' as const, uid: 'map', name: 'map', map: (value: unknown) => value };
  return jobGraph(
    [
      { ...sourceVertex(0, producers), maxParallelism: MAX_PARALLELISM },
      vertex(1, consumers, { maxParallelism: MAX_PARALLELISM, operators: [map] }),
    ],
    [edge(0, 0, 1, partitioning)],
  );
}

interface InFlight {
  readonly producer: number;
  readonly key: number;
  readonly isOutput: boolean;
}

const ownerOf = (value: unknown, consumers: number): number =>
  subtaskOf(keyGroupOf(String(value), MAX_PARALLELISM), consumers, MAX_PARALLELISM);

function handleOf(
  operator: string,
  state: 'input-channel' | 'output-channel',
  channels: readonly { readonly peer: number; readonly records: readonly { value: number; lineage: number }[] }[],
): StateHandle {
  const { bytes, sections } = encodeChannelState(
    channels.map(({ peer, records }) => ({
      edge: 0,
      peer,
      buffers: records.map(({ value, lineage }) => ({
        kind: 'data' as const,
        values: [value],
        timestampsUs: [0],
        lineages: [lineage],
        bytes: 10,
      })),
    })),
  );
  return {
    operator,
    state,
    path: '',
    inline: bytes,
    bytes: bytes.length,
    checksum: crc32c(bytes),
    channels: sections,
  };
}

/** Lineage numbers the records in the order in which they were sent: of each channel, input state before output state. */
function statesOf(inFlight: readonly InFlight[], old: { producers: number; consumers: number }): SubtaskState[] {
  const records = inFlight
    .toSorted((a, b) => Number(a.isOutput) - Number(b.isOutput))
    .map(({ producer, key, isOutput }, lineage) => ({
      producer: producer % old.producers,
      consumer: ownerOf(key, old.consumers),
      isOutput,
      value: key,
      lineage,
    }));
  const consumers = Array.from({ length: old.consumers }, (_, subtask) => {
    const mine = records.filter(({ consumer, isOutput }) => consumer === subtask && !isOutput);
    const channels = Array.from({ length: old.producers }, (_x, peer) => ({
      peer,
      records: mine.filter(({ producer }) => producer === peer),
    }));
    return { vertex: 1, subtask, handles: [handleOf('map', 'input-channel', channels)] };
  });
  const producers = Array.from({ length: old.producers }, (_, subtask) => {
    const mine = records.filter(({ producer, isOutput }) => producer === subtask && isOutput);
    const channels = Array.from({ length: old.consumers }, (_x, peer) => ({
      peer,
      records: mine.filter(({ consumer }) => consumer === peer),
    }));
    return { vertex: 0, subtask, handles: [handleOf('source-0', 'output-channel', channels)] };
  });
  return [...producers, ...consumers];
}

const width = fc.integer({ min: 1, max: 7 });
const checkpoint = fc.record({
  old: fc.record({ producers: width, consumers: width }),
  now: fc.record({ producers: width, consumers: width }),
  inFlight: fc.array(fc.record({ producer: fc.nat(6), key: fc.nat(40), isOutput: fc.boolean() }), { maxLength: 60 }),
});

describe('in-flight data at another parallelism', () => {
  it.each(['hash', 'rebalance'] as const)(
    'B19: of a %s exchange each record is kept once, behind what was before it on its channel',
    (kind) => {
      const property = fc.property(checkpoint, ({ old, now, inFlight }) => {
        const isRescaled = old.producers !== now.producers || old.consumers !== now.consumers;
        const operators = operatorScales(graphOf(old.producers, old.consumers, kind));
        const graph = graphOf(now.producers, now.consumers, kind);
        const states = statesOf(inFlight, old);
        const assignment = new InFlightAssignment({ graph, restored: { states, operators }, parts: standardParts });
        const [producer, consumer] = graph.vertices;
        if (producer === undefined || consumer === undefined) throw new Error('two vertices');
        const kept: number[] = [];
        for (let subtask = 0; subtask < now.consumers; subtask += 1) {
          const handles = assignment.takenOver(consumer, subtask);
          if (!isRescaled) expect(handles).toEqual([]);
          const restored = handles.map((handle) => ({ handle, bytes: handle.inline ?? new Uint8Array() }));
          const data = takenOverData(restored, { graph, subtask, userCode: new UserCode() });
          const values = data.flatMap(({ buffer }) => buffer.values);
          if (kind === 'hash') expect(values.every((value) => ownerOf(value, now.consumers) === subtask)).toBe(true);
          const lineages = data.flatMap(({ buffer }) => buffer.lineages);
          kept.push(...lineages);
          const firstOutput = inFlight.filter(({ isOutput }) => !isOutput).length;
          const at = lineages.findIndex((lineage) => lineage >= firstOutput);
          if (at >= 0) expect(lineages.slice(at).every((lineage) => lineage >= firstOutput)).toBe(true);
        }
        if (isRescaled) {
          expect(kept.sort((a, b) => a - b)).toEqual(inFlight.map((_, index) => index));
          for (let subtask = 0; subtask < now.producers; subtask += 1)
            expect(assignment.restored(producer, subtask)).toEqual([]);
        }
      });
      fc.assert(property, { numRuns: 200, seed: 19_801 });
    },
  );

  it('B18: at unchanged parallelism each subtask gets its own files back, whole', () => {
    const property = fc.property(checkpoint, ({ old, inFlight }) => {
      const graph = graphOf(old.producers, old.consumers, 'hash');
      const states = statesOf(inFlight, old);
      const assignment = new InFlightAssignment({
        graph,
        restored: { states, operators: operatorScales(graph) },
        parts: standardParts,
      });
      for (const { vertex: index, subtask, handles } of states) {
        const of = graph.vertices[index];
        expect(of && assignment.restored(of, subtask)).toEqual(handles);
        expect(of && assignment.takenOver(of, subtask)).toEqual([]);
      }
    });
    fc.assert(property, { numRuns: 50, seed: 19_801 });
  });

  it('B11, B19: a forward exchange that holds in-flight data is refused at another parallelism', () => {
    const states = statesOf([{ producer: 0, key: 1, isOutput: false }], { producers: 2, consumers: 2 });
    const graph = graphOf(3, 3, 'forward');
    const operators = operatorScales(graphOf(2, 2, 'forward'));
    const assignment = new InFlightAssignment({ graph, restored: { states, operators }, parts: standardParts });
    const consumer = graph.vertices[1];
    expect(() => consumer && assignment.takenOver(consumer, 0)).toThrow('cannot be rescaled');
  });
});
