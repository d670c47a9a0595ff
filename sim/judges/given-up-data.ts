/**
 * In-flight data that was given up: what lay in the channel state of one checkpoint, if that checkpoint was restored (row X26; Flink:
 * IgnoreInFlightDataITCase, decision 0121).
 *
 * The records are taken from the checkpoint's own files. The reference leaves each out on the edge on which it was under way, and nowhere
 * else: what was before the edge has seen it. So a record that was given up without having been under way is lost, and one that was under way
 * and came all the same is invented.
 *
 * Owns: which records, edge by edge, and behind which checkpoint. Shown each event before any judge, where the job is configured so.
 *
 * I1: nothing counts as given up before a subtask was restored from just that checkpoint, and of a job of several parts only what lay in
 *     the part that was;
 * I2: a snapshot that was triggered before that lacks nothing: ids rise in the order in which they are triggered (row C8).
 */
import type { JobGraph, JobVertex } from '../../engine/job/job-graph.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { allMayOvertake } from './checkpoint-kind.ts';
import type { CheckpointReader } from './checkpoint-reader.ts';
import type { JobAudit } from './job-audit.ts';
import type { LostRecords } from './lost-records.ts';
import { connectedParts } from './restored-time.ts';

export interface GivenUpDataOptions {
  readonly graph: JobGraph;
  readonly reader: Pick<CheckpointReader, 'retained' | 'contents'>;
  /** The checkpoint whose in-flight data a restore gives up. */
  readonly checkpointId: number;
  /** More was given up than before. */
  readonly changed: (lost: LostRecords) => void;
}

interface GivenUp {
  /** Highest id that had been triggered. */
  readonly behind: number;
  /** Of this part of the job and all that were restored before. */
  readonly lost: LostRecords;
}

export class GivenUpData {
  readonly #options: GivenUpDataOptions;
  readonly #partOf: readonly number[];
  readonly #parts = new Set<number>();
  /** One for each part, in the order in which they were restored. */
  readonly #givenUp: GivenUp[] = [];
  #triggered = 0;

  constructor(options: GivenUpDataOptions) {
    this.#options = options;
    this.#partOf = connectedParts(options.graph);
  }

  observe({ event }: HistoryEvent): void {
    if (event.kind === 'checkpoint-triggered') this.#triggered = Math.max(this.#triggered, event.checkpointId);
    if (event.kind !== 'task-restored' || event.checkpointId !== this.#options.checkpointId) return;
    const part = this.#partOf[event.vertex] ?? -1;
    if (!this.#parts.has(part)) this.#giveUp(part);
  }

  /** What the state of a checkpoint lacks, always the same object for the same; undefined: nothing. */
  before(checkpointId: number): LostRecords | undefined {
    return this.#givenUp.findLast(({ behind }) => behind < checkpointId)?.lost;
  }

  #giveUp(part: number): void {
    const { reader, checkpointId, graph, changed } = this.#options;
    const checkpoint = reader.retained().find(({ id }) => id === checkpointId);
    const contents = checkpoint && reader.contents(checkpoint);
    // Judges of checkpoints say what is wrong with it.
    if (contents?.kind !== 'read') return;
    this.#parts.add(part);
    const lost = new Map(this.#givenUp.at(-1)?.lost);
    for (const { edge, lineage } of contents.value.inFlight) {
      if (this.#partOf[graph.edges[edge]?.to ?? -1] !== part) continue;
      const onEdge = new Map(lost.get(edge));
      lost.set(edge, onEdge.set(lineage, (onEdge.get(lineage) ?? 0) + 1));
    }
    this.#givenUp.push({ behind: this.#triggered, lost });
    if (lost.size > 0) changed(lost);
  }
}

/** Operators that make the same of a record whatever came before it. */
const STATELESS: ReadonlySet<string> = new Set(['map', 'filter', 'flat-map']);

/**
 * Why it cannot be said what such a job comes to without its in-flight data; undefined: it can. What is left out must be the same records,
 * with the same values, in whatever order the others came: only then is it for the reference what it was for the job.
 */
export function whyNotGivenUp(graph: JobGraph, audit: Pick<JobAudit, JudgedBy>): string | undefined {
  const operators = graph.vertices.flatMap((vertex) => vertex.operators);
  for (const operator of operators) {
    if (operator.kind !== 'sink') continue;
    const { guarantee, upsert } = operator.sink;
    if (guarantee === 'exactly-once' && upsert === undefined) continue;
    return `its sink '${operator.uid}' shows output before a checkpoint covers it, of records that a restore may give up then`;
  }
  if (audit.conserves !== undefined || audit.expires !== undefined || !audit.stateIsOrderInsensitive)
    return 'its result depends on when and in what order records come';
  if (graph.usesEventTime === true) return 'it has event time, which what was given up has moved on';
  const stateful = audit.sendsOnWhatCame === true ? undefined : statefulBeforeExchange(graph);
  if (stateful === undefined) return undefined;
  return `what ${stateful} sends over an exchange depends on the order in which records came to it`;
}

type JudgedBy = 'conserves' | 'expires' | 'sendsOnWhatCame' | 'stateIsOrderInsensitive';

/** Name of a vertex that keeps state and has an exchange behind it that may carry in-flight data. */
function statefulBeforeExchange({ vertices, edges }: JobGraph): string | undefined {
  const stateOf = new Map<number, string>();
  for (const vertex of vertices) {
    const into = edges.filter(({ to }) => to === vertex.index);
    const before = into.map(({ from }) => stateOf.get(from)).find((name) => name !== undefined);
    if (before !== undefined && allMayOvertake(edges, vertex.index)) return before;
    const name = before ?? (keepsState(vertex) ? vertex.name : undefined);
    if (name !== undefined) stateOf.set(vertex.index, name);
  }
  return undefined;
}

const keepsState = ({ operators }: JobVertex): boolean => operators.some(({ kind }) => !STATELESS.has(kind));
