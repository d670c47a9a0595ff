/**
 * How a subtask takes part in checkpoints: what a trigger, a complete set of barriers, an abort mean to it, and when its snapshot is due
 * (rows B3, B9, B15, C28; Flink: StreamTask.triggerCheckpointAsync, triggerCheckpointOnBarrier, performCheckpoint,
 * abortCheckpointOnBarrier).
 *
 * Owns: the triggers that wait, the order of end of data, barrier and snapshot in one mailbox action. Does not own: which barriers are
 * there (barrier-handler), what becomes of a snapshot once it is taken (subtask-checkpoint), when the subtask may end (task-ending), the
 * subtask's life (the host).
 * Invariants:
 *   I1 only a running subtask takes a snapshot, and of each checkpoint at most one; an id of the past is not started again;
 *   I2 the barrier leaves before the snapshot is taken, in the same mailbox action (row B9);
 *   I3 a source sends no barrier while a record is stuck in the outputs: the trigger waits until it is through (row B15);
 *   I4 a checkpoint that the subtask gives up, or whose abort is news to its input, is said to those behind it: nobody waits for a barrier
 *      that will not come (row B3);
 *   I5 a subtask that stopped for a synchronous savepoint fails when that is lost (row C28);
 *   I6 where markers in the input decide (row C25), a trigger waits for its marker (induced-checkpoints.ts);
 *   I7 what its functions are told of a checkpoint's end they are told once, and of completions the newest last (row C14).
 */
import { mayCarryChannelState, overtakes } from '../barrier/barrier-alignment.ts';
import type { SourceReader } from '../connectors/source-reader.ts';
import { assert } from '../foundation/assert.ts';
import { type CheckpointId, checkpointId } from '../foundation/ids.ts';
import type { Micros } from '../foundation/time.ts';
import type { Out } from '../protocol/actor.ts';
import type { FiredTimers } from '../protocol/engine-events.ts';
import type { CheckpointFailure } from '../protocol/checkpoint-failure.ts';
import { sharedDirectory } from '../protocol/checkpoint-paths.ts';
import { isSynchronous, type SnapshotType } from '../protocol/checkpoint-options.ts';
import type { TriggerCheckpoint } from '../protocol/messages.ts';
import type { CheckpointBarrier, StopMode } from '../protocol/stream-elements.ts';
import type { TaskDeployment, TaskFailure } from '../protocol/task.ts';
import type { AlignmentFigures } from './async-part.ts';
import { InducedCheckpoints } from './induced-checkpoints.ts';
import type { OperatorChain } from './operator-chain.ts';
import type { SubtaskCheckpoint } from './subtask-checkpoint.ts';
import type { TaskEnding } from './task-ending.ts';
import type { TaskEnvironment } from './task-environment.ts';
import type { TaskInput } from './task-input.ts';
import type { TaskOutputs } from './task-outputs.ts';
import { takeSnapshot } from './task-snapshot.ts';
import { probe, sometimes } from '../protocol/probes.ts';

/** What checkpoints ask of the subtask they are taken of. */
export interface CheckpointingHost {
  isRunning(): boolean;
  /** Undefined before restore, and when the subtask is restored as finished. */
  chain(): OperatorChain | undefined;
  /** Undefined: a source. */
  input(): Pick<TaskInput, 'trigger' | 'abort'> | undefined;
  /** No record comes any more, because the subtask stops. */
  endOfData(mode: StopMode, out: Out): void;
  fail(failure: TaskFailure, out: Out): void;
}

export interface TaskCheckpointingOptions {
  readonly environment: TaskEnvironment;
  readonly deployment: TaskDeployment;
  readonly host: CheckpointingHost;
  readonly source: SourceReader | undefined;
  readonly outputs: Pick<TaskOutputs, 'isStuck' | 'broadcastBarrier' | 'broadcastEvent'>;
  readonly checkpoint: SubtaskCheckpoint;
  readonly ending: TaskEnding;
  /** Its operators did their last work before the checkpoint it is restored from. */
  readonly hadFinished: boolean;
}

