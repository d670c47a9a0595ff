/**
 * A job that people operate, with a real coordinator and store behind it: what `JobOperations` asks of the job is noted.
 * The client's answers are what was sent to it.
 */
import { StoreRegisters } from '../../engine/high-availability/store-registers.ts';
import { JobOperations, type OperatedJob } from '../../engine/jobmanager/job-operations.ts';
import { JobRecord } from '../../engine/jobmanager/job-record.ts';
import { MAIN_MAILBOX, nodeId } from '../../engine/foundation/ids.ts';
import type { EngineParts } from '../../engine/parts.ts';
import { type CheckpointPointer, decodePointer } from '../../engine/protocol/checkpoint-pointer.ts';
import type { ClientOperation, ClientResult } from '../../engine/protocol/client-operations.ts';
import type { CheckpointConfiguration } from '../../engine/protocol/configuration.ts';
import type { JobStatus } from '../../engine/protocol/engine-events.ts';
import { CoordinatorBench, POINTER } from './coordinator-bench.ts';
import { configuration, EPOCH, JOB, REQUEST_TIMEOUT_US } from './engine-values.ts';
import { taskEnvironment } from './task-environments.ts';

const CLIENT = { node: nodeId('client'), mailbox: MAIN_MAILBOX, via: 'datagram' } as const;

export class OperatedBench extends CoordinatorBench {
  readonly operations: JobOperations;
  status: JobStatus = 'running';

  constructor(checkpoint: Partial<CheckpointConfiguration> = {}, parts: Partial<EngineParts> = {}) {
    super({ timeoutUs: 1_000_000, savepointTimeoutUs: 1_000_000, ...checkpoint }, parts);
    const { store, coordinator, storageClient: storage } = this;
    const coordination = new StoreRegisters(this.coordinationClient);
    const environment = taskEnvironment({ configuration: configuration({ checkpoint }), parts });
    const versions = new Map([
      [1, environment.graph],
      [2, { ...environment.graph, name: 'another version' }],
    ]);
    const record = new JobRecord({
      jobId: JOB,
      coordination,
      requestTimeoutUs: REQUEST_TIMEOUT_US,
      store,
      superseded: () => this.calls.push('superseded'),
    });
    this.operations = new JobOperations({
      environment,
      epoch: EPOCH,
      job: this.#job(),
      coordinator,
      store,
      storage,
      record,
      versions: {
        count: { nextAttempt: 0, jobAttempt: 0, hookSequence: 0 },
        graphOf: (version) => (version === undefined ? environment.graph : versions.get(version)),
        upgraded: () => this.calls.push('upgraded'),
      },
    });
    this.furtherTimer = (timer) => this.operations.handleTimer(timer, this.out.nowUs, this.out);
  }

  ask(triggerId: string, operation: ClientOperation): this {
    this.operations.handle({ kind: 'client-request', triggerId, operation }, CLIENT, this.out.nowUs, this.out);
    return this;
  }

  /** What the client was told last. */
  told(triggerId: string): ClientResult | undefined {
    return this.out
      .all('client-reply')
      .filter((reply) => reply.triggerId === triggerId)
      .at(-1)?.result;
  }

  get pointer(): CheckpointPointer {
    return decodePointer(this.coordination.valueOf(POINTER) ?? '');
  }

  #job(): OperatedJob {
    const end = (status: JobStatus): void => {
      this.status = status;
      this.calls.push(status);
      this.coordinator.stop('checkpoint-coordinator-suspend', this.out.nowUs, this.out);
    };
    const status = (): JobStatus => this.status;
    return {
      get status() {
        return status();
      },
      get isWhole() {
        return status() === 'running';
      },
      cancel: () => end('canceling'),
      failForGood: () => end('failing'),
      ended: ({ ended }) => {
        this.status = ended.status;
        this.calls.push(`ended ${ended.status}`);
      },
      resubmitted: () => this.calls.push('resubmitted'),
    };
  }
}
