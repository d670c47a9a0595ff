/**
 * The cells of one reference state: what each key holds, and which of them changed since the last look.
 *
 * Owns the plain map behind a reference state. Called by the handles that user functions get and by the sum over all cells.
 *
 * I1: a cell that may have changed is handed out by the next `takeDirty`, once.
 * I2: a cell without content is no entry; it stays, so that its part of a sum can be taken back.
 */
import { ByteWriter } from '../../engine/foundation/byte-writer.ts';
import type { StateKey } from '../../engine/job/functions.ts';

/** What a key holds in one state, and its part of the operator's sum. */
export interface Cell {
  readonly key: StateKey;
  /** Undefined: no entry. */
  content: unknown;
  dirty: boolean;
  /** The hash that is in the sum now; valid if `summed`. */
  low: number;
  high: number;
  summed: boolean;
  /** -1: not computed yet. */
  keyGroup: number;
  keyBytes: Uint8Array | undefined;
}

/** Values are written here, one at a time. */
const scratch = new ByteWriter();

export class StateCells {
  readonly #cells = new Map<StateKey, Cell>();
  readonly #write: (content: unknown, out: ByteWriter) => void;
  #dirty: Cell[] = [];
  #key: StateKey = '';
  #current: Cell | undefined;

  constructor(write: (content: unknown, out: ByteWriter) => void) {
    this.#write = write;
  }

  setKey(key: StateKey): void {
    this.#key = key;
    this.#current = undefined;
  }

  /** What the current key holds; `touch` when it may be changed in place. */
  content(touch: boolean): unknown {
    const cell = this.#current ?? this.#find();
    if (cell === undefined) return undefined;
    if (touch && !cell.dirty) this.#markDirty(cell);
    return cell.content;
  }

  put(content: unknown): void {
    const cell = this.#current ?? this.#find() ?? this.#make();
    cell.content = content;
    if (!cell.dirty) this.#markDirty(cell);
  }

  remove(): void {
    const cell = this.#current ?? this.#find();
    if (cell === undefined) return;
    cell.content = undefined;
    if (!cell.dirty) this.#markDirty(cell);
  }

  takeDirty(): readonly Cell[] {
    const taken = this.#dirty;
    for (const cell of taken) cell.dirty = false;
    this.#dirty = [];
    return taken;
  }

  /** In the order in which keys came. */
  all(): Iterable<Cell> {
    return this.#cells.values();
  }

  /** The entry's bytes, valid until the next call on any cells; undefined when there is no entry. */
  bytesOf(cell: Cell): Uint8Array | undefined {
    if (cell.content === undefined) return undefined;
    scratch.truncate(0);
    this.#write(cell.content, scratch);
    return scratch.view();
  }

  #find(): Cell | undefined {
    this.#current = this.#cells.get(this.#key);
    return this.#current;
  }

  #make(): Cell {
    const cell: Cell = {
      key: this.#key,
      content: undefined,
      dirty: false,
      low: 0,
      high: 0,
      summed: false,
      keyGroup: -1,
      keyBytes: undefined,
    };
    this.#cells.set(this.#key, cell);
    this.#current = cell;
    return cell;
  }

  #markDirty(cell: Cell): void {
    cell.dirty = true;
    this.#dirty.push(cell);
  }
}
