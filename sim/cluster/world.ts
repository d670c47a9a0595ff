/**
 * One world: the engine's actors and the outside systems on the nodes of a cluster, with the durable state that outlives them.
 *
 * Owns: which actor runs on which node, and the disks of the services. Does not own: time, faults, judgement (simulate.ts).
 * The one place that sees both the engine's actors and the simulator.
 */
import type { LocalDisk } from '../node/local-disk.ts';
import type { NodeId } from '../../engine/foundation/ids.ts';
import { micros } from '../../engine/foundation/time.ts';
import { ClientNotebook, ClusterClient } from '../../engine/client/cluster-client.ts';
import type { JobGraph } from '../../engine/job/job-graph.ts';
import { JobManager } from '../../engine/jobmanager/job-manager.ts';
import type { EngineParts } from '../../engine/parts.ts';
import type { Jitter } from '../../engine/protocol/jitter.ts';
import type { ServiceNodes } from '../../engine/protocol/service-nodes.ts';
import { trueWallClock } from '../../engine/protocol/wall-clock.ts';
import type { SnapshotObserver } from '../../engine/taskmanager/snapshot-observer.ts';
import type { TaskEnvironment } from '../../engine/taskmanager/task-environment.ts';
import { TaskManager } from '../../engine/taskmanager/task-manager.ts';
import { UserCodeFaults } from '../faults/user-code-faults.ts';
import type { History } from '../history/history.ts';
import type { WorldEvent } from '../history/history-event.ts';
import type { DurableState } from '../judges/judge.ts';
import type { ChoiceSite, Choices } from '../kernel/choice.ts';
import type { EventLoop } from '../kernel/event-loop.ts';
import type { HardwareProfile } from '../node/hardware-profile.ts';
import { NodeClock } from '../node/node-clock.ts';
import type { ScheduledEvent } from '../node/scheduled-event.ts';
import { brokerNodes, CLIENT_NODE, jobManagerNodes, SERVICE_NODES, taskManagerNodes } from '../node-names.ts';
import type { SimulationPlan } from '../plan.ts';
import type { PreparedJob } from '../prepared-job.ts';
import { type CoordinationDisks, coordinationDisks, coordinationService } from './coordination-service.ts';
import { InputFilesDisk } from '../services/input-files.ts';
import { LogBroker } from '../services/log-broker.ts';
import { LogMarkers } from '../services/log-markers.ts';
import { ServiceConditions } from '../services/service-conditions.ts';
import type { BrokerRules } from '../services/kafka/broker-rules.ts';
import { KafkaBroker, type KafkaBrokerOptions } from '../services/kafka/kafka-broker.ts';
import { KafkaCluster } from '../services/kafka/kafka-cluster.ts';
import { OutputDisk } from '../services/output-disk.ts';
import { SinkStore } from '../services/sink-store.ts';
import { SinkStoreDisk } from '../services/sink-store-disk.ts';
import type { StorageDisk } from '../services/storage-disk.ts';
import { RocketMqBroker, RocketMqDisk } from '../services/rocketmq-broker.ts';
import type { ServiceActor } from '../services/service-actor.ts';
import { TableDisk, TableStore } from '../services/table-store.ts';
import { StorageService } from '../services/storage-service.ts';
import { storageDisk } from './storage-service.ts';
import { Cluster } from './actor-host.ts';
import type { NodeSpec } from './hosted-actor.ts';

export interface WorldOptions {
  readonly plan: SimulationPlan;
  readonly job: PreparedJob;
  readonly parts: EngineParts;
  readonly brokerRules: BrokerRules;
  readonly loop: EventLoop<ScheduledEvent>;
  readonly choices: Choices;
  readonly history: History;
  readonly profile: HardwareProfile;
  /** Shown live state at barriers; undefined: nobody judges. */
  readonly observer: SnapshotObserver | undefined;
  /** A service was really affected by a fault. */
  readonly onEffective: (faultId: string) => void;
}

/** A fetch waits for so many records, or for its deadline: batches as a consumer's fetch.min.bytes makes them. */
const FETCH_RECORDS_MIN = 1_000_000;

