/**
 * Judge of master hooks (rows C18, C25): an outside system that is told of every checkpoint goes back with the job.
 *
 * A job with ledgers (`JobAudit.ledgers`) has a hook for each, which takes the next number when a checkpoint is triggered, keeps it in the
 * checkpoint, and sets the ledger back to it when that is restored. What a ledger was told is seen where it lies; which checkpoint holds
 * what, in its `_metadata`.
 *
 * I1: judged by the leader that reigns: what one that was replaced still has on its way may arrive, until its successor has set the ledger back.
 */
import { metadataIn } from '../../engine/protocol/savepoint-paths.ts';
import type { CheckpointMetadata, MasterState } from '../../engine/protocol/metadata-file.ts';
import type { RetainedCheckpoint } from '../../engine/protocol/checkpoint-pointer.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { Findings } from './findings.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';
import type { AuditedLedger } from './job-audit.ts';
import type { Judge } from './judge.ts';
import { decodeLedgerEntry, decodeLedgerState, type LedgerEntry } from './ledger-entry.ts';
import type { Readable } from './readable.ts';
import type { Margins } from './margins.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'ledgers';
const KINDS = [
  'leadership-acquired',
  'checkpoint-triggered',
  'restore-chosen',
  'coordination-updated',
  'checkpoint-completed',
  'savepoint-completed',
] as const;

/** What judges read of completed checkpoints. */
export interface MetadataReader {
  retained(): readonly RetainedCheckpoint[];
  metadata(path: string): Readable<CheckpointMetadata>;
}

/** A ledger has to be set back to what it was in this checkpoint. */
interface Owed {
  readonly checkpointId: number;
  readonly at: number;
}

interface Ledger {
  readonly audited: AuditedLedger;
  /** Which number it gave each checkpoint. */
  readonly numbers: Map<number, number>;
  owed: Owed | undefined;
  /** When it was set back; undefined once it has given a number since. */
  setBackUs: number | undefined;
}

export class Ledgers implements Judge {
  readonly name = NAME;
  readonly kinds = KINDS;
  readonly anomalies =
    'ledger-not-set-back: a job has restored a checkpoint, and goes on with the numbers of before. ledger-set-back-wrong: it is set back to ' +
    'another number than it gave that checkpoint. ledger-state-missing: a completed checkpoint does not hold the number that a ledger gave ' +
    'it. told-of-refused: a ledger is told of a checkpoint that a hook before it has refused.';
  readonly #ledgers: readonly Ledger[];
  readonly #reader: MetadataReader;
  readonly #margins: Margins | undefined;
  readonly #findings = new Findings(NAME);
  readonly #triggeredAt = new Map<number, number>();
  #epoch = 0;
  #numbered = 0;
  #setBack = 0;

