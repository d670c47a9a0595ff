/**
 * Judge 2, exactly-once state: what a restore would find at the end of the life, and what restores found during it.
 *
 * The newest retained checkpoint must hold what the reference holds over the checkpoint's cut; that this cut is the whole input in the end is
 * part of the goal of a life (the judge of progress). Every restored checkpoint must have been durable when its task was deployed.
 *
 * I1: durability of a restored checkpoint is judged by the pointer's own history, as the coordination store reported it.
 * I2: a deployment by a leader that was already replaced may carry an older checkpoint: its tasks are fenced, not wrong.
 */
import { decodePointer, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointReader } from './checkpoint-reader.ts';
import type { CutAudit } from './cut-audit.ts';
import { Findings } from './findings.ts';
import { type JobAudit, NOT_COMPARED } from './job-audit.ts';
import type { Judge } from './judge.ts';
import { Margins } from './margins.ts';
import type { Verdict } from './verdict.ts';
import { EPISODES_KEPT, forgetOldest, PARTS_KEPT } from './forget-oldest.ts';

const NAME = 'exactly-once-state';
const ANOMALY_OF = {
  misses: 'state-lost',
  'holds-too-much': 'state-duplicated',
  twice: 'state-duplicated',
  other: 'state-wrong',
} as const;

export interface ExactlyOnceStateOptions {
  readonly jobId: string;
  readonly reader: CheckpointReader;
  readonly cuts: CutAudit;
  readonly audit: JobAudit;
  /** False: no checkpoint is ever taken, so there is none to judge. */
  readonly isCheckpointing: boolean;
  /** The result of the job is durable. */
  readonly hasEnded: () => boolean;
  readonly margins?: Margins;
}

export class ExactlyOnceState implements Judge {
  readonly name = NAME;
  readonly kinds = ['coordination-updated', 'leadership-acquired', 'task-deployed', 'task-restored'] as const;
  readonly anomalies =
    'state-lost: the newest retained checkpoint lacks the effect of a record before its cut. state-duplicated: it counts a ' +
    'record twice, or one behind its cut, which a restore will read again. state-wrong: it differs in another way. ' +
    'split-misplaced: a restore from the newest checkpoint would lose a split of a source, or read it twice. ' +
    'checkpoint-not-restorable: a retained checkpoint cannot be read at the end. restored-incomplete: a task was restored ' +
    'from a checkpoint that the pointer never named. restored-unnamed: the pointer no longer named it when the leader ' +
    'deployed the task.';
  readonly #options: ExactlyOnceStateOptions;
  readonly #findings = new Findings(NAME);
  readonly #pointerKey: string;
  /** When each checkpoint left the pointer; Infinity while it is in. */
  readonly #namedUntil = new Map<number, number>();
  /** Of what it names: since when. */
  readonly #namedAt = new Map<number, number>();
  /** When the reigning leader deployed an attempt. */
  readonly #deployedAt = new Map<number, number>();
  /** By checkpoint that the pointer names: when a subtask was restored from it last. */
  readonly #restoredUs = new Map<number, number>();
  readonly #margins: Margins;
  #epoch = 0;

  constructor(options: ExactlyOnceStateOptions) {
    this.#options = options;
    this.#margins = options.margins ?? new Margins();
    this.#pointerKey = pointerKey(options.jobId);
  }

