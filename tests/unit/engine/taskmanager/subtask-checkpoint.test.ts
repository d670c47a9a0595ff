import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../engine/foundation/crc32c.ts';
import { MAIN_MAILBOX, nodeId } from '../../../../engine/foundation/ids.ts';
import type { JobGraph } from '../../../../engine/job/job-graph.ts';
import type { StorageReply } from '../../../../engine/protocol/messages.ts';
import type { DataBuffer } from '../../../../engine/protocol/stream-elements.ts';
import type { StatePart } from '../../../../engine/taskmanager/async-part.ts';
import { SubtaskCheckpoint } from '../../../../engine/taskmanager/subtask-checkpoint.ts';
import type { EngineConfiguration } from '../../../../engine/protocol/configuration.ts';
import { attempt, configuration, EPOCH, id, REQUEST_TIMEOUT_US, RETRY_US } from '../../../support/engine-values.ts';
import { FakeStorage } from '../../../support/fake-storage.ts';
import { jobGraph, sourceVertex, vertex } from '../../../support/job-graphs.ts';
import { RecordingOut } from '../../../support/recording-out.ts';
import { taskEnvironment } from '../../../support/task-environments.ts';

const SMALL = new Uint8Array(8).fill(1);
const LARGE = new Uint8Array(9).fill(2);
const PATH = 'checkpoints/job/chk-1/large-0-5.keyed';
const FIGURES = {
  startDelayUs: 1,
  alignmentUs: 2,
  bytesProcessedDuringAlignment: 3,
  recordsInFlight: 4,
  unaligned: false,
};
const MAP = { uid: 'map', name: 'Map', kind: 'map', map: (value: unknown): unknown => value } as const;
const JOB_MANAGER = { node: nodeId('jobmanager'), mailbox: MAIN_MAILBOX, via: 'datagram' } as const;

interface Part extends StatePart {
  released: number;
}
function part(operator: string, bytes: Uint8Array): Part {
  return {
    operator,
    state: 'keyed',
    keyGroups: { start: 0, end: 3 },
    entryCount: 2,
    estimatedBytes: bytes.length,
    released: 0,
    write: () => bytes,
    release() {
      this.released += 1;
    },
  };
}

class Bench {
  readonly storage = new FakeStorage();
  readonly checkpoint: SubtaskCheckpoint;
  readonly out: RecordingOut;

  constructor(graph: JobGraph = jobGraph([], []), config: EngineConfiguration = configuration()) {
    this.checkpoint = new SubtaskCheckpoint({
      fail: () => expect.fail('the subtask does not fail'),
      environment: taskEnvironment({ graph, configuration: config }),
      attempt: attempt(5),
      vertex: 1,
      subtask: 0,
      slot: 0,
      epoch: EPOCH,
      toJobManager: (message, out) => out.send(JOB_MANAGER, message),
    });
    this.out = new RecordingOut((timer, nowUs, out) => this.checkpoint.handleTimer(timer, nowUs, out));
  }

  /** Synchronous part, then the asynchronous part up to its writes. */
  take(n: number, parts: readonly StatePart[], waitsForSink = false): this {
    this.checkpoint.start(id(n), { parts, waitsForSink, figures: FIGURES }, this.out.nowUs, this.out);
    this.out.advance(10);
    this.checkpoint.startAsyncPart(id(n), this.out.nowUs, this.out);
    this.out.advance(20);
    this.checkpoint.writeAsyncPart(id(n), this.out.nowUs, this.out);
    return this;
  }

  answerPut(outcome?: 'failed' | 'unavailable'): this {
    const put = this.out.last('storage-put');
    const reply: StorageReply =
      outcome === undefined ? this.storage.perform(put) : { kind: 'storage-reply', requestId: put.requestId, outcome };
    this.checkpoint.handleReply(reply, this.out.nowUs, this.out);
    return this;
  }

  acknowledged(): number[] {
    return this.out.all('acknowledge-checkpoint').map(({ checkpointId }) => checkpointId);
  }

  declined(): string[] {
    return this.out.all('decline-checkpoint').map(({ checkpointId, reason }) => `${checkpointId} ${reason}`);
  }
}

