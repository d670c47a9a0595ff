/**
 * Restore audit: at the end of a life each retained checkpoint and each snapshot a client was told of is restored, and nothing is lost on
 * the way from live state over bytes to live state again. What its user may carry to another release of the engine is refused there if it is of a
 * later one.
 *
 * Owns three comparisons, by value: live state at the barrier against what the durable bytes stand for, per subtask; those bytes against fresh
 * backends that the engine restores from them, as wide as they were; and the same at another parallelism for the oldest. Does not own:
 * whether the state is the *right* one for the cut (exactly-once-state.ts, consistent-cut.ts), and whether files are there (retention.ts).
 *
 * I1: bytes are decoded here by the job's own types, without the engine's backends;
 * I2: state that no function declares is in none of the three: nobody can read it. What a function has not asked for when the barrier comes
 *     is not live: its bytes are held against what is restored from them alone;
 * I3: what has expired may be dropped on its way into the file (row S12), so state that expires is not held against live state, and all
 *     comparisons leave out its times;
 * I4: a snapshot of another version of the job is read byte for byte and no further: that is inconclusive, not wrong;
 * I5: each format of keyed state is tried once as a later release would have written it, in a snapshot that a client was told of.
 */
import { metadataIn } from '../../engine/protocol/savepoint-paths.ts';
import { CorruptData } from '../../engine/foundation/byte-reader.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { deployedGraph, operatorsOf, slotsNeeded } from '../../engine/job/scaled-graph.ts';
import type { CheckpointMetadata } from '../../engine/protocol/metadata-file.ts';
import type { SegmentHandle, StateHandle, SubtaskState } from '../../engine/protocol/state-handle.ts';
import { readSegment, readStateContents } from '../inspection/state-contents.ts';
import type { CheckpointReader } from './checkpoint-reader.ts';
import { areDealtOut, bagOf, type ElementBag, type ElementsOfSubtasks } from './element-bag.ts';
import type { FileTrail } from './file-trail.ts';
import { Findings } from './findings.ts';
import { type EndOfLife, isCutOff, type Judge } from './judge.ts';
import { formatOf, ofNextVersion } from './later-format.ts';
import type { Margins } from './margins.ts';
import { otherWidth } from './other-width.ts';
import { attempt, attemptRestore, type Readable } from './readable.ts';
import { PresentForms } from './present-forms.ts';
import { ReferenceJob } from './reference-job.ts';
import type { ReferenceOperatorState } from './reference-state.ts';
import { decodeOperatorStateFile, readKeyedStateEntries } from './state-decoders.ts';
import { StateHash } from './state-hash.ts';
import { type HashPair, HashSum } from './value-hash.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'restore-audit';

/** The live state of one operator in one subtask. */
export interface LiveState {
  readonly hash: HashPair;
  /** States that the hash is of, those aside whose entries expire (I3). */
  readonly registered: ReadonlySet<string>;
}

/** Live state, looked at by the harness. */
export interface StateAtBarrier {
  /** Empty: the subtask took no snapshot of it. More than one: it was restarted while the checkpoint was pending. */
  of(
    checkpointId: number,
    subtask: { readonly vertex: number; readonly subtask: number },
    operator: string,
  ): readonly LiveState[];
}

export interface RestoredState {
  /** By operator, over all subtasks. */
  readonly keyed: ReadonlyMap<string, StateHash>;
  /** Of operator state that can be dealt out anew: what each subtask has, by operator. */
  readonly elements: ReadonlyMap<string, ElementsOfSubtasks>;
}

/** The engine's own restore path. Throws `CorruptData`, `IncompatibleState` or `InvariantViolation`. */
export interface SnapshotRestorer {
  restore(
    metadata: CheckpointMetadata,
    graph: JobGraph,
    bytesOf: (file: StateHandle | SegmentHandle) => Uint8Array,
  ): RestoredState;
  /** By keyed operator: a state file without entries, as the job would write it. */
  emptyFiles(graph: JobGraph): ReadonlyMap<string, Uint8Array>;
}

