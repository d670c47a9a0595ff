/**
 * What readers of each sink must see in the end, from one fold of the reference over the whole input.
 *
 * Owns the expected lineages and the sum of the expected values' hashes. Made once per job and input; lives that differ
 * only in their seed share it. Called by the output judge.
 *
 * I1: counts are by lineage: in a typed array for records derived one to one, in a map for the others.
 */
import { type Lineage, LINEAGE_PATH_UNIT, type RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { LostRecords } from './lost-records.ts';
import type { JobAudit } from './job-audit.ts';
import type { BegunAnew, ReferenceCourse } from './reference-course.ts';
import type { OnOutput } from './reference-job.ts';
import type { InputIndex } from './reference-run.ts';
import type { CurrentCourse, JobVersions } from './run-history.ts';
import { HashSum, TermHash } from './value-hash.ts';

/** How often each lineage occurs. */
export class LineageCounts {
  readonly #direct: Uint8Array;
  readonly #derived = new Map<Lineage, number>();

  constructor(sourceCount: number) {
    this.#direct = new Uint8Array(sourceCount);
  }

  of(lineage: Lineage): number {
    if (lineage >= 0 && lineage < LINEAGE_PATH_UNIT) return this.#direct[lineage] ?? 0;
    return this.#derived.get(lineage) ?? 0;
  }

  /** Returns the new count. */
  add(lineage: Lineage): number {
    if (lineage < 0 || lineage >= LINEAGE_PATH_UNIT) {
      const count = (this.#derived.get(lineage) ?? 0) + 1;
      this.#derived.set(lineage, count);
      return count;
    }
    const count = (this.#direct[lineage] ?? 0) + 1;
    // More than 255 copies of one record are as wrong as 255.
    if (count < 256) this.#direct[lineage] = count;
    return count;
  }

  /** Every lineage that occurs, with its count. */
  *[Symbol.iterator](): Generator<readonly [Lineage, number]> {
    for (let index = 0; index < this.#direct.length; index += 1) {
      const count = this.#direct[index] ?? 0;
      if (count > 0) yield [index, count];
    }
    yield* this.#derived;
  }
}

/** What one sink shows in the end. */
export interface ExpectedSink {
  readonly uid: string;
  readonly counts: LineageCounts;
  /** Records, derived ones included. */
  readonly total: number;
  /** Over the values; zero when values are not judged. */
  readonly sum: HashSum;
}

interface FoldedSink extends ExpectedSink {
  total: number;
}

export interface ExpectedOutputOptions {
  readonly versions: JobVersions;
  readonly audit: JobAudit;
  readonly index: InputIndex;
  readonly along: ReferenceCourse;
  readonly course: CurrentCourse;
  /** Where event time has begun anew, of a job with timers whose input does not end. */
  readonly begun?: BegunAnew | undefined;
  /** By design (rows X26, F1). */
  readonly lost?: LostRecords | undefined;
}

export class ExpectedOutput {
  readonly sinks: readonly ExpectedSink[];
  readonly #options: ExpectedOutputOptions;

  constructor(options: ExpectedOutputOptions) {
    this.#options = options;
    const { versions, audit, index } = options;
    const sinks = sinkUids(versions).map(
      (uid): FoldedSink => ({ uid, counts: new LineageCounts(index.sourceCount), total: 0, sum: new HashSum() }),
    );
    const byUid = new Map(sinks.map((sink) => [sink.uid, sink]));
    const judgesValues = audit.outputValues === 'multiset';
    const term = new TermHash();
    this.#fold((uid, value, lineage) => {
      const sink = byUid.get(uid);
      if (sink === undefined) return;
      sink.counts.add(lineage);
      sink.total += 1;
      if (judgesValues) sink.sum.add(term.ofValue(value));
    });
    this.sinks = sinks;
  }

  /** Records may follow what operators emit at the end: the job went on after it was drained. */
  get goesOnAfterFinish(): boolean {
    return this.#options.course.stations.some(({ isDrained }) => isDrained);
  }

  /** All values of one sink, folded again: only for an exact difference. */
  valuesOf(sinkUid: string): { readonly value: RecordValue; readonly lineage: Lineage }[] {
    const values: { readonly value: RecordValue; readonly lineage: Lineage }[] = [];
    this.#fold((uid, value, lineage) => {
      if (uid === sinkUid) values.push({ value, lineage });
    });
    return values;
  }

  #fold(onOutput: OnOutput): void {
    const { along, course, begun, lost } = this.#options;
    along.toTheEnd(course, { onOutput, begun, lost });
  }
}

/** Of all versions, each once. */
function sinkUids(versions: JobVersions): readonly string[] {
  const vertices = [...versions.values()].flatMap(({ graph }) => graph.vertices);
  const operators = vertices.flatMap((vertex) => vertex.operators);
  return [...new Set(operators.filter(({ kind }) => kind === 'sink').map(({ uid }) => uid))];
}
