/**
 * Explains a mismatch between the keyed state of a checkpoint and the reference: which entry differs, and which records, left
 * out, taken in too early or counted twice, would give what was found.
 *
 * Owns the search among hypotheses. Called once per life, after sums differed, so it may fold the reference many times; a
 * budget bounds it.
 *
 * I1: an explanation is proven: the reference, fed so, gives exactly the bytes that were found.
 */
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { Lineage } from '../../engine/protocol/stream-elements.ts';
import type { HasFired } from './fired-timers.ts';
import { ReferenceJob } from './reference-job.ts';
import type { Cut, InputIndex } from './reference-run.ts';
import { ReferenceRun } from './reference-run.ts';
import type { ReferenceOperatorState, StateEntry } from './reference-state.ts';

/** The state that differs, and the record that explains it; undefined: none does. */
export interface DifferingState {
  readonly operator: string;
  readonly keyGroup: number;
  readonly lineage: Lineage | undefined;
  /** Of the record. */
  readonly partition?: number | undefined;
}

export interface StateDifference {
  /** What would explain it; `other` when nothing tried does. */
  readonly kind: 'misses' | 'holds-too-much' | 'twice' | 'other';
  /** Names operator, key, expected and found, and the records. */
  readonly message: string;
  /** Of keyed state: where it differs. */
  readonly at?: DifferingState;
}

export interface DifferenceQuestion {
  readonly graph: JobGraph;
  readonly index: InputIndex;
  readonly cut: Cut;
  readonly operator: string;
  /** What the checkpoint holds for the operator. */
  readonly found: readonly StateEntry[];
  /** Whether state of a key group must be there; undefined: of all. */
  readonly isCounted?: ((keyGroup: number) => boolean) | undefined;
  /** Which timers have fired before the cut; absent: there are none. */
  readonly hasFired?: HasFired | undefined;
  /** The reference at the cut where the job was upgraded or drained before, or gave in-flight data up: which records would explain the difference is not looked for then. */
  readonly behind?: ReferenceJob | undefined;
}

interface RecordPosition {
  readonly slot: number;
  readonly offset: number;
}

/** The entry that differs first. */
interface Suspect {
  readonly state: string;
  readonly keyGroup: number;
  readonly key: Uint8Array;
  readonly expected: Uint8Array | undefined;
  readonly found: Uint8Array | undefined;
  /** How often the checkpoint holds it. */
  readonly copies: number;
}

interface Hypothesis {
  readonly kind: 'misses' | 'holds-too-much' | 'twice';
  /** What is left out or added. */
  readonly records: readonly RecordPosition[];
  /** What to feed. */
  readonly fed: readonly RecordPosition[];
}

/** Records fed over all hypotheses together, and keys they use: a broadcast element may use all that there are. */
const FEED_BUDGET = 200_000;

export function explainDifference(question: DifferenceQuestion): StateDifference {
  const operator = (question.behind ?? referenceAt(question)).keyedStates.get(question.operator);
  if (operator === undefined) {
    return {
      kind: 'other',
      message: `it holds keyed state of ${question.operator}, which is no keyed operator of the job`,
    };
  }
  const { isCounted } = question;
  const due = operator.entries().filter(({ keyGroup }) => isCounted?.(keyGroup) ?? true);
  const suspect = firstSuspect(due, question.found);
  if (suspect === undefined)
    return { kind: 'other', message: `state of ${question.operator} lies in wrong key groups` };
  const isKnown = suspect.copies > 1 || question.behind !== undefined;
  const explanation = isKnown ? undefined : explain(question, suspect);
  const sentence = [
    `operator ${question.operator}, state ${suspect.state}, key ${operator.showKey(suspect.key)}:`,
    `expected ${operator.showValue(suspect.state, suspect.expected)},`,
    `found ${operator.showValue(suspect.state, suspect.found)}${suspect.copies > 1 ? ` (${String(suspect.copies)} times)` : ''}`,
    sayRecords(question.index, explanation),
  ];
  const [first] = explanation?.records ?? [];
  const read = first && question.index.input[first.slot];
  const lineage = first && read?.sourceIndices[first.offset];
  const at = { operator: question.operator, keyGroup: suspect.keyGroup, lineage, partition: read?.partition };
  return { kind: explanation?.kind ?? 'other', message: sentence.join(' ').trim(), at };
}

