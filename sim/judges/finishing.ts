/**
 * Judge 9, finishing: how subtasks and the job end when their input does (rows C21, C23, F18, X40; Flink's lifecycle validators).
 *
 * Owns what each attempt did since its end of data, as the history tells it, and compares with what had become durable.
 *
 * I1: only the end of drained input obliges: a subtask that stops with a savepoint ends on other conditions (row C28);
 * I2: a leader that was elected before the job's result was durable may not have known it: what it deploys is not judged.
 */
import { decodePointer, pointerKey } from '../../engine/protocol/checkpoint-pointer.ts';
import { decodeResult, resultKey, runOf } from '../../engine/protocol/job-result.ts';
import type { JobEdge, JobGraph } from '../../engine/job/job-graph.ts';
import { feedsSubtask } from '../../engine/job/pointwise.ts';
import type { HistoryEvent } from '../history/history-event.ts';
import { Findings } from './findings.ts';
import type { Judge } from './judge.ts';
import { Margins } from './margins.ts';
import type { Verdict } from './verdict.ts';
import { EPISODES_KEPT, forgetOldest } from './forget-oldest.ts';

const NAME = 'finishing';
const TRANSACTION = /-(\d+)$/;
/** The directory of a savepoint ends with its id. */
const SAVEPOINT_ID = /\/savepoint-.*-(\d+)$/;

/** Each deployment looks through them. */
const ATTEMPTS_KEPT = 2_048;

/** An attempt of a subtask. */
interface Attempt {
  readonly vertex: number;
  readonly subtask: number;
  /** Of its vertex in that deployment. */
  readonly parallelism: number;
  /** `<epoch>/<job attempt>`: those that were deployed together. */
  readonly deployment: string;
  /** History index of its end of data; -1: not reached. */
  endedAt: number;
  isDrained: boolean;
  /** The last checkpoint it took part in; 0: none. */
  lastSnapshot: number;
  /** First checkpoint it took part in after the end of data; 0: none. */
  finalCheckpoint: number;
  isFinished: boolean;
  isReplaced: boolean;
}

export interface FinishingOptions {
  readonly graph: JobGraph;
  /** False: nothing is committed with checkpoints, so nobody waits for one. */
  readonly isCheckpointing: boolean;
  readonly margins?: Margins;
}

export class Finishing implements Judge {
  readonly name = NAME;
  readonly kinds = [
    'leadership-acquired',
    'task-deployed',
    'end-of-data-reached',
    'snapshot-taken',
    'task-state',
    'transaction-opened',
    'coordination-updated',
  ] as const;
  readonly anomalies =
    'end-of-data-twice: an attempt reaches the end of its data again. began-after-finish: a sink opens a transaction behind the first ' +
    'snapshot after the end of its data. stopped-with-other-checkpoint: a subtask of a job that stops with a savepoint ends behind another one. finished-without-final-checkpoint: a subtask ends, but no durable checkpoint was taken behind ' +
    'the end of its data. finished-before-producer: a subtask ends while one that feeds it goes on. deployed-after-finish: a leader that ' +
    'came when the result of the job was durable runs it again.';
  readonly #options: FinishingOptions;
  readonly #findings = new Findings(NAME);
  readonly #attempts = new Map<number, Attempt>();
  readonly #pointerKey: string;
  readonly #resultKey: string;
  #newestNamed = 0;
  #namedUs = 0;
  readonly #margins: Margins;
  /** Savepoints that some run stopped with, as the pointer says. */
  readonly #stoppedWith = new Set<number>();
  /** Leaders elected after the result was durable. */
  readonly #knowing = new Set<number>();
  #rememberedAt = -1;
  #run = 1;
  #finished = 0;

  constructor(options: FinishingOptions) {
    this.#options = options;
    this.#margins = options.margins ?? new Margins();
    this.#pointerKey = pointerKey(options.graph.jobId);
    this.#resultKey = resultKey(options.graph.jobId);
  }

