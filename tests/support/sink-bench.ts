/**
 * One sink subtask and its outside system, for models: records, checkpoints, crashes, zombies, answers that are lost.
 *
 * Owns: attempts, what they were told, which records completed checkpoints hold. Does not own: the outside system (a test gives it).
 */
import { openSink } from '../../engine/connectors/open-sink.ts';
import type { SinkState } from '../../engine/connectors/sink/committable-rows.ts';
import type { SinkTask } from '../../engine/connectors/sink/sink-task.ts';
import type { MailboxId } from '../../engine/foundation/ids.ts';
import type { SinkSpec } from '../../engine/job/job-graph.ts';
import type { EngineParts } from '../../engine/parts.ts';
import type { EngineMessage, SinkServiceReply } from '../../engine/protocol/messages.ts';
import type { ServiceActor } from '../../sim/services/service-actor.ts';
import { CLIENT, ServiceHarness } from '../unit/sim/services/service-harness.ts';
import { attempt, id, SINK } from './engine-values.ts';
import { RecordingOut } from './recording-out.ts';

export type SinkStep =
  | 'write'
  | 'checkpoint'
  | 'notify'
  | 'crash'
  | 'zombie'
  | 'silence'
  | 'speech'
  | 'wait'
  | 'restart'
  | Loss;

/** One message of those to come is lost, or comes late: the one before which `after` others go through. */
export interface Loss {
  readonly lost: 'request' | 'reply';
  readonly after: number;
  /** Absent: it never comes. Requests only. */
  readonly lateByTicks?: number;
}

export interface SinkBenchOptions {
  readonly spec: SinkSpec;
  readonly parts: EngineParts;
  readonly service: (harness: ServiceHarness) => ServiceActor;
}

const NOTHING: SinkState = { committables: [], writers: [] };
const TICK_US = 1_000;

/** One attempt of the subtask, dead or alive. */
interface Attempt {
  readonly sink: SinkTask;
  readonly out: RecordingOut;
  isInitialized: boolean;
  readonly flushed: Set<number>;
  failed: boolean;
}

export class SinkBench {
  readonly harness = new ServiceHarness();
  readonly #options: SinkBenchOptions;
  readonly #attempts: Attempt[] = [];
  /** Records written since the newest checkpoint, and those of checkpoints that are not complete. */
  #open: number[] = [];
  #taken: { readonly id: number; readonly state: SinkState; readonly records: readonly number[] }[] = [];
  #restore: { readonly id: number; readonly state: SinkState } = { id: 0, state: NOTHING };
  readonly #expected: number[] = [];
  #records = 0;
  #checkpoints = 0;
  #delivered = 0;
  readonly #losses: (Omit<Loss, 'after'> & { after: number })[] = [];
  readonly #late: { readonly message: EngineMessage; readonly from: MailboxId; ticks: number }[] = [];

  constructor(options: SinkBenchOptions) {
    this.#options = options;
    this.restart();
    this.#deploy();
  }

  /** The outside system, also after a crash of its node. */
  restart(): void {
    this.harness.start(this.#options.service(this.harness));
  }

  step(step: SinkStep): void {
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
      case 'restart':
        return this.restart();
      default:
        this.#losses.push({ ...step });
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
    return this.harness.events.flatMap((event) =>
      event.kind === 'transaction-committed' || event.kind === 'output-appended' ? event.lineages : [],
    );
  }

  /** How often its attempts came by a rare path. */
  probes(name: string): number {
    const ofAll = this.#attempts.flatMap(({ out }) => out.reported('probe'));
    return ofAll.filter(({ probe }) => probe === name).length;
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
      spec: this.#options.spec,
      place: { subtask: 0, parallelism: 1, highestParallelism: 1, attempt: attempt(number) },
      services: { sink: SINK },
      runtime: { requestTimeoutUs: 20_000, bufferTimeoutUs: 1_000 },
      parts: this.#options.parts,
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
      for (const late of this.#late) {
        late.ticks -= 1;
        if (late.ticks === 0) this.harness.receive(late.message, CLIENT, late.from);
      }
      this.#attempts.forEach((one, index) => {
        for (const { message } of one.out.fresh()) this.#send(message, (index + 1) as MailboxId);
      });
      this.harness.runFor(TICK_US);
      for (; this.#delivered < this.harness.sent.length; this.#delivered += 1) this.#deliver(this.#delivered);
      for (const one of this.#attempts) if (!this.#dead.has(one)) one.out.advance(TICK_US);
    }
  }

  #send(message: EngineMessage, from: MailboxId): void {
    const loss = this.#lossOf('request');
    if (loss === undefined) this.harness.receive(message, CLIENT, from);
    else if (loss.lateByTicks !== undefined) this.#late.push({ message, from, ticks: loss.lateByTicks });
  }

  #lossOf(kind: Loss['lost']): Omit<Loss, 'after'> | undefined {
    const due = this.#losses.find(({ lost, after }) => lost === kind && after === 0);
    for (const loss of this.#losses) if (loss.lost === kind) loss.after -= 1;
    return due;
  }

  #deliver(at: number): void {
    const sent = this.harness.sent[at];
    const one = this.#attempts[Number(sent?.to.mailbox) - 1];
    const message = sent?.message;
    if (one === undefined || this.#dead.has(one) || message === undefined || !isForSinks(message)) return;
    if (this.#lossOf('reply') !== undefined) return;
    one.sink.handleReply(message, one.out.nowUs, one.out);
    one.sink.sendBatches(one.out);
  }
}

function isForSinks(message: EngineMessage): message is SinkServiceReply {
  const { kind } = message;
  return kind === 'storage-reply' || kind === 'sink-reply' || kind === 'rocketmq-check' || kind === 'kafka-reply';
}

export const sortedNumbers = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