/** Of a subtask without operators. */
const NOTHING = { parts: [], waitsForSink: false };

/** What a trigger and a barrier have in common. */
type Triggered = Pick<CheckpointBarrier, 'checkpointId' | 'triggeredAtUs' | 'options'>;

export class TaskCheckpointing {
  readonly #options: TaskCheckpointingOptions;
  readonly #task: Pick<TaskDeployment, 'attempt' | 'vertex' | 'subtask'>;
  /** Where `sourcePositions` is not `with-barrier`: the trigger whose snapshot or barrier is still due. */
  #deferred: TriggerCheckpoint | undefined;
  /** I3. */
  #stuck: TriggerCheckpoint | undefined;
  readonly #induced: InducedCheckpoints | undefined;
  /** The newest checkpoint that is known here to be complete, and those above it that were aborted (I7). */
  #completedId = 0;
  readonly #abortedIds = new Set<CheckpointId>();

  constructor(options: TaskCheckpointingOptions) {
    const { attempt, vertex, subtask } = options.deployment;
    this.#options = options;
    this.#task = { attempt, vertex, subtask };
    const { source, environment } = options;
    this.#induced = source?.markers && new InducedCheckpoints(source.markers, environment.parts);
  }

  /** The coordinator asks for it. */
  trigger(message: TriggerCheckpoint, nowUs: Micros, out: Out): void {
    if (message.isAsked === true) this.#options.checkpoint.confirmTrigger(message.checkpointId, out);
    this.#triggered(message, nowUs, out);
  }

