/** The rows of a store, whose changes are told of as they are made: what a changelog over the log-structured backend is fed by. */
import type { LogStructuredStore } from '../lsm/log-structured-store.ts';
import type { ByteString } from '../lsm/row-key.ts';
import type { StateChangeListener } from '../state/keyed-state-backend.ts';

type Rows = Pick<LogStructuredStore<unknown>, 'get' | 'put' | 'delete' | 'scan'>;

export class RecordedRows implements Rows {
  readonly #rows: Rows;
  readonly #changes: StateChangeListener;

  constructor(rows: Rows, changes: StateChangeListener) {
    this.#rows = rows;
    this.#changes = changes;
  }

  get(key: ByteString): Uint8Array | undefined {
    return this.#rows.get(key);
  }

  scan(prefix: ByteString): (readonly [key: ByteString, value: Uint8Array])[] {
    return this.#rows.scan(prefix);
  }

  put(key: ByteString, value: Uint8Array): void {
    this.#rows.put(key, value);
    this.#changes.changed(key, value);
  }

  delete(key: ByteString): void {
    this.#rows.delete(key);
    this.#changes.changed(key, undefined);
  }
}
