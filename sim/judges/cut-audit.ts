/**
 * Compares the keyed state of a checkpoint with the reference at the checkpoint's cut.
 *
 * Owns one reference run that follows the cuts of a life. Called by the judges of cuts and of final state.
 *
 * I1: equal sums of entry hashes mean equal state; only when sums differ is the exact difference sought.
 * I2: the hash of an entry covers state name, key group, key and value, so state in a wrong key group is a difference.
 */
import { javaStringHash } from '../../engine/foundation/stable-hash.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import type { KeyGroupRange } from '../../engine/job/key-groups.ts';
import type { FiredTimers } from '../../engine/protocol/engine-events.ts';
import type { CheckpointContents, KeyedPiece } from './checkpoint-reader.ts';
import { cutChannelText } from './cut-channel.ts';
import type { HasFired } from './fired-timers.ts';
import type { LeftOut, LostRecords } from './lost-records.ts';
import { foldInFlight, inFlightBehindCut } from './in-flight-audit.ts';
import type { JobAudit } from './job-audit.ts';
import { compareOperatorState, differenceOfContents } from './operator-state-audit.ts';
import { attempt, type Readable } from './readable.ts';
import type { ReferenceJob } from './reference-job.ts';
import type { ReferenceCourse } from './reference-course.ts';
import { type Cut, type InputIndex, ReferenceRun } from './reference-run.ts';
import { entrySalt, type ReferenceOperatorState, type StateEntry } from './reference-state.ts';
import { locateKeyedStateEntries, readKeyedStateEntries } from './state-decoders.ts';
import { type DifferenceQuestion, explainDifference, type StateDifference } from './state-difference.ts';
import { HashSum, TermHash } from './value-hash.ts';
import type { Course, RunHistory, Station } from './run-history.ts';

export interface CutAuditOptions {
  readonly graph: JobGraph;
  readonly audit: Pick<JobAudit, 'mergeOperatorState'>;
  readonly index: InputIndex;
  readonly along: ReferenceCourse;
  /** Present where somebody operates the job: it may be upgraded, or drained and started again. */
  readonly history?: RunHistory | undefined;
  /** Present where records may be lost by design. */
  readonly leftOut?: LeftOut | undefined;
}

/** The difference, and the channel it came by. */
function located(question: DifferenceQuestion, contents: CheckpointContents): StateDifference {
  const { at, ...difference } = explainDifference(question);
  if (at === undefined) return difference;
  return { ...difference, message: `${difference.message}${cutChannelText(question.graph, contents, at)}` };
}

const NOTHING = new HashSum();
const WITHOUT_STATIONS: Pick<Course, 'stations'> = { stations: [] };

/** Whether a checkpoint must hold state of a key group; undefined: of all. */
function countedIn(ended: readonly KeyGroupRange[] | undefined): ((keyGroup: number) => boolean) | undefined {
  if (ended === undefined) return undefined;
  return (keyGroup: number): boolean => !ended.some(({ start, end }) => keyGroup >= start && keyGroup <= end);
}

export class CutAudit {
  readonly #options: CutAuditOptions;
  readonly #term = new TermHash();
  #run: ReferenceRun;
  /** What the run has come through. */
  #stations: readonly Station[] | undefined;
  /** What it was fed without. */
  #lost: LostRecords | undefined;

  constructor(options: CutAuditOptions) {
    this.#options = options;
    this.#run = new ReferenceRun(options.graph, options.index);
    this.#stations = options.history?.of(0).stations;
  }

  /** The first operator's difference; undefined when all state is as the reference says; unreadable with the reason. */
  compare(contents: CheckpointContents): Readable<StateDifference | undefined> {
    const found = this.#sums(contents.keyed);
    if (found.kind === 'unreadable') return found;
    const stray = this.#strayPosition(contents.cut);
    if (stray !== undefined) return { kind: 'unreadable', reason: stray };
    this.#follow(contents);
    this.#run.advance(contents.cut);
    const hasFired = this.#firedBefore(contents.id);
    this.#run.fireTimers(hasFired);
    const expected = this.#run.job.keyedStates;
    if (contents.inFlight.length > 0) return this.#compareInFlight(contents, expected, hasFired);
    const operators = new Set([...expected.keys(), ...found.value.keys()]);
    for (const operator of operators) {
      const sum = found.value.get(operator) ?? NOTHING;
      const isCounted = countedIn(contents.ended.get(operator));
      const reference = expected.get(operator);
      const due = isCounted === undefined ? reference?.sum() : reference?.sumWhere(isCounted);
      if (sum.equals(due ?? NOTHING)) continue;
      const entries = this.#entries(contents.keyed, operator);
      const question = { ...this.#questionOf(contents), operator, found: entries, isCounted, hasFired };
      return { kind: 'read', value: located(question, contents) };
    }
    return this.#compareOperators(contents, this.#run.job);
  }

  /** A source may write any number; one that is no place in its partition is nothing that the reference can be fed up to. */
  #strayPosition(cut: Cut): string | undefined {
    const { input } = this.#options.index;
    const slot = input.findIndex(({ values }, at) => (cut[at] ?? 0) < 0 || (cut[at] ?? 0) > values.length);
    const { topic, partition, values } = input[slot] ?? {};
    if (values === undefined) return undefined;
    return `position ${String(cut[slot])} of topic ${topic}, partition ${String(partition)}, which has ${String(values.length)} records`;
  }

  /** A run that can come to the checkpoint's cut, through what its state came through. */
  #follow({ id, cut }: CheckpointContents): void {
    const { graph, index, history, along, leftOut } = this.#options;
    const course = history?.of(id);
    const lost = leftOut?.before(id);
    if (course?.stations === this.#stations && lost === this.#lost && this.#run.canReach(cut)) return;
    this.#stations = course?.stations;
    this.#lost = lost;
    this.#run = course === undefined ? new ReferenceRun(graph, index, { lost }) : along.follow(course, { lost });
  }

