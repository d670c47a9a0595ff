/**
 * Sources that are read one after the other: each has an enumerator, and the next one begins when everything of the one before was read
 * (row B24, FLIP-150; Flink: HybridSourceSplitEnumerator). A source by itself is a chain of one.
 *
 * The next source finds out where it begins when it is its turn, not before: where files end, the log has moved on meanwhile. A reader that
 * restarts alone may have forgotten splits of a source that is over for everybody else. They are that source's, whatever is read now: its
 * enumerator stays for them, and hands them to anyone. Flink keeps such splits beside its enumerator, until their reader is there again,
 * and out of its checkpoints; here they are in its state like all that are not assigned.
 *
 * "There is nothing more" is said of the chain, too: a reader that heard it may have ended, and would take what comes back of an earlier
 * source without reading it.
 *
 * Owns: which source is read, the enumerators up to it, their discoveries, and which readers are done. Does not own: the ways to readers
 * (source-coordinator.ts).
 * Invariants:
 *   I1 the index of the source that is read and the state of all enumerators are one snapshot;
 *   I2 a split goes to readers and comes back with the index of its own source;
 *   I3 a source is over when each of its partitions was read to its end, nobody holds a split of it, and every reader is there to say so;
 *   I4 only the source that is read asks for splits to come;
 *   I5 a reader is told that there is nothing more when the last source is read and no split of any waits for a reader, and is assigned
 *      nothing from then on, of no source.
 */
import { assert } from '../foundation/assert.ts';
import type { Micros } from '../foundation/time.ts';
import type { SourceSpec } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import type { EngineMessage } from '../protocol/messages.ts';
import { type LogSplit, sourceOf } from '../protocol/operator-events.ts';
import { sometimes } from '../protocol/probes.ts';
import type { StartPosition } from '../protocol/start-position.ts';
import {
  decodeChainState,
  decodeEnumeratorState,
  encodeChainState,
  encodeEnumeratorState,
} from '../connectors/split-rows.ts';
import { FileDiscovery } from './file-discovery.ts';
import { type Discovery, type DiscoveryHost, PartitionDiscovery } from './partition-discovery.ts';
import {
  type EnumeratorContext,
  type EnumeratorState,
  type FinishedSplit,
  SplitEnumerator,
} from './split-enumerator.ts';

export interface HybridContext extends Omit<EnumeratorContext, 'source' | 'isDone'> {
  signalNoMoreSplits(subtask: number, out: Out): void;
  /** Tells a reader which source of the chain is read. */
  switchSource(subtask: number, source: number, out: Out): void;
}

export interface HybridEnumeratorOptions {
  readonly uid: string;
  /** One, or a chain of them. */
  readonly sources: readonly SourceSpec[];
  readonly context: HybridContext;
  readonly host: DiscoveryHost;
  readonly parts: Pick<EngineParts, 'startOfNewPartition' | 'splitsToDoneReader'>;
}

export class HybridEnumerator {
  readonly #options: HybridEnumeratorOptions;
  /** By source; undefined: the job names its partitions, and each begins at its start. */
  readonly #discoveries: readonly (Discovery | undefined)[];
  /** Up to the source that is read, which is the last. */
  #enumerators: SplitEnumerator[] = [];
  /** Subtasks whose readers were told that there is nothing more. */
  readonly #done = new Set<number>();

  constructor(options: HybridEnumeratorOptions) {
    this.#options = options;
    this.#discoveries = options.sources.map((source, index) => this.#discoveryOf(source, index));
    this.begin(undefined);
  }

  /** From this state, or from nothing. Throws `CorruptData` or `IncompatibleState`. */
  begin(bytes: Uint8Array | undefined): void {
    this.#enumerators = [];
    this.#done.clear();
    let states: readonly (EnumeratorState | undefined)[] = [undefined];
    if (bytes !== undefined) states = this.#isChain ? decodeChainState(bytes) : [decodeEnumeratorState(bytes)];
    for (const state of states) this.#add(state);
  }

