/** What a subtask's lsm state leaves on the disk of its node: nothing, however the attempt or its process ends. */
import { describe, expect, it } from 'vitest';
import { leaderEpoch, MAIN_MAILBOX, nodeId } from '../../../../engine/foundation/ids.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import type { KeyedProcessFunction } from '../../../../engine/job/functions.ts';
import type { OperatorSpec } from '../../../../engine/job/job-graph.ts';
import { HashMapStateBackend } from '../../../../engine/state/hashmap-state-backend.ts';
import { valueState } from '../../../../engine/state/state-descriptor.ts';
import { Types } from '../../../../engine/state/type-information.ts';
import type { TypeSerializer } from '../../../../engine/state/type-serializer.ts';
import { StreamTask } from '../../../../engine/taskmanager/stream-task.ts';
import { TaskManager } from '../../../../engine/taskmanager/task-manager.ts';
import { LocalDisk } from '../../../../sim/node/local-disk.ts';
import { attempt, configuration, id, inlineHandle } from '../../../support/engine-values.ts';
import { jobGraph, vertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

const RANGE = { start: 0, end: 7 };
const STRINGS = valueState('total', Types.string);

/** More than fits into a memtable. */
function restoredBytes(): Uint8Array {
  const keySerializer = Types.string as never;
  const backend = new HashMapStateBackend({ keySerializer, keyGroups: RANGE, maxParallelism: 8 });
  for (let key = 0; key < 300; key += 1) {
    backend.setCurrentKey(`key-${key}`);
    backend.getState(STRINGS).update('many'.repeat(10));
  }
  return backend.snapshot().write();
}

function bench(declared: TypeSerializer<never> = Types.string as never) {
  const disk = new LocalDisk();
  const base = configuration();
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
  const environment = {
    ...taskEnvironment({
      graph: jobGraph([{ ...vertex(0, 1), maxParallelism: 8, operators: [operator] }], []),
      configuration: { ...base, checkpoint: { ...base.checkpoint, backend: 'lsm' } },
    }),
    disk,
  };
  const out = new RecordingOut();
  const started = (number: number): StreamTask => {
    const handle = { ...inlineHandle('count', restoredBytes()), state: 'keyed', keyGroups: RANGE } as const;
    const restore = { checkpointId: id(4), state: [{ vertex: 0, subtask: 0, handles: [handle] }] };
    const deployment = { attempt: attempt(number), vertex: 0, subtask: 0, slot: 0, inputs: [], restore };
    const jobManager = { node: nodeId('jobmanager-1'), mailbox: MAIN_MAILBOX, via: 'datagram' } as const;
    const task = new StreamTask({ environment, deployment, epoch: leaderEpoch(1), incarnation: 1, jobManager });
    const from = { from: nodeId('taskmanager-1'), fromMailbox: MAIN_MAILBOX, mailbox: MAIN_MAILBOX };
    task.handle({ kind: 'message', ...from, message: { kind: 'task-start', deployment } }, false, micros(1), out);
    return task;
  };
  return { disk, environment, out, started };
}

describe('working directory', () => {
  it('has a directory per attempt and operator, which goes when the attempt is cancelled', () => {
    const { disk, out, started } = bench();
    const [first, second] = [started(1), started(2)];
    expect([first.state, second.state]).toEqual(['running', 'running']);
    expect(disk.paths('lsm/1/count/').length).toBeGreaterThan(0);
    expect(disk.paths('lsm/2/count/')).toHaveLength(disk.paths('lsm/1/').length);
    first.cancel(out);
    expect(disk.paths('lsm/1/')).toEqual([]);
    expect(disk.paths('').length).toBeGreaterThan(0);
    second.cancel(out);
    expect(disk.paths('')).toEqual([]);
  });

  it('goes when the attempt fails, though its operators were never opened', () => {
    const { disk, started } = bench(Types.int as never);
    expect(started(1).why.failure).toBe('incompatible-state');
    expect(disk.paths('')).toEqual([]);
  });

  it('of a process that died stays on the disk until the next one begins, which reads nothing of it', () => {
    const { disk, environment, started } = bench();
    started(1);
    disk.write('local-state/0/0-0/a.keyed', new Uint8Array(1));
    const { checkpoint } = environment.configuration;
    const kept = { ...checkpoint, localRecovery: 'working-directory' } as const;
    new TaskManager({ ...environment, configuration: { ...environment.configuration, checkpoint: kept } }, 2);
    expect(disk.paths('')).toEqual(['local-state/0/0-0/a.keyed']);
  });
});
