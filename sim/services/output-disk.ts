/**
 * The storage that file sinks write to: a disk of any kind, and what readers of finished files see of it (row K12).
 *
 * Owns: telling a file's life as that of a transaction: opened, pre-committed, committed with the records in it, or aborted; so the judges
 * of other sinks judge files, too. Does not own: what requests do (the disk below).
 *
 * I1: what is reported was read from the bytes of the file, when it got its name; nobody is asked what should be in it;
 * I2: a file that is in progress or pending is an open transaction, whoever began it;
 * I3: readers get the records before the first one that is not whole. Those of a finished file that a loss of power takes have vanished.
 */
import type { Micros } from '../../engine/foundation/time.ts';
import type { StorageRequest } from '../../engine/protocol/messages.ts';
import type { Lineage } from '../../engine/protocol/stream-elements.ts';
import {
  type PartName,
  parsePartPath,
  parseTemporaryPartPath,
  partPath,
  readOutputRecords,
} from '../../engine/protocol/output-file.ts';
import type { DurableState } from '../judges/judge.ts';
import type { ChoiceSite } from '../kernel/choice.ts';
import { DiskInFront } from './disk-in-front.ts';
import { NO_BYTES } from './file-tree.ts';
import type { StorageAnswer, StorageDisk, Tell } from './storage-disk.ts';
import { wholeRecords } from './whole-records.ts';

const UPLOAD = /^(.*)\?uploadId=[^/?]*$/;
const ATTEMPT = /\/(\d+)\/commit$/;

export class OutputDisk extends DiskInFront {
  /** Paths of files that were told of, finished or not. */
  readonly #opened = new Set<string>();
  /** With the records in them. */
  readonly #pending = new Map<string, readonly Lineage[]>();
  readonly #finished = new Set<string>();

  readonly #isHeldBack: boolean;

  /** `isHeldBack`: writers compact their files, so a file may get its name after younger ones of another writer. */
  constructor(disk: StorageDisk, isHeldBack = false) {
    super(disk);
    this.#isHeldBack = isHeldBack;
  }

  perform(request: StorageRequest, nowUs: Micros, tell: Tell): StorageAnswer {
    const answer = this.disk.perform(request, nowUs, (event) => {
      if (event.kind === 'object-deleted') this.#onDeleted(event.path, tell);
      else if (event.kind !== 'object-stored' && event.kind !== 'file-opened') tell(event);
    });
    if (answer.outcome !== 'done') return answer;
    if (request.kind === 'storage-file') {
      const { operation, path, writer } = request;
      if (operation.kind === 'create') this.#onOpened(parseTemporaryPartPath(path), tell);
      if (operation.kind === 'close') this.#onClosed(path, tell);
      if (operation.kind === 'rename') this.#onFinished(operation.to, Number(ATTEMPT.exec(writer)?.[1] ?? 0), tell);
    } else if (request.kind === 'storage-upload') {
      const { operation, path } = request;
      if (operation.kind === 'begin') this.#onOpened(parsePartPath(path), tell);
      // Who completes an upload does not say so: it counts for whoever began it.
      if (operation.kind === 'complete') this.#onFinished(path, parsePartPath(path)?.attempt ?? 0, tell);
    }
    return answer;
  }

  /** I3. */
  override losePower(nowUs: Micros, site: ChoiceSite, tell: Tell): boolean {
    const before = [...this.#finished].map((path) => ({ path, bytes: this.disk.object(path) }));
    const isAtStake = this.disk.losePower(nowUs, site, tell);
    for (const { path, bytes } of before) if (this.disk.object(path) !== bytes) this.#onCutShort(path, bytes, tell);
    return isAtStake;
  }

  /** I2. */
  openTransactions(): ReturnType<DurableState['openTransactions']> {
    const files = this.disk.objects().map(parseTemporaryPartPath);
    const uploads = this.disk.leftovers().map((path) => parsePartPath(UPLOAD.exec(path)?.[1] ?? ''));
    return [...files, ...uploads].flatMap((name) => {
      if (name === undefined) return [];
      const preCommitted = this.#pending.has(partPath(name));
      return [{ ...transactionOf(name), preCommitted, records: 0 }];
    });
  }

  #onOpened(name: PartName | undefined, tell: Tell): void {
    if (name === undefined || this.#opened.has(partPath(name))) return;
    this.#opened.add(partPath(name));
    tell({ kind: 'transaction-opened', ...transactionOf(name) });
  }

  #onClosed(path: string, tell: Tell): void {
    const name = parseTemporaryPartPath(path);
    if (name === undefined || this.#pending.has(partPath(name))) return;
    this.#pending.set(partPath(name), recordsIn(this.disk.object(path)).lineages);
    tell({ kind: 'transaction-pre-committed', ...transactionOf(name) });
  }

  /** A request that is answered again finds the file finished. */
  #onFinished(path: string, committedBy: number, tell: Tell): void {
    const name = parsePartPath(path);
    const bytes = this.disk.object(path);
    if (name === undefined || bytes === undefined || this.#finished.has(path)) return;
    this.#finished.add(path);
    const { values, lineages } = recordsIn(bytes);
    const bucket = `${name.root}/${name.bucket}`;
    const partition = this.#isHeldBack ? `${bucket}/${String(name.subtask)}` : bucket;
    tell({ kind: 'transaction-committed', ...transactionOf(name), committedBy, partition, values, lineages });
  }

  #onCutShort(path: string, before: Uint8Array | undefined, tell: Tell): void {
    const name = parsePartPath(path);
    const left = recordsIn(this.disk.object(path)).lineages.length;
    const lineages = recordsIn(before).lineages.slice(left);
    if (name === undefined || lineages.length === 0) return;
    const { transaction, producer } = transactionOf(name);
    tell({ kind: 'output-vanished', transaction, producer, lineages });
  }

  #onDeleted(path: string, tell: Tell): void {
    const name = parseTemporaryPartPath(path) ?? parsePartPath(UPLOAD.exec(path)?.[1] ?? '');
    if (name === undefined || this.#finished.has(partPath(name))) return;
    const { transaction, producer } = transactionOf(name);
    const pending = this.#pending.get(partPath(name));
    const [preCommitted, lineages] = [pending !== undefined, pending ?? []];
    tell({ kind: 'transaction-aborted', transaction, producer, why: 'requested', preCommitted, lineages });
  }
}

/** I3. */
const recordsIn = (bytes: Uint8Array = NO_BYTES): ReturnType<typeof readOutputRecords> =>
  readOutputRecords(wholeRecords(bytes));

/** The writer subtask is the producer, its attempt the epoch. */
function transactionOf(name: PartName): { transaction: string; producer: string; producerEpoch: number } {
  const uid = name.root.slice(name.root.lastIndexOf('/') + 1);
  return { transaction: partPath(name), producer: `${uid}-${name.subtask}`, producerEpoch: name.attempt };
}
