/**
 * Where event time has begun anew: tasks that are restored know no watermark (row B22, decision 0049), and only what they read since makes one.
 *
 * Of input that does not end this decides which timers have fired in the end: a partition with nothing left to read holds event time back for
 * ever, as in Flink. Owns, for each part of the job that is restored by itself, the snapshot it was restored from last.
 *
 * I1: vertices that are connected are restored together (pipelined regions), so their event time begins anew together.
 */
import { assert } from '../../engine/foundation/assert.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { HasFired } from './fired-timers.ts';
import type { BegunAnew } from './reference-course.ts';
import type { Cut, InputIndex } from './reference-run.ts';

export interface RestoredTimeOptions {
  readonly graph: JobGraph;
  readonly index: InputIndex;
  /** Of a snapshot that is restored just now; undefined: it cannot be read. */
  readonly cutOf: (checkpointId: number) => Cut | undefined;
}

interface Restored {
  readonly checkpointId: number;
  readonly cut: Cut;
}

export class RestoredTime {
  readonly kind = 'task-restored';
  readonly #options: RestoredTimeOptions;
  /** Of each vertex, the lowest index that it is connected with. */
  readonly #partOf: readonly number[];
  /** By part. */
  readonly #restored = new Map<number, Restored>();
  #hasMoved = false;

  constructor(options: RestoredTimeOptions) {
    this.#options = options;
    this.#partOf = connectedParts(options.graph);
  }

  observe({ event }: HistoryEvent): void {
    if (event.kind !== 'task-restored') return;
    const { checkpointId } = event;
    const part = this.#partOf[event.vertex];
    assert(part !== undefined, 'a task runs a vertex of the job', { vertex: event.vertex });
    if (this.#restored.get(part)?.checkpointId === checkpointId) return;
    const cut = this.#options.cutOf(checkpointId);
    if (cut === undefined) return;
    this.#restored.set(part, { checkpointId, cut: cut.slice() });
    this.#hasMoved = true;
  }

  /** Entries of memory: as many as there are parts. */
  get remembered(): number {
    return this.#restored.size;
  }

  /** Something was restored since this was asked last. */
  takeMoved(): boolean {
    const hasMoved = this.#hasMoved;
    this.#hasMoved = false;
    return hasMoved;
  }

  /** Undefined: nothing was restored. `firedBefore`: which timers have fired before a snapshot. */
  begun(firedBefore: (checkpointId: number) => HasFired): BegunAnew | undefined {
    if (this.#restored.size === 0) return undefined;
    const { index, graph } = this.#options;
    const cut = new Int32Array(index.input.length);
    const fired = new Map<string, HasFired>();
    for (const { index: vertex, source, operators } of graph.vertices) {
      const restored = this.#restored.get(this.#partOf[vertex] ?? -1);
      if (restored === undefined) continue;
      for (const partition of source?.partitions ?? []) {
        const slot = index.slotOf(partition);
        if (slot !== undefined) cut[slot] = restored.cut[slot] ?? 0;
      }
      const hasFired = firedBefore(restored.checkpointId);
      for (const { uid } of operators) fired.set(uid, hasFired);
    }
    return { cut, hasFired: (operator, timer) => fired.get(operator)?.(operator, timer) ?? false };
  }
}

/** Of each vertex, the lowest index that it is connected with. */
export function connectedParts({ vertices, edges }: JobGraph): readonly number[] {
  const parts = vertices.map(({ index }) => index);
  for (const { from, to } of edges) {
    const [a, b] = [parts[from] ?? from, parts[to] ?? to];
    const lowest = Math.min(a, b);
    for (let i = 0; i < parts.length; i += 1) if (parts[i] === a || parts[i] === b) parts[i] = lowest;
  }
  return parts;
}
