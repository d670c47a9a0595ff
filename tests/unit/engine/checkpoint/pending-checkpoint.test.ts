import { describe, expect, it } from 'vitest';
import { PendingCheckpoint } from '../../../../engine/checkpoint/pending-checkpoint.ts';
import { periodicRequest } from '../../../../engine/checkpoint/checkpoint-request.ts';
import { micros } from '../../../../engine/foundation/time.ts';
import { standardParts } from '../../../../engine/parts.ts';
import { acknowledgement, attempt, id, inlineHandle } from '../../../support/engine-values.ts';

const subtask = (of: number, vertex: number, index: number) => ({ attempt: attempt(of), vertex, subtask: index });

function pendingFor(...subtasks: ReturnType<typeof subtask>[]): PendingCheckpoint {
  return new PendingCheckpoint({
    checkpointId: id(3),
    triggeredAtUs: micros(10),
    request: periodicRequest(micros(10)),
    location: 'checkpoints/job/chk-3',
    subtasks,
    accepts: standardParts.acceptsAcknowledgement,
  });
}

describe('pending checkpoint', () => {
  it('C9: the first acknowledgement of a required attempt is a success, and the last one completes', () => {
    const pending = pendingFor(subtask(1, 0, 0), subtask(2, 1, 0));
    expect(pending.acknowledge(acknowledgement(3, 1), undefined, micros(20))).toBe('success');
    expect(pending.isFullyAcknowledged).toBe(false);
    expect(pending.acknowledge(acknowledgement(3, 2), undefined, micros(30))).toBe('success');
    expect(pending.isFullyAcknowledged).toBe(true);
    expect(pending).toMatchObject({ acknowledged: 2, lastAcknowledgedUs: 30, stateBytes: 10 });
  });

  it('C9: a second acknowledgement of one attempt is a duplicate and changes nothing', () => {
    const pending = pendingFor(subtask(1, 0, 0), subtask(2, 1, 0));
    const first = inlineHandle('a', new Uint8Array([1]));
    pending.acknowledge(acknowledgement(3, 1, [first]), undefined, micros(20));
    const other = acknowledgement(3, 1, [inlineHandle('a', new Uint8Array([2]))]);
    expect(pending.acknowledge(other, undefined, micros(40))).toBe('duplicate');
    expect(pending).toMatchObject({ acknowledged: 1, lastAcknowledgedUs: 20, stateBytes: 5 });
    expect(pending.metadata('job', { operators: [], highestParallelism: 0 }).states).toEqual([
      { vertex: 0, subtask: 0, handles: [first] },
    ]);
  });

  it('C9, G6: an attempt that is not required is unknown, also when it once ran the same subtask', () => {
    const pending = pendingFor(subtask(11, 0, 0));
    expect(pending.acknowledge(acknowledgement(3, 99), undefined, micros(20))).toBe('unknown');
    expect(pending.acknowledge(acknowledgement(3, 1), subtask(1, 0, 0), micros(20))).toBe('unknown');
    expect(pending.acknowledged).toBe(0);
  });

  it('C9: after the last acknowledgement everything is discarded', () => {
    const pending = pendingFor(subtask(1, 0, 0));
    pending.acknowledge(acknowledgement(3, 1), undefined, micros(20));
    pending.phase = 'writing-metadata';
    expect(pending.acknowledge(acknowledgement(3, 1), undefined, micros(30))).toBe('discarded');
    pending.phase = 'storing-pointer';
    expect(pending.acknowledge(acknowledgement(3, 9), undefined, micros(30))).toBe('discarded');
  });

  it('C9: the states come by vertex, then subtask, whatever came first', () => {
    const pending = pendingFor(subtask(1, 0, 0), subtask(2, 0, 1), subtask(3, 1, 0));
    for (const by of [3, 2, 1]) pending.acknowledge(acknowledgement(3, by), undefined, micros(20));
    expect(
      pending
        .metadata('job', { operators: [], highestParallelism: 0 })
        .states.map(({ vertex, subtask: index }) => [vertex, index]),
    ).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
    ]);
  });
});
