/**
 * A file sink against HDFS and an object store, whatever the order of records, checkpoints, crashes, zombies and lost answers (rows K6, K7, K12):
 * what readers see in the end are the records of completed checkpoints, each once, and no file in progress is left.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openSink } from '../../../../../engine/connectors/open-sink.ts';
import type { SinkState } from '../../../../../engine/connectors/sink/committable-rows.ts';
import type { SinkTask } from '../../../../../engine/connectors/sink/sink-task.ts';
import type { MailboxId } from '../../../../../engine/foundation/ids.ts';
import { type EngineParts, standardParts } from '../../../../../engine/parts.ts';
import type { EngineMessage } from '../../../../../engine/protocol/messages.ts';
import { constant } from '../../../../../sim/kernel/distribution.ts';
import { HdfsDisk } from '../../../../../sim/services/hdfs-disk.ts';
import { ObjectStoreDisk } from '../../../../../sim/services/object-store-disk.ts';
import { OutputDisk } from '../../../../../sim/services/output-disk.ts';
import { USUAL_STORAGE } from '../../../../../sim/services/storage-physics.ts';
import { StorageService } from '../../../../../sim/services/storage-service.ts';
import { attempt, id, SINK } from '../../../../support/engine-values.ts';
import { RecordingOut } from '../../../../support/recording-out.ts';
import { CLIENT, ServiceHarness } from '../../../sim/services/service-harness.ts';

type Kind = 'hdfs' | 'object-store';
type Step = 'write' | 'checkpoint' | 'notify' | 'crash' | 'zombie' | 'silence' | 'speech' | 'wait';

const NOTHING: SinkState = { committables: [], writers: [] };
const TICK_US = 1_000;
const LATENCY = constant(1_000);

/** One attempt of the subtask, dead or alive. */
interface Attempt {
  readonly sink: SinkTask;
  readonly out: RecordingOut;
  isInitialized: boolean;
  readonly flushed: Set<number>;
  failed: boolean;
}

class Bench {
  readonly harness = new ServiceHarness();
  readonly #disk: OutputDisk;
  readonly #kind: Kind;
  readonly #parts: EngineParts;
  readonly #attempts: Attempt[] = [];
  /** Records written since the newest checkpoint, and those of checkpoints that are not complete. */
  #open: number[] = [];
  #taken: { readonly id: number; readonly state: SinkState; readonly records: readonly number[] }[] = [];
  #restore: { readonly id: number; readonly state: SinkState } = { id: 0, state: NOTHING };
  readonly #expected: number[] = [];
  #records = 0;
  #checkpoints = 0;
  #delivered = 0;

