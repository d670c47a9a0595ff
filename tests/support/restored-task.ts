/** A subtask with one keyed operator whose state comes from a checkpoint, brought to where it runs or fails. */
import { leaderEpoch, MAIN_MAILBOX, nodeId } from '../../engine/foundation/ids.ts';
import { micros } from '../../engine/foundation/time.ts';
import type { KeyedProcessFunction } from '../../engine/job/functions.ts';
import type { JobGraph, OperatorSpec } from '../../engine/job/job-graph.ts';
import { HashMapStateBackend } from '../../engine/state/hashmap-state-backend.ts';
import { valueState } from '../../engine/state/state-descriptor.ts';
import { Types } from '../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../engine/state/type-serializer.ts';
import { StreamTask } from '../../engine/taskmanager/stream-task.ts';
import type { TaskEnvironment } from '../../engine/taskmanager/task-environment.ts';
import { attempt, id, inlineHandle } from './engine-values.ts';
import { jobGraph, vertex } from './job-graphs.ts';
import type { RecordingOut } from './recording-out.ts';

const KEY_GROUPS = { start: 0, end: 7 };

/** Operator `count`, whose state `total` is declared with this type. */
export function countGraph(declared: TypeSerializer<never>): JobGraph {
  const operator: OperatorSpec = {
    kind: 'process',
    uid: 'count',
    name: 'Count',
    key: String,
    keySerializer: Types.string as never,
    function: {
      states: [valueState('total', declared)],
      create: (): KeyedProcessFunction<unknown, unknown> => ({ processElement: () => {} }),
    },
  };
  return jobGraph([{ ...vertex(0, 1), maxParallelism: 8, operators: [operator] }], []);
}

/** A file in which `total` is this text for each key. */
export function totalsFile(keys: readonly string[], text: string): Uint8Array {
  const keySerializer = Types.string as never;
  const backend = new HashMapStateBackend({ keySerializer, keyGroups: KEY_GROUPS, maxParallelism: 8 });
  for (const key of keys) {
    backend.setCurrentKey(key);
    backend.getState(valueState('total', Types.string)).update(text);
  }
  return backend.snapshot().write();
}

/** Attempt `number`, started from that file. */
export function restoredTask(
  environment: TaskEnvironment,
  { file, number, out }: { readonly file: Uint8Array; readonly number: number; readonly out: RecordingOut },
): StreamTask {
  const handle = { ...inlineHandle('count', file), state: 'keyed', keyGroups: KEY_GROUPS } as const;
  const restore = { checkpointId: id(4), state: [{ vertex: 0, subtask: 0, handles: [handle] }] };
  const deployment = { attempt: attempt(number), vertex: 0, subtask: 0, slot: 0, inputs: [], restore };
  const jobManager = { node: nodeId('jobmanager-1'), mailbox: MAIN_MAILBOX, via: 'datagram' } as const;
  const task = new StreamTask({ environment, deployment, epoch: leaderEpoch(1), incarnation: 1, jobManager });
  const from = { from: nodeId('taskmanager-1'), fromMailbox: MAIN_MAILBOX, mailbox: MAIN_MAILBOX };
  task.handle({ kind: 'message', ...from, message: { kind: 'task-start', deployment } }, false, micros(1), out);
  return task;
}