export class World {
  readonly cluster: Cluster;
  readonly conditions: ReadonlyMap<NodeId, ServiceConditions>;
  readonly userCode: UserCodeFaults;
  /** Wall clocks of the machines that run the engine. */
  readonly clocks: ReadonlyMap<NodeId, NodeClock>;
  readonly durable: DurableState;
  /** Of the storage of checkpoints or of output files, whose node has crashed; true: something was not synced, or was being written. */
  readonly losePower: (node: NodeId) => boolean;
  readonly jobManagers: readonly NodeId[];
  readonly taskManagers: readonly NodeId[];
  /** By partition: how far it was ever read. */
  readonly #readTo: number[] = [];
  #replayed = 0;

  constructor(options: WorldOptions) {
    const { plan, loop, choices, history, profile } = options;
    this.userCode = new UserCodeFaults(options.onEffective);
    const hasUserCodeFaults = plan.faults.some(({ kind }) => kind === 'throw' || kind === 'hang');
    this.jobManagers = jobManagerNodes(plan.cluster);
    this.taskManagers = taskManagerNodes(plan.cluster);
    this.clocks = clocksOf(options, [...this.jobManagers, ...this.taskManagers]);
    const conditions = new Map<NodeId, ServiceConditions>();
    for (const node of Object.values(SERVICE_NODES)) conditions.set(node, new ServiceConditions(options.onEffective));
    this.conditions = conditions;
    const disks = {
      storage: withInputFiles(
        options,
        storageDisk({
          kind: plan.engine.checkpoint.storage.kind,
          physics: plan.storage,
          latency: profile.objectStore,
          delaySite: choices.site('service/object-store/list-delay'),
        }),
      ),
      coordination: coordinationDisks(),
      sink: new SinkStoreDisk(),
      output: outputDisk(options),
      rocketmq: plan.sink?.kind === 'rocketmq' ? new RocketMqDisk(plan.sink.consumers) : undefined,
      table: new TableDisk(),
      sockets: [],
      markers: new LogMarkers(),
      kafka: kafkaCluster(plan, options.brokerRules),
    };
    const powered = new Map<NodeId, StorageDisk | undefined>([
      [SERVICE_NODES.storage, disks.storage],
      [SERVICE_NODES.sink, disks.output],
    ]);
    const losePower = (node: NodeId): boolean => {
      const site = choices.site(`service/${node}/power-loss`);
      const tell = (event: WorldEvent): void => history.record(node, event);
      return powered.get(node)?.losePower(micros(loop.nowUs), site, tell) ?? false;
    };
    this.losePower = losePower;
    this.durable = {
      object: (path) => disks.storage.object(path),
      objects: () => disks.storage.objects(),
      leftovers: () => disks.storage.leftovers(),
      coordination: (key) => disks.coordination[plan.engine.highAvailability.kind].coordination(key),
      abortedRecord: (lineage) => disks.kafka?.aborted(lineage),
      openTransactions: () => (disks.kafka ?? disks.output ?? disks.rocketmq ?? disks.sink).openTransactions(),
    };
    /* Without a service the JobManager's memory is all there is; judges see what it reported. */
    if (plan.engine.highAvailability.kind === 'none')
      history.observe(({ event }) => {
        if (event.kind === 'coordination-updated') disks.coordination.none.replace(event.key, event.value);
      });
    const nodes = [
      ...engineNodes(options, this, hasUserCodeFaults),
      ...serviceNodes(options, conditions, disks, (partition, offset, count) =>
        this.#countRead(partition, offset, count),
      ),
      ...clientNodes(options, this.jobManagers),
    ];
    const { priorities, liveness } = plan;
    const cluster = {
      loop,
      choices,
      history,
      profile,
      nodes,
      ...(priorities === undefined ? {} : { priorities: { ...priorities, untilUs: liveness.stormUs } }),
    };
    this.cluster = new Cluster(
      hasUserCodeFaults ? { ...cluster, takeHangUs: () => this.userCode.takeHangUs() } : cluster,
    );
  }

  /** Records the log has handed out more than once. */
  get replayed(): number {
    return this.#replayed;
  }

  #countRead(partition: number, offset: number, count: number): void {
    const before = this.#readTo[partition] ?? 0;
    this.#replayed += Math.max(0, Math.min(before - offset, count));
    this.#readTo[partition] = Math.max(before, offset + count);
  }
}

