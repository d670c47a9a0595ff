import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../../engine/foundation/ids.ts';
import { standardParts } from '../../../../engine/parts.ts';
import { InputGate } from '../../../../engine/taskmanager/input-gate.ts';
import { PartitionRequests } from '../../../../engine/taskmanager/partition-requests.ts';
import { attempt } from '../../../support/engine-values.ts';
import { RecordingOut } from '../../../support/recording-out.ts';

const BACKOFF_US = 10;

function bench() {
  const channels = [1, 2].map((producer) => ({
    producerNode: nodeId('node'),
    producerAttempt: attempt(producer),
    producerSubtask: producer - 1,
    edge: 0,
    subpartition: 0,
  }));
  const gate = new InputGate({
    consumer: attempt(9),
    channels,
    exclusiveBuffers: 2,
    floatingBuffers: 0,
    parts: standardParts,
  });
  const requests = new PartitionRequests(gate, BACKOFF_US);
  const out = new RecordingOut((timer, nowUs, self) => requests.handleTimer(timer, nowUs, self));
  return { requests, out, asked: () => out.all('partition-request').map(({ producer }) => producer) };
}

describe('partition requests', () => {
  it('ask every producer once', () => {
    const { requests, out, asked } = bench();
    requests.requestAll(out);
    expect(asked()).toEqual([1, 2]);
  });

  it('F12: a partition that is not there yet is asked for again, later each time', () => {
    const { requests, out, asked } = bench();
    for (const tries of [1, 2, 3]) {
      expect(requests.notFound(1, out)).toBe(true);
      out.advance(tries * BACKOFF_US - 1);
      expect(asked()).toHaveLength(tries - 1);
      out.advance(1);
      expect(asked()).toHaveLength(tries);
    }
    expect(asked()).toEqual([2, 2, 2]);
  });

  it('F12: after twelve tries of one channel the subtask must fail; each channel is counted by itself', () => {
    const { requests, out } = bench();
    for (let tries = 1; tries <= 12; tries += 1) expect(requests.notFound(0, out)).toBe(true);
    expect(requests.notFound(0, out)).toBe(false);
    expect(requests.notFound(1, out)).toBe(true);
  });
});
