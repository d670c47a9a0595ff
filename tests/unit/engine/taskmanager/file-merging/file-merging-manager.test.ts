import { describe, expect, it } from 'vitest';
import {
  asyncMailbox,
  type ExecutionAttemptId,
  FILE_MERGING_MAILBOX,
  MAIN_MAILBOX,
} from '../../../../../engine/foundation/ids.ts';
import { micros } from '../../../../../engine/foundation/time.ts';
import type { FileMergingConfiguration } from '../../../../../engine/protocol/configuration.ts';
import type { EngineMessage, StorageReply, StorageRequest } from '../../../../../engine/protocol/messages.ts';
import { FileMergingManager } from '../../../../../engine/taskmanager/file-merging/file-merging-manager.ts';
import { FileServerDisk } from '../../../../../sim/services/file-server-disk.ts';
import { FILE_SERVER } from '../../../../../sim/services/storage-latencies.ts';
import { attempt, configuration, id, STORAGE } from '../../../../support/engine-values.ts';
import { FakeStorage } from '../../../../support/fake-storage.ts';
import { RecordingOut } from '../../../../support/recording-out.ts';
import { taskEnvironment } from '../../../../support/task-environments.ts';

const MERGING: FileMergingConfiguration = {
  acrossCheckpoints: false,
  maxFileBytes: 100,
  maxSpaceAmplification: { numerator: 2, denominator: 1 },
};
const LINGER_US = 100_000;
const bytes = (value: number, length = 10): Uint8Array => new Uint8Array(length).fill(value);

/** Three subtasks on one TaskManager; the storage answers when the test says so. */
class Bench {
  readonly storage = new FakeStorage();
  readonly disk = new FileServerDisk({ latency: FILE_SERVER, writeBackUs: 1_000_000 });
  readonly running: ExecutionAttemptId[] = [attempt(5), attempt(6), attempt(7)];
  readonly manager: FileMergingManager;
  readonly out: RecordingOut;
  #number = 0;

  constructor(merging: Partial<FileMergingConfiguration> = {}, kind: 'object-store' | 'filesystem' = 'object-store') {
    const base = configuration();
    const storage = { ...base.checkpoint.storage, kind };
    const environment = taskEnvironment({ configuration: { ...base, checkpoint: { ...base.checkpoint, storage } } });
    this.manager = new FileMergingManager({
      environment,
      merging: { ...MERGING, ...merging },
      incarnation: 3,
      running: () => this.running,
    });
    this.out = new RecordingOut((timer, nowUs, out) =>
      this.manager.handle({ kind: 'timer', mailbox: FILE_MERGING_MAILBOX, timer }, nowUs, out),
    );
  }

  tell(message: EngineMessage): this {
    const of = { from: STORAGE, fromMailbox: MAIN_MAILBOX, mailbox: FILE_MERGING_MAILBOX };
    this.manager.handle({ kind: 'message', ...of, message }, this.out.nowUs, this.out);
    return this;
  }

