/**
 * The log of one backend's changes: numbered, cut into stretches, truncated (Flink: FsStateChangelogWriter).
 *
 * Owns the numbers and the bytes of what may still be asked for. Does not own: where stretches are written (the subtask).
 * Invariants:
 *   I1 changes are numbered from 0 without gaps, over restores, too; a stretch [from, to) never changes once it is cut;
 *   I2 stretches follow each other; what is behind the last one is still being written;
 *   I3 truncated is what lies below a number as a whole: materialisations cut the log where they begin, so a stretch is in one or it is not.
 */
import { assert, InvariantViolation } from '../foundation/assert.ts';
import { ByteWriter } from '../foundation/byte-writer.ts';
import type { SegmentHandle } from '../protocol/state-handle.ts';
import type { ByteString } from '../lsm/row-key.ts';
import type { KeyedStateHeader } from '../state/keyed-state-file.ts';
import type { StateChangeListener } from '../state/keyed-state-backend.ts';
import type { LogPiece } from '../state/logged-state.ts';
import { encodeChangeLog, writeChange } from './change-log-file.ts';
import type { LogStretch } from './changelog-manifest.ts';

/** A stretch and its file. */
export interface CutStretch extends LogStretch {
  readonly piece: LogPiece;
}

export class StateChangeLog implements StateChangeListener {
  readonly #header: () => KeyedStateHeader;
  readonly #fullBytes: number;
  #stretches: CutStretch[] = [];
  readonly #changes = new ByteWriter();
  /** Number of the first change that is not cut off yet. */
  #from = 0;
  #next = 0;
  #full: LogPiece[] = [];
  #loggedBytes = 0;

  /** `header`: what a stretch that is cut now says of its states. `fullBytes`: a stretch of this size is cut. */
  constructor(header: () => KeyedStateHeader, fullBytes: number) {
    this.#header = header;
    this.#fullBytes = fullBytes;
  }

  /** Number of the next change. */
  get next(): number {
    return this.#next;
  }

  get stretches(): readonly CutStretch[] {
    return this.#stretches;
  }

  changed(row: ByteString, value: Uint8Array | undefined): void {
    const before = this.#changes.position;
    writeChange(row, value, this.#changes);
    this.#next += 1;
    this.#loggedBytes += this.#changes.position - before;
    if (this.#changes.position < this.#fullBytes) return;
    this.cut();
    const last = this.#stretches.at(-1);
    if (last !== undefined) this.#full.push(last.piece);
  }

  takeLoggedBytes(): number {
    const taken = this.#loggedBytes;
    this.#loggedBytes = 0;
    return taken;
  }

  get hasFull(): boolean {
    return this.#full.length > 0;
  }

  takeFull(): readonly LogPiece[] {
    const taken = this.#full;
    this.#full = [];
    return taken;
  }

  /** The stretch being written ends here. */
  cut(): void {
    const count = this.#next - this.#from;
    if (count === 0) return;
    const bytes = encodeChangeLog(this.#header(), { from: this.#from, count, changes: this.#changes });
    this.#push(this.#from, this.#next, {
      id: `log-${this.#from}`,
      estimatedBytes: bytes.length,
      entryCount: 0,
      bytes: () => bytes,
      origin: undefined,
    });
    this.#from = this.#next;
    this.#changes.reset();
  }

  /** Goes on from the log of a checkpoint, before anything is logged. */
  restored(stretches: readonly LogStretch[], handles: readonly SegmentHandle[], next: number): void {
    assert(this.#next === 0, 'a log is restored before anything is logged');
    stretches.forEach(({ from, to }, index) => {
      const origin = handles[index];
      assert(origin !== undefined, 'every restored stretch has a file');
      const noBytes = (): never => {
        throw new InvariantViolation('a file of the restored checkpoint is not written again');
      };
      this.#push(from, to, { id: `log-${from}`, estimatedBytes: 0, entryCount: 0, bytes: noBytes, origin });
    });
    this.#from = Math.max(next, stretches.at(-1)?.to ?? 0);
    this.#next = this.#from;
  }

  /** I3. */
  truncate(below: number): void {
    this.#stretches = this.#stretches.filter(({ to }) => to > below);
    this.#full = this.#full.filter((piece) => this.#stretches.some((stretch) => stretch.piece === piece));
  }

  #push(from: number, to: number, piece: LogPiece): void {
    assert(from === (this.#stretches.at(-1)?.to ?? from), 'I2: stretches follow each other', { from, to });
    this.#stretches.push({ from, to, piece });
  }
}