function clocksOf({ plan, onEffective }: WorldOptions, nodes: readonly NodeId[]): Map<NodeId, NodeClock> {
  const { clocks = [] } = plan.cluster;
  return new Map(
    nodes.map((node) => [
      node,
      new NodeClock(
        clocks.find((clock) => clock.node === node),
        onEffective,
      ),
    ]),
  );
}

function engineNodes(
  options: WorldOptions,
  world: Pick<World, 'jobManagers' | 'taskManagers' | 'userCode' | 'clocks'>,
  hasUserCodeFaults: boolean,
): NodeSpec[] {
  const { plan, job, parts, choices } = options;
  const environmentOf = (node: NodeId): TaskEnvironment => ({
    node,
    graph: job.graph,
    ...versionsOf(job, (graph) => graph),
    configuration: plan.engine,
    parts,
    services: servicesOf(plan),
    wallClock: world.clocks.get(node)?.read ?? trueWallClock,
    jitter: jitterOf(choices.site(`jitter/${node}`)),
  });
  const taskEnvironmentOf = (node: NodeId): TaskEnvironment => {
    const as = (graph: JobGraph): JobGraph => (hasUserCodeFaults ? world.userCode.wrapped(graph, node) : graph);
    const environment = { ...environmentOf(node), graph: as(job.graph), ...versionsOf(job, as) };
    return options.observer === undefined ? environment : { ...environment, observer: options.observer };
  };
  return [
    ...world.jobManagers.map((id) => ({
      id,
      create: (incarnation: number) =>
        new JobManager({ environment: environmentOf(id), incarnation, taskManagers: world.taskManagers }),
    })),
    ...world.taskManagers.map((id) => ({
      id,
      create: (incarnation: number, disk: LocalDisk) =>
        new TaskManager({ ...taskEnvironmentOf(id), disk }, incarnation),
    })),
  ];
}

/** Whole milliseconds, as Flink draws them; none is the boring option, and longer by one the next. */
function jitterOf(site: ChoiceSite): Jitter {
  return (upToUs) => {
    const option = site.choose(2 * Math.floor(upToUs / 1_000) + 1);
    const ms = option % 2 === 0 ? 0 - option / 2 : (option + 1) / 2;
    return ms * 1_000;
  };
}

/** The first version is the job as it begins: one graph under both names. */
function versionsOf({ versions }: PreparedJob, as: (graph: JobGraph) => JobGraph): Pick<TaskEnvironment, 'versions'> {
  if (versions === undefined) return {};
  return { versions: new Map([...versions].map(([version, { graph }]) => [version, as(graph)])) };
}

/** At the end of the list: worlds with and without a client number their other nodes alike. */
function clientNodes({ plan }: WorldOptions, jobManagers: readonly NodeId[]): NodeSpec[] {
  if ((plan.cluster.clients ?? 0) === 0) return [];
  const notebook = new ClientNotebook();
  const repeatAfterUs = plan.engine.runtime.requestTimeoutUs;
  return [{ id: CLIENT_NODE, create: () => new ClusterClient({ jobManagers, repeatAfterUs, notebook }) }];
}

function withInputFiles({ job }: WorldOptions, disk: StorageDisk): StorageDisk {
  const { files } = job.content;
  return files.length === 0 ? disk : new InputFilesDisk(disk, files);
}

/** Files of sinks lie apart from checkpoints, on a storage of the same kinds. */
function outputDisk({ plan, profile, choices }: WorldOptions): OutputDisk | undefined {
  if (plan.sink?.kind !== 'file') return undefined;
  const kind = plan.sink.storage;
  const delaySite = choices.site('service/sink-store/list-delay');
  const disk = storageDisk({ kind, physics: plan.storage, latency: profile.objectStore, delaySite });
  return new OutputDisk(disk, plan.sink.compactCheckpoints !== undefined);
}

/** The outside systems that a job can reach. */
export function servicesOf({ cluster, sink }: SimulationPlan): ServiceNodes {
  return sink?.kind !== 'kafka' ? SERVICE_NODES : { ...SERVICE_NODES, kafka: brokerNodes(cluster) };
}

