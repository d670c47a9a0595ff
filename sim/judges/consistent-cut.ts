/**
 * Judge 3, consistent cut: each completed checkpoint holds the effect of all records before its barrier and of none after.
 *
 * What lies before is what the checkpoint's own source offsets say. Its keyed state is compared, entry by entry, with the
 * reference folded over exactly these records. Records in its channel state lie before the cut, and their effect is still to come: the
 * state that is compared is the one after they have run through what lies behind their edge (row B5).
 *
 * I1: cuts are looked at when `checkpoint-completed` happens, so the reference follows them once through the input.
 * I2: after the first wrong cut the judge is silent: what follows is built on it;
 * I3: a run begins when the pointer says so: the leader that wrote it may not live to tell.
 */
import { decodePointer, FIRST_RUN, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import { metadataIn } from '../../engine/protocol/savepoint-paths.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import type { CheckpointContents, CheckpointReader } from './checkpoint-reader.ts';
import type { CutAudit } from './cut-audit.ts';
import type { FiredTimersLog } from './fired-timers.ts';
import { Findings } from './findings.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';
import { type JobAudit, NOT_COMPARED } from './job-audit.ts';
import type { Judge } from './judge.ts';
import { Margins } from './margins.ts';
import type { RecordTrail } from './record-trail.ts';
import type { Cut, InputIndex } from './reference-run.ts';
import type { Verdict } from './verdict.ts';

const NAME = 'consistent-cut';

export interface ConsistentCutOptions {
  readonly jobId: string;
  readonly reader: CheckpointReader;
  readonly cuts: CutAudit;
  readonly audit: JobAudit;
  readonly index: InputIndex;
  /** Of a job with timers; absent: it has none. */
  readonly fired?: FiredTimersLog;
  /** Partitions that are cut where the log put its marker (row C25). */
  readonly induced: readonly number[];
  /** Is told of each cut. */
  readonly trail?: Pick<RecordTrail, 'completed'>;
  readonly margins?: Margins;
}

export class ConsistentCut implements Judge {
  readonly name = NAME;
  readonly kinds = [
    'alignment-started',
    'snapshot-taken',
    'task-restored',
    'markers-put',
    'checkpoint-completed',
    'coordination-updated',
    'operation-answered',
  ] as const;
  readonly anomalies =
    'cut-misses-record: state of a completed checkpoint lacks a record before its source offsets. cut-holds-too-much: it has ' +
    'the effect of a record behind them, or one twice. state-wrong: it differs in another way. cut-went-back: a partition ' +
    'stands before where an earlier completed checkpoint had it. split-lost: a split of a source is neither with its enumerator ' +
    'nor with a reader. cut-not-at-marker: a source that stops at markers took a checkpoint elsewhere. watermark-ahead: timers have fired that the records before the cut do not allow to fire. split-twice: it is in two places. checkpoint-unreadable: a file of a completed checkpoint is ' +
    'missing, fails its checksum or cannot be decoded. state-not-whole: a key group or a partition is in none of its handles, or in two.';
  readonly #options: ConsistentCutOptions;
  readonly #findings = new Findings(NAME);
  readonly #furthest: Cut;
  /** By subtask: when it took its last snapshot. */
  readonly #snapshotUs = new Map<number, number>();
  readonly #margins: Margins;
  /** What the log says: by checkpoint, then by partition. */
  readonly #markers = new Map<number, Map<number, number>>();
  readonly #pointerKey: string;
  #run = FIRST_RUN.run;
  #seen = 0;
  #wrong = false;

  constructor(options: ConsistentCutOptions) {
    this.#options = options;
    this.#margins = options.margins ?? new Margins();
    this.#furthest = new Int32Array(options.index.input.length);
    this.#pointerKey = pointerKey(options.jobId);
  }

  observe({ event, index: at, atUs }: HistoryEvent): void {
    if (event.kind === 'alignment-started') {
      const beforeUs = this.#snapshotUs.get(subtaskKey(event));
      if (beforeUs !== undefined)
        this.#margins.near('consistent-cut/snapshot-before-next-barrier', atUs - beforeUs, at);
      return;
    }
    if (event.kind === 'snapshot-taken') {
      this.#snapshotUs.set(subtaskKey(event), atUs);
      return this.#options.fired?.taken(event);
    }
    if (event.kind === 'task-restored') return this.#options.fired?.restored(event);
    if (event.kind === 'markers-put') return this.#note(event);
    if (event.kind === 'coordination-updated') return this.#updated(event);
    if (event.kind === 'operation-answered') return this.#onAnswered(event);
    if (event.kind !== 'checkpoint-completed') return;
    const reported = this.#options.fired?.completed(event.checkpointId) ?? [];
    const checkpoint = this.#options.reader.retained().find(({ id }) => id === event.checkpointId);
    // A checkpoint that the pointer does not name has no contents to judge; the lifecycle judge reports it.
    if (checkpoint === undefined) return;
    const contents = this.#options.reader.contents(checkpoint);
    this.#seen += 1;
    const id = String(checkpoint.id);
    if (contents.kind === 'unreadable') {
      this.#findings.violated('checkpoint-unreadable', [at], () => `Checkpoint ${id}: ${contents.reason}`);
      return;
    }
    this.#options.trail?.completed(checkpoint.id, contents.value.cut, { at, atUs });
    const { gap } = contents.value;
    if (gap !== undefined) {
      this.#findings.violated('state-not-whole', [at], () => `Checkpoint ${id}: ${gap}`);
      return;
    }
    if (this.#judgeSplits(contents.value.splitProblems, id, at)) return;
    this.#judgeDirection(contents.value.cut, id, at);
    this.#judgeMarkers(contents.value, at);
    if (!this.#options.audit.stateIsOrderInsensitive || this.#wrong) return;
    const difference = this.#options.cuts.compare(contents.value);
    if (difference.kind === 'unreadable') {
      this.#findings.violated('checkpoint-unreadable', [at], () => `Checkpoint ${id}: ${difference.reason}`);
      return;
    }
    const ahead = this.#options.cuts.watermarkAhead(contents.value, reported);
    if (ahead !== undefined) {
      this.#wrong = true;
      this.#findings.violated('watermark-ahead', [at], () => `Checkpoint ${id}: ${ahead}`);
      return;
    }
    if (difference.value === undefined) return;
    const { kind, message } = difference.value;
    this.#wrong = true;
    const anomaly = kind === 'misses' ? 'cut-misses-record' : kind === 'other' ? 'state-wrong' : 'cut-holds-too-much';
    this.#findings.violated(anomaly, [at], () => `Checkpoint ${id}: ${message}`);
  }

  /** I3. A run stands where the snapshot does that somebody begins it from, which need not be the newest; without one at the start. */
  #updated({ key, value }: Extract<HistoryEvent['event'], { kind: 'coordination-updated' }>): void {
    if (key !== this.#pointerKey || value === '') return;
    const { completed, job = FIRST_RUN } = decodePointer(value);
    if (job.run <= this.#run) return;
    this.#run = job.run;
    const [restored] = completed;
    if (restored === undefined) return void this.#furthest.fill(0);
    const contents = this.#options.reader.contents(restored);
    if (contents.kind === 'read') this.#furthest.set(contents.value.cut);
  }

  /** What was handed out may be restored however old it is. */
  #onAnswered({ location }: Extract<HistoryEvent['event'], { kind: 'operation-answered' }>): void {
    const { fired, reader } = this.#options;
    fired?.forgetGone((known) => reader.metadata(metadataIn(known)).kind === 'read');
    if (fired === undefined || location === '') return;
    const metadata = reader.metadata(metadataIn(location));
    if (metadata.kind === 'read') fired.handedOut(location, metadata.value.checkpointId);
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#snapshotUs.size + this.#markers.size + (this.#options.fired?.remembered ?? 0);
  }

  finish(): Verdict[] {
    return this.#findings.verdicts(
      this.#options.audit.stateIsOrderInsensitive
        ? `${String(this.#seen)} completed checkpoints hold exactly the records before their cut`
        : `${String(this.#seen)} completed checkpoints can be read, name one place in each partition and never go back; ${NOT_COMPARED}`,
    );
  }

  /** True when a split is not in exactly one place: then there is no cut to compare with. */
  #judgeSplits(problems: CheckpointContents['splitProblems'], id: string, at: number): boolean {
    for (const { anomaly, message } of problems) {
      this.#wrong = true;
      this.#findings.violated(anomaly, [at], () => `Checkpoint ${id}: ${message}`);
    }
    return problems.length > 0;
  }

  #note({ checkpointId, partitions, offsets }: Extract<HistoryEvent['event'], { kind: 'markers-put' }>): void {
    const markers = this.#markers.get(checkpointId) ?? new Map<number, number>();
    this.#markers.set(checkpointId, markers);
    partitions.forEach((partition, index) => void markers.set(partition, offsets[index] ?? -1));
    // A checkpoint that has not completed since then never will: its time-out is over.
    forgetOldest(this.#markers, EPISODES_KEPT);
  }

  #judgeMarkers({ id, cut }: Pick<CheckpointContents, 'id' | 'cut'>, at: number): void {
    const markers = this.#markers.get(id);
    for (const partition of this.#options.induced) {
      const now = cut[this.#options.index.slotOf(partition) ?? -1];
      const offset = markers?.get(partition);
      if (now === offset) continue;
      const where = offset === undefined ? 'it has no marker there' : `its marker lies at ${String(offset)}`;
      this.#findings.violated(
        'cut-not-at-marker',
        [at],
        () => `Checkpoint ${String(id)}: partition ${String(partition)} stands at offset ${String(now)}, and ${where}`,
      );
    }
  }

  #judgeDirection(cut: Cut, id: string, at: number): void {
    for (let slot = 0; slot < cut.length; slot += 1) {
      const before = this.#furthest[slot] ?? 0;
      const now = cut[slot] ?? 0;
      if (now >= before) {
        this.#furthest[slot] = now;
        continue;
      }
      const partition = String(this.#options.index.input[slot]?.partition);
      this.#findings.violated(
        'cut-went-back',
        [at],
        () =>
          `Checkpoint ${id}: partition ${partition} stands at offset ${String(now)}, after ${String(before)} in an earlier one`,
      );
    }
  }
}

/** No job has so many subtasks in a vertex. */
const SUBTASKS_MAX = 65_536;

const subtaskKey = ({ vertex, subtask }: { readonly vertex: number; readonly subtask: number }): number =>
  vertex * SUBTASKS_MAX + subtask;
