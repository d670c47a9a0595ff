/**
 * Reads a snapshot that a person names and says whether this job can begin from it (row C31; Flink:
 * Checkpoints.loadAndValidateCheckpoint, disposeSavepoint); deletes one.
 *
 * Owns: the reads and deletions. Does not own: what is done with the snapshot.
 * Invariants: I1 state of an operator that the job does not have is refused, unless its user gives it up; I2 native state of another backend
 * is refused (row S24).
 */
import { DelayedCalls, retryDelayUs } from '../clients/delayed-calls.ts';
import { unmatchedHookState } from '../checkpoint/master-hooks.ts';
import { ownFiles } from '../checkpoint/snapshot-disposal.ts';
import type { Micros } from '../foundation/time.ts';
import type { JobGraph } from '../job/job-graph.ts';
import type { Out } from '../protocol/actor.ts';
import type { BackendName } from '../protocol/configuration.ts';
import { isSavepoint } from '../protocol/checkpoint-options.ts';
import type { RetainedCheckpoint } from '../protocol/checkpoint-pointer.ts';
import type { RestoreSettings } from '../protocol/client-operations.ts';
import { type CheckpointMetadata, decodeMetadata, isIntactMetadata } from '../protocol/metadata-file.ts';
import { metadataIn, resolvedIn } from '../protocol/savepoint-paths.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

export type LoadedSnapshot =
  | { readonly kind: 'loaded'; readonly checkpoint: RetainedCheckpoint; readonly metadata: CheckpointMetadata }
  | { readonly kind: 'refused'; readonly reason: string; readonly isUnreadable?: true };

/** What is to be restored, as what. */
export interface LoadSettings extends RestoreSettings {
  readonly backend: BackendName;
  /** Of the version that shall begin. */
  readonly graph: JobGraph;
}

export interface SnapshotLoaderOptions {
  readonly storage: CheckpointStorage;
  readonly requestTimeoutUs: number;
  /** How long a write that was repeated may still be under way. */
  readonly lateWriteUs: number;
}

export class SnapshotLoader {
  readonly #options: SnapshotLoaderOptions;
  readonly #later = new DelayedCalls();
  #waits = 0;

  constructor(options: SnapshotLoaderOptions) {
    this.#options = options;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#later.handleTimer(timer, nowUs, out);
  }

