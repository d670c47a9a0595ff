/**
 * Every kind of fault that a cluster may suffer, as fast-check arbitraries without a time.
 *
 * Owns: which kinds fit a plan: its nodes, what its services are, whether somebody operates the job. Left out is what ends a job for good, and
 * says nothing of its engine: an error that no restart can help, a crash of a JobManager without high availability, a stop without a start, and
 * a start from an older snapshot, by which a user loses or doubles what was committed since.
 */
import fc from 'fast-check';
import { SAVEPOINT_FORMATS } from '../../scenarios/schema/operation-schema.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import type { ClientCommand } from '../../engine/protocol/client-operations.ts';
import type { EngineConfiguration } from '../../engine/protocol/configuration.ts';
import { type Fault, USER_CALLS } from '../../sim/faults/fault.ts';
import {
  allNodes,
  brokerNodes,
  CLIENT_NODE,
  type ClusterSize,
  jobManagerNodes,
  machineNodes,
  SERVICE_NAMES,
  SERVICE_NODES,
  type ServiceName,
  taskManagerNodes,
} from '../../sim/node-names.ts';
import type { SimulationPlan } from '../../sim/plan.ts';

/** What a fault plan needs to know of a plan or scenario. What is not said is as in the smallest one, and kinds that need more are left out. */
export interface FaultedPlan {
  readonly cluster: ClusterSize & { readonly slots?: number };
  readonly liveness: Pick<SimulationPlan['liveness'], 'stormUs'>;
  readonly sink?: { readonly kind: NonNullable<SimulationPlan['sink']>['kind'] } | undefined;
  readonly engine?: Pick<EngineConfiguration, 'highAvailability'> & {
    readonly checkpoint: Pick<EngineConfiguration['checkpoint'], 'storage' | 'intervalUs' | 'retention'>;
  };
}

export type FaultBody = Fault extends infer F ? (F extends Fault ? Omit<F, 'id' | 'trigger'> : never) : never;
type Bodies = fc.Arbitrary<FaultBody>[];
type ServiceEffect = Extract<Fault, { kind: 'service' }>['effect'];

const FOR_US = fc.oneof(fc.integer({ min: 1_000, max: 1_000_000 }), fc.integer({ min: 1_000_000, max: 15_000_000 }));
const RESTART_AFTER_US = fc.integer({ min: 1_000, max: 5_000_000 });
const CHANCE = fc.constantFrom(
  { numerator: 1, denominator: 5 },
  { numerator: 1, denominator: 2 },
  { numerator: 1, denominator: 1 },
);
const kind = <Kind extends Fault['kind']>(name: Kind): fc.Arbitrary<Kind> => fc.constant(name);

/** Each in a list of its own kind, so that all kinds come alike often. */
export function faultBodies(plan: FaultedPlan): Bodies {
  return [
    ...ofProcesses(plan),
    ...ofNetwork(plan),
    ...ofServices(plan),
    ...ofClocks(plan),
    ...(operations(plan).length === 0
      ? []
      : [fc.record({ kind: kind('operation'), command: fc.oneof(...operations(plan)) })]),
  ];
}

function ofProcesses({ cluster, engine, sink }: FaultedPlan): Bodies {
  const taskManager = fc.constantFrom(...taskManagerNodes(cluster));
  const machine = fc.constantFrom(...machineNodes(cluster));
  const survives = engine?.highAvailability.kind !== 'none';
  const mayEnd = survives ? machine : taskManager;
  const service = fc.constantFrom(...Object.values(SERVICE_NODES), ...brokerNodes(cluster));
  return [
    fc.record({ kind: kind('crash'), node: mayEnd, restartAfterUs: RESTART_AFTER_US }),
    fc.record({ kind: kind('crash'), node: service, restartAfterUs: RESTART_AFTER_US }),
    fc.record({
      kind: kind('power-loss'),
      // Output files are the only ones beside those of checkpoints that power takes.
      node: fc.constantFrom(SERVICE_NODES.storage, ...(sink?.kind === 'file' ? [SERVICE_NODES.sink] : [])),
      restartAfterUs: RESTART_AFTER_US,
    }),
    fc.record({ kind: kind('pause'), node: machine, forUs: FOR_US }),
    fc.record({ kind: kind('slow-cpu'), node: machine, factor: fc.constantFrom(5, 1_000), forUs: FOR_US }),
    fc.record({
      kind: kind('out-of-memory'),
      node: mayEnd,
      headroomBytes: fc.constantFrom(0, 1_000, 20_000),
      restartAfterUs: RESTART_AFTER_US,
    }),
    fc.record({
      kind: kind('disk-damage'),
      node: taskManager,
      chance: CHANCE,
      place: fc.nat(1_000_000),
      forUs: FOR_US,
    }),
    fc.record({
      kind: kind('throw'),
      node: taskManager,
      afterCalls: fc.nat(60),
      recoverable: fc.constant(true),
      call: fc.constantFrom(...USER_CALLS),
    }),
    fc.record({ kind: kind('hang'), node: taskManager, hangUs: FOR_US, call: fc.constantFrom(...USER_CALLS) }),
  ];
}

