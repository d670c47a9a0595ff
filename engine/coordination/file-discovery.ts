/**
 * Looks which files lie in a directory, once or again and again; each of their parts is a split (row K1; Flink: FileEnumerator,
 * StaticFileSplitEnumerator, ContinuousFileSplitEnumerator). Files are whole when they are there, and never change.
 *
 * Owns: the list that is open, and when the next one is due. Does not own: what becomes of a split; which files were seen is in the
 * enumerator's state, as its partitions (split-enumerator.ts).
 * Invariant I1: a list is asked for until it is answered; after `restart` and `stop` no answer to an earlier one counts.
 */
import { fileNumber } from '../connectors/file/file-blocks.ts';
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import type { Micros } from '../foundation/time.ts';
import type { FileSourceSpec } from '../job/job-graph.ts';
import type { Out } from '../protocol/actor.ts';
import type { Discovery, PartitionDiscoveryOptions } from './partition-discovery.ts';

export class FileDiscovery implements Discovery {
  readonly #options: PartitionDiscoveryOptions;
  readonly #files: FileSourceSpec;
  readonly #later = new DelayedCalls();
  #generation = 0;

  constructor(options: PartitionDiscoveryOptions, files: FileSourceSpec) {
    this.#options = options;
    this.#files = files;
  }

  restart(out: Out): void {
    this.stop(out);
    this.#list(out);
  }

  stop(out: Out): void {
    this.#generation += 1;
    this.#later.clear(out);
  }

  /** The storage of the JobManager hears its own answers. */
  handleMessage(): boolean {
    return false;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  #list(out: Out): void {
    const { source, host, discovered } = this.#options;
    const generation = this.#generation;
    host.storage.list(`${this.#files.directory}/`, out, (reply, _nowUs, replyOut) => {
      if (generation !== this.#generation) return;
      const isDone = reply?.outcome === 'done';
      if (isDone) discovered(this.#splitsOf(reply.paths ?? []), [], replyOut);
      const againUs = isDone ? source.discoveryUs : retryDelayUs(host.requestTimeoutUs);
      if (againUs === undefined) return;
      this.#later.after(againUs, `discovery/${source.uid}`, replyOut, (_at, lateOut) => this.#list(lateOut));
    });
  }

  #splitsOf(paths: readonly string[]): readonly number[] {
    const { directory, parts } = this.#files;
    const first = this.#options.source.partitions[0] ?? 0;
    return paths.flatMap((path) => {
      const file = fileNumber(directory, path);
      if (file === undefined) return [];
      return Array.from({ length: parts }, (_, part) => first + file * parts + part);
    });
  }
}
