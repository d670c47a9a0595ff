/**
 * The state logs of a subtask: what is written before a checkpoint asks for it, and when a snapshot takes the place of the log before it
 * (row S20; Flink: PeriodicMaterializationManager).
 *
 * Owns: the rhythm of materialisations, their failures. Does not own: the files (changelog-files), the logs (the backends).
 * Invariants:
 *   I1 nothing is written before a checkpoint has begun here: files are named after one;
 *   I2 one periodic materialisation at a time; its asynchronous part shares the mailbox of those of checkpoints;
 *   I3 so many failed ones in a row as are allowed change nothing; one more fails the subtask. One that succeeds begins the count anew.
 */
import { asyncMailbox, type ExecutionAttemptId } from '../foundation/ids.ts';
import { type Micros, micros } from '../foundation/time.ts';
import type { Out, Target } from '../protocol/actor.ts';
import { sharedDirectory } from '../protocol/checkpoint-paths.ts';
import type { ChangelogStep } from '../protocol/messages.ts';
import { probe } from '../protocol/probes.ts';
import type { TaskFailure } from '../protocol/task.ts';
import type { KeyedOperatorState } from '../state/keyed-state-backend.ts';
import type { LoggedState, LogPiece, Materialization } from '../state/logged-state.ts';
import type { SegmentHandle } from '../protocol/state-handle.ts';
import type { AsyncPart, StatePart } from './async-part.ts';
import { ChangelogFiles, type ChangelogFilesOptions, type FileWaiter } from './changelog-files.ts';
import type { TaskEnvironment } from './task-environment.ts';

export interface TaskChangelogOptions
  extends Pick<ChangelogFilesOptions, 'files' | 'subtask' | 'lastCheckpoint' | 'local'> {
  readonly environment: TaskEnvironment;
  readonly attempt: ExecutionAttemptId;
  readonly fail: (failure: TaskFailure, out: Out) => void;
  /** Snapshots that this subtask has taken and not acknowledged yet. */
  readonly underWay: ReadonlyMap<unknown, Pick<AsyncPart, 'loggedPieces'>>;
}

export interface GatherRequest {
  readonly part: AsyncPart;
  readonly state: StatePart;
  /** Told of each file. */
  readonly waiter: FileWaiter;
}

interface LoggedOperator {
  readonly operator: string;
  readonly logged: LoggedState;
}

interface RunningMaterialization extends LoggedOperator {
  readonly materialization: Materialization;
}

const TIMER = 'materialize';
const NOBODY: FileWaiter = { stored: () => undefined, failed: () => undefined };
/** Virtual CPU of the synchronous part, in control messages, as that of a checkpoint. */
const SYNC_WORK = 4;

export class TaskChangelog {
  readonly #options: TaskChangelogOptions;
  readonly files: ChangelogFiles;
  readonly #self: Target;
  #operators: readonly LoggedOperator[] = [];
  /** Of the periodic ones (I2). */
  #running: readonly RunningMaterialization[] = [];
  #unsettled = 0;
  /** Stretches of logs that are to be written ahead. */
  #full: (LoggedOperator & { readonly piece: LogPiece })[] = [];
  #failures = 0;

  constructor(options: TaskChangelogOptions) {
    this.#options = options;
    const { environment } = options;
    const { directory } = environment.configuration.checkpoint;
    this.files = new ChangelogFiles({
      ...options,
      sharedDirectory: sharedDirectory(directory, environment.graph.jobId),
    });
    this.#self = { node: environment.node, mailbox: asyncMailbox(options.attempt), via: 'datagram' };
  }

