/**
 * Restarts that wait for their delay, for cancelled tasks to end, or for slots (rows F3, F4; Flink: ExecutionVertexVersioner,
 * DefaultScheduler.restartTasks).
 *
 * Owns: a version per subtask and the waiting restarts. Does not own: cancelling and deploying (the job master).
 * Invariants:
 *   I1 each failure that touches a subtask raises its version, and a restart runs for those subtasks only whose version it knows: the
 *      newest failure decides, an overtaken restart does nothing;
 *   I2 no subtask is in two restarts that are due.
 */
import type { ExecutionVertexId } from './pipelined-regions.ts';

interface VersionedSubtask extends ExecutionVertexId {
  readonly version: number;
}

interface PendingRestart {
  readonly subtasks: readonly VersionedSubtask[];
  readonly atUs: number;
}

const keyOf = ({ vertex, subtask }: ExecutionVertexId): string => `${vertex}/${subtask}`;

export class PendingRestarts {
  readonly #versions = new Map<string, number>();
  #waiting: readonly PendingRestart[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** These subtasks failed, or must restart with one that did. */
  schedule(subtasks: readonly ExecutionVertexId[], atUs: number): void {
    this.#waiting = [...this.#waiting, { subtasks: subtasks.map((subtask) => this.#modified(subtask)), atUs }];
  }

  /** The whole job restarts: every restart that waits is overtaken. */
  overtakeAll(): void {
    for (const { subtasks } of this.#waiting) for (const subtask of subtasks) this.#modified(subtask);
    this.#waiting = [];
  }

  /** Restarts whose delay is over, each with the subtasks nobody modified since; overtaken ones are dropped (I1). */
  due(nowUs: number): readonly (readonly ExecutionVertexId[])[] {
    this.#waiting = this.#waiting.filter((restart) => this.#unmodified(restart).length > 0);
    return this.#waiting.filter(({ atUs }) => atUs <= nowUs).map((restart) => this.#unmodified(restart));
  }

  /** They were deployed anew. */
  done(subtasks: readonly ExecutionVertexId[]): void {
    for (const subtask of subtasks) this.#modified(subtask);
    this.#waiting = this.#waiting.filter((restart) => this.#unmodified(restart).length > 0);
  }

  #modified(subtask: ExecutionVertexId): VersionedSubtask {
    const version = (this.#versions.get(keyOf(subtask)) ?? 0) + 1;
    this.#versions.set(keyOf(subtask), version);
    return { vertex: subtask.vertex, subtask: subtask.subtask, version };
  }

  #unmodified(restart: PendingRestart): readonly VersionedSubtask[] {
    return restart.subtasks.filter((subtask) => this.#versions.get(keyOf(subtask)) === subtask.version);
  }
}