describe('subtask checkpoint: what is acknowledged', () => {
  it('B9: the snapshot is taken at once; its asynchronous part begins in the other mailbox', () => {
    const { checkpoint, out } = new Bench();
    checkpoint.start(id(1), { parts: [], waitsForSink: false, figures: FIGURES }, out.nowUs, out);
    expect(out.reported('snapshot-taken')).toHaveLength(1);
    expect(out.kinds()).toEqual(['start-async-part']);
    checkpoint.startAsyncPart(id(1), out.nowUs, out);
    expect(out.kinds()).toEqual(['start-async-part', 'write-async-part']);
  });

  it('C9: a subtask without state acknowledges with no handles', () => {
    const bench = new Bench().take(1, []);
    expect(bench.out.last('acknowledge-checkpoint')).toMatchObject({
      attempt: 5,
      epoch: EPOCH,
      checkpointId: 1,
      handles: [],
    });
  });

  it('T3: state up to the threshold travels in the acknowledgement', () => {
    const bench = new Bench().take(1, [part('small', SMALL)]);
    expect(bench.out.all('storage-put')).toEqual([]);
    expect(bench.out.last('acknowledge-checkpoint').handles).toEqual([
      {
        operator: 'small',
        state: 'keyed',
        path: '',
        inline: SMALL,
        bytes: 8,
        checksum: crc32c(SMALL),
        keyGroups: { start: 0, end: 3 },
      },
    ]);
  });

  const inMemory = (maxStateBytes: number, frameBytes: number): EngineConfiguration => {
    const { storage } = configuration().checkpoint;
    return configuration({
      checkpoint: { storage: { ...storage, kind: 'jobmanager', maxStateBytes, frameBytes } },
    });
  };

  it('T1: with the memory of the JobManager as storage everything travels in the acknowledgement', () => {
    const bench = new Bench(undefined, inMemory(100, 100)).take(1, [part('large', LARGE)]);
    expect(bench.out.all('storage-put')).toEqual([]);
    expect(bench.out.last('acknowledge-checkpoint').handles).toMatchObject([{ path: '', inline: LARGE }]);
  });

  it.each([
    ['a piece of state is beyond its limit', inMemory(LARGE.length - 1, 100)],
    ['the acknowledgement is beyond the frame', inMemory(100, 2 * LARGE.length - 1)],
  ])('X11: when %s the checkpoint is declined at once, and the next one may do better', (_why, config) => {
    const bench = new Bench(undefined, config).take(1, [part('large', LARGE), part('other', LARGE)]);
    expect(bench.declined()).toEqual(['1 checkpoint-async-exception']);
    expect(bench.acknowledged()).toEqual([]);
    bench.take(2, [part('small', SMALL)]);
    expect(bench.acknowledged()).toEqual([2]);
  });

  it('T3, T5: larger state goes to a file of its own first, never over another one', () => {
    const bench = new Bench().take(1, [part('large', LARGE)]);
    expect(bench.out.last('storage-put')).toMatchObject({ path: PATH, overwrite: false });
    expect(bench.acknowledged()).toEqual([]);
    bench.answerPut();
    expect(bench.out.last('acknowledge-checkpoint').handles).toEqual([
      {
        operator: 'large',
        state: 'keyed',
        path: PATH,
        bytes: 9,
        checksum: crc32c(LARGE),
        keyGroups: { start: 0, end: 3 },
      },
    ]);
  });

  it('I3: it waits for the last of several states, and orders the handles by operator', () => {
    const bench = new Bench().take(1, [part('z', LARGE), part('a', SMALL)]);
    expect(bench.acknowledged()).toEqual([]);
    bench.answerPut();
    expect(bench.out.last('acknowledge-checkpoint').handles.map(({ operator }) => operator)).toEqual(['a', 'z']);
  });

  it('K6, I3: it waits for the confirmed pre-commit of the sink, whichever comes last', () => {
    const bench = new Bench().take(1, [part('small', SMALL)], true);
    expect(bench.acknowledged()).toEqual([]);
    bench.checkpoint.preCommitted(id(1), bench.out.nowUs, bench.out);
    expect(bench.acknowledged()).toEqual([1]);
  });

  it('K6: a pre-commit confirmed before the asynchronous part does not acknowledge early', () => {
    const { checkpoint, out } = new Bench();
    checkpoint.start(id(1), { parts: [], waitsForSink: true, figures: FIGURES }, out.nowUs, out);
    checkpoint.preCommitted(id(1), out.nowUs, out);
    expect(out.all('acknowledge-checkpoint')).toEqual([]);
    checkpoint.startAsyncPart(id(1), out.nowUs, out);
    checkpoint.writeAsyncPart(id(1), out.nowUs, out);
    expect(out.all('acknowledge-checkpoint')).toHaveLength(1);
  });

  it('7.2: the metrics say how long each part took', () => {
    const bench = new Bench().take(1, [part('large', LARGE)]);
    bench.out.advance(30);
    bench.answerPut();
    expect(bench.out.last('acknowledge-checkpoint').metrics).toEqual({
      ...FIGURES,
      syncUs: 10,
      asyncUs: 50,
      stateBytes: 9,
      checkpointedBytes: 9,
      bytesPersistedDuringAlignment: 0,
      unaligned: false,
    });
  });

  it('B9: an id of the past is not new, and taking it again is refused', () => {
    const bench = new Bench().take(2, []);
    expect([1, 2, 3].map((n) => bench.checkpoint.isNew(id(n)))).toEqual([false, false, true]);
    expect(() => bench.take(2, [])).toThrow(/once per subtask/);
  });
});

