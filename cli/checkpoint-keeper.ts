/**
 * Leaves the checkpoint storage of a life where it can be looked at: `--keep-checkpoints`.
 *
 * I1: the place holds no files before: it shows one life, not two (asked before the life is lived, and again by each put);
 * I2: what is kept is what the simulated storage held when the life ended, each file under its path, byte for byte.
 */
import type { DurableState } from '../sim/judges/judge.ts';
import type { CheckpointFiles } from './checkpoint-files.ts';
import { checkpointFilesAt } from './checkpoint-place.ts';
import { checkWritable } from './files.ts';
import type { OptionValues } from './option-table.ts';
import { isS3Place, s3Settings } from './s3-bucket.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export class CheckpointKeeper {
  readonly #files: CheckpointFiles;
  #taken: readonly (readonly [path: string, bytes: Uint8Array])[] = [];

  constructor(options: OptionValues, terminal: Pick<Terminal, 'variable'>) {
    this.#files = checkpointFilesAt(options.keepCheckpoints ?? '', s3Settings(options, terminal.variable));
  }

  /** Throws a UsageError when the place is not free, before anything is lived. */
  async check(): Promise<void> {
    if (!isS3Place(this.#files.place)) checkWritable(this.#files.place, 'folder', '--keep-checkpoints');
    const [before] = await this.#files.list('');
    if (before === undefined) return;
    throw new UsageError(`${this.#files.place} already holds ${before.path}: name a place that holds no files.`);
  }

  take(durable: DurableState): void {
    this.#taken = durable.objects().flatMap((path) => {
      const bytes = durable.object(path);
      return bytes === undefined ? [] : [[path, bytes] as const];
    });
  }

  /** Whether the life left anything: what ends by itself or is canceled may give up its checkpoints (row C17). */
  get hasTaken(): boolean {
    return this.#taken.length > 0;
  }

  async keep(): Promise<void> {
    for (const [path, bytes] of this.#taken) {
      if ((await this.#files.put(path, bytes)) === 'stored') continue;
      throw new UsageError(`${this.#files.place} already holds ${path}: somebody else writes there.`);
    }
  }
}
