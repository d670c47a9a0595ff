/**
 * What people ask of the job while this leader runs it, and what they are told (rows C6, C17, C26-C28, C31; Flink: Dispatcher and the
 * REST handlers, SchedulerBase.triggerSavepoint, stopWithSavepoint, cancel).
 *
 * Owns: the requests by trigger id and their results; the end of a run and the beginning of the next. Does not own: snapshots (the
 * coordinator), executions (the job master), the user's side of a restore (snapshot-loader).
 * Invariants: I1 a repeated request is carried out once; I2 `done` is said only of what is durable (A6 in bugs.md); I3 a run that is
 * over is durably over before its checkpoints are deleted; I4 no run begins in the place of one that has begun since its user looked.
 */
import type { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.ts';
import type { RequestEnd } from '../checkpoint/checkpoint-request.ts';
import type { CompletedCheckpointStore } from '../checkpoint/completed-checkpoint-store.ts';
import { InvariantViolation, unreachable } from '../foundation/assert.ts';
import { checkpointId, type LeaderEpoch } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out, Target } from '../protocol/actor.ts';
import { isSavepoint } from '../protocol/checkpoint-options.ts';
import {
  type CheckpointProperties,
  checkpointProperties,
  savepointProperties,
} from '../protocol/checkpoint-properties.ts';
import { droppedClaims, type JobEnd, type JobRun, type RetainedCheckpoint } from '../protocol/checkpoint-pointer.ts';
import { type EndedRun, isResumable } from '../protocol/job-result.ts';
import type { ClientOperation, ClientRequest, ClientResult, RestoreSettings } from '../protocol/client-operations.ts';
import type { BackendName } from '../protocol/configuration.ts';
import type { JobStatus } from '../protocol/engine-events.ts';
import { directoryOfMetadata } from '../protocol/savepoint-paths.ts';
import type { TaskEnvironment } from '../taskmanager/task-environment.ts';
import type { JobRecord } from './job-record.ts';
import type { JobVersionsOfLeader } from './job-versions.ts';
import { type LoadedSnapshot, SnapshotLoader } from './snapshot-loader.ts';
import { StopWithSavepoint } from './stop-with-savepoint.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';
import { lateWriteUs } from '../storage/late-writes.ts';

/** The job, as far as people's wishes reach. */
export interface OperatedJob {
  readonly status: JobStatus;
  /** Every subtask runs or has finished. */
  readonly isWhole: boolean;
  /** Its tasks end; `executionsGone` is called when they have and no write is unanswered. */
  cancel(nowUs: Micros, out: Out): void;
  /** The same, but it has failed and is not restarted. */
  failForGood(nowUs: Micros, out: Out): void;
  /** That is durable. */
  ended(run: EndedRun, out: Out): void;
  /** A new run is durable: deploy it. */
  resubmitted(nowUs: Micros, out: Out): void;
}

export interface JobOperationsOptions {
  readonly environment: TaskEnvironment;
  readonly epoch: LeaderEpoch;
  readonly job: OperatedJob;
  readonly coordinator: CheckpointCoordinator;
  readonly store: CompletedCheckpointStore;
  readonly storage: CheckpointStorage;
  readonly record: JobRecord;
  readonly versions: JobVersionsOfLeader;
}

interface Asked {
  readonly operation: ClientOperation;
  client: Target;
  result: ClientResult;
}

type Resume = Extract<ClientOperation, { kind: 'resume' }>;

const TOO_LATE = 'another run of the job has begun since';
const IN_PROGRESS: ClientResult = { kind: 'in-progress' };
const failed = (reason: string, location?: string, run?: number): ClientResult => ({
  kind: 'failed',
  reason,
  ...(location === undefined ? {} : { location }),
  ...(run === undefined ? {} : { run }),
});
const refused = ({ reason, isUnreadable }: Extract<LoadedSnapshot, { kind: 'refused' }>): ClientResult => ({
  ...{ kind: 'failed', reason },
  ...(isUnreadable === undefined ? {} : { isUnreadable }),
});
const done = (location?: string, run?: number): ClientResult => ({
  kind: 'done',
  ...(location === undefined ? {} : { location }),
  ...(run === undefined ? {} : { run }),
});

