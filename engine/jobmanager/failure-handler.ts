/**
 * What a failure means: nothing is restarted, some subtasks are, or all (rows F1, F2; Flink: ExecutionFailureHandler,
 * ThrowableClassifier).
 *
 * Owns: the restart strategy, and so its count. Does not own: acting on the answer (the job master).
 * I1: a job that is submitted again has a strategy of its own (Flink: one JobMaster a job), and the failures of the run before count no more.
 */
import type { EngineParts } from '../parts.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { RestartCause } from '../protocol/engine-events.ts';
import type { Jitter } from '../protocol/jitter.ts';
import type { ExecutionVertexId, PipelinedRegions } from './pipelined-regions.ts';
import { RestartBackoff } from './restart-backoff.ts';

export type FailureHandling =
  /** The error is none that a restart can mend, or the restart strategy has no attempt left. */
  | { readonly kind: 'fail-job' }
  | {
      readonly kind: 'restart';
      /** `job`: every subtask, by a new deployment of the whole. */
      readonly scope: 'job' | 'region';
      readonly subtasks: readonly ExecutionVertexId[];
      readonly delayUs: number;
    };

/** Row F2, Flink's ThrowableType.NonRecoverableError: trying again cannot help. */
const NON_RECOVERABLE: ReadonlySet<RestartCause> = new Set<RestartCause>([
  'unrecoverable',
  'incompatible-state',
  'transaction-timeout-refused',
]);

export class FailureHandler {
  readonly #configuration: EngineConfiguration;
  readonly #parts: EngineParts;
  readonly #jitter: Jitter | undefined;
  #backoff: RestartBackoff;

  constructor(configuration: EngineConfiguration, parts: EngineParts, jitter?: Jitter) {
    this.#configuration = configuration;
    this.#parts = parts;
    this.#jitter = jitter;
    this.#backoff = this.#open();
  }

  /** I1. */
  runBegins(): void {
    if (this.#parts.failuresOfEarlierRun === 'forgotten') this.#backoff = this.#open();
  }

  #open(): RestartBackoff {
    return new RestartBackoff(this.#parts.restartStrategy(this.#configuration.restart), this.#jitter);
  }

  /** Subtasks that failed by one event are one failure: a lost TaskManager counts once, however many regions it hosted. */
  handle(
    failure: {
      readonly failed: readonly ExecutionVertexId[];
      readonly cause: RestartCause;
      readonly isGlobal: boolean;
    },
    regions: PipelinedRegions,
    nowUs: number,
  ): FailureHandling {
    if (NON_RECOVERABLE.has(failure.cause)) return { kind: 'fail-job' };
    const delayUs = this.#backoff.onFailure(nowUs);
    if (delayUs === undefined) return { kind: 'fail-job' };
    const { runtime, scheduler } = this.#configuration;
    // Flink's AdaptiveScheduler knows no regions: what fails may come back with another parallelism.
    const isWhole = failure.isGlobal || scheduler.mode === 'adaptive';
    const strategy = isWhole ? 'full' : runtime.failoverStrategy;
    const subtasks = this.#parts.tasksToRestart(strategy, regions, failure.failed);
    return { kind: 'restart', scope: subtasks.length === regions.subtaskCount ? 'job' : 'region', subtasks, delayUs };
  }
}