  constructor(ledgers: readonly AuditedLedger[], reader: MetadataReader, margins?: Margins) {
    this.#margins = margins;
    this.#ledgers = ledgers.map((audited) => ({
      audited,
      numbers: new Map<number, number>(),
      owed: undefined,
      setBackUs: undefined,
    }));
    this.#reader = reader;
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#ledgers.reduce((sum, { numbers }) => sum + numbers.size, this.#triggeredAt.size);
  }

  observe({ event, index: at, atUs }: HistoryEvent): void {
    switch (event.kind) {
      case 'leadership-acquired':
        this.#epoch = Math.max(this.#epoch, event.epoch);
        return;
      case 'checkpoint-triggered':
        this.#triggeredAt.set(event.checkpointId, at);
        return forgetOldest(this.#triggeredAt, EPISODES_KEPT);
      case 'restore-chosen':
        // A region that restarts before there is a checkpoint begins from nothing, the job does not.
        if (event.epoch < this.#epoch || (event.subtasks !== undefined && event.checkpointId === 0)) return;
        for (const ledger of this.#ledgers) ledger.owed = { checkpointId: event.checkpointId, at };
        return;
      case 'coordination-updated': {
        const ledger = this.#ledgers.find(({ audited }) => audited.key === event.key);
        const entry = decodeLedgerEntry(event.value);
        if (ledger === undefined || entry === undefined) return;
        this.#noteDistance(ledger, entry, { at, atUs });
        return entry.what === 'set-back' ? this.#onSetBack(ledger, entry, at) : this.#onNumbered(ledger, entry, at);
      }
      case 'checkpoint-completed': {
        const retained = this.#reader.retained().find(({ id }) => id === event.checkpointId);
        if (retained !== undefined) this.#onCompleted(event.checkpointId, retained.metadata, at);
        return;
      }
      case 'savepoint-completed':
        return this.#onCompleted(event.checkpointId, metadataIn(event.location), at);
      default:
    }
  }

  finish(): Verdict[] {
    const counts = `${String(this.#numbered)} numbers given, ${String(this.#setBack)} times set back`;
    return this.#findings.verdicts(`Outside ledgers go back with the job: ${counts}`);
  }

  #noteDistance(
    ledger: Ledger,
    { what }: LedgerEntry,
    { at, atUs }: { readonly at: number; readonly atUs: number },
  ): void {
    if (what !== 'set-back' && ledger.setBackUs !== undefined)
      this.#margins?.near('ledgers/number-after-set-back', atUs - ledger.setBackUs, at);
    ledger.setBackUs = what === 'set-back' ? atUs : undefined;
  }

  #onNumbered(ledger: Ledger, entry: LedgerEntry, at: number): void {
    const { audited, numbers, owed } = ledger;
    const { checkpointId: id, number } = entry;
    this.#numbered += 1;
    numbers.set(id, number);
    forgetOldest(numbers, EPISODES_KEPT);
    const refusing = this.#ledgers.slice(0, this.#ledgers.indexOf(ledger)).find((before) => before.audited.refuses(id));
    if (refusing !== undefined)
      this.#findings.violated('told-of-refused', [at], () => {
        return `Ledger ${audited.identifier} numbers checkpoint ${String(id)}, which ${refusing.audited.identifier} has refused`;
      });
    const triggeredAt = this.#triggeredAt.get(id);
    if (owed === undefined || entry.epoch < this.#epoch || triggeredAt === undefined || triggeredAt < owed.at) return;
    this.#findings.violated('ledger-not-set-back', [owed.at, triggeredAt, at], () => {
      const restored =
        owed.checkpointId === 0 ? 'began from nothing' : `restored checkpoint ${String(owed.checkpointId)}`;
      return `The job ${restored}; ledger ${audited.identifier} was not set back, and gives checkpoint ${String(id)} the number ${String(number)}`;
    });
  }

  #onSetBack(ledger: Ledger, { epoch, checkpointId: id, number }: LedgerEntry, at: number): void {
    this.#setBack += 1;
    const { audited, numbers, owed } = ledger;
    const due = id === 0 ? 0 : numbers.get(id);
    if (due !== undefined && due !== number)
      this.#findings.violated('ledger-set-back-wrong', [at], () => {
        return `Ledger ${audited.identifier} is set back to ${String(number)}; it gave checkpoint ${String(id)} the number ${String(due)}`;
      });
    if (owed?.checkpointId === id && epoch === this.#epoch) ledger.owed = undefined;
  }

  #onCompleted(id: number, path: string, at: number): void {
    const metadata = this.#reader.metadata(path);
    if (metadata.kind === 'unreadable') return;
    const states = metadata.value.masterStates ?? [];
    for (const { audited, numbers } of this.#ledgers) {
      const given = numbers.get(id);
      const kept = numberIn(states, audited.identifier);
      if (kept !== undefined && kept === given) continue;
      this.#findings.violated('ledger-state-missing', [at], () => {
        return `Checkpoint ${String(id)} holds ${String(kept)} for ledger ${audited.identifier}, which gave it ${String(given)}`;
      });
    }
  }
}

function numberIn(states: readonly MasterState[], identifier: string): number | undefined {
  const state = states.find((one) => one.identifier === identifier);
  return state === undefined ? undefined : decodeLedgerState(state.bytes);
}
