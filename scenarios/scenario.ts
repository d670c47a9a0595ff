/**
 * Scenario: what shall happen, fully resolved from a file. Units are gone (microseconds, bytes), defaults are filled in; what is left
 * open is chance, and `compile` draws it.
 *
 * Owns: the record. Does not own: how it is written down (schema.ts, parse.ts) and how it becomes a plan (compile.ts).
 */
import type { NodeId } from '../engine/foundation/ids.ts';
import type { SinkSpec } from '../engine/job/job-graph.ts';
import type { ClientCommand } from '../engine/protocol/client-operations.ts';
import type { EngineConfiguration } from '../engine/protocol/configuration.ts';
import type { FaultPoint } from '../sim/faults/checkpoint-point.ts';
import type { Fault, UserCall } from '../sim/faults/fault.ts';
import type { ClusterPlan, Expectation, LivenessPlan, PlanLimits, SinkPlan, TopicPlan } from '../sim/plan.ts';
import type { StoragePhysics } from '../sim/services/storage-physics.ts';
import type { Parameters } from './jobs/job-definition.ts';
import type { NemesisName } from './nemeses/nemesis-name.ts';
import type { ServiceName } from '../sim/node-names.ts';
import type { SearchName } from './strategies/strategy-names.ts';

/** Both ends belong to it. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** `numerator` of `denominator` cases. */
export interface Ratio {
  readonly numerator: number;
  readonly denominator: number;
}

/** When a fault strikes. */
export type FaultTime =
  /** Once, at a time within the range. */
  | { readonly kind: 'at'; readonly atUs: Range }
  /** Once, at a logical point of a checkpoint's life. */
  | {
      readonly kind: 'point';
      readonly point: FaultPoint;
      readonly checkpoint?: number;
      readonly vertex?: number;
      readonly subtask?: number;
      readonly node?: NodeId;
      /** A range is drawn by each seed: how much has happened before, which is what keeps a fault from striking a job that has nothing to lose. */
      readonly occurrence: number | Range;
      readonly afterUs?: Range;
    }
  /** Again and again until the storm ends, this far apart. */
  | { readonly kind: 'every'; readonly gapUs: Range; readonly afterUs: number };

/**
 * Who is hit. `taskmanager`, `jobmanager`, `machine` (either): one of them, chosen anew for each fault. `taskmanagers`, `jobmanagers`, `all`: every one of them. Else the
 * name of a node.
 */
export type FaultTarget = string;

/** What goes wrong. Lengths are ranges, drawn anew for each fault. */
export type FaultAction =
  | { readonly kind: 'crash'; readonly target: FaultTarget; readonly restartAfterUs: Range | 'never' }
  /** `service` absent: the storage of checkpoints. */
  | { readonly kind: 'power-loss'; readonly service?: 'sink'; readonly restartAfterUs: Range }
  | { readonly kind: 'pause'; readonly target: FaultTarget; readonly forUs: Range }
  | { readonly kind: 'slow-cpu'; readonly target: FaultTarget; readonly factor: number; readonly forUs: Range }
  | {
      readonly kind: 'out-of-memory';
      readonly target: FaultTarget;
      readonly headroomBytes: Range;
      readonly restartAfterUs: Range;
    }
  | { readonly kind: 'disk-damage'; readonly target: FaultTarget; readonly chance: Ratio; readonly forUs: Range }
  | {
      readonly kind: 'throw';
      readonly target: FaultTarget;
      readonly vertex?: number;
      readonly call?: UserCall;
      readonly afterCalls?: Range;
      readonly recoverable: boolean;
    }
  | { readonly kind: 'clock-step'; readonly target: FaultTarget; readonly byUs: Range; readonly forUs?: Range }
  | { readonly kind: 'clock-drift'; readonly target: FaultTarget; readonly byPpm: number; readonly forUs: Range }
  | {
      readonly kind: 'hang';
      readonly target: FaultTarget;
      readonly vertex?: number;
      readonly call?: UserCall;
      readonly hangUs: Range;
    }
  | {
      readonly kind: 'partition';
      readonly shape: 'isolate-one' | 'halves' | 'one-way' | 'pair';
      readonly target: FaultTarget;
      readonly forUs: Range;
    }
  | {
      readonly kind: 'cut' | 'hold';
      readonly target: FaultTarget;
      readonly from: FaultTarget;
      readonly oneWay: boolean;
      readonly forUs: Range;
    }
  | { readonly kind: 'reset'; readonly target: FaultTarget; readonly peer: FaultTarget }
  | {
      readonly kind: 'delay';
      readonly target: FaultTarget;
      readonly peer: FaultTarget;
      readonly extraUs: Range;
      readonly forUs: Range;
    }
  | {
      readonly kind: 'loss' | 'duplicate' | 'reorder';
      readonly target: FaultTarget;
      readonly peer: FaultTarget;
      readonly chance: Ratio;
      readonly forUs: Range;
    }
  | {
      readonly kind: 'slow-link';
      readonly target: FaultTarget;
      readonly peer: FaultTarget;
      readonly factor: number;
      readonly forUs: Range;
    }
  | {
      readonly kind: 'service';
      readonly service: ServiceName;
      readonly effect: Extract<Fault, { kind: 'service' }>['effect'];
      readonly factor: number;
      readonly chance: Ratio;
      readonly forUs: Range;
    }
  /** Several faults that belong together, drawn as one (scenarios/nemeses). */
  | { readonly kind: 'nemesis'; readonly name: NemesisName | 'any'; readonly forUs?: Range; readonly timeScale: Ratio }
  /** Somebody operates the job. */
  | { readonly kind: 'operation'; readonly command: ClientCommand };

