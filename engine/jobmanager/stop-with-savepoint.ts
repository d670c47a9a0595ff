/**
 * A stop with savepoint on its way (row C28; Flink: StopWithSavepointTerminationManager and its handler's states).
 *
 *     savepoint --durable--> finishing --every execution FINISHED--> finished, with the savepoint
 *         |                      '-----any execution ends otherwise--> failed for good, with the savepoint
 *         '---fails---> the job runs on, periodic checkpoints with it; where a task could not go on, it restarts
 *
 * Owns: how far it is. Does not own: the savepoint (the coordinator), the tasks (they block after their snapshot, and finish on notice).
 * Invariants: I1 periodic checkpoints are off exactly while it is under way (A10 in bugs.md); I2 once the savepoint is durable the job
 * is never restarted from an older checkpoint: its completion has committed the sinks.
 */
import type { CheckpointCoordinator } from '../checkpoint/checkpoint-coordinator.ts';
import type { RequestEnd } from '../checkpoint/checkpoint-request.ts';
import type { Micros } from '../foundation/time.ts';
import type { EngineParts } from '../parts.ts';
import type { Out } from '../protocol/actor.ts';
import { savepointProperties } from '../protocol/checkpoint-properties.ts';
import type { ClientOperation } from '../protocol/client-operations.ts';

export interface StopHost {
  /** The job as a whole is neither restarting nor ending. */
  jobRuns(): boolean;
  /** And every execution runs or has finished: no region restarts. */
  isWhole(): boolean;
  /** The savepoint is good, but the job did not stop with it: it fails, and is not restarted. */
  failForGood(nowUs: Micros, out: Out): void;
  /** The savepoint failed; the job does not stop. */
  stopFailed(reason: string, nowUs: Micros, out: Out): void;
}

export interface StopOptions {
  readonly triggerId: string;
  readonly operation: Extract<ClientOperation, { kind: 'stop-with-savepoint' }>;
  readonly isUnaligned: boolean;
  readonly coordinator: CheckpointCoordinator;
  readonly parts: EngineParts;
  readonly host: StopHost;
}

export class StopWithSavepoint {
  readonly #options: StopOptions;
  #phase: 'savepoint' | 'finishing' | 'over' = 'savepoint';
  #location: string | undefined;

  constructor(options: StopOptions) {
    this.#options = options;
  }

  get triggerId(): string {
    return this.#options.triggerId;
  }
  /** I2. */
  get isFinishing(): boolean {
    return this.#phase === 'finishing';
  }
  /** Of the savepoint, when it is durable. */
  get location(): string | undefined {
    return this.#location;
  }

  begin(nowUs: Micros, out: Out): void {
    const { coordinator, operation, isUnaligned, triggerId } = this.#options;
    coordinator.stopScheduler(nowUs, out);
    const snapshot = operation.drain ? 'terminate-savepoint' : 'suspend-savepoint';
    const request = {
      properties: savepointProperties(snapshot, operation.format, isUnaligned),
      isPeriodic: false,
      atUs: nowUs,
      stopsJobFor: triggerId,
      ended: (end: RequestEnd, endUs: Micros, endOut: Out) => this.#savepointEnded(end, endUs, endOut),
    };
    coordinator.request(request, nowUs, out);
  }

  /** The last of it: what became of the job is told elsewhere. */
  close(): void {
    this.#phase = 'over';
  }

  #savepointEnded(end: RequestEnd, nowUs: Micros, out: Out): void {
    const { host, coordinator, parts } = this.#options;
    if (end.kind === 'completed') {
      this.#phase = 'finishing';
      this.#location = end.location;
      if (!host.isWhole()) host.failForGood(nowUs, out);
      return;
    }
    this.#phase = 'over';
    if (host.jobRuns() && parts.failedStop === 'resumes-checkpoints') coordinator.start(nowUs, out);
    host.stopFailed(end.reason, nowUs, out);
  }
}
