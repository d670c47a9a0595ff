/**
 * In-flight data of rescaled exchanges, as the consumer that takes it over reads it (row B19; Flink: RescalingStreamTaskNetworkInput,
 * RecordFilterContext).
 *
 * Buffers of ours hold whole records, so that no record has to be put together from buffers of several old channels.
 *
 * I1: of a hash exchange a subtask keeps exactly the records that the new topology sends it, by the key selector of the edge (of a custom
 *     one by its partitioner, though row B11 lets none have such data): each record
 *     is kept by one subtask, though several read it. Of a rebalance exchange it keeps all it was handed: nobody else was;
 * I2: the order of a channel stays: its input state lay before its output state.
 */
import { downstreamMapper, isAmbiguous } from '../checkpoint/subtask-state-mapper.ts';
import { assert } from '../foundation/assert.ts';
import type { JobEdge, JobGraph } from '../job/job-graph.ts';
import { keyGroupOf, subtaskOf } from '../job/key-groups.ts';
import type { UserCode } from '../operators/user-code.ts';
import type { DataBuffer } from '../protocol/stream-elements.ts';
import type { RestoredState } from '../taskmanager/state-restore.ts';
import { decodeChannelState } from './channel-state-file.ts';

export interface TakenOverBuffer {
  readonly edge: number;
  readonly buffer: DataBuffer;
}

export interface NewConsumer {
  /** As it is deployed. */
  readonly graph: JobGraph;
  readonly subtask: number;
  /** Marks the calls of key selectors. */
  readonly userCode: UserCode;
}

/** In the order in which the states are given. Throws `CorruptData`. */
export function takenOverData(states: readonly RestoredState[], consumer: NewConsumer): TakenOverBuffer[] {
  const data: TakenOverBuffer[] = [];
  for (const { handle, bytes } of states) {
    for (const { edge: index, buffers } of decodeChannelState(bytes, handle.channels ?? [])) {
      const edge = consumer.graph.edges[index];
      assert(edge !== undefined, 'in-flight data lay on an edge of the job', { index });
      for (const buffer of buffers) {
        const kept = isAmbiguous(downstreamMapper(edge.partitioning)) ? ownRecords(buffer, edge, consumer) : buffer;
        if (kept.values.length > 0) data.push({ edge: index, buffer: kept });
      }
    }
  }
  return data;
}

function ownRecords(buffer: DataBuffer, edge: JobEdge, { graph, subtask, userCode }: NewConsumer): DataBuffer {
  const vertex = graph.vertices[edge.to];
  const selector = edge.key;
  assert(vertex !== undefined && selector !== undefined, 'a hash or custom edge has a consumer and a key selector');
  const { parallelism, maxParallelism } = vertex;
  const { values, timestampsUs, lineages } = buffer;
  const kept: { values: unknown[]; timestampsUs: number[]; lineages: number[] } = {
    values: [],
    timestampsUs: [],
    lineages: [],
  };
  for (let at = 0; at < values.length; at += 1) {
    userCode.isRunning = true;
    const key = selector(values[at]);
    const owner = edge.partitioner?.(key, parallelism);
    userCode.isRunning = false;
    if ((owner ?? subtaskOf(keyGroupOf(key, maxParallelism), parallelism, maxParallelism)) !== subtask) continue;
    kept.values.push(values[at]);
    kept.timestampsUs.push(timestampsUs[at] ?? 0);
    kept.lineages.push(lineages[at] ?? 0);
  }
  return { kind: 'data', ...kept, bytes: Math.ceil((buffer.bytes * kept.values.length) / values.length) };
}