  observe({ event, index: at, atUs }: HistoryEvent): void {
    switch (event.kind) {
      case 'leadership-acquired':
        if (this.#rememberedAt >= 0) this.#knowing.add(event.epoch);
        return forgetOldest(this.#knowing, EPISODES_KEPT);
      case 'task-deployed':
        this.#onDeployed(event, at);
        return;
      case 'end-of-data-reached':
        this.#onEndOfData(event.attempt, event.mode === 'drain', at);
        return;
      case 'snapshot-taken': {
        const attempt = this.#attempts.get(event.attempt);
        if (attempt !== undefined) attempt.lastSnapshot = event.checkpointId;
        if (attempt?.isDrained === true && attempt.finalCheckpoint === 0) attempt.finalCheckpoint = event.checkpointId;
        return;
      }
      case 'task-state':
        if (event.state === 'finished') this.#onFinished(event.attempt, { at, atUs });
        return;
      case 'transaction-opened':
        this.#onOpened(event.transaction, event.producerEpoch, at);
        return;
      case 'coordination-updated':
        if (event.key === this.#pointerKey) this.#onPointer(event.value, atUs);
        if (event.key === this.#resultKey && !this.#isOlder(event.value)) this.#rememberedAt = at;
        return;
      default:
    }
  }

  /** A savepoint that the job stops with counts like a checkpoint; a run that somebody submitted anew is not over (row C28). */
  #onPointer(value: string, atUs: number): void {
    const { completed, job } = decodePointer(value);
    const stoppedWith = SAVEPOINT_ID.exec(job?.ended?.location ?? '')?.[1];
    const newest = Math.max(this.#newestNamed, completed.at(-1)?.id ?? 0, Number(stoppedWith ?? 0));
    if (newest > this.#newestNamed) this.#namedUs = atUs;
    this.#newestNamed = newest;
    if (stoppedWith !== undefined) this.#stoppedWith.add(Number(stoppedWith));
    forgetOldest(this.#stoppedWith, EPISODES_KEPT);
    if (job === undefined || job.run === this.#run) return;
    this.#run = job.run;
    this.#rememberedAt = -1;
    this.#knowing.clear();
  }

  #isOlder(value: string): boolean {
    return value !== '' && runOf(decodeResult(value)) < this.#run;
  }

  /** Entries of memory; bounded, whatever the length of the life. */
  get remembered(): number {
    return this.#attempts.size + this.#stoppedWith.size + this.#knowing.size;
  }

  finish(): Verdict[] {
    return this.#findings.verdicts(`${String(this.#finished)} attempts finished, each in its turn`);
  }

  #onDeployed(event: Extract<HistoryEvent['event'], { readonly kind: 'task-deployed' }>, at: number): void {
    const { attempt, vertex, subtask, parallelism, epoch, jobAttempt } = event;
    const deployment = `${String(epoch)}/${String(jobAttempt)}`;
    // A region that restarts replaces attempts within a deployment; what was replaced feeds nobody any more.
    for (const former of this.#attempts.values()) {
      if (former.vertex === vertex && former.subtask === subtask) former.isReplaced = true;
    }
    this.#attempts.set(attempt, {
      vertex,
      subtask,
      parallelism,
      deployment,
      endedAt: -1,
      lastSnapshot: 0,
      isDrained: false,
      finalCheckpoint: 0,
      isFinished: false,
      isReplaced: false,
    });
    forgetOldest(this.#attempts, ATTEMPTS_KEPT);
    if (!this.#knowing.has(epoch)) return;
    this.#findings.violated('deployed-after-finish', [this.#rememberedAt, at], () => {
      return `Epoch ${String(epoch)} deploys the job, though its result was durable when the epoch began`;
    });
  }

  #onEndOfData(id: number, isDrained: boolean, at: number): void {
    const attempt = this.#attempts.get(id);
    if (attempt === undefined) return;
    if (attempt.endedAt >= 0) {
      this.#findings.violated('end-of-data-twice', [attempt.endedAt, at], () => {
        return `${this.#nameOf(attempt)} (attempt ${String(id)}) reaches the end of its data again`;
      });
    }
    attempt.endedAt = at;
    attempt.isDrained = isDrained;
  }

  #onFinished(id: number, { at, atUs }: { readonly at: number; readonly atUs: number }): void {
    const attempt = this.#attempts.get(id);
    if (attempt === undefined) return;
    attempt.isFinished = true;
    this.#finished += 1;
    const isCovered = attempt.finalCheckpoint !== 0 && this.#newestNamed >= attempt.finalCheckpoint;
    if (isCovered && this.#newestNamed === attempt.finalCheckpoint)
      this.#margins.near('finishing/end-after-final-checkpoint', atUs - this.#namedUs, at);
    if (attempt.isDrained && this.#options.isCheckpointing && !isCovered) {
      this.#findings.violated('finished-without-final-checkpoint', [attempt.endedAt, at], () => {
        return `${this.#nameOf(attempt)} finishes, but no durable checkpoint was taken behind the end of its data`;
      });
    }
    if (attempt.endedAt >= 0 && !attempt.isDrained && !this.#stoppedWith.has(attempt.lastSnapshot)) {
      this.#findings.violated('stopped-with-other-checkpoint', [attempt.endedAt, at], () => {
        return `${this.#nameOf(attempt)} stops behind checkpoint ${String(attempt.lastSnapshot)}, with which no run of the job was stopped`;
      });
    }
    const producer = this.#producersOf(attempt).find(({ isFinished }) => !isFinished);
    if (producer === undefined) return;
    this.#findings.violated('finished-before-producer', [at], () => {
      return `${this.#nameOf(attempt)} finishes before ${this.#nameOf(producer)}, which feeds it`;
    });
  }

  #onOpened(transaction: string, attemptId: number, at: number): void {
    const attempt = this.#attempts.get(attemptId);
    const checkpoint = Number(TRANSACTION.exec(transaction)?.[1] ?? 0);
    if (attempt === undefined || attempt.finalCheckpoint === 0 || checkpoint <= attempt.finalCheckpoint) return;
    this.#findings.violated('began-after-finish', [attempt.endedAt, at], () => {
      return `${this.#nameOf(attempt)} opens transaction ${transaction}, though checkpoint ${String(attempt.finalCheckpoint)} was behind its last record`;
    });
  }

  #producersOf(consumer: Attempt): readonly Attempt[] {
    const edges = this.#options.graph.edges.filter(({ to }) => to === consumer.vertex);
    const feeds = (edge: JobEdge, { subtask, parallelism }: Attempt): boolean =>
      feedsSubtask(edge, subtask, consumer.subtask, () => ({
        producers: parallelism,
        consumers: consumer.parallelism,
      }));
    return [...this.#attempts.values()].filter(
      (producer) =>
        !producer.isReplaced &&
        producer.deployment === consumer.deployment &&
        edges.some((edge) => edge.from === producer.vertex && feeds(edge, producer)),
    );
  }

  #nameOf({ vertex, subtask }: Attempt): string {
    return `${this.#options.graph.vertices[vertex]?.name ?? 'vertex'} ${String(subtask)}`;
  }
}
