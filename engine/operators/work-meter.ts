/**
 * Slow user functions: how much virtual CPU time the operators of a chain said a record costs them, in one mailbox action.
 *
 * Owns: the sum of this action. Does not own: charging it (the subtask does). Flink's mailbox looks at its letters after every record;
 * here that is after every slice of work, so that a barrier never waits for a whole buffer of slow records (row B21).
 */
import type { StoreWork } from '../lsm/log-structured-store.ts';
import type { Out } from '../protocol/actor.ts';
import type { ElementConsumer } from './element-consumer.ts';

/** Work after which an action ends between two records. */
const SLICE_NANOSECONDS = 1_000_000;

export class WorkMeter {
  #nanoseconds = 0;
  /** What state on the local disk did in this action. */
  readonly store: StoreWork = { blockReads: 0, diskBytes: 0 };
  #keys = 0;

  /** No further record should be begun in this action. */
  get isSpent(): boolean {
    return this.#nanoseconds >= SLICE_NANOSECONDS;
  }

  add(nanoseconds: number): void {
    this.#nanoseconds += nanoseconds;
  }

  /** Keys that a function visited beside that of its element. */
  addKeys(keys: number): void {
    this.#keys += keys;
  }

  takeKeys(): number {
    const taken = this.#keys;
    this.#keys = 0;
    return taken;
  }

  /** What is to be charged for this action. */
  take(): number {
    const taken = this.#nanoseconds;
    this.#nanoseconds = 0;
    return taken;
  }

  /** Flushes and compactions are charged to the subtask that caused them: the store has no threads of its own. */
  chargeStore(out: Pick<Out, 'busy'>): void {
    const { store } = this;
    if (store.blockReads > 0) out.busy('block-read', store.blockReads);
    if (store.diskBytes > 0) out.busy('disk-byte', store.diskBytes);
    store.blockReads = 0;
    store.diskBytes = 0;
  }
}

/** An operator that takes its time for every record. */
export class WorkingConsumer implements ElementConsumer {
  readonly #meter: WorkMeter;
  readonly #nanoseconds: number;
  readonly #operator: ElementConsumer;

  constructor(meter: WorkMeter, nanoseconds: number, operator: ElementConsumer) {
    this.#meter = meter;
    this.#nanoseconds = nanoseconds;
    this.#operator = operator;
  }

  process(value: unknown, timestampUs: number, lineage: number): void {
    this.#meter.add(this.#nanoseconds);
    this.#operator.process(value, timestampUs, lineage);
  }
}
