/**
 * Judge of notifications: what a subtask is told of a checkpoint's end (rows X4, X8; C14; Flink: StreamCheckpointNotifierITCase,
 * NotifyCheckpointAbortedITCase).
 *
 * A function that commits, cleans up or counts when it is told relies on each end being told once and in order, however often and in
 * whatever order the messages come. That what is told as complete is durable is the lifecycle judge's.
 *
 * I1: judged by attempt: a new attempt has been told nothing.
 */
import type { HistoryEvent } from '../history/history-event.ts';
import { Findings } from './findings.ts';
import type { Judge } from './judge.ts';
import { Margins } from './margins.ts';
import type { Verdict } from './verdict.ts';
import { EPISODES_KEPT, forgetOldest, PARTS_KEPT } from './forget-oldest.ts';

const NAME = 'notifications';

/** What an attempt was told. */
interface Told {
  completed: number;
  readonly aborted: Set<number>;
  /** When it was last told anything. */
  lastUs: number;
}

export class Notifications implements Judge {
  readonly name = NAME;
  readonly kinds = ['notify-complete-received', 'notify-aborted-received'] as const;
  readonly anomalies =
    'completion-told-again: a subtask is told once more that a checkpoint is complete, or of one before the last it was told of. ' +
    'abort-told-again: it is told once more that a checkpoint was aborted. told-both: it is told that a checkpoint is complete ' +
    'and that it was aborted.';
  readonly #findings = new Findings(NAME);
  readonly #told = new Map<number, Told>();
  readonly #margins: Margins;
  #completions = 0;
  #aborts = 0;

  constructor(margins: Margins = new Margins()) {
    this.#margins = margins;
  }

  observe({ event, index: at, atUs }: HistoryEvent): void {
    if (event.kind === 'notify-complete-received' || event.kind === 'notify-aborted-received')
      this.#noteDistance(this.#of(event.attempt), at, atUs);
    if (event.kind === 'notify-complete-received') this.#onComplete(event.attempt, event.checkpointId, at);
    else if (event.kind === 'notify-aborted-received') this.#onAborted(event.attempt, event.checkpointId, at);
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return [...this.#told.values()].reduce((sum, { aborted }) => sum + 1 + aborted.size, 0);
  }

  finish(): Verdict[] {
    return this.#findings.verdicts(
      `${String(this.#completions)} completions and ${String(this.#aborts)} aborts told, each once and in order`,
    );
  }

  #onComplete(attempt: number, id: number, at: number): void {
    this.#completions += 1;
    const told = this.#of(attempt);
    if (id <= told.completed) {
      this.#findings.violated('completion-told-again', [at], () => {
        return `Attempt ${String(attempt)} is told that checkpoint ${String(id)} is complete, after ${String(told.completed)}`;
      });
    }
    if (told.aborted.has(id)) this.#sayBoth(attempt, id, at);
    told.completed = Math.max(told.completed, id);
  }

  #onAborted(attempt: number, id: number, at: number): void {
    this.#aborts += 1;
    const told = this.#of(attempt);
    if (told.aborted.has(id)) {
      this.#findings.violated('abort-told-again', [at], () => {
        return `Attempt ${String(attempt)} is told again that checkpoint ${String(id)} was aborted`;
      });
    }
    if (id === told.completed) this.#sayBoth(attempt, id, at);
    told.aborted.add(id);
    forgetOldest(told.aborted, EPISODES_KEPT);
  }

  #noteDistance(told: Told, at: number, atUs: number): void {
    if (told.lastUs >= 0) this.#margins.near('notifications/between-notices', atUs - told.lastUs, at);
    told.lastUs = atUs;
  }

  #sayBoth(attempt: number, id: number, at: number): void {
    this.#findings.violated('told-both', [at], () => {
      return `Attempt ${String(attempt)} is told of checkpoint ${String(id)} that it is complete and that it was aborted`;
    });
  }

  #of(attempt: number): Told {
    let told = this.#told.get(attempt);
    if (told === undefined) {
      told = { completed: 0, aborted: new Set(), lastUs: -1 };
      this.#told.set(attempt, told);
      forgetOldest(this.#told, PARTS_KEPT);
    }
    return told;
  }
}