/** What the bytes of a snapshot stand for. */
interface Snapshot extends RestoredState {
  /** Why this reader cannot know (I4). */
  otherVersion?: string;
}

/** What reads the state of one version of the job. */
interface JobReader {
  readonly graph: JobGraph;
  /** By operator: reads what its entries stand for (I1). */
  readonly keyed: ReadonlyMap<string, ReferenceOperatorState>;
  readonly forms: PresentForms;
}

export interface RestoreAuditOptions {
  /** Of the version of the job that took a checkpoint. */
  readonly graphOf: (checkpoint: number) => JobGraph;
  readonly reader: CheckpointReader;
  readonly restorer: SnapshotRestorer;
  readonly atBarrier: StateAtBarrier;
  /** By operator: states whose entries expire in some version of the job. */
  readonly expiring: ReadonlyMap<string, ReadonlySet<string>>;
  /** Directories of snapshots that a client was told of and did not give up. */
  readonly handedOut: () => readonly string[];
  readonly files: Pick<FileTrail, 'of'>;
  readonly margins?: Margins;
}

export class RestoreAudit implements Judge {
  readonly name = NAME;
  readonly kinds = [] as const;
  readonly anomalies =
    'not-restorable: a retained checkpoint, or a snapshot that a client was told of, cannot be read or restored at the end. ' +
    'snapshot-differs: its bytes stand for other state than was live at the barrier. restored-differs: the state restored from it is not ' +
    'what its bytes stand for. rescaled-differs: it is not at another parallelism. later-format-restored: a file of it is restored although it ' +
    'says that it has a later format. other-version (inconclusive): it was written by another ' +
    'version of the job, whose state this judge cannot read.';
  readonly #options: RestoreAuditOptions;
  readonly #findings = new Findings(NAME);
  readonly #readers = new Map<JobGraph, JobReader>();
  /** I5. */
  readonly #formatsTried = new Set<string>();
  /** Where the history shows the snapshot that is audited: its `_metadata` was stored. */
  #shownAt: readonly number[] = [];

  constructor(options: RestoreAuditOptions) {
    this.#options = options;
  }

  observe(): void {
    // Looks at the end only.
  }

