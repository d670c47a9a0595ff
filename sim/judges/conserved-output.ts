/**
 * Judge 1 where the answer depends on the schedule: what readers of the sinks can see accounts for every input record exactly once (row X5).
 *
 * Late records and windows of processing time have no one right answer: which window a flight is in depends on when it came. But it must be
 * in one of them, or be told of as late, and never in two. The job's audit says what an input record is and which ones an output value
 * accounts for; this judge takes its place where a job says so.
 *
 * Where windows fire again for late records, what one result takes over from another counts once, and the results of each window are held
 * against each other (window-results.ts).
 *
 * Owns the counts of what was accounted for. I1: records that cannot be told apart are counted together.
 */
import type { RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { Findings } from './findings.ts';
import type { JobAudit } from './job-audit.ts';
import type { EndOfLife, Judge } from './judge.ts';
import type { OutputProgress } from './progress.ts';
import type { RecordTrail } from './record-trail.ts';
import type { Cut, InputIndex } from './reference-run.ts';
import type { Verdict } from './verdict.ts';
import { WindowResults, type WindowResultsOptions } from './window-results.ts';

const NAME = 'exactly-once-output';

export interface ConservedOutputOptions {
  readonly conserves: NonNullable<JobAudit['conserves']>;
  readonly index: InputIndex;
  readonly hasFinished: () => boolean;
  readonly trail: Pick<RecordTrail, 'lost'>;
  /** Of the job, where its audit tells results of windows apart. */
  readonly windows?: Pick<WindowResultsOptions, 'graph' | 'fired'>;
}

export class ConservedOutput implements Judge, OutputProgress {
  readonly name = NAME;
  readonly kinds = ['transaction-committed', 'output-appended', 'task-restored'] as const;
  readonly anomalies =
    'output-lost: no visible output accounts for an input record, though all should be visible. output-duplicated: an input record is ' +
    'accounted for more often than it is in the input. output-invented: output accounts for something that is not in the input. ' +
    WindowResults.anomalies;
  readonly #options: ConservedOutputOptions;
  readonly #findings = new Findings(NAME);
  readonly #due = new Map<string, number>();
  readonly #seen = new Map<string, number>();
  readonly #windows: WindowResults | undefined;
  #total = 0;
  #missing = 0;
  #visible = 0;

  constructor(options: ConservedOutputOptions) {
    this.#options = options;
    const { conserves, index, windows: of } = options;
    const { windows } = conserves;
    if (windows !== undefined && of !== undefined)
      this.#windows = new WindowResults({
        ...of,
        index,
        conserves: { ...conserves, windows },
        findings: this.#findings,
      });
    this.endAt(undefined);
  }

  /** The job is drained to a cut, and no record behind it counts (row C28); undefined: all do. */
  endAt(cut: Cut | undefined): void {
    this.#due.clear();
    this.#total = 0;
    this.#options.index.input.forEach(({ values }, slot) => {
      const end = cut?.[slot] ?? values.length;
      for (let offset = 0; offset < end; offset += 1) this.#expect(values[offset]);
    });
    this.#missing = this.#total;
    for (const [id, seen] of this.#seen) {
      const due = this.#due.get(id) ?? 0;
      this.#missing -= Math.min(seen, due);
      if (seen > due)
        this.#findings.violated('output-invented', [], () => `${id} is accounted for, and lies behind the end`);
    }
  }

  /** Records visible so far. */
  get visible(): number {
    return this.#visible;
  }

  /** Entries of memory; bounded by the input. */
  get remembered(): number {
    return this.#due.size + this.#seen.size + (this.#windows?.remembered ?? 0);
  }

  isComplete(): boolean {
    return this.#missing === 0;
  }

  isDecided(): boolean {
    return this.isComplete();
  }

  firstMissing(): string {
    for (const [id, due] of this.#due)
      if ((this.#seen.get(id) ?? 0) < due) return `what accounts for the input record ${id}`;
    return '';
  }

  observe({ event, index: at }: HistoryEvent): void {
    if (event.kind === 'task-restored') return this.#windows?.restored(event.checkpointId);
    if (event.kind !== 'transaction-committed' && event.kind !== 'output-appended') return;
    this.#visible += event.values.length;
    for (const value of event.values) {
      const ids = this.#options.conserves.output(value);
      for (const id of this.#windows?.news(value, ids, at) ?? ids) this.#account(id, at);
    }
  }

  finish(end: EndOfLife): Verdict[] {
    if (!this.isComplete()) {
      const isAll = this.#options.hasFinished() || end.cause === 'liveness-reached' || end.cause === 'quiescent';
      const say = (): string => `${this.firstMissing()} is not visible (${String(this.#missing)} are missing)`;
      if (isAll) this.#lost(say);
      else if (this.#findings.isEmpty) this.#findings.inconclusive('output-incomplete', say);
    }
    const again = this.#windows === undefined ? '' : `; windows showed ${String(this.#windows.replaced)} results anew`;
    return this.#findings.verdicts(`Each of ${String(this.#total)} input records is accounted for once${again}`);
  }

  /** Shown by what became of the input record. */
  #lost(say: () => string): void {
    const { index, conserves, trail } = this.#options;
    for (const { values, sourceIndices } of index.input) {
      for (let offset = 0; offset < values.length; offset += 1) {
        const id = conserves.input(values[offset]);
        if (id === undefined || (this.#seen.get(id) ?? 0) >= (this.#due.get(id) ?? 0)) continue;
        const lineage = sourceIndices[offset] ?? -1;
        const { says, at } = trail.lost(lineage);
        return this.#findings.violated('output-lost', at, () => `${say()}: it is ${index.describe(lineage)}${says}`);
      }
    }
    this.#findings.violated('output-lost', [], say);
  }

  #expect(value: RecordValue): void {
    const id = this.#options.conserves.input(value);
    if (id === undefined) return;
    this.#due.set(id, (this.#due.get(id) ?? 0) + 1);
    this.#total += 1;
  }

  #account(id: string, at: number): void {
    const due = this.#due.get(id);
    if (due === undefined) {
      this.#findings.violated('output-invented', [at], () => `${id} is not in the input`);
      return;
    }
    const seen = (this.#seen.get(id) ?? 0) + 1;
    this.#seen.set(id, seen);
    if (seen <= due) this.#missing -= 1;
    else this.#findings.violated('output-duplicated', [at], () => `${id} is accounted for again`);
  }
}