describe('subtask checkpoint: channel state', () => {
  const VERTEX = { vertex: 1, subtask: 0 };
  const data = (value: number): DataBuffer => ({
    kind: 'data',
    values: [value],
    timestampsUs: [0],
    lineages: [value],
    bytes: 11,
  });
  const channel = { number: 0, edge: 3, peer: 2 };

  /** In-flight data of one input and one output, the checkpoint taken, its own state stored. */
  function taken(): Bench {
    const graph = jobGraph([sourceVertex(0, 1), vertex(VERTEX.vertex, 1, { operators: [MAP] })], []);
    const bench = new Bench(graph);
    bench.checkpoint.openChannelState(id(1), bench.out);
    bench.checkpoint.channelState.inputQueued(channel, [data(1)]);
    bench.checkpoint.channelState.outputOvertaken(id(1), { edge: 4, peer: 1, buffers: [data(2)] });
    return bench.take(1, [part('small', SMALL)]);
  }

  it('B5: acknowledged only when all barriers are here and the channel state is written', () => {
    const bench = taken();
    expect(bench.acknowledged()).toEqual([]);
    bench.checkpoint.inputComplete(id(1), { ...FIGURES, alignmentUs: 77, unaligned: true }, bench.out);
    expect(bench.out.last('write-channel-state')).toEqual({ kind: 'write-channel-state', checkpointId: 1 });
    bench.checkpoint.writeChannelState(id(1), bench.out.nowUs, bench.out);
    expect(bench.acknowledged()).toEqual([]);
    for (const put of bench.out.all('storage-put')) {
      bench.checkpoint.handleReply(bench.storage.perform(put), bench.out.nowUs, bench.out);
    }
    expect(bench.acknowledged()).toEqual([1]);
    const { handles, metrics } = bench.out.last('acknowledge-checkpoint');
    expect(metrics).toMatchObject({ alignmentUs: 77, unaligned: true, bytesPersistedDuringAlignment: 22 });
    expect(
      handles.map(({ operator, state, channels }) => [
        operator,
        state,
        channels?.map(({ edge, peer }) => [edge, peer]),
      ]),
    ).toEqual([
      ['map', 'input-channel', [[3, 2]]],
      ['map', 'output-channel', [[4, 1]]],
      ['small', 'keyed', undefined],
    ]);
  });

  it('B6: an abort drops what was gathered, and the next checkpoint can be opened', () => {
    const bench = taken();
    bench.checkpoint.abort(id(1));
    bench.checkpoint.inputComplete(id(1), FIGURES, bench.out);
    expect(bench.out.all('write-channel-state')).toEqual([]);
    expect(bench.checkpoint.openChannelState(id(2), bench.out)).toBe(true);
  });

  it('B5: a newer checkpoint gives up the one whose channel state is still open', () => {
    const bench = taken();
    expect(bench.checkpoint.openChannelState(id(2), bench.out)).toBe(true);
    expect(bench.declined()).toEqual(['1 checkpoint-declined-subsumed']);
    expect(bench.checkpoint.channelState.checkpointId).toBe(2);
  });

  it('F10: nothing is opened for a checkpoint that was aborted before', () => {
    const bench = new Bench();
    bench.checkpoint.abort(id(1));
    expect(bench.checkpoint.openChannelState(id(1), bench.out)).toBe(false);
    expect(bench.checkpoint.channelState.checkpointId).toBe(0);
  });
});

