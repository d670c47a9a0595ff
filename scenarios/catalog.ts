/**
 * The shipped scenarios: an explicit list of names, each a file `catalog/<name>.yaml` that the command line loads, with what it tells.
 * Those that carry over a fault-injection test of Flink lie in a folder of their own (flink-catalog.ts).
 */
import { FLINK_SCENARIOS } from './flink-catalog.ts';
import { RARE_SCENARIOS } from './rare-catalog.ts';

export interface CatalogEntry {
  readonly name: string;
  /** Folder of its file below `catalog/`; absent: none. */
  readonly folder?: string;
  /** One line. */
  readonly description: string;
}

/** Path of its file below `catalog/`. */
export const catalogPath = ({ folder, name }: Pick<CatalogEntry, 'folder' | 'name'>): string =>
  folder === undefined ? `${name}.yaml` : `${folder}/${name}.yaml`;

export const SCENARIO_CATALOG: readonly CatalogEntry[] = [
  { name: 'quickstart', description: 'one job, one crash, exactly-once: begin here' },
  { name: 'standard', description: 'the measure of all figures: two sources, faults of every kind' },
  { name: 'swarm', description: 'as standard, but each seed draws its own options and its own kinds of faults' },
  {
    name: 'swarm-outside',
    description: 'as standard, but each seed draws its own backend, checkpoint storage and sink',
  },
  { name: 'storm', description: 'the hard one: every fault and every nemesis over every option, drawn by seed' },
  { name: 'published-faults', description: 'partitions, failures and stalls as often and as long as in the field' },
  { name: 'crashpoints-aligned', description: 'topology for crashpoints: aligned, two JobManagers, state in files' },
  { name: 'crashpoints-unaligned', description: 'topology for crashpoints: barriers overtake data' },
  { name: 'crashpoints-bounded', description: 'topology for crashpoints: final checkpoint and the end of a job' },
  { name: 'flight-delays', description: '200,000 flights joined with their airports, three crashes' },
  { name: 'flight-delays-200k', description: '200,000 flights by distance and hour, three crashes' },
  { name: 'nexmark', description: 'a query of the Nexmark suite, drawn by seed, under faults of many kinds' },
  { name: 'nexmark-rescale', description: 'windows and sessions of Nexmark while the parallelism changes' },
  { name: 'nexmark-processing-time', description: 'Nexmark q12: each bid is counted in one window of processing time' },
  { name: 'crash-during-alignment', description: 'a task dies while it waits for barriers' },
  {
    name: 'jobmanager-crash-before-notify',
    description: 'the leader dies when a checkpoint is durable and nobody was told',
  },
  {
    name: 'jobmanager-crash-before-metadata',
    description: 'the leader dies when all acknowledged and nothing is durable',
  },
  {
    name: 'restart-during-metadata-write',
    description: 'a job restarts while the metadata of a checkpoint is on its way, and again at the next one',
  },
  { name: 'pause-during-snapshot', description: 'machines stand still with a snapshot taken and not yet written' },
  { name: 'lists-beneath-snapshots', description: 'lists change in place while snapshots of them are written slowly' },
  {
    name: 'snapshots-side-by-side',
    description: 'several snapshots of one state are live while it shrinks; newer ones are dropped first',
  },
  { name: 'lost-write-reply', description: 'metadata and pointer writes happen, their replies are lost' },
  {
    name: 'hybrid-source',
    description: 'files first, then the log where they end; machines die around the switch',
  },
  { name: 'region-failover', description: 'what fails restarts alone: four failover regions, faults of many kinds' },
  { name: 'scarce-slots', description: 'as many slots as subtasks, when regions restart alone' },
  { name: 'task-exceptions', description: 'user functions throw, in quick succession and during recovery' },
  { name: 'throws-in-snapshots', description: 'user functions throw in initializeState and snapshotState' },
  { name: 'throws-in-timers', description: 'user functions throw when a timer fires' },
  { name: 'throws-in-last-work', description: 'user functions throw in open, and in finish at the end of the input' },
  { name: 'stuck-task', description: 'user functions do not return, and a cancelled task takes its process with it' },
  { name: 'zombie-taskmanager', description: 'a TaskManager stands still past its heartbeats and comes back' },
  { name: 'late-lease-answers', description: 'answers to renewals are late, the service is away longer than a lease' },
  { name: 'zombie-jobmanager', description: 'a leader stands still past its lease and comes back' },
  {
    name: 'leader-flapping',
    description:
      'sessions, leases and connections of ZooKeeper, Kubernetes or the lease store end; leaders come and go',
  },
  { name: 'pointer-write-lost', description: 'metadata is durable, the pointer never arrives, the leader dies' },
  { name: 'zombie-jobmanager-writes', description: 'what a leader sent arrives when another one leads' },
  { name: 'zookeeper-jobmanager-crash', description: 'leaders die around the pointer write; ZooKeeper elects' },
  {
    name: 'zookeeper-slow-session',
    description: 'a leader that cannot know whether its session lives; ZooKeeper elects',
  },
  { name: 'kubernetes-jobmanager-crash', description: 'leaders die around the pointer write; Kubernetes elects' },
  { name: 'without-high-availability', description: 'one JobManager with pointer and counter in its memory' },
  { name: 'isolated-taskmanager', description: 'one TaskManager at a time is cut off from everything' },
  { name: 'halves', description: 'the machines fall into two halves' },
  { name: 'one-way-partition', description: 'one machine at a time is deaf or mute' },
  { name: 'coordinator-from-storage', description: 'the coordinator cannot reach the storage its tasks write to' },
  { name: 'storage-outage', description: 'the object store refuses every request for a while' },
  { name: 'storage-slow', description: 'the object store is up to 200 times slower' },
  { name: 'storage-fails', description: 'a third of the requests to the object store fail' },
  {
    name: 'storage-jobmanager',
    description: 'state in the acknowledgement, metadata in the directory of high availability',
  },
  { name: 'storage-object-store', description: 'S3 throttles, lists late, hands out damaged copies' },
  { name: 'storage-matrix', description: 'every kind of storage under every fault of storages, drawn by seed' },
  { name: 'file-merging', description: 'small state of many subtasks in common files, within and across checkpoints' },
  {
    name: 'file-merging-restores',
    description: 'merged files of earlier runs and other parallelisms, under each claim mode',
  },
  { name: 'sink-topologies', description: 'operators with state before and behind the committers of a sink' },
  { name: 'storage-filesystem', description: 'a file server loses power, runs full, fails writes' },
  { name: 'storage-hdfs', description: 'namenode outages and failovers, dead writers with leases, losses of power' },
  { name: 'concurrent-checkpoints', description: 'three checkpoints at a time over slow storage, ids past 99' },
  { name: 'savepoints-under-faults', description: 'savepoints, checkpoints by hand and disposals under faults' },
  { name: 'cancel-and-restore-retained', description: 'canceled, and started again from what was kept' },
  {
    name: 'lsm-incremental',
    description: 'incremental checkpoints of segments, two at a time, one retained, lost notices',
  },
  { name: 'lsm-rescale', description: 'segments restored with other parallelisms: taken whole, clipped, merged' },
  { name: 'lsm-savepoints', description: 'segments of earlier runs under each claim mode; the backend changes' },
  { name: 'changelog', description: 'checkpoints of a state log, written ahead, with snapshots below it that fail' },
  { name: 'claimed-segments', description: 'segments of an earlier run that were claimed go when nothing uses them' },
  {
    name: 'changelog-runs',
    description: 'state logs of earlier runs under each claim mode, other parallelisms, another backend',
  },
  { name: 'local-recovery', description: 'copies of keyed state on the nodes, found again by who comes back' },
  { name: 'restore-savepoint', description: 'a new run begins from a savepoint and fails before it has a checkpoint' },
  { name: 'stop-and-resume', description: 'stopped with a savepoint and started again from it, under faults' },
  {
    name: 'savepoint-under-backpressure',
    description: 'aligned savepoints of an unaligned job with full channels, restored',
  },
  {
    name: 'drain-under-faults',
    description:
      'stopped for good or suspended, or at the end of its input, under crashes, partitions and lost messages',
  },
  { name: 'writes-behind-the-end', description: 'writes of dead machines arrive when the job was cleaned up' },
  { name: 'stop-that-fails', description: 'a stop with savepoint of which no task ever hears' },
  {
    name: 'stop-meets-failure',
    description: 'tasks and leaders fail when the savepoint of a stop is good, or nearly so',
  },
  { name: 'savepoints-that-expire', description: 'savepoints fail all the time where no checkpoint may' },
  { name: 'kept-at-the-end', description: 'checkpoints retained, deleted, or kept of failures only, as runs end' },
  { name: 'unclaimed-runs', description: 'runs without a claim whose first checkpoints fail' },
  { name: 'limits-of-checkpoints', description: 'pauses, pending checkpoints, failures and restarts at their limits' },
  { name: 'pointers-in-a-row', description: 'checkpoints wait for their pointers when runs end and begin' },
  { name: 'end-of-a-later-run', description: 'the end of a run that began from the savepoint of a stop' },
  {
    name: 'final-checkpoint-of-regions',
    description: 'regions fail when their only checkpoint is asked for or complete',
  },
  { name: 'stop-meets-rescale', description: 'another parallelism is asked for while a job stops' },
  { name: 'backend-of-a-run', description: 'a run with another backend, and later ones that name none' },
  { name: 'stop-forgotten', description: 'a stop expires and none of its tasks hears of it' },
  { name: 'cleaned-up-late', description: 'what a run left is looked through when the next one has begun' },
  { name: 'renewals-asked-twice', description: 'answers to renewals of a lease are late, then none come' },
  {
    name: 'rows-of-several-checkpoints',
    description: 'a table refuses writes while several checkpoints wait for them',
  },
  { name: 'late-session-answers', description: 'ZooKeeper answers late, and then not at all' },
  { name: 'tolerated-resets', description: 'connections to ZooKeeper are reset again and again' },
  { name: 'late-deletions', description: 'merged files grow on a file server that hears deletions late' },
  { name: 'unheard-end-of-data', description: 'that subtasks have come to their end is heard late' },
  { name: 'regions-of-an-adaptive-job', description: 'an adaptive job of several regions loses a machine for good' },
  { name: 'caught-up-by-others', description: 'readers that lag give up their last split' },
  { name: 'kafka-broker-gone', description: 'a Kafka broker dies and does not come back' },
  { name: 'unheard-final-checkpoint', description: 'the notices of the final checkpoint are lost' },
  { name: 'sizes-of-buffers', description: 'buffers grow and shrink with throughput' },
  { name: 'declined-by-all', description: 'all tasks decline the same checkpoint, few failures are tolerated' },
  { name: 'lost-write-request', description: 'pointer writes never arrive' },
  { name: 'leader-change-storage-outage', description: 'new leaders meet a storage that does not answer' },
  { name: 'expired-checkpoints', description: 'checkpoints expire while requests for the next ones wait' },
  { name: 'slow-link', description: 'the network of one machine is clogged' },
  { name: 'delayed-messages', description: 'what a machine says and hears comes late' },
  { name: 'lost-messages', description: 'control messages are lost' },
  { name: 'duplicated-messages', description: 'control messages arrive twice' },
  { name: 'reordered-messages', description: 'control messages overtake each other' },
  { name: 'held-messages', description: 'what is sent waits and arrives when its sender is another one' },
  { name: 'connection-resets', description: 'connections are reset, what is on the way in them is lost' },
  { name: 'slow-machines', description: 'processors are up to 2,000 times slower for a while' },
  { name: 'out-of-memory', description: 'processes run out of memory in the middle of a handler' },
  { name: 'stale-lists', description: 'lists of the object store are behind, under disposals and sweeps' },
  {
    name: 'kafka-fenced',
    description: 'producers are fenced while they write, late appends meet aborted transactions',
  },
  { name: 'nemeses', description: 'the named nemeses, half of them in each life' },
  { name: 'sink-outage', description: 'the sink store refuses and forgets to answer' },
  {
    name: 'sink-outage-before-commit',
    description: 'the sink store goes away when transactions are to be committed',
  },
  { name: 'late-rescales', description: 'requests for another parallelism overtake each other, leaders change' },
  { name: 'rescale-storm', description: 'the parallelism changes five times between 1 and 11, under crashes' },
  {
    name: 'reactive-mode',
    description: 'an adaptive scheduler follows TaskManagers that come late, crash and stay away',
  },
  { name: 'keyed-states', description: 'keyed state of every kind; backend and compression differ by life' },
  {
    name: 'states-when-asked',
    description: 'keyed state that is asked for when a record needs it: late, in any order, or never',
  },
  { name: 'log-analytics', description: 'visits and error rates of an access log, by windows' },
  { name: 'batch-cleaning', description: 'a bounded table of films is cleaned, drained and finished' },
  { name: 'trade-monitoring', description: 'patterns (CEP) over real share prices and trades' },
  { name: 'state-ttl', description: 'counts that expire when their key was silent; the rule is judged on the output' },
  { name: 'state-ttl-kinds', description: 'counts in any kind of state that reads renew or do not, cleared at times' },
  { name: 'state-ttl-compared', description: 'keyed state that lives long, compared with the reference without times' },
  {
    name: 'upgrade-under-faults',
    description: 'the job becomes another version at a savepoint: migrated, given up, or found incompatible',
  },
  { name: 'upgrade-over-a-log', description: 'a job whose state is logged is upgraded from its checkpoint' },
  {
    name: 'upgrade-event-time',
    description: 'a job whose state waits for timers becomes another version, suspended or drained before it',
  },
  {
    name: 'refused-versions',
    description: 'the job is begun again as versions that cannot read its state; each is refused, nothing is lost',
  },
  { name: 'broadcast-rules', description: 'rules in broadcast state, applied to every key; crashes and rescaling' },
  { name: 'buffering-map', description: "a user function's list state, dealt out anew as the parallelism changes" },
  { name: 'union-offsets', description: "a user function's union list under rescaling and an input that ends in part" },
  { name: 'kafka-sink', description: 'Kafka transactions under crashes of brokers, coordinators and machines' },
  {
    name: 'kafka-sink-rescale',
    description: 'Kafka transactions of subtasks that are gone, under changes of parallelism',
  },
  {
    name: 'kafka-late-initializations',
    description: 'requests to initialize a producer arrive when its id has a transaction open',
  },
  { name: 'kafka-late-commits', description: 'requests to commit arrive when their transactional id is in use again' },
  {
    name: 'kafka-sink-pooling',
    description: 'Kafka transactions with ids that are used again, late commits of zombies',
  },
  {
    name: 'kafka-transaction-expires',
    description: 'a pause longer than a Kafka transaction may be open: replayed, not lost',
  },
  { name: 'kafka-two-sinks', description: 'two sinks of one job, each with its own Kafka topic' },
  {
    name: 'kafka-timeout-trap',
    description: 'a downtime longer than a Kafka transaction may be open: records are lost',
  },
  { name: 'file-sink', description: 'output files on HDFS or an object store: in progress, pending, finished' },
  { name: 'file-sink-power-loss', description: 'the storage of output files loses power, with what was not synced' },
  { name: 'file-sink-compaction', description: 'small output files become one before anybody sees them' },
  {
    name: 'earlier-snapshots',
    description: 'the job begins again from snapshots older than the newest, by other parallelisms and claim modes',
  },
  { name: 'upsert-sink', description: 'a table that keeps the newest version of each row, written again and again' },
  { name: 'rows-written-once', description: 'rows that no later one replaces, in a slow table' },
  {
    name: 'rocketmq-sink',
    description: 'half messages: ends that are lost, and a broker that asks what became of them',
  },
  { name: 'rocketmq-sink-rescale', description: 'half messages of subtasks that are gone, and a broker that forgets' },
  { name: 'socket-source', description: 'a source that cannot be read again: records may be lost, none comes twice' },
  { name: 'log-retention', description: 'a log that deletes records before they are read: lost, and none comes twice' },
  { name: 'calm', description: 'no faults, slow consumers; every checkpoint has to complete' },
  { name: 'failures-in-a-row', description: 'each outage costs a checkpoint; four failures in a row are tolerated' },
  {
    name: 'master-hooks',
    description: 'outside ledgers are told of checkpoints by master hooks, and go back with the job',
  },
  { name: 'induced-source', description: 'markers in the log say where a checkpoint is taken, not the coordinator' },
  {
    name: 'new-partitions',
    description: 'start at latest, committed offsets or a time; partitions come while the job runs',
  },
  { name: 'bounded-splits', description: 'splits of inputs that end, one of them early' },
  { name: 'file-source', description: 'splits of files by bytes, damaged and given back' },
  { name: 'log-outage', description: 'the sources have nothing to read, then everything at once' },
  { name: 'bounded-input', description: 'all input ends; crashes around the final checkpoint and the end of the job' },
  {
    name: 'bounded-rescale',
    description: 'bounded jobs are rescaled and resumed when part of their subtasks have finished',
  },
  {
    name: 'partially-finished-sources',
    description: 'some sources end early, others go on; checkpoints and restarts with finished tasks',
  },
  {
    name: 'final-checkpoint-only',
    description: 'the interval is longer than the job: only the final checkpoint can commit anything',
  },
  {
    name: 'last-commits',
    description: 'the sink is away when the input ends; nothing finishes before its last commit',
  },
  {
    name: 'bounded-join',
    description: 'flights joined with airports, both bounded; one side ends long before the other',
  },
  {
    name: 'finished-pipeline',
    description: 'one of two pipelines ends; who missed the notice of its checkpoint is triggered without a source',
  },
  {
    name: 'split-assignment-under-faults',
    description: 'splits are assigned while checkpoints are cut, under lost and late events and crashes',
  },
  { name: 'refused-discovery', description: 'looking for new partitions is refused while the job goes on' },
  {
    name: 'splits-across-restarts',
    description: 'regions fail between a restart of the whole job and its next checkpoint, while splits are handed out',
  },
  {
    name: 'interval-during-backlog',
    description: 'checkpoints are rare while sources lag behind a slow log; readers die meanwhile',
  },
  {
    name: 'negative-control',
    description: 'at-least-once under crashes: the judge of duplicates must be seen to fire',
  },
  {
    name: 'unaligned-backpressure',
    description: 'barriers overtake under constant backpressure, in-flight data is state',
  },
  {
    name: 'unaligned-rescale',
    description: 'in-flight data of unaligned checkpoints is dealt out anew as the parallelism changes',
  },
  { name: 'unaligned-rescale-order', description: 'the same with a job whose order per key is judged' },
  { name: 'unaligned-timeout', description: 'barriers keep their place for a while, then overtake' },
  { name: 'clock-skew', description: 'wall clocks are off, drift and are set; barriers time out by them' },
  { name: 'unaligned-expiry', description: 'checkpoints expire while their barriers wait: the abort comes first' },
  {
    name: 'aborts-beside-unaligned',
    description: 'savepoints expire while in-flight data of checkpoints is gathered',
  },
  { name: 'lost-aborts', description: 'triggers and aborts are lost: newer barriers cancel older alignments' },
  { name: 'unanswered-resume', description: 'a request to begin the job again is repeated behind a later run' },
  { name: 'lost-triggers', description: 'triggers are lost of checkpoints and stops that would not expire' },
  {
    name: 'event-time-timers',
    description: 'counts leave their state by event-time timers; watermarks begin anew after each crash',
  },
  { name: 'event-time-windows', description: 'tumbling, sliding and session windows of event time, each fires once' },
  { name: 'event-time-rescale', description: 'windows and timers move with their key groups' },
  {
    name: 'removed-state',
    description: 'windows whose state is removed all the time, over both backends, with and without a log',
  },
  { name: 'processing-time-windows', description: 'input falls silent, restored timers close the windows' },
  { name: 'timers-under-backpressure', description: 'timers fire in slices, unaligned barriers are taken in between' },
  { name: 'windows-behind-exchange', description: 'in-flight records keep their event time, parts of buffers too' },
  {
    name: 'window-triggers',
    description: 'windows shown by count or again and again, purged or kept, and windows of windows behind them',
  },
  { name: 'watermarks-behind-barriers', description: 'long alignments: watermarks wait behind barriers as records do' },
  { name: 'late-data', description: 'late records in a side output: window or side output, each once' },
  { name: 'late-windows', description: 'windows fire again for late records: each result holds the one before it' },
  { name: 'idle-sources', description: 'event time goes on past sources that ended or fell idle' },
  { name: 'idle-beside-apart', description: 'a channel far ahead falls idle: event time stays with the slowest' },
  ...FLINK_SCENARIOS,
  ...RARE_SCENARIOS,
];