  constructor(kind: Kind, parts: EngineParts) {
    this.#kind = kind;
    this.#parts = parts;
    const latency = { operation: LATENCY, write: LATENCY, sync: LATENCY, read: LATENCY, usPerMiB: 1 };
    const objects = { putBase: LATENCY, putUsPerMiB: 1, get: LATENCY, deleteUs: 1_000, listUs: 1_000 };
    const delaySite = this.harness.choices.site('delay');
    this.#disk = new OutputDisk(
      kind === 'hdfs'
        ? new HdfsDisk({ ...USUAL_STORAGE, latency })
        : new ObjectStoreDisk({ ...USUAL_STORAGE, latency: objects, delaySite }),
    );
    this.harness.start(
      new StorageService({
        disk: this.#disk,
        conditions: this.harness.conditions,
        latencySite: this.harness.choices.site('latency'),
        conditionSite: this.harness.choices.site('condition'),
        isRestart: false,
      }),
    );
    this.#deploy();
  }

  step(step: Step): void {
    const one = this.#attempts.at(-1);
    if (one === undefined) return;
    switch (step) {
      case 'write':
        if (!one.isInitialized || one.failed) return;
        for (let more = 0; more < 3; more += 1) this.#write(one);
        one.sink.sendBatches(one.out);
        return this.#run(2);
      case 'checkpoint':
        if (one.isInitialized && !one.failed) this.#checkpoint(one);
        return this.#run(20);
      case 'notify':
        return this.#complete(one);
      case 'crash':
        this.#kill(one);
        return this.#deploy();
      case 'zombie':
        // It goes on being asked and answered, but nobody counts on it: records that it writes belong to no checkpoint.
        one.sink.head.process({ key: 'zombie', n: -1 }, 0, -1);
        one.sink.sendBatches(one.out);
        this.#deploy();
        return this.#run(10);
      case 'silence':
        return this.harness.affect('silence', 'unknown-outcome');
      case 'speech':
        return this.harness.conditions.lift('silence');
      case 'wait':
        return this.#run(50);
    }
  }

  /** All faults over, all attempts but the last dead, two more checkpoints. */
  settle(): void {
    this.step('speech');
    for (const one of this.#attempts.slice(0, -1)) this.#kill(one);
    this.#run(400);
    const last = this.#attempts.at(-1);
    if (last?.failed === true) this.step('crash');
    this.#run(400);
    for (let more = 0; more < 2; more += 1) {
      this.step('write');
      this.step('checkpoint');
      this.#run(200);
      this.step('notify');
      this.#run(200);
    }
  }

  get expected(): readonly number[] {
    return this.#expected;
  }

  get visible(): readonly number[] {
    return this.harness.eventsOf('transaction-committed').flatMap(({ lineages }) => lineages);
  }

  get unfinished(): readonly string[] {
    return this.#disk.openTransactions().map(({ transaction }) => transaction);
  }

  #write(one: Attempt): void {
    this.#records += 1;
    this.#open.push(this.#records);
    one.sink.head.process({ key: `${this.#records % 3}`, n: this.#records }, 0, this.#records);
  }

  #checkpoint(one: Attempt): void {
    this.#checkpoints += 1;
    one.sink.prepareSnapshotPreBarrier(id(this.#checkpoints), one.out);
    const { committables, writers, waits } = one.sink.snapshot();
    if (!waits) one.flushed.add(this.#checkpoints);
    this.#taken.push({ id: this.#checkpoints, state: { committables, writers }, records: this.#open });
    this.#open = [];
  }

  /** The newest checkpoint that is acknowledged is complete, with all before it. */
  #complete(one: Attempt): void {
    const newest = this.#taken.findLast((taken) => one.flushed.has(taken.id));
    if (newest === undefined || one.failed) return;
    for (const taken of this.#taken) if (taken.id <= newest.id) this.#expected.push(...taken.records);
    this.#taken = this.#taken.filter((taken) => taken.id > newest.id);
    this.#restore = newest;
    one.sink.notifyComplete(id(newest.id), one.out);
    this.#run(2);
  }

  #deploy(): void {
    this.#open = [];
    this.#taken = [];
    const number = this.#attempts.length + 1;
    const flushed = new Set<number>();
    const sink = openSink({
      uid: 'out',
      jobId: 'job',
      spec: {
        guarantee: 'exactly-once',
        batchRecords: 2,
        file: {
          storage: this.#kind,
          directory: 'output',
          partBytes: 120,
          bucketOf: (value) => (value as { key: string }).key,
        },
      },
      place: { subtask: 0, parallelism: 1, highestParallelism: 1, attempt: attempt(number) },
      services: { sink: SINK },
      runtime: { requestTimeoutUs: 20_000, bufferTimeoutUs: 1_000 },
      parts: this.#parts,
      recordBytes: 2,
      behind: { process: () => undefined },
      host: {
        preCommitted: (checkpointId) => flushed.add(checkpointId),
        initialized: () => {
          one.isInitialized = true;
        },
        fail: () => {
          one.failed = true;
        },
        reportCommit: () => undefined,
        reportCommitFailure: () => undefined,
      },
    });
    const out = new RecordingOut((timer, nowUs, timerOut) => sink.handleTimer(timer, nowUs, timerOut));
    const one: Attempt = { sink, out, isInitialized: false, flushed, failed: false };
    this.#attempts.push(one);
    sink.initialize(this.#restore.state, this.#restore.id, out);
    this.#run(5);
  }

  /** What it has sent still arrives; nothing reaches it any more. */
  #kill(one: Attempt): void {
    one.failed = true;
    this.#dead.add(one);
  }
  readonly #dead = new Set<Attempt>();

  #run(ticks: number): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      this.#attempts.forEach((one, index) => {
        for (const { message } of one.out.fresh()) this.harness.receive(message, CLIENT, (index + 1) as MailboxId);
      });
      this.harness.runFor(TICK_US);
      for (; this.#delivered < this.harness.sent.length; this.#delivered += 1) this.#deliver(this.#delivered);
      for (const one of this.#attempts) if (!this.#dead.has(one)) one.out.advance(TICK_US);
    }
  }

  #deliver(at: number): void {
    const sent = this.harness.sent[at];
    const one = this.#attempts[Number(sent?.to.mailbox) - 1];
    const message: EngineMessage | undefined = sent?.message;
    if (one === undefined || this.#dead.has(one) || message?.kind !== 'storage-reply') return;
    one.sink.handleReply(message, one.out.nowUs, one.out);
    one.sink.sendBatches(one.out);
  }
}

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Step>('write', 'checkpoint', 'notify') },
    { weight: 2, arbitrary: fc.constantFrom<Step>('crash', 'zombie', 'silence', 'speech', 'wait') },
  ),
  { minLength: 4, maxLength: 40, size: 'max' },
);
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

function settled(kind: Kind, all: readonly Step[], parts: EngineParts = standardParts): Bench {
  const bench = new Bench(kind, parts);
  for (const step of all) bench.step(step);
  bench.settle();
  return bench;
}

describe.each<Kind>(['hdfs', 'object-store'])('a file sink on %s', (kind) => {
  test('shows the records of completed checkpoints, each once, and leaves nothing in progress', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const bench = settled(kind, all);
        expect(sorted(bench.visible)).toEqual(sorted(bench.expected));
        expect(bench.unfinished).toEqual([]);
      }),
      { numRuns: 100, seed: 60 },
    );
  });

  test('a commit whose answer was lost is found done after the crash (row K7)', () => {
    const bench = settled(kind, ['write', 'checkpoint', 'silence', 'notify', 'wait', 'crash', 'speech', 'wait']);
    expect(sorted(bench.visible)).toEqual(sorted(bench.expected));
    expect(bench.expected.length).toBeGreaterThanOrEqual(9);
  });

  test('what an attempt had in progress is removed, what its checkpoint commits is not', () => {
    const all: Step[] = ['write', 'checkpoint', 'write', 'write', 'crash', 'wait'];
    expect(settled(kind, all).unfinished).toEqual([]);
    expect(settled(kind, all, { ...standardParts, outputOfEarlierAttempts: 'left' }).unfinished).not.toEqual([]);
  });
});
