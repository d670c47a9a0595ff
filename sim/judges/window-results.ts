/**
 * Part of judge 1 for windows that take in late records (row S11; Flink: allowedLateness): what each of them shows, one result after the other.
 *
 * How often a window fires, and what is late, depends on the schedule. But whatever that was, each result of a window holds the records of the
 * one before it and at least one more, for it takes its place; sessions that have become one hold those of all, and cover them. A window that
 * was forgotten may begin anew: behind a restore, where event time begins anew (row B22), and as a session that is another one. What is in a
 * later result only, and what is told of as late, cannot have come in time.
 *
 * Owns the newest result of every window, by key, and earlier ones of windows that were begun anew. Called by the judge of output that
 * accounts for its input, which counts only what is new in a result.
 *
 * I1: a result that may be left out stays as it is: its records are accounted for.
 * I2: results of one key become visible in the order in which they were made: as all records of a key do.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { keyGroupOf } from '../../engine/job/key-groups.ts';
import type { WindowSpec } from '../../engine/job/windows.ts';
import { assert } from '../../engine/foundation/assert.ts';
import type { FiredTimersLog } from './fired-timers.ts';
import type { Findings } from './findings.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';
import type { JobAudit, ShownWindow } from './job-audit.ts';
import type { InputIndex } from './reference-run.ts';
import { nameOf, shareAnInstant, type Span } from './reference-windows.ts';
import { WindowedRecords } from './windowed-records.ts';

type Conserves = NonNullable<JobAudit['conserves']>;

export interface WindowResultsOptions {
  readonly graph: JobGraph;
  readonly index: InputIndex;
  readonly conserves: Conserves & Pick<Required<Conserves>, 'windows'>;
  /** Which timers have fired before a checkpoint. */
  readonly fired: Pick<FiredTimersLog, 'before'>;
  readonly findings: Findings;
}

interface Result extends Span {
  readonly records: ReadonlyMap<string, number>;
  readonly at: number;
}

export class WindowResults {
  static readonly anomalies =
    'window-shrunk: a result lacks what an earlier one of its window holds, though nothing can have made it begin anew. window-repeated: a ' +
    'window shows again what it has shown. window-fired-early: a window was shown before a record came that is no late one. window-misplaced: a record is in a window that it does not belong to. late-too-early: a record ' +
    'is told of as late, though the records before it do not allow event time to have passed its window.';
  readonly #options: WindowResultsOptions;
  readonly #window: WindowSpec;
  readonly #records: WindowedRecords;
  readonly #maxParallelism: number;
  readonly #byKey = new Map<string, Result[]>();
  #replaced = 0;
  /** What the job was taken back to. */
  readonly #restored = new Set<number>();

  constructor(options: WindowResultsOptions) {
    const { graph, index, conserves } = options;
    const { operator } = conserves.windows;
    const vertex = graph.vertices.find(({ operators }) => operators.some(({ uid }) => uid === operator));
    const spec = vertex?.operators.find(({ uid }) => uid === operator);
    assert(vertex !== undefined && spec?.kind === 'window', 'an audit names a window operator', { operator });
    this.#options = options;
    this.#window = spec.window;
    this.#maxParallelism = vertex.maxParallelism;
    this.#records = new WindowedRecords({ graph, index, window: spec.window, idOf: conserves.input });
  }

  /** Results whose place another has taken. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Entries of memory; bounded by the input. */
  get remembered(): number {
    return this.#byKey.size + this.#restored.size;
  }