interface Sides {
  readonly a: readonly NodeId[];
  readonly b: readonly NodeId[];
}

function ofNetwork({ cluster }: FaultedPlan): Bodies {
  // Nothing strikes those who operate the job.
  const nodes = allNodes(cluster).filter((node) => node !== CLIENT_NODE);
  const machines = machineNodes(cluster);
  const sides: fc.Arbitrary<Sides> = fc
    .subarray(nodes, { minLength: 1, maxLength: nodes.length - 1 })
    .map((a) => ({ a, b: nodes.filter((node) => !a.includes(node)) }));
  const alone = fc.constantFrom(...machines).map((node) => ({ a: [node], b: nodes.filter((one) => one !== node) }));
  const pair = fc
    .tuple(fc.constantFrom(...machines), fc.constantFrom(...nodes))
    .filter(([one, other]) => one !== other)
    .map(([one, other]) => ({ a: [one], b: [other] }));
  const withBridge = fc
    .tuple(fc.constantFrom(...nodes), sides)
    .map(([bridge, { a, b }]) => ({ a: without(a, bridge), b: without(b, bridge) }))
    .filter(({ a, b }) => a.length > 0 && b.length > 0);
  // Whoever it is, a majority of the others still reaches it.
  const ofRing = fc
    .tuple(
      fc.constantFrom(...machines),
      fc.subarray(nodes, { minLength: 1, maxLength: Math.ceil(nodes.length / 2) - 1 }),
    )
    .map(([node, others]) => ({ a: without(others, node), b: [node] }))
    .filter(({ a }) => a.length > 0);
  type Shape = Extract<Fault, { kind: 'partition' }>['shape'];
  const partition = (shape: Shape, drawn: fc.Arbitrary<Sides>, oneWay: boolean): fc.Arbitrary<FaultBody> =>
    fc.tuple(drawn, FOR_US).map(([{ a, b }, forUs]) => ({ kind: 'partition', shape, a, b, oneWay, forUs }));
  const degraded = fc.oneof(sides, alone, pair);
  return [
    fc.oneof(
      partition('halves', sides, false),
      partition('one-way', sides, true),
      partition('isolate-one', alone, false),
      partition('pair', pair, false),
      partition('bridge', withBridge, false),
      partition('ring', ofRing, true),
    ),
    fc
      .tuple(degraded, FOR_US, fc.boolean())
      .map(([{ a, b }, forUs, oneWay]) => ({ kind: 'hold' as const, a, b, oneWay, forUs })),
    degraded.map(({ a, b }) => ({ kind: 'reset' as const, a, b })),
    fc.tuple(degraded, FOR_US).map(([{ a, b }, forUs]) => ({
      kind: 'delay' as const,
      a,
      b,
      extraUs: { low: 1_000, high: 2_000_000 },
      forUs,
    })),
    fc
      .tuple(fc.constantFrom('loss' as const, 'duplicate' as const, 'reorder' as const), degraded, CHANCE, FOR_US)
      .map(([one, { a, b }, chance, forUs]) => ({ kind: one, a, b, chance, forUs })),
    fc.tuple(degraded, FOR_US).map(([{ a, b }, forUs]) => ({ kind: 'slow-link' as const, a, b, factor: 1_000, forUs })),
  ];
}

const without = (nodes: readonly NodeId[], node: NodeId): readonly NodeId[] => nodes.filter((one) => one !== node);