  restartDiscovery(out: Out): void {
    for (const discovery of this.#discoveries) discovery?.stop(out);
    this.#discoveries[this.current]?.restart(out);
  }

  /** Which source of the chain is read. */
  get current(): number {
    return this.#enumerators.length - 1;
  }

  /** Row C5: what came before the last source is history (Flink: HybridSourceSplitEnumerator.switchEnumerator). */
  get isProcessingBacklog(): boolean {
    return this.current < this.#options.sources.length - 1;
  }

  snapshotState(): Uint8Array {
    const states = this.#enumerators.map((enumerator) => enumerator.snapshotState());
    return this.#isChain ? encodeChainState(states) : encodeEnumeratorState(this.#enumerator.snapshotState());
  }

  addReader(subtask: number, splits: readonly LogSplit[], hasFinished: boolean, out: Out): void {
    assert(
      splits.every((split) => sourceOf(split) <= this.current),
      'a reader is not ahead of its enumerator',
    );
    if (hasFinished) this.#done.add(subtask);
    else this.#done.delete(subtask);
    if (this.#isChain) this.#options.context.switchSource(subtask, this.current, out);
    for (const [source, enumerator] of this.#enumerators.entries())
      enumerator.addReader(subtask, ofSource(splits, source), out);
    this.#settle(out);
  }

  /**
   * One that was on its way when the reader was told that there is nothing more has had its answer. One of an earlier source is followed by one
   * of the source that is read: if both counted, the reader would get more than it has room for, and ask for less when it begins again.
   */
  handleSplitRequest(subtask: number, source: number, out: Out): void {
    if (this.#done.has(subtask) || source !== this.current) return;
    this.#enumerator.handleSplitRequest(subtask, out);
    this.#settle(out);
  }

  handleFinished(subtask: number, finished: FinishedSplit, out: Out): void {
    this.#enumeratorOf(finished.split).handleFinished(subtask, finished, out);
    this.#settle(out);
  }

  /** I2. */
  addSplitsBack(splits: readonly LogSplit[], subtask: number, out: Out): void {
    sometimes(
      splits.some((split) => sourceOf(split) < this.current),
      out,
      'splits-of-earlier-source-given-back',
    );
    for (const [source, enumerator] of this.#enumerators.entries())
      enumerator.addSplitsBack(ofSource(splits, source), subtask, out);
    this.#settle(out);
  }

  handleMessage(message: EngineMessage, nowUs: Micros, out: Out): boolean {
    return this.#discoveries.some((discovery) => discovery?.handleMessage(message, nowUs, out) === true);
  }

  handleTimer(timer: string, nowUs: Micros, out: Out): boolean {
    return this.#discoveries.some((discovery) => discovery?.handleTimer(timer, nowUs, out) === true);
  }

  get #isChain(): boolean {
    return this.#options.sources.length > 1;
  }

  get #enumerator(): SplitEnumerator {
    return this.#enumeratorOf({ source: this.current });
  }

  #enumeratorOf(split: Pick<LogSplit, 'source'>): SplitEnumerator {
    const enumerator = this.#enumerators[sourceOf(split)];
    assert(enumerator !== undefined, 'a split is of a source that has begun', { source: sourceOf(split) });
    return enumerator;
  }

  /** What follows when splits were assigned, finished or given back. */
  #settle(out: Out): void {
    this.#switchWhenOver(out);
    this.#tellWhenExhausted(out);
  }

  /** I3. */
  #switchWhenOver(out: Out): void {
    if (!this.isProcessingBacklog || !this.#enumerator.hasEnded) return;
    this.#add(undefined);
    this.restartDiscovery(out);
    const { context } = this.#options;
    sometimes(true, out, 'source-switched');
    for (const subtask of context.registered) context.switchSource(subtask, this.current, out);
  }

  /** I5. */
  #tellWhenExhausted(out: Out): void {
    const { context } = this.#options;
    if (this.isProcessingBacklog || context.registered.size < context.parallelism()) return;
    if (!this.#enumerator.isExhausted || this.#enumerators.some(({ hasUnassigned }) => hasUnassigned)) return;
    for (const subtask of this.#enumerator.takeWaiting()) {
      this.#done.add(subtask);
      context.signalNoMoreSplits(subtask, out);
    }
  }

  #add(state: EnumeratorState | undefined): void {
    const { sources, context, parts } = this.#options;
    const index = this.#enumerators.length;
    const source = sources[index];
    assert(source !== undefined, 'the chain has the source that is read', { index });
    const doneReaderTakes = parts.splitsToDoneReader === 'of-earlier-sources' && index < sources.length - 1;
    const isDone = (subtask: number): boolean => !doneReaderTakes && this.#done.has(subtask);
    const ofChain = this.#isChain ? { source: index } : {};
    const enumerator = new SplitEnumerator(source, { ...context, ...ofChain, isDone }, state);
    if (isStatic(source)) enumerator.start();
    this.#enumerators.push(enumerator);
  }

  #discoveryOf(source: SourceSpec, index: number): Discovery | undefined {
    if (isStatic(source)) return undefined;
    const { uid, host } = this.#options;
    const discovery = {
      source: { ...source, uid: this.#isChain ? `${uid}/${index}` : uid },
      host,
      at: () => this.#startOfUnknown(index),
      discovered: (partitions: readonly number[], offsets: readonly number[], out: Out) => {
        this.#enumerators[index]?.discovered(partitions, (position) => offsets[position] ?? 0, out);
        this.#settle(out);
      },
    };
    const { files } = source;
    return files === undefined ? new PartitionDiscovery(discovery) : new FileDiscovery(discovery, files);
  }

  /** FLIP-288: what is there at first begins where the source is to begin; what comes later came while the job ran. */
  #startOfUnknown(index: number): StartPosition {
    const { sources, parts } = this.#options;
    const { start = 'earliest' } = sources[index] ?? {};
    const isLater = this.#enumerators[index]?.hasDiscovered === true && parts.startOfNewPartition === 'earliest';
    return isLater ? 'earliest' : start;
  }
}

const ofSource = (splits: readonly LogSplit[], source: number): readonly LogSplit[] =>
  splits.filter((split) => sourceOf(split) === source);

/** The job names its splits, and each begins at its start. */
const isStatic = ({ start, discoveryUs, files }: SourceSpec): boolean =>
  start === undefined && discoveryUs === undefined && files === undefined;
