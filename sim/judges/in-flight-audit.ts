/**
 * Folds the in-flight data of an unaligned checkpoint into its keyed state: what a restore would come to before it reads anything new.
 *
 * The state of such a checkpoint is that of all records before its cut, less those under way. So each record that was under way is run
 * through what lies behind its edge, and then the state must be the reference's (judge 3). The engine's operators take no part.
 *
 * I1: a record that was under way lies before the cut: behind it, a restore would read it again.
 * I2: every operator starts from exactly the entries of the checkpoint.
 */
import { type JobGraph, operatorStatesOf } from '../../engine/job/job-graph.ts';
import { isOfFinish, sourceIndexOf } from '../../engine/protocol/stream-elements.ts';
import type { CheckpointContents } from './checkpoint-reader.ts';
import { channelText } from './cut-channel.ts';
import { restoredAsOne } from './operator-state-audit.ts';
import { attempt, type Readable, unreadable } from './readable.ts';
import { ReferenceJob } from './reference-job.ts';
import type { InputIndex } from './reference-run.ts';
import { readKeyedStateEntries } from './state-decoders.ts';

/** The reference with the state of the checkpoint, in-flight records included. */
export function foldInFlight(graph: JobGraph, contents: CheckpointContents): Readable<ReferenceJob> {
  const operators = graph.vertices.flatMap((vertex) => vertex.operators);
  const declared = new Map(operators.map((operator) => [operator.uid, operatorStatesOf(operator)]));
  const restored = restoredAsOne(contents.operatorState, declared);
  if (restored.kind === 'unreadable') return restored;
  const job = new ReferenceJob(graph, undefined, restored.value);
  for (const { operator, bytes } of contents.keyed) {
    const state = job.keyedStates.get(operator);
    if (state === undefined) return unreadable(`${operator} is no keyed operator of the job`);
    let problem: string | undefined;
    const read = attempt(`keyed state of ${operator}`, () =>
      readKeyedStateEntries(bytes, (name, keyGroup, key, value) => {
        problem ??= state.load({ state: name, keyGroup, key: key.slice(), value: value.slice() });
      }),
    );
    if (read.kind === 'unreadable') return read;
    if (problem !== undefined) return unreadable(problem);
  }
  for (const { edge, value, timestampUs, lineage } of contents.inFlight) job.behind(edge)(value, timestampUs, lineage);
  return { kind: 'read', value: job };
}

/** The first in-flight record that breaks I1, described; undefined when there is none. */
export function inFlightBehindCut(
  { graph, index }: { readonly graph: JobGraph; readonly index: InputIndex },
  { cut, inFlight }: CheckpointContents,
): string | undefined {
  for (const { channel, lineage } of inFlight) {
    // A timer emitted it: the judge of the cut looks whether it could have fired.
    if (isOfFinish(lineage)) continue;
    const source = sourceIndexOf(lineage);
    const slot = index.slots[source] ?? -1;
    if (slot >= 0 && (index.offsets[source] ?? 0) < (cut[slot] ?? 0)) continue;
    return `${index.describe(lineage)} lies in ${channelText(graph, channel)}, and behind the cut`;
  }
  return undefined;
}