  merge(of: number, checkpoint: number, content: Uint8Array, pool = ''): this {
    this.#number += 1;
    const piece = { checkpointId: id(checkpoint), attempt: attempt(of), pool, number: this.#number, bytes: content };
    return this.tell({ kind: 'merge-state', ...piece });
  }

  end(checkpoint: number, ...of: readonly number[]): this {
    for (const one of of) this.tell({ kind: 'merge-end', checkpointId: id(checkpoint), attempt: attempt(one) });
    return this;
  }

  /** Each subtask has one piece, and nothing more. */
  whole(checkpoint: number): this {
    for (const of of [5, 6, 7]) this.merge(of, checkpoint, bytes(of)).end(checkpoint, of);
    return this.answer();
  }

  retained(oldest: number): this {
    return this.tell({ kind: 'merge-retained', oldestRetainedId: oldest }).answer();
  }

  answer(): this {
    for (let fresh = this.#requests(); fresh.length > 0; fresh = this.#requests())
      for (const request of fresh) this.tell(this.perform(request));
    return this;
  }

  perform(request: StorageRequest): StorageReply {
    if (request.kind !== 'storage-file') return this.storage.perform(request);
    const answer = this.disk.perform(request, micros(this.out.nowUs), () => undefined);
    return { kind: 'storage-reply', requestId: request.requestId, ...answer };
  }

  requests = (): StorageRequest[] => this.#requests();

  places(): (readonly [to: number, path: string, offset: number])[] {
    return this.out.sent.flatMap(({ to, message }) =>
      message.kind === 'state-merged' ? [[to.mailbox, message.path, message.offset] as const] : [],
    );
  }

  #requests(): StorageRequest[] {
    return this.out
      .fresh()
      .flatMap(({ message }) => (message.kind.startsWith('storage-') ? [message as StorageRequest] : []));
  }
}

const DIRECTORY = 'checkpoints/job/taskowned/taskmanager-1-3';

describe('file merging', () => {
  it('S19: state of all subtasks of a checkpoint goes into one file, and each hears where its own begins', () => {
    const bench = new Bench().whole(1);
    const path = `${DIRECTORY}/5-1-1.merged`;
    expect(bench.storage.paths()).toEqual([path]);
    expect(bench.places()).toEqual([
      [asyncMailbox(attempt(5)), path, 0],
      [asyncMailbox(attempt(6)), path, 10],
      [asyncMailbox(attempt(7)), path, 20],
    ]);
    expect([...(bench.storage.objects.get(path)?.subarray(10, 20) ?? [])]).toEqual([...bytes(6)]);
  });

  it('S19: nobody is waited for for ever', () => {
    const bench = new Bench().merge(5, 1, bytes(5)).end(1, 5, 6);
    bench.out.advance(LINGER_US - 1);
    expect(bench.requests()).toEqual([]);
    bench.out.advance(1);
    bench.answer();
    expect(bench.places()).toHaveLength(1);
  });

  it('S19: nor is one waited for that does not run', () => {
    const bench = new Bench().merge(5, 1, bytes(5)).end(1, 5, 6);
    bench.running.pop();
    bench.end(1, 6).answer();
    expect(bench.places()).toHaveLength(1);
  });

  it('S19: a file takes no more than fits; what is larger has one of its own', () => {
    const bench = new Bench({ maxFileBytes: 25 });
    bench.merge(5, 1, bytes(5)).merge(6, 1, bytes(6)).merge(7, 1, bytes(7, 90)).end(1, 5, 6, 7).answer();
    expect([...bench.storage.objects.values()].map(({ length }) => length)).toEqual([20, 90]);
  });

  it('S19: state that later checkpoints share is kept apart, by operator and subtask', () => {
    const bench = new Bench().merge(5, 1, bytes(5)).merge(5, 1, bytes(1), 'op-0').merge(5, 1, bytes(2), 'op-0');
    bench.end(1, 5, 6, 7).answer();
    expect(bench.storage.paths()).toEqual(['checkpoints/job/shared/op-0/5-2-1.merged', `${DIRECTORY}/5-1-1.merged`]);
  });

  it('S19: a file is deleted when no checkpoint with a part in it is retained, and not before', () => {
    const bench = new Bench().whole(1).whole(2).retained(1);
    expect(bench.storage.paths()).toHaveLength(2);
    expect(bench.retained(2).storage.paths()).toEqual([`${DIRECTORY}/5-2-2.merged`]);
  });

  it('I3: a deletion that failed is made again with the next notice', () => {
    const bench = new Bench().whole(1).whole(2).tell({ kind: 'merge-retained', oldestRetainedId: 2 });
    const [request] = bench.requests();
    bench.tell({ kind: 'storage-reply', requestId: request?.requestId ?? 0, outcome: 'failed' });
    expect(bench.retained(2).storage.paths()).toEqual([`${DIRECTORY}/5-2-2.merged`]);
  });

  it('I3: a file whose write was repeated is deleted again, in case the first one comes late', () => {
    const bench = new Bench();
    for (const of of [5, 6, 7]) bench.merge(of, 1, bytes(of)).end(1, of);
    const [late] = bench.requests();
    if (late === undefined) throw new Error('nothing was asked');
    bench.out.advance(1_000);
    bench.answer().retained(2);
    expect(bench.storage.paths()).toEqual([]);
    bench.perform(late);
    expect(bench.storage.paths()).toHaveLength(1);
    expect(bench.retained(3).storage.paths()).toEqual([]);
  });

  it('I1: a file of a subtask that has ended is not deleted here', () => {
    const bench = new Bench().whole(1);
    bench.running.shift();
    expect(bench.retained(9).storage.paths()).toHaveLength(1);
    const own = { path: `${DIRECTORY}/5-1-1.merged`, offset: 0, bytes: 10, checksum: 0 };
    expect(bench.manager.reuse(own, id(10), bench.out)).toBe(true);
  });

  it('T11: what cannot be written is declined by all whose state it is', () => {
    const bench = new Bench();
    for (const of of [5, 6, 7]) bench.merge(of, 1, bytes(of)).end(1, of);
    for (let tries = 0; tries < 4; tries += 1) {
      for (const { requestId } of bench.requests()) bench.tell({ kind: 'storage-reply', requestId, outcome: 'failed' });
      bench.out.advance(1_000);
    }
    expect(bench.places().map(([, path]) => path)).toEqual(['', '', '']);
  });

  it('S19: of a file of which too little is in use no checkpoint is made once more', () => {
    const bench = new Bench().merge(5, 1, bytes(1), 'op-0').merge(5, 1, bytes(2), 'op-0').merge(5, 1, bytes(3), 'op-0');
    bench.end(1, 5, 6, 7).answer();
    const path = 'checkpoints/job/shared/op-0/5-1-1.merged';
    const first = { path, offset: 0, bytes: 10, checksum: 0 };
    expect(bench.manager.reuse(first, id(2), bench.out)).toBe(true);
    bench.retained(2);
    expect(bench.manager.reuse(first, id(3), bench.out)).toBe(false);
  });
});

describe('file merging across checkpoints', () => {
  const across = (merging: Partial<FileMergingConfiguration> = {}): Bench =>
    new Bench({ acrossCheckpoints: true, ...merging }, 'filesystem');

  it('S19: the file of one checkpoint takes the state of the next ones, until it is full', () => {
    const bench = across({ maxFileBytes: 60 }).whole(1).whole(2).whole(3);
    expect(bench.disk.objects()).toEqual([`${DIRECTORY}/5-1-1.merged`, `${DIRECTORY}/5-2-3.merged`]);
    expect(bench.places().map(([, , offset]) => offset)).toEqual([0, 10, 20, 30, 40, 50, 0, 10, 20]);
    expect(bench.disk.object(`${DIRECTORY}/5-1-1.merged`)?.length).toBe(60);
  });

  it('I1: it takes nothing more when the subtask that it was opened for has ended', () => {
    const bench = across().whole(1);
    bench.running.shift();
    bench.merge(6, 2, bytes(6)).end(2, 6, 7).answer();
    expect(bench.places().at(-1)?.slice(1)).toEqual([`${DIRECTORY}/6-2-2.merged`, 0]);
  });

  it('I4: after a step that failed the pieces go into another file; what was there before stays', () => {
    const bench = across().whole(1);
    for (const of of [5, 6, 7]) bench.merge(of, 2, bytes(of)).end(2, of);
    for (const { requestId } of bench.requests()) bench.tell({ kind: 'storage-reply', requestId, outcome: 'failed' });
    bench.answer();
    bench.out.advance(1_000);
    bench.answer();
    expect(
      bench
        .places()
        .slice(3)
        .map(([, path]) => path),
    ).toEqual(Array(3).fill(`${DIRECTORY}/5-2-2.merged`));
    expect(bench.disk.object(`${DIRECTORY}/5-1-1.merged`)?.length).toBe(30);
  });
});