  restored(checkpointId: number): void {
    this.#restored.delete(checkpointId);
    this.#restored.add(checkpointId);
    // What had fired before an old one has fired before the newer ones that are left.
    forgetOldest(this.#restored, EPISODES_KEPT);
  }

  /** An output value accounts for `ids`; those of them that no earlier result of its window does. */
  news(value: unknown, ids: readonly string[], at: number): readonly string[] {
    const shown = this.#options.conserves.windows.of(value);
    if (shown === undefined) {
      this.#late(ids, at);
      return ids;
    }
    const result = { from: shown.startMs * 1_000, to: shown.endMs * 1_000, records: counted(ids), at };
    const stray = ids.find((id) => !this.#records.isOf(id, result));
    if (stray !== undefined) {
      this.#options.findings.violated('window-misplaced', [at], () => `${stray} is in ${said(shown)}`);
    }
    const left = new Map(result.records);
    const known = this.#byKey.get(String(shown.key)) ?? [];
    const stay = known.filter((earlier) => !this.#takesPlace(shown, result, earlier, left));
    this.#byKey.set(String(shown.key), [...stay, result]);
    for (const earlier of known) if (!stay.includes(earlier)) this.#judgeFiring(shown, earlier, left, at);
    this.#replaced += known.length - stay.length;
    const news = [...left].flatMap(([id, count]) => Array.from({ length: count }, () => id));
    if (news.length === 0)
      this.#options.findings.violated('window-repeated', [at], () => `${said(shown)} holds nothing that is new`);
    return news;
  }

  /** What is new has come behind the earlier result, so event time had passed the window by then. */
  #judgeFiring(shown: ShownWindow, earlier: Result, news: ReadonlyMap<string, number>, at: number): void {
    for (const [id, count] of news) {
      if (count === 0 || this.#records.mayMiss(id, earlier, earlier.to - 1)) continue;
      this.#options.findings.violated(
        'window-fired-early',
        [earlier.at, at],
        () => `${said(shown)} was shown before ${id} was in it, which comes before event time can have passed its end`,
      );
    }
  }

  /** Whether a result takes the place of an earlier one; then what that holds is taken out of `left`. */
  #takesPlace(shown: ShownWindow, result: Result, earlier: Result, left: Map<string, number>): boolean {
    if (!this.#concerns(result, earlier)) return false;
    const covers = result.from <= earlier.from && earlier.to <= result.to;
    const lacking = [...earlier.records].find(([id, count]) => (left.get(id) ?? 0) < count);
    if (lacking === undefined && covers) {
      takeOut(left, earlier.records);
      return true;
    }
    // I1.
    if (this.#mayBeginAnew(shown, result, earlier)) return false;
    this.#options.findings.violated('window-shrunk', [earlier.at, result.at], () => {
      const what = lacking === undefined ? 'does not cover' : `lacks ${lacking[0]}, which is in`;
      return `${said(shown)} ${what} its earlier result from ${String(earlier.from)} to ${String(earlier.to)} us`;
    });
    takeOut(left, earlier.records);
    return true;
  }

  /** Sessions that share an instant are one, as long as the earlier one is there. */
  #concerns(result: Span, earlier: Span): boolean {
    if (this.#window.assigner.kind === 'session') return shareAnInstant(earlier, result);
    return earlier.from === result.from && earlier.to === result.to;
  }

  #mayBeginAnew({ key }: ShownWindow, result: Result, earlier: Result): boolean {
    const forgottenUs = this.#records.forgottenUs(earlier);
    // A session that ends later than the forgotten one it reaches into.
    const isAnother = this.#window.assigner.kind === 'session' && result.to > earlier.to;
    if (isAnother && [...result.records.keys()].every((id) => this.#records.mayMiss(id, earlier, forgottenUs)))
      return true;
    const { fired, conserves } = this.#options;
    const { operator } = conserves.windows;
    const timer = {
      timestampUs: forgottenUs,
      keyGroup: keyGroupOf(key, this.#maxParallelism),
      key,
      namespace: nameOf(earlier),
    };
    return [...this.#restored].some((checkpointId) => fired.before(checkpointId)(operator, timer));
  }

  #late(ids: readonly string[], at: number): void {
    const early = ids.find((id) => !this.#records.mayBeLate(id));
    if (early === undefined) return;
    this.#options.findings.violated(
      'late-too-early',
      [at],
      () => `${early} is told of as late; the records before it in its partition do not let event time pass its window`,
    );
  }
}

const said = ({ key, startMs, endMs }: ShownWindow): string =>
  `the window of ${String(key)} from ${String(startMs)} to ${String(endMs)} ms`;

function counted(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

/** As far as it is there. */
function takeOut(from: Map<string, number>, records: ReadonlyMap<string, number>): void {
  for (const [id, count] of records) from.set(id, Math.max(0, (from.get(id) ?? 0) - count));
}