function kafkaCluster({ cluster, sink }: SimulationPlan, rules: BrokerRules): KafkaCluster | undefined {
  if (sink?.kind !== 'kafka') return undefined;
  return new KafkaCluster({ brokers: brokerNodes(cluster), rules, sessionTimeoutUs: sink.sessionTimeoutUs });
}

interface Disks {
  readonly storage: StorageDisk;
  readonly coordination: CoordinationDisks;
  readonly sink: SinkStoreDisk;
  /** Undefined: sinks write into the sink store. */
  readonly kafka: KafkaCluster | undefined;
  /** Undefined: sinks write no files. */
  readonly output: OutputDisk | undefined;
  /** Undefined: sinks write no half messages. */
  readonly rocketmq: RocketMqDisk | undefined;
  readonly table: TableDisk;
  /** How far each socket was read, by partition. */
  readonly sockets: number[];
  /** What the log put into its partitions for checkpoints. */
  readonly markers: LogMarkers;
}

function serviceNodes(
  options: WorldOptions,
  conditions: ReadonlyMap<NodeId, ServiceConditions>,
  disks: Disks,
  onRead: (partition: number, offset: number, count: number) => void,
): NodeSpec[] {
  const { plan, job, choices, profile } = options;
  const common = (
    node: NodeId,
  ): { conditions: ServiceConditions; conditionSite: ChoiceSite; latencySite: ChoiceSite } => ({
    conditions: conditions.get(node) ?? new ServiceConditions(options.onEffective),
    conditionSite: choices.site(`service/${node}/condition`),
    latencySite: choices.site(`service/${node}/latency`),
  });
  const { storage, coordination, log, sink } = SERVICE_NODES;
  /** What stands where the sink store would. */
  const sinkService = (incarnation: number): ServiceActor | undefined => {
    const at = common(sink);
    if (disks.output !== undefined)
      return new StorageService({ ...at, disk: disks.output, isRestart: incarnation > 1 });
    if (disks.rocketmq !== undefined && plan.sink?.kind === 'rocketmq') {
      const { checkAfterUs } = plan.sink;
      return new RocketMqBroker({ ...at, disk: disks.rocketmq, latency: profile.sinkStore, checkAfterUs });
    }
    if (plan.sink?.kind !== 'upsert') return undefined;
    return new TableStore({ ...at, disk: disks.table, latency: profile.sinkStore });
  };
  return [
    {
      id: storage,
      create: (incarnation) =>
        new StorageService({ ...common(storage), disk: disks.storage, isRestart: incarnation > 1 }),
    },
    {
      id: coordination,
      create: () =>
        coordinationService({
          ...common(coordination),
          kind: plan.engine.highAvailability.kind,
          disks: disks.coordination,
          node: coordination,
          latency: profile.coordinationStore,
        }),
    },
    {
      id: log,
      create: () =>
        new LogBroker({
          ...common(log),
          content: job.content,
          minRecords: FETCH_RECORDS_MIN,
          onRead,
          handedOut: disks.sockets,
          markers: disks.markers,
        }),
    },
    {
      id: sink,
      create: (incarnation) =>
        sinkService(incarnation) ??
        new SinkStore({
          ...common(sink),
          disk: disks.sink,
          latency: profile.sinkStore,
          transactionTimeoutUs: plan.transactionTimeoutUs,
        }),
    },
    ...brokers(options, disks, common),
  ];
}

/** What is wrong with the sink service is wrong with all brokers alike; crashes and partitions strike each for itself. */
function brokers(
  { plan, profile }: WorldOptions,
  { kafka: cluster }: Disks,
  common: (node: NodeId) => Pick<KafkaBrokerOptions, 'conditions' | 'conditionSite' | 'latencySite'>,
): NodeSpec[] {
  const { sink } = plan;
  if (sink?.kind !== 'kafka' || cluster === undefined) return [];
  return brokerNodes(plan.cluster).map((id) => ({
    id,
    create: () =>
      new KafkaBroker({
        ...common(id),
        conditions: common(SERVICE_NODES.sink).conditions,
        self: id,
        cluster,
        latency: profile.sinkStore,
        maxTransactionTimeoutUs: sink.maxTransactionTimeoutUs,
      }),
  }));
}