  observe({ event, index: at, atUs }: HistoryEvent): void {
    switch (event.kind) {
      case 'coordination-updated':
        if (event.key === this.#pointerKey) this.#follow(event.value, at, atUs);
        return;
      case 'leadership-acquired':
        this.#epoch = Math.max(this.#epoch, event.epoch);
        return;
      case 'task-deployed':
        if (event.epoch === this.#epoch) this.#deployedAt.set(event.attempt, at);
        forgetOldest(this.#deployedAt, PARTS_KEPT);
        return;
      case 'task-restored':
        if (event.checkpointId > 0) this.#restoredUs.set(event.checkpointId, atUs);
        forgetOldest(this.#restoredUs, EPISODES_KEPT);
        this.#judgeRestore(event.checkpointId, event.attempt, at);
        return;
      default:
    }
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#namedAt.size + this.#namedUntil.size + this.#deployedAt.size + this.#restoredUs.size;
  }

  finish(): Verdict[] {
    const { reader, audit, cuts } = this.#options;
    const newest = reader.newest();
    if (newest === undefined && !this.#options.isCheckpointing)
      return this.#findings.verdicts('No checkpoint is taken');
    // What the last checkpoints held was judged when they completed; a job that has ended keeps none (row C17).
    if (newest === undefined && this.#options.hasEnded())
      return this.#findings.verdicts('The job has ended and keeps no checkpoint');
    if (newest === undefined) {
      if (this.#findings.isEmpty) this.#findings.inconclusive('no-checkpoint', () => 'No checkpoint is retained');
      return this.#findings.verdicts('');
    }
    for (const checkpoint of reader.retained()) {
      const contents = reader.contents(checkpoint);
      const id = String(checkpoint.id);
      const at = [this.#namedAt.get(checkpoint.id) ?? -1].filter((index) => index >= 0);
      if (contents.kind === 'unreadable') {
        this.#findings.violated('checkpoint-not-restorable', at, () => `Retained checkpoint ${id}: ${contents.reason}`);
        continue;
      }
      if (checkpoint !== newest) continue;
      const [misplaced] = contents.value.splitProblems;
      if (misplaced !== undefined) {
        this.#findings.violated('split-misplaced', at, () => `Newest checkpoint ${id}: ${misplaced.message}`);
        continue;
      }
      if (!audit.stateIsOrderInsensitive) continue;
      const difference = cuts.compare(contents.value);
      if (difference.kind === 'unreadable') {
        this.#findings.violated(
          'checkpoint-not-restorable',
          at,
          () => `Retained checkpoint ${id}: ${difference.reason}`,
        );
      } else if (difference.value !== undefined) {
        const { kind, message } = difference.value;
        this.#findings.violated(ANOMALY_OF[kind], at, () => `Newest checkpoint ${id}: ${message}`);
      }
    }
    const id = String(newest.id);
    return this.#findings.verdicts(
      audit.stateIsOrderInsensitive
        ? `Checkpoint ${id} holds what the reference holds over its cut`
        : `Checkpoint ${id} and what else is retained can be read; ${NOT_COMPARED}`,
    );
  }

  #follow(value: string, at: number, atUs: number): void {
    const named = new Set<number>(value === '' ? [] : decodePointer(value).completed.map(({ id }) => id));
    for (const [id, until] of this.#namedUntil) {
      if (until !== Number.POSITIVE_INFINITY || named.has(id)) continue;
      this.#namedUntil.set(id, at);
      const restoredUs = this.#restoredUs.get(id);
      if (restoredUs === undefined) continue;
      this.#restoredUs.delete(id);
      this.#margins.near('exactly-once-state/restore-before-release', atUs - restoredUs, at);
    }
    for (const id of this.#namedAt.keys()) if (!named.has(id)) this.#namedAt.delete(id);
    for (const id of named) if (!this.#namedAt.has(id)) this.#namedAt.set(id, at);
    // What is named is not old, whenever it was named first.
    for (const id of named) this.#namedUntil.delete(id);
    for (const id of named) this.#namedUntil.set(id, Number.POSITIVE_INFINITY);
    forgetOldest(this.#namedUntil, EPISODES_KEPT);
  }

  #judgeRestore(checkpoint: number, attempt: number, at: number): void {
    if (checkpoint === 0) return;
    const until = this.#namedUntil.get(checkpoint);
    const who = `attempt ${String(attempt)} is restored from checkpoint ${String(checkpoint)}`;
    if (until === undefined) {
      this.#findings.violated('restored-incomplete', [at], () => `${who}, which the pointer never named`);
      return;
    }
    const deployedAt = this.#deployedAt.get(attempt) ?? -1;
    if (deployedAt <= until) return;
    this.#findings.violated(
      'restored-unnamed',
      [until, deployedAt, at],
      () => `${who}, which had left the pointer before`,
    );
  }
}
