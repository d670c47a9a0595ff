/**
 * What readers of each sink must see in the end, from one fold of the reference over the whole input.
 *
 * Owns the expected lineages and the sum of the expected values' hashes. Made once per job and input; lives that differ
 * only in their seed share it. Called by the output judge.
 *
 * I1: counts are by lineage: in a typed array for records derived one to one, in a map for the others.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { type Lineage, LINEAGE_PATH_UNIT, type RecordValue } from '../../engine/protocol/stream-elements.ts';
import type { JobAudit } from './job-audit.ts';
import { type Cut, type InputIndex, ReferenceRun } from './reference-run.ts';
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

/**
 * A job that was drained (row C28): its operators did their last work at this cut, and do it once. `endsAt`: no record behind it counts;
 * absent: the job was started again from the savepoint it was drained with, and reads on.
 */
export interface Drained {
  readonly finishedAt: Cut;
  readonly endsAt?: Cut;
}

export interface ExpectedOutputOptions {
  readonly graph: JobGraph;
  readonly audit: JobAudit;
  readonly index: InputIndex;
  readonly drained?: Drained;
}

export class ExpectedOutput {
  readonly sinks: readonly ExpectedSink[];
  readonly #options: ExpectedOutputOptions;

  constructor(options: ExpectedOutputOptions) {
    this.#options = options;
    const { graph, audit, index } = options;
    const sinks = sinkUids(graph).map(
      (uid): FoldedSink => ({ uid, counts: new LineageCounts(index.sourceCount), total: 0, sum: new HashSum() }),
    );
    const byUid = new Map(sinks.map((sink) => [sink.uid, sink]));
    const judgesValues = audit.outputValues === 'multiset';
    const term = new TermHash();
    const run = new ReferenceRun(graph, index, (uid, value, lineage) => {
      const sink = byUid.get(uid);
      if (sink === undefined) return;
      sink.counts.add(lineage);
      sink.total += 1;
      if (judgesValues) sink.sum.add(term.ofValue(value));
    });
    this.#fold(run);
    this.sinks = sinks;
  }

  /** Records may follow what operators emit at the end: the job went on after it was drained. */
  get goesOnAfterFinish(): boolean {
    const { drained } = this.#options;
    return drained !== undefined && drained.endsAt !== drained.finishedAt;
  }

  /** All values of one sink, folded again: only for an exact difference. */
  valuesOf(sinkUid: string): { readonly value: RecordValue; readonly lineage: Lineage }[] {
    const { graph, index } = this.#options;
    const values: { readonly value: RecordValue; readonly lineage: Lineage }[] = [];
    const run = new ReferenceRun(graph, index, (uid, value, lineage) => {
      if (uid === sinkUid) values.push({ value, lineage });
    });
    this.#fold(run);
    return values;
  }

  #fold(run: ReferenceRun): void {
    const { index, drained } = this.#options;
    if (drained === undefined) {
      run.advance(index.end());
      return run.finish();
    }
    run.advance(drained.finishedAt);
    run.finish('all');
    run.advance(drained.endsAt ?? index.end());
  }
}

function sinkUids(graph: JobGraph): string[] {
  return graph.vertices.flatMap(({ operators }) =>
    operators.filter(({ kind }) => kind === 'sink').map(({ uid }) => uid),
  );
}
