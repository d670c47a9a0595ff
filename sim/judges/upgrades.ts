/**
 * Versions of a job (rows S13, S24; Flink: StateMigrationException): one that cannot read what it begins from is refused and gets nowhere, and
 * one that can is not refused.
 *
 * What a version reads is written down in its audit (`readsStateOf`), by hand: the engine's rules of compatibility have no part in it. Does not
 * own: that nothing is lost by an attempt. What it began from is its user's (retention.ts), and the version that goes on from there is
 * judged like any other.
 *
 * I1: a deployment belongs to the newest run that its leader can know: the newest record of its epoch, or of one before;
 * I2: that a run was submitted says nothing, as the engine finds out when subtasks read their state; that it runs is its first checkpoint;
 * I3: where restarts have no end, such a run fails because a task of it could not read its state, and for no other reason.
 */
import { decodePointer, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { Findings } from './findings.ts';
import { EPISODES_KEPT, forgetOldest, PARTS_KEPT } from './forget-oldest.ts';
import type { Judge } from './judge.ts';
import type { Run, RunHistory } from './run-history.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'upgrades';
const KINDS = ['coordination-updated', 'task-deployed', 'state-incompatible'] as const;

type Seen = Extract<HistoryEvent['event'], { readonly kind: (typeof KINDS)[number] }>;
type Of<K extends Seen['kind']> = Extract<Seen, { readonly kind: K }>;

interface Begun {
  readonly run: Run;
  /** Of the leader that took the submission. */
  readonly epoch: number;
  /** The version that left its state; its own where it began from nothing. */
  readonly from: number;
  /** Undefined: the version does not say. */
  readonly canRead: boolean | undefined;
  /** What its tasks said that they could not read. */
  readonly reasons: Set<string>;
}

export interface UpgradesOptions {
  readonly jobId: string;
  /** Was shown each event before. */
  readonly history: Pick<RunHistory, 'current' | 'versionOf'>;
  /** A failure that can be mended never ends the job. */
  readonly restartsWithoutEnd: boolean;
}

export class Upgrades implements Judge {
  readonly name = NAME;
  readonly kinds = KINDS;
  readonly anomalies =
    'incompatible-version-ran: a version of the job that cannot read the state it begins from completes a checkpoint, or stops with a savepoint. ' +
    'compatible-version-refused: a version that can read it fails because it cannot. refused-without-cause: the record of a run that fails, ' +
    'as it must, names a cause that none of its tasks has met, or none.';
  readonly #findings = new Findings(NAME);
  readonly #options: UpgradesOptions;
  readonly #pointer: string;
  /** Oldest first. */
  readonly #runs = new Map<number, Begun>();
  /** By attempt of a task. */
  readonly #attempts = new Map<number, Begun>();
  #upgrades = 0;
  #refused = 0;

  constructor(options: UpgradesOptions) {
    this.#options = options;
    this.#pointer = pointerKey(options.jobId);
  }

  observe({ event, index }: HistoryEvent): void {
    switch ((event as Seen).kind) {
      case 'coordination-updated':
        return this.#onRecord(event as Of<'coordination-updated'>, index);
      case 'task-deployed':
        return this.#onDeployed(event as Of<'task-deployed'>);
      case 'state-incompatible':
        return this.#onRefused(event as Of<'state-incompatible'>, index);
      default:
    }
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#runs.size + this.#attempts.size;
  }

  finish(): Verdict[] {
    return this.#findings.verdicts(
      `${String(this.#upgrades)} runs began from what another version left; ${String(this.#refused)} of these could not read it, and did not run`,
    );
  }

  #onRecord({ key, value }: Of<'coordination-updated'>, index: number): void {
    if (key !== this.#pointer) return;
    const current = this.#options.history.current();
    const known = this.#runs.get(current.run);
    // Of a run that may go on no further record says anything.
    if (known !== undefined && known.canRead !== false) return;
    const { epoch, job, completed } = decodePointer(value);
    if (current.run !== (job?.run ?? current.run)) return;
    if (known === undefined) this.#begin(current, epoch);
    const begun = this.#runs.get(current.run);
    if (begun?.canRead !== false) return;
    const own = completed.find(({ id }) => id > current.floor);
    if (own !== undefined) this.#ran(begun, index, `completes checkpoint ${String(own.id)}`);
    const { ended } = job ?? {};
    if (ended?.status === 'finished') this.#ran(begun, index, 'finishes');
    if (ended?.status === 'failed') this.#judgeReason(begun, index, ended.reason);
  }

  #begin(run: Run, epoch: number): void {
    const { version, from = version } = run;
    const { readsStateOf } = this.#options.history.versionOf(version).audit;
    const canRead = from === version || readsStateOf?.includes(from);
    this.#runs.set(run.run, { run, epoch, from, canRead, reasons: new Set() });
    forgetOldest(this.#runs, EPISODES_KEPT);
    if (from !== version) this.#upgrades += 1;
    if (canRead === false) this.#refused += 1;
  }

  /** I1. Before the first record there is one run, which began from nothing. */
  #onDeployed({ epoch, attempt }: Of<'task-deployed'>): void {
    const begun = [...this.#runs.values()].findLast((run) => run.epoch <= epoch);
    if (begun === undefined) return;
    this.#attempts.set(attempt, begun);
    forgetOldest(this.#attempts, PARTS_KEPT);
  }

  #onRefused({ attempt, why }: Of<'state-incompatible'>, index: number): void {
    const begun = this.#attempts.get(attempt);
    if (begun?.canRead === false) begun.reasons.add(why);
    if (begun?.canRead !== true) return;
    this.#findings.violated('compatible-version-refused', [index], () => {
      return `Version ${String(begun.run.version)} can read what version ${String(begun.from)} left, and is refused: ${why}`;
    });
  }

  /** I3. */
  #judgeReason({ run: { version }, from, reasons }: Begun, index: number, reason: string | undefined): void {
    if (reason === undefined ? !this.#options.restartsWithoutEnd : reasons.has(reason)) return;
    this.#findings.violated('refused-without-cause', [index], () => {
      return `Version ${String(version)}, which cannot read what version ${String(from)} left, fails and its user is told '${reason ?? 'nothing'}'`;
    });
  }

  #ran({ run: { version }, from }: Begun, index: number, how: string): void {
    this.#findings.violated('incompatible-version-ran', [index], () => {
      return `Version ${String(version)} cannot read what version ${String(from)} left, and ${how}`;
    });
  }
}