  /** Storage that does not answer is asked again; what is not there, or is damaged, is refused. */
  load(restore: LoadSettings, out: Out, loaded: (snapshot: LoadedSnapshot, nowUs: Micros, out: Out) => void): void {
    const path = metadataIn(restore.location);
    this.#options.storage.read(path, out, (reply, nowUs, replyOut) => {
      if (reply?.outcome === 'not-found')
        return loaded({ kind: 'refused', reason: `there is no ${path}`, isUnreadable: true }, nowUs, replyOut);
      if (reply?.outcome !== 'done' || reply.bytes === undefined)
        return this.#again(replyOut, (lateOut) => this.load(restore, lateOut, loaded));
      if (!isIntactMetadata(reply.bytes))
        return loaded({ kind: 'refused', reason: `${path} is damaged`, isUnreadable: true }, nowUs, replyOut);
      const metadata = resolvedIn(restore.location, decodeMetadata(reply.bytes));
      loaded(this.#judge(metadata, path, restore), nowUs, replyOut);
    });
  }

  /**
   * Deletes what the metadata names, and then what else is listed, until nothing is left (Flink: CheckpointMetadata.dispose). Lists alone would
   * not do: an object store may not show yet what it has, and the metadata goes last, so that whoever goes on knows the names. Where a list shows
   * something all the same, writes that were repeated have come back, and more of them may come.
   */
  dispose(location: string, out: Out, disposed: (out: Out) => void): void {
    const path = metadataIn(location);
    const again = (againOut: Out): void =>
      this.#again(againOut, (lateOut) => this.dispose(location, lateOut, disposed));
    this.#options.storage.read(path, out, (reply, _nowUs, readOut) => {
      if (reply?.outcome === 'not-found') return this.#disposeListed(location, 0, readOut, disposed);
      if (reply?.outcome !== 'done' || reply.bytes === undefined || !isIntactMetadata(reply.bytes))
        return again(readOut);
      this.#delete(ownFiles(location, reply.bytes), readOut, again, (namedOut) =>
        this.#delete([path], namedOut, again, again),
      );
    });
  }

  #delete(paths: readonly string[], out: Out, again: (out: Out) => void, then: (out: Out) => void): void {
    if (paths.length === 0) return then(out);
    this.#options.storage.delete(paths, out, (reply, _nowUs, deletedOut) =>
      reply?.outcome === 'done' ? then(deletedOut) : again(deletedOut),
    );
  }

  /** Lists and deletes until nothing is left, and has not been since `quietFromUs`. */
  #disposeListed(location: string, quietFromUs: number, out: Out, disposed: (out: Out) => void): void {
    const again = (fromUs: number, againOut: Out, afterUs?: number): void =>
      this.#again(againOut, (lateOut) => this.#disposeListed(location, fromUs, lateOut, disposed), afterUs);
    this.#options.storage.list(`${location}/`, out, (reply, nowUs, listOut) => {
      const paths = reply?.paths;
      if (reply?.outcome !== 'done' || paths === undefined) return again(quietFromUs, listOut);
      if (paths.length > 0)
        return this.#options.storage.delete(paths, listOut, (_reply, endUs, endOut) =>
          again(endUs + this.#options.lateWriteUs, endOut),
        );
      if (nowUs >= quietFromUs) return disposed(listOut);
      again(quietFromUs, listOut, quietFromUs - nowUs);
    });
  }

  #judge(
    metadata: CheckpointMetadata,
    path: string,
    { allowNonRestored, backend, graph }: LoadSettings,
  ): LoadedSnapshot {
    const { backend: written = 'hashmap' } = metadata;
    if (metadata.format !== 'canonical' && written !== backend)
      return {
        kind: 'refused',
        reason: `${path} holds native state of backend ${written}, which ${backend} cannot read; both read a canonical savepoint`,
      };
    const known = operatorsOf(graph);
    const isKnown = ({ operator }: { readonly operator: string }): boolean => known.has(operator);
    const stranger = metadata.states.flatMap(({ handles }) => handles).find((handle) => !isKnown(handle));
    if (stranger !== undefined && !allowNonRestored)
      return {
        kind: 'refused',
        reason: `the job has no operator '${stranger.operator}', whose state is in the snapshot`,
      };
    const hook = unmatchedHookState(graph.masterHooks, metadata);
    if (hook !== undefined && !allowNonRestored)
      return { kind: 'refused', reason: `the job has no master hook '${hook}', whose state is in the snapshot` };
    const states = metadata.states.map((state) => ({ ...state, handles: state.handles.filter(isKnown) }));
    const ofUser = isSavepoint(metadata.snapshot ?? 'checkpoint') ? ({ isSavepoint: true } as const) : {};
    return {
      kind: 'loaded',
      checkpoint: { id: metadata.checkpointId, metadata: path, ...ofUser },
      metadata: { ...metadata, states },
    };
  }

  /** Each wait has a name of its own: two people may ask for the same snapshot. */
  #again(out: Out, call: (out: Out) => void, afterUs = retryDelayUs(this.#options.requestTimeoutUs)): void {
    this.#waits += 1;
    this.#later.after(afterUs, `snapshot/${this.#waits}`, out, (_nowUs, lateOut) => call(lateOut));
  }
}

function operatorsOf(graph: JobGraph): ReadonlySet<string> {
  const operators = new Set<string>();
  for (const { source, operators: chain } of graph.vertices) {
    if (source !== undefined) operators.add(source.uid);
    for (const { uid } of chain) operators.add(uid);
  }
  return operators;
}
