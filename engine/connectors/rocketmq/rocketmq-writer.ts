/**
 * Writes half messages, and answers what became of them (row K9; RocketMQ: TransactionMQProducer, TransactionListener).
 *
 * All messages between two barriers are one transaction; its end is sent by the committer and may be lost on the way, because nobody confirms
 * it. Then the broker asks this writer. Owns: batches, what is answered and from which knowledge. Does not own: the end (rocketmq-committer.ts).
 * Invariants:
 *   I1 an answer comes from durable knowledge only: a transaction of this attempt is committed once its checkpoint is known to be complete, and
 *      till then `unknown`; one of an earlier attempt is committed if the checkpoint that was restored after it covers it, else rolled back;
 *   I2 for that, state says of each attempt which checkpoint it began with. An attempt that no completed checkpoint knows began with the one that
 *      the next known one began with, and wrote nothing that this covers;
 *   I3 whoever takes over the subtask of another answers for it: subtask i of p for those that are i modulo p (decision 0023).
 */
import type { RequestClientOptions } from '../../clients/request-client.ts';
import type { CheckpointId, ExecutionAttemptId } from '../../foundation/ids.ts';
import { MAIN_MAILBOX } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply } from '../../protocol/messages.ts';
import {
  parseTransactionName,
  producerGroup,
  type TransactionState,
  transactionName,
} from '../../protocol/rocketmq-messages.ts';
import { RepeatedWrites } from '../sink/repeated-writes.ts';
import type { Committable, RestoredWriter, SinkWriter, SinkWriterHost } from '../sink/sink-contract.ts';
import { probe } from '../../protocol/probes.ts';

export interface RocketMqWriterOptions {
  readonly uid: string;
  readonly batchRecords: number;
  readonly recordBytes: number;
  readonly subtask: number;
  readonly parallelism: number;
  readonly highestParallelism: number;
  readonly attempt: ExecutionAttemptId;
  readonly client: RequestClientOptions;
  readonly parts: Pick<EngineParts, 'producersToFence' | 'checkBack' | 'flushBeforeBarrier' | 'producersRegister'>;
  readonly host: SinkWriterHost;
}

/** An attempt that wrote, or answers, for a subtask, and the checkpoint it began with. */
interface Generation {
  readonly subtask: number;
  readonly attempt: number;
  readonly restored: number;
}

/** Messages that may wait for the broker before input waits, too. */
const UNWRITTEN_MAX = 64;

export class RocketMqWriter implements SinkWriter {
  readonly isGated = true;
  readonly #options: RocketMqWriterOptions;
  readonly #writes: RepeatedWrites;
  #generations: readonly Generation[] = [];
  /** Subtasks that this one answers for. */
  #producers: readonly number[] = [];
  #lastCheckpoint = 0;
  /** Highest checkpoint of this attempt that is known to be complete. */
  #completed = 0;
  #messages = 0;
  #records = 0;
  #values: unknown[] = [];
  #lineages: number[] = [];
  #full: { readonly values: readonly unknown[]; readonly lineages: readonly number[] }[] = [];

  constructor(options: RocketMqWriterOptions) {
    this.#options = options;
    this.#writes = new RepeatedWrites(options.client, options.host);
  }

  get isAvailable(): boolean {
    return this.#writes.underWay < UNWRITTEN_MAX;
  }

  initialize({ checkpointId: restored, states }: RestoredWriter, out: Out): void {
    const { subtask, parallelism, highestParallelism, attempt, parts } = this.#options;
    this.#lastCheckpoint = restored;
    this.#producers = parts.producersToFence({ subtask, parallelism, highestParallelism });
    // One that began with the same checkpoint wrote nothing that a completed one covers: this one stands for it.
    const known = states
      .map(decodeGeneration)
      .filter((one) => one.subtask % parallelism === subtask && one.restored !== restored);
    this.#generations = [...known, ...this.#producers.map((producer) => ({ subtask: producer, attempt, restored }))];
    this.#register((readyOut) => this.#options.host.ready(readyOut), out);
  }

