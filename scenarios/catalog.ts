/**
 * The shipped scenarios: an explicit list of names, each a file `catalog/<name>.yaml` that the command line loads, with what it tells.
 */
export interface CatalogEntry {
  readonly name: string;
  /** One line. */
  readonly description: string;
}

export const SCENARIO_CATALOG: readonly CatalogEntry[] = [
  { name: 'quickstart', description: 'one job, one crash, exactly-once: begin here' },
  { name: 'standard', description: 'the measure of all figures: two sources, faults of every kind' },
  { name: 'flight-delays', description: '200,000 flights joined with their airports, three crashes' },
  { name: 'flight-delays-200k', description: '200,000 flights by distance and hour, three crashes' },
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
  { name: 'lost-write-reply', description: 'metadata and pointer writes happen, their replies are lost' },
  { name: 'zombie-taskmanager', description: 'a TaskManager stands still past its heartbeats and comes back' },
  { name: 'zombie-jobmanager', description: 'a leader stands still past its lease and comes back' },
  { name: 'isolated-taskmanager', description: 'one TaskManager at a time is cut off from everything' },
  { name: 'halves', description: 'the machines fall into two halves' },
  { name: 'one-way-partition', description: 'one machine at a time is deaf or mute' },
  { name: 'coordinator-from-storage', description: 'the coordinator cannot reach the storage its tasks write to' },
  { name: 'storage-outage', description: 'the object store refuses every request for a while' },
  { name: 'storage-slow', description: 'the object store is up to 200 times slower' },
  { name: 'storage-fails', description: 'a third of the requests to the object store fail' },
  { name: 'concurrent-checkpoints', description: 'three checkpoints at a time over slow storage, ids past 99' },
  { name: 'savepoints-under-faults', description: 'savepoints, checkpoints by hand and disposals under faults' },
  { name: 'cancel-and-restore-retained', description: 'canceled, and started again from what was kept' },
  { name: 'restore-savepoint', description: 'a new run begins from a savepoint and fails before it has a checkpoint' },
  { name: 'stop-that-fails', description: 'a stop with savepoint of which no task ever hears' },
  { name: 'declined-by-all', description: 'all tasks decline the same checkpoint, few failures are tolerated' },
  { name: 'lost-write-request', description: 'pointer writes never arrive' },
  { name: 'leader-change-storage-outage', description: 'new leaders meet a storage that does not answer' },
  { name: 'expired-checkpoints', description: 'checkpoints expire while requests for the next ones wait' },
  { name: 'slow-link', description: 'the network of one machine is clogged' },
  { name: 'delayed-messages', description: 'what a machine says and hears comes late' },
  { name: 'lost-messages', description: 'control messages are lost' },
  { name: 'duplicated-messages', description: 'control messages arrive twice' },
  { name: 'reordered-messages', description: 'control messages overtake each other' },
  { name: 'sink-outage', description: 'the sink store refuses and forgets to answer' },
  {
    name: 'sink-outage-before-commit',
    description: 'the sink store goes away when transactions are to be committed',
  },
  { name: 'log-outage', description: 'the sources have nothing to read, then everything at once' },
  {
    name: 'negative-control',
    description: 'at-least-once under crashes: the judge of duplicates must be seen to fire',
  },
];