  #triggered(message: TriggerCheckpoint, nowUs: Micros, out: Out): void {
    const { checkpoint, ending, environment, host, outputs, source } = this.#options;
    const { checkpointId: id, triggeredAtUs, options } = message;
    if (!checkpoint.isNew(id) && environment.parts.lateTrigger === 'ignored') return;
    if (checkpoint.isAborted(id)) {
      probe(out, 'trigger-of-given-up-checkpoint');
      return this.#cancelBehind(id, out);
    }
    out.report({ kind: 'trigger-received', ...this.#task, checkpointId: id });
    if (!host.isRunning()) return checkpoint.decline(id, 'checkpoint-declined-task-not-ready', out);
    if (ending.mustFailBefore(id)) return host.fail('synchronous-savepoint-failed', out);
    if (this.#induced !== undefined && host.chain() !== undefined && environment.parts.inducedBy === 'marker') {
      this.#induced.triggered(message);
      return this.atMarker(nowUs, out);
    }
    if (outputs.isStuck) {
      probe(out, 'trigger-waited-for-record');
      this.#stuck = message;
      return;
    }
    if (source === undefined) {
      return host.input()?.trigger({ kind: 'barrier', checkpointId: id, triggeredAtUs, options }, nowUs, out);
    }
    this.#take(source, message, nowUs, out);
    this.#induced?.taken(id, out);
  }

  /** Row C25: the source may have come to a marker, or read on behind one. */
  atMarker(nowUs: Micros, out: Out): void {
    const { host, outputs, source } = this.#options;
    if (this.#induced === undefined || source === undefined || !host.isRunning()) return;
    while (!outputs.isStuck) {
      const due = this.#induced.due(out);
      if (due === undefined) return;
      const options = this.#options.environment.parts.inducedOptions(due.options);
      this.#take(source, { ...due, options }, nowUs, out);
      this.#induced.taken(due.checkpointId, out);
    }
  }

  #take(source: SourceReader, message: TriggerCheckpoint, nowUs: Micros, out: Out): void {
    this.#stop(source, message.options.snapshot, out);
    const { sourcePositions } = this.#options.environment.parts;
    if (sourcePositions !== 'before-batch') this.#broadcastBarrier(message, nowUs, out);
    if (sourcePositions !== 'after-next-batch') this.#snapshotSource(message, nowUs, out);
    if (sourcePositions !== 'with-barrier') this.#deferred = message;
  }

  /** All barriers are here, or the first overtook. */
  barriersComplete(barrier: CheckpointBarrier, figures: AlignmentFigures, nowUs: Micros, out: Out): void {
    if (!this.#options.checkpoint.isNew(barrier.checkpointId)) return;
    this.#broadcastBarrier(barrier, nowUs, out);
    this.#snapshot(barrier, figures, nowUs, out);
  }

  /** Row B15: what had to wait until the record in progress was through. */
  outputsMoved(nowUs: Micros, out: Out): void {
    const trigger = this.#stuck;
    if (trigger === undefined || this.#options.outputs.isStuck) return;
    this.#stuck = undefined;
    this.#triggered(trigger, nowUs, out);
  }

  /** The batch has come and was emitted, or there was none to come. */
  sourceMoved(nowUs: Micros, out: Out): void {
    const deferred = this.#deferred;
    if (deferred === undefined) return;
    this.#deferred = undefined;
    if (this.#options.environment.parts.sourcePositions === 'before-batch')
      return this.#broadcastBarrier(deferred, nowUs, out);
    this.#snapshotSource(deferred, nowUs, out);
  }

  /** Row C14. */
  completed(id: CheckpointId, out: Out): void {
    const { checkpoint, ending, host } = this.#options;
    this.#tellCompleted(id, out);
    // It was acknowledged, then.
    checkpoint.completed(id, out);
    ending.completed(id);
    host.chain()?.sink?.notifyComplete(id, out);
  }

  /** The coordinator gave it up. `latestCompleted` makes good a completion whose notice was lost (row C14). */
  aborted(id: CheckpointId, latestCompleted: number, out: Out): void {
    const { checkpoint, ending, host } = this.#options;
    this.#tellAborted(id, out);
    ending.completed(checkpointId(latestCompleted));
    checkpoint.knownComplete(checkpointId(latestCompleted));
    host.chain()?.sink?.notifyComplete(checkpointId(latestCompleted), out);
    if (ending.mustFailAfterAbort(id)) return host.fail('synchronous-savepoint-failed', out);
    checkpoint.abort(id);
    if (this.#deferred?.checkpointId === id) this.#deferred = undefined;
    this.#induced?.over(id, out);
    if (host.input()?.abort(id) === true) this.#cancelBehind(id, out);
  }

  /** I7. A repeated notice, or one that a newer one overtook, says nothing new; what follows from it is idempotent. */
  #tellCompleted(id: CheckpointId, out: Out): void {
    if (id <= this.#completedId && this.#options.environment.parts.completionNotices === 'in-order') return;
    this.#completedId = Math.max(this.#completedId, id);
    for (const aborted of this.#abortedIds) if (aborted <= id) this.#abortedIds.delete(aborted);
    out.report({ kind: 'notify-complete-received', ...this.#task, checkpointId: id });
  }

  #tellAborted(id: CheckpointId, out: Out): void {
    if (id <= this.#completedId || this.#abortedIds.has(id)) return;
    this.#abortedIds.add(id);
    out.report({ kind: 'notify-aborted-received', ...this.#task, checkpointId: id });
  }

  /** This subtask will not take part. */
  giveUp(id: CheckpointId, reason: CheckpointFailure, out: Out): void {
    const { checkpoint, ending, host } = this.#options;
    if (ending.mustFailAfterAbort(id)) return host.fail('synchronous-savepoint-failed', out);
    this.#cancelBehind(id, out);
    checkpoint.decline(id, reason, out);
  }

  /** I4. */
  #cancelBehind(id: CheckpointId, out: Out): void {
    this.#options.outputs.broadcastEvent({ kind: 'cancel-marker', checkpointId: id }, out);
  }

  /** Row C28: with stop-with-savepoint the barrier is the last thing a source says. */
  #stop(source: SourceReader, snapshot: SnapshotType, out: Out): void {
    const { ending, host } = this.#options;
    if (!isSynchronous(snapshot) || ending.mode !== undefined) return;
    probe(out, 'source-stopped-for-savepoint');
    source.stop();
    host.endOfData(snapshot === 'terminate-savepoint' ? 'drain' : 'no-drain', out);
  }

  #snapshotSource(message: TriggerCheckpoint, nowUs: Micros, out: Out): void {
    const startDelayUs = Math.max(0, this.#options.environment.wallClock(nowUs) - message.triggeredAtUs);
    const unaligned = overtakes(message.options);
    const figures = { startDelayUs, alignmentUs: 0, bytesProcessedDuringAlignment: 0, recordsInFlight: 0, unaligned };
    this.#snapshot(message, figures, nowUs, out);
    this.#options.checkpoint.inputComplete(message.checkpointId, figures, out);
  }

  /** I2. Committables go ahead of the barrier, into the committer's snapshot (row K5). */
  #broadcastBarrier({ checkpointId: id, triggeredAtUs, options }: Triggered, nowUs: Micros, out: Out): void {
    const { checkpoint, host, outputs } = this.#options;
    host.chain()?.sink?.prepareSnapshotPreBarrier(id, out);
    if (mayCarryChannelState(options)) checkpoint.openChannelState(id, out);
    outputs.broadcastBarrier({ kind: 'barrier', checkpointId: id, triggeredAtUs, options }, nowUs, out);
    out.report({ kind: 'barrier-sent', ...this.#task, checkpointId: id });
  }

  /** The synchronous part; without operators there is nothing but the fact that the subtask has finished (row C22). */
  #snapshot({ checkpointId: id, options }: Triggered, figures: AlignmentFigures, nowUs: Micros, out: Out): void {
    const { checkpoint, ending, environment, hadFinished, host, source } = this.#options;
    const chain = host.chain();
    assert(host.isRunning(), 'only a running subtask takes a snapshot', { id });
    ending.snapshotTaken(id, options.snapshot);
    if (chain === undefined) {
      return checkpoint.start(id, { ...NOTHING, figures, finished: 'task', snapshot: options.snapshot }, nowUs, out);
    }
    const { checkpointedOffset } = environment.parts;
    const { compression, incremental, directory, storage } = environment.configuration.checkpoint;
    const { parts, waitsForSink } = takeSnapshot({
      chain,
      source,
      checkpointedOffset,
      compression,
      checkpointId: id,
      options,
      incremental,
      hasFiles: storage.kind !== 'jobmanager',
      sharedDirectory: sharedDirectory(directory, environment.graph.jobId),
      uploaded: checkpoint.segments,
      logFiles: checkpoint.changelog.files,
      out,
    });
    // Behind the snapshot: looking at state settles what is in hand, which the snapshot has to do itself.
    if (chain.keyed.length > 0) environment.observer?.atBarrier({ checkpointId: id, ...this.#task }, chain.keyed);
    // What was finished before the restored checkpoint stays so, even if the end of data has not come again yet.
    const finished = ending.isDrained || hadFinished ? ({ finished: 'operators' } as const) : {};
    const { location, snapshot } = options;
    sometimes(
      chain.stages.some(({ firing }) => firing !== undefined),
      out,
      'snapshot-between-timers',
    );
    const taken = { parts, waitsForSink, figures, location, snapshot, ...finished, ...firedTimers(chain) };
    checkpoint.start(id, taken, nowUs, out);
  }
}

/** What judges must know of the timers in a snapshot; nothing for a chain without any. */
function firedTimers({ stages, keyed }: OperatorChain): { readonly time?: readonly FiredTimers[] } {
  if (stages.length === 0) return {};
  const time: FiredTimers[] = [];
  for (const { uid, settledWatermarkUs, firing } of stages) {
    const keyGroups = keyed.find(({ operator }) => operator === uid)?.keyGroups;
    if (keyGroups === undefined) continue;
    const place = { operator: uid, keyGroups, watermarkUs: settledWatermarkUs };
    time.push(firing === undefined ? place : { ...place, firing });
  }
  return { time };
}