function referenceAt({ graph, index, cut, hasFired }: DifferenceQuestion): ReferenceJob {
  const run = new ReferenceRun(graph, index);
  run.advance(cut);
  fireTimers(run.job, hasFired);
  return run.job;
}

function sayRecords(index: InputIndex, hypothesis: Hypothesis | undefined): string {
  const [first] = hypothesis?.records ?? [];
  if (hypothesis === undefined || first === undefined) return '';
  const record = index.describe(index.input[first.slot]?.sourceIndices[first.offset] ?? -1);
  const more = hypothesis.records.length > 1 ? ` and ${String(hypothesis.records.length - 1)} more` : '';
  const verb = { misses: 'without', 'holds-too-much': 'with the later', twice: 'counting twice' }[hypothesis.kind];
  return `- as if computed ${verb} ${record}${more}`;
}

function firstSuspect(expected: readonly StateEntry[], found: readonly StateEntry[]): Suspect | undefined {
  const foundById = new Map<string, StateEntry[]>();
  for (const entry of found) {
    const id = entryId(entry.state, entry.key);
    const same = foundById.get(id);
    if (same === undefined) foundById.set(id, [entry]);
    else same.push(entry);
  }
  const expectedIds = new Set<string>();
  for (const { state, keyGroup, key, value } of expected) {
    const id = entryId(state, key);
    expectedIds.add(id);
    const same = foundById.get(id) ?? [];
    const bytes = same.find((entry) => !sameBytes(entry.value, value))?.value ?? same[0]?.value;
    if (same.length === 1 && sameBytes(bytes, value)) continue;
    return { state, keyGroup, key, expected: value, found: bytes, copies: same.length };
  }
  for (const { state, keyGroup, key, value } of found) {
    if (expectedIds.has(entryId(state, key))) continue;
    return { state, keyGroup, key, expected: undefined, found: value, copies: 1 };
  }
  return undefined;
}

/** The first hypothesis that gives the bytes that were found (I1). */
function explain(question: DifferenceQuestion, suspect: Suspect): Hypothesis | undefined {
  const touching = recordsTouching(question, suspect);
  if (!sameBytes(bytesAfter(question, suspect, touching.before).bytes, suspect.expected)) return undefined;
  let budget = FEED_BUDGET;
  for (const hypothesis of hypotheses(touching.before, touching.after)) {
    budget -= hypothesis.fed.length + 1;
    if (budget < 0) return undefined;
    const { bytes, keysUsed } = bytesAfter(question, suspect, hypothesis.fed);
    if (sameBytes(bytes, suspect.found)) return hypothesis;
    budget -= Math.max(0, keysUsed - hypothesis.fed.length);
  }
  return undefined;
}

function* hypotheses(before: readonly RecordPosition[], after: readonly RecordPosition[]): Generator<Hypothesis> {
  for (const record of before) {
    yield { kind: 'misses', records: [record], fed: before.filter((other) => other !== record) };
  }
  for (const slot of slotsOf(after)) {
    const later = after.filter((record) => record.slot === slot);
    for (let count = 1; count <= later.length; count += 1) {
      const records = later.slice(0, count);
      yield { kind: 'holds-too-much', records, fed: [...before, ...records] };
    }
  }
  for (const record of before) yield { kind: 'twice', records: [record], fed: [...before, record] };
  for (const record of after) yield { kind: 'holds-too-much', records: [record], fed: [...before, record] };
  for (const slot of slotsOf(before)) {
    const own = before.filter((record) => record.slot === slot);
    for (let count = 2; count <= own.length; count += 1) {
      const tail = own.slice(-count);
      yield { kind: 'misses', records: tail, fed: before.filter((record) => !tail.includes(record)) };
      yield { kind: 'twice', records: tail, fed: [...before, ...tail] };
    }
  }
  if (before.length > 0) yield { kind: 'misses', records: before, fed: [] };
  if (before.length > 0) yield { kind: 'twice', records: before, fed: [...before, ...before] };
  // Of several partitions. A count is the same whichever they are: one choice of each number first, for there may be more than can be tried.
  const bySlot = (some: readonly RecordPosition[]): readonly RecordPosition[][] =>
    slotsOf(some).map((slot) => some.filter((record) => record.slot === slot));
  const [earlier, later] = [bySlot(before), bySlot(after)];
  for (let total = 2; total <= after.length; total += 1) {
    const [records = []] = firstOfSeveral(later, total);
    yield { kind: 'holds-too-much', records, fed: [...before, ...records] };
  }
  for (let total = 2; total <= before.length; total += 1) {
    const [records = []] = firstOfSeveral(earlier, total);
    yield { kind: 'twice', records, fed: [...before, ...records] };
  }
  for (let total = 2; total <= after.length; total += 1)
    for (const records of firstOfSeveral(later, total))
      yield { kind: 'holds-too-much', records, fed: [...before, ...records] };
}

