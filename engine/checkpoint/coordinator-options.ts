/** What the checkpoint coordinator is given (Flink: the constructor of CheckpointCoordinator). */
import type { CheckpointedCoordinators } from '../coordination/checkpointed-coordinators.ts';
import type { LeaderEpoch } from '../foundation/ids.ts';
import type { NamedRegisters } from '../high-availability/named-registers.ts';
import type { JobGraph } from '../job/job-graph.ts';
import type { EngineParts } from '../parts.ts';
import type { EngineConfiguration } from '../protocol/configuration.ts';
import type { WallClock } from '../protocol/wall-clock.ts';
import type { CompletedCheckpointStore } from './completed-checkpoint-store.ts';
import type { MasterHooks } from './master-hooks.ts';
import type { CoordinatorHost } from './coordinator-host.ts';
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts';

export interface CoordinatorOptions {
  readonly jobId: string;
  readonly graph: Pick<JobGraph, 'vertices' | 'edges'>;
  readonly epoch: LeaderEpoch;
  readonly configuration: EngineConfiguration;
  readonly parts: EngineParts;
  readonly host: CoordinatorHost;
  readonly storage: CheckpointStorage;
  readonly wallClock: WallClock;
  readonly coordination: NamedRegisters;
  readonly store: CompletedCheckpointStore;
  /** Master hooks of the job; default: none. */
  readonly hooks?: MasterHooks;
  /** Operator coordinators of the job; default: none. */
  readonly coordinators?: CheckpointedCoordinators;
  /** Last id ever used and the version of the counter that says so. */
  readonly counter: { readonly value: number; readonly version: number };
}
