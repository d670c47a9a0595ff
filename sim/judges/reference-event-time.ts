/**
 * How far event time can have come in a job that has read so much: what watermarks are about, without any watermark.
 *
 * Owns the newest event time of each partition, and what follows from it for each vertex: the minimum over what feeds it, less the bound of
 * its strategy. Called by the reference, at the end of the input, and by the judge of cuts, for which it is an upper bound.
 *
 * I1: a partition that has ended and is bounded holds nobody back.
 * I2: what cannot be known from the input (a generator of the user's, idleness) is answered as `unknownUs`.
 */
import type { JobEdge, JobGraph, JobVertex } from '../../engine/job/job-graph.ts';
import type { WatermarkSpec } from '../../engine/job/watermarks.ts';
import { END_OF_TIME_US, START_OF_TIME_US } from '../../engine/protocol/stream-elements.ts';

export class ReferenceEventTime {
  readonly #graph: JobGraph;
  /** By partition, for sources; by uid, for operators within the graph. */
  readonly #newest = new Map<number | string, number>();

  constructor(graph: JobGraph) {
    this.#graph = graph;
  }

  /** A record of a partition, or at an operator, has this event time. */
  saw(where: number | string, timestampUs: number): void {
    const newest = this.#newest.get(where);
    if (newest === undefined || timestampUs > newest) this.#newest.set(where, timestampUs);
  }

  /** Watermark that each vertex reads, by its index; sources: what they begin with. */
  watermarks(hasEnded: (partition: number) => boolean, unknownUs: number): readonly number[] {
    const read: number[] = [];
    const written: number[] = [];
    for (const vertex of this.#graph.vertices) {
      const feeding = this.#graph.edges.filter(({ to }) => to === vertex.index);
      const us =
        vertex.source === undefined
          ? minimumOver(feeding, written)
          : this.#ofSource(vertex.source, hasEnded, unknownUs);
      read[vertex.index] = us;
      written[vertex.index] = this.#behind(vertex, us, unknownUs);
    }
    return read;
  }

  #ofSource(
    { partitions, watermarks }: NonNullable<JobVertex['source']>,
    hasEnded: (partition: number) => boolean,
    unknownUs: number,
  ): number {
    let minimum = END_OF_TIME_US;
    for (const partition of partitions) {
      if (hasEnded(partition)) continue;
      minimum = Math.min(minimum, this.#of(partition, watermarks, unknownUs));
    }
    return minimum;
  }

  /** A vertex may make its own watermarks; the end of time passes all the same. */
  #behind({ operators }: JobVertex, inputUs: number, unknownUs: number): number {
    let us = inputUs;
    for (const spec of operators) {
      if (spec.kind === 'watermarks' && us < END_OF_TIME_US) us = this.#of(spec.uid, spec.watermarks, unknownUs);
    }
    return us;
  }

  #of(where: number | string, spec: WatermarkSpec | undefined, unknownUs: number): number {
    if (spec === undefined) return START_OF_TIME_US;
    if (spec.outOfOrdernessUs === undefined || spec.idlenessUs !== undefined) return unknownUs;
    const newest = this.#newest.get(where);
    return newest === undefined ? START_OF_TIME_US : newest - spec.outOfOrdernessUs - 1;
  }
}

const minimumOver = (feeding: readonly JobEdge[], written: readonly number[]): number =>
  feeding.reduce((minimum, { from }) => Math.min(minimum, written[from] ?? START_OF_TIME_US), END_OF_TIME_US);