describe('subtask checkpoint: when storage is in trouble', () => {
  it('T5: a put without reply is repeated, and the first one is found by its checksum', () => {
    const bench = new Bench().take(1, [part('large', LARGE)]);
    bench.storage.perform(bench.out.last('storage-put'));
    bench.out.advance(REQUEST_TIMEOUT_US);
    expect(bench.out.all('storage-put')).toHaveLength(2);
    bench.answerPut();
    expect(bench.acknowledged()).toEqual([1]);
  });

  it('T11: a put that failed is repeated after a while', () => {
    const bench = new Bench().take(1, [part('large', LARGE)]).answerPut('unavailable');
    expect(bench.out.all('storage-put')).toHaveLength(1);
    bench.out.advance(RETRY_US);
    bench.answerPut();
    expect(bench.acknowledged()).toEqual([1]);
    expect(bench.declined()).toEqual([]);
  });

  it('T11: after four tries the checkpoint is declined, counted, and the subtask is healthy', () => {
    const bench = new Bench().take(1, [part('large', LARGE)]);
    for (let tries = 0; tries < 4; tries += 1) {
      bench.answerPut('failed');
      bench.out.advance(RETRY_US);
    }
    expect(bench.out.all('storage-put')).toHaveLength(4);
    expect(bench.declined()).toEqual(['1 checkpoint-async-exception']);
    expect(bench.take(2, []).acknowledged()).toEqual([2]);
  });

  it('T11: four puts without reply decline it too', () => {
    const bench = new Bench().take(1, [part('large', LARGE)]);
    bench.out.advance(4 * REQUEST_TIMEOUT_US);
    expect(bench.declined()).toEqual(['1 checkpoint-async-exception']);
  });

  it('T5: a foreign file under the name is not overwritten but declined', () => {
    const bench = new Bench();
    bench.storage.objects.set(PATH, SMALL);
    bench.take(1, [part('large', LARGE)]).answerPut();
    expect(bench.declined()).toEqual(['1 checkpoint-async-exception']);
    expect(bench.storage.objects.get(PATH)).toBe(SMALL);
  });

  it('C11, G5: a declined checkpoint deletes nothing of what it wrote', () => {
    const bench = new Bench().take(1, [part('large', LARGE)]).answerPut();
    bench.checkpoint.decline(id(2), 'checkpoint-declined-subsumed', bench.out);
    expect(bench.out.all('storage-delete')).toEqual([]);
    expect(bench.storage.paths()).toEqual([PATH]);
  });
});

describe('subtask checkpoint: when it is given up', () => {
  it('C10: after an abort a late reply is ignored, nothing is acknowledged or declined, the snapshot is released', () => {
    const state = part('large', LARGE);
    const bench = new Bench().take(1, [state]);
    bench.checkpoint.abort(id(1));
    bench.answerPut();
    bench.checkpoint.preCommitted(id(1), bench.out.nowUs, bench.out);
    expect([...bench.acknowledged(), ...bench.declined()]).toEqual([]);
    expect(state.released).toBeGreaterThan(0);
  });

  it('T11: after an abort a failed put is not repeated', () => {
    const bench = new Bench().take(1, [part('large', LARGE)]).answerPut('failed');
    bench.checkpoint.abort(id(1));
    bench.out.advance(10 * REQUEST_TIMEOUT_US);
    expect(bench.out.all('storage-put')).toHaveLength(1);
    expect(bench.declined()).toEqual([]);
  });

  it('C14: an abort before the start is remembered for that checkpoint only: older ones may still be taken', () => {
    const { checkpoint } = new Bench();
    checkpoint.abort(id(3));
    expect([2, 3, 4].map((n) => checkpoint.isAborted(id(n)))).toEqual([false, true, false]);
    expect(checkpoint.isNew(id(2))).toBe(true);
  });

  it('C20: an abort between the two parts ends it: nothing is written', () => {
    const { checkpoint, out } = new Bench();
    checkpoint.start(id(1), { parts: [part('large', LARGE)], waitsForSink: false, figures: FIGURES }, out.nowUs, out);
    checkpoint.abort(id(1));
    checkpoint.startAsyncPart(id(1), out.nowUs, out);
    checkpoint.writeAsyncPart(id(1), out.nowUs, out);
    expect(out.kinds()).toEqual(['start-async-part']);
  });

  it('when the subtask ends nothing more is acknowledged and every snapshot is released', () => {
    const state = part('large', LARGE);
    const bench = new Bench().take(1, [state]);
    bench.checkpoint.close();
    bench.answerPut();
    expect(bench.acknowledged()).toEqual([]);
    expect(state.released).toBeGreaterThan(0);
  });
});