  #firedBefore(id: number): HasFired | undefined {
    const { along, history } = this.#options;
    return along.firedBefore(id, history?.of(id) ?? WITHOUT_STATIONS);
  }

  #questionOf({ id, cut }: CheckpointContents): Pick<DifferenceQuestion, 'graph' | 'index' | 'cut' | 'behind'> {
    const { graph, index, history } = this.#options;
    const isPlain = (this.#stations ?? []).length === 0 && this.#lost === undefined;
    const behind = isPlain ? {} : { behind: this.#run.job };
    if (history === undefined) return { graph, index, cut, ...behind };
    const { version } = history.of(id);
    return { graph: history.versionOf(version).graph, index, cut, ...behind };
  }

  /** Row B25: an operator whose event time is ahead of what it can have read; undefined: none. After `compare`. */
  watermarkAhead(contents: CheckpointContents, reported: readonly FiredTimers[]): string | undefined {
    const { input } = this.#options.index;
    const hasEnded = (partition: number): boolean =>
      input.some((known, slot) => {
        return known.partition === partition && known.bounded && contents.cut[slot] === known.values.length;
      });
    for (const { operator, watermarkUs, firing } of reported) {
      const furthest = this.#run.job.furthestWatermark(operator, hasEnded);
      const atUs = Math.max(watermarkUs, firing?.timestampUs ?? watermarkUs);
      if (atUs <= furthest) continue;
      return `operator ${operator} has fired its timers up to ${String(atUs)} us, but the records before the cut allow a watermark of ${String(furthest)} us at most`;
    }
    return undefined;
  }

  /** Row B5: with what was under way the state is that of all records before the cut. */
  #compareInFlight(
    contents: CheckpointContents,
    expected: ReadonlyMap<string, ReferenceOperatorState>,
    hasFired: HasFired | undefined,
  ): Readable<StateDifference | undefined> {
    const { index } = this.#options;
    const { graph } = this.#questionOf(contents);
    const stray = inFlightBehindCut({ graph, index }, contents);
    if (stray !== undefined) return { kind: 'read', value: { kind: 'holds-too-much', message: stray } };
    const folded = foldInFlight(graph, contents);
    if (folded.kind === 'unreadable') return folded;
    for (const [operator, state] of folded.value.keyedStates) {
      const isCounted = countedIn(contents.ended.get(operator));
      const reference = expected.get(operator);
      const due = isCounted === undefined ? reference?.sum() : reference?.sumWhere(isCounted);
      if (state.sum().equals(due ?? NOTHING)) continue;
      const question = { ...this.#questionOf(contents), operator, found: state.entries(), isCounted, hasFired };
      return { kind: 'read', value: located(question, contents) };
    }
    return this.#compareFoldedOperators(contents, folded.value);
  }

  #compareOperators(contents: CheckpointContents, job: ReferenceJob): Readable<StateDifference | undefined> {
    return compareOperatorState({
      pieces: contents.operatorState,
      hasEnded: (operator) => contents.ended.has(operator),
      expected: job.operatorStates,
      merge: this.#options.audit.mergeOperatorState,
    });
  }

  /** What it comes to when the records under way have run on, against what the reference holds; both are one subtask. */
  #compareFoldedOperators({ ended }: CheckpointContents, folded: ReferenceJob): Readable<StateDifference | undefined> {
    for (const [uid, state] of folded.operatorStates) {
      const found = state.contents();
      const due = this.#run.job.operatorStates.get(uid)?.contents() ?? new Map<string, readonly unknown[]>();
      for (const descriptor of state.descriptors) {
        const { name } = descriptor;
        const difference = differenceOfContents(
          {
            uid,
            descriptor,
            due: due.get(name) ?? [],
            hasEnded: ended.has(uid),
            merge: this.#options.audit.mergeOperatorState?.[uid]?.[name],
          },
          found,
        );
        if (difference !== undefined) return { kind: 'read', value: difference };
      }
    }
    return { kind: 'read', value: undefined };
  }

  #sums(pieces: readonly KeyedPiece[]): Readable<ReadonlyMap<string, HashSum>> {
    const sums = new Map<string, HashSum>();
    const term = this.#term;
    let lastName = '';
    let nameHash = javaStringHash('');
    for (const { operator, bytes, keyGroups } of pieces) {
      const sum = sums.get(operator) ?? new HashSum();
      sums.set(operator, sum);
      let strays = 0;
      const read = attempt(`keyed state of ${operator}`, () =>
        locateKeyedStateEntries(bytes, (name, keyGroup, place) => {
          if (name !== lastName) {
            lastName = name;
            nameHash = javaStringHash(name);
          }
          if (keyGroup < keyGroups.start || keyGroup > keyGroups.end) strays += 1;
          sum.add(term.ofEntryAt(entrySalt(nameHash, keyGroup), bytes, place));
        }),
      );
      if (read.kind === 'unreadable') return read;
      if (strays > 0) {
        return {
          kind: 'unreadable',
          reason: `keyed state of ${operator} holds ${String(strays)} entries outside its key groups`,
        };
      }
    }
    return { kind: 'read', value: sums };
  }

  #entries(pieces: readonly KeyedPiece[], operator: string): StateEntry[] {
    const entries: StateEntry[] = [];
    for (const piece of pieces) {
      if (piece.operator !== operator) continue;
      readKeyedStateEntries(piece.bytes, (state, keyGroup, key, value) => {
        entries.push({ state, keyGroup, key: key.slice(), value: value.slice() });
      });
    }
    return entries;
  }
}