/** Which services know an effect, where the plan has such ones. */
function effects({ cluster, engine }: FaultedPlan): Readonly<Record<ServiceEffect, readonly ServiceName[]>> {
  const when = (isThere: boolean, service: ServiceName): readonly ServiceName[] => (isThere ? [service] : []);
  const election = engine?.highAvailability.kind;
  return {
    slow: SERVICE_NAMES,
    unavailable: SERVICE_NAMES,
    fail: SERVICE_NAMES,
    'unknown-outcome': SERVICE_NAMES,
    'session-expiry': when(election === 'zookeeper', 'coordination'),
    'watch-loss': when(election === 'kubernetes', 'coordination'),
    throttled: ['storage'],
    'write-fails': ['storage'],
    'disk-full': ['storage'],
    'namenode-outage': when(engine?.checkpoint.storage.kind === 'hdfs', 'storage'),
    'bit-rot': ['storage'],
    'short-read': ['storage'],
    missing: ['storage'],
    'stale-list': ['storage'],
    fence: when(brokerNodes(cluster).length > 0, 'sink'),
  };
}

function ofServices(plan: FaultedPlan): Bodies {
  const known = Object.entries(effects(plan)).flatMap(([effect, services]) =>
    services.map((service) => ({ effect: effect as ServiceEffect, node: SERVICE_NODES[service] })),
  );
  const isOfAll = ({ effect }: { readonly effect: ServiceEffect }): boolean =>
    effect === 'slow' || effect === 'unavailable' || effect === 'fail' || effect === 'unknown-outcome';
  const service = (drawn: readonly (typeof known)[number][]): fc.Arbitrary<FaultBody> =>
    fc
      .tuple(fc.constantFrom(...drawn), CHANCE, FOR_US)
      .map(([{ effect, node }, chance, forUs]) => ({ kind: 'service', node, effect, factor: 50, chance, forUs }));
  return [service(known.filter(isOfAll)), service(known.filter((one) => !isOfAll(one)))];
}

function ofClocks({ cluster }: FaultedPlan): Bodies {
  const node = fc.constantFrom(...machineNodes(cluster));
  const byUs = fc.integer({ min: -10_000_000, max: 10_000_000 });
  return [
    fc.oneof(
      fc.record({ kind: kind('clock-step'), node, byUs }),
      fc.record({ kind: kind('clock-step'), node, byUs, forUs: FOR_US }),
    ),
    fc.record({
      kind: kind('clock-drift'),
      node,
      driftPpm: fc.integer({ min: -20_000, max: 20_000 }),
      forUs: FOR_US,
    }),
  ];
}

/** Only where somebody is there to ask. */
function operations({ cluster, engine }: FaultedPlan): fc.Arbitrary<ClientCommand>[] {
  if ((cluster.clients ?? 0) === 0 || engine === undefined || engine.checkpoint.intervalUs === 0) return [];
  const format = fc.constantFrom(...SAVEPOINT_FORMATS);
  const slots = cluster.taskManagers * (cluster.slots ?? 1);
  const parallelism = fc.integer({ min: 1, max: slots });
  const thenResume = fc.record({
    from: fc.constant('what-it-left' as const),
    claimMode: fc.constantFrom('claim' as const, 'no-claim' as const),
    allowNonRestored: fc.constant(false),
  });
  const cancel = fc.record({ kind: fc.constant('cancel' as const), thenResume });
  return [
    fc.record({ kind: fc.constant('savepoint' as const), format }),
    fc.record({
      kind: fc.constant('checkpoint' as const),
      checkpoint: fc.constantFrom('configured' as const, 'full' as const, 'incremental' as const),
    }),
    fc.record({ kind: fc.constant('dispose-savepoint' as const) }),
    fc.record({ kind: fc.constant('rescale' as const), parallelism }),
    fc.record({
      kind: fc.constant('stop-with-savepoint' as const),
      drain: fc.constant(false),
      format,
      thenResume,
    }),
    // Nothing is left to begin from where it is not kept.
    ...(engine.checkpoint.retention === 'retain-on-cancellation' ? [cancel] : []),
  ];
}

/** Machines at which something of a checkpoint's life happens. */
export const engineNodes = ({ cluster }: FaultedPlan): readonly NodeId[] => [
  ...jobManagerNodes(cluster),
  ...taskManagerNodes(cluster),
];