/**
 * So many records in all, the first ones of each list: what a subtask has taken in behind some of its barriers when the last one comes, where it
 * does not align them.
 */
function* firstOfSeveral(
  [list, ...others]: readonly (readonly RecordPosition[])[],
  total: number,
): Generator<readonly RecordPosition[]> {
  if (list === undefined) return void (total === 0 ? yield [] : undefined);
  for (let count = Math.min(total, list.length); count >= 0; count -= 1)
    for (const rest of firstOfSeveral(others, total - count)) yield [...list.slice(0, count), ...rest];
}

/** Records that use the suspect's key, before and after the cut, by partition and offset. */
function recordsTouching(
  { graph, index, cut, operator }: DifferenceQuestion,
  suspect: Suspect,
): { readonly before: readonly RecordPosition[]; readonly after: readonly RecordPosition[] } {
  const job = new ReferenceJob(graph);
  const state = job.keyedStates.get(operator);
  let touched = false;
  state?.watchKeys((key) => {
    if (sameBytes(state.keyBytesOf(key), suspect.key)) touched = true;
  });
  const before: RecordPosition[] = [];
  const after: RecordPosition[] = [];
  const feed = (slot: number, offset: number, into: RecordPosition[]): void => {
    touched = false;
    feedRecord(job, index, { slot, offset });
    if (touched) into.push({ slot, offset });
  };
  index.input.forEach((_, slot) => {
    for (let offset = 0; offset < (cut[slot] ?? 0); offset += 1) feed(slot, offset, before);
  });
  index.input.forEach(({ values }, slot) => {
    for (let offset = cut[slot] ?? 0; offset < values.length; offset += 1) feed(slot, offset, after);
  });
  return { before, after };
}

function bytesAfter(
  { graph, index, operator, hasFired }: DifferenceQuestion,
  suspect: Suspect,
  records: readonly RecordPosition[],
): { readonly bytes: Uint8Array | undefined; readonly keysUsed: number } {
  const job = new ReferenceJob(graph);
  const state: ReferenceOperatorState | undefined = job.keyedStates.get(operator);
  let keysUsed = 0;
  state?.watchKeys(() => {
    keysUsed += 1;
  });
  for (const record of records) feedRecord(job, index, record);
  fireTimers(job, hasFired);
  const isSuspect = (entry: StateEntry): boolean => entry.state === suspect.state && sameBytes(entry.key, suspect.key);
  return { bytes: state?.entries().find(isSuspect)?.value, keysUsed };
}

function feedRecord(job: ReferenceJob, index: InputIndex, { slot, offset }: RecordPosition): void {
  const partition = index.input[slot];
  if (partition === undefined) return;
  job.feed(partition.partition, {
    value: partition.values[offset],
    timestampUs: partition.timestampsUs[offset] ?? 0,
    lineage: partition.sourceIndices[offset] ?? 0,
  });
}

function fireTimers(job: ReferenceJob, hasFired: HasFired | undefined): void {
  if (hasFired !== undefined) job.fireTimers(hasFired);
}

function slotsOf(records: readonly RecordPosition[]): readonly number[] {
  return [...new Set(records.map(({ slot }) => slot))];
}

const entryId = (state: string, key: Uint8Array): string => `${state}/${key.join()}`;

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
