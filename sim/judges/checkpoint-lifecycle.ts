/**
 * Judge 4, checkpoint lifecycle: ids, kinds, acknowledgements, durability, ends, restores, commits, leaders.
 *
 * Owns what became durable and when, as the outside systems reported it, and compares what the engine then claims and does.
 * One table (`observe`) from event kind to the rule it is judged by.
 *
 * I1: a fact is durable when the history has its `object-stored` or `coordination-updated`, never because the engine says so.
 * I2: a leader that was replaced may still act (a zombie); it is judged by what must not happen even then: reuse of an id,
 *     writing the pointer, completing or committing what is not durable. What it chooses to restore is fenced, not wrong.
 */
import { directoryOfMetadata, isMetadata } from '../../engine/protocol/savepoint-paths.ts';
import { unreachable } from '../../engine/foundation/assert.ts';
import {
  decodeLease,
  decodePointer,
  FIRST_RUN,
  type JobRun,
  leaderKey,
  pointerKey,
  type RetainedCheckpoint,
} from '../../engine/protocol/checkpoint-pointer.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { AttemptSuccession } from './attempt-succession.ts';
import { CheckpointKinds, type CheckpointKindsOptions } from './checkpoint-kind.ts';
import { Findings } from './findings.ts';
import { GivenUpPending } from './given-up-pending.ts';
import type { Judge } from './judge.ts';
import { Margins } from './margins.ts';
import { RetainedCount, type RetentionRules } from './retained-count.ts';
import { StaleAlignments } from './stale-alignments.ts';
import type { Verdict } from './verdict.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';

const NAME = 'checkpoint-lifecycle';
const KINDS = [
  'actor-threw',
  'leadership-acquired',
  'checkpoint-triggered',
  'acknowledge-sent',
  'coordinator-snapshot-taken',
  'acknowledge-received',
  'decline-received',
  'object-stored',
  'coordination-updated',
  'checkpoint-completed',
  'savepoint-completed',
  'checkpoint-aborted',
  'notify-complete-sent',
  'commit-sent',
  'transaction-committed',
  'restore-chosen',
  'task-deployed',
  'task-state',
] as const;

type Seen = Extract<HistoryEvent['event'], { readonly kind: (typeof KINDS)[number] }>;
type Of<K extends Seen['kind']> = Extract<Seen, { readonly kind: K }>;

/** What is known of one checkpoint. */
interface Life {
  readonly triggeredAt: number;
  readonly triggeredUs: number;
  readonly epoch: number;
  readonly jobAttempt: number;
  readonly required: ReadonlySet<number>;
  readonly acknowledged: Set<number>;
  /** A person asked for it, and the job goes on. */
  readonly isSavepoint: boolean;
  /** Index of its end; -1: not ended. */
  endedAt: number;
}

const METADATA_PATH = /\/chk-(\d+)\/_metadata$/;
/** `<dir>/savepoint-<job>-<n>`. */
const SAVEPOINT_ID = /\/savepoint-.*-(\d+)$/;
const TRANSACTION_CHECKPOINT = /-(\d+)$/;

export interface CheckpointLifecycleOptions {
  readonly jobId: string;
  /** False: no checkpoint is ever taken, and output is committed at the end of the input. */
  readonly isCheckpointing: boolean;
  /** After which a checkpoint expires. */
  readonly timeoutUs?: number;
  readonly kinds: CheckpointKindsOptions;
  /** Checkpoints that are to be retained, and kept when a run ends; absent: not judged (histories that are made by hand). */
  readonly retention?: RetentionRules;
  /** What subtasks wait for; absent: nobody looks (histories that are made by hand). */
  readonly alignments?: StaleAlignments;
  readonly margins?: Margins;
}

