/**
 * Where a cut is not consistent: the subtask whose state differs, the channels by which the record comes to it, and whether the checkpoint
 * holds the record on one of them. Words for a violation; called once per life.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { isOfFinish, sourceIndexOf } from '../../engine/protocol/stream-elements.ts';
import type { Channel, CheckpointContents } from './checkpoint-reader.ts';
import type { DifferingState } from './state-difference.ts';

/** `at subtask 1 of count`, and the channels where a record explains it. */
export function cutChannelText(graph: JobGraph, contents: CheckpointContents, differing: DifferingState): string {
  const { operator, keyGroup, lineage, partition = -1 } = differing;
  const piece = contents.keyed.find((one) => one.operator === operator && isWithin(keyGroup, one.keyGroups));
  const where = `${piece === undefined ? `what has key group ${String(keyGroup)}` : `subtask ${String(piece.subtask)}`} of ${operator}`;
  if (lineage === undefined || isOfFinish(lineage)) return `; it is ${where}`;
  const vertex = graph.vertices.findIndex(({ operators }) => operators.some(({ uid }) => uid === operator));
  const edges = graph.edges.filter(({ from, to }) => to === vertex && isBehind(graph, from, partition));
  const source = sourceIndexOf(lineage);
  const held = contents.inFlight.find((one) => !isOfFinish(one.lineage) && sourceIndexOf(one.lineage) === source);
  const from = edges.map(({ from: producer }) => graph.vertices[producer]?.name ?? '').join(' or from ');
  const holds = held === undefined ? 'no channel state holds it' : `${channelText(graph, held.channel)} holds it`;
  return `; it comes to ${where} on a channel from ${from}, and ${holds}`;
}

/** `the output channel state of source 1 -> count 0`. */
export function channelText(graph: JobGraph, { edge, producer, consumer, side }: Channel): string {
  const { from = -1, to = -1 } = graph.edges[edge] ?? {};
  const [left, right] = [graph.vertices[from]?.name ?? '?', graph.vertices[to]?.name ?? '?'];
  return `the ${side} channel state of the channel ${left}[${String(producer)}] to ${right}[${String(consumer)}]`;
}

/** Whether what is read from the partition can come to a vertex, or through it. */
function isBehind(graph: JobGraph, vertex: number, partition: number): boolean {
  if (graph.vertices[vertex]?.source?.partitions.includes(partition) === true) return true;
  return graph.edges.some(({ from, to }) => to === vertex && isBehind(graph, from, partition));
}

const isWithin = (keyGroup: number, { start, end }: { readonly start: number; readonly end: number }): boolean =>
  keyGroup >= start && keyGroup <= end;