  process(value: unknown, _timestampUs: number, lineage: number): void {
    this.#values.push(value);
    this.#lineages.push(lineage);
    if (this.#values.length >= this.#options.batchRecords) this.#closeBatch();
  }

  sendBatches(out: Out): void {
    if (this.#full.length === 0) return;
    const full = this.#full;
    this.#full = [];
    for (const batch of full) this.#send(batch, out);
  }

  prepareCommit(id: CheckpointId, _isEnd: boolean, out: Out): readonly Committable[] {
    if (this.#values.length > 0) this.#closeBatch();
    this.sendBatches(out);
    const committables = this.#records > 0 ? [this.#transaction()] : [];
    this.#records = 0;
    this.#lastCheckpoint = id;
    if (this.#options.parts.flushBeforeBarrier === 'flushed') this.#writes.flush(id);
    // A broker that was restarted has forgotten whom it may ask.
    if (this.#options.parts.producersRegister === 'with-each-checkpoint') this.#register(() => undefined, out);
    return committables;
  }

  get isFlushed(): boolean {
    return this.#writes.isFlushed;
  }

  /** I2. */
  snapshotState(): readonly string[] {
    return this.#generations.map(encodeGeneration);
  }

  snapshotAfterEnd(id: CheckpointId): void {
    this.#writes.wait(id);
  }

  committed(committable: Committable): void {
    const name = parseTransactionName(committable);
    if (name?.attempt === this.#options.attempt) this.#completed = Math.max(this.#completed, name.checkpoint);
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    if (reply.kind !== 'rocketmq-check') return this.#writes.handleReply(reply, nowUs, out);
    const { group, transaction } = reply;
    const state = this.#options.parts.checkBack(this.#stateOf(transaction));
    probe(out, `check-back-${state}`);
    const target = { node: this.#options.client.node, mailbox: MAIN_MAILBOX, via: 'datagram' } as const;
    out.send(target, { kind: 'rocketmq-end', group, transaction, state });
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#writes.handleTimer(timer, nowUs, out);
  }

  /** I1. */
  #stateOf(transaction: string): TransactionState {
    const name = parseTransactionName(transaction);
    const { attempt } = this.#options;
    if (name === undefined || name.attempt > attempt) return 'unknown';
    if (name.attempt === attempt) return name.checkpoint <= this.#completed ? 'commit' : 'unknown';
    let next: Generation | undefined;
    for (const one of this.#generations) {
      if (one.subtask !== name.subtask || one.attempt <= name.attempt) continue;
      if (next === undefined || one.attempt < next.attempt) next = one;
    }
    if (next === undefined) return 'unknown';
    return name.checkpoint <= next.restored ? 'commit' : 'rollback';
  }

  #register(then: (out: Out) => void, out: Out): void {
    let missing = this.#producers.length;
    for (const producer of this.#producers) {
      const group = producerGroup(this.#options.uid, producer);
      this.#writes.send(
        (requestId) => ({ kind: 'rocketmq-register', requestId, group }),
        out,
        (confirmedOut) => {
          missing -= 1;
          if (missing === 0) then(confirmedOut);
        },
      );
    }
  }

  #transaction(): string {
    const { uid, subtask, attempt } = this.#options;
    return transactionName({ uid, subtask, attempt, checkpoint: this.#lastCheckpoint + 1 });
  }

  #closeBatch(): void {
    this.#full.push({ values: this.#values, lineages: this.#lineages });
    this.#records += this.#values.length;
    this.#values = [];
    this.#lineages = [];
  }

  #send({ values, lineages }: { values: readonly unknown[]; lineages: readonly number[] }, out: Out): void {
    const { uid, subtask, recordBytes } = this.#options;
    this.#messages += 1;
    const transaction = this.#transaction();
    const key = `${transaction}/${this.#messages}`;
    const group = producerGroup(uid, subtask);
    const half = { kind: 'rocketmq-half', group, transaction, key, values, lineages } as const;
    this.#writes.send((requestId) => ({ ...half, requestId, bytes: values.length * recordBytes }), out);
  }
}

const encodeGeneration = ({ subtask, attempt, restored }: Generation): string =>
  JSON.stringify([subtask, attempt, restored]);

function decodeGeneration(text: string): Generation {
  const [subtask, attempt, restored] = JSON.parse(text) as [number, number, number];
  return { subtask, attempt, restored };
}
