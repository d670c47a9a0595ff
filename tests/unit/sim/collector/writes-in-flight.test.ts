/** Which crashes find a durable write on its way. */
import { expect, it } from 'vitest';
import { checkpointId, leaderEpoch, type NodeId, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { WritesInFlight } from '../../../../sim/collector/writes-in-flight.ts';
import type { HistoryEvent } from '../../../../sim/history/history-event.ts';

const [WORKER, LEADER] = [nodeId('taskmanager-1'), nodeId('jobmanager-1')];
type Told = HistoryEvent['event'];
const task = { attempt: 1 as never, vertex: 1, subtask: 0 };
const of = (id: number) => ({ checkpointId: checkpointId(id) });
const stateSent = (id: number): Told => ({ kind: 'state-write-sent', ...task, ...of(id), path: 'p', bytes: 1 });
const acknowledged = (id: number): Told => ({ kind: 'acknowledge-sent', ...task, ...of(id), metrics: {} as never });
const metadataSent = (id: number): Told => ({ kind: 'metadata-write-sent', ...of(id), path: 'm' });
const pointerSent = (id: number): Told => ({ kind: 'pointer-write-sent', ...of(id) });
const aborted = (id: number): Told => ({
  kind: 'checkpoint-aborted',
  ...of(id),
  epoch: leaderEpoch(1),
  triggeredAtUs: micros(0),
  reason: 'checkpoint-expired',
  acknowledged: 0,
  required: 1,
});

/** What was on the way from the node when it crashed behind all that. */
function atCrash(node: NodeId, ...events: readonly Told[]): readonly string[] {
  const writes = new WritesInFlight();
  const tell = (event: Told): readonly string[] => writes.observe({ index: 0, atUs: 0, node, event });
  for (const event of events) tell(event);
  return tell({ kind: 'node-crashed', incarnation: 1 });
}

it.each([
  ['state that is sent', WORKER, [stateSent(1)], ['state']],
  ['state that is acknowledged', WORKER, [stateSent(1), acknowledged(1)], []],
  ['state of a checkpoint that is given up', WORKER, [stateSent(1), aborted(1)], []],
  ['state of the checkpoint behind that', WORKER, [stateSent(1), stateSent(2), aborted(1)], ['state']],
  ['metadata', LEADER, [metadataSent(1)], ['metadata']],
  ['the pointer, for which metadata is known', LEADER, [metadataSent(1), pointerSent(1)], ['pointer']],
  ['nothing since an earlier crash', LEADER, [metadataSent(1), { kind: 'node-crashed', incarnation: 1 } as const], []],
] as const)('%s', (_what, node, events, expected) => {
  expect(atCrash(node, ...events)).toEqual(expected);
});
