/** Row S13: a job that has changed meets state it cannot read. It fails for good, says why, and leaves what it was given as it is. */
import { expect, it } from 'vitest';
import { leaderEpoch, MAIN_MAILBOX, nodeId } from '../../../../engine/foundation/ids.ts';
import type { KeyedProcessFunction } from '../../../../engine/job/functions.ts';
import type { OperatorSpec } from '../../../../engine/job/job-graph.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import { valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import { StreamTask } from '../../../../engine/taskmanager/stream-task.ts';
import { attempt, id, inlineHandle } from '../../../support/engine-values.ts';
import { jobGraph, vertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

const RANGE = { start: 0, end: 7 };

it('S13: the subtask fails with a reason that no restart helps, and names operator, state and both forms', () => {
  const backend = new HashMapStateBackend({
    keySerializer: Types.string as never,
    keyGroups: RANGE,
    maxParallelism: 8,
  });
  backend.setCurrentKey('a');
  backend.getState(valueState('total', Types.string)).update('many');
  const operator: OperatorSpec = {
    kind: 'process',
    uid: 'count',
    name: 'Count',
    key: String,
    keySerializer: Types.string as never,
    function: {
      states: [valueState('total', Types.int)],
      create: (): KeyedProcessFunction<unknown, unknown> => ({ processElement: () => {} }),
    },
  };
  const handle = { ...inlineHandle('count', backend.snapshot().write()), state: 'keyed', keyGroups: RANGE } as const;
  const out = new RecordingOut();
  const deployment = {
    attempt: attempt(1),
    vertex: 0,
    subtask: 0,
    slot: 0,
    inputs: [],
    restore: { checkpointId: id(4), state: [{ vertex: 0, subtask: 0, handles: [handle] }] },
  };
  const task = new StreamTask({
    environment: taskEnvironment({
      graph: jobGraph([{ ...vertex(0, 1), maxParallelism: 8, operators: [operator] }], []),
    }),
    deployment,
    epoch: leaderEpoch(1),
    incarnation: 1,
    jobManager: { node: nodeId('jobmanager-1'), mailbox: MAIN_MAILBOX, via: 'datagram' },
  });
  const from = { from: nodeId('taskmanager-1'), fromMailbox: MAIN_MAILBOX, mailbox: MAIN_MAILBOX };
  const start = { kind: 'message', ...from, message: { kind: 'task-start', deployment } } as const;
  task.handle(start, false, micros(1), out);
  expect(task.why.failure).toBe('incompatible-state');
  expect(out.events.find(({ kind }) => kind === 'state-incompatible')).toMatchObject({
    why: "operator 'count': state 'total' has type string@1, which cannot be read as int@1",
  });
  expect(out.all('storage-put')).toEqual([]);
  expect(out.all('storage-delete')).toEqual([]);
});