export class CheckpointLifecycle implements Judge {
  readonly name = NAME;
  readonly kinds = KINDS;
  readonly anomalies =
    'id-not-rising: a checkpoint id is reused or falls. completed-without-acknowledgement: a required attempt never sent one. ' +
    'completed-before-durable: completed before `_metadata` was stored and the pointer named it. foreign-acknowledgement: one ' +
    'of an attempt that is not required counts. ended-twice: a checkpoint completes or is aborted again. ' +
    'notified-before-durable: completion is announced, or a commit sent, before the pointer names the checkpoint. ' +
    'committed-before-durable: a transaction is committed before the pointer names its checkpoint or a newer one. ' +
    'restored-not-newest: the leader restores another checkpoint than the newest in the pointer. completed-after-restart: a checkpoint of an attempt that was given up, be it of one ' +
    'region, becomes the newest. pending-after-restart: a checkpoint still waits for an attempt that a restart has given up. ' +
    'waits-for-the-dead: a checkpoint waits until an attempt that a restart has given up acknowledges an event of its coordinator. ' +
    'deployed-unrestored: a subtask is deployed that no restart restores. epoch-reused: two leaders acquire one epoch. zombie-leader-wrote: a lower epoch ' +
    'writes lease or pointer after a higher one. engine-invariant: the engine broke an assumption of its own. ' +
    RetainedCount.anomalies +
    StaleAlignments.anomalies +
    GivenUpPending.anomalies +
    CheckpointKinds.anomalies;
  readonly #options: CheckpointLifecycleOptions;
  readonly #findings = new Findings(NAME);
  readonly #kinds: CheckpointKinds;
  readonly #retainedCount: RetainedCount | undefined;
  readonly #givenUp: GivenUpPending;
  readonly #pointerKey: string;
  readonly #leaderKey: string;
  readonly #lives = new Map<number, Life>();
  readonly #lastIdByEpoch = new Map<number, number>();
  /** Per epoch, the highest id triggered before its leadership began. */
  readonly #succession = new AttemptSuccession();
  readonly #idsBeforeEpoch = new Map<number, number>();
  readonly #metadataStored = new Set<number>();
  /** Directories whose `_metadata` was stored. */
  readonly #locationsStored = new Set<string>();
  readonly #everNamed = new Set<number>();
  #retained: readonly RetainedCheckpoint[] = [];
  #highestTriggered = 0;
  #newestNamed = 0;
  /** When the pointer named a checkpoint for the first time last. */
  #namedUs = 0;
  readonly #margins: Margins;
  #epoch = 0;
  #pointerEpoch = 0;
  #leaseEpoch = 0;
  #completed = 0;
  #run = 1;
  /** The last choice of what to restore by a leader that reigned. */
  #restored: { readonly epoch: number; readonly jobAttempt: number; readonly at: number } | undefined;

  constructor(options: CheckpointLifecycleOptions) {
    this.#options = options;
    this.#kinds = new CheckpointKinds(options.kinds, this.#findings);
    this.#givenUp = new GivenUpPending(this.#findings);
    const { retention } = options;
    this.#retainedCount = retention === undefined ? undefined : new RetainedCount(retention, this.#findings);
    this.#margins = options.margins ?? new Margins();
    this.#pointerKey = pointerKey(options.jobId);
    this.#leaderKey = leaderKey(options.jobId);
  }

  observe(entry: HistoryEvent): void {
    const event = entry.event as Seen;
    const at = entry.index;
    switch (event.kind) {
      case 'actor-threw':
        this.#say('engine-invariant', [at], () => `${entry.node}: not true: ${event.fact} ${event.details}`.trim());
        return;
      case 'leadership-acquired':
        this.#onLeader(event.epoch, at);
        return;
      case 'checkpoint-triggered':
        this.#onTriggered(event, entry);
        this.#kinds.onTriggered(event, at, event.epoch >= this.#epoch);
        this.#givenUp.onTriggered(event, at);
        return;
      case 'acknowledge-sent':
        this.#kinds.onAcknowledged(event, at);
        this.#lives.get(event.checkpointId)?.acknowledged.add(event.attempt);
        return;
      case 'coordinator-snapshot-taken':
        this.#onCoordinatorSnapshot(event, at);
        return;
      case 'acknowledge-received':
        this.#onAcknowledged(event, at);
        this.#givenUp.onAcknowledged(event);
        return;
      case 'decline-received':
        this.#givenUp.onDeclined(event);
        return;
      case 'object-stored':
        this.#onStored(event.path);
        return;
      case 'coordination-updated':
        this.#onCoordination(event, entry);
        return;
      case 'checkpoint-completed':
        this.#onCompleted(event.checkpointId, entry);
        return;
      case 'savepoint-completed':
        this.#onSavepoint(event, at);
        return;
      case 'checkpoint-aborted':
        this.#onEnded(event.checkpointId, at);
        this.#givenUp.onAborted(event, at);
        return;
      case 'notify-complete-sent':
      case 'commit-sent':
        this.#onAnnounced(event, entry);
        return;
      case 'transaction-committed':
        this.#onCommitted(event.transaction, at);
        return;
      case 'restore-chosen':
        this.#onRestoreChosen(event, entry);
        return;
      case 'task-deployed':
        this.#onDeployed(event, at);
        return;
      case 'task-state':
        this.#givenUp.onTaskState(event);
        return;
      default:
        unreachable(event);
    }
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return (
      this.#lives.size +
      this.#metadataStored.size +
      this.#locationsStored.size +
      this.#everNamed.size +
      this.#idsBeforeEpoch.size +
      this.#lastIdByEpoch.size +
      this.#succession.remembered +
      this.#givenUp.remembered +
      this.#kinds.remembered
    );
  }