  finish(end: EndOfLife): Verdict[] {
    const { reader, handedOut } = this.#options;
    const retained = reader.retained();
    const ids = new Map(retained.map(({ metadata, id }) => [metadata, id]));
    const paths = [...new Set([...ids.keys(), ...handedOut().map((directory) => metadataIn(directory))])];
    // A life that was cut off in the middle of an event is audited all the same: what is durable is.
    for (const [index, path] of paths.entries())
      this.#audit(path, ids.get(path), index > 0 ? 'own' : retained.length === 1 ? 'both' : 'other');
    this.#options.margins?.near('restore-audit/snapshots-restored', paths.length, -1);
    const when = isCutOff(end) ? 'when the life was cut off' : 'at the end';
    return this.#findings.verdicts(
      `${String(paths.length)} snapshots are restorable ${when}, each as it was at its barrier`,
    );
  }

  /** `id`: what the pointer says; a client was told no id. */
  #audit(path: string, id: number | undefined, widths: 'own' | 'other' | 'both'): void {
    const { reader, files } = this.#options;
    this.#shownAt = files.of(path, undefined).at;
    const read = reader.metadata(path);
    if (read.kind === 'unreadable') return this.#say('not-restorable', read.reason);
    const metadata = read.value;
    if (id !== undefined && metadata.checkpointId !== id)
      return this.#say('not-restorable', `${path} is that of checkpoint ${String(metadata.checkpointId)}`);
    const snapshot = this.#readSnapshot(metadata);
    if (snapshot.kind === 'unreadable') return this.#say('not-restorable', `${path}: ${snapshot.reason}`);
    const { graph: own } = this.#readerOf(metadata.checkpointId);
    const other = snapshot.value.otherVersion ?? operatorThatIsGone(own, metadata);
    if (other !== undefined) return this.#findings.inconclusive('other-version', () => `${path}: ${other}`);
    const graph = asItWas(own, metadata);
    const question = { path, metadata, expected: snapshot.value };
    const rescaled = widths === 'own' ? undefined : otherWidth(graph, metadata);
    if (rescaled === undefined || widths === 'both') this.#compare({ ...question, graph, anomaly: 'restored-differs' });
    if (rescaled !== undefined) this.#compare({ ...question, graph: rescaled, anomaly: 'rescaled-differs' });
    if (id === undefined) this.#tryLaterFormats(path, metadata, graph);
  }

  /** I5. */
  #tryLaterFormats(path: string, metadata: CheckpointMetadata, graph: JobGraph): void {
    const keyed = metadata.states.flatMap(({ handles }) => handles.filter(({ state }) => state === 'keyed'));
    for (const format of new Set(keyed.map((handle) => formatOf(this.#bytesOf(handle))))) {
      if (this.#formatsTried.has(format)) continue;
      this.#formatsTried.add(format);
      const restored = attemptRestore(path, () =>
        this.#options.restorer.restore(metadata, graph, (file) => {
          const bytes = this.#bytesOf(file);
          return formatOf(bytes) === format ? ofNextVersion(bytes) : bytes;
        }),
      );
      if (restored.kind === 'read')
        this.#say(
          'later-format-restored',
          `${path} is restored though its ${format} files have a later format version`,
        );
    }
  }

  #compare(question: {
    readonly path: string;
    readonly metadata: CheckpointMetadata;
    readonly graph: JobGraph;
    readonly expected: RestoredState;
    readonly anomaly: 'restored-differs' | 'rescaled-differs';
  }): void {
    const { path, metadata, graph, expected, anomaly } = question;
    const width = `at parallelism ${String(slotsNeeded(graph.vertices))}`;
    const restored = attemptRestore(`${path} restored ${width}`, () =>
      this.#options.restorer.restore(metadata, graph, (handle) => this.#bytesOf(handle)),
    );
    if (restored.kind === 'unreadable') return this.#say('not-restorable', restored.reason);
    for (const [operator, { sum, entries }] of expected.keyed) {
      const found = restored.value.keyed.get(operator);
      if (found?.sum.equals(sum) === true) continue;
      const counts = `${String(found?.entries ?? 0)} entries of ${String(entries)}`;
      this.#say(
        anomaly,
        `${path} restored ${width}: keyed state of ${operator} is not that of the snapshot (${counts})`,
      );
    }
    for (const [operator, elements] of expected.elements) {
      if (areDealtOut(elements, restored.value.elements.get(operator) ?? [])) continue;
      this.#say(anomaly, `${path} restored ${width}: operator state of ${operator} is not that of the snapshot`);
    }
  }

  /** What the bytes stand for, by operator; on the way each subtask's is held against its live state at the barrier. */
  #readSnapshot(metadata: CheckpointMetadata): Readable<Snapshot> {
    const keyed = new Map<string, StateHash>();
    const elements = new Map<string, ElementBag[]>();
    const snapshot: Snapshot = { keyed, elements };
    return attempt(`checkpoint ${String(metadata.checkpointId)}`, () => {
      for (const state of metadata.states) {
        for (const handle of state.handles) {
          const bytes = this.#bytesOf(handle);
          if (handle.state === 'keyed') {
            const other = this.#readKeyed(metadata, state, { handle, bytes }, keyed);
            if (other !== undefined) snapshot.otherVersion = other;
          }
          if (handle.state === 'operator' && handle.lists !== undefined) {
            const known = elements.get(handle.operator) ?? [];
            elements.set(handle.operator, [...known, bagOf(decodeOperatorStateFile(bytes))]);
          }
        }
      }
      return snapshot;
    });
  }

  /** Gives the way in which it is of another version. */
  #readKeyed(
    { checkpointId }: CheckpointMetadata,
    subtask: SubtaskState,
    { handle, bytes }: { readonly handle: StateHandle; readonly bytes: Uint8Array },
    into: Map<string, StateHash>,
  ): string | undefined {
    const { operator } = handle;
    const file = this.#options.reader.keyedFile(handle, bytes, (segment) => this.#bytesOf(segment));
    const { forms, keyed } = this.#readerOf(checkpointId);
    const difference = forms.difference(operator, file);
    const known = keyed.get(operator);
    if (difference !== undefined || known === undefined) return difference;
    const own = new Map<string, StateHash>();
    const expiring = this.#options.expiring.get(operator);
    readKeyedStateEntries(file, (name, keyGroup, keyBytes, valueBytes) => {
      const entry = known.decode({ state: name, key: keyBytes, value: valueBytes });
      if (entry === undefined) return;
      const hash = own.get(name) ?? new StateHash();
      own.set(name, hash);
      hash.add(name, keyGroup, entry.key, entry.content);
    });
    const all = into.get(operator) ?? new StateHash();
    into.set(operator, all);
    for (const { sum, entries } of own.values()) {
      all.sum.add(sum);
      all.entries += entries;
    }
    const live = this.#options.atBarrier.of(checkpointId, subtask, operator);
    // I3: live, it was perhaps more.
    const comparable = [...own].filter(([name]) => expiring?.has(name) !== true);
    if (live.length === 0 || live.some((state) => isIn(comparable, state))) return undefined;
    const entries = comparable.reduce((sum, [, hash]) => sum + hash.entries, 0);
    this.#say(
      'snapshot-differs',
      `Subtask ${String(subtask.subtask)} of ${operator} had other state at the barrier of ${String(checkpointId)} than its snapshot holds (${String(entries)} entries)`,
    );
    return undefined;
  }

  #readerOf(checkpoint: number): JobReader {
    const { reader, restorer, graphOf } = this.#options;
    const graph = graphOf(checkpoint);
    const known = this.#readers.get(graph);
    if (known !== undefined) return known;
    const files = [...restorer.emptyFiles(graph)].map(
      ([operator, file]) => [operator, reader.withoutTimes(operator, file)] as const,
    );
    const made = {
      graph,
      keyed: new ReferenceJob(graph).keyedStates,
      forms: new PresentForms(new Map(files)),
    };
    this.#readers.set(graph, made);
    return made;
  }

  /** Throws `CorruptData`, as whoever restores would, with file and offset of the damage. */
  #bytesOf(handle: StateHandle | SegmentHandle): Uint8Array {
    const { reader } = this.#options;
    const bytes = reader.bytesOf(handle);
    if (typeof bytes !== 'string') return bytes;
    const found = reader.rawBytesOf(handle);
    const reading =
      found === undefined
        ? undefined
        : 'state' in handle
          ? readStateContents(handle, found)
          : readSegment(handle, found);
    if (reading?.kind !== 'damaged') throw new CorruptData(bytes, 0);
    throw new CorruptData(`${bytes}: ${reading.damage.message}`, reading.damage.offset + (handle.offset ?? 0));
  }

  #say(anomaly: string, message: string): void {
    this.#findings.violated(anomaly, this.#shownAt, () => message);
  }
}

/** Whether a snapshot holds what was live (I2). `stored`: by state. */
function isIn(stored: readonly (readonly [string, StateHash])[], { hash, registered }: LiveState): boolean {
  const sum = new HashSum();
  for (const [name, { sum: ofState }] of stored) if (registered.has(name)) sum.add(ofState);
  return sum.equals(hash);
}

function operatorThatIsGone({ vertices }: JobGraph, { operators }: CheckpointMetadata): string | undefined {
  const present = new Set(vertices.flatMap((vertex) => operatorsOf(vertex)));
  const gone = operators.find(({ uid }) => !present.has(uid));
  return gone && `the job has no operator ${gone.uid}`;
}

/** As wide as the job was when the snapshot was taken. */
function asItWas(graph: JobGraph, { operators }: CheckpointMetadata): JobGraph {
  const vertices = graph.vertices.map((vertex) => {
    const scale = operators.find(({ uid }) => operatorsOf(vertex).includes(uid));
    const { parallelism, maxParallelism } = scale ?? vertex;
    return { parallelism, maxParallelism };
  });
  return deployedGraph(graph, { vertices });
}
