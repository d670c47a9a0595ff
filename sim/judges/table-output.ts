/**
 * Judge 1 where output is a table (row K13): what readers find in it is, row by row, what the reference makes last of that key.
 *
 * Records may be written many times, so the stream of writes is not judged but the state of the table: each row that is seen is one the
 * reference makes, no row goes back to an older version, and in the end each has its newest. This judge takes the place of the one that counts
 * records where a plan writes to a table. It knows nothing of how the table decides.
 *
 * I1: of a key the reference makes one value per version; which one is last does not depend on the schedule.
 */
import type { Lineage, RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { ExpectedOutput } from './expected-output.ts';
import { Findings } from './findings.ts';
import type { JobAudit } from './job-audit.ts';
import type { EndOfLife, Judge } from './judge.ts';
import type { OutputProgress } from './progress.ts';
import type { RecordTrail } from './record-trail.ts';
import type { InputIndex } from './reference-run.ts';
import { canonicalText } from './value-hash.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'exactly-once-output';

export interface TableOutputOptions {
  readonly expected: Pick<ExpectedOutput, 'sinks' | 'valuesOf'>;
  readonly audit: Pick<JobAudit, 'outputKey'>;
  /** Field of a value that is its version. */
  readonly version: string;
  readonly hasFinished: () => boolean;
  readonly index: InputIndex;
  readonly trail: Pick<RecordTrail, 'lost'>;
}

/** One row: what it may be, by version, and what it is. */
interface Row {
  readonly due: Map<number, string>;
  newest: number;
  /** The record that makes the newest. */
  of: Lineage;
  seen: number;
  seenAt: number;
}

/** The version of an output value; NaN: it has none. */
export function rowVersion(value: RecordValue, field: string): number {
  const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
  return typeof found === 'number' ? found : Number.NaN;
}

export class TableOutput implements Judge, OutputProgress {
  readonly name = NAME;
  readonly kinds = ['output-appended'] as const;
  readonly anomalies =
    'row-went-back: readers find a row of an older version where they found a newer one. row-invented: a row is found that the reference ' +
    'does not make of that key and version. output-lost: in the end a row is missing, or is not the newest.';
  readonly #options: TableOutputOptions;
  readonly #findings = new Findings(NAME);
  /** By table and key. */
  readonly #rows = new Map<string, Row>();
  #missing = 0;
  #visible = 0;

  constructor(options: TableOutputOptions) {
    this.#options = options;
    this.expect(options.expected);
  }

  /** The job was drained, or goes on after it: this is now what must be in the table in the end (row C28). */
  expect(expected: TableOutputOptions['expected']): void {
    const before = new Map(this.#rows);
    this.#rows.clear();
    for (const { uid } of expected.sinks)
      for (const { value, lineage } of expected.valuesOf(uid)) this.#expect(uid, value, lineage);
    this.#missing = 0;
    for (const [name, row] of this.#rows) {
      const { seen, seenAt } = before.get(name) ?? row;
      this.#rows.set(name, { ...row, seen, seenAt });
      if (seen !== row.newest) this.#missing += 1;
    }
  }

  /** Rows that changed before readers' eyes. */
  get visible(): number {
    return this.#visible;
  }

  /** Entries of memory: as many as there are rows. */
  get remembered(): number {
    return this.#rows.size;
  }

  isComplete(): boolean {
    return this.#missing === 0;
  }

  isDecided(): boolean {
    return this.isComplete();
  }

  firstMissing(): string {
    for (const [name, { newest, seen }] of this.#rows) {
      if (seen !== newest) return `version ${String(newest)} of the row ${name} (${seen < 0 ? 'none' : String(seen)})`;
    }
    return '';
  }

  observe({ event, index: at }: HistoryEvent): void {
    if (event.kind !== 'output-appended') return;
    this.#visible += event.values.length;
    for (const value of event.values) this.#see(event.producer, value, at);
  }

  finish(end: EndOfLife): Verdict[] {
    if (!this.isComplete()) {
      const isAll = this.#options.hasFinished() || end.cause === 'liveness-reached' || end.cause === 'quiescent';
      const say = (): string => `${this.firstMissing()} is not in the table`;
      if (isAll) this.#lost(say);
      else if (this.#findings.isEmpty) this.#findings.inconclusive('output-incomplete', say);
    }
    return this.#findings.verdicts(`The table has the newest version of each of ${String(this.#rows.size)} rows`);
  }

  /** Shown by the checkpoint that says its record is done, and by the version that was seen last. */
  #lost(say: () => string): void {
    const { index, trail } = this.#options;
    for (const { newest, seen, seenAt, of } of this.#rows.values()) {
      if (newest === seen) continue;
      const { says, at } = trail.lost(of);
      const shown = seen < 0 ? at : [seenAt, ...at];
      return this.#findings.violated(
        'output-lost',
        shown,
        () => `${say()}; it is made of ${index.describe(of)}${says}`,
      );
    }
  }

  #expect(table: string, value: RecordValue, lineage: Lineage): void {
    const name = this.#nameOf(table, value);
    const version = rowVersion(value, this.#options.version);
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { due: new Map(), newest: -1, of: lineage, seen: -1, seenAt: 0 };
      this.#rows.set(name, row);
    }
    row.due.set(version, canonicalText(value));
    if (version <= row.newest) return;
    row.newest = version;
    row.of = lineage;
  }

  #see(table: string, value: RecordValue, at: number): void {
    const name = this.#nameOf(table, value);
    const version = rowVersion(value, this.#options.version);
    const row = this.#rows.get(name);
    if (row?.due.get(version) !== canonicalText(value)) {
      this.#findings.violated(
        'row-invented',
        [at],
        () => `${canonicalText(value)} is found, which the reference never makes`,
      );
      return;
    }
    if (version < row.seen) {
      const [before, since] = [row.seen, row.seenAt];
      this.#findings.violated('row-went-back', [since, at], () => {
        return `The row ${name} is of version ${String(version)} after readers found version ${String(before)}`;
      });
    }
    if (row.seen === row.newest) this.#missing += 1;
    row.seen = version;
    row.seenAt = at;
    if (version === row.newest) this.#missing -= 1;
  }

  #nameOf(table: string, value: RecordValue): string {
    return `${table}/${String(this.#options.audit.outputKey?.(value) ?? '')}`;
  }
}