  finish(): Verdict[] {
    this.#options.alignments?.report(this.#findings);
    return this.#findings.verdicts(
      `${String(this.#completed)} checkpoints completed, each acknowledged and durable first`,
    );
  }

  #onLeader(epoch: number, at: number): void {
    if (this.#idsBeforeEpoch.has(epoch))
      this.#say('epoch-reused', [at], () => `Epoch ${String(epoch)} is acquired twice`);
    this.#idsBeforeEpoch.set(epoch, this.#highestTriggered);
    forgetOldest(this.#idsBeforeEpoch, EPISODES_KEPT);
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  #onTriggered(event: Of<'checkpoint-triggered'>, { index: at, atUs: triggeredUs }: HistoryEvent): void {
    const { checkpointId: id, epoch } = event;
    const floor = Math.max(this.#lastIdByEpoch.get(epoch) ?? 0, this.#idsBeforeEpoch.get(epoch) ?? 0);
    const used = this.#lives.get(id);
    if (used !== undefined || id <= floor) {
      const why = used === undefined ? `${String(floor)} was triggered before` : 'this id was used before';
      const shown = used === undefined ? [at] : [used.triggeredAt, at];
      this.#say('id-not-rising', shown, () => `Epoch ${String(epoch)} triggers checkpoint ${String(id)}, but ${why}`);
    }
    this.#lastIdByEpoch.set(epoch, Math.max(id, floor));
    forgetOldest(this.#lastIdByEpoch, EPISODES_KEPT);
    this.#highestTriggered = Math.max(id, this.#highestTriggered);
    const asked = { epoch, jobAttempt: event.jobAttempt, required: new Set<number>(event.tasks) };
    const isSavepoint = event.options.snapshot === 'savepoint';
    const open = { triggeredAt: at, triggeredUs, acknowledged: new Set<number>(), endedAt: -1 };
    this.#lives.set(id, { ...asked, isSavepoint, ...open });
    forgetOldest(this.#lives, EPISODES_KEPT);
  }

  #onCoordinatorSnapshot({ checkpointId: id, waitsFor }: Of<'coordinator-snapshot-taken'>, at: number): void {
    if (waitsFor.length === 0) return;
    const givenUpAt = this.#succession.givenUpAt(new Set<number>(waitsFor));
    const message = () =>
      `Checkpoint ${String(id)} waits for attempts ${waitsFor.join(', ')}; one of them was given up`;
    if (givenUpAt !== undefined) this.#say('waits-for-the-dead', [givenUpAt, at], message);
  }

  #onAcknowledged(event: Of<'acknowledge-received'>, at: number): void {
    if (event.result !== 'success') return;
    if (this.#lives.get(event.checkpointId)?.required.has(event.attempt) === true) return;
    this.#say('foreign-acknowledgement', [at], () => {
      return `Checkpoint ${String(event.checkpointId)} counts an acknowledgement of attempt ${String(event.attempt)}, which it does not need`;
    });
  }

  #onStored(path: string): void {
    const id = METADATA_PATH.exec(path)?.[1];
    if (id !== undefined) this.#metadataStored.add(Number(id));
    if (isMetadata(path)) this.#locationsStored.add(directoryOfMetadata(path));
    forgetOldest(this.#metadataStored, EPISODES_KEPT);
    forgetOldest(this.#locationsStored, EPISODES_KEPT);
  }

  #onCoordination(event: Of<'coordination-updated'>, { index: at, atUs }: HistoryEvent): void {
    if (event.key === this.#leaderKey) {
      const { epoch } = decodeLease(event.value);
      if (epoch < this.#leaseEpoch) this.#sayZombie('lease', epoch, at);
      this.#leaseEpoch = Math.max(this.#leaseEpoch, epoch);
      return;
    }
    if (event.key !== this.#pointerKey) return;
    const pointer = decodePointer(event.value);
    const { completed, job } = pointer;
    const epoch = event.value === '' ? this.#pointerEpoch : pointer.epoch;
    this.#kinds.onPointer(pointer);
    this.#retainedCount?.onPointer(event.value === '' ? undefined : pointer, at);
    if (epoch < this.#pointerEpoch) this.#sayZombie('pointer', epoch, at);
    this.#pointerEpoch = Math.max(this.#pointerEpoch, epoch);
    this.#onRun(job);
    for (const { id } of completed) if (this.#onNamed(id, at)) this.#namedUs = atUs;
    this.#retained = completed;
  }

  /** A run that stops with a savepoint says so before anything is committed for it; a new run has restored nothing yet. */
  #onRun(job: JobRun | undefined): void {
    const { run, ended } = job ?? FIRST_RUN;
    if (run !== this.#run) this.#restored = undefined;
    this.#run = run;
    const stoppedWith = SAVEPOINT_ID.exec(ended?.location ?? '')?.[1];
    if (stoppedWith === undefined) return;
    this.#everNamed.add(Number(stoppedWith));
    this.#newestNamed = Math.max(this.#newestNamed, Number(stoppedWith));
  }

  /** False: it was named before. */
  #onNamed(id: number, at: number): boolean {
    if (this.#everNamed.has(id)) return false;
    this.#everNamed.add(id);
    forgetOldest(this.#everNamed, EPISODES_KEPT);
    this.#newestNamed = Math.max(this.#newestNamed, id);
    this.#checkAttempt(id, at);
    return true;
  }

  /** Once a restart has chosen what to restore, nothing an earlier attempt began may become the newest checkpoint. */
  #checkAttempt(id: number, at: number): void {
    const life = this.#lives.get(id);
    const restored = this.#restored;
    if (life === undefined || restored === undefined) return;
    const givenUpAt = this.#succession.givenUpAt(life.required);
    if (givenUpAt !== undefined) {
      this.#say('completed-after-restart', [life.triggeredAt, givenUpAt, at], () => {
        return `The pointer names checkpoint ${String(id)} after a restart has restored an older one into a subtask it was taken from`;
      });
      return;
    }
    const isOld =
      life.epoch < restored.epoch || (life.epoch === restored.epoch && life.jobAttempt < restored.jobAttempt);
    if (!isOld) return;
    this.#say('completed-after-restart', [life.triggeredAt, restored.at, at], () => {
      return `The pointer names checkpoint ${String(id)} of job attempt ${String(life.jobAttempt)} after attempt ${String(restored.jobAttempt)} has restored an older one`;
    });
  }

  /** Its `_metadata` makes it one; the pointer need not name it. */
  #onSavepoint({ checkpointId: id, location }: Of<'savepoint-completed'>, at: number): void {
    this.#onEnded(id, at);
    this.#givenUp.onCompleted(id, at);
    this.#checkAcknowledged(id, at);
    if (this.#locationsStored.has(location)) return;
    this.#say(
      'completed-before-durable',
      [at],
      () => `Savepoint ${String(id)} completes before its _metadata is stored`,
    );
  }

  #onCompleted(id: number, { index: at, atUs }: HistoryEvent): void {
    this.#completed += 1;
    const { timeoutUs } = this.#options;
    const triggeredUs = this.#lives.get(id)?.triggeredUs;
    if (timeoutUs !== undefined && triggeredUs !== undefined)
      this.#margins.near('checkpoint-lifecycle/expiry-after-completion', triggeredUs + timeoutUs - atUs, at);
    this.#onEnded(id, at);
    this.#givenUp.onCompleted(id, at);
    this.#checkAcknowledged(id, at);
    const durable = this.#metadataStored.has(id) && this.#everNamed.has(id);
    if (durable) return;
    const what = this.#metadataStored.has(id) ? 'the pointer names it' : 'its _metadata is stored';
    this.#say('completed-before-durable', [at], () => `Checkpoint ${String(id)} completes before ${what}`);
  }

  #checkAcknowledged(id: number, at: number): void {
    const life = this.#lives.get(id);
    const lacking =
      life === undefined ? undefined : [...life.required].find((attempt) => !life.acknowledged.has(attempt));
    if (life === undefined || lacking !== undefined) {
      const what = life === undefined ? 'was never triggered' : `attempt ${String(lacking)} sent no acknowledgement`;
      this.#say('completed-without-acknowledgement', [at], () => `Checkpoint ${String(id)} completes, but ${what}`);
    }
  }

  #onEnded(id: number, at: number): void {
    const life = this.#lives.get(id);
    if (life === undefined) return;
    if (life.endedAt >= 0) this.#say('ended-twice', [life.endedAt, at], () => `Checkpoint ${String(id)} ends twice`);
    life.endedAt = at;
  }

  #onAnnounced(event: Of<'notify-complete-sent' | 'commit-sent'>, { index: at, atUs }: HistoryEvent): void {
    const id = event.checkpointId;
    if (!this.#options.isCheckpointing) return;
    if (id === this.#newestNamed)
      this.#margins.near('checkpoint-lifecycle/announced-after-durable', atUs - this.#namedUs, at);
    if (this.#everNamed.has(id) || (event.kind === 'commit-sent' && id <= this.#newestNamed)) return;
    const what =
      event.kind === 'commit-sent' ? `Transaction ${event.transaction} is to be committed` : 'Completion is announced';
    this.#say('notified-before-durable', [at], () => {
      return `${what} for checkpoint ${String(id)}, which the pointer does not name`;
    });
  }

  /** A transaction named `...-<n>` was opened after checkpoint n - 1, so it belongs to n or to a later one. */
  #onCommitted(transaction: string, at: number): void {
    const id = TRANSACTION_CHECKPOINT.exec(transaction)?.[1];
    if (id === undefined || Number(id) <= this.#newestNamed || !this.#options.isCheckpointing) return;
    this.#say('committed-before-durable', [at], () => {
      return `Transaction ${transaction} is committed, but the newest checkpoint the pointer names is ${String(this.#newestNamed)}`;
    });
  }

  #onRestoreChosen(event: Of<'restore-chosen'>, { index: at, atUs }: HistoryEvent): void {
    if (event.epoch < this.#epoch) return;
    if (event.checkpointId === this.#newestNamed && this.#newestNamed > 0)
      this.#margins.near('checkpoint-lifecycle/restart-after-durable', atUs - this.#namedUs, at);
    this.#restored = { epoch: event.epoch, jobAttempt: event.jobAttempt, at };
    this.#succession.restored(event.subtasks, at);
    this.#checkPending(event.epoch, at);
    const newest = this.#retained.at(-1)?.id ?? 0;
    if (event.checkpointId === newest) return;
    this.#say('restored-not-newest', [at], () => {
      return `Epoch ${String(event.epoch)} restores checkpoint ${String(event.checkpointId)}, but the newest in the pointer is ${String(newest)}`;
    });
  }

  /** What a restart gives up can acknowledge nothing any more: a checkpoint that waits for it must have ended before. */
  #checkPending(epoch: number, at: number): void {
    for (const [id, life] of this.#lives) {
      if (life.endedAt >= 0 || life.epoch !== epoch || this.#succession.givenUpAt(life.required) === undefined)
        continue;
      // A savepoint that all have acknowledged waits for nobody: its `_metadata` may be there, so it is not aborted (row F17).
      if (life.isSavepoint && [...life.required].every((attempt) => life.acknowledged.has(attempt))) continue;
      this.#say('pending-after-restart', [life.triggeredAt, at], () => {
        return `Checkpoint ${String(id)} is still pending when a subtask that it was taken from is restored`;
      });
    }
  }

  #onDeployed(event: Of<'task-deployed'>, at: number): void {
    if (event.epoch < this.#epoch || this.#succession.deployed(event.attempt, event)) return;
    this.#say('deployed-unrestored', [at], () => {
      const subtask = `subtask ${String(event.subtask)} of vertex ${String(event.vertex)}`;
      return `Attempt ${String(event.attempt)} of ${subtask} is deployed, but no restart restores that subtask`;
    });
  }

  #sayZombie(what: string, epoch: number, at: number): void {
    this.#say('zombie-leader-wrote', [at], () => `Epoch ${String(epoch)} writes the ${what} after a higher epoch did`);
  }

  #say(anomaly: string, at: readonly number[], message: () => string): void {
    this.#findings.violated(anomaly, at, message);
  }
}