/** One line of the scenario's fault list. */
export interface FaultRule {
  readonly time: FaultTime;
  /** In how many plans it is at all. */
  readonly inPlan: Ratio;
  readonly action: FaultAction;
}

/** How sources and sinks talk to the outside. */
export interface ConnectorOptions {
  readonly recordBytes: number;
  readonly fetchRecords: number;
  readonly fetchWaitUs: number;
  /** Records per write request of the sink. */
  readonly sinkBatchRecords: number;
}

/** One value that a seed may draw. */
export interface SwarmAlternative {
  /** As the schema reads it. */
  readonly value: unknown;
  /** As it was written, on one line. */
  readonly label: string;
  readonly weight: number;
}

/** How wrong the wall clock of a node is at most, either way; each node draws its own. */
export interface ClockBounds {
  readonly offsetUs: number;
  readonly driftPpm: number;
}

export interface ClusterSettings extends Omit<ClusterPlan, 'clocks'> {
  readonly clocks?: ClockBounds;
}

export interface SwarmDimension {
  /** Keys from the top of the file, joined by dots. */
  readonly path: string;
  readonly alternatives: readonly SwarmAlternative[];
}

/** What the seeds of a scenario draw; plain JSON. */
export interface Swarm {
  /** The file as the schema reads it, complete: alternatives are put into it. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly dimensions: readonly SwarmDimension[];
  /** Each fault rule is there in half of the plans. */
  readonly faultSubset: boolean;
}

export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Used when the command line names no seed. */
  readonly seed?: string;
  readonly job: {
    readonly use: string;
    readonly parallelism: number;
    /** Guarantee of the sink. */
    readonly guarantee: SinkSpec['guarantee'];
    /** Every parameter of the job, defaults filled in. */
    readonly parameters: Parameters;
  };
  readonly topics: readonly TopicPlan[];
  readonly connectors: ConnectorOptions;
  readonly cluster: ClusterSettings;
  readonly engine: EngineConfiguration;
  readonly storage: StoragePhysics;
  readonly transactionTimeoutUs: number;
  /** Absent: the sink store. */
  readonly sink?: SinkPlan;
  readonly faults: readonly FaultRule[];
  readonly liveness: LivenessPlan;
  readonly limits: PlanLimits;
  readonly expect: Expectation;
  /** Where seeds draw their options; what stands above is then what was written beside it. */
  readonly swarm?: Swarm;
  /** By strategy, or `swarm/` and a feature: why what it changes leaves nothing of the promise to be kept. */
  readonly notFor?: Readonly<Partial<Record<SearchName, string>>>;
}
