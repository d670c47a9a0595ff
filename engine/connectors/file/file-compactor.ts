/**
 * Makes one file of several small ones before anybody sees them (row K12; Flink: FileSink.enableCompact, CompactCoordinator, CompactorOperator).
 *
 * Pending files are held back for some checkpoints, then those of a bucket are read and written as one, and that one is committed in their
 * place. Owns: what is held back, which files a compacted one stands for. Does not own: requests, what earlier attempts left (file-writer.ts).
 * Invariants:
 *   I1 a record is in exactly one file that is committed: a checkpoint lists either the compacted file, to be committed, or those it was made of,
 *      held back;
 *   I2 the small files stay until the compacted one is committed, because a restore may go back to a checkpoint that holds them;
 *   I3 files of a bucket are joined in the order they were written, and none before an older one.
 */
import type { Out } from '../../protocol/actor.ts';
import { type PartName, partPath } from '../../protocol/output-file.ts';
import { decodePendingFile, encodePendingFile, type PendingFile } from './file-committable.ts';
import type { OutputStorage } from './output-storage.ts';
import { probe } from '../../protocol/probes.ts';

export interface FileCompactorOptions {
  readonly storage: OutputStorage;
  /** So many checkpoints go by before held files are compacted. */
  readonly checkpoints: number;
  /** Name of the next file of this writer. */
  readonly nameOf: (bucket: string) => PartName;
  readonly isWhole: (file: PendingFile) => boolean;
  readonly failed: (out: Out) => void;
  /** A compaction that was under way at the end of input is over; these were made for nothing. */
  readonly abandoned: (unused: readonly PendingFile[], out: Out) => void;
}

interface Compacted {
  readonly file: PendingFile;
  readonly sources: readonly PendingFile[];
}

export class FileCompactor {
  readonly #options: FileCompactorOptions;
  /** First written first. */
  #held: PendingFile[] = [];
  #isRunning = false;
  #hasEnded = false;
  /** Whole at the storage, in no checkpoint yet. */
  #done: Compacted[] = [];
  /** By path of a file that is to be committed: those it stands for. */
  readonly #standsFor = new Map<string, readonly PendingFile[]>();
  #since = 0;

  constructor(options: FileCompactorOptions) {
    this.#options = options;
  }

  restore(states: readonly string[]): void {
    this.#held = states.map(decodePendingFile);
  }

  snapshot(): readonly string[] {
    return this.#held.map(encodePendingFile);
  }

  /** At a barrier: these are held back, others are to be committed instead. */
  exchange(closed: readonly PendingFile[], out: Out): readonly PendingFile[] {
    const committables: PendingFile[] = [];
    for (const { file, sources } of this.#done) {
      committables.push(file);
      this.#held = this.#held.filter((held) => !sources.includes(held));
      if (!sources.includes(file)) this.#standsFor.set(partPath(file.name), sources);
    }
    this.#done = [];
    this.#held.push(...closed);
    this.#since += 1;
    if (this.#since >= this.#options.checkpoints && !this.#isRunning) this.#start(out);
    return committables;
  }

  /** No barrier with records follows: everything is committed as it is. Returns what was compacted for nothing. */
  end(closed: readonly PendingFile[]): {
    readonly files: readonly PendingFile[];
    readonly unused: readonly PendingFile[];
  } {
    this.#hasEnded = true;
    const files = [...this.#held, ...closed];
    this.#held = [];
    return { files, unused: this.#takeUnused() };
  }

  /** Files that are not needed any more (I2). */
  committed(path: string): readonly PendingFile[] {
    const sources = this.#standsFor.get(path) ?? [];
    this.#standsFor.delete(path);
    return sources;
  }

  /** If it is at the end of input, `abandoned` follows. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  #start(out: Out): void {
    this.#since = 0;
    const buckets = new Map<string, PendingFile[]>();
    const behind = new Set<string>();
    for (const file of this.#held) {
      const { bucket } = file.name;
      // I3
      if (!this.#options.isWhole(file)) behind.add(bucket);
      if (behind.has(bucket)) continue;
      const files = buckets.get(bucket);
      if (files === undefined) buckets.set(bucket, [file]);
      else files.push(file);
    }
    this.#isRunning = buckets.size > 0;
    this.#compact([...buckets.values()], out);
  }

  #takeUnused(): readonly PendingFile[] {
    const unused = this.#done.flatMap(({ file, sources }) => (sources.includes(file) ? [] : [file]));
    this.#done = [];
    return unused;
  }

  /** One bucket after the other. */
  #compact(buckets: readonly (readonly PendingFile[])[], out: Out): void {
    if (this.#hasEnded) {
      this.#isRunning = false;
      return this.#options.abandoned(this.#takeUnused(), out);
    }
    const [sources, ...others] = buckets;
    const first = sources?.[0];
    if (sources === undefined || first === undefined) {
      this.#isRunning = false;
      return;
    }
    if (sources.length === 1) {
      this.#done.push({ file: first, sources });
      return this.#compact(others, out);
    }
    this.#read(sources, [], out, (pieces, readOut) => {
      // The input may have ended meanwhile, and its last checkpoint be taken: nothing is begun behind that.
      if (this.#hasEnded) return this.#compact(others, readOut);
      this.#write(first.name.bucket, pieces, readOut, (file, writtenOut) => {
        probe(writtenOut, 'output-files-compacted');
        this.#done.push({ file, sources });
        this.#compact(others, writtenOut);
      });
    });
  }

  #read(
    sources: readonly PendingFile[],
    pieces: readonly Uint8Array[],
    out: Out,
    then: (pieces: readonly Uint8Array[], out: Out) => void,
  ): void {
    const source = sources[pieces.length];
    if (source === undefined) return then(pieces, out);
    this.#options.storage.read(source.name, out, (bytes, readOut) => {
      if (bytes?.length !== source.length) return this.#options.failed(readOut);
      this.#read(sources, [...pieces, bytes], readOut, then);
    });
  }

  #write(bucket: string, pieces: readonly Uint8Array[], out: Out, then: (file: PendingFile, out: Out) => void): void {
    const { storage, nameOf, failed } = this.#options;
    const name = nameOf(bucket);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const whole = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    storage.begin(name, out, (begun, begunOut) => {
      if (!begun) return failed(begunOut);
      storage.append(name, whole, begunOut, (appended, appendedOut) => {
        if (!appended) return failed(appendedOut);
        storage.finish(name, appendedOut, (done, doneOut) =>
          done ? then({ name, length, parts: 1 }, doneOut) : failed(doneOut),
        );
      });
    });
  }
}
