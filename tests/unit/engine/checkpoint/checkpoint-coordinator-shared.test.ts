/** Files that checkpoints have in common, seen from the coordinator (rows C9, S16). */
import { describe, expect, it } from 'vitest';
import { encodeMetadata } from '../../../../engine/protocol/metadata-file.ts';
import type { StateHandle } from '../../../../engine/protocol/state-handle.ts';
import { CoordinatorBench, INTERVAL_US } from '../../../support/coordinator-bench.ts';
import { acknowledgement, id, inlineHandle, JOB } from '../../../support/engine-values.ts';

const path = (creator: number): string => `checkpoints/job/shared/op-0-1-1-${creator}.segment`;
const keyed = (creator: number, isNew: boolean): StateHandle => ({
  ...inlineHandle('op', new Uint8Array(1)),
  state: 'keyed',
  keyGroups: { start: 0, end: 7 },
  segments: [
    isNew
      ? { path: path(creator), bytes: 5, checksum: 6 }
      : { path: path(creator), bytes: 0, checksum: 0, isPlaceholder: true },
  ],
});

function bench(): CoordinatorBench {
  return new CoordinatorBench({ backend: 'lsm', incremental: true }).trigger();
}

describe('checkpoint coordinator: shared files', () => {
  it('C9: files of an acknowledgement that comes too late are registered: the next checkpoint may name them', () => {
    const subject = bench().acknowledgeAll(1).answer();
    const { coordinator, out } = subject;
    coordinator.acknowledge(acknowledgement(1, 1, [keyed(1, true)]), out.nowUs, out);
    subject.wait(INTERVAL_US).answer();
    coordinator.acknowledge(acknowledgement(2, 1, [keyed(1, false)]), out.nowUs, out);
    expect(out.reported('acknowledge-received').at(-1)).toMatchObject({ checkpointId: 2, result: 'success' });
  });

  it('S16: a checkpoint that names a file nobody knows is aborted, and the task hears which one is the newest', () => {
    const subject = bench();
    const { coordinator, out } = subject;
    coordinator.acknowledge(acknowledgement(1, 1, [keyed(9, false)]), out.nowUs, out);
    expect(out.reported('checkpoint-aborted')).toMatchObject([
      { checkpointId: 1, reason: 'finalize-checkpoint-failure' },
    ]);
    expect(subject.sentTo(1)).toEqual(['trigger-checkpoint', 'notify-checkpoint-aborted']);
  });

  it('C7, S16: of files of earlier runs those go which no checkpoint is made of that one of them kept, when it can be read', () => {
    const subject = new CoordinatorBench({ backend: 'lsm', incremental: true }).start();
    const kept = 'checkpoints/job/chk-3/_metadata';
    const of = { jobId: JOB, triggeredAtUs: 0, operators: [], highestParallelism: 0 };
    const states = [{ vertex: 0, subtask: 0, handles: [keyed(2, true)] }];
    subject.storage.objects.set(kept, new Uint8Array([1, 2, 3]));
    for (const creator of [1, 2]) subject.storage.objects.set(path(creator), new Uint8Array(1));
    const job = { run: 2, by: 'r', floor: 3, kept: [kept, 'savepoints/disposed-of/_metadata'], fullFirst: false };
    subject.store.stored(
      { ...subject.store.pointer, completed: [{ id: id(3), metadata: kept, owner: 'user' }], job },
      1,
    );
    subject.coordinator.files.shared.runBegins();
    const complete = (n: number): void => void subject.wait(INTERVAL_US).answer().acknowledgeAll(n).answer();
    for (const n of [1, 2, 3]) {
      subject.wait(INTERVAL_US).answer();
      subject.decline(n, 2, 'checkpoint-declined-task-not-ready');
    }
    complete(4);
    complete(5);
    expect(subject.storage.paths()).toContain(path(1));
    subject.storage.objects.set(kept, encodeMetadata({ ...of, states, checkpointId: id(3) }));
    complete(6);
    complete(7);
    expect(subject.storage.paths().filter((one) => one.includes('/shared/'))).toEqual([path(2)]);
  });
});
