/**
 * Writes rows into a table by key (row K13; Flink: an AsyncSinkWriter whose requests are idempotent, the JDBC sink in upsert mode).
 *
 * Owns: batches, their repetition, what a snapshot waits for. Nothing is committed: a row is seen when it is written. Does not own: what the
 * table keeps (the outside system).
 * Invariants:
 *   I1 everything written before the barrier is in the table before the checkpoint is acknowledged;
 *   I2 a row says its version and replaces older ones only. So a request that comes late, twice, or of a dead attempt changes nothing, and
 *      what is written again after a restore does not take the table back.
 */
import { DelayedCalls } from '../../clients/delayed-calls.ts';
import type { RequestClientOptions } from '../../clients/request-client.ts';
import { assert } from '../../foundation/assert.ts';
import type { CheckpointId } from '../../foundation/ids.ts';
import type { Micros } from '../../foundation/time.ts';
import type { UpsertSinkSpec } from '../../job/job-graph.ts';
import type { EngineParts } from '../../parts.ts';
import type { Out } from '../../protocol/actor.ts';
import type { SinkServiceReply, TableRow } from '../../protocol/messages.ts';
import { Linger } from '../sink/linger.ts';
import { RepeatedWrites } from '../sink/repeated-writes.ts';
import type { Committable, RestoredWriter, SinkWriter, SinkWriterHost } from '../sink/sink-contract.ts';

export interface UpsertWriterOptions {
  readonly uid: string;
  readonly upsert: UpsertSinkSpec;
  readonly batchRecords: number;
  readonly recordBytes: number;
  readonly client: RequestClientOptions;
  /** Longest wait of a row for its batch. */
  readonly lingerUs: number;
  readonly parts: Pick<EngineParts, 'upsertReplaces' | 'flushBeforeBarrier'>;
  readonly host: SinkWriterHost;
}

/** Batches that may wait for the table before input waits, too. */
const UNWRITTEN_MAX = 64;

export class UpsertWriter implements SinkWriter {
  readonly isGated = true;
  readonly #options: UpsertWriterOptions;
  readonly #writes: RepeatedWrites;
  readonly #later = new DelayedCalls();
  readonly #linger: Linger;
  #rows: TableRow[] = [];
  #full: (readonly TableRow[])[] = [];

  constructor(options: UpsertWriterOptions) {
    this.#options = options;
    this.#linger = new Linger(this.#later, options.lingerUs, (out) => this.#sendAll(out));
    this.#writes = new RepeatedWrites(options.client, options.host);
  }

  get isAvailable(): boolean {
    return this.#writes.underWay < UNWRITTEN_MAX;
  }

  /** I2: nothing of earlier attempts has to be ended. */
  initialize(_restored: RestoredWriter, out: Out): void {
    this.#options.host.ready(out);
  }

  process(value: unknown, _timestampUs: number, lineage: number): void {
    const { keyOf, versionOf } = this.#options.upsert;
    const version = versionOf(value);
    assert(Number.isSafeInteger(version), 'a row has a version, a whole number', { version });
    this.#rows.push({ key: keyOf(value), version, value, lineage });
    if (this.#rows.length >= this.#options.batchRecords) this.#closeBatch();
  }

  sendBatches(out: Out): void {
    if (this.#rows.length > 0) this.#linger.begin(out);
    if (this.#full.length === 0) return;
    const full = this.#full;
    this.#full = [];
    for (const rows of full) this.#write(rows, out);
  }

  /** Those too that are not full. */
  #sendAll(out: Out): void {
    if (this.#rows.length > 0) this.#closeBatch();
    this.sendBatches(out);
  }

  prepareCommit(id: CheckpointId, _isEnd: boolean, out: Out): readonly Committable[] {
    this.#sendAll(out);
    if (this.#options.parts.flushBeforeBarrier === 'flushed') this.#writes.flush(id);
    return [];
  }

  get isFlushed(): boolean {
    return this.#writes.isFlushed;
  }

  snapshotState(): readonly string[] {
    return [];
  }

  snapshotAfterEnd(id: CheckpointId): void {
    this.#writes.wait(id);
  }

  committed(): void {
    // There is nothing to commit.
  }

  handleReply(reply: SinkServiceReply, nowUs: Micros, out: Out): void {
    this.#writes.handleReply(reply, nowUs, out);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out) || this.#writes.handleTimer(timer, nowUs, out);
  }

  #closeBatch(): void {
    this.#full.push(this.#rows);
    this.#rows = [];
  }

  /** I2: the same rows again and again, until the table has them. */
  #write(rows: readonly TableRow[], out: Out): void {
    const { uid: table, recordBytes, parts } = this.#options;
    const upsert = { kind: 'table-upsert', table, rows, replaces: parts.upsertReplaces } as const;
    this.#writes.send((requestId) => ({ ...upsert, requestId, bytes: rows.length * recordBytes }), out);
  }
}
