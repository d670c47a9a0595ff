/**
 * Of which jobs it can be said what they come to without some of their records, when those are lost by design: given up with in-flight data
 * (row X26, decision 0121), or missed by subtasks that restart without their producers (row F1, decision 0123). Pure.
 */
import type { JobGraph, JobVertex } from '../../engine/job/job-graph.ts';
import { allMayOvertake } from './checkpoint-kind.ts';
import type { JobAudit } from './job-audit.ts';

/** Operators that make the same of a record whatever came before it. */
const STATELESS: ReadonlySet<string> = new Set(['map', 'filter', 'flat-map']);

/**
 * Why it cannot be said what such a job comes to without its in-flight data; undefined: it can. What is left out must be the same records,
 * with the same values, in whatever order the others came: only then is it for the reference what it was for the job.
 */
export function whyNotGivenUp(graph: JobGraph, audit: Pick<JobAudit, JudgedBy>): string | undefined {
  return whyNotLeftOut(graph, audit, (vertex) => allMayOvertake(graph.edges, vertex));
}

/** The same where subtasks may miss records on any edge, each by itself (row F1). */
export function whyNotMissed(graph: JobGraph, audit: Pick<JobAudit, JudgedBy>): string | undefined {
  if (graph.edges.some(({ partitioning }) => partitioning === 'broadcast'))
    return 'of a record that goes to all subtasks some may have theirs, and others not';
  if (graph.edges.some(({ sinkInternal }) => sinkInternal === true))
    return 'what its sink has to commit may be lost on the way to who commits it';
  return whyNotLeftOut(graph, audit, () => true);
}

function whyNotLeftOut(
  graph: JobGraph,
  audit: Pick<JobAudit, JudgedBy>,
  mayLose: (consumer: number) => boolean,
): string | undefined {
  const operators = graph.vertices.flatMap((vertex) => vertex.operators);
  for (const operator of operators) {
    if (operator.kind !== 'sink') continue;
    const { guarantee, upsert } = operator.sink;
    if (guarantee === 'exactly-once' && upsert === undefined) continue;
    return `its sink '${operator.uid}' shows output before a checkpoint covers it, of records that a restore may do without then`;
  }
  if (audit.conserves !== undefined || audit.expires !== undefined || !audit.stateIsOrderInsensitive)
    return 'its result depends on when and in what order records come';
  if (graph.usesEventTime === true) return 'it has event time, which what is left out has moved on';
  const stateful = audit.sendsOnWhatCame === true ? undefined : statefulBeforeExchange(graph, mayLose);
  if (stateful === undefined) return undefined;
  return `what ${stateful} sends over an exchange depends on the order in which records came to it`;
}

type JudgedBy = 'conserves' | 'expires' | 'sendsOnWhatCame' | 'stateIsOrderInsensitive';

/** Name of a vertex that keeps state and has an exchange behind it on which records may be lost. */
function statefulBeforeExchange(
  { vertices, edges }: JobGraph,
  mayLose: (consumer: number) => boolean,
): string | undefined {
  const stateOf = new Map<number, string>();
  for (const vertex of vertices) {
    const into = edges.filter(({ to }) => to === vertex.index);
    const before = into.map(({ from }) => stateOf.get(from)).find((name) => name !== undefined);
    if (before !== undefined && mayLose(vertex.index)) return before;
    const name = before ?? (keepsState(vertex) ? vertex.name : undefined);
    if (name !== undefined) stateOf.set(vertex.index, name);
  }
  return undefined;
}

const keepsState = ({ operators }: JobVertex): boolean => operators.some(({ kind }) => !STATELESS.has(kind));