export class JobOperations {
  readonly #options: JobOperationsOptions;
  readonly #asked = new Map<string, Asked>();
  readonly #loader: SnapshotLoader;
  #stop: StopWithSavepoint | undefined;
  #isWriting = false;
  /** Why a subtask of this run failed, where it said so. */
  #reason: string | undefined;
  /** Of the present run: its end was written by this leader. */
  #hasEnded = false;

  constructor(options: JobOperationsOptions) {
    this.#options = options;
    const { configuration } = options.environment;
    this.#loader = new SnapshotLoader({
      storage: options.storage,
      requestTimeoutUs: configuration.runtime.requestTimeoutUs,
      lateWriteUs: lateWriteUs(configuration),
    });
  }

  /** Row C28, I2 there: what fails now must not be restarted. */
  get forbidsRestart(): boolean {
    const { failureWhileStopping } = this.#options.environment.parts;
    return this.#stop?.isFinishing === true && failureWhileStopping === 'ends-job';
  }

  get #backend(): BackendName {
    return this.#options.environment.configuration.checkpoint.backend;
  }

  get #isUnaligned(): boolean {
    return this.#options.environment.configuration.checkpoint.unaligned;
  }

  /** The first that is told of counts. */
  failsBecause(reason: string): void {
    this.#reason ??= reason;
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#loader.handleTimer(timer, nowUs, out) || this.#options.record.handleTimer(timer, nowUs, out);
  }

  handle({ triggerId, operation }: ClientRequest, client: Target, nowUs: Micros, out: Out): void {
    const known = this.#asked.get(triggerId);
    if (known === undefined) {
      this.#asked.set(triggerId, { operation, client, result: IN_PROGRESS });
      this.#begin(triggerId, operation, nowUs, out);
    } else known.client = client;
    const { result } = this.#asked.get(triggerId) ?? { result: IN_PROGRESS };
    if (known !== undefined || result.kind === 'in-progress')
      out.send(client, { kind: 'client-reply', triggerId, result });
  }

  /** A leader found a run that is over: what its retention says may not have been done. */
  recovered(out: Out): void {
    const { ended } = this.#options.store.run;
    if (ended !== undefined) this.#end(ended, out);
  }

  /** Every execution is FINISHED: the end of the input, or of a stop with savepoint. */
  jobFinished(out: Out): void {
    const stop = this.#stop?.isFinishing === true ? this.#stop : undefined;
    const by = { by: stop?.triggerId ?? '' };
    this.#end({ status: 'finished', ...by, ...(stop?.location === undefined ? {} : { location: stop.location }) }, out);
  }

  /** No execution is left, and no write is unanswered that decides about a checkpoint. */
  executionsGone(out: Out): void {
    const { status } = this.#options.job;
    if (status === 'canceling') {
      const [by] = this.#openOf('cancel');
      return this.#end({ status: 'canceled', by: by ?? '' }, out);
    }
    if (status !== 'failing') return;
    const location = this.#stop?.location;
    this.#end(
      { status: 'failed', by: this.#stop?.triggerId ?? '', ...(location === undefined ? {} : { location }) },
      out,
    );
  }

  /* ---- beginning ---- */

  #begin(triggerId: string, operation: ClientOperation, nowUs: Micros, out: Out): void {
    switch (operation.kind) {
      case 'savepoint':
        return this.#request(
          triggerId,
          savepointProperties('savepoint', operation.format, this.#isUnaligned),
          nowUs,
          out,
        );
      case 'checkpoint':
        return this.#request(triggerId, checkpointProperties(operation.checkpoint), nowUs, out);
      case 'stop-with-savepoint':
        return this.#beginStop(triggerId, operation, nowUs, out);
      case 'cancel':
        return this.#beginCancel(triggerId, nowUs, out);
      case 'dispose-savepoint':
        return this.#beginDisposal(triggerId, operation.location, out);
      case 'resume':
        return this.#beginResume(triggerId, operation, nowUs, out);
      case 'rescale':
        throw new InvariantViolation('the job master rescales', { triggerId });
      default:
        return unreachable(operation);
    }
  }

  #request(triggerId: string, properties: CheckpointProperties, nowUs: Micros, out: Out): void {
    // A checkpoint stays the job's: who asked for it learns that it was taken, and owns nothing.
    const locationOf = (location: string): string | undefined =>
      isSavepoint(properties.snapshot) ? location : undefined;
    const ended = (end: RequestEnd, _endUs: Micros, endOut: Out): void =>
      this.#settle(triggerId, end.kind === 'completed' ? done(locationOf(end.location)) : failed(end.reason), endOut);
    this.#options.coordinator.request({ properties, isPeriodic: false, atUs: nowUs, ended }, nowUs, out);
  }

  #beginStop(
    triggerId: string,
    operation: Extract<ClientOperation, { kind: 'stop-with-savepoint' }>,
    nowUs: Micros,
    out: Out,
  ): void {
    const { ended } = this.#options.store.run;
    if (ended !== undefined && this.#hasEnded)
      return this.#settle(triggerId, this.#resultOfStop(ended, triggerId), out);
    const { coordinator, job, environment } = this.#options;
    if (this.#stop !== undefined || job.status !== 'running')
      return this.#settle(triggerId, failed('not-all-required-tasks-running'), out);
    this.#stop = new StopWithSavepoint({
      triggerId,
      operation,
      isUnaligned: this.#isUnaligned,
      coordinator,
      parts: environment.parts,
      host: {
        jobRuns: () => job.status === 'running',
        isWhole: () => job.isWhole,
        failForGood: (failUs, failOut) => job.failForGood(failUs, failOut),
        stopFailed: (reason, _failUs, failOut) => {
          this.#stop = undefined;
          this.#settle(triggerId, failed(reason), failOut);
        },
      },
    });
    this.#stop.begin(nowUs, out);
  }

  #beginCancel(triggerId: string, nowUs: Micros, out: Out): void {
    const { store, job } = this.#options;
    const { ended } = store.run;
    if (ended !== undefined) return this.#settle(triggerId, done(ended.location, store.run.run), out);
    if (job.status !== 'canceling' && job.status !== 'finished') job.cancel(nowUs, out);
  }

  #beginDisposal(triggerId: string, location: string, out: Out): void {
    const { store, environment } = this.#options;
    const isNamed = store.pointer.completed.some(({ metadata }) => directoryOfMetadata(metadata) === location);
    // What a run is about to begin from is not named yet.
    const isAskedFor = this.#isOpen((open) => open.kind === 'resume' && open.restore?.location === location);
    if ((isNamed || isAskedFor) && environment.parts.disposalOfWhatIsInUse === 'refused')
      return this.#settle(triggerId, failed('the job may be restored from it'), out);
    this.#loader.dispose(location, out, (disposedOut) => this.#settle(triggerId, done(location), disposedOut));
  }

  #beginResume(triggerId: string, { restore, after }: Resume, nowUs: Micros, out: Out): void {
    const { run } = this.#options.store;
    if (run.by === triggerId) return this.#answerSubmission(triggerId, restore, out);
    // Who asks about a run that this leader does not know yet asks a leader that was replaced.
    if (after !== undefined && run.run < after) return void this.#asked.delete(triggerId);
    if (this.#isTooLate(after)) return this.#settle(triggerId, failed(TOO_LATE), out);
    if (run.ended === undefined) return this.#settle(triggerId, failed('the job is not over'), out);
    if (!isResumable(run.ended))
      return this.#settle(triggerId, failed('the job has reached the end of its input'), out);
    // That a run will end is durable before its tasks have ended (decision 0017). Until they have, and that is written, the client asks again.
    if (this.#isWriting || !this.#hasEnded) return void this.#asked.delete(triggerId);
    if (restore === undefined) return this.#submit(triggerId, undefined, nowUs, out);
    // `_metadata` goes last: what is being disposed of still looks whole.
    const isGoing = this.#isOpen((open) => open.kind === 'dispose-savepoint' && open.location === restore.location);
    if (isGoing) return this.#settle(triggerId, failed(`${restore.location} is being disposed of`), out);
    const backend = restore.backend ?? run.backend ?? this.#backend;
    const graph = this.#options.versions.graphOf(restore.version ?? run.version);
    if (graph === undefined)
      return this.#settle(triggerId, failed(`the job has no version ${String(restore.version)}`), out);
    this.#loader.load({ ...restore, backend, graph }, out, (loaded, loadedUs, loadedOut) => {
      if (loaded.kind === 'refused') this.#settle(triggerId, refused(loaded), loadedOut);
      else if (this.#isTooLate(after)) this.#settle(triggerId, failed(TOO_LATE), loadedOut);
      else this.#submit(triggerId, { ...loaded, restore }, loadedUs, loadedOut);
    });
  }

  /** I4. */
  #isTooLate(after: number | undefined): boolean {
    const { store, environment } = this.#options;
    return after !== undefined && store.run.run > after && environment.parts.lateResume === 'refused';
  }

  /**
   * Whether a version can go on from what another left shows when its subtasks read their state: who asks for a version is told when they run, or
   * why not. Until then the client asks again, and whoever leads looks: all it needs is durable (row S13). While a stop finishes, the record says
   * what the end would be if it failed (decision 0017): that is no end yet.
   */
  #answerSubmission(triggerId: string, restore: RestoreSettings | undefined, out: Out): void {
    const { store, job } = this.#options;
    const { ended } = store.run;
    if (restore?.version === undefined) return this.#settle(triggerId, done(), out);
    if (job.isWhole) return this.#settle(triggerId, done(), out);
    if (ended === undefined || this.#isWriting || !this.#hasEnded) return void this.#asked.delete(triggerId);
    const { status, reason = 'the job failed' } = ended;
    this.#settle(triggerId, status === 'failed' ? failed(reason, restore.location, store.run.run) : done(), out);
  }

  /* ---- the end of a run, and the next one ---- */

  #end(ended: JobEnd, out: Out): void {
    const { store, job, epoch, environment, record, coordinator } = this.#options;
    if (this.#isWriting || this.#hasEnded) return;
    this.#isWriting = true;
    this.#hasEnded = true;
    this.#stop?.close();
    this.#stop = undefined;
    const kept = environment.parts.keptAtEnd(
      store.pointer.completed,
      ended.status,
      environment.configuration.checkpoint.retention,
    );
    const newest = kept.at(-1)?.metadata;
    const location = ended.location ?? (newest === undefined ? undefined : directoryOfMetadata(newest));
    const reason = ended.status === 'failed' && this.#reason !== undefined ? { reason: this.#reason } : {};
    const whole = { ...ended, ...reason, ...(location === undefined ? {} : { location }) };
    const run = { ...store.run, ended: whole };
    const pointer = { epoch, completed: kept, job: run };
    record.write(pointer, out, (dropped, _nowUs, writtenOut) => {
      this.#isWriting = false;
      job.ended(run, writtenOut);
      coordinator.files.runEnded(dropped, coordinator.lastId, writtenOut);
      for (const id of this.#openOf('cancel')) this.#settle(id, done(location, run.run), writtenOut);
      for (const id of this.#openOf('stop-with-savepoint')) this.#settle(id, this.#resultOfStop(whole, id), writtenOut);
    });
  }

  #submit(
    triggerId: string,
    loaded: (Extract<LoadedSnapshot, { kind: 'loaded' }> & { restore: RestoreSettings }) | undefined,
    _nowUs: Micros,
    out: Out,
  ): void {
    const { store, epoch, record, coordinator, job } = this.#options;
    if (this.#isWriting || store.run.ended === undefined)
      return this.#settle(triggerId, failed('the job is not over'), out);
    this.#isWriting = true;
    const backend = loaded?.restore.backend ?? store.run.backend;
    const version = loaded?.restore.version ?? store.run.version;
    const fileMerging = loaded?.restore.fileMerging ?? store.run.fileMerging;
    const owner = loaded?.restore.claimMode === 'claim' ? 'claimed' : 'user';
    const restored = loaded === undefined ? [] : [{ ...loaded.checkpoint, owner } as const];
    if (loaded !== undefined) store.remember(loaded.metadata);
    const snapshots = this.#snapshotsOfNext(restored[0]);
    const run = {
      run: store.run.run + 1,
      by: triggerId,
      floor: Math.max(coordinator.lastId, restored[0]?.id ?? 0),
      ...(backend === undefined ? {} : { backend }),
      ...(version === undefined ? {} : { version }),
      ...(fileMerging === undefined ? {} : { fileMerging }),
      ...(loaded?.restore.allowNonRestored === true ? { allowNonRestored: true as const } : {}),
      ...snapshots,
      fullFirst: loaded?.restore.claimMode === 'no-claim',
    };
    record.write({ epoch, completed: restored, job: run }, out, (_dropped, writtenUs, writtenOut) => {
      this.#isWriting = false;
      this.#hasEnded = false;
      coordinator.files.shared.runBegins();
      coordinator.failures.runBegins();
      writtenOut.report({
        kind: 'job-submitted',
        epoch,
        run: run.run,
        checkpointId: restored[0]?.id ?? checkpointId(0),
        location: loaded?.restore.location ?? '',
        owner,
      });
      this.#reason = undefined;
      const isSame = this.#options.versions.graphOf(version) === this.#options.environment.graph;
      if (isSame) job.resubmitted(writtenUs, writtenOut);
      else this.#options.versions.upgraded();
      if (loaded?.restore.version === undefined) this.#settle(triggerId, done(), writtenOut);
      else this.#asked.delete(triggerId);
    });
  }

  /** Row C27: what is retained now and what is restored are their user's, but for what is claimed. That is the run's, wherever it lies. */
  #snapshotsOfNext(restored: RetainedCheckpoint | undefined): Pick<JobRun, 'kept' | 'claimed'> {
    const { store, environment } = this.#options;
    const retained = store.pointer.completed.map(({ metadata }) => metadata);
    const kept = new Set([...(store.run.kept ?? []), ...retained]);
    const claimed = [...droppedClaims(store.run, store.pointer.completed)];
    const isNamed = environment.parts.claimedSnapshot === 'named-until-gone';
    if (restored?.owner === 'user') kept.add(restored.metadata);
    if (restored?.owner === 'claimed') kept.delete(restored.metadata);
    if (restored?.owner === 'claimed' && isNamed) claimed.push(directoryOfMetadata(restored.metadata));
    return { ...(kept.size === 0 ? {} : { kept: [...kept] }), ...(claimed.length === 0 ? {} : { claimed }) };
  }

  /* ---- results ---- */

  /** A stop is done when the job finished for it. Else its savepoint, if it got that far, is what there is to restart from. */
  #resultOfStop({ by, status, location }: JobEnd, triggerId: string): ClientResult {
    const { run } = this.#options.store.run;
    if (by !== triggerId) return failed('the job is over', location, run);
    return status === 'finished' ? done(location, run) : failed('stop-with-savepoint-stopping', location, run);
  }

  #openOf(kind: ClientOperation['kind']): string[] {
    return this.#openWhere((operation) => operation.kind === kind);
  }

  #isOpen(isMeant: (operation: ClientOperation) => boolean): boolean {
    return this.#openWhere(isMeant).length > 0;
  }

  #openWhere(isMeant: (operation: ClientOperation) => boolean): string[] {
    return [...this.#asked]
      .filter(([, { operation, result }]) => result.kind === 'in-progress' && isMeant(operation))
      .map(([triggerId]) => triggerId);
  }

  #settle(triggerId: string, result: ClientResult, out: Out): void {
    const asked = this.#asked.get(triggerId);
    if (asked === undefined || asked.result.kind !== 'in-progress') return;
    asked.result = result;
    out.send(asked.client, { kind: 'client-reply', triggerId, result });
  }
}