  /** The subtask runs. Subtasks take turns, so that not all of them write at once (Flink: the initial delay is a hash of the name). */
  start(keyed: readonly KeyedOperatorState[], parallelism: number, out: Out): void {
    this.#operators = keyed.flatMap(({ operator, backend: { changelog: logged } }) =>
      logged === undefined ? [] : [{ operator, logged }],
    );
    const intervalUs = this.#intervalUs;
    if (this.#operators.length === 0 || intervalUs === 0) return;
    out.setTimer(TIMER, micros(Math.ceil((intervalUs * (this.#options.subtask + 1)) / parallelism)));
  }

  handleTimer(timer: string, out: Out): boolean {
    if (timer !== TIMER) return false;
    this.#materialize(out);
    return true;
  }

  /** In the mailbox of the subtask. */
  #materialize(out: Out): void {
    out.setTimer(TIMER, micros(this.#intervalUs));
    if (this.#running.length > 0 || this.#options.lastCheckpoint() === 0) return;
    this.#running = this.#operators.flatMap((of) => {
      const materialization = of.logged.materialize();
      return materialization === undefined ? [] : [{ ...of, materialization }];
    });
    if (this.#running.length === 0) return;
    out.busy('message', SYNC_WORK);
    out.send(this.#self, { kind: 'changelog-step', step: 'serialize-snapshot' });
  }

  /** At the end of each action: logging costs a pass over the bytes, and what is full is written (I1). */
  afterAction(out: Out): void {
    if (this.#operators.length === 0) return;
    let bytes = 0;
    for (const { logged } of this.#operators) bytes += logged.takeLoggedBytes();
    if (bytes > 0) out.busy('byte', bytes);
    if (this.#options.lastCheckpoint() === 0) return;
    const before = this.#full.length;
    for (const { operator, logged } of this.#operators) {
      if (!logged.hasFull) continue;
      for (const piece of logged.takeFull()) this.#full.push({ operator, logged, piece });
    }
    if (before === 0 && this.#full.length > 0) out.send(this.#self, { kind: 'changelog-step', step: 'write-full' });
  }

  /** In the asynchronous mailbox. */
  handle(step: ChangelogStep, nowUs: Micros, out: Out): void {
    if (step === 'write-full') return this.#writeFull(nowUs, out);
    if (step === 'write-snapshot') {
      this.#unsettled = this.#running.length;
      for (const running of this.#running) this.#begin(running, () => this.#settled(), nowUs, out);
      return;
    }
    for (const { materialization } of this.#running) {
      for (const { entryCount, estimatedBytes } of materialization.pieces) {
        out.busy('key', entryCount);
        out.busy('byte', estimatedBytes);
      }
    }
    out.send(this.#self, { kind: 'changelog-step', step: 'write-snapshot' });
  }

  /** In the asynchronous mailbox: the files of a checkpoint, most of which were written before. */
  gather({ part, state, waiter }: GatherRequest, nowUs: Micros, out: Out): void {
    const { operator, logged } = state;
    if (logged === undefined) return;
    const { pieces, materialization } = logged.snapshot;
    const handles: (SegmentHandle | undefined)[] = pieces.map(() => undefined);
    part.segments.set(operator, handles);
    if (materialization !== undefined)
      this.#begin({ operator, logged: logged.state, materialization }, () => undefined, nowUs, out);
    pieces.forEach((piece, index) => {
      const gathered: FileWaiter = {
        stored: (file, atUs, lateOut) => {
          handles[index] = file.handle;
          if (!file.isConfirmed) part.written.add(file.handle.path);
          waiter.stored(file, atUs, lateOut);
        },
        failed: (lateOut) => waiter.failed(lateOut),
      };
      this.files.request({ operator, piece, waiter: gathered }, nowUs, out);
    });
  }

  /** A checkpoint has all its files. What must not be lost before the next one is. */
  reserved(part: AsyncPart): readonly SegmentHandle[] {
    for (const { operator, logged } of part.parts) if (logged) this.#keep(operator, logged.state);
    return part.isShared ? this.files.reserved(part.segments.values()) : [];
  }

  /**
   * A snapshot that has become durable takes the place of one before it, but not in a checkpoint that was taken in between: that one's files
   * may be older than those of a checkpoint which completes first.
   */
  #keep(operator: string, logged: LoggedState): void {
    const pieces = [...this.#options.underWay.values()].flatMap((part) => part.loggedPieces());
    const gathered = pieces.filter((piece) => piece.operator === operator).map(({ id }) => id);
    this.files.keep(operator, [...logged.livePieces(), ...gathered]);
  }

  #settled(): void {
    this.#unsettled -= 1;
    if (this.#unsettled === 0) this.#running = [];
  }

  #begin(running: RunningMaterialization, settled: () => void, nowUs: Micros, out: Out): void {
    const { operator, materialization } = running;
    let missing = materialization.pieces.length;
    const waiter: FileWaiter = {
      stored: (_file, _nowUs, lateOut) => {
        missing -= 1;
        if (missing !== 0) return;
        this.#durable(running, lateOut);
        settled();
      },
      failed: (lateOut) => {
        // Whatever else becomes of its files, it is over.
        if (missing <= 0) return;
        missing = 0;
        this.#failed(running, lateOut);
        settled();
      },
    };
    for (const piece of materialization.pieces) this.files.request({ operator, piece, waiter }, nowUs, out);
  }

  #durable({ operator, logged, materialization }: RunningMaterialization, out: Out): void {
    logged.materialized(materialization);
    materialization.release();
    this.#keep(operator, logged);
    this.#failures = 0;
    probe(out, 'state-materialized');
  }

  /** I3. */
  #failed({ operator, logged, materialization }: RunningMaterialization, out: Out): void {
    materialization.release();
    this.#keep(operator, logged);
    this.#failures += 1;
    probe(out, 'materialization-failed');
    const { environment, fail } = this.#options;
    const allowed = environment.configuration.checkpoint.changelog?.maxMaterializationFailures ?? 0;
    if (this.#failures > allowed) fail('materialization-failed', out);
  }

  #writeFull(nowUs: Micros, out: Out): void {
    const live = new Map(this.#operators.map(({ logged }) => [logged, new Set(logged.livePieces())]));
    for (const { operator, logged, piece } of this.#full) {
      if (live.get(logged)?.has(piece.id) !== true) continue;
      probe(out, 'changelog-written-ahead');
      // Whether it could be written the checkpoint that needs it will find out.
      this.files.request({ operator, piece, waiter: NOBODY }, nowUs, out);
    }
    this.#full = [];
  }

  get #intervalUs(): number {
    return this.#options.environment.configuration.checkpoint.changelog?.materializationIntervalUs ?? 0;
  }
}
